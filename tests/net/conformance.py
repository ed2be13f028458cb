#!/usr/bin/env python3
"""RFC 9113 and RFC 7541, section by section: what a server must do with good and bad frames.

usage: conformance.py PORT [CERTIFICATE] [FILTER]

PORT answers / with a body of at least six bytes, to GET and POST. A case is a function whose name tells the section;
it gets a started connection. Stream errors may be answered by ending the connection (5.4.2), never by a response; errors
of the connection by GOAWAY and its end, or by its end. Codes are those of the RFC; where it leaves a choice, all of them.
"""
import struct
import sys

from frames import *

CASES = []


def case(title, start=True, first_settings=()):
    def note(function):
        CASES.append((title, function, start, first_settings))
        return function

    return note


def post(c, stream, *more):
    return c.headers(stream, c.request_fields(*more, method="POST"), end=False)


def half_closed(c, stream=1):
    """The stream half closed by us, the server's side kept open by a window of nothing."""
    c.send(settings((INITIAL_WINDOW_SIZE, 0)))
    c.wait_for(lambda f: f.kind == SETTINGS and f.flags & ACK, "ACK")
    c.get(stream)


def closed_by_both(c, stream=1):
    c.get(stream)
    c.response(stream)


# ---- 3.4 connection preface


@case("3.4 the server's first frame is SETTINGS", start=False)
def preface(c):
    c.send(PREFACE + settings())
    got = c.read()
    if got is None or got.kind != SETTINGS or got.flags & ACK:
        raise Failed(f"first was {got}")


@case("3.4 a bad preface ends the connection", start=False)
def bad_preface(c):
    c.send(b"INVALID CONNECTION PREFACE\r\n\r\n")
    c.must_close(PROTOCOL_ERROR)


@case("3.4 a first frame other than SETTINGS ends the connection", start=False)
def first_frame(c):
    c.send(PREFACE + frame(PING, 0, 0, b"12345678"))
    c.must_close(PROTOCOL_ERROR)


# ---- 4 frames


@case("4.1 a frame of unknown type is ignored")
def unknown_type(c):
    c.send(frame(0xFF, 0, 0, b"\0" * 8))
    c.is_alive()


@case("4.1 unknown flags are ignored")
def unknown_flags(c):
    c.send(frame(PING, 0xFE, 0, b"12345678"))
    c.wait_for(lambda f: f.kind == PING and f.flags & ACK, "ACK")


@case("4.1 the reserved bit is ignored")
def reserved_bit(c):
    c.send(frame(PING, 0, 0x80000000, b"12345678"))
    c.wait_for(lambda f: f.kind == PING and f.flags & ACK, "ACK")


@case("4.2 a DATA frame of 2^14 bytes is taken")
def large_data(c):
    c.send(post(c, 1), frame(DATA, END_STREAM, 1, b"x" * 16384))
    c.response(1)


@case("4.2 a DATA frame beyond the limit")
def too_large_data(c):
    c.send(post(c, 1), frame(DATA, END_STREAM, 1, b"x" * 16385))
    c.must_reset(1, FRAME_SIZE_ERROR)


@case("4.2 a HEADERS frame beyond the limit ends the connection")
def too_large_headers(c):
    block = c.block(c.request_fields(*[(f"x-{i}", "a" * 4000) for i in range(6)]))
    c.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block + b"\0" * (16385 - min(len(block), 16384))))
    c.must_close(FRAME_SIZE_ERROR)


@case("4.3 a bad field block ends the connection")
def bad_block(c):
    c.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x40\x01a\x7f\xff\xff\xff\xff\xff\xff\xff\xff"))
    c.must_close(COMPRESSION_ERROR)


@case("4.3 PRIORITY inside a field block")
def priority_in_block(c):
    c.send(c.headers(1, flags=0), priority(1, 0), frame(CONTINUATION, END_HEADERS, 1, c.block([("x", "y")])))
    c.must_close(PROTOCOL_ERROR)


@case("4.3 HEADERS of another stream inside a field block")
def headers_in_block(c):
    c.send(c.headers(1, flags=0), c.headers(3))
    c.must_close(PROTOCOL_ERROR)


