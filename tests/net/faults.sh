# Clients that vanish at any stage, no descriptors left, a log that cannot be written: nothing is lost, nothing leaks.
cat >server.valk <<'END'
(fun {respond r}
  {case (req/path r)
    {{"/slow"} {do (sleep 300) "slow"}}
    {{"/large"} (make-string 300000 "0123456789abcdef")}
    {otherwise "x"}})
(def {options} {:host "127.0.0.1" :port 0 :handshake-ms 1000 :body-ms 1000})
(http2/listen options respond)
(http2/listen (join options (list :cert (fst (os/args)) :key (snd (os/args)))) respond)
END
descriptors() { ls "/proc/$server/fd" | wc -l; }
as_before() { [ "$(descriptors)" -le "$before" ]; }

# With the address checker, where it has been built. Our heap is not malloc's, so leaks are counted as descriptors.
: "${ASAN_OPTIONS:=detect_leaks=0:detect_stack_use_after_return=0:handle_segv=0:allow_user_segv_handler=1:exitcode=99}"
export ASAN_OPTIONS
checked=$(dirname "$VALKC")/asan/valkc
[ -x "$checked" ] && VALKC=$checked
LISTENERS=2
serve server "$CERT" "$KEY"
tls_port=$(echo "$ports" | cut -d ' ' -f 2)
h2c "http://127.0.0.1:$port/" >/dev/null
tls "https://localhost:$tls_port/" >/dev/null
sleep 0.2
before=$(descriptors)
/usr/bin/python3 "$HERE/vanish.py" "$port" "$tls_port" "$CERT"
within 5 as_before
is "$(h2c "http://127.0.0.1:$port/")" x
is "$(tls "https://localhost:$tls_port/")" x
stop
[ -z "$(grep -i sanitizer server.log)" ] || fail "$(cat server.log)"

# Fewer descriptors than clients: those beyond wait or are turned away; then all is as before.
(
  ulimit -n 40
  exec "$VALKC" run server.valk "$CERT" "$KEY" 2>few.log
) &
server=$!
servers="$servers $server"
few_listen() { [ "$(grep -c 'listening on' few.log)" = 2 ]; }
within 10 few_listen
port=$(sed -n 's|.*listening on http://.*:\([0-9]*\)$|\1|p' few.log)
/usr/bin/python3 - "$port" <<'END'
import socket, sys
many = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(100)]
END
answers() { [ "$(h2c "http://127.0.0.1:$port/")" = x ]; }
within 10 answers
used=$(ps -o cputimes= -p "$server" | tr -d ' ')
[ "$used" -lt 5 ] || fail "it was busy for $used seconds"
stop

# Nowhere to write the log: it serves all the same.
cat >logged.valk <<'END'
(= {s} (http2/listen {:host "127.0.0.1" :port 0 :access-log true} (\ {r} {if (== (req/path r) "/error") {error "lost"} {"x"}})))
(file/write "port" (str (http2/server-port s)))
END
"$VALKC" run logged.valk 2>/dev/full &
server=$!
servers="$servers $server"
within 10 test -s port
port=$(cat port)
is "$(h2c "http://127.0.0.1:$port/")" x
is "$(h2c -o out -w '%{http_code}' "http://127.0.0.1:$port/error")" 500
is "$(h2c "http://127.0.0.1:$port/")" x
stop
