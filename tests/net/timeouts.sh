# Clients that keep the server waiting are cut off, each after its own time; the others are served.
cat >server.valk <<'END'
(http2/listen {:host "127.0.0.1" :port 0 :handshake-ms 700 :headers-ms 700 :body-ms 700 :idle-ms 1500
               :write-ms 700 :max-connections 20}
  (\ {r} {if (== (req/path r) "/large") {make-string 3000000 "0123456789"} "x"}))
END
serve server
python3 - "$port" <<'END'
import socket, sys, time
port = int(sys.argv[1])
PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
frame = lambda t, fl, sid, p=b'': len(p).to_bytes(3, 'big') + bytes([t, fl]) + sid.to_bytes(4, 'big') + p
GET = b'\x82\x86\x84\x01\x01a'
POST = b'\x83\x86\x84\x01\x01a'
LARGE = b'\x82\x86\x04\x06/large\x01\x01a'
SETTINGS = frame(4, 0, 0)
stages = {                              # what is sent, the second in which the end must come
    'nothing': (b'', 0.5, 2),
    'half a preface': (PREFACE[:10], 0.5, 2),
    'no settings': (PREFACE, 0.5, 2),
    'fields without end': (PREFACE + SETTINGS + frame(1, 1, 1, GET[:2]), 0.5, 3),
    'idle': (PREFACE + SETTINGS, 1.2, 3.5),
    'idle after a request': (PREFACE + SETTINGS + frame(1, 5, 1, GET), 1.2, 3.5),
}
conns = {}
start = time.time()
for name, (data, low, high) in stages.items():
    s = socket.create_connection(('127.0.0.1', port)); s.sendall(data); s.settimeout(5); conns[name] = s
# a body that stops: 408, the connection stays until it is idle
late = socket.create_connection(('127.0.0.1', port)); late.settimeout(5)
late.sendall(PREFACE + SETTINGS + frame(1, 4, 1, POST) + frame(0, 0, 1, b'abc'))
# a response that nobody reads
stuck = socket.socket(); stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
stuck.connect(('127.0.0.1', port))
stuck.sendall(PREFACE + frame(4, 0, 0, b'\0\4\x7f\xff\xff\xff') + frame(8, 0, 0, b'\x7f\0\0\0') + frame(1, 5, 1, LARGE))
def ended(s):
    data = b''
    try:
        while (d := s.recv(65536)): data += d
    except ConnectionResetError: pass
    return data
for name, s in conns.items():
    data = ended(s); took = time.time() - start
    low, high = stages[name][1:]
    assert low <= took <= high, (name, took)
    if name.startswith('idle'): assert frame(7, 0, 0)[3:] in data, (name, data)   # GOAWAY
data = ended(late)
assert b'408' in data or b'\x08\x0340' in data or len(data) > 60, data
time.sleep(max(0, start + 2.5 - time.time()))
stuck.settimeout(2); got = len(ended(stuck))
assert got < 30000000, got
END
is "$(h2c "http://127.0.0.1:$port/")" x
# more connections than allowed: the surplus is closed, and the log says so
python3 - "$port" <<'END'
import socket, sys, time
time.sleep(0.5)                         # the connection before is gone
conns = [socket.create_connection(('127.0.0.1', int(sys.argv[1]))) for _ in range(30)]
time.sleep(0.3)
closed = 0
for s in conns:
    s.setblocking(False)
    try: closed += s.recv(10) == b''
    except BlockingIOError: pass
    except ConnectionResetError: closed += 1
assert closed == 10, closed
END
told() { grep -q "10 connections refused" server.log; }
within 3 told
is "$(h2c "http://127.0.0.1:$port/")" x
stop
