#!/bin/bash
# Builds every kernel for every peer that is installed, runs them interleaved,
# checks each result against the C program's and prints tables.
#
#   ./run.sh [-n REPS] [-k "KERNELS"] [-s "SYSTEMS"] [-t]
#
# -t only prints the tables of what is already measured. Work files go to
# ${BENCH_DIR:-${TMPDIR:-/tmp}/peers-bench}; raw numbers to results.csv there.
# Times are CPU seconds (user + system) of the process, which a shared machine
# disturbs less than wall time.
cd "$(dirname "$0")" || exit 1
SRC=$PWD
VALKC=${VALKC:-../../build/valkc}
W=${BENCH_DIR:-${TMPDIR:-/tmp}/peers-bench}
mkdir -p "$W"
N=3
LIMIT=${LIMIT:-60}
K="empty fib tak nqueens sieve lists deriv bintrees mandel words evenodd"
S="c carena valk valkrun stalin stalins chez2 chez3 chez3t gsc gscu gscut chicken chicken5t guile racket rackett sbcl sbclt ocaml go luajit lua54 node"
ONLYTABLE=
while getopts n:k:s:t o; do
  case $o in
    n) N=$OPTARG ;; k) K=$OPTARG ;; s) S=$OPTARG ;; t) ONLYTABLE=1 ;; *) exit 2 ;;
  esac
done
CHEZ=$(command -v chezscheme || command -v chez || command -v scheme)
LUA54=$(command -v lua5.4 || command -v lua)

