# What was made of calls, and what loops still check.
cat >a.valk <<'V'
(fun {total v} {loop {i 0 s 0} {if (< i (vec/len v)) {recur (+ i 1) (+ 1 (* s (vec/get v i)))} s}})
(fun {twice f x} {f (f x)})
(fun {pick v i} {loop {n 0 s 0} {if (< n 10) {recur (+ n 1) (+ s (vec/get v (* i n)))} s}})
(print (total [1 2 3]) (twice (\ {x} {* x x}) 3) (pick [1 2] (rand 2)) (map (\ {x} {+ x 1}) {1 2}))
(def {any} (if (> (len {1}) 0) print error))
(any 1)
V
run 0 "$VALKC" explain --calls a.valk
has out "a.valk:1:16: loop: checks size (perhaps a big integer) of \`*\`"
has out "types of \`vec/get\` at 3:66"
has out "call of \`twice\`"
has out "call of \`map\`: its only call"
has out "a.valk:6:1: call: unknown"
