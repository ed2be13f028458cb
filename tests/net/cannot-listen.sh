# What keeps a server from listening is an error value that says so.
cat >twice.valk <<'END'
(= {s} (http2/listen "127.0.0.1" 0 (\ {r} {"x"})))
(= {try-listen} (\ {& args} {print (error-message (%apply http2/listen args))}))
(fun {told e} {print (if (error? e) {error-message e} {"no error"})})
(told (http2/listen "127.0.0.1" (http2/server-port s) (\ {r} {"x"})))
(told (http2/listen "127.0.0.1" 0 "absent.pem" "absent.key" (\ {r} {"x"})))
(told (http2/listen "127.0.0.1" 0 "twice.valk" "twice.valk" (\ {r} {"x"})))
(told (http2/listen "192.0.2.1" 0 (\ {r} {"x"})))
(told (http2/listen "256.0.0.1 x" 0 (\ {r} {"x"})))
(told (http2/listen "127.0.0.1" 70000 (\ {r} {"x"})))
(told (http2/listen "127.0.0.1" 0 5))
(told (http2/listen {:port 0 :prot 1} (\ {r} {"x"})))
(told (http2/listen {:port 0 :max-body -1} (\ {r} {"x"})))
(told (http2/listen {:port 0 :cert "x"} (\ {r} {"x"})))
(told (http2/listen "127.0.0.1" 0 "cert" (\ {r} {"x"})))
(told (req/path 5))
(print s (== s s) (type s))
(http2/server-stop s)
END
sed -i '/try-listen/d' twice.valk
timeout 10 "$VALKC" run twice.valk >out 2>err || fail "status $?"
sed -e 's/:[0-9][0-9]*: address already/:PORT: address already/' out >got
cat >expected <<'END'
http2/listen: cannot listen on 127.0.0.1:PORT: address already in use
http2/listen: certificate absent.pem: No such file or directory
http2/listen: certificate twice.valk: no start line
http2/listen: cannot listen on 192.0.2.1:0: address not available
http2/listen: cannot listen on 256.0.0.1 x:0: unknown node or service
END
head -5 got | diff expected - || fail "unexpected messages"
sed -n '6,$p' got
has "$(cat got)" "<ref:server> 1 :handle"
is "$(grep -c 'no error' got)" 0
has "$(cat err)" "stopped 127.0.0.1"
