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
printf '(fun {f x} {sum x})\n(fun {sum l} {len l})\n(print (f {1 2}) (sum {1 2}))\n' >early.valk
run 0 "$VALKC" check early.valk
has err "early.valk:1:13: warning: \`sum\` is the library's here"
has err "early.valk:2:7: note: it is defined here"
rm early.valk
[ "$(ls)" = "$(printf 'bad.valk\nerr\ngood.valk\nout\nwarn.valk')" ] || fail "files were left: $(ls)"
