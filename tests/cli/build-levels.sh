# Every level of optimisation, and -g, gives the same program.
echo '(fun {f n} {if (< n 2) n (+ (f (- n 1)) (f (- n 2)))}) (print (f 20))' >f.valk
for level in -O0 -O1 -O2 -O3 "-O0 -g" "-O2 -g"; do
  # shellcheck disable=SC2086
  run 0 "$VALKC" build $level f.valk -o f
  run 0 ./f
  is out 6765
done
