# Wrong usage: exit 2, and a pointer to the help.
echo '(print 1)' >a.valk
run 2 "$VALKC"
run 2 "$VALKC" bulid a.valk
has err 'did you mean `build`?'
run 2 "$VALKC" build
has err "needs a FILE"
run 2 "$VALKC" build a.valk b.valk
has err "one argument"
run 2 "$VALKC" build --kepp-c a.valk
has err 'did you mean `--keep-c`?'
has err "valkc help build"
run 2 "$VALKC" build -O7 a.valk
run 2 "$VALKC" build a.valk -o
has err "needs a value"
run 2 "$VALKC" build --dump=expnd a.valk
has err 'did you mean `expand`?'
run 2 "$VALKC" build --skip=lower a.valk
has err "cannot be left out"
run 2 "$VALKC" test --mode=nonsense
run 2 "$VALKC" help bulid
