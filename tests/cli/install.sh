# An installed valkc finds its files beside itself, wherever the prefix is moved.
make -s -C "$TREE" install PREFIX=/usr DESTDIR="$PWD/stage" >/dev/null
mv stage/usr moved
echo '(print (map (\ {x} {* x x}) {1 2 3}))' >a.valk
PATH=$PWD/moved/bin:$PATH
run 0 valkc build a.valk
run 0 ./a
is out "{1 4 9}"
run 0 valkc a.valk
is out "{1 4 9}"
make -s -C "$TREE" uninstall PREFIX=/ DESTDIR="$PWD/moved" >/dev/null
[ ! -e moved/bin/valkc ] && [ ! -e moved/lib/valkc ] || fail "uninstall left files"
