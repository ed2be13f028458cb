# --keep-c leaves the C text beside the output.
echo '(print 1)' >a.valk
run 0 "$VALKC" build --keep-c a.valk -o prog
has prog.c '#include "vk.h"'
