# A server answers over TLS and in the clear, and many requests at once.
cat >hello.valk <<'END'
(def {hello} (\ {request} {"Hello, World!"}))
(http2/listen "127.0.0.1" 0 hello)
(http2/listen "127.0.0.1" 0 (fst (os/args)) (snd (os/args)) hello)
END
LISTENERS=2
serve hello "$CERT" "$KEY"
tls_port=$(echo "$ports" | cut -d ' ' -f 2)
is "$(h2c "http://127.0.0.1:$port/")" "Hello, World!"
is "$(tls "https://localhost:$tls_port/")" "Hello, World!"
has "$(tls -i "https://localhost:$tls_port/")" "content-type: text/plain; charset=utf-8"
has "$(tls -i "https://localhost:$tls_port/")" "content-length: 13"
has "$(tls -i "https://localhost:$tls_port/")" " GMT"
for url in "http://127.0.0.1:$port/" "https://127.0.0.1:$tls_port/"; do
  has "$(h2load -c 20 -m 10 -n 20000 "$url")" "20000 done, 20000 succeeded, 0 failed, 0 errored"
done