# ---- 5.1 stream states

IDLE = {
    "DATA": lambda c: frame(DATA, END_STREAM, 1, b"test"),
    "RST_STREAM": lambda c: reset(1),
    "WINDOW_UPDATE": lambda c: window_update(1, 100),
    "CONTINUATION": lambda c: frame(CONTINUATION, END_HEADERS, 1, c.block([("x", "y")])),
}
for name, make in IDLE.items():

    @case(f"5.1 idle: {name}")
    def on_idle(c, make=make):
        c.send(make(c))
        c.must_close(PROTOCOL_ERROR)


AFTER_END = {
    "DATA": (lambda c: frame(DATA, END_STREAM, 1, b"test"), [STREAM_CLOSED]),
    "HEADERS": (lambda c: c.headers(1), [STREAM_CLOSED]),
    # 6.10 asks for PROTOCOL_ERROR
    "CONTINUATION": (lambda c: frame(CONTINUATION, END_HEADERS, 1, c.block([("x", "y")])), [STREAM_CLOSED, PROTOCOL_ERROR]),
}
for name, (make, codes) in AFTER_END.items():

    @case(f"5.1 half closed (remote): {name}")
    def on_half_closed(c, make=make, codes=codes):
        half_closed(c)
        c.send(make(c))
        c.must_reset(1, *codes)

    @case(f"5.1 half closed (remote): {name} at once")
    def on_half_closed_at_once(c, make=make, codes=codes):
        c.send(c.headers(1) + make(c))
        c.must_reset(1, *codes)

    @case(f"5.1 closed by RST_STREAM: {name}")
    def on_reset(c, make=make, codes=codes):
        c.send(c.headers(1, end=False), reset(1), make(c))
        c.must_reset(1, *codes)

    @case(f"5.1 closed by END_STREAM of both: {name}")
    def on_closed(c, make=make, codes=codes, kind=name):
        closed_by_both(c)
        c.send(make(c))
        if kind == "DATA":
            c.must_reset(1, *codes)
        else:
            c.must_close(*codes)


TOLERATED = {
    "WINDOW_UPDATE": lambda: window_update(1, 100),
    "PRIORITY": lambda: priority(1, 0),
    "RST_STREAM": lambda: reset(1),
}
for name, make in TOLERATED.items():

    @case(f"5.1 half closed (remote): {name} is fine")
    def fine_on_half_closed(c, make=make):
        half_closed(c)
        c.send(make())
        c.is_alive()

    @case(f"5.1 closed: {name} is fine")
    def fine_on_closed(c, make=make):
        closed_by_both(c)
        c.send(make())
        c.is_alive()


@case("5.1 half closed (remote): WINDOW_UPDATE lets the response go on")
def window_on_half_closed(c):
    half_closed(c)
    c.send(window_update(1, 100))
    c.wait_for(lambda f: f.kind == DATA and f.flags & END_STREAM, "the response")


@case("5.1 idle: PRIORITY is fine")
def priority_on_idle(c):
    c.send(priority(1, 0), priority(3, 1))
    c.get(5)
    c.response(5)


@case("5.1 idle: PRIORITY uses no number up")
def priority_above(c):
    c.send(priority(5, 0), priority(101, 99))
    c.is_alive()
    c.get(3)
    c.response(3)


# ---- 5.1.1, 5.1.2 identifiers, concurrency


@case("5.1.1 an even number")
def even_number(c):
    c.get(2)
    c.must_close(PROTOCOL_ERROR)


@case("5.1.1 a number smaller than one used")
def smaller_number(c):
    c.get(5)
    c.response(5)
    c.get(3)
    c.must_close(PROTOCOL_ERROR)


@case("5.1.1 numbers may be skipped")
def skipped_numbers(c):
    for stream in (1, 101, 2000001, 0x7FFFFFFF):
        c.get(stream)
        c.response(stream)


