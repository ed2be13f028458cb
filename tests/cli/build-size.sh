# --size says what the executable is made of; the parts add up to the file.
echo '(print "hello" (/ 1.0 3))' >a.valk
for options in "" "--strip -O1"; do
  # shellcheck disable=SC2086
  run 0 "$VALKC" build --size $options a.valk -o p
  has out "p: $(wc -c <p) bytes"
  has out "  program "
  has out "  runtime "
  has out "    print.c "
  has out "  libc "
  sum=$(awk 'NR > 1 && /^  [^ ]/ && !/memory/ { sum += $(NF - 2) } END { print sum }' out)
  [ "$sum" = "$(wc -c <p)" ] || fail "the parts add up to $sum, the file has $(wc -c <p)"
done
run 0 ./p
