# The client: answers, errors, time, many requests at once; TLS; peers that are not ours, or die.
"$VALKC" run "$HERE/client.valk" >got 2>client.log || fail "status $?"
diff "$HERE/client.out" got

# TLS: verified with the bundle given, the host's name compared.
cat >tls.valk <<'END'
(= {cert key} (fst (os/args)) (snd (os/args)))
(= {server} (http2/listen "0.0.0.0" 0 cert key (\ {r} {str (req/scheme r) " " (len (req/body r))})))
(= {port} (http2/server-port server))
(fun {url host} {str "https://" host ":" port "/"})
(fun {ask host options} {try {http2/response-body (http/get (url host) options)} {e (str (error-kind e) " " (str/replace (error-message e) (str port) "PORT"))}})
(print (ask "localhost" (list :ca cert)))
(print (ask "127.0.0.1" (list :ca cert)))
(print (ask "localhost" nil))
(print (ask "127.0.0.2" (list :ca cert)))
(print (ask "localhost" {:ca "/nowhere"}))
(print (http2/response-body (http/post (url "localhost") (make-string 50000 "0123456789") (list :ca cert))))
(print (try {http/get (str "http://127.0.0.1:" port "/")} {e (error-kind e)}))
(print (http2/response-status (await (http2/send (http2/request "GET" "/") (await (http2/connect "localhost" port cert))))))
(http2/server-stop server)
END
"$VALKC" run tls.valk "$CERT" "$KEY" >got 2>tls.log || fail "status $?"
diff - got <<'END'
https 0
https 0
:io cannot connect to localhost:PORT: its certificate is not valid: self-signed certificate
:io cannot connect to 127.0.0.2:PORT: its certificate is not valid: IP address mismatch
:io cannot connect to localhost: certificates /nowhere: No such file or directory
https 500000
:io
200
END

# The server is killed while we wait, and there is none afterwards.
cat >never.valk <<'END'
(http2/listen "127.0.0.1" 0 (\ {r} {sleep 100000}))
END
serve never
cat >waits.valk <<'END'
(= {url} (str "http://127.0.0.1:" (fst (os/args)) "/"))
(= {f} (spawn {http/get url}))
(sleep 100)
(print "waiting")
(print (try {await f} {e (str (error-kind e) " " (str/contains? (error-message e) "the connection was lost"))}))
(print (try {http/get url} {e (str (error-kind e) " " (str/contains? (error-message e) "connection refused"))}))
END
"$VALKC" run waits.valk "$port" >got &
client=$!
within 10 grep -q waiting got
kill -KILL "$server"
wait "$client" || fail "status $?"
is "$(tail -n 2 got)" ":io 1
:io 1"

# A server that is not ours, and 100 MB.
mkdir files
head -c 100000000 /dev/urandom >files/large
echo hello >files/small
other=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
nghttpd -d files "$other" --no-tls >nghttpd.log 2>&1 &
servers="$servers $!"
within 10 h2c "http://127.0.0.1:$other/small" -o /dev/null 2>/dev/null
cat >fetch.valk <<'END'
(= {base} (str "http://127.0.0.1:" (fst (os/args))))
(print (http2/response-body (http/get (str base "/small"))) (http2/response-status (http/get (str base "/absent"))))
(file/write "got-large" (http2/response-body (http/get (str base "/large"))))
END
"$VALKC" run fetch.valk "$other" >got
is "$(head -n 1 got)" hello
cmp files/large got-large
