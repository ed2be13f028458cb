# What a handler sees of a request, and what becomes of what it gives.
serve echo
u=http://127.0.0.1:$port
is "$(h2c -H 'X-Test: one' -H 'X-Test: two' "$u/a/b?c=d&e")" \
  "GET /a/b c=d&e 127.0.0.1:$port http one, two () 0 1"
is "$(h2c -X PUT -d 12345 "$u/x")" "PUT /x () 127.0.0.1:$port http () () 5 1"
is "$(h2c "$u/plain")" text
is "$(h2c -w '%{http_code}' "$u/empty")" 200
is "$(h2c -w '%{http_code}' "$u/status")" made201
has "$(h2c -i "$u/status")" "x-upper: A b"
case $(h2c -i "$u/status") in *close*) fail "connection: close was sent" ;; esac
is "$(h2c -w '%{http_code}' "$u/gone")" 410
is "$(h2c -w '%{http_code}' "$u/none")" 204
for path in error number bad-name bad-value bad-status; do is "$(h2c -w '%{http_code}' "$u/$path")" 500; done
has "$(cat echo.log)" "GET /error: Error: a secret"
has "$(cat echo.log)" "GET /number: a response is a string or a list of keywords and values, not: 42"
has "$(cat echo.log)" 'not the name of a field: "a b"'
cat >logged.valk <<'END'
(http2/listen {:host "127.0.0.1" :port 0 :access-log 1} (\ {r} {"hello"}))
END
serve logged
is "$(h2c "http://127.0.0.1:$port/path?q")" hello
grep -q "^valk: http2: GET /path?q 200 5 [0-9]*ms$" logged.log || fail "$(cat logged.log)"
stop
has "$(h2c -I "$u/large?1000")" "content-length: 16000"
is "$(h2c -I "$u/large?1000" | grep -c 0123456789)" 0
