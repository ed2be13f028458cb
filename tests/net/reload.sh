# SIGHUP: new connections get the new certificate, one that cannot be read changes nothing.
make_certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
    -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem 2>/dev/null
}
subject() {
  echo | openssl s_client -connect "127.0.0.1:$port" -alpn h2 2>/dev/null |
    openssl x509 -noout -subject | sed 's/.*= *//'
}
make_certificate first
cat >server.valk <<'END'
(http2/listen {:host "127.0.0.1" :port 0 :cert "cert.pem" :key "key.pem"} (\ {r} {"x"}))
END
serve server
is "$(subject)" first
make_certificate second
kill -HUP "$server"
reloaded() { grep -q "certificate reloaded" server.log; }
within 5 reloaded
is "$(subject)" second
echo nonsense >cert.pem
kill -HUP "$server"
complained() { grep -q "certificate not reloaded: certificate cert.pem: no start line" server.log; }
within 5 complained
is "$(subject)" second
stop
