# A long program is compiled in parts, which see each other's functions and constants.
awk 'BEGIN {
  for (i = 0; i < 150; i++) {
    printf "(def {seen-%d} (atom {}))\n", i
    printf "(fun {f-%d x & more} {do (swap! seen-%d (\\ {l} {cons (list x :key-%d \"text %d\") l}))", i, i, i % 7, i
    printf " (if (> x 0) {+ x (len more) (f-%d (- x 1) :key-%d more)} {%d})})\n", (i * 7 + 3) % 150, i % 7, i
    printf "(print (f-%d %d) (map f-%d {1 2 3}) (== (fst (fst (deref seen-%d))) 1))\n", i, i % 9, i, i
  }
  # Functions that only their own part calls, one of them through itself in two ways.
  print "(fun {even-so? n} {if (== n 0) {1} {odd-so? (- n 1)}})"
  print "(fun {odd-so? n} {if (== n 0) {0} {even-so? (- n 1)}})"
  print "(fun {once-only a b} {do (= {s} (str a b a b a b a b)) (= {t} (str s s)) (if (> (len t) 3) {str t s (len s)} {list s t a b})})"
  print "(print (even-so? 7) (map (\\ {x} {once-only x (str x)}) {1 2}))"
  print "(print (== (snd (fst (deref seen-0))) :key-0) `{a ,(+ 1 2)} #{:a 1} [1.5 2])"
  print "(+ (f-1 1) \"no\")"
}' >long.valk
build() { "$VALKC" build --no-cache --warn-c "$@" long.valk; }
same() { # a program that gives what the evaluator gives, errors too
  "$@" >out 2>err && exit 1
  cmp out expected
  cmp err expected.err
}
"$VALKC" run --eval long.valk >expected 2>expected.err && exit 1
grep -q 'at long.valk:456' expected.err
build --verbose -o long 2>commands
grep -q -e '-DVK_PART=0 ' commands
grep -q -e '-DVK_PART=1 ' commands
same ./long
# The number of parts does not depend on the machine; their order in time does not matter.
build -o again
cmp long again
build -O0 -o long0
same ./long0
build -O1 --cc=clang -o long1
same ./long1
# The text that is kept compiles as a whole.
build --keep-c -g -O0 -o kept
same ./kept
gcc -fno-strict-aliasing -iquote "$TREE/rt" -fsyntax-only kept.c
"$VALKC" run long.valk >out 2>err && exit 1
cmp out expected
