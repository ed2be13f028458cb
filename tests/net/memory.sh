# A handler that fills the heap is answered 500, again and again; the others go on.
REAL_VALKC=$VALKC REAL_CHECKED=${CHECKED:-}
cat >server.valk <<'END'
(fun {grow l} {grow (cons (list 1 2 3) l)})
(fun {deep n} {+ 1 (deep (+ n 1))})
(fun {fill m i} {do (map/put! m i (str "text " i)) (fill m (+ i 1))})
(fun {handle r}
  {case (req/path r)
    {{"/list"} (str (len (grow nil)))}
    {{"/map"} (str (len (fill (map/new) 0)))}
    {{"/wait"} {do (sleep 200) "waited"}}
    {otherwise "fine"}})
(http2/listen {:port 0 :host "127.0.0.1"} handle)
END
cat >keeper.valk <<'END'
(def {kept} (atom nil))
(fun {fill n} {if (== n 0) "kept" {do (reset! kept (cons (list 1 2 3 n) (deref kept))) (fill (- n 1))}})
(fun {handle r}
  {case (req/path r)
    {{"/keep"} (fill 10000)}
    {{"/drop"} {do (reset! kept nil) "dropped"}}
    {otherwise "fine"}})
(http2/listen {:port 0 :host "127.0.0.1" :max-waiting 1000} handle)
(spawn {while 1 (sleep 300) (if (> (len (deref kept)) 200000) {do (sleep 2500) (reset! kept nil)})})
END
export VALK_HEAP_LIMIT=32m
for how in run build; do
  if [ $how = build ]; then
    "$VALKC" build -O1 $REAL_CHECKED server.valk -o built
    printf '#!/bin/sh\nshift 2\nexec setarch -R ./built "$@"\n' >wrapper && chmod +x wrapper
    VALKC=./wrapper CHECKED=
  fi
  serve server
  u=http://127.0.0.1:$port
  h2c "$u/wait" >waited &
  waiter=$!
  for path in list map list; do
    is "$(h2c -o out -w '%{http_code}' "$u/$path")" 500
    is "$(h2c "$u/")" fine
  done
  wait "$waiter"
  is "$(cat waited)" waited
  has "$(cat server.log)" "Error: out of memory"
  stop
done
# what handlers keep fills it: requests are refused before it is full, and taken again later
VALKC=$REAL_VALKC CHECKED=$REAL_CHECKED
serve keeper
u=http://127.0.0.1:$port
refused() { h2c -o out -w '%{http_code}' "$u/keep" >code; [ "$(cat code)" = 503 ]; }
taken() { [ "$(h2c "$u/")" = fine ]; }
within 8 refused
has "$(h2c -i "$u/keep")" "retry-after: 1"
has "$(cat keeper.log)" "the heap is nearly full"
within 8 taken
stop
