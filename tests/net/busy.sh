# A handler that computes and never waits is ended after :handler-ms of computing, a fiber of its making, too. Others go on.
cat >server.valk <<'VALK'
(fun {spin n} {spin (+ n 1)})
(fun {deep n} {if (== n 0) 0 (+ 1 (deep (- n 1)))})
(fun {deeps n} {deeps (+ n (deep 100))})
(def {times} (atom 0))
(fun {handle r} {select
  {(== (req/path r) "/spin") (str (spin 0))}
  {(== (req/path r) "/deep") (try {str (deeps 0)} {e "caught"})}
  {(== (req/path r) "/behind") (do (spawn (do (deeps 0) 1)) "begun")}
  {otherwise (str (swap! times + 1))}})
(http2/listen (list :host "127.0.0.1" :workers (str->num (fst (os/args))) :handler-ms 200) handle)
VALK
status() { h2c -o out -w '%{http_code}' "http://127.0.0.1:$port/$1"; }
for workers in 1 2; do
  serve server $workers
  for path in spin deep spin; do is "$(status $path)" 503; done
  is "$(status behind)" 200
  has "$(h2load -n 200 -c 4 -m 5 "http://127.0.0.1:$port/" 2>&1)" "200 succeeded"
  is "$(grep -c "ran for too long without waiting" server.log)" 3
  has "$(cat server.log)" "GET /deep: Error: cancelled"
  stop
done
