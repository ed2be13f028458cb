# An unchanged program is taken from the cache; any change of text or options is noticed.
echo '(print "one")' >a.valk
run 0 "$VALKC" build --verbose a.valk -o p
lacks err "from the cache"
cp p first
run 0 "$VALKC" build --verbose a.valk -o q
has err "from the cache"
cmp first q || fail "the cached executable differs"
run 0 ./q
is out one
rm -f q
run 0 "$VALKC" build --verbose --strip a.valk -o q
lacks err "from the cache"
run 0 "$VALKC" build --verbose --no-cache a.valk -o q
lacks err "from the cache"
echo '(print "two")' >a.valk
run 0 "$VALKC" build --verbose a.valk -o q
lacks err "from the cache"
run 0 ./q
is out two
[ "$(grep -c . out)" = 1 ] || fail "more output than its own"
run 0 "$VALKC" build --verbose a.valk -o q
has err "unchanged, from the cache"
lacks err expand
# What the program loads counts, too.
echo '(def {word} "three")' >part.valk
echo '(load "part.valk") (print word)' >a.valk
run 0 "$VALKC" build a.valk -o q
echo '(def {word} "four")' >part.valk
run 0 "$VALKC" build a.valk -o q
run 0 ./q
is out four
# Warnings are given again, mistakes never hidden.
echo '(print (unknown-name))' >a.valk
run 0 "$VALKC" build a.valk -o q
run 0 "$VALKC" build a.valk -o q
has err unknown-name
# A file changed by hand in the output's place does not change the cache.
echo '(print "one")' >a.valk
run 0 "$VALKC" build a.valk -o q
: >q
run 0 "$VALKC" build a.valk -o q
run 0 ./q
is out one
# No cache to be had: no harm.
XDG_CACHE_HOME=/dev/null/none HOME=/dev/null/none run 0 "$VALKC" build a.valk -o q
run 0 ./q
is out one
# A damaged entry has to go by hand; --no-cache goes around it.
run 0 "$VALKC" build --no-cache a.valk -o q
run 0 ./q
