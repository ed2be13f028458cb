"""HTTP/2 by hand: frames as bytes, for tests of what a server does with good and bad ones (RFC 9113).

A Connection sends exactly what it is told and answers nothing by itself but the server's SETTINGS, so
every rule can be broken. Times are seconds. What is expected and does not come within PATIENCE raises Failed.
"""
import socket
import ssl
import struct
import time

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
PATIENCE = 5.0

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = 0, 1, 2, 3, 4
PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 5, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS = 1, 2, 3
INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = 4, 5, 6

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0, 1, 2, 3
STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL = 5, 6, 7, 8
COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 9, 11


class Failed(Exception):
    """The server did not do what it must."""


def frame(kind, flags=0, stream=0, payload=b""):
    """The bytes of one frame; the length is the payload's, whatever is allowed."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(*pairs):
    """A SETTINGS frame of (identifier, value) pairs."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def priority(stream, depends_on, weight=15):
    return frame(PRIORITY, 0, stream, struct.pack(">IB", depends_on, weight))


def reset(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


class Frame:
    def __init__(self, kind, flags, stream, payload):
        self.kind, self.flags, self.stream, self.payload = kind, flags, stream, payload

    @property
    def code(self):
        """The error code of a RST_STREAM or GOAWAY."""
        at = 0 if self.kind == RST_STREAM else 4
        return struct.unpack_from(">I", self.payload, at)[0]

    def __repr__(self):
        return f"frame(kind {self.kind}, flags {self.flags:#x}, stream {self.stream}, {self.payload[:24]!r})"


class Connection:
    """A client's connection to (host, port); `certificate`: the file to verify with, or None for cleartext."""

    def __init__(self, port, certificate=None, host="127.0.0.1", start=True, first_settings=(), receive_buffer=0):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if certificate:
            context = ssl.create_default_context(cafile=certificate)
            context.set_alpn_protocols(["h2"])
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.port = port
        self.buffer = b""
        self.is_ended = False
        self.encoder = hpack.Encoder()
        self.decoder = hpack.Decoder()
        self.server_settings = {}
        self.seen = []  # frames read, in order
        if start:
            self.send(PREFACE + settings(*first_settings))
            self.wait_for_settings()

    # ---- sending

    def send(self, *parts):
        """Sends bytes. A server that has closed already is met when something is expected of it."""
        self.socket.settimeout(PATIENCE)
        try:
            self.socket.sendall(b"".join(parts))
        except OSError:
            pass

    def request_fields(self, *more, method="GET", path="/", scheme=None, authority="localhost"):
        if scheme is None:
            scheme = "https" if isinstance(self.socket, ssl.SSLSocket) else "http"
        fields = [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority)]
        return fields + list(more)

    def block(self, fields):
        """A header block; nothing is left out, put in order or checked."""
        return self.encoder.encode(fields)

    def headers(self, stream, fields=None, end=True, flags=END_HEADERS, before=b"", after=b""):
        """A HEADERS frame; before and after surround the block (priority, padding)."""
        block = self.block(self.request_fields() if fields is None else fields)
        return frame(HEADERS, flags | (END_STREAM if end else 0), stream, before + block + after)

    def get(self, stream, path="/"):
        self.send(self.headers(stream, self.request_fields(path=path)))

    # ---- receiving

    def read(self, patience=PATIENCE):
        """The next frame; None when the server has closed the connection. Raises TimeoutError."""
        until = time.monotonic() + patience
        while True:
            if len(self.buffer) >= 9:
                length = int.from_bytes(self.buffer[:3], "big")
                if len(self.buffer) >= 9 + length:
                    kind, flags, stream = struct.unpack_from(">BBI", self.buffer, 3)
                    got = Frame(kind, flags, stream & 0x7FFFFFFF, self.buffer[9 : 9 + length])
                    self.buffer = self.buffer[9 + length :]
                    self.seen.append(got)
                    return got
            if self.is_ended:
                return None
            self.socket.settimeout(max(0.0, until - time.monotonic()))
            try:
                piece = self.socket.recv(1 << 18)
            except (TimeoutError, BlockingIOError, ssl.SSLWantReadError):
                raise TimeoutError from None
            except OSError:
                piece = b""
            if piece:
                self.buffer += piece
            else:
                self.is_ended = True

    def wait_for(self, wanted, what, patience=PATIENCE):
        """The first frame for which wanted(frame) is true."""
        until = time.monotonic() + patience
        last = None
        while True:
            try:
                got = self.read(max(0.0, until - time.monotonic()))
            except TimeoutError:
                raise Failed(f"{what}: nothing came; the last was {last}") from None
            if got is None:
                raise Failed(f"{what}: the connection was closed; the last was {last}")
            self.answer(got)
            if wanted(got):
                return got
            last = got

    def answer(self, got):
        if got.kind == SETTINGS and not got.flags & ACK:
            for at in range(0, len(got.payload), 6):
                name, value = struct.unpack_from(">HI", got.payload, at)
                self.server_settings[name] = value
            self.send(frame(SETTINGS, ACK))

    def wait_for_settings(self):
        self.wait_for(lambda f: f.kind == SETTINGS and not f.flags & ACK, "the server's SETTINGS")

    def response(self, stream, patience=PATIENCE):
        """(fields, body) of the response on stream, read to its end; windows are not updated."""
        fields, body = None, b""
        while True:
            got = self.wait_for(
                lambda f: f.stream == stream and f.kind in (DATA, HEADERS, RST_STREAM) or f.kind == GOAWAY,
                f"a response on stream {stream}",
                patience,
            )
            if got.kind in (RST_STREAM, GOAWAY):
                if got.kind == GOAWAY and got.code == NO_ERROR:
                    continue
                raise Failed(f"no response on stream {stream} but {got}")
            if got.kind == DATA:
                body += got.payload
            else:
                decoded = dict(self.decoder.decode(got.payload))
                if fields is None and not decoded[":status"].startswith("1"):
                    fields = decoded
            if got.flags & END_STREAM:
                return fields, body

    # ---- what must come

    def is_alive(self):
        """The server answers a PING: whatever came before was not an error of the connection."""
        data = b"is-alive"
        self.send(frame(PING, 0, 0, data))
        self.wait_for(lambda f: f.kind == PING and f.flags & ACK and f.payload == data, "the answer to a PING")

    def must_close(self, *codes):
        """GOAWAY with one of codes and the end of the connection, or just its end."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                got = self.read(max(0.0, until - time.monotonic()))
            except TimeoutError:
                raise Failed("the connection was not closed") from None
            if got is None:
                return
            if got.kind == GOAWAY and got.code != NO_ERROR and got.code not in codes:
                raise Failed(f"GOAWAY with code {got.code}, not one of {codes}")

    def must_reset(self, stream, *codes):
        """RST_STREAM with one of codes, or the connection ended with one of them."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                got = self.read(max(0.0, until - time.monotonic()))
            except TimeoutError:
                raise Failed(f"stream {stream} was not reset") from None
            if got is None:
                return
            self.answer(got)
            if got.kind == RST_STREAM and got.stream == stream or got.kind == GOAWAY and got.code != NO_ERROR:
                if got.code not in codes:
                    raise Failed(f"code {got.code}, not one of {codes}: {got}")
                return

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
