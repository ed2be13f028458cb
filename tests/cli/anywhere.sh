# An executable is all it needs: it runs where there is nothing else, neither files nor devices, and on
# kernels that lack what it uses if it is there.
cat >a.valk <<'E'
(fun {down n} {if (== n 0) {0} {+ 1 (down (- n 1))}})
(= {all} (map (\ {i} {spawn (down (* i 1000))}) (range 1 200)))
(print (foldl + 0 (map await all)) (len (str (map str (range 0 20000)))) (os/args))
E
as_here='19900000 108891 {x}'
libcs=glibc
[ ! -e "$(dirname "$VALKC")/$(uname -m)-linux-musl/librt.a" ] || libcs="glibc musl"
for libc in $libcs; do
  run 0 "$VALKC" build --libc=$libc a.valk -o a
  run 0 ./a x
  is out "$as_here"
  if unshare -r true 2>/dev/null; then
    mkdir -p empty
    cp a empty
    run 0 unshare -r chroot empty /a x
    is out "$as_here"
    rm -r empty
  fi
  command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null || continue
  for call in madvise rseq getrandom prlimit64 sched_getaffinity; do
    run 0 strace -qq -f -o calls -e "inject=$call:error=ENOSYS" ./a x
    is out "$as_here"
  done
done
# A server, too: with TLS, the hard case.
command -v curl >/dev/null && command -v openssl >/dev/null && unshare -r true 2>/dev/null || exit 0
run 0 "$VALKC" build "$TREE/examples/hello-server.valk" -o server
mkdir empty
cp server empty
openssl req -x509 -newkey rsa:2048 -nodes -keyout empty/key -out empty/cert -days 2 -subj /CN=localhost 2>/dev/null
unshare -r chroot empty /server 0 /cert /key >log 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || :' EXIT # it may have ended: that is no failure
tries=0
until grep -q 'listening on' log || [ $tries -ge 300 ]; do
  sleep 0.1
  tries=$((tries + 1))
done
port=$(sed -n 's|.*listening on .*:\([0-9]*\)$|\1|p' log)
run 0 curl -sk --http2 "https://localhost:$port/"
is out 'Hello, World!'
kill $server
