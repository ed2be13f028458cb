# A handler that computes and never waits is ended after :handler-ms of computing, a fiber of its making, too. Others go on.
cat >server.valk <<'VALK'
(fun {spin n} {spin (+ n 1)})
(fun {deep n} {if (== n 0) 0 (+ 1 (deep (- n 1)))})
(fun {deeps n} {deeps (+ n (deep 100))})
(def {times} (atom 0))
(fun {handle r} {select
  {(== (req/path r) "/spin") (str (spin 0))}
  {(== (req/path r) "/deep") (try {str (deeps 0)} {e "caught"})}
  {(== (req/path r) "/some") (do (= {until} (+ (time-us) 40000)) (while (< (time-us) until) nil) "some")}
  {(== (req/path r) "/behind") (do (spawn (do (deeps 0) 1)) "begun")}
  {otherwise (str (swap! times + 1))}})
(http2/listen (list :host "127.0.0.1" :workers (str->num (fst (os/args))) :handler-ms 300) handle)
VALK
status() { h2c -o out -w '%{http_code}' --max-time 60 "http://127.0.0.1:$port/$1"; }
serve server 1
for path in spin deep; do is "$(status $path)" 503; done
has "$(cat server.log)" "GET /deep: Error: cancelled: it ran for too long without waiting"
is "$(status behind)" 200
# many that compute for less, one after the other in one read: none is ended
has "$(h2load -n 40 -c 1 -m 40 "http://127.0.0.1:$port/some" 2>&1)" "40 succeeded"
stop
serve server 2
is "$(status spin)" 503
is "$(status other)" 200
stop
