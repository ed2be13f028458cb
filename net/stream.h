/* stream.h - a connection as a stream of bytes: TCP, with TLS or without.
 *
 * The owner embeds a NetStream, sets `events` and calls net_stream_start with an accepted or
 * connected socket. Then, on the loop's thread:
 *
 *   read        on_bytes for each piece of one read, then on_read once: the place to answer
 *   write       append to net_stream_out(s), net_stream_send: one encryption, one system call
 *   backlog     what the kernel does not take stays queued: is_blocked is true and nothing
 *               may be sent until on_drained
 *   end         net_stream_close, or on_end if the peer or the system ended it; on_closed once,
 *               last: then the memory is the owner's again
 *
 * Nothing is written but by net_stream_send. A stream whose peer does not read is not read from
 * either, so a peer cannot make us queue. TLS: decryption runs straight from the read buffer
 * and encryption straight into the write buffer (a BIO without memory of its own). */
#ifndef NET_STREAM_H
#define NET_STREAM_H
#include "loop.h"
#include <openssl/ssl.h>

typedef struct NetStream NetStream;
typedef struct NetStreamEvents {
  void (*on_ready)(NetStream *s); /* connected and, with TLS, authenticated: may be sent to */
  void (*on_bytes)(NetStream *s, const uint8_t *bytes, size_t len);
  void (*on_read)(NetStream *s);
  void (*on_drained)(NetStream *s);
  void (*on_end)(NetStream *s, const char *why); /* why: NULL if the peer closed it in order */
  void (*on_closed)(NetStream *s);
} NetStreamEvents;

struct NetStream {
  uv_tcp_t tcp;
  NetLoop *loop;
  const NetStreamEvents *events;
  SSL *ssl;              /* NULL: cleartext */
  const uint8_t *unread; /* encrypted bytes of this read that OpenSSL has not had */
  size_t unread_len;
  uv_shutdown_t shutdown; /* data: NULL until it is asked for */
  unsigned pending_writes;
  bool is_ready; /* may be sent to */
  bool is_reading, is_blocked;
  bool is_finishing; /* net_stream_finish was called */
  size_t dropped;    /* bytes that came since */
  bool is_ended, is_closing;
};

/* A TCP socket to accept or connect with; 0 or a code of libuv. */
int net_stream_init(NetStream *s, NetLoop *l, const NetStreamEvents *events);
/* Starts the stream: s->tcp is connected. ssl: set up with its role (accept or connect state)
 * and owned by s from now on, or NULL. */
void net_stream_start(NetStream *s, SSL *ssl);

/* Where plain bytes to send are appended: bytes[len], at most up to NET_BUFFER_BYTES. It is the
 * loop's: between the first byte and net_stream_send nothing else may use it. */
static inline NetBuffer *net_stream_out(NetStream *s) { return s->loop->out; }
/* Sends what was appended, and empties it. Requires: is_ready and not is_blocked. */
void net_stream_send(NetStream *s);

/* No more on_bytes and nothing more to send; what is queued is still written, then the end of
 * the stream. It is closed (on_closed) when the peer ends it, too; the owner closes it if that
 * takes too long. */
void net_stream_finish(NetStream *s);
/* Closes at once. */
void net_stream_close(NetStream *s);
#endif
