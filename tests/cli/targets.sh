# --target and --libc make executables for others; what cannot be is said clearly.
echo '(print (/ 1.0 3) (* 123456789012345678901234567890 98765432109876543210))' >a.valk
run 0 "$VALKC" build a.valk -o here
run 0 ./here
cp out expected
archives=$(dirname "$VALKC")
if [ -e "$archives/$(uname -m)-linux-musl/librt.a" ]; then
  run 0 "$VALKC" build --libc=musl a.valk -o small
  run 0 ./small
  cmp out expected || fail "musl prints something else"
  ! readelf -lW small | grep -q INTERP || fail "with musl it wants a dynamic loader"
  echo '(print "hello")' >hello.valk
  run 0 "$VALKC" build --libc=musl --strip hello.valk -o hello
  size=$(wc -c <hello)
  [ "$size" -le 153600 ] || fail "hello with musl is $size bytes, more than 150 KB"
  # no networking there, which is said before the linker misses it
  echo '(http2/listen "localhost" 0 (\ {r} {"x"}))' >net.valk
  run 1 "$VALKC" build --libc=musl net.valk
  has err "net.valk: it uses \`http2/listen\`: there is no networking with --libc=musl"
  [ ! -e net ] || fail "an executable all the same"
fi
if [ -e "$archives/aarch64-linux/librt.a" ] && command -v qemu-aarch64-static >/dev/null; then
  run 0 "$VALKC" build --target=aarch64-linux a.valk -o arm
  [ "$(od -An -tu2 -j18 -N2 arm | tr -d ' ')" = 183 ] || fail "not for ARM64"
  run 0 qemu-aarch64-static ./arm
  cmp out expected || fail "ARM64 prints something else"
  # valkc itself is made for ARM64, too
  run 0 qemu-aarch64-static "$archives/aarch64-linux/valkc" run a.valk
  cmp out expected || fail "valkc for ARM64 prints something else"
  run 0 qemu-aarch64-static "$archives/aarch64-linux/valkc" run --eval a.valk
  cmp out expected || fail "the evaluator for ARM64 prints something else"
  # and builds, there and for here: the same bytes as from here
  mkdir -p v/bin v/lib/valkc/x86_64-linux bin
  cp "$archives/aarch64-linux/valkc" v/bin
  ln -s "$TREE/rt" v/lib/valkc/include
  ln -s "$TREE/std" v/lib/valkc/std
  ln -s "$archives"/aarch64-linux/*.a v/lib/valkc
  ln -s "$archives/librt.a" v/lib/valkc/x86_64-linux
  printf '#!/bin/sh\nexec aarch64-linux-gnu-gcc "$@"\n' >bin/gcc
  chmod +x bin/gcc
  PATH=$PWD/bin:$PATH run 0 qemu-aarch64-static v/bin/valkc build a.valk -o arm.there
  cmp arm arm.there || fail "valkc for ARM64 makes other bytes for ARM64"
  if command -v x86_64-linux-gnu-gcc >/dev/null; then
    run 0 qemu-aarch64-static v/bin/valkc build --target=x86_64-linux a.valk -o here.there
    cmp here here.there || fail "valkc for ARM64 makes other bytes for x86-64"
  fi
  # running out of stack is explained there as well
  echo '(fun {down n} {+ 1 (down (+ n 1))}) (print (down 0))' >deep.valk
  run 0 "$VALKC" build --target=aarch64-linux deep.valk -o deep
  VALK_STACK_SIZE=8m run 1 qemu-aarch64-static ./deep
  has err stack-overflow
  has err "in down"
fi
run 1 "$VALKC" build --target=vax-bsd a.valk
has err "no target \`vax-bsd\`"
has err aarch64-linux
run 1 "$VALKC" build --libc=newlib a.valk
has err "there are: glibc musl"
run 1 "$VALKC" build --libc=musl --sanitize a.valk
has err "not supported yet"
run 2 "$VALKC" run --target=vax-bsd a.valk
mkdir empty
if [ "$(uname -m)" = x86_64 ]; then
  PATH=$PWD/empty run 1 "$VALKC" build --target=aarch64-linux a.valk
  has err "apt-get install gcc-aarch64-linux-gnu"
fi
# A runtime that was not made.
mkdir -p alone/bin alone/lib/valkc
cp "$VALKC" alone/bin
ln -s "$TREE/rt" alone/lib/valkc/include
ln -s "$TREE/std" alone/lib/valkc/std
run 1 alone/bin/valkc build --libc=musl a.valk
has err "make targets TARGETS=$(uname -m)-linux-musl"
