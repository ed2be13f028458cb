# An installed valkc finds its files beside itself, wherever the prefix is moved: also to a path
# with blanks, where nothing can be written, and used by somebody else.
build=$(basename "$(dirname "$VALKC")")
(umask 077 && make -s -C "$TREE" install BUILD="$build" PREFIX=/usr DESTDIR="$PWD/stage" >/dev/null)
closed=$(find stage ! -perm -004 -o -type d ! -perm -005)
[ -z "$closed" ] || fail "others cannot read: $closed"
mv stage/usr "moved to"
echo '(print (map (\ {x} {* x x}) {1 2 3}))' >a.valk
PATH="$PWD/moved to/bin:$PATH"
run 0 valkc build a.valk
run 0 ./a
is out "{1 4 9}"
run 0 valkc a.valk
is out "{1 4 9}"
# What it makes does not say where it is: the same bytes as from where it was built.
echo '(print (sort-by (\\ {x} {- x}) {1 3 2}) (try {map 1 {1}} {e (error-message e)}))' >same.valk
for options in "" "-O1 -g"; do
  # shellcheck disable=SC2086
  run 0 "$VALKC" build --no-cache $options same.valk -o here
  # shellcheck disable=SC2086
  run 0 valkc build --no-cache $options same.valk -o there
  cmp here there || fail "an installed valkc makes other bytes with options: $options"
done
"$VALKC" emit same.valk | grep -q '#line [0-9]* "std/' || fail "std is not named as in the tree"
if [ -e "moved to/lib/valkc/x86_64-linux-musl/librt.a" ] && [ "$(uname -m)" = x86_64 ]; then
  run 0 valkc build --libc=musl --no-cache a.valk -o small
  run 0 ./small
  is out "{1 4 9}"
fi
if [ -e "moved to/lib/valkc/aarch64-linux/librt.a" ]; then
  run 0 valkc build --target=aarch64-linux --no-cache a.valk -o arm
fi
for archive in "$(dirname "$VALKC")"/*-linux*/librt.a; do
  target=$(basename "$(dirname "$archive")")
  [ ! -e "$archive" ] || [ -e "moved to/lib/valkc/$target/librt.a" ] || fail "$target is not installed"
done
[ -e "moved to/lib/valkc/valk-gdb.py" ] || fail "the script for gdb is not installed"
# It is static: `run`, `--eval` and `repl` need nothing else, no /proc and no /tmp either.
if ! readelf -lW "$VALKC" | grep -q INTERP && unshare -r true 2>/dev/null; then
  mkdir empty
  cp -R "moved to" empty/valkc
  cp a.valk empty
  for how in run "run --eval"; do
    # shellcheck disable=SC2086
    run 0 unshare -r chroot empty /valkc/bin/valkc $how a.valk
    is out "{1 4 9}"
  done
  echo '(map (\ {x} {+ x 1}) {1 2})' | unshare -r chroot empty /valkc/bin/valkc repl >out
  is out "{2 3}"
  run 1 unshare -r chroot empty /valkc/bin/valkc build a.valk
  has err "no C compiler found"
  rm -r empty
fi
chmod -R a-w "moved to"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
  mkdir theirs
  cp a.valk theirs
  chown -R 65534:65534 theirs
  chmod a+rx . 2>/dev/null
  (
    cd theirs
    for command in "valkc build a.valk" "./a" "valkc a.valk" "valkc run --cc a.valk"; do
      # shellcheck disable=SC2086
      run 0 setpriv --reuid=65534 --regid=65534 --clear-groups env -u XDG_CACHE_HOME HOME="$PWD" TMPDIR="$PWD" $command
    done
    is out "{1 4 9}"
    # without a home, with a cache and a history that cannot be written
    for command in "build a.valk" "run a.valk" "run --cc a.valk" "run --eval a.valk"; do
      # shellcheck disable=SC2086
      run 0 setpriv --reuid=65534 --regid=65534 --clear-groups env -u XDG_CACHE_HOME -u HOME TMPDIR="$PWD" valkc $command
      # shellcheck disable=SC2086
      run 0 setpriv --reuid=65534 --regid=65534 --clear-groups env XDG_CACHE_HOME=/proc/none HOME=/proc/none TMPDIR="$PWD" valkc $command
    done
    is out "{1 4 9}"
    rm -f out err a
    [ "$(ls)" = a.valk ] || fail "files are left: $(ls)"
  ) || fail "somebody else cannot use it"
fi
chmod -R u+w "moved to"
make -s -C "$TREE" uninstall PREFIX=/ DESTDIR="$PWD/moved to" >/dev/null
left=$(find "moved to" ! -type d -o -name valkc)
[ -z "$left" ] || fail "uninstall left: $left"
