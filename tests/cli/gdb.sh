# -g: gdb breaks on lines of the Valk file, shows Valk names, and with our script Valk values.
command -v gdb >/dev/null || exit 0
cat >a.valk <<'END'
(fun {show thing} {
  (= {text} (str "I am " thing))
  (print text)
  text})
(def {a-list} {1 -2.5 "three\n" four :five (6 7) {8}})
(show a-list)
(show (vec 1 2 3))
(show (vec 1.5 2.5))
(show (vec 1 "a"))
(show {1152921504606846976 -36893488147419103232})
(show 1e300)
(show show)
(def {m} (map/new))
(map/put! m :key "value")
(show m)
(show (atom 5))
(show (str "x" 1))
(fun {add-up? numbers total} {
  (if (nil? numbers)
    {total}
    {add-up? (tail numbers) (+ total (head numbers))})})
(print (add-up? {1 2 3} 0))
END
run 0 "$VALKC" build -O0 -g --skip=simplify a.valk -o a
script=$TREE/tools/valk-gdb.py
cat >script.gdb <<END
set pagination off
source $script
break a.valk:3
commands
silent
info args
info locals
continue
end
run
delete
valk-break add-up?
run
backtrace
info args
END
run 0 gdb -q -batch -x script.gdb ./a
cat out
has out '{1 -2.5 "three\n" four :five (6 7) {8}}'
has out '= [1 2 3]'
has out '= [1.5 2.5]'
has out '= [1 "a"]'
has out '= {1152921504606846976 -36893488147419103232}'
has out '= 1e+300'
has out '= <lambda show>'
has out '= <map :key "value">'
has out '= <atom 5>'
has out '"x1"'
has out "a.valk:19"
has out '#0  add-up?'
has out 'numbers'

# The library's sources are found: they are named as in valkc's tree, wherever that is.
cat >library.valk <<'END'
(print (sort-by (\ {x} {- x}) {1 3 2}))
END
run 0 "$VALKC" build -O0 -g --skip=simplify library.valk -o library
cat >library.gdb <<END
set pagination off
source $script
valk-break sort-by
run
list
END
run 0 gdb -q -batch -x library.gdb ./library
cat out
has out "std/sorting.valk"
has out '(fun {sort-by'
