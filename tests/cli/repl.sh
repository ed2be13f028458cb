# `valkc repl` reads a script where there is no terminal: values, errors with caret and trace, commands.
export HOME=$PWD
repl() { # STATUS: standard input is entered
  want=$1
  shift
  got=0
  "$VALKC" repl "$@" >out 2>err || got=$?
  [ "$got" = "$want" ] || { cat out err; fail "exit status $got, expected $want"; }
}

repl 0 <<'END'
(+ 1 2)
(def {x} "a\n") x
; twice the number
(fun {double n}
  {* n 2})
(double 21) ; a comment

#| a block
comment |#
(list 1 "s" :k {a b})
nil
(fun {use n} {double n})
(fun {double n} {* n 10})
(use 2)
(macro {twice e} {`(do ,e ,e)})
(twice (print "hi"))
(match 5 {4 "four"} {_ "other"})
:none
END
is out '3
"a\n"
42
{1 "s" :k {a b}}
20
hi
hi
"other"
:none'
empty err

# Futures of evaluated functions are as deep as the session itself, fibers some thousand calls.
repl 0 <<'END'
(fun {deep n} {if (== n 0) {0} {+ 1 (deep (- n 1))}})
(await (future (deep 100000)))
(await (spawn {deep 2000}))
END
is out '100000
2000'
empty err

# What went wrong is reported where it stands; the session goes on; the status says so.
repl 1 <<'END'
(head 3)
(fun {f l} {+ 1 (head l)})
(f 7)
(let {a 1} {a b)
(unknown 1)
(if)
(+ 1 1)
END
is out 2
has err "$(printf '    1 | (head 3)\n      | ^~~~~~~~\n  at repl:1:1')"
has err '  at repl:2:17 in f'
has err 'repl:4:16: error: mismatched `)`'
has err 'Symbol `unknown` is not bound (:unbound)'
has err 'repl:6:1: error: '
printf '(foo' >in
repl 1 <in
has err 'unclosed'

# Endless recursion and a full heap end the evaluation, not the session.
VALK_HEAP_LIMIT=50m VALK_STACK_SIZE=16m repl 1 <<'END'
(fun {deep n} {+ 1 (deep n)})
(deep 1)
(try {deep 1} {e 5})
(fun {grow l} {grow (cons 1 l)})
(grow {})
(+ 1 1)
END
is out 2
has err ':stack-overflow'
has err ':out-of-memory'

# Fibers, and waiting for nothing.
repl 1 <<'END'
(fun {down n} {if (== n 0) {0} {+ 1 (down (- n 1))}})
(await (future (down 100)))
(pmap down {1 2 3})
(await (promise))
(+ 1 1)
END
is out '100
{1 2 3}
2'
has err ':deadlock'

# Commands.
echo '(fun {triple n} {* n 3})' >lib.valk
repl 1 lib.valk <<'END'
(triple 2)
:type (triple 2)
:type triple
:type "x"
:doc map
:doc head
:doc if
; what it is for
(fun {mine a b} {a})
:doc mine
:doc mpa
:time (triple 3)
:dump resolve (triple 4)
:dump nothing (triple 4)
:dump emit (triple 4)
:mem
:load lib.valk
:load none.valk
:reload
:help
:quit
(print "not reached")
END
has out ':int'
has out ':function of 1 argument'
has out '(map f l)'
has out 'the first element'
has out '(if condition then [else])'
has out "$(printf '(mine a b)\nwhat it is for\ndefined at repl:')"
has err 'did you mean `map`?'
has out "$(printf '9\n0.')"
has out '(call triple 4)'
has out 'int main('
has err ':dump needs a pass'
has out 'in blocks'
has err 'cannot read none.valk'
lacks out 'not reached'
[ ! -e .local ] || fail "a session without a terminal keeps no history"
repl 0 </dev/null
empty out

# Ten thousand entries: no slower and no larger at the end than at the start.
python3 - >in <<'END'
for i in range(10000):
    print([f"(fun {{f{i % 100} x}} {{+ x {i}}})", f"(f{i % 100 - 1} {i})", f"(def {{v}} (list {i} 1))",
           "(map (\\ {x} {* x x}) (range 0 10))", f"(let {{a {i} b 2}} {{+ a b}})"][i % 5])
    if i in (1000, 9999):
        print('(print "MARK" (time-us) (nth 2 (str/split (read-file "/proc/self/statm") " ")))')
END
repl 0 <in
python3 - <<'END'
import re
text = open("out").read()
marks = [(int(t), int(p)) for t, p in re.findall(r"MARK (\d+) (\d+)", text)]
times, pages = zip(*marks)
each = (times[1] - times[0]) / 9000
if each > 3000:
    raise SystemExit(f"{each} us an entry")
if pages[1] - pages[0] > 16 << 8:  # 16 MB
    raise SystemExit(f"{pages[0]} pages after 1000 entries, {pages[1]} after 10000")
END
