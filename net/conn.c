/* conn.c - a server's connection: frames to requests, handlers, answers (contract:
 * server.h). */
#include "log.h"
#include "runner.h"
#include "server.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static uint64_t now_of(const NetConn *conn) { return net_loop_now_ms(conn->server->loop); }

/* ---- requests ---------------------------------------------------------------------------- */

static void ready(NetRequest *r) {
  NetServer *s = r->server;
  assert(r->state == NET_ARRIVING);
  if (s->pending >= s->limits.max_waiting || net_server_is_short(s)) {
    net_answer_status(s, r, 503);
    return;
  }
  s->pending++;
  r->state = NET_READY;
  net_runner_add(s->loop, r);
}

static void unlink_request(NetConn *conn, NetRequest *r) {
  if (r->previous)
    r->previous->next = r->next;
  else
    conn->requests = r->next;
  if (r->next) r->next->previous = r->previous;
  r->conn = NULL;
}

static void forget_body(NetServer *s, NetRequest *r) {
  s->body_bytes -= r->body_len;
  r->body_len = 0;
}

static void release_request(NetRequest *r) {
  NetServer *s = r->server;
  forget_body(s, r);
  net_request_give(s->loop, r);
}

/* The stream of r is closed, whyever. A handler that still waits is told so, and keeps the
 * request until it returns. */
static void request_closed(NetConn *conn, NetRequest *r) {
  if (conn->arriving == r) conn->arriving = NULL;
  unlink_request(conn, r);
  if (r->runner) {
    net_runner_cancel(r);
    return;
  }
  if (r->state == NET_READY) {
    net_runner_remove(r->server->loop, r);
    net_server_request_done(r->server);
  }
  release_request(r);
}

/* ---- fields ------------------------------------------------------------------------------ */

static int on_begin_headers(nghttp2_session *h2, const nghttp2_frame *frame, void *user) {
  NetConn *conn = user;
  NetServer *s = conn->server;
  if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
    conn->arriving = NULL;
    conn->trailer_bytes = 0;
    return 0;
  }
  net_gate_opened(&conn->gate, (uint32_t)frame->hd.stream_id);
  NetRequest *r = net_request_take(s->loop);
  conn->arriving = r;
  conn->trailer_bytes = 0;
  if (!r) { /* its fields are counted as trailers; then it is refused */
    nghttp2_submit_rst_stream(h2, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                              NGHTTP2_REFUSED_STREAM);
    return 0;
  }
  r->conn = conn;
  r->server = s;
  r->stream_id = frame->hd.stream_id;
  r->started_ms = r->active_ms = now_of(conn);
  r->next = conn->requests;
  if (r->next) r->next->previous = r;
  conn->requests = r;
  nghttp2_session_set_stream_user_data(h2, r->stream_id, r);
  return 0;
}

/* The list is counted before anything is copied. Beyond the limit the stream is reset and
 * nghttp2 decodes the rest without telling us; somebody who goes on like that is cut off. */
