#!/usr/bin/env python3
"""Peers that mean harm: the server stays up, serves others meanwhile, and its memory is bounded.

usage: abuse.py PID PORT TLS_PORT CERTIFICATE [FILTER]

PORT and TLS_PORT are of the process PID; / gives a few bytes, /large 1 MB, in both. Limits it must have been
started with: the times of a handshake and of fields at most a second, at least 5,000 connections.
An attack gets the ports and has to show that it was contained; before, during and after it another client
sends requests, one at a time, and notes how long it waits.
"""
import random
import resource
import struct
import sys
import threading
import time

from frames import *

ATTACKS = []
WAIT_USUAL = 0.1  # seconds: nine of ten requests of others wait less
WAIT_WORST = 1.5  # the machine that runs the tests has more to do


def attack(title, megabytes):
    """megabytes: how much larger the server may be after it."""

    def note(function):
        ATTACKS.append((title, megabytes, function))
        return function

    return note


class Bystander(threading.Thread):
    """Somebody else: requests one after the other, each on the same connection."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.connection = Connection(port)
        self.waits = []
        self.error = None
        self.is_over = False

    def run(self):
        stream = 1
        try:
            while not self.is_over or len(self.waits) < 10:
                began = time.monotonic()
                self.connection.get(stream)
                self.connection.response(stream)
                self.waits.append(time.monotonic() - began)
                self.connection.seen.clear()
                stream += 2
                time.sleep(0.005)
        except (Failed, OSError) as why:
            self.error = why

    def verdict(self):
        self.is_over = True
        self.join()
        if self.error:
            raise Failed(f"another client: {self.error}")
        waits = sorted(self.waits)
        usual, worst = waits[len(waits) * 9 // 10], waits[-1]
        if usual > WAIT_USUAL or worst > WAIT_WORST:
            raise Failed(f"another client waited {usual * 1000:.0f} ms (9 of 10), {worst * 1000:.0f} ms (longest)")
        return f"others waited {usual * 1000:.1f} ms (9 of 10), {worst * 1000:.1f} ms (longest)"


def resident(pid):
    """Megabytes."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def drained(c, patience=PATIENCE):
    """Reads to the end of the connection, and says whether it came in time."""
    until = time.monotonic() + patience
    try:
        while c.read(max(0.0, until - time.monotonic())) is not None:
            pass
        return True
    except TimeoutError:
        return False


def flood(c, pieces):
    """Sends until all is sent or the server has had enough; reads what comes, so that it is never blocked."""
    for piece in pieces:
        c.socket.settimeout(PATIENCE)
        try:
            c.socket.sendall(piece)
        except OSError:
            return False
        try:
            while not c.is_ended:
                c.read(0.0)
        except TimeoutError:
            pass
        if c.is_ended:
            return False
    return True


# ---- floods


@attack("rapid reset: 100,000 streams opened and reset", 20)
def rapid_reset(ports):
    with Connection(ports.tls, ports.certificate) as c:
        block = c.block(c.request_fields())
        pairs = (frame(HEADERS, END_HEADERS | END_STREAM, s, block) + reset(s) for s in range(1, 200001, 2))
        batches = iter(lambda: b"".join(next(pairs, b"") for _ in range(100)), b"")
        if flood(c, batches) and not drained(c, 1.0):
            raise Failed("it took them all")


@attack("CONTINUATION without end: 16 MB", 10)
def continuation_flood(ports):
    with Connection(ports.tls, ports.certificate) as c:
        c.send(c.headers(1, end=False, flags=0))
        field = b"\x00\x01a\x7f\x81\x7f" + b"v" * 16256
        if flood(c, (frame(CONTINUATION, 0, 1, field) for _ in range(1000))) and not drained(c, 1.0):
            raise Failed("it took them all")


@attack("CONTINUATION without end: empty frames", 10)
def empty_continuation_flood(ports):
    with Connection(ports.plain) as c:
        c.send(c.headers(1, end=False, flags=0))
        if flood(c, (frame(CONTINUATION, 0, 1) * 100 for _ in range(1000))) and not drained(c, 1.0):
            raise Failed("it took them all")


@attack("HPACK bomb: an entry of 4 KB named 15,000 times a block", 20)
def hpack_bomb(ports):
    with Connection(ports.tls, ports.certificate) as c:
        entry = b"\x40\x01a\x7f\x81\x1e" + b"v" * 3968
        c.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, c.block(c.request_fields()) + entry))
        bombs = (frame(HEADERS, END_HEADERS | END_STREAM, s, b"\x82\x86\x84" + b"\xbe" * 15000) for s in range(3, 103, 2))
        flood(c, bombs)


@attack("PING: 200,000, the answers never read", 10)
def ping_flood(ports):
    with Connection(ports.plain, receive_buffer=4096) as c:
        c.send(*[frame(PING, 0, 0, b"pingping") * 1000] * 200)


@attack("SETTINGS: 50,000", 10)
def settings_flood(ports):
    with Connection(ports.plain, receive_buffer=4096) as c:
        c.send(*[settings((INITIAL_WINDOW_SIZE, 65535), (HEADER_TABLE_SIZE, 4096)) * 500] * 100)


@attack("DATA of no bytes: 100,000 frames", 10)
def empty_data_flood(ports):
    with Connection(ports.tls, ports.certificate) as c:
        c.send(c.headers(1, c.request_fields(method="POST"), end=False))
        flood(c, (frame(DATA, 0, 1) * 100 for _ in range(1000)))


@attack("PRIORITY: 100,000 streams made up", 10)
def priority_flood(ports):
    with Connection(ports.plain) as c:
        flood(c, (b"".join(priority(s, s - 2) for s in range(b, b + 1000, 2)) for b in range(3, 200003, 1000)))


