#!/usr/bin/env python3
"""Clients that go away at every stage of a connection, in order or with a reset. usage: vanish.py PORT TLS_PORT CERTIFICATE"""
import struct
import sys
import time

from frames import *

plain, tls, certificate = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
RESET = struct.pack("ii", 1, 0)  # for SO_LINGER: close sends RST


def leave(sock, is_reset):
    if is_reset:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()


def raw(port, *parts):
    sock = socket.create_connection(("127.0.0.1", port))
    for part in parts:
        sock.sendall(part)
    return sock


def client_hello():
    """What a TLS client sends first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cafile=certificate)
    context.set_alpn_protocols(["h2"])
    session = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def open_connection(port, *frames, **options):
    c = Connection(port, certificate if port == tls else None, **options)
    c.send(*[f(c) if callable(f) else f for f in frames])
    return c.socket


hello = client_hello()
post = lambda c: c.headers(1, c.request_fields(method="POST"), end=False)
get = lambda path: lambda c: c.headers(1, c.request_fields(path=path))
stages = [
    lambda: raw(plain),
    lambda: raw(plain, PREFACE[:10]),
    lambda: raw(plain, PREFACE),
    lambda: raw(plain, PREFACE + settings(), b"\0\0\x10\1"),
    lambda: raw(tls),
    lambda: raw(tls, hello[:20]),
    lambda: raw(tls, hello),
    lambda: raw(tls, b"GET / HTTP/1.1\r\n\r\n"),
]
for port in (plain, tls):
    stages += [
        lambda port=port: open_connection(port),
        lambda port=port: open_connection(port, lambda c: c.headers(1, flags=0)),
        lambda port=port: open_connection(port, post),
        lambda port=port: open_connection(port, post, frame(DATA, 0, 1, b"some")),
        lambda port=port: open_connection(port, get("/")),
        lambda port=port: open_connection(port, get("/slow")),
        lambda port=port: open_connection(port, get("/large")),
        lambda port=port: open_connection(port, get("/large"), first_settings=[(INITIAL_WINDOW_SIZE, 10000000)], receive_buffer=4096),
        lambda port=port: open_connection(port, get("/slow"), frame(GOAWAY, 0, 0, b"\0" * 8)),
    ]
for pause in (0.0, 0.03):
    for is_reset in (False, True):
        for stage in stages:
            sock = stage()
            time.sleep(pause)
            leave(sock, is_reset)
