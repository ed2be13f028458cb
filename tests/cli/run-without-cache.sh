# Without a place for the cache programs still run, and leave nothing behind.
echo '(print "one")' >a.valk
XDG_CACHE_HOME=/proc/none run 0 "$VALKC" --cc=gcc a.valk
is out one
(unset XDG_CACHE_HOME HOME; run 0 "$VALKC" --cc=gcc a.valk)
is out one
[ "$(ls)" = "$(printf 'a.valk\nerr\nout')" ] || fail "files were left: $(ls)"
