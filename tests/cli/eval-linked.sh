# Programs that evaluate no data do not link the evaluator; literal blocks need none.
echo '(print "hello")' >hello.valk
echo '(fun {f x} {{+ x 1}}) (print (map (\ {b} {+ 1 b}) {1 2}))' >blocks.valk
echo '(print (eval (list + 1 2)))' >eval.valk
for program in hello blocks eval; do
  run 0 "$VALKC" build $program.valk -o $program
  nm $program >$program.symbols
done
for program in hello blocks; do
  if grep -q vk_eval_list $program.symbols; then fail "$program links the evaluator"; fi
done
has eval.symbols vk_eval_list
run 0 ./eval
is out 3
# A function that nobody but data names is kept only where data may name it.
echo '(fun {kept x} {* x 2}) (fun {other x} {* x 3}) (print (eval `(kept 4)))' >names.valk
run 0 "$VALKC" emit names.valk
has out kept
if grep -q other out; then fail "a function that nothing can name is in the program"; fi
# Nor is networking there for evaluated data alone: that is an error, in whatever way it is used.
cat >net.valk <<'E'
(print (try {eval (read "(http2/listen \"localhost\" 0 (\\ {r} {r}))")} {e (list (error-kind e) (error-message e))}))
(print (map (eval (read "http2/server-port")) {1}))
(print (eval (read "(req/body 1)")))
E
libcs=glibc
[ ! -e "$(dirname "$VALKC")/$(uname -m)-linux-musl/librt.a" ] || libcs="glibc musl"
for libc in $libcs; do
  run 0 "$VALKC" build --libc=$libc net.valk -o net
  run 0 ./net
  has out '{:unbound `http2/listen` is not in this program'
  has out '{Error: `http2/server-port` is not in this program'
  has out 'Error: `req/body` is not in this program'
done
