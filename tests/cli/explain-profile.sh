# `explain --profile` runs the program and says how many bytes each line allocated, and where.
cat >app.valk <<'END'
(def {kept} (atom nil))
(fun {keep n} {reset! kept (cons n (deref kept))})
(fun {total n} {foldl + 0 (map (\ {x} {* x x}) (reverse (range 0 n)))})
(for {i (range 0 1000)} (keep i))
(print (os/args) (total 1000))
(fun {big n} {let {l (map list (range 0 n))} {(print (len l) (len (reverse l)))}})
(big (len (str/repeat "x" 200000)))
END
run 0 "$VALKC" explain --profile app.valk -- one "two 2"
has err 'one'
has err 'two 2'
has err '332833500'
has out "16.0 KB heap                       2 | "
has out "cons: given to \`reset!\`, line 2, by \`keep\`; 16.0 KB"
has out "Bytes allocated by this run"
has out "of it on the heap, as scratch was full"
run 0 "$VALKC" explain --profile --json app.valk
python3 - <<'END' || fail "the JSON is not right"
import json
d = json.load(open("out"))
def of(line): return [s for s in d["sites"] if s["line"] == line]
assert [(s["heap_bytes"], s["count"]) for s in of(2)] == [(16000, 1000)], of(2)
assert sum(s["scratch_bytes"] for s in of(3)) >= 2 * 16000 and not any(s["heap_bytes"] for s in of(3)), of(3)
heap = sum(s["heap_bytes"] for s in d["sites"])
assert heap == d["bytes"]["heap"] + d["bytes"]["fallen"], d["bytes"]
assert d["bytes"]["fallen"] > 200000 * 3 * 16 - (4 << 20), d["bytes"]
END
cat >wrong.valk <<'END'
(print (list 1 2) (nth 5 (list 1)))
END
run 0 "$VALKC" explain --profile wrong.valk
has err "Error"
has out "places that allocate"
