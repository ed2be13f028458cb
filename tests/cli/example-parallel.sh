# examples/parallel.valk gives the same with any number of workers; how fast it is depends on the machine.
"$VALKC" build -o parallel "$TREE/examples/parallel.valk"
for workers in 1 3; do
  VALK_WORKERS=$workers run 0 ./parallel 20000
  has out "primes below 20000 : 2262"
  has out "times as fast"
  lacks out "differ"
done
