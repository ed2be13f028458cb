# -o names the executable; an existing one is replaced, also while it runs.
echo '(print 1)' >a.valk
echo '(print 2)' >b.valk
run 0 "$VALKC" build a.valk -o prog
run 0 ./prog
is out 1
run 0 "$VALKC" build b.valk -o prog
run 0 ./prog
is out 2
# A device is written to, not replaced.
mkfifo pipe
cat pipe >copy &
run 0 "$VALKC" build a.valk -o pipe
wait
[ -p pipe ] || fail "the pipe was replaced"
chmod +x copy
run 0 ./copy
is out 1
run 0 "$VALKC" emit a.valk -o /dev/null
[ -c /dev/null ] || fail "/dev/null was replaced"
