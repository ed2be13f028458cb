# `valkc -e EXPR` runs an expression at once and prints its value, unless it is nil.
run 0 "$VALKC" -e '(+ 1 2)'
is out 3
run 0 "$VALKC" -e '(def {x} 5) (str "x is " x)'
is out '"x is 5"'
run 0 "$VALKC" -e '(print "only")'
is out only
run 0 "$VALKC" -e '(os/args)' a 'b c'
is out '{"a" "b c"}'
run 3 "$VALKC" -e '(exit 3)'
run 1 "$VALKC" -e '(head nil)'
has err 'at -e:1:1'
run 1 "$VALKC" -e '(print'
has err 'unclosed'
run 2 "$VALKC" -e
has err 'needs a value'
