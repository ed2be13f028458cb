# What a handler makes dies with its request, without the collector; its result reaches the client whole.
"$VALKC" build --no-heap-in=order "$HERE/region.valk" -o placed || fail "the handler needs the heap"
serve region
u=http://127.0.0.1:$port
order() { h2c -i "$u/order?items=apple,plum,fig" | tr -d '\r'; }
has "$(order)" "x-count: 3"
has "$(order)" "content-type: application/json"
has "$(order)" '[{"item":"apple","price":3},{"item":"plum","price":7},{"item":"fig","price":0}]'
is "$(h2c "$u/a/b")" "text /a/b"
before=$(h2c "$u/allocated")
for i in 1 2 3 4 5 6 7 8 9 10; do order >/dev/null && h2c "$u/$i" >/dev/null; done
is "$(h2c "$u/allocated")" "$before"
is "$(h2c "$u/remember?one")" none
has "$(h2c -i "$u/remember?two")" "x-old: one!"
is "$(h2c "$u/remember?three")" "two!"
is "$(h2c "$u/fixed")" "fixed 3"
is "$(h2c "$u/fixed")" "fixed 3"
has "$(h2c -i "$u/fixed")" "x-fixed: f1"
is "$(h2c "$u/same")" names
is "$(h2c -w '%{http_code}' "$u/error?reason")" 500
has "$(cat region.log)" "no reason"
# several wait at a time, and a large body waits for the client's window meanwhile
for i in 1 2 3 4; do h2c "$u/wait?$i" >waited.$i & pids="${pids:-} $!"; done
is "$(h2c --limit-rate 200k "$u/large?abcdefghij" | md5sum)" "$(yes abcdefghij | head -3000 | tr -d '\n' | md5sum)"
for i in 1 2 3 4 5 6; do h2c "$u/order?items=plum" >/dev/null; done
for pid in $pids; do wait "$pid"; done
for i in 1 2 3 4; do
  expected=$(for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do printf '%s waited%s ' "$i" "$n"; done)
  is "$(cat waited.$i)" "${expected% }"
done
stop
