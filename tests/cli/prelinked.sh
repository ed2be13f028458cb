# Long programs and servers are linked with a runtime that was linked beforehand, unless what it was made of has changed.
build=$(basename "$(dirname "$VALKC")")
[ -s "$(dirname "$VALKC")/prelinked" ] || exit 0 # another compiler than the one it was made with
awk 'BEGIN {
  for (i = 0; i < 200; i++) {
    printf "(fun {f%d x} {if (> x 0) (str x (f%d (- x 1))) (print \"text %d\" x)})\n", i, (i * 7 + 3) % 200, i
    printf "(print (f%d %d) (try {head (list)} {e (error-message e)}))\n", i, i % 9
  }
  print "(fun {deep n} {+ 1 (deep (+ n 1))})"
  print "(deep 1)"
}' >long.valk
echo '(http2/listen "127.0.0.1" 0 (\ {r} {str (req/path r)}))' >server.valk
echo '(print 1)' >short.valk
# links WITH PROGRAM OPTION...: if WITH is not empty, it is linked with that
links() {
  with=$1 program=$2
  shift 2
  valkc build --no-cache --verbose -o "$program" "$@" "$program.valk" 2>commands
  if [ -n "$with" ]; then grep -q "/$with " commands || fail "$program: without $with"
  else ! grep -q '/base' commands || fail "$program: with it"; fi
}
make -s -C "$TREE" install BUILD="$build" PREFIX=/usr DESTDIR="$PWD/stage" >/dev/null
installed=$PWD/stage/usr/lib/valkc
PATH="$PWD/stage/usr/bin:$PATH"
links "" short
links base-net.o server
links base.o long
./long >out 2>err && exit 1
cp long with
# What it prints, and where its stack overflows, does not depend on it; nor does it get much larger.
links "" long --skip=prelink
./long >expected 2>expected.err && exit 1
cmp out expected
grep -c 'long.valk:401' err >/dev/null
cmp err expected.err
[ $(($(wc -c <with) * 100)) -le $(($(wc -c <long) * 105)) ] || fail "$(wc -c with long)"
valkc build --no-cache --size long.valk -o sized | grep -q 'librt\|libc' || fail "--size does not name archives"
for options in --no-pie --libc=musl --cc=clang; do
  [ $options != --cc=clang ] || command -v clang >/dev/null || continue
  [ $options != --libc=musl ] || [ -e "$installed/$(uname -m)-linux-musl/librt.a" ] || continue
  links "" long $options
done
# Another C library, or a newer runtime.
sed 's/^[0-9]* \(.*libc\.a\)$/1 \1/' "$installed/prelinked" >changed
cp "$installed/prelinked" kept
cp changed "$installed/prelinked"
links "" long
cp kept "$installed/prelinked"
links base.o long
cmp long with
touch -d '+1 hour' "$installed/librt.a"
links "" long
