# The same server built for ARM64 answers under qemu, in the clear and over TLS, from fibers. With TLS
# and all it is one file of at most 6.2 MB.
archives=$(dirname "$VALKC")
[ "$(uname -m)" = x86_64 ] || skip "not an x86-64 machine"
[ -e "$archives/aarch64-linux/libnet.a" ] || skip "no runtime for ARM64: make targets"
command -v qemu-aarch64-static >/dev/null || skip "no qemu-aarch64-static"
example=$HERE/../../examples/hello-server.valk
"$VALKC" build --strip --target=aarch64-linux "$example" -o server 2>warnings
"$VALKC" build --strip "$example" -o native 2>warnings
for file in server native; do
  [ "$(wc -c <$file)" -le 6200000 ] || fail "$file has $(wc -c <$file) bytes"
done
# qemu takes half a second for a reservation of the size of this machine's memory
start() {
  : >server.log # of the run before, which would be taken for this one
  VALK_HEAP_LIMIT=1g qemu-aarch64-static ./server "$@" >server.out 2>server.log &
  server=$!
  servers="$servers $server"
  within 30 listens server
  port=$(sed -n 's|.*listening on .*:\([0-9]*\)$|\1|p' server.log)
}
start 0
is "$(curl -s --http2-prior-knowledge "http://localhost:$port/" -w ' %{http_version}')" 'Hello, World! 2'
stop
start 0 "$CERT" "$KEY"
is "$(curl -s --http2 --cacert "$CERT" "https://localhost:$port/" -w ' %{http_version}')" 'Hello, World! 2'
has "$(h2load -n 100 -c 4 -m 10 "https://127.0.0.1:$port/" 2>&1)" '100 succeeded'
stop
