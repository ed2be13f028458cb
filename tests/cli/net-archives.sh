# tools/net-archives brings what the distribution's archives are into the form that everything is linked with.
object() { # object ARCHIVE TEXT
  echo "$2" | gcc -c -x c - -o part.o
  ar rcs "$1" part.o
  rm part.o
}
mkdir usual other made
object usual/libuv_a.a 'int uv(void) { return 1; }'
object usual/libcrypto.a 'int crypto(void) { return 2; }'
run 0 "$TREE/tools/net-archives" made usual/
[ -z "$(ls made)" ] || fail "made where nothing is needed: $(ls made)"
# Another name, and a library that wants two more.
object other/libuv.a 'int uv(void) { return 1; }'
object other/libcrypto.a 'int ZSTD_compress(void), deflate(void); int crypto(void) { return ZSTD_compress() + deflate(); }'
object other/libzstd.a 'int ZSTD_compress(void) { return 1; }'
run 1 "$TREE/tools/net-archives" made other/
has err "libcrypto.a wants libz.a"
object other/libz.a 'int deflate(void) { return 1; }'
run 0 "$TREE/tools/net-archives" made other/
[ "$(ls made | tr '\n' ' ')" = "libcrypto.a libuv_a.a " ] || fail "made: $(ls made)"
echo 'int uv(void), crypto(void); int main(void) { return uv() + crypto() == 3 ? 7 : 1; }' | gcc -x c - -x none -o program made/libcrypto.a made/libuv_a.a
run 7 ./program
rm other/libuv.a
run 1 "$TREE/tools/net-archives" made other/
has err "neither libuv_a.a nor libuv.a"
