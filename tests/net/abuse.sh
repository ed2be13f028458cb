# Floods, slowness, garbage, very many connections: contained, and others are served meanwhile.
cat >server.valk <<'END'
(def {large} (make-string 62500 "0123456789abcdef"))
(def {respond} (\ {r} {if (== (req/path r) "/large") {large} {"Hello, World!"}}))
(def {options} {:host "127.0.0.1" :port 0 :max-connections 6000 :handshake-ms 1000 :headers-ms 1000})
(http2/listen options respond)
(http2/listen (join options (list :cert (fst (os/args)) :key (snd (os/args)))) respond)
END
ulimit -n "$(ulimit -Hn)"
LISTENERS=2
serve server "$CERT" "$KEY"
/usr/bin/python3 "$HERE/abuse.py" "$server" "$port" "$(echo "$ports" | cut -d ' ' -f 2)" "$CERT"
stop