# the sources write i+ f+ ...; each variant says what these are
generic() {
  sed -e 's/(i->f /(exact->inexact /g' -e 's/(iquo /(quotient /g' -e 's/(irem /(remainder /g' \
      -e 's/(fsqrt /(sqrt /g' -e 's/(i\([-+*<>=]\) /(\1 /g' -e 's/(f\([-+*\/<>]\) /(\1 /g'
}
typed() { # $1 quotient $2 remainder $3 flonum prefix $4 int to float
  sed -e "s/(i->f /($4 /g" -e "s/(iquo /($1 /g" -e "s/(irem /($2 /g" \
      -e "s/(fsqrt /(${3}sqrt /g" -e 's/(i\([-+*<>=]\) /(fx\1 /g' -e "s/(f\([-+*\/<>]\) /($3\1 /g"
}
source_of() { # kernel, system family: prelude (hash tables) and program
  echo '(define (f->i x) (inexact->exact (truncate x)))'
  if [ "$1" = hashmap ]; then
    if [ -e "$1.$2.pre.scm" ]; then cat "$1.$2.pre.scm"; else cat "$1.pre.scm"; fi
  fi
  cat "$1.scm"
}
chez() { # kernel, system, level, filter...
  local k=$1 s=$2 l=$3; shift 3
  { echo '(import (chezscheme))'; source_of $k chez | "$@"; } > "$W/$k.$s.ss"
  echo "(optimize-level $l) (generate-inspector-information #f) (compile-program \"$W/$k.$s.ss\" \"$W/$k.$s.x\")" | "$CHEZ" -q
}
gambit() { # kernel, system, extra declarations, filter...
  local k=$1 s=$2 d=$3; shift 3
  { echo "(declare (standard-bindings) (extended-bindings) (block) $d)"; source_of $k gsc | "$@"; } > "$W/$k.$s.scm"
  gsc -o "$W/$k.$s.x" -exe "$W/$k.$s.scm"
}
chicken() { # kernel, system, level, filter...
  local k=$1 s=$2 l=$3; shift 3
  { echo "(import (chicken fixnum) (chicken flonum))"; source_of $k chicken | "$@"; } > "$W/$k.$s.scm"
  csc $l -block -d0 -o "$W/$k.$s.x" "$W/$k.$s.scm"
}
guile_() { # source, code; not every package has guild
  guile --no-auto-compile -c "(use-modules (system base compile))
    (compile-file \"$1\" #:output-file \"$2\" #:optimization-level 3)"
}
stalin_() { # kernel, system, flags
  source_of $1 stalin | generic > "$W/$1_$2.sc"
  (cd "$W" && rm -f "$1_$2" && timeout 200 stalin $3 -d -db -copt -O2 "$1_$2" && mv "$1_$2" "$1.$2.x")
}
racket_() { # kernel, system, declarations, filter...
  local k=$1 s=$2 d=$3; shift 3
  mkdir -p "$W/$k.$s.dir"
  { echo '#lang racket/base'
    echo "(require racket/fixnum racket/flonum racket/vector (rename-in racket/base [if rif]))"
    echo '(define-syntax if (syntax-rules () ((_ c a) (rif c a (void))) ((_ c a b) (rif c a b))))'
    echo "$d"; source_of $k racket | "$@"; } > "$W/$k.$s.dir/main.rkt"
  raco make "$W/$k.$s.dir/main.rkt" && cp "$W/$k.$s.dir/main.rkt" "$W/$k.$s.x"
}
sbcl_() { # kernel, system, features, compile-file options
  cat pre.lisp $1.lisp > "$W/$1.$2.lisp"
  sbcl --noinform --non-interactive --no-userinit --eval "(progn $3)" \
    --eval "(compile-file \"$W/$1.$2.lisp\" :output-file \"$W/$1.$2.fasl\" $4)" && mv "$W/$1.$2.fasl" "$W/$1.$2.x"
}
build() { # kernel system
  local k=$1 s=$2
  case $s in
    c) gcc -O2 -o "$W/$k.$s.x" ../kernels/$k.c -lm ;;
    carena) grep -q ARENA ../kernels/$k.c && gcc -O2 -DARENA -o "$W/$k.$s.x" ../kernels/$k.c -lm ;;
    valk) "$VALKC" build -O2 -o "$W/$k.$s.x" ../kernels/$k.valk ;;
    valkrun) cp ../kernels/$k.valk "$W/$k.$s.x" ;;
    stalin) stalin_ $k $s "-On -Ob -Om -Or -Ot" ;;
    stalins) stalin_ $k $s "-On" ;;
    chez2) chez $k $s 2 generic ;;
    chez3) chez $k $s 3 generic ;;
    chez3t) chez $k $s 3 typed fxquotient fxremainder fl fixnum-\>flonum ;;
    gsc) gambit $k $s "" generic ;;
    gscu) gambit $k $s "(not safe)" generic ;;
    gscut) gambit $k $s "(not safe)" typed fxquotient fxremainder fl fixnum-\>flonum ;;
    chicken) chicken $k $s -O3 generic ;;
    chicken5t) chicken $k $s -O5 typed fx\\/ fxrem fp exact-\>inexact ;;
    guile) source_of $k guile | generic > "$W/$k.$s.scm"; guile_ "$W/$k.$s.scm" "$W/$k.$s.x" ;;
    racket) racket_ $k $s "" generic ;;
    rackett) racket_ $k $s "(#%declare #:unsafe)" typed fxquotient fxremainder fl fx-\>fl ;;
    sbcl) sbcl_ $k $s "" ":block-compile nil" ;;
    sbclt) sbcl_ $k $s "(push :typed *features*)" ":block-compile t" ;;
    ocaml) cp $k.ml "$W/$k.ml" && (cd "$W" && ocamlopt -o "$k.$s.x" $k.ml) ;;
    go) if [ $k = empty ]; then GO111MODULE=off go build -o "$W/$k.$s.x" $k.go
        else GO111MODULE=off go build -o "$W/$k.$s.x" pre.go $k.go; fi ;;
    luajit|lua54) cp $k.lua "$W/$k.$s.x" ;;
    node) cp $k.js "$W/$k.$s.x" ;;
  esac
}
command_of() { # kernel system
  local f="$W/$1.$2.x"
  case $2 in
    chez*) echo "$CHEZ --program $f" ;;
    valkrun) echo "$VALKC run $f" ;;
    guile) echo "guile --no-auto-compile -c (load-compiled\"$f\")" ;;
    racket|rackett) echo "racket $W/$1.$2.dir/main.rkt" ;;
    sbcl|sbclt) echo "sbcl --noinform --dynamic-space-size 4GB --script $f" ;;
    luajit) echo "luajit $f" ;;
    lua54) echo "$LUA54 $f" ;;
    node) echo "node --stack-size=3900 $f" ;;
    *) echo "$f" ;;
  esac
}
have() {
  case $1 in
    c|carena) true ;; valk*) [ -x "$VALKC" ] ;; stalin*) command -v stalin ;; chez*) [ -n "$CHEZ" ] ;; gsc*) command -v gsc ;;
    chicken*) command -v csc ;; guile) command -v guile ;; racket*) command -v raco ;;
    sbcl*) command -v sbcl ;; ocaml) command -v ocamlopt ;; go) command -v go ;;
    luajit) command -v luajit ;; lua54) [ -n "$LUA54" ] ;; node) command -v node ;;
  esac > /dev/null
}
source_file() { # kernel system
  case $2 in
    c|carena) echo ../kernels/$1.c ;; valk*) echo ../kernels/$1.valk ;; sbcl*) echo $1.lisp ;;
    ocaml) echo $1.ml ;; go) echo $1.go ;; luajit|lua54) echo $1.lua ;; node) echo $1.js ;;
    *) echo $1.scm ;;
  esac
}
R=$W/results.csv
if [ -z "$ONLYTABLE" ]; then
  gcc -O2 -o "$W/meas" ../meas.c || exit 1
  for k in $K; do for s in $S; do
    have $s && [ -e $(source_file $k $s) ] || continue
    # rebuilt only when a source is newer
    if [ -e "$W/$k.$s.x" ] && [ -z "$(find "$SRC" ../kernels -newer "$W/$k.$s.x" \( -name "$k.*" -o -name 'pre.*' \) | head -1)" ]; then continue; fi
    rm -f "$W/$k.$s.x"
    build $k $s > "$W/log.$k.$s" 2>&1
    [ -e "$W/$k.$s.x" ] || { [ $s = carena ] || echo "no build: $k $s (see log.$k.$s)"; }
  done; done
  for k in $K; do [ -e "$W/$k.c.x" ] && "$W/$k.c.x" > "$W/want.$k"; done
  for r in $(seq $N); do for k in $K; do for s in $S; do
    [ -e "$W/$k.$s.x" ] && have $s || continue
    m=$("$W/meas" $LIMIT "$W/out.$k.$s" $(command_of $k $s) < /dev/null)
    st=${m##* }
    if [ $st != 0 ]; then st=failed:$st; elif cmp -s "$W/out.$k.$s" "$W/want.$k"; then st=ok
    elif [ $k = nbody ] && awk 'NR==FNR{a=$1;next}{d=a-$1; exit !(d*d<10000)}' "$W/want.$k" "$W/out.$k.$s"; then st=ok
    else st=wrong; fi
    echo "$k,$s,$(echo ${m% *} | tr ' ' ,),$st" >> "$R"
  done; done; done
fi
python3 table.py "$R" "$K" "$S"
