#!/usr/bin/env python3
"""One request with python3-h2. usage: h2_client.py URL CERTIFICATE METHOD PATH [hash [FILE]]

Prints the status and the body, or its SHA-256; FILE is the body sent.
"""
import hashlib
import socket
import ssl
import sys
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events

url, certificate, method, path = sys.argv[1:5]
hashed = len(sys.argv) > 5
body = open(sys.argv[6], "rb").read() if len(sys.argv) > 6 else b""
parts = urlsplit(url)
sock = socket.create_connection((parts.hostname, parts.port))
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
if parts.scheme == "https":
    context = ssl.create_default_context(cafile=certificate)
    context.set_alpn_protocols(["h2"])
    sock = context.wrap_socket(sock, server_hostname=parts.hostname)
sock.settimeout(60)
connection = h2.connection.H2Connection(config=h2.config.H2Configuration(header_encoding="utf-8"))
connection.initiate_connection()
connection.increment_flow_control_window(1 << 24)
stream = connection.get_next_available_stream_id()
fields = [(":method", method), (":scheme", parts.scheme), (":authority", parts.netloc), (":path", path)]
connection.send_headers(stream, fields, end_stream=not body)
sock.sendall(connection.data_to_send())
sent, status, digest, got, is_over = 0, None, hashlib.sha256(), [], False


def send_what_fits():
    """Sends as much of the body as the windows allow."""
    global sent
    while sent < len(body):
        room = min(connection.local_flow_control_window(stream), connection.max_outbound_frame_size)
        if room <= 0:
            break
        piece = body[sent : sent + room]
        sent += len(piece)
        connection.send_data(stream, piece, end_stream=sent == len(body))
    sock.sendall(connection.data_to_send())


send_what_fits()
while not is_over:
    received = sock.recv(1 << 18)
    if not received:
        sys.exit("the connection was closed")
    for event in connection.receive_data(received):
        if isinstance(event, h2.events.ResponseReceived):
            status = dict(event.headers)[":status"]
        elif isinstance(event, h2.events.DataReceived):
            digest.update(event.data) if hashed else got.append(event.data)
            connection.acknowledge_received_data(event.flow_controlled_length, stream)
        elif isinstance(event, h2.events.StreamEnded):
            is_over = True
        elif isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
            sys.exit(f"ended: {event}")
    send_what_fits()
print(status, digest.hexdigest() if hashed else b"".join(got).decode())