static int list_too_large(NetConn *conn) {
  enum { BAD_LISTS_MAX = 8 };
  if (++conn->bad_lists > BAD_LISTS_MAX) {
    net_session_doom(&conn->session, NGHTTP2_ENHANCE_YOUR_CALM);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user) {
  enum { FIELD_OVERHEAD = 32 };
  NetConn *conn = user;
  NetRequest *r = conn->arriving;
  size_t *total = r ? &r->list_bytes : &conn->trailer_bytes;
  (void)h2, (void)frame, (void)flags;
  *total += name_len + value_len + FIELD_OVERHEAD;
  if (*total > conn->server->limits.max_headers) return list_too_large(conn);
  if (r && !net_request_field(r, name, name_len, value, value_len))
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  return 0;
}

static const NetField *find_field(const NetRequest *r, const char *name, size_t len) {
  for (unsigned i = 0; i < r->field_count; i++)
    if (r->fields[i].name.len == len && !memcmp(r->fields[i].name.bytes, name, len))
      return &r->fields[i];
  return NULL;
}
#define FIND_FIELD(r, name) find_field(r, name, sizeof(name) - 1)

static bool text_is(NetText t, const char *word) {
  return t.len == strlen(word) && !memcmp(t.bytes, word, t.len);
}

/* nghttp2 has checked that it is a number. */
static void note_length(NetRequest *r) {
  const NetField *f = FIND_FIELD(r, "content-length");
  if (!f) return;
  r->announced = 0;
  for (size_t i = 0; i < f->value.len; i++) {
    r->announced = r->announced * 10 + (f->value.bytes[i] - '0');
    if (r->announced > 1LL << 58) return; /* large enough */
  }
}

/* A client that waits before it sends the body. */
static void answer_expectation(NetConn *conn, const NetRequest *r) {
  static const nghttp2_nv go_on = {(uint8_t *)":status", (uint8_t *)"100", 7, 3,
                                   NGHTTP2_NV_FLAG_NO_COPY_NAME |
                                       NGHTTP2_NV_FLAG_NO_COPY_VALUE};
  const NetField *f = FIND_FIELD(r, "expect");
  if (f && text_is(f->value, "100-continue"))
    nghttp2_submit_headers(conn->session.h2, NGHTTP2_FLAG_NONE, r->stream_id, NULL, &go_on, 1,
                           NULL);
}

/* Answers before the body is there, and wants none of it. A client that goes on sending is
 * reset a while later (RFC 9113, 8.1): one that sees both at once (curl 7.88) takes the answer
 * for lost. */
static void reject(NetConn *conn, NetRequest *r, int status) {
  r->is_rejected = true;
  forget_body(conn->server, r);
  net_answer_status(conn->server, r, status);
  r->active_ms = now_of(conn);
}

static void fields_complete(NetConn *conn, NetRequest *r, bool is_end) {
  NetServer *s = conn->server;
  r->has_fields = true;
  r->is_head = text_is(r->method, "HEAD");
  s->requests++;
  if (is_end) {
    ready(r);
    return;
  }
  note_length(r);
  if (r->announced >= 0 && (uint64_t)r->announced > s->limits.max_body)
    reject(conn, r, 413);
  else
    answer_expectation(conn, r);
}

/* ---- frames ------------------------------------------------------------------------------ */

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t stream_id, const uint8_t *bytes,
                   size_t len, void *user) {
  NetConn *conn = user;
  NetServer *s = conn->server;
  NetRequest *r = nghttp2_session_get_stream_user_data(h2, stream_id);
  (void)flags;
  if (!r || r->state != NET_ARRIVING) return 0;
  r->active_ms = now_of(conn);
  if (r->body_len + len > s->limits.max_body)
    reject(conn, r, 413);
  else if (s->body_bytes + len > s->limits.max_body_total || !net_request_body(r, bytes, len))
    reject(conn, r, 503);
  else
    s->body_bytes += len;
  return 0;
}

/* Frames that carry nothing, one after the other. */
static bool is_empty_flood(NetConn *conn, size_t len) {
  enum { EMPTY_FRAMES_MAX = 1000 };
  conn->empty_frames = len ? 0 : conn->empty_frames + 1;
  if (conn->empty_frames <= EMPTY_FRAMES_MAX) return false;
  net_session_doom(&conn->session, NGHTTP2_ENHANCE_YOUR_CALM);
  return true;
}