@case("5.1.2 more streams than announced are refused")
def too_many_streams(c):
    limit = c.server_settings.get(MAX_CONCURRENT_STREAMS)
    if limit is None:
        raise Failed("no limit is announced")
    c.send(settings((INITIAL_WINDOW_SIZE, 0)))
    c.wait_for(lambda f: f.kind == SETTINGS and f.flags & ACK, "ACK")
    c.send(*[c.headers(1 + 2 * i) for i in range(limit + 1)])
    c.must_reset(1 + 2 * limit, PROTOCOL_ERROR, REFUSED_STREAM)


# ---- 5.3.1 (RFC 7540): a stream that depends on itself


@case("5.3.1 HEADERS that depend on themselves")
def self_dependent_headers(c):
    c.send(c.headers(1, flags=END_HEADERS | WITH_PRIORITY, before=struct.pack(">IB", 1, 255)))
    c.must_reset(1, PROTOCOL_ERROR)


for stream in (1, 2):

    @case(f"5.3.1 PRIORITY that depends on itself, on the idle stream {stream}")
    def self_dependent_priority(c, stream=stream):
        c.send(priority(stream, stream, 255))
        c.must_reset(stream, PROTOCOL_ERROR)


@case("5.3.1 PRIORITY that depends on itself, on an open stream")
def self_dependent_priority_of_open(c):
    c.send(post(c, 1), priority(1, 1, 255))
    c.must_reset(1, PROTOCOL_ERROR)


# ---- 5.4, 5.5


@case("5.4.1 an error of the connection: GOAWAY, then the end")
def connection_error(c):
    c.get(1)
    c.response(1)
    c.send(frame(PING, 0, 3, b"12345678"))
    got = c.wait_for(lambda f: f.kind == GOAWAY, "GOAWAY")
    if got.code != PROTOCOL_ERROR or struct.unpack(">I", got.payload[:4])[0] != 1:
        raise Failed(f"{got}")
    c.must_close(PROTOCOL_ERROR)


@case("5.5 an unknown frame is ignored")
def extension(c):
    c.send(frame(0x16, 0, 0, b"\0" * 8))
    c.is_alive()


@case("5.5 an unknown frame inside a field block")
def extension_in_block(c):
    c.send(c.headers(1, flags=0), frame(0x16, 0, 0, b"\0" * 8), frame(CONTINUATION, END_HEADERS, 1, c.block([("x", "y")])))
    c.must_close(PROTOCOL_ERROR)


# ---- 6.1 DATA


@case("6.1 DATA on stream 0")
def data_on_zero(c):
    c.send(frame(DATA, END_STREAM, 0, b"test"))
    c.must_close(PROTOCOL_ERROR)


@case("6.1 padding as long as the payload")
def data_padding(c):
    c.send(post(c, 1), frame(DATA, END_STREAM | PADDED, 1, b"\x06test\0"))
    c.must_close(PROTOCOL_ERROR)


@case("6.1 padded DATA is taken")
def padded_data(c):
    c.send(post(c, 1), frame(DATA, END_STREAM | PADDED, 1, b"\x06test" + b"\0" * 6))
    c.response(1)


@case("6.1 many DATA frames, empty ones too")
def many_data(c):
    c.send(post(c, 1), *[frame(DATA, 0, 1, b"x" * (i % 3)) for i in range(50)], frame(DATA, END_STREAM, 1))
    c.response(1)


# ---- 6.2 HEADERS


@case("6.2 HEADERS on stream 0")
def headers_on_zero(c):
    c.get(0)
    c.must_close(PROTOCOL_ERROR)


@case("6.2 padding as long as the payload")
def headers_padding(c):
    block = c.block(c.request_fields())
    c.send(frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, bytes([len(block) + 2]) + block + b"\0"))
    c.must_close(PROTOCOL_ERROR)


@case("6.2 padded HEADERS with a priority are taken")
def padded_headers(c):
    flags = END_HEADERS | PADDED | WITH_PRIORITY
    c.send(c.headers(1, flags=flags, before=b"\x05" + struct.pack(">IB", 0x80000000, 7), after=b"\0" * 5))
    c.response(1)


# ---- 6.3 PRIORITY


@case("6.3 PRIORITY on stream 0")
def priority_on_zero(c):
    c.send(priority(0, 1))
    c.must_close(PROTOCOL_ERROR)


