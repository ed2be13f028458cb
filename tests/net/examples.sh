# The examples that serve do what their first lines say.
mkdir -p examples
cp "$HERE"/../../examples/hello-server.valk "$HERE"/../../examples/api.valk .
serve hello-server 0
is "$(h2c "http://localhost:$port/")" "Hello, World!"
stop
serve hello-server 0 "$CERT" "$KEY"
is "$(tls "https://localhost:$port/")" "Hello, World!"
stop
serve api 0
u=http://localhost:$port
is "$(h2c "$u/notes")" '[]'
is "$(h2c -d 'buy "milk"' "$u/notes")" '{"id":1,"text":"buy \"milk\""}'
is "$(h2c -w '%{http_code}' -d 'two' "$u/notes")" '{"id":2,"text":"two"}201'
is "$(h2c "$u/notes")" '[{"id":2,"text":"two"},{"id":1,"text":"buy \"milk\""}]'
is "$(h2c "$u/notes/2")" '{"id":2,"text":"two"}'
is "$(h2c -w '%{http_code}' -X DELETE "$u/notes/2")" 204
is "$(h2c -o out -w '%{http_code}' "$u/notes/2")" 404
is "$(h2c -o out -w '%{http_code}' -X PUT "$u/notes/1")" 405
is "$(h2c -o out -w '%{http_code}' "$u/nothing")" 404
stop
# The proxy before the notes: every method, the query, and a server behind it that is gone.
cp "$HERE"/../../examples/proxy.valk .
serve api 0
behind=$port
behind_pid=$server
serve proxy 0 "http://localhost:$behind"
u=http://localhost:$port
is "$(h2c -d 'three' "$u/notes?a=b")" '{"id":1,"text":"three"}'
is "$(h2c "$u/notes")" '[{"id":1,"text":"three"}]'
is "$(h2c -o out -w '%{http_code}' "$u/nothing")" 404
has "$(h2load -c 5 -m 10 -n 2000 "http://127.0.0.1:$port/notes")" "2000 done, 2000 succeeded, 0 failed, 0 errored"
kill -TERM "$behind_pid"
wait "$behind_pid"
is "$(h2c -o out -w '%{http_code}' "$u/notes")" 502
stop