static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *user) {
  NetConn *conn = user;
  bool is_end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
  NetRequest *r;
  switch (frame->hd.type) {
  case NGHTTP2_HEADERS:
    r = conn->arriving;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      if (r) fields_complete(conn, r, is_end);
      conn->arriving = NULL;
      return 0;
    }
    break;
  case NGHTTP2_DATA:
    if (!is_end && is_empty_flood(conn, frame->hd.length)) return NGHTTP2_ERR_CALLBACK_FAILURE;
    break;
  case NGHTTP2_SETTINGS: conn->has_settings = true; return 0;
  case NGHTTP2_RST_STREAM: conn->reset_by_peer = (uint32_t)frame->hd.stream_id; return 0;
  case NGHTTP2_PING:
    if (frame->hd.flags & NGHTTP2_FLAG_ACK && conn->server->is_draining) net_conn_drain(conn);
    return 0;
  default: return 0;
  }
  if (!is_end) return 0;
  r = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);
  if (r && r->state == NET_ARRIVING) ready(r);
  return 0;
}

static int on_stream_close(nghttp2_session *h2, int32_t stream_id, uint32_t code, void *user) {
  NetConn *conn = user;
  NetRequest *r = nghttp2_session_get_stream_user_data(h2, stream_id);
  bool is_ours = code ? (uint32_t)stream_id != conn->reset_by_peer : r && r->is_rejected;
  if (is_ours) net_gate_reset(&conn->gate, (uint32_t)stream_id);
  if (r) request_closed(conn, r);
  return 0;
}

/* ---- a turn ------------------------------------------------------------------------------ */

void net_conn_answered(NetRequest *r) {
  r->state = NET_ANSWERED;
  if (r->conn) r->conn->since_ms = now_of(r->conn);
}

V net_request_handler(NetRequest *r) {
  assert(r->state == NET_READY);
  r->state = NET_RUNNING;
  return r->server->handler;
}

/* Outside of its own turn a connection is flushed at the end of the scheduler's. */
static void flush_later(NetConn *conn) {
  NetLoop *l = conn->server->loop;
  if (conn->is_in_turn || conn->is_dirty) return;
  conn->is_dirty = true;
  conn->next_dirty = l->dirty;
  l->dirty = conn;
  vk_sched_at_turn_end(l->isolate, &l->flush);
}

static void request_over(NetRequest *r, V result, bool was_stopped) {
  NetServer *s = r->server;
  if (!r->conn) {
    release_request(r);
  } else if (r->state == NET_RUNNING) {
    if (was_stopped)
      net_answer_error(s, r, result, 503);
    else
      net_answer(s, r, result);
    flush_later(r->conn);
  }
  net_server_request_done(s);
}

void net_request_handled(NetRequest *r, V result) { request_over(r, result, false); }
void net_request_stopped(NetRequest *r, V error) { request_over(r, error, true); }

void net_request_refused(NetRequest *r) {
  net_answer_status(r->server, r, 503);
  net_server_request_done(r->server);
}

void net_conn_flush_dirty(vk *c, VkTurnHook *hook) {
  NetLoop *l = c->net;
  (void)hook;
  for (NetConn *conn; (conn = l->dirty);) {
    l->dirty = conn->next_dirty;
    conn->is_dirty = false;
    if (!conn->session.stream.is_closing) net_conn_flush(conn);
  }
}

static void forget_dirty(NetConn *conn) {
  NetConn **at = &conn->server->loop->dirty;
  if (!conn->is_dirty) return;
  while (*at != conn) at = &(*at)->next_dirty;
  *at = conn->next_dirty;
}

void net_conn_flush(NetConn *conn) {
  NetStream *stream = &conn->session.stream;
  net_session_flush(&conn->session);
  uint64_t now = now_of(conn);
  if (!stream->is_blocked)
    conn->blocked_ms = 0;
  else if (!conn->blocked_ms)
    conn->blocked_ms = now ? now : 1;
  if (stream->is_finishing && !conn->finish_ms) conn->finish_ms = now;
}

static bool receive(void *session, const uint8_t *bytes, size_t len) {
  return net_session_receive(session, bytes, len);
}

