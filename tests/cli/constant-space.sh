# 10^8 rounds of loops and tail calls of each shape, all of which allocate, in constant scratch.
cat >rounds.valk <<'END'
(def {n} (str/->int (head (os/args))))
(fun {probe name value} {print name value (<= (mem/arena/high-water) 131072)})
(fun {temporary i s} {if (== i 0) s {temporary (- i 1) (+ s (len (list i s)))}})
(probe "temporary" (temporary n 0))
(fun {carried i state} {if (== i 0) (head state) {carried (- i 1) (list (+ (head state) 1) i)}})
(probe "carried" (carried n (list 0 0)))
(fun {ping i l} {if (== i 0) (len l) {pong (- i 1) (list i)}})
(fun {pong i l} {if (== i 0) (len l) {ping (- i 1) (list i (len l))}})
(probe "in-turn" (ping n (list 1 2)))
(fun {through f i} {if (== i 0) 0 {do (f (list i i)) (through f (- i 1))}})
(probe "unknown" (through (if (== n 0) head len) n))
(fun {step k i} {if (== i 0) (k (list i)) {k (list (- i 1))}})
(fun {bounce l} {if (== (head l) 0) 7 {step bounce (head l)}})
(probe "unknown-tail" (bounce (list n)))
(fun {reversed i} {len (reverse (list i i))})
(fun {calls i s} {if (== i 0) s {calls (- i 1) (+ s (reversed i))}})
(probe "calls" (calls n 0))
(def {m} (/ n 10))
(fun {overwrite n} {let {v (vec/make 4 nil)} {do (loop {i 0} {if (< i n) {do (vec/set! v (mod i 4) (list i n)) (recur (+ i 1))}}) (sum (vec/get v 0))}})
(probe "replaced" (overwrite m))
(fun {put-over n} {let {m (map/new)} {do (loop {i 0} {if (< i n) {do (map/put! m (str "k" (mod i 5)) (list i)) (recur (+ i 1))}}) (map/len m)}})
(probe "put" (put-over m))
(fun {stack n} {let {v (vec)} {do (loop {i 0} {if (< i n) {do (vec/push! v (list i)) (vec/pop! v) (recur (+ i 1))}}) (vec/len v)}})
(probe "stack" (stack m))
(fun {churn n} {let {m (map/new)} {do (loop {i 0} {if (< i n) {do (map/put! m (str "k" i) i) (map/del! m (str "k" (- i 3))) (recur (+ i 1))}}) (map/len m)}})
(probe "keys" (churn m))
(probe "loop" (loop {i 0 s 0} {if (< i n) {recur (+ i 1) (+ s (len (list i s)))} s}))
(fun {rows k} {loop {j 0 s 0} {if (< j 10) {recur (+ j 1) (+ s (len (inner (+ k j))))} s}})
(fun {inner k} {list k (list k)})
(probe "loops-in-loops" (loop {i 0 s 0} {if (< i (/ n 10)) {recur (+ i 1) (+ s (len (list i)) (rows i))} s}))
(fun {handle request} {str/join (map str (list request (+ request 1))) ","})
(fun {serve handler i s} {if (== i 0) s {serve handler (- i 1) (+ s (len (handler i)))}})
(probe "handler" (> (serve (if (== n 0) str handle) (/ n 10) 0) n))
; A large vector in each round has an area of its own.
(fun {squares k} {let {v (vec/make 5000 1000)} {(vec/set! v (% k 5000) k) v}})
(print "large" (loop {i 0 s 0} {if (< i (/ n 1000)) {recur (+ i 1) (+ s (vec/get (squares i) 0))} s})
  (<= (mem/arena/high-water) 262144))
END
run 0 "$VALKC" build -o rounds rounds.valk
run 0 ./rounds 100000000
[ "$(cat out)" = "temporary 200000000 1
carried 100000000 1
in-turn 2 1
unknown 0 1
unknown-tail 7 1
calls 200000000 1
replaced 19999996 1
put 5 1
stack 0 1
keys 3 1
loop 200000000 1
loops-in-loops 210000000 1
handler 1 1
large 100930000 1" ] || fail "$(cat out)"
