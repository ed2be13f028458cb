# `run` leaves standard input and output to the program.
echo '(print (+ 1 2)) (error "boom")' >a.valk
run 1 "$VALKC" run a.valk
is out 3
has err boom
has err a.valk:1
