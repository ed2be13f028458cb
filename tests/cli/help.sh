# Help goes to stdout, for every command, with exit 0.
run 0 "$VALKC" --help
has out "usage: valkc"
run 0 "$VALKC" -h
for command in build run check emit test help; do
  run 0 "$VALKC" $command --help
  has out "usage: valkc $command"
  empty err
  cp out first
  run 0 "$VALKC" help $command
  cmp -s out first || fail "help $command and $command --help differ"
done
run 0 "$VALKC" --version
has out "valkc "
run 0 "$VALKC" --list-passes
for pass in read expand resolve simplify lower emit build; do has out "$pass"; done
