# The same program gives the same bytes, wherever it is built and whatever it is called.
cat >a.valk <<'END'
(fun {twice f x} {f (f x)})
(print (twice (\ {x} {* x 2.5}) 3) "text" {a :b "c"})
END
mkdir one two
cp a.valk one
cp a.valk two
for options in "" --strip -g "-O1 -g"; do
  # shellcheck disable=SC2086
  (cd one && "$VALKC" build --no-cache $options a.valk -o p)
  # shellcheck disable=SC2086
  (cd two && TMPDIR=$PWD "$VALKC" build --no-cache $options a.valk -o other-name)
  cmp one/p two/other-name || fail "not the same bytes with options: $options"
done
! strings -a one/p | grep -F "$PWD" || fail "the directory is in the executable"
