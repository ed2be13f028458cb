# A hundred requests at once whose handlers wait for timers and for each other: every answer is right and in its place,
# also when the collector runs at every hundredth allocation.
cat >server.valk <<'END'
(def {doors} (vec/map (\ {i} {chan}) (vec/make 100 0)))
(def {first} (chan 1))
; n waits for its turn, then lets n + 1 in: whatever the order of the requests, the turns come in order
(def {order} (atom {}))
(fun {pass n} {
  (if (> n 0) {recv (vec/get doors n)} {recv first})
  (sleep (% n 3))
  (swap! order (\ {l} {cons n l}))
  (when (< n 99) (send (vec/get doors (+ n 1)) n))
  (str "request " n " " (str/join (map str (range 0 n)) ","))})
(fun {respond r}
  {case (req/path r)
    {{"/go"} {do (send first 0) "went"}}
    {{"/order"} (str (reverse (deref order)))}
    {otherwise (pass (int (str->num (req/query r))))}})
(http2/listen {:host "127.0.0.1" :port 0} respond)
END
cat >ask.py <<'END'
import random, sys
sys.path.insert(0, sys.argv[2])
from frames import *
numbers = list(range(100))
random.Random(7).shuffle(numbers)
connections = [Connection(int(sys.argv[1])) for _ in range(4)]
where = {}
for i, n in enumerate(numbers):
    c, stream = connections[i % 4], 1 + 2 * (i // 4)
    where[n] = c, stream
    c.get(stream, f"/n?{n}")
with Connection(int(sys.argv[1])) as other:
    other.get(1, "/go")
    assert other.response(1)[1] == b"went"
    bodies = {}
    for c in connections:
        left = {stream: n for n, (d, stream) in where.items() if d is c}
        while left:
            got = c.wait_for(lambda f: f.kind == DATA, "a response", 60)
            bodies[got.stream, id(c)] = bodies.get((got.stream, id(c)), b"") + got.payload
            if got.flags & END_STREAM:
                n = left.pop(got.stream)
                assert bodies[got.stream, id(c)].decode() == f"request {n} " + ",".join(map(str, range(n))), n
    other.get(3, "/order")
    assert other.response(3)[1].decode() == "{" + " ".join(map(str, range(100))) + "}"
END
for stress in 0 100; do
  export VALK_GC_STRESS=$stress
  [ $stress != 0 ] || unset VALK_GC_STRESS
  serve server
  /usr/bin/python3 ask.py "$port" "$HERE"
  stop
done
