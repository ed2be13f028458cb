# A build that is interrupted says nothing, ends by the signal, and leaves neither files nor compilers.
cat >slow-compiler <<'E'
#!/bin/sh
case "$*" in *-o*) echo $$ >>"$PIDS"; exec sleep 100 ;; esac
E
chmod +x slow-compiler
mkdir temporary
export TMPDIR=$PWD/temporary PIDS=$PWD/pids
small=small.valk large=large.valk
echo '(print 1)' >$small
# long enough to be compiled in parts
i=0
while [ $i -lt 300 ]; do
  echo "(fun {f-$i x y} {if (> x y) {map (\\ {z} {str z x \"-\" y}) (range 0 (+ x $i))} {list (* x y) (str x) (sort-by (\\ {p} {- p}) (list y x))}})"
  echo "(print (f-$i (len (os/args)) $i))"
  i=$((i + 1))
done >$large
# interrupt SIGNAL COMMAND...: sent when a compiler runs; true if it ends the command
interrupt() {
  VALKC_CC=$PWD/slow-compiler XDG_CACHE_HOME=/proc/none python3 -c '
import signal, subprocess, sys, time
number = getattr(signal, "SIG" + sys.argv[1])
def usual():
  for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP): signal.signal(s, signal.SIG_DFL)
p = subprocess.Popen(sys.argv[2:], stdout=open("out", "w"), stderr=subprocess.STDOUT, preexec_fn=usual)
while p.poll() is None and not open("pids").read(): time.sleep(0.02)
p.send_signal(number)
sys.exit(p.wait() != -number)
' "$@"
}
no_compilers() {
  while read -r pid; do ! kill -0 "$pid" 2>/dev/null || fail "a compiler is left: $1"; done <pids
}
for program in $small $large; do
  for signal in INT TERM HUP; do
    for command in "build -o p" "build --size -o p" "build -o /dev/null" "run --cc" "explain --profile"; do
      : >pids
      # shellcheck disable=SC2086
      interrupt $signal "$VALKC" $command $program || { cat out; fail "it did not end by SIG$signal: $command $program"; }
      empty out
      [ -s pids ] || fail "no compiler was started: $command $program"
      [ -z "$(ls temporary)" ] || fail "files are left: $command: $(find temporary)"
      [ ! -e p ] || fail "an executable"
      no_compilers "$command"
    done
  done
done
# The runner of tests, too.
: >pids
interrupt TERM "$VALKC" test $small || true
[ -z "$(ls temporary)" ] || fail "files are left by the tests: $(find temporary)"
no_compilers test