@attack("WINDOW_UPDATE: 200,000 of one byte", 10)
def window_flood(ports):
    with Connection(ports.plain) as c:
        flood(c, (window_update(0, 1) * 1000 for _ in range(200)))


@attack("streams that never end: as many as are allowed, and more", 20)
def endless_streams(ports):
    connections = [Connection(ports.plain) for _ in range(20)]
    for c in connections:
        for stream in range(1, 2001, 2):
            c.send(c.headers(stream, c.request_fields(method="POST"), end=False), frame(DATA, 0, stream, b"x"))
    time.sleep(0.3)
    for c in connections:
        c.close()


# ---- slowness


@attack("fields that come a byte at a time", 5)
def slow_headers(ports):
    with Connection(ports.tls, ports.certificate) as c:
        block = c.headers(1, c.request_fields(("x-slow", "v" * 500)))
        for byte in block:
            c.send(bytes([byte]))
            time.sleep(0.02)
            try:
                if c.read(0.0) is None:
                    return
            except TimeoutError:
                pass
        raise Failed("it waited for all of them")


@attack("a hundred large responses, the window closed", 20)
def closed_window(ports):
    with Connection(ports.tls, ports.certificate, first_settings=[(INITIAL_WINDOW_SIZE, 0)]) as c:
        for i in range(100):
            c.get(1 + 2 * i, "/large")
        time.sleep(0.5)
        if any(f.kind == DATA for f in c.seen):
            raise Failed("DATA beyond the window")


@attack("a hundred large responses, nothing read", 20)
def unread(ports):
    first = [(INITIAL_WINDOW_SIZE, 0x7FFFFFFF)]
    with Connection(ports.tls, ports.certificate, first_settings=first, receive_buffer=4096) as c:
        c.send(window_update(0, 0x7FFF0000))
        for i in range(100):
            c.get(1 + 2 * i, "/large")
        time.sleep(0.5)


@attack("handshakes begun and left", 20)
def half_open(ports):
    begun = []
    for i in range(500):
        s = socket.create_connection(("127.0.0.1", ports.tls if i % 2 else ports.plain))
        s.sendall(b"\x16\x03\x01\x02\x00" if i % 2 else PREFACE[:7])
        begun.append(s)
    time.sleep(2.5)
    still = 0
    for s in begun:
        s.setblocking(False)
        try:
            while s.recv(4096):
                pass
        except BlockingIOError:
            still += 1
        except OSError:
            pass
        s.close()
    if still:
        raise Failed(f"{still} of {len(begun)} are open after 2.5 seconds")


# ---- numbers and noise


@attack("5,000 connections, each with a request", 150)
def many_connections(ports):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 6000), hard))
    connections = []
    for i in range(5000):
        c = Connection(ports.plain, start=False)
        c.send(PREFACE, settings(), c.headers(1))
        connections.append(c)
    for c in connections:
        c.wait_for_settings()
        c.response(1)
    for c in connections:
        c.close()


@attack("garbage, on both ports", 5)
def garbage(ports):
    noise = random.Random(1)
    for port in (ports.plain, ports.tls):
        for _ in range(100):
            with Connection(port, start=False) as c:
                c.send(noise.randbytes(noise.randrange(1, 5000)))
    for _ in range(200):
        with Connection(ports.plain) as c:
            for _ in range(20):
                kind, flags, stream = noise.randrange(12), noise.randrange(256), noise.randrange(12)
                c.send(frame(kind, flags, stream, noise.randbytes(noise.randrange(60))))


@attack("valid requests with bits turned", 10)
def turned_bits(ports):
    noise = random.Random(2)
    for _ in range(500):
        with Connection(ports.plain, start=False) as c:
            text = PREFACE + settings() + b"".join(
                c.headers(s, c.request_fields(("x-number", str(s))), end=False) + frame(DATA, END_STREAM, s, b"body")
                for s in range(1, 20, 2)
            )
            text = bytearray(text)
            for _ in range(noise.randrange(1, 6)):
                text[noise.randrange(24, len(text))] ^= 1 << noise.randrange(8)
            c.send(bytes(text))
            try:
                c.read(0.002)
            except TimeoutError:
                pass


@attack("clients that vanish in the middle of anything", 20)
def vanishing(ports):
    linger = struct.pack("ii", 1, 0)  # close sends RST
    for i in range(200):
        c = Connection(ports.tls, ports.certificate) if i % 4 == 0 else Connection(ports.plain)
        c.get(1, "/large")
        c.send(c.headers(3, c.request_fields(method="POST"), end=False), frame(DATA, 0, 3, b"x" * 100))
        if i % 3 == 0:
            try:
                c.read(0.01)
            except TimeoutError:
                pass
        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        c.close()


class Ports:
    def __init__(self, plain, tls, certificate):
        self.plain, self.tls, self.certificate = plain, tls, certificate


def main():
    pid = int(sys.argv[1])
    ports = Ports(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    wanted = sys.argv[5] if len(sys.argv) > 5 else ""
    failures = 0
    for title, megabytes, function in ATTACKS:
        if wanted not in title:
            continue
        before = resident(pid)
        began = time.monotonic()
        bystander = Bystander(ports.plain)
        bystander.start()
        try:
            try:
                function(ports)
            finally:
                waits = bystander.verdict()
            grown = resident(pid) - before
            if grown > megabytes:
                raise Failed(f"the server is {grown:.0f} MB larger")
            with Connection(ports.tls, ports.certificate) as c:
                c.get(1)
                c.response(1)
            print(f"contained: {title}; {time.monotonic() - began:.1f} s, {grown:+.1f} MB, {waits}")
        except (Failed, OSError) as why:
            failures += 1
            print(f"FAILED {title}: {why}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
