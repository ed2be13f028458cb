# RFC 9113 and 7541 case by case, in the clear and over TLS.
cat >hello.valk <<'END'
(def {hello} (\ {request} {"Hello, World!"}))
(http2/listen "127.0.0.1" 0 hello)
(http2/listen "127.0.0.1" 0 (fst (os/args)) (snd (os/args)) hello)
END
LISTENERS=2
serve hello "$CERT" "$KEY"
/usr/bin/python3 "$HERE/conformance.py" "$port"
/usr/bin/python3 "$HERE/conformance.py" "$(echo "$ports" | cut -d ' ' -f 2)" "$CERT"
stop
