# A macro that runs out of memory is an error of that macro, not the end of the evaluator.
cat >a.valk <<'END'
(mem/heap/set-hard-limit (* 8 1024 1024))
(fun {build n acc} {if (== n 0) {acc} {build (- n 1) (cons n acc)}})
(print (try {(eval (read "(macro {huge x} {build 100000000 nil})"))} {e {(error-kind e)}}))
(print (error-kind (try {(eval (read "(huge 1)"))} {e {e}})))
(print (eval (read "(+ 1 2)")))
END
for how in "" --eval; do
  run 0 "$VALKC" run $how a.valk
  has out ":syntax"
  has out 3
done
