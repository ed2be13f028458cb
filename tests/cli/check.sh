# `check` reports and makes nothing.
echo '(print 1)' >good.valk
run 0 "$VALKC" check good.valk
empty out
empty err
echo '(print (undefined-name))' >warn.valk
run 0 "$VALKC" check warn.valk
has err "warn.valk:1:"
has err "warning: "
printf '(print (\n' >bad.valk
run 1 "$VALKC" check bad.valk
has err "bad.valk:"
[ "$(ls)" = "$(printf 'bad.valk\nerr\ngood.valk\nout\nwarn.valk')" ] || fail "files were left: $(ls)"