@case("6.3 PRIORITY of another length")
def priority_length(c):
    c.send(post(c, 1), frame(PRIORITY, 0, 1, b"\0\0\0\0"))
    c.must_reset(1, FRAME_SIZE_ERROR)


for weight in (0, 255):

    @case(f"6.3 PRIORITY with weight {weight + 1}, exclusive, and then the request")
    def any_priority(c, weight=weight):
        c.send(priority(1, 0x80000000, weight))
        c.get(1)
        c.response(1)


# ---- 6.4 RST_STREAM


@case("6.4 RST_STREAM on stream 0")
def reset_on_zero(c):
    c.send(reset(0))
    c.must_close(PROTOCOL_ERROR)


@case("6.4 RST_STREAM of another length")
def reset_length(c):
    c.send(post(c, 1), frame(RST_STREAM, 0, 1, b"\0\0\0"))
    c.must_close(FRAME_SIZE_ERROR)


@case("6.4 RST_STREAM ends one stream only")
def reset_one(c):
    c.send(post(c, 1), post(c, 3), reset(1), frame(DATA, END_STREAM, 3, b"x"))
    c.response(3)


# ---- 6.5 SETTINGS


@case("6.5 ACK with a payload")
def settings_ack(c):
    c.send(frame(SETTINGS, ACK, 0, b"\0"))
    c.must_close(FRAME_SIZE_ERROR)


@case("6.5 SETTINGS on a stream")
def settings_on_stream(c):
    c.send(frame(SETTINGS, 0, 1, struct.pack(">HI", MAX_CONCURRENT_STREAMS, 100)))
    c.must_close(PROTOCOL_ERROR)


@case("6.5 SETTINGS of a length not a multiple of six")
def settings_length(c):
    c.send(frame(SETTINGS, 0, 0, b"\0\3\0"))
    c.must_close(FRAME_SIZE_ERROR)


BAD_SETTINGS = [
    ("ENABLE_PUSH 2", (ENABLE_PUSH, 2), PROTOCOL_ERROR),
    ("INITIAL_WINDOW_SIZE 2^31", (INITIAL_WINDOW_SIZE, 1 << 31), FLOW_CONTROL_ERROR),
    ("MAX_FRAME_SIZE 2^14 - 1", (MAX_FRAME_SIZE, 16383), PROTOCOL_ERROR),
    ("MAX_FRAME_SIZE 2^24", (MAX_FRAME_SIZE, 1 << 24), PROTOCOL_ERROR),
]
for title, pair, code in BAD_SETTINGS:

    @case(f"6.5.2 {title}")
    def bad_setting(c, pair=pair, code=code):
        c.send(settings(pair))
        c.must_close(code)


@case("6.5.2 an unknown setting is ignored")
def unknown_setting(c):
    c.send(settings((0xFF, 1)))
    c.is_alive()


@case("6.5.3 settings are taken in order")
def settings_in_order(c):
    c.send(settings((INITIAL_WINDOW_SIZE, 100), (INITIAL_WINDOW_SIZE, 1)))
    c.wait_for(lambda f: f.kind == SETTINGS and f.flags & ACK, "ACK")
    c.get(1)
    got = c.wait_for(lambda f: f.kind == DATA, "DATA")
    if len(got.payload) != 1:
        raise Failed(f"{got}")


@case("6.5.3 SETTINGS are acknowledged")
def settings_acknowledged(c):
    c.send(settings((MAX_CONCURRENT_STREAMS, 10)))
    c.wait_for(lambda f: f.kind == SETTINGS and f.flags & ACK, "ACK")


# ---- 6.6 PUSH_PROMISE (8.2 of RFC 7540)


@case("6.6 PUSH_PROMISE from a client")
def push_promise(c):
    c.send(post(c, 1), frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">I", 2) + c.block(c.request_fields())))
    c.must_close(PROTOCOL_ERROR)


# ---- 6.7 PING


@case("6.7 PING is answered with its payload")
def ping(c):
    c.send(frame(PING, 0, 0, b"h2-check"))
    c.wait_for(lambda f: f.kind == PING and f.flags & ACK and f.payload == b"h2-check", "ACK")


