# `explain` shows where each line's allocations live, and what forced the heap; --no-heap-in insists.
cat >app.valk <<'END'
(def {cache} (map/new))
(fun {remember k v} {map/put! cache k (list v v)})
(fun {shout s} {str/upper (str s "!")})
(fun {loud l} {map shout l})
(print (len (loud (list "a" "b"))))
(print (remember "k" (shout (read-file "app.valk"))))
END
run 0 "$VALKC" explain app.valk
has out "heap"
has out "1 | (def {cache} (map/new))"
has out "map/new: stored in global \`cache\`, line 1"
has out "list: given to \`map/put!\`, line 2"
has out "places that allocate"
if grep -q "$(printf '\033')" out; then fail "colour in a pipe"; fi
run 0 "$VALKC" explain --json app.valk
python3 - <<'END' || fail "the JSON is not right"
import json
d = json.load(open("out"))
heap = [s for s in d["sites"] if s["place"] == "heap"]
assert any("cache" in w["text"] for s in heap for w in s["why"]), heap
assert d["summary"]["heap"] == len(heap)
assert all(s["line"] >= 1 and s["file"] == "app.valk" for s in d["sites"])
END
run 0 "$VALKC" build --no-heap-in=loud -o app app.valk
run 1 "$VALKC" build --no-heap-in=remember -o app app.valk
has err "app.valk:2:"
has err "is on the heap, in \`remember\`"
has err "given to \`map/put!\`"
run 1 "$VALKC" build --no-heap-in=nobody -o app app.valk
has err "no function \`nobody\` is called"
cat >sums.valk <<'END'
(fun {squares n} {foldl + 0 (map (\ {x} {* x x}) (range 0 n))})
(print (squares (str->num "10")))
END
run 0 "$VALKC" build --no-heap-in=squares -o sums sums.valk
run 0 "$VALKC" build --skip=place -o plain app.valk
# Vectors and maps that die with the call, and all that is stored into them, by whatever function.
cat >request.valk <<'END_OF_PROGRAM'
(fun {add-pair m part n}
  {if (> n 3) {add-pair m part 3} {let {pair (str/split part "=")} {map/put! m (fst pair) (list (snd pair))}}})
(fun {parse query}
  {let {m (map/new) parts (str/split query "&")} {do (add-pair m (fst parts) 1) (add-pair m (snd parts) 2) m}})
(fun {rows n}
  {map (\ {i} {let {m (map/new)} {do (map/put! m "id" (list i)) (map/put! m "name" (str "row" i)) m}}) (range 0 n)})
(fun {walk t v} {if (list? t) {do (walk (head t) v) (for {x (tail t)} (walk x v))} {vec/push! v (str t "!")}})
(fun {handle query n}
  {let {m (parse query) v (vec) row (vec/make 2 nil)}
    {do (for {r (rows n)} (vec/push! v r))
        (walk (list n (list n n)) v)
        (vec/set! row 0 v)
        (vec/set! row 1 (list m (str n)))
        (len (str row m))}})
(print (handle "a=1&b=2" 3))
(fun {replaced v n} {loop {i 0} {if (< i n) {do (vec/set! v 0 (list i)) (recur (+ i 1))}}})
(fun {popped v n} {do (vec/push! v (list n)) (vec/pop! v)})
(fun {stacked n} {let {v (vec)} {do (loop {i 0} {if (< i n) {do (popped v i) (recur (+ i 1))}}) (len v)}})
(let {v (vec 1)} {do (replaced v 3) (print (stacked 3) v)})
END_OF_PROGRAM
run 0 "$VALKC" build --no-heap-in=handle -o request request.valk
run 0 ./request
has out 105
run 1 "$VALKC" build --no-heap-in=replaced -o request request.valk
has err "list is on the heap, in \`replaced\`"
has err "carried from one round to the next"
run 1 "$VALKC" build --no-heap-in=stacked -o request request.valk
has err "list is on the heap"
