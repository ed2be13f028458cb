# SIGTERM as clients see it, in the clear and over TLS: GOAWAY in two steps, answers, the deadline. Exit status 0.
LISTENERS=2
told() { # told SCENARIO DRAIN-MS WORKERS
  for certificate in "" "$CERT"; do
    serve goaway "$CERT" "$KEY" "$2" "$3"
    [ -z "$certificate" ] || port=$(echo "$ports" | cut -d ' ' -f 2)
    # shellcheck disable=SC2086
    /usr/bin/python3 "$HERE/goaway.py" "$1" "$server" "$port" $certificate
    began=$(date +%s%N)
    wait "$server" || fail "$1: status $?: $(cat goaway.log)"
    took=$((($(date +%s%N) - began) / 1000000))
    [ "$took" -lt 2000 ] || fail "$1: the server stayed for $took ms"
  done
}
told two_steps 10000 1
told two_steps 10000 2
told silent_client 10000 1
told idle 10000 2
told deadline 700 1
told deadline 700 2

# The second signal ends it at once, whatever runs.
serve goaway "$CERT" "$KEY" 60000 1
h2c "http://127.0.0.1:$port/ms?60000" >/dev/null 2>&1 &
client=$!
sleep 0.3
kill -TERM "$server"
sleep 0.2
kill -0 "$server" || fail "it did not wait for the request"
kill -TERM "$server"
wait "$server" && fail "a second signal is not a success"
wait "$client" && fail "an answer"
true
