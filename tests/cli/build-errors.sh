# Mistakes in the program: exit 1, and nothing is made.
echo '(print (' >bad.valk
run 1 "$VALKC" build bad.valk -o bad
has err "bad.valk:1:"
has err ": error: "
[ ! -e bad ] || fail "an executable was made"
run 1 "$VALKC" build missing.valk
has err missing.valk
run 1 "$VALKC" build .
echo '(print 1)' >good.valk
run 1 "$VALKC" build good.valk -o no/such/dir/x
has err no/such/dir/x
mkdir d
run 1 "$VALKC" build good.valk -o d
has err "directory"
