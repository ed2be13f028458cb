# A test that does not end is killed, one that prints without end too.
mkdir t
printf '(fun {f} {(f)})\n(f)\n; timeout: 1\n' >t/loop.valk
printf '(fun {f} {do (print "xxxxxxxxxxxxxxxx") (f)})\n(f)\n; timeout: 20\n' >t/flood.valk
run 1 "$VALKC" test t
has out "still running"
[ "$(tail -n 1 out)" = "0 passed, 2 failed" ] || fail "$(tail -n 1 out)"