@case("6.7 PING with ACK is not answered")
def ping_ack(c):
    c.send(frame(PING, ACK, 0, b"not-this"), frame(PING, 0, 0, b"but-this"))
    got = c.wait_for(lambda f: f.kind == PING, "PING")
    if got.payload != b"but-this":
        raise Failed(f"{got}")


@case("6.7 PING on a stream")
def ping_on_stream(c):
    c.send(frame(PING, 0, 1, b"12345678"))
    c.must_close(PROTOCOL_ERROR)


@case("6.7 PING of another length")
def ping_length(c):
    c.send(frame(PING, 0, 0, b"123456"))
    c.must_close(FRAME_SIZE_ERROR)


# ---- 6.8 GOAWAY


@case("6.8 GOAWAY on a stream")
def goaway_on_stream(c):
    c.send(frame(GOAWAY, 0, 1, struct.pack(">II", 0, 0)))
    c.must_close(PROTOCOL_ERROR)


@case("6.8 GOAWAY: requests sent before are answered")
def goaway(c):
    c.get(1)
    c.send(frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0)))
    c.response(1)


@case("6.8 GOAWAY, then PING: answered, or the end")
def ping_after_goaway(c):
    c.send(frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0) + b"goodbye"), frame(PING, 0, 0, b"is-alive"))
    while (got := c.read()) is not None and got.kind != PING:
        if got.kind == GOAWAY and got.code != NO_ERROR:
            raise Failed(f"{got}")


# ---- 6.9 WINDOW_UPDATE


@case("6.9 an increment of 0 on the connection")
def increment_zero(c):
    c.send(window_update(0, 0))
    c.must_close(PROTOCOL_ERROR)


@case("6.9 an increment of 0 on a stream")
def increment_zero_on_stream(c):
    c.send(post(c, 1), window_update(1, 0))
    c.must_reset(1, PROTOCOL_ERROR)


@case("6.9 WINDOW_UPDATE of another length")
def window_update_length(c):
    c.send(frame(WINDOW_UPDATE, 0, 0, b"\0\0\1"))
    c.must_close(FRAME_SIZE_ERROR)


@case("6.9.1 not more is sent than the window allows")
def window_respected(c):
    c.send(settings((INITIAL_WINDOW_SIZE, 1)))
    c.wait_for(lambda f: f.kind == SETTINGS and f.flags & ACK, "ACK")
    c.get(1)
    got = c.wait_for(lambda f: f.kind == DATA, "DATA")
    if len(got.payload) != 1 or got.flags & END_STREAM:
        raise Failed(f"{got}")
    c.is_alive()
    if any(f.kind == DATA and f is not got for f in c.seen):
        raise Failed("DATA beyond the window")
    c.send(window_update(1, 1000))
    c.wait_for(lambda f: f.kind == DATA and f.flags & END_STREAM, "the rest")


@case("6.9.1 the connection's window beyond 2^31 - 1")
def window_overflow(c):
    c.send(window_update(0, 0x7FFFFFFF), window_update(0, 0x7FFFFFFF))
    c.must_close(FLOW_CONTROL_ERROR)


@case("6.9.1 a stream's window beyond 2^31 - 1")
def stream_window_overflow(c):
    c.send(post(c, 1), window_update(1, 0x7FFFFFFF), window_update(1, 0x7FFFFFFF))
    c.must_reset(1, FLOW_CONTROL_ERROR)


@case("6.9.2 a new initial window moves the windows of open streams", first_settings=[(INITIAL_WINDOW_SIZE, 0)])
def window_moves(c):
    c.get(1)
    c.is_alive()
    c.send(settings((INITIAL_WINDOW_SIZE, 1)))
    got = c.wait_for(lambda f: f.kind == DATA, "DATA")
    if len(got.payload) != 1:
        raise Failed(f"{got}")


@case("6.9.2 a window may become negative", first_settings=[(INITIAL_WINDOW_SIZE, 3)])
def negative_window(c):
    c.get(1)
    c.wait_for(lambda f: f.kind == DATA and len(f.payload) == 3, "3 bytes")
    c.send(settings((INITIAL_WINDOW_SIZE, 2)))
    c.wait_for(lambda f: f.kind == SETTINGS and f.flags & ACK, "ACK")
    c.send(window_update(1, 2))
    got = c.wait_for(lambda f: f.kind == DATA, "DATA")
    if len(got.payload) != 1:
        raise Failed(f"{got}")


