# Clients of others: a small exchange and 100 MB each way, by hash, in the clear and over TLS.
cat >server.valk <<'END'
(fun {respond r}
  {case (req/path r)
    {{"/echo"} (list :body (req/body r) :content-type "application/octet-stream")}
    {{"/large"} (make-string 6250000 "0123456789abcdef")}
    {otherwise (str "hello " (req/method r) " " (len (req/body r)))}})
(def {options} {:host "127.0.0.1" :port 0 :max-body 200000000 :max-body-total 1000000000})
(http2/listen options respond)
(http2/listen (join options (list :cert (fst (os/args)) :key (snd (os/args)))) respond)
END
LISTENERS=2
serve server "$CERT" "$KEY"
h2c_url=http://127.0.0.1:$port
tls_url=https://127.0.0.1:$(echo "$ports" | cut -d ' ' -f 2)
head -c 100000000 /dev/urandom >sent
hash() { sha256sum | cut -d ' ' -f 1; }
sent_hash=$(hash <sent)
large_hash=$(yes 0123456789abcdef | tr -d '\n' | head -c 100000000 | hash)

all_clients() { # all_clients URL
  url=$1
  case $url in https*) client=tls ;; *) client=h2c ;; esac
  is "$($client "$url/")" "hello GET 0"
  is "$($client --max-time 60 "$url/large" | hash)" "$large_hash"
  is "$($client --max-time 60 --data-binary @sent "$url/echo" | hash)" "$sent_hash"

  is "$(nghttp "$url/")" "hello GET 0"
  is "$(nghttp -w 20 -W 24 "$url/large" | hash)" "$large_hash"
  is "$(nghttp -w 20 -W 24 -d sent "$url/echo" | hash)" "$sent_hash"

  has "$(h2load -c 10 -m 20 -n 5000 "$url/")" "5000 done, 5000 succeeded, 0 failed, 0 errored"
  has "$(h2load -c 2 -m 2 -n 8 "$url/large")" "8 done, 8 succeeded, 0 failed, 0 errored"

  is "$(/usr/bin/python3 "$HERE/h2_client.py" "$url" "$CERT" GET /)" "200 hello GET 0"
  is "$(/usr/bin/python3 "$HERE/h2_client.py" "$url" "$CERT" GET /large hash)" "200 $large_hash"
  is "$(/usr/bin/python3 "$HERE/h2_client.py" "$url" "$CERT" POST /echo hash sent)" "200 $sent_hash"

  is "$(node "$HERE/node_client.js" "$url" "$CERT" GET /)" "200 hello GET 0"
  is "$(node "$HERE/node_client.js" "$url" "$CERT" GET /large hash)" "200 $large_hash"
  is "$(node "$HERE/node_client.js" "$url" "$CERT" POST /echo hash sent)" "200 $sent_hash"
}
# Both at once: the slower clients need a core each for seconds.
all_clients "$h2c_url" &
clear=$!
all_clients "$tls_url"
wait $clear || fail "in the clear"
stop
