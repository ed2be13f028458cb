# The default output is static, position independent, and small.
echo '(print "hello")' >hello.valk
run 0 "$VALKC" build hello.valk -o hello --strip
size=$(wc -c <hello)
[ "$size" -le 921600 ] || fail "hello is $size bytes, more than 900 KB"
! readelf -lW hello | grep -q INTERP || fail "hello wants a dynamic loader"
# ET_DYN is 3 in the byte at 16: a static-pie is one, a fixed-address executable is not
[ "$(od -An -tu1 -j16 -N1 hello | tr -d ' ')" = 3 ] || fail "hello is not position independent"
run 0 "$VALKC" build hello.valk -o fixed --no-pie
[ "$(od -An -tu1 -j16 -N1 fixed | tr -d ' ')" = 2 ] || fail "--no-pie is position independent"
run 0 ./fixed
is out hello
