# Executables are cached by content; the cache stays below its limit.
echo '(print "one")' >a.valk
run 0 "$VALKC" --cc=gcc a.valk
[ "$(ls cache/valkc | wc -l)" = 1 ] || fail "not one file in the cache: $(ls cache/valkc)"
run 0 "$VALKC" --cc=gcc a.valk
is out one
run 0 "$VALKC" --cc=gcc -O1 a.valk
[ "$(ls cache/valkc | wc -l)" = 2 ] || fail "another level is not another file"
echo '(print "two")' >a.valk
run 0 "$VALKC" --cc=gcc a.valk
is out two
[ "$(ls cache/valkc | wc -l)" = 3 ] || fail "another text is not another file"
echo '(print "three")' >a.valk
VALKC_CACHE_MB=0 run 0 "$VALKC" --cc=gcc a.valk
is out three
[ "$(ls cache/valkc | wc -l)" = 1 ] || fail "the cache was not trimmed: $(ls cache/valkc)"
