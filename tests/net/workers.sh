# A server of several workers: each an isolate with its own globals, all on one port, all ending together.
cat >server.valk <<'END'
(def {count} (atom 0))
(def {greeting} "hello")
(def {prefix} "from ")
(= {handler} (let {extra {1 2 3}} (\ {r} {str greeting " " prefix (swap! count + 1) " " extra})))
(http2/listen {:port 0 :host "127.0.0.1" :workers 3} handler)
END
for strategy in reuseport shared auto; do
  serve server --strategy $strategy
  has "$(cat server.log)" "3 workers listening on http://127.0.0.1:$port"
  u=http://127.0.0.1:$port
  has "$(h2c "$u/")" "hello from 1 {1 2 3}"
  has "$(h2load -c 30 -m 10 -n 3000 "$u/")" "3000 done, 3000 succeeded"
  stop
  has "$(cat server.log)" "stopped 127.0.0.1:$port after 3001 requests"
done
serve server --workers=2
has "$(cat server.log)" "2 workers listening"
# 40 connections, of which both workers get some: their counters stay below what one would count
h2load -c 40 -m 1 -n 4000 "http://127.0.0.1:$port/" >out
most=$(for i in 1 2 3 4 5 6 7 8; do h2c "http://127.0.0.1:$port/" | cut -d ' ' -f 3; done | sort -n | tail -1)
[ "$most" -lt 3990 ] || fail "one worker answered everything: $most"
stop
# what cannot be copied is said at once; the command line is checked
cat >atom.valk <<'END'
(= {handler} (let {a (atom 0)} (\ {r} {str (swap! a + 1)})))
(print (error-message (http2/listen {:port 0 :workers 2} handler)))
END
timeout 10 "$VALKC" run atom.valk >out 2>err || fail "status $?"
has "$(cat out)" "atom"
status=0
"$VALKC" run server.valk --workers 0 2>err || status=$?
is $status 2
is "$(cat err)" "--workers 0: expected a number from 1 to 256"
cat >args.valk <<'END'
(print (os/args))
(http2/server-stop (http2/listen "127.0.0.1" 0 (\ {r} {"x"})))
END
is "$("$VALKC" run args.valk 2>err a --workers 3 b --strategy=auto -- --workers c)" '{a b -- --workers c}'