@case("6.9.2 a new initial window that overflows an open stream's")
def window_setting_overflow(c):
    c.send(post(c, 1), window_update(1, 0x7FFFFFFF - 65535), settings((INITIAL_WINDOW_SIZE, 65536)))
    c.must_reset(1, FLOW_CONTROL_ERROR)  # the RFC asks for the connection's end; nghttp2 ends the stream


# ---- 6.10 CONTINUATION


@case("6.10 several CONTINUATION frames")
def continuations(c):
    c.send(c.headers(1, flags=0))
    for i in range(3):
        c.send(frame(CONTINUATION, END_HEADERS if i == 2 else 0, 1, c.block([(f"x-{i}", "y")])))
    c.response(1)


@case("6.10 a field block split within its fields")
def split_block(c):
    block = c.block(c.request_fields(("x-long", "value"), path="/a/long/path"))
    parts = [block[i : i + 8] for i in range(0, len(block), 8)]
    c.send(frame(HEADERS, END_STREAM, 1, parts[0]))
    c.send(*[frame(CONTINUATION, 0, 1, part) for part in parts[1:-1]])
    c.send(frame(CONTINUATION, END_HEADERS, 1, parts[-1]))
    c.response(1)


@case("6.10 another frame instead of CONTINUATION")
def no_continuation(c):
    more = frame(CONTINUATION, 0, 1, c.block([("x", "y")]))
    c.send(c.headers(1, end=False, flags=0), more, frame(DATA, END_STREAM, 1, b"test"))
    c.must_close(PROTOCOL_ERROR)


@case("6.10 CONTINUATION on stream 0")
def continuation_on_zero(c):
    c.send(c.headers(1, end=False, flags=0), frame(CONTINUATION, END_HEADERS, 0, c.block([("x", "y")])))
    c.must_close(PROTOCOL_ERROR)


@case("6.10 CONTINUATION after END_HEADERS")
def continuation_after_end(c):
    c.send(post(c, 1), frame(CONTINUATION, END_HEADERS, 1, c.block([("x", "y")])))
    c.must_close(PROTOCOL_ERROR)


@case("6.10 CONTINUATION after a CONTINUATION with END_HEADERS")
def continuation_after_continuation(c):
    c.send(c.headers(1, end=False, flags=0), frame(CONTINUATION, END_HEADERS, 1, c.block([("x", "y")])))
    c.send(frame(CONTINUATION, END_HEADERS, 1, c.block([("x", "y")])))
    c.must_close(PROTOCOL_ERROR)


@case("6.10 CONTINUATION after DATA")
def continuation_after_data(c):
    c.send(post(c, 1), frame(DATA, 0, 1, b"test"), frame(CONTINUATION, END_HEADERS, 1, c.block([("x", "y")])))
    c.must_close(PROTOCOL_ERROR)


# ---- 7 error codes


@case("7 GOAWAY with an unknown code is nothing special")
def unknown_goaway_code(c):
    c.get(1)
    c.send(frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0xFF)))
    c.response(1)


@case("7 RST_STREAM with an unknown code is nothing special")
def unknown_reset_code(c):
    c.send(post(c, 1), reset(1, 0xFF))
    c.is_alive()


# ---- 8.1 messages


@case("8.1 GET, HEAD, POST, POST with trailers")
def messages(c):
    c.get(1)
    _, body = c.response(1)
    c.send(c.headers(3, c.request_fields(method="HEAD")))
    fields, none = c.response(3)
    if none or not body:
        raise Failed("a HEAD has no body, a GET has one")
    c.send(post(c, 5, ("content-length", "4")), frame(DATA, END_STREAM, 5, b"test"))
    c.response(5)
    c.send(post(c, 7, ("trailer", "x-check")), frame(DATA, 0, 7, b"test"), c.headers(7, [("x-check", "ok")]))
    c.response(7)


