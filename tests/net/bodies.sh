# Bodies of every size in both directions are what was sent; beyond the limit: 413.
serve echo
u=http://127.0.0.1:$port
for size in 0 1 16383 16384 16385 65535 65536 1000000 19000000; do
  head -c $size /dev/urandom >sent
  h2c --data-binary @sent "$u/echo" >got
  cmp sent got || fail "$size bytes came back different"
done
is "$(h2c "$u/large?2000000" | wc -c)" 32000000
head -c 20000001 /dev/zero >sent
is "$(h2c -o out -w '%{http_code}' --data-binary @sent "$u/echo")" 413
is "$(h2c -o out -w '%{http_code}' -H 'Transfer-Encoding: chunked' --data-binary @- "$u/echo" <sent)" 413
is "$(h2c "$u/plain")" text
has "$(h2load -c 4 -m 4 -n 64 "$u/large?65536")" "64 done, 64 succeeded"
