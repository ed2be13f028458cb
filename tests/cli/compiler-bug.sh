# A C compiler that fails on our text is a bug of ours: exit 70, and the text is kept.
echo '(print 1)' >a.valk
printf '#!/bin/sh\ncat >/dev/null\necho "stdin:1: error: nonsense" >&2\nexit 1\n' >fakecc
chmod +x fakecc
run 70 "$VALKC" build --cc=./fakecc a.valk
has err "bug in the compiler"
has err nonsense
kept=$(sed -n 's/^the C text is kept: //p' err)
has "$kept" '#include "vk.h"'
[ ! -e a ] || fail "an executable was made"
