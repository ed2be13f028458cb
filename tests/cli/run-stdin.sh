# `run` leaves standard input and output to the program.
echo '(print (+ 1 2)) (error "boom")' >a.valk
run 1 "$VALKC" run a.valk
is out 3
has err boom
has err a.valk:1
# `-` is a program on standard input.
for way in "run -" "-" "run --eval -" "run --cc -"; do
  echo '(print "from stdin" (os/args))' | "$VALKC" $way a b >out
  is out 'from stdin {a b}'
done
echo '(head' | "$VALKC" run - >out 2>err && fail "no error"
has err '-:1:1: error'
