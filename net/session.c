/* session.c - nghttp2 between a stream and its owner (contract: session.h). */
#include "session.h"
#include <assert.h>
#include <string.h>

/* ---- bodies ------------------------------------------------------------------------------ */

static ssize_t offer_body(nghttp2_session *h2, int32_t stream_id, uint8_t *to, size_t room,
                          uint32_t *flags, nghttp2_data_source *source, void *user) {
  NetBody *body = source->ptr;
  size_t n = body->len - body->sent;
  (void)h2, (void)stream_id, (void)to, (void)user;
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (n <= room)
    *flags |= NGHTTP2_DATA_FLAG_EOF;
  else
    n = room;
  return (ssize_t)n;
}

nghttp2_data_provider net_body_provider(NetBody *body) {
  return (nghttp2_data_provider){.source.ptr = body, .read_callback = offer_body};
}

enum { FRAME_HEAD_BYTES = 9 };

/* Padding is never asked for, so a DATA frame is its head and its bytes. nghttp2 goes on from
 * frame to frame: a full buffer has to stop it, and the frame comes again. */
static int put_data(nghttp2_session *h2, nghttp2_frame *frame, const uint8_t *head, size_t len,
                    nghttp2_data_source *source, void *user) {
  NetSession *s = user;
  NetBody *body = source->ptr;
  NetBuffer *out = net_stream_out(&s->stream);
  (void)h2, (void)frame;
  if (out->len >= NET_WRITE_BYTES) return NGHTTP2_ERR_WOULDBLOCK;
  assert(out->len + FRAME_HEAD_BYTES + len <= NET_BUFFER_BYTES);
  memcpy(out->bytes + out->len, head, FRAME_HEAD_BYTES);
  memcpy(out->bytes + out->len + FRAME_HEAD_BYTES, body->bytes + body->sent, len);
  out->len += FRAME_HEAD_BYTES + len;
  body->sent += len;
  return 0;
}

/* ---- making ------------------------------------------------------------------------------ */

bool net_session_kind_init(NetSessionKind *k, bool is_server) {
  *k = (NetSessionKind){.is_server = is_server};
  if (nghttp2_session_callbacks_new(&k->callbacks)) return false;
  if (nghttp2_option_new(&k->options)) {
    nghttp2_session_callbacks_del(k->callbacks);
    return false;
  }
  nghttp2_session_callbacks_set_send_data_callback(k->callbacks, put_data);
  return true;
}

void net_session_kind_free(NetSessionKind *k) {
  nghttp2_session_callbacks_del(k->callbacks);
  nghttp2_option_del(k->options);
  *k = (NetSessionKind){0};
}

bool net_session_init(NetSession *s, const NetSessionKind *k) {
  nghttp2_mem *blocks = &s->stream.loop->memory.blocks;
  int failed = k->is_server
                   ? nghttp2_session_server_new3(&s->h2, k->callbacks, s, k->options, blocks)
                   : nghttp2_session_client_new3(&s->h2, k->callbacks, s, k->options, blocks);
  return !failed;
}

void net_session_free(NetSession *s) {
  nghttp2_session_del(s->h2);
  s->h2 = NULL;
}

/* ---- in and out -------------------------------------------------------------------------- */

void net_session_doom(NetSession *s, uint32_t code) {
  if (s->is_doomed) return;
  s->is_doomed = true;
  nghttp2_session_terminate_session(s->h2, code);
}

static uint32_t goaway_code(ssize_t error) {
  switch (error) {
  case NGHTTP2_ERR_FLOODED: return NGHTTP2_ENHANCE_YOUR_CALM;
  case NGHTTP2_ERR_BAD_CLIENT_MAGIC: return NGHTTP2_PROTOCOL_ERROR;
  default: return NGHTTP2_INTERNAL_ERROR;
  }
}

bool net_session_receive(NetSession *s, const uint8_t *bytes, size_t len) {
  if (s->is_doomed) return false;
  ssize_t n = nghttp2_session_mem_recv(s->h2, bytes, len);
  if (n < 0) net_session_doom(s, goaway_code(n));
  /* nghttp2 found an error that ends the connection, and queued its GOAWAY. */
  if (!nghttp2_session_want_read(s->h2)) s->is_doomed = true;
  return !s->is_doomed;
}

/* Frames into the stream's buffer until it is full or there are none: false then. */
static bool collect(NetSession *s, NetBuffer *out) {
  const uint8_t *frame;
  while (out->len < NET_WRITE_BYTES) {
    ssize_t n = nghttp2_session_mem_send(s->h2, &frame);
    if (n < 0) s->is_doomed = true; /* no memory: nothing more can be said */
    if (n <= 0) break;
    assert(out->len + (size_t)n <= NET_BUFFER_BYTES);
    memcpy(out->bytes + out->len, frame, (size_t)n);
    out->len += (size_t)n;
  }
  return out->len >= NET_WRITE_BYTES;
}

void net_session_flush(NetSession *s) {
  NetStream *stream = &s->stream;
  bool has_more = true;
  while (has_more && stream->is_ready && !stream->is_blocked && !stream->is_ended) {
    has_more = collect(s, net_stream_out(stream));
    if (net_stream_out(stream)->len) net_stream_send(stream);
  }
  if (has_more || stream->is_blocked || stream->is_ended) return;
  if (!nghttp2_session_want_read(s->h2) && !nghttp2_session_want_write(s->h2))
    net_stream_finish(stream);
}
