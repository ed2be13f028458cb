# `emit` prints C text that both compilers take without a warning.
echo '(fun {count n} {if (> n 0) {+ 1 (count (- n 1))} 0}) (print (count 7))' >a.valk
run 0 "$VALKC" emit a.valk
has out '#include "vk.h"'
has out '#line'
has out count
cp out a.c
run 0 "$VALKC" emit a.valk -o b.c
empty out
cmp a.c b.c
for cc in gcc clang; do
  command -v $cc >/dev/null || continue
  run 0 $cc -std=gnu11 -Wall -Wextra -Werror -fno-strict-aliasing -iquote "$TREE/rt" -c a.c -o a.o
done
if [ -c /dev/full ]; then
  "$VALKC" emit a.valk >/dev/full 2>err && fail "a full disk was not noticed"
  has err "cannot write to stdout"
fi

# A path may have what ends a comment.
mkdir 'x*'
echo '(fun {f x} {print x}) (f 1) (f 2)' >'x*/a.valk'
run 0 "$VALKC" build 'x*/a.valk' -o a
run 0 "$VALKC" run 'x*/a.valk'
is out "$(printf '1\n2')"
