# Handlers that wait let others run; errors, overflows and slowness of one do not reach the others.
cat >server.valk <<'END'
(def {count} (atom 0))
(def {kept} (atom nil))
(def {work} (chan 10))
(fun {deeper n} {+ 1 (deeper n)})
(fun {handle r}
  {case (req/path r)
    {{"/sleep"} {do (sleep 100) (swap! count + 1) (str "slept " (req/stream-id r))}}
    {{"/future"} (spawn {do (sleep 10) "from a future"})}
    {{"/nested"} (spawn {do (sleep 10) (error "later")})}
    {{"/deep"} (str (deeper 1))}
    {{"/slow"} {do (sleep 60000) "never"}}
    {{"/keep"} {do (reset! kept r) "kept"}}
    {{"/kept"} (try (req/path (deref kept)) {e (str (error-kind e))})}
    {{"/put"} {do (send work (req/body r)) "put"}}
    {{"/take"} (recv work)}
    {otherwise (str (deref count))}})
(http2/listen {:port 0 :host "127.0.0.1" :handler-ms 1000 :max-waiting 300} handle)
END
serve server
u=http://127.0.0.1:$port
is "$(h2c "$u/")" 0
is "$(h2c "$u/sleep")" "slept 1"
is "$(h2c "$u/future")" "from a future"
is "$(h2c -o out -w '%{http_code}' "$u/nested")" 500
is "$(h2c -o out -w '%{http_code}' "$u/deep")" 500
has "$(cat server.log)" ":stack-overflow"
is "$(h2c "$u/keep")" kept
is "$(h2c "$u/kept")" :closed
# 250 at once take a tenth of a second together, not 25
time=$(h2load -c 5 -m 50 -n 1000 "$u/sleep" | tee out | sed -n 's/finished in \([0-9.]*\)\(m\{0,1\}s\),.*/\1 \2/p')
has "$(cat out)" "1000 done, 1000 succeeded"
case $time in *ms | [1-5].*) ;; *) fail "it took $time" ;; esac
is "$(h2c "$u/")" 1001
# more waiting handlers than allowed: 503 for the rest
has "$(h2load -c 10 -m 100 -n 1000 "$u/sleep" | grep 'status codes')" "5xx"
# a handler that waits for another one
h2c "$u/take" >taken &
taker=$!
h2c -d news "$u/put" >/dev/null
wait "$taker"
is "$(cat taken)" news
is "$(h2c -w '%{http_code}' "$u/slow")" 503
has "$(cat server.log)" "GET /slow: no answer within 1000 ms"
# clients that go away while handlers wait
for i in 1 2 3; do h2c --max-time 0.1 "$u/slow" 2>/dev/null && fail "answered"; done
is "$(h2c "$u/future")" "from a future"
stop
