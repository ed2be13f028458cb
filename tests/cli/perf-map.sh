# `run --perf-map` names the functions compiled in memory, so that perf shows them.
cat >a.valk <<'E'
(fun {slow-one? n} {if (< n 2) {n} {+ (slow-one? (- n 1)) (slow-one? (- n 2))}})
(print (slow-one? 30))
E
[ -w /tmp ] || exit 0 # where perf looks
sh -c 'echo $$ >pid; exec "$@"' sh "$VALKC" run --perf-map a.valk >out 2>err </dev/null
is out 832040
map=/tmp/perf-$(cat pid).map
mv "$map" map || fail "no $map"
grep -qE '^[0-9a-f]+ [0-9a-f]+ f_slow_one_p_[0-9]+$' map || { cat map; fail "the map lacks the function"; }
awk '{ if (NF != 3 || $2 == "0") exit 1 }' map || { cat map; fail "a line that perf does not take"; }
# The program runs also where the file cannot be made; nothing is written unless asked for. The tree may be in /tmp itself.
tree=$(cd "$TREE" && pwd)
if unshare -rm mount --bind "$tree" /mnt 2>/dev/null && [ "${VALKC#"$tree"/}" != "$VALKC" ]; then
  run 0 unshare -rm sh -c 'mount --bind "$1" /mnt && mount -t tmpfs -o ro none /tmp && shift && exec "$@"' sh \
    "$tree" "/mnt/${VALKC#"$tree"/}" run --perf-map a.valk
  is out 832040
  has err "cannot write /tmp/perf-"
fi
sh -c 'echo $$ >pid; exec "$@"' sh "$VALKC" run a.valk >out 2>err </dev/null
[ ! -e "/tmp/perf-$(cat pid).map" ] || fail "a map that nobody asked for"
if command -v perf >/dev/null && perf record -q -o data -e cpu-clock true >/dev/null 2>&1; then
  sh -c 'echo $$ >pid; exec "$@"' sh perf record -q -o data -e cpu-clock "$VALKC" run --perf-map a.valk >out 2>err
  perf report -i data --stdio >report 2>/dev/null
  rm -f "/tmp/perf-$(perf script -i data -F pid 2>/dev/null | awk 'NR == 1 { print $1 }').map"
  has report f_slow_one_p_
  # An executable has names of its own.
  run 0 "$VALKC" build a.valk -o a
  perf record -q -o data -e cpu-clock ./a >out 2>err
  perf report -i data --stdio >report 2>/dev/null
  has report f_slow_one_p_
fi
