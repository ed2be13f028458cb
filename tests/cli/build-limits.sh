# Limits given to build are the program's; bad sizes are wrong usage.
cat >grow.valk <<'VALK'
(print (mem/heap/hard-limit))
(fun {grow l n} {if (== n 0) {len l} {grow (cons n l) (- n 1)}})
(print (grow nil 10000000))
VALK
run 0 "$VALKC" build --heap-limit=32m grow.valk -o small
run 1 ./small
has out 33554432
has err "memory"
run 0 "$VALKC" build --heap-limit 1g --gc-threshold 8m --arena 1m grow.valk -o large
run 0 ./large
has out 10000000
run 1 env VALK_HEAP_LIMIT=24m ./large
has out 25165824
run 2 "$VALKC" build --heap-limit=lots grow.valk -o p
has err "takes a size"
