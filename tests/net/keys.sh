# Certificates and keys of each kind and format, in TLS 1.3 and 1.2, with curl and with our client; tickets; keys
# that are encrypted. What OpenSSL needs for them is in net/crypto.c.
self_signed() { # self_signed NAME ALGORITHM [OPTION...]: NAME.pem, NAME.key (PKCS #8)
  name=$1
  shift
  openssl req -x509 -newkey "$@" -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -keyout "$name.key" -out "$name.pem" 2>/dev/null || fail "openssl req $*"
}
self_signed p256 ec -pkeyopt ec_paramgen_curve:P-256
self_signed p384 ec -pkeyopt ec_paramgen_curve:P-384 -sha384
self_signed p521 ec -pkeyopt ec_paramgen_curve:P-521 -sha512
self_signed rsa rsa:2048
self_signed pss rsa-pss -pkeyopt rsa_keygen_bits:2048
self_signed ed25519 ed25519
self_signed ed448 ed448
cp p256.pem sec1.pem
openssl ec -in p256.key -out sec1.key 2>/dev/null # BEGIN EC PRIVATE KEY
cp rsa.pem pkcs1.pem
openssl rsa -in rsa.key -traditional -out pkcs1.key 2>/dev/null # BEGIN RSA PRIVATE KEY
kinds="p256 p384 p521 rsa pss ed25519 ed448 sec1 pkcs1"
grep -q "BEGIN EC PRIVATE KEY" sec1.key || fail "sec1.key"
grep -q "BEGIN RSA PRIVATE KEY" pkcs1.key || fail "pkcs1.key"

cat >kinds.valk <<'END'
(fun {ask port cert} {http2/response-body (http/get (str "https://localhost:" port "/") (list :ca cert))})
(fun {try-kind name} {do
  (= {cert} (str name ".pem"))
  (= {server} (http2/listen "127.0.0.1" 0 cert (str name ".key") (\ {r} {str "by " name})))
  (print (ask (http2/server-port server) cert))})
(for {name (os/args)} (try-kind name))
END
LISTENERS=9
# shellcheck disable=SC2086
serve kinds $kinds
answered() { [ "$(grep -c "^by " kinds.out)" = 9 ]; }
within 20 answered
set -- $ports
for kind in $kinds; do
  for version in 1.3 1.2; do
    got=$(curl -sS --http2 --cacert "$kind.pem" "--tlsv$version" --tls-max "$version" --max-time 10 "https://localhost:$1/")
    is "$kind $version: $got" "$kind $version: by $kind"
  done
  grep -q "^by $kind\$" kinds.out || fail "our client: $kind"
  shift
done

# A client that comes back resumes.
for version in tls1_3 tls1_2; do
  talk() { (sleep 0.3; echo) | openssl s_client -connect "127.0.0.1:$port" -alpn h2 "-$version" "$@" 2>&1; }
  talk -sess_out session >/dev/null || true
  has "$(talk -sess_in session)" "Reused, "
done
stop

# An encrypted key needs somebody to ask; without a terminal the error says so, at once.
openssl pkcs8 -topk8 -in p256.key -out p256-encrypted.key -passout pass:secret
cat >encrypted.valk <<'END'
(http2/listen "127.0.0.1" 0 "p256.pem" "p256-encrypted.key" (\ {r} {""}))
END
"$VALKC" build encrypted.valk -o encrypted
setsid timeout 10 ./encrypted </dev/null 2>encrypted.log && fail "an encrypted key was taken"
has "$(cat encrypted.log)" "key p256-encrypted.key"
if command -v script >/dev/null; then
  typed() { grep -q "listening on" typed.log 2>/dev/null; }
  # what is typed before it asks is lost
  answer() {
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
      sleep 1
      typed && break
      echo secret
    done
    kill -KILL "$(cat pid)"
  }
  answer | timeout 30 script -fqc 'echo $$ >pid; exec ./encrypted' typed.log >/dev/null || true
  has "$(cat typed.log)" "listening on"
fi
