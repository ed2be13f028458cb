# functions.sh - what the command-line tests are written with.

fail() {
  echo "$*"
  exit 1
}

# run STATUS COMMAND...: the command must end so; its output is in ./out and ./err
run() {
  want=$1
  shift
  got=0
  "$@" >out 2>err </dev/null || got=$?
  [ "$got" = "$want" ] || {
    cat out err
    fail "exit status $got, expected $want: $*"
  }
}

# has FILE TEXT / lacks FILE TEXT / is FILE TEXT (the whole file, but the last newline)
has() { grep -qF -- "$2" "$1" || { cat "$1"; fail "$1 lacks: $2"; }; }
lacks() { ! grep -qF -- "$2" "$1" || { cat "$1"; fail "$1 has: $2"; }; }
is() { [ "$(cat "$1")" = "$2" ] || { cat "$1"; fail "$1 is not: $2"; }; }
empty() { [ ! -s "$1" ] || { cat "$1"; fail "$1 is not empty"; }; }

# program NAME: standard input becomes NAME
program() { cat >"$1"; }
