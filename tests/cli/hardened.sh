# Executables are position independent, with read-only relocations bound at start, and no memory is
# both writable and executable.
echo '(print (map (\ {x} {* x x}) {1 2 3}))' >a.valk
check() {
  [ "$(od -An -tu1 -j16 -N1 "$1" | tr -d ' ')" = 3 ] || fail "$1: not position independent"
  readelf -lW "$1" >headers
  grep -q GNU_RELRO headers || fail "$1: no read-only relocations"
  grep GNU_STACK headers | grep -q 'RW ' || fail "$1: an executable stack"
  ! grep -E 'LOAD|GNU_STACK' headers | grep -q 'RWE' || fail "$1: writable and executable memory"
  readelf -dW "$1" | grep -qE 'BIND_NOW|NOW' || fail "$1: not bound at start"
}
run 0 "$VALKC" build a.valk -o p
check p
archives=$(dirname "$VALKC")
for target in aarch64-linux x86_64-linux; do
  [ -e "$archives/$target/librt.a" ] || continue
  run 0 "$VALKC" build --target=$target a.valk -o q
  check q
done
# The runtime's functions with arrays on the stack check it: see SSP in the Makefile.
for library in librt libnet; do
  nm "$archives/$library.a" 2>/dev/null | grep -q __stack_chk_fail || fail "no stack protector in $library"
done
# valkc itself runs programs, too (one made with the checkers, or by `make STATIC=`, is another matter).
readelf -lW "$VALKC" | grep -q INTERP || check "$VALKC"
if [ -e "$archives/$(uname -m)-linux-musl/librt.a" ] && command -v strace >/dev/null; then
  run 0 "$VALKC" build --libc=musl a.valk -o small
  strace -e mprotect ./small 2>&1 | grep -q 'PROT_READ) = 0' || fail "musl: relocated data stays writable"
fi
if [ -r /proc/self/maps ]; then
  echo '(print (read-file "/proc/self/maps"))' >maps.valk
  run 0 "$VALKC" build maps.valk -o maps
  run 0 ./maps
  ! grep -E ' rwx' out || fail "a mapping that is writable and executable"
  run 0 "$VALKC" run maps.valk
  ! grep -E ' rwx' out || fail "valkc run: a mapping that is writable and executable"
fi