static void on_bytes(NetStream *stream, const uint8_t *bytes, size_t len) {
  NetConn *conn = (NetConn *)stream;
  NetSession *session = &conn->session;
  if (session->is_doomed) return;
  uint32_t error = net_gate(&conn->gate, session->h2, bytes, len, receive, session);
  if (error) net_session_doom(session, error);
}

static void on_read(NetStream *stream) {
  NetConn *conn = (NetConn *)stream;
  conn->is_in_turn = true;
  net_runner_run(conn->server->loop);
  conn->is_in_turn = false;
  net_conn_flush(conn);
}

static void on_drained(NetStream *stream) { net_conn_flush((NetConn *)stream); }

/* ---- life -------------------------------------------------------------------------------- */

static void on_ready(NetStream *stream) {
  NetConn *conn = (NetConn *)stream;
  const NetLimits *limits = &conn->server->limits;
  enum { WINDOW = 256 << 10 };
  nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits->max_streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits->max_headers},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  };
  nghttp2_session *h2 = conn->session.h2;
  nghttp2_submit_settings(h2, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof *settings);
  nghttp2_session_set_local_window_size(h2, NGHTTP2_FLAG_NONE, 0, 4 * WINDOW);
  if (!stream->ssl) net_conn_flush(conn);
}

static void on_end(NetStream *stream, const char *why) {
  (void)why;
  net_stream_close(stream);
}

static void on_closed(NetStream *stream) {
  NetConn *conn = (NetConn *)stream;
  NetServer *s = conn->server;
  while (conn->requests) request_closed(conn, conn->requests);
  forget_dirty(conn);
  net_session_free(&conn->session);
  if (conn->previous)
    conn->previous->next = conn->next;
  else
    s->conns = conn->next;
  if (conn->next) conn->next->previous = conn->previous;
  free(conn);
  net_server_conn_closed(s);
}

static const NetStreamEvents events = {.on_ready = on_ready,
                                       .on_bytes = on_bytes,
                                       .on_read = on_read,
                                       .on_drained = on_drained,
                                       .on_end = on_end,
                                       .on_closed = on_closed};

static void link_conn(NetServer *s, NetConn *conn) {
  conn->next = s->conns;
  if (s->conns) s->conns->previous = conn;
  s->conns = conn;
  s->conn_count++;
}

/* One that cannot be served is accepted and closed: it would else stay in the queue. */
void net_conn_open(NetServer *s, uv_stream_t *listener) {
  NetConn *conn = calloc(1, sizeof *conn);
  if (!conn) return;
  conn->server = s;
  net_gate_init(&conn->gate);
  conn->since_ms = net_loop_now_ms(s->loop);
  NetStream *stream = &conn->session.stream;
  if (net_stream_init(stream, s->loop, &events)) {
    free(conn);
    return;
  }
  link_conn(s, conn);
  SSL *ssl = NULL;
  bool is_ok = uv_accept(listener, (uv_stream_t *)&stream->tcp) == 0 &&
               s->conn_count <= s->limits.max_connections &&
               net_session_init(&conn->session, &s->kind) &&
               (!s->tls || (ssl = SSL_new(s->tls)));
  if (!is_ok) {
    s->refused++;
    net_stream_close(stream);
    return;
  }
  if (ssl) SSL_set_accept_state(ssl);
  net_stream_start(stream, ssl);
}

/* ---- shutdown ---------------------------------------------------------------------------- */

/* RFC 9113, 6.8: first a GOAWAY that refuses nothing, then, a round trip later, the one that
 * says which requests were taken. The PING that measures it is flushed apart: nghttp2 would
 * send it first. */
void net_conn_drain(NetConn *conn) {
  nghttp2_session *h2 = conn->session.h2;
  NetStream *stream = &conn->session.stream;
  if (conn->has_told_end || stream->is_ended || stream->is_finishing || !stream->is_ready)
    return;
  if (!conn->drain_ms) {
    conn->drain_ms = now_of(conn);
    nghttp2_submit_shutdown_notice(h2);
    net_conn_flush(conn);
    nghttp2_submit_ping(h2, NGHTTP2_FLAG_NONE, NULL);
    return;
  }
  conn->has_told_end = true;
  nghttp2_submit_goaway(h2, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(h2),
                        NGHTTP2_NO_ERROR, NULL, 0);
}

