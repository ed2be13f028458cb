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
