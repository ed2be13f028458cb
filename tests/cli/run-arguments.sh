# What follows the file is the program's, options included; so is the exit status.
echo '(print "ran") (exit 7)' >a.valk
run 7 "$VALKC" run a.valk --help -O9 x
is out ran
run 7 "$VALKC" a.valk x
is out ran
run 7 "$VALKC" ./a.valk
run 7 "$VALKC" -O0 a.valk
run 7 "$VALKC" run -O0 -- a.valk