/* ---- time -------------------------------------------------------------------------------- */

static bool has_passed(uint64_t since, uint64_t limit, uint64_t now) {
  return limit && now > since && now - since >= limit;
}

static void handler_too_slow(NetConn *conn, NetRequest *r) {
  net_log("%.*s %.*s: no answer within %llu ms", (int)r->method.len, r->method.bytes,
          (int)r->target.len, r->target.bytes,
          (unsigned long long)conn->server->limits.handler_ms);
  net_answer_status(conn->server, r, 503);
  net_runner_cancel(r);
}

static void check_requests(NetConn *conn, uint64_t now) {
  enum { REJECTED_MS = 500 };
  const NetLimits *limits = &conn->server->limits;
  for (NetRequest *r = conn->requests, *next; r; r = next) {
    next = r->next;
    if (r->is_rejected && has_passed(r->active_ms, REJECTED_MS, now))
      nghttp2_submit_rst_stream(conn->session.h2, NGHTTP2_FLAG_NONE, r->stream_id,
                                NGHTTP2_NO_ERROR);
    if (r->state == NET_RUNNING && has_passed(r->active_ms, limits->handler_ms, now))
      handler_too_slow(conn, r);
    if (r->state != NET_ARRIVING) continue;
    bool is_late = r->has_fields ? has_passed(r->active_ms, limits->body_ms, now)
                                 : has_passed(r->started_ms, limits->headers_ms, now);
    if (!is_late) continue;
    if (!r->has_fields) { /* nothing else can come before its last field */
      net_session_doom(&conn->session, NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    reject(conn, r, 408);
  }
}

void net_conn_check_time(NetConn *conn, uint64_t now) {
  enum { GOODBYE_MS = 1000, ROUND_TRIP_MS = 1000 };
  const NetLimits *limits = &conn->server->limits;
  NetStream *stream = &conn->session.stream;
  if (stream->is_closing) return;
  if (stream->is_finishing) {
    if (has_passed(conn->finish_ms, GOODBYE_MS, now)) net_stream_close(stream);
    return;
  }
  if (conn->blocked_ms && has_passed(conn->blocked_ms, limits->write_ms, now)) {
    net_stream_close(stream);
    return;
  }
  if (!conn->has_settings) {
    if (!has_passed(conn->since_ms, limits->handshake_ms, now)) return;
    if (!stream->is_ready) {
      net_stream_close(stream);
      return;
    }
    net_session_doom(&conn->session, NGHTTP2_SETTINGS_TIMEOUT);
  } else if (!conn->requests) {
    if (has_passed(conn->since_ms, limits->idle_ms, now))
      net_session_doom(&conn->session, NGHTTP2_NO_ERROR);
  } else {
    check_requests(conn, now);
  }
  if (conn->drain_ms && has_passed(conn->drain_ms, ROUND_TRIP_MS, now)) net_conn_drain(conn);
  net_conn_flush(conn);
}

/* ---- nghttp2's part ---------------------------------------------------------------------- */

bool net_conn_kind(NetServer *s) {
  if (!net_session_kind_init(&s->kind, true)) return false;
  nghttp2_session_callbacks *calls = s->kind.callbacks;
  nghttp2_session_callbacks_set_on_begin_headers_callback(calls, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_stream_close);
  nghttp2_option_set_stream_reset_rate_limit(s->kind.options, 1000, 33);
  nghttp2_option_set_max_outbound_ack(s->kind.options, 1000);
  nghttp2_option_set_no_closed_streams(s->kind.options, 1);
  nghttp2_option_set_max_settings(s->kind.options, 32);
  return true;
}
