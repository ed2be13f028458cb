/* session.h - HTTP/2 on a stream of bytes: what server and client have in common.
 *
 * A NetSession joins a NetStream and an nghttp2 session. Input goes through
 * net_session_receive, which only parses; output of whatever was submitted goes out with
 * net_session_flush, in frames collected up to 64 KB for each encryption and write. Policy
 * (which streams, which answers, which limits) is the owner's: its nghttp2 callbacks, with the
 * NetSession as user data. */
#ifndef NET_SESSION_H
#define NET_SESSION_H
#include "stream.h"

typedef struct NetSession {
  NetStream stream;
  nghttp2_session *h2;
  bool is_doomed; /* the last GOAWAY is queued: what the peer still sends is not looked at */
} NetSession;

typedef struct NetSessionKind { /* made once per server or client */
  nghttp2_session_callbacks *callbacks;
  nghttp2_option *options;
  bool is_server;
} NetSessionKind;

/* Callbacks and options that both sides want are set; the owner adds its own. False: no
 * memory. */
bool net_session_kind_init(NetSessionKind *k, bool is_server);
void net_session_kind_free(NetSessionKind *k);
/* Gives s its nghttp2 session, whose user data is s. False: no memory. */
bool net_session_init(NetSession *s, const NetSessionKind *k);
void net_session_free(NetSession *s);

/* Parses. False if the connection cannot go on: a GOAWAY is queued then, and net_session_flush
 * sends it and finishes the stream. */
bool net_session_receive(NetSession *s, const uint8_t *bytes, size_t len);
/* Ends the connection with a GOAWAY that carries this error code. */
void net_session_doom(NetSession *s, uint32_t code);
/* Sends what is queued, as far as the peer takes it; does nothing while the stream is blocked,
 * for on_drained calls it again. Finishes the stream once neither side has anything to say. */
void net_session_flush(NetSession *s);

/* A body to send: memory that stays as it is until its stream is closed. */
typedef struct NetBody {
  const uint8_t *bytes;
  size_t len, sent;
} NetBody;
/* For nghttp2_submit_response and _request: copied once, into the buffer that is written. */
nghttp2_data_provider net_body_provider(NetBody *body);
#endif
