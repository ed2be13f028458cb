# SIGTERM: no new connections, what is in progress is answered, exit status 0.
serve echo
# 40 MB at 60 MB/s: two thirds of a second
h2c --limit-rate 60M "http://127.0.0.1:$port/large?2500000" >got &
client=$!
started() { [ -s got ]; }
within 5 started
kill -TERM "$server"
sleep 0.1
if h2c "http://127.0.0.1:$port/plain" 2>refused; then fail "it still accepts"; fi
has "$(cat refused)" "Failed to connect"
wait "$client" || fail "the request in progress was cut off"
is "$(wc -c <got)" 40000000
wait "$server" || fail "status $?"
has "$(cat echo.log)" "SIGTERM: stopping"
has "$(cat echo.log)" "stopped 127.0.0.1:$port after 1 requests"
# Clients that said goodbye are not waited for: their connections end when they do.
serve echo
has "$(h2load -c 20 -m 2 -n 200 "http://127.0.0.1:$port/plain")" "200 done, 200 succeeded"
began=$(date +%s%N)
stop
took=$((($(date +%s%N) - began) / 1000000))
[ "$took" -lt 700 ] || fail "it took $took ms to stop"
