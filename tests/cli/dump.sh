# Every pass can be dumped; nothing is built then.
echo '(fun {square x} {* x x}) (print (square 7))' >a.valk
for pass in read expand resolve simplify lower emit; do
  run 0 "$VALKC" build --dump=$pass a.valk
  [ -s out ] || fail "no dump of $pass"
  empty err
  [ ! -e a ] || fail "built"
done
run 0 "$VALKC" build --dump=read a.valk
has out "(fun {square x} {* x x})"
run 0 "$VALKC" build --dump=resolve,lower a.valk
has out ";; resolve"
has out ";; lower"
run 0 "$VALKC" build --skip=simplify a.valk
run 0 ./a
is out 49
# Parts of a pass can be left out, not dumped.
run 0 "$VALKC" emit --skip=inline,contify a.valk
has out "f_square"
run 2 "$VALKC" build --dump=inline a.valk
has err "part of a pass"