@case("8.1 a second HEADERS without END_STREAM")
def second_headers(c):
    c.send(post(c, 1), frame(DATA, 0, 1, b"test"), c.headers(1, [("x-test", "ok")], end=False))
    c.must_reset(1, PROTOCOL_ERROR)


BAD_FIELDS = [
    ("8.2.1 upper case", [("X-TEST", "ok")]),
    ("8.2.1 a blank in a name", [("x test", "ok")]),
    ("8.2.1 an empty name", [("", "ok")]),
    ("8.2.1 NUL in a value", [("x-test", "a\0b")]),
    ("8.2.1 LF in a value", [("x-test", "a\nb")]),
    ("8.2.1 CR in a value", [("x-test", "a\rb")]),
    ("8.2.2 connection", [("connection", "keep-alive")]),
    ("8.2.2 proxy-connection", [("proxy-connection", "keep-alive")]),
    ("8.2.2 keep-alive", [("keep-alive", "timeout=5")]),
    ("8.2.2 transfer-encoding", [("transfer-encoding", "chunked")]),
    ("8.2.2 upgrade", [("upgrade", "h2c")]),
    ("8.2.2 TE other than trailers", [("te", "trailers, deflate")]),
    ("8.3 an unknown pseudo-field", [(":test", "ok")]),
    ("8.3 a pseudo-field of responses", [(":status", "200")]),
    ("8.3.1 :method twice", [(":method", "GET")]),
    ("8.3.1 :scheme twice", [(":scheme", "http")]),
    ("8.3.1 :path twice", [(":path", "/")]),
]
for title, more in BAD_FIELDS:

    @case(title)
    def bad_field(c, more=more):
        c.send(c.headers(1, c.request_fields()[:3] + more))
        c.must_reset(1, PROTOCOL_ERROR)


@case("8.2.2 TE with trailers is fine")
def te_trailers(c):
    c.send(c.headers(1, c.request_fields(("te", "trailers"))))
    c.response(1)


@case("8.3 a pseudo-field after others")
def late_pseudo(c):
    fields = c.request_fields()
    c.send(c.headers(1, fields[:3] + [("x-test", "ok")] + fields[3:]))
    c.must_reset(1, PROTOCOL_ERROR)


@case("8.3 a pseudo-field in trailers")
def pseudo_in_trailers(c):
    c.send(post(c, 1), frame(DATA, 0, 1, b"test"), c.headers(1, [(":method", "POST")]))
    c.must_reset(1, PROTOCOL_ERROR)


for missing in (":method", ":scheme", ":path"):

    @case(f"8.3.1 without {missing}")
    def without(c, missing=missing):
        c.send(c.headers(1, [field for field in c.request_fields() if field[0] != missing]))
        c.must_reset(1, PROTOCOL_ERROR)


@case("8.3.1 an empty :path")
def empty_path(c):
    c.send(c.headers(1, c.request_fields(path="")))
    c.must_reset(1, PROTOCOL_ERROR)


@case("8.1.1 content-length other than the sum of DATA")
def content_length(c):
    c.send(post(c, 1, ("content-length", "1")), frame(DATA, END_STREAM, 1, b"test"))
    c.must_reset(1, PROTOCOL_ERROR)


@case("8.1.1 content-length other than the sum of several DATA")
def content_length_of_many(c):
    c.send(post(c, 1, ("content-length", "1")), frame(DATA, 0, 1, b"te"), frame(DATA, END_STREAM, 1, b"st"))
    c.must_reset(1, PROTOCOL_ERROR)


@case("8.1.1 content-length with no body at all")
def content_length_without_body(c):
    c.send(c.headers(1, c.request_fields(("content-length", "3"), method="POST")))
    c.must_reset(1, PROTOCOL_ERROR)


@case("8.1.1 content-length twice, or no number")
def content_length_twice(c):
    c.send(c.headers(1, c.request_fields(("content-length", "1"), ("content-length", "2")), end=False))
    c.must_reset(1, PROTOCOL_ERROR)
    c.send(c.headers(3, c.request_fields(("content-length", "-1")), end=False))
    c.must_reset(3, PROTOCOL_ERROR)


# ---- RFC 7541


