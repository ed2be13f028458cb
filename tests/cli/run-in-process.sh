# `run` needs no C compiler, no file and no directory of its own, and behaves as the executable does.
cat >a.valk <<'END'
(print (os/args))
(fun {deep n} {+ 1 (deep n)})
(if (== (os/args) {"deep"}) {print (deep 1)} {()})
(fun {fails x} {+ 1 (head x)})
(if (== (os/args) {"error"}) {fails {}} {()})
(exit 7)
END
XDG_CACHE_HOME=/proc/none PATH=$PWD/none run 7 "$VALKC" run a.valk -x "two words"
is out '{-x two words}'
(unset HOME XDG_CACHE_HOME; run 7 "$VALKC" a.valk)
[ "$(ls)" = "$(printf 'a.valk\nerr\nout')" ] || fail "files were left: $(ls)"
run 0 "$VALKC" build a.valk -o a
for argument in deep error; do
  run 1 ./a $argument
  mv out out.build
  mv err err.build
  run 1 "$VALKC" run a.valk $argument
  cmp out out.build || fail "stdout differs: $argument"
  # its frames are larger, and so is its stack
  head -2 err.build | sed 's/ (.* times)//; s/[0-9]* MB//' >err.1
  head -2 err | sed 's/ (.* times)//; s/[0-9]* MB//' >err.2
  cmp err.1 err.2 || fail "stderr differs: $argument: $(cat err.build err)"
done
has err 'a.valk:4:'
echo '(print (read-file "/dev/stdin"))' >b.valk
echo hello | "$VALKC" b.valk >out
has out hello
