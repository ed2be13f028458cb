# Memory of a running program is writable or executable, never both.
echo '(print "ready") (sleep 20000)' >a.valk
"$VALKC" run a.valk >out 2>err &
program=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
  grep -q ready out && break
  sleep 0.1
done
cat /proc/$program/maps >maps
kill $program
has out ready
lacks maps wx
grep -q 'r-xp 00000000 00:00 0 *$' maps || { cat maps; fail "no code of the program"; }
