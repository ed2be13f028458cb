# The tour of the README does what its comments say.
sed -n '/^## A tour/,/^## /p' "$TREE/README.md" | sed -n '/^```lisp/,/^```/p' | grep -v '^```' >tour.valk
[ "$(wc -l <tour.valk)" = 10 ] || fail "the tour is not ten lines"
run 0 "$VALKC" tour.valk
cat >expected <<'END'
hello 9999999999800000000001
{10 20 30}
42 [1 2.5 vector] #{:a 1}
done
Division By Zero
the 3
quick 5
brown 5
fox 3
END
diff expected out
