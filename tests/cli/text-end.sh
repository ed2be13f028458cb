# What fault.c believes (rt/text_end.S): between a function of the program and the next mark lies the program's code alone.
# is_apart FILE: the functions of the program, f_... and top_..., come before the mark, those of the runtime behind it
is_apart() {
  nm -n "$1" | awk '
    BEGIN { kinds = "tT" }
    index(kinds, $2) == 0 { next }
    $3 ~ /^vk_text_end/ { is_open = 0; marks++; next }
    $3 ~ /^(f_deep_|f_f[0-9]+_|top_[0-9])/ { is_open = 1; found++ }
    is_open && $3 ~ /^(vk_main|vk_run_tops|vk_stack_|vk_fault_|net_|nghttp2_|uv_|SSL_|_start|malloc)/ { print $3 " is not apart"; bad = 1 }
    END { if (marks != 4 || !found) { print marks " marks, " found " functions"; bad = 1 }; exit bad }' || fail "$1"
}
cat >program.valk <<'END'
(fun {deep n} {if (== n 0) 0 {+ 1 (deep (- n 1))}})
(print (deep (len (os/args))))
END
cat >server.valk <<'END'
(fun {deep n} {if (== n 0) 0 {+ 1 (deep (- n 1))}})
(http2/listen "127.0.0.1" 0 (\ {r} {str (deep (req/stream-id r))}))
END
for level in 0 1 2 3; do
  "$VALKC" build -O$level program.valk -o program
  is_apart program
done
"$VALKC" build server.valk -o server
is_apart server
"$VALKC" build --no-pie server.valk -o server
is_apart server
if command -v clang >/dev/null; then
  CC=clang "$VALKC" build server.valk -o server
  is_apart server
fi
i=0
while [ $i -lt 4000 ]; do
  echo "(fun {f$i x y} {if (> x $i) (list x y (f$(((i + 1) % 4000)) (- x 1) y)) {if (== y $i) (str x) (f$(((i + 7) % 4000)) y x)}})"
  i=$((i + 1))
done >large.valk
echo '(print (f0 3 4))' >>large.valk
"$VALKC" build -O0 --verbose large.valk -o large 2>parts
is_apart large
