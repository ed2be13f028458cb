# functions.sh - what the tests of servers use (see run).

fail() {
  echo "failed: $*"
  exit 1
}

skip() { # skip REASON
  echo "$*"
  exit 77
}

is() { # is GOT EXPECTED
  [ "$1" = "$2" ] || fail "expected '$2', got '$1'"
}

has() { # has TEXT PART
  case $1 in *"$2"*) ;; *) fail "'$2' is not in: $1" ;; esac
}

servers=
stop_servers() {
  for pid in $servers; do kill -KILL "$pid" 2>/dev/null || true; done
}
trap stop_servers EXIT

# within SECONDS COMMAND...: repeats it until it succeeds
within() {
  tries=$(($1 * 50))
  shift
  while [ $tries -gt 0 ]; do
    "$@" && return 0
    sleep 0.02
    tries=$((tries - 1))
  done
  fail "not within the time: $*"
}

listens() { [ "$(grep -c "listening on" "$1.log")" -ge "$LISTENERS" ] || ! kill -0 "$server" 2>/dev/null; }

# Without it the checker sleeps for a second at the end of a program with threads.
export TSAN_OPTIONS=exitcode=66:atexit_sleep_ms=0

# serve NAME [ARGUMENT...]: runs NAME.valk, written here or beside this file, which listens $LISTENERS times;
# its ports are in $port (the first) and $ports, its process in $server, what it writes in NAME.log. CHECKED=--sanitize
# or --sanitize-threads in the environment: built with the checkers; the latter's want addresses that are not random.
LISTENERS=1
serve() {
  name=$1
  shift
  file=$name.valk
  [ -e "$file" ] || file=$HERE/$name.valk
  : >"$name.log" # of an earlier run, which would be taken for this one's
  if [ -n "${CHECKED:-}" ]; then
    "$VALKC" build "$CHECKED" "$file" -o "$name.checked"
    $PREFIX setarch -R "./$name.checked" "$@" 2>"$name.log" >"$name.out" &
  else
    $PREFIX "$VALKC" run "$file" "$@" 2>"$name.log" >"$name.out" &
  fi
  server=$!
  servers="$servers $server"
  within 10 listens "$name"
  ports=$(sed -n 's|.*listening on .*:\([0-9]*\)$|\1|p' "$name.log" | tr '\n' ' ')
  port=${ports%% *}
  [ -n "$port" ] || fail "it does not listen: $(cat "$name.log")"
}
PREFIX=

# stop: SIGTERM, and the exit status must be 0
stop() {
  kill -TERM "$server"
  wait "$server" || fail "the server ended with status $?: $(cat ./*.log)"
}

h2c() { curl -sS --http2-prior-knowledge --max-time 10 "$@"; }
tls() { curl -sS --http2 --cacert "$CERT" --max-time 10 "$@"; }