def request_block(c, *raw):
    """A HEADERS frame of a whole request, with raw bytes after its fields."""
    c.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, c.block(c.request_fields()) + b"".join(raw)))


GOOD_BLOCKS = [
    ("2.3.1 an indexed field of the static table", b"\x90"),  # accept-encoding: gzip, deflate
    ("6.2.1 literal, indexed, indexed name", b"\x7a\x04test"),  # user-agent
    ("6.2.1 literal, indexed, indexed name, Huffman", b"\x7a\x83\x49\x50\x9f"),
    ("6.2.1 literal, indexed, new name", b"\x40\x01a\x01b"),
    ("6.2.1 literal, indexed, new name, Huffman", b"\x40\x83\x49\x50\x9f\x83\x49\x50\x9f"),
    ("6.2.2 literal, indexed name", b"\x0f\x2b\x04test"),
    ("6.2.2 literal, new name", b"\x00\x01a\x01b"),
    ("6.2.2 literal, new name, Huffman", b"\x00\x83\x49\x50\x9f\x83\x49\x50\x9f"),
    ("6.2.3 never indexed, indexed name", b"\x1f\x2b\x04test"),
    ("6.2.3 never indexed, new name", b"\x10\x01a\x01b"),
    ("6.2.3 never indexed, new name, Huffman", b"\x10\x83\x49\x50\x9f\x83\x49\x50\x9f"),
    ("2.3.3 an entry of the dynamic table at once", b"\x40\x01a\x01b\xbe"),
    ("5.2 an empty string", b"\x00\x01a\x00"),
]
for title, raw in GOOD_BLOCKS:

    @case(f"HPACK {title}")
    def good_block(c, raw=raw):
        request_block(c, raw)
        c.response(1)


BAD_BLOCKS = [
    ("2.3.3 an index beyond the tables", b"\xff\x7f"),
    ("6.1 index 0", b"\x80"),
    ("6.2.1 a name beyond the tables", b"\x7f\x7f\x04test"),
    ("4.2 a table size update at the end of a block", b"\x21"),
    ("5.1 an integer that is too large", b"\x7f\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x04test"),
    ("5.2 a string longer than the block", b"\x40\x01a\x7e1234"),
    ("5.2 Huffman padding of more than 7 bits", b"\x00\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff"),
    ("5.2 Huffman padding of zeros", b"\x00\x85\xf2\xb2\x4a\x84\xff\x83\x49\x50\x90"),
    ("5.2 Huffman with the end-of-string symbol", b"\x00\x85\xf2\xb2\x4a\x84\xff\x87\x49\x51\xff\xff\xff\xfa\x7f"),
]
for title, raw in BAD_BLOCKS:

    @case(f"HPACK {title}")
    def compression_error(c, raw=raw):
        request_block(c, raw)
        c.must_close(COMPRESSION_ERROR)


@case("HPACK 6.3 table size updates at the start of a block")
def table_sizes(c):
    c.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x20\x3f\xe1\x1f" + c.block(c.request_fields())))
    c.response(1)


@case("HPACK 6.3 a table larger than allowed")
def table_too_large(c):
    c.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x3f\xe2\x1f" + c.block(c.request_fields())))
    c.must_close(COMPRESSION_ERROR)


@case("HPACK the table is the connection's: many requests use it")
def shared_table(c):
    for i in range(50):
        stream = 1 + 2 * i
        c.send(c.headers(stream, c.request_fields(("x-number", str(i % 7)), ("x-long", "v" * (i * 20)))))
        c.response(stream)


def main():
    port = int(sys.argv[1])
    certificate = sys.argv[2] if len(sys.argv) > 2 and sys.argv[2] else None
    wanted = sys.argv[3] if len(sys.argv) > 3 else ""
    failures = 0
    ran = 0
    for title, function, start, first_settings in CASES:
        if wanted not in title:
            continue
        ran += 1
        try:
            with Connection(port, certificate, start=start, first_settings=first_settings) as c:
                function(c)
        except (Failed, OSError) as why:
            failures += 1
            print(f"FAILED {title}: {why}")
    print(f"{ran - failures} of {ran} cases of conformance passed")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
