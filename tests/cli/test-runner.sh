# `valkc test`: what passes, what fails, and how it says so.
mkdir t t/lib
echo '(print 1) ; expect: 1' >t/good.valk
printf '; expect: 1\n(print 2)\n' >t/bad-output.valk
printf '(exit 3)\n; exit: 3\n' >t/exit.valk
printf '(error "boom")\n; exit: 1\n; stderr: boom\n' >t/stderr.valk
printf '(print (\n; error: 1:\n' >t/syntax.valk
printf '(print 1)\n; error: 1: nothing wrong here\n' >t/bad-syntax.valk
printf '(print 1)\n; expect: 1\n; skip-mode: aot because\n' >t/skip.valk
printf '(print "long")\n' >t/long.valk
echo long >t/long.out
echo '(error "not a test")' >t/lib/part.valk
run 1 "$VALKC" test t
is_last() { [ "$(tail -n 1 out)" = "$1" ] || { cat out; fail "last line is not: $1"; }; }
is_last "5 passed, 2 failed, 1 skipped"
has out "FAILED t/bad-output.valk (aot)"
has out "- 1"
has out "+ 2"
run 1 "$VALKC" test --json t
has out '"outcome":"skipped"'
run 0 "$VALKC" test --filter good t/good.valk
is_last "1 passed, 0 failed"
run 1 "$VALKC" test --promote --filter bad-output t
run 0 "$VALKC" test --filter bad-output t
has t/bad-output.valk "; expect: 2"
run 2 "$VALKC" test no-such-dir
mkdir empty
run 2 "$VALKC" test empty
# Without one optimisation: by name, each in turn, all of them.
run 0 "$VALKC" test --mode=skip-inline --json t/good.valk
has out '"mode":"skip-inline"'
run 0 "$VALKC" test --mode=skip t/good.valk
is_last "1 passed, 0 failed"
run 0 "$VALKC" test --mode=skip-each t/good.valk
[ "$(tail -n 1 out)" = "$("$VALKC" --list-passes | grep -c optional) passed, 0 failed" ] || fail "not each: $(tail -n 1 out)"
run 2 "$VALKC" test --mode=skip-lower t/good.valk
