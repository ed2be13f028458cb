# --cc and VALKC_CC choose the C compiler; a missing one is said clearly.
echo '(print 1)' >a.valk
if command -v clang >/dev/null; then
  run 0 "$VALKC" build --cc=clang a.valk -o p
  run 0 ./p
  is out 1
fi
run 1 "$VALKC" build --cc=no-such-compiler a.valk
has err no-such-compiler
VALKC_CC=no-such-compiler run 1 "$VALKC" build a.valk
has err no-such-compiler
PATH=$PWD/none run 1 "$VALKC" build a.valk
has err "no C compiler found"
has err "apt-get install gcc"
