# valkc's time is nearly linear in the size of a program, whatever its shape.
python3 "$TREE/bench/large.py" --valkc="$VALKC" --lines=12000 --most=10
