#!/usr/bin/env python3
"""What clients see of a server that is told to stop (RFC 9113, 6.8).

usage: goaway.py SCENARIO PID PORT [CERTIFICATE]      PID gets SIGTERM; the server is goaway.valk
"""
import os
import signal
import sys
import time

from frames import *

NOTHING_REFUSED = 0x7FFFFFFF


def next_goaway(c, patience=PATIENCE):
    """(last stream, code)"""
    got = c.wait_for(lambda f: f.kind == GOAWAY, "GOAWAY", patience)
    return struct.unpack(">II", got.payload[:8])


def expect(got, wanted, what):
    if got != wanted:
        raise Failed(f"{what}: {got}, not {wanted}")


def must_end(c, patience=PATIENCE):
    while c.read(patience) is not None:
        pass


def stop(pid):
    os.kill(pid, signal.SIGTERM)


def two_steps(connect, pid):
    """Requests of before, and those on their way during the first GOAWAY's round trip, are answered, later ones not."""
    c = connect()
    c.get(1, "/ms?700")
    c.send(c.headers(3, c.request_fields(method="POST"), end=False))
    c.is_alive()
    stop(pid)
    expect(next_goaway(c), (NOTHING_REFUSED, NO_ERROR), "the first GOAWAY")
    ping = c.wait_for(lambda f: f.kind == PING and not f.flags & ACK, "a PING to know the round trip")
    c.get(5)
    expect(c.response(5)[1], b"0", "a request that crossed the first GOAWAY")
    c.send(frame(PING, ACK, 0, ping.payload))
    expect(next_goaway(c), (5, NO_ERROR), "the second GOAWAY")
    c.get(7)
    c.send(frame(DATA, END_STREAM, 3, b"body"))
    expect(c.response(3)[1], b"4", "the request whose body came last")
    expect(c.response(1)[1], b"slept", "the request that ran")
    must_end(c)
    if any(f.stream == 7 and f.kind in (HEADERS, DATA) for f in c.seen):
        raise Failed("a request after the second GOAWAY was answered")


def silent_client(connect, pid):
    """One that does not answer the PING gets the second GOAWAY after a while, and its requests answers all the same."""
    c = connect()
    c.get(1, "/ms?3000")
    c.is_alive()
    stop(pid)
    expect(next_goaway(c), (NOTHING_REFUSED, NO_ERROR), "the first GOAWAY")
    expect(next_goaway(c), (1, NO_ERROR), "the second GOAWAY")
    expect(c.response(1)[1], b"slept", "the request that ran")
    must_end(c)


def idle(connect, pid):
    """Without requests the second GOAWAY is the end, even of a client that stays."""
    c = connect()
    c.get(1)
    c.response(1)
    stop(pid)
    expect(next_goaway(c), (NOTHING_REFUSED, NO_ERROR), "the first GOAWAY")
    ping = c.wait_for(lambda f: f.kind == PING and not f.flags & ACK, "a PING to know the round trip")
    c.send(frame(PING, ACK, 0, ping.payload))
    expect(next_goaway(c), (1, NO_ERROR), "the second GOAWAY")
    must_end(c)


def deadline(connect, pid):
    """What takes longer than :drain-ms is cut off."""
    c = connect()
    c.get(1, "/ms?100000")
    c.is_alive()
    stop(pid)
    must_end(c)
    if any(f.kind == HEADERS for f in c.seen):
        raise Failed("a response")


def main():
    scenario, pid, port = globals()[sys.argv[1]], int(sys.argv[2]), int(sys.argv[3])
    certificate = sys.argv[4] if len(sys.argv) > 4 else None
    began = time.monotonic()
    try:
        scenario(lambda: Connection(port, certificate), pid)
    except (Failed, OSError) as why:
        print(f"FAILED {sys.argv[1]} after {time.monotonic() - began:.1f} s: {why}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
