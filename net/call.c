/* call.c - a client's requests and their responses (contract: client.h). */
#include "client.h"
#include "future.h"
#include "heap.h"
#include "lists.h"
#include "strings.h"
#include <stdlib.h>
#include <string.h>

enum {
  FIELDS_MAX = 128,
  OURS = 6, /* :method :scheme :authority :path content-length user-agent */
  NO_COPY = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE,
};

static vk *isolate(const NetCall *call) { return call->client->loop->isolate; }

/* ---- the end ----------------------------------------------------------------------------- */

static void free_call(NetCall *call) {
  vk *c = isolate(call);
  vk_root_remove(c, &call->future);
  vk_root_remove(c, &call->body);
  vk_buf_free(&call->list);
  free(call->bytes);
  free(call->text);
  free(call->fields);
  free(call);
}

static void unlink_call(NetCall *call) {
  NetClient *client = call->client;
  if (call->previous)
    call->previous->next = call->next;
  else
    client->calls = call->next;
  if (call->next)
    call->next->previous = call->previous;
  else
    client->last_call = call->previous;
}

/* The future gets value. nghttp2 may still have the stream: then it is told to forget us. */
static void finish(NetCall *call, V value) {
  NetClient *client = call->client;
  V future = call->future;
  if (call->is_over) return;
  call->is_over = true;
  vk_timer_stop(isolate(call), &call->timer);
  unlink_call(call);
  if (call->stream_id && client->session.h2)
    nghttp2_session_set_stream_user_data(client->session.h2, call->stream_id, NULL);
  vk_future_resolve(isolate(call), future, value);
  free_call(call);
  net_client_calls_changed(client);
  net_client_flush_soon(client);
}

static void abandon(NetCall *call, V error) {
  NetClient *client = call->client;
  if (call->stream_id && client->session.h2)
    nghttp2_submit_rst_stream(client->session.h2, NGHTTP2_FLAG_NONE, call->stream_id,
                              NGHTTP2_CANCEL);
  finish(call, error);
}

static void on_timeout(vk *c, VkTimer *timer) {
  NetCall *call = (NetCall *)((char *)timer - offsetof(NetCall, timer));
  const NetOrigin *o = &call->client->origin;
  abandon(call, vk_errorf(c, VK_SYM(timeout), "no response from %s:%d within %llu ms", o->host,
                          o->port, (unsigned long long)call->timeout_ms));
}

static void on_cancel(vk *c, VkFuture *f) {
  abandon(f->data, vk_errorf(c, VK_SYM(cancelled), "the request was cancelled"));
}

void net_calls_fail(NetClient *client, const char *why) {
  vk *c = client->loop->isolate;
  while (client->calls) finish(client->calls, vk_errorf(c, VK_SYM(io), "%s", why));
}

/* ---- what is sent ------------------------------------------------------------------------ */

static char *put_text(NetCall *call, size_t *used, V string, bool is_name) {
  const VkString *s = VK_STR(string);
  char *to = call->text + *used;
  for (size_t i = 0; i < s->len; i++)
    to[i] = is_name && s->bytes[i] >= 'A' && s->bytes[i] <= 'Z' ? (char)(s->bytes[i] + 32)
                                                                : s->bytes[i];
  *used += s->len;
  return to;
}

static nghttp2_nv *put_field(NetCall *call, const char *name, size_t name_len,
                             const char *value, size_t value_len) {
  nghttp2_nv *f = &call->fields[call->field_count++];
  *f = (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, name_len, value_len, NO_COPY};
  return f;
}
#define PUT_FIELD(call, name, value, len) put_field(call, name, sizeof(name) - 1, value, len)

static bool is_one_of_ours(const char *name, size_t len) {
  static const char *const words[] = {
      "connection",     "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
      "content-length", "host"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strlen(words[i]) == len && !memcmp(words[i], name, len)) return true;
  return false;
}

/* A field of the program's; gives false if it is none that may be sent. */
static bool put_own_field(NetCall *call, size_t *used, V name, V value) {
  size_t len = VK_STR(name)->len;
  const char *lower = put_text(call, used, name, true);
  const VkString *v = VK_STR(value);
  if (!nghttp2_check_header_name((const uint8_t *)lower, len) || lower[0] == ':') return false;
  if (!nghttp2_check_header_value_rfc9113((const uint8_t *)v->bytes, v->len)) return false;
  if (!is_one_of_ours(lower, len))
    put_field(call, lower, len, put_text(call, used, value, false), v->len);
  return true;
}

static size_t text_size(const NetCallSpec *spec) {
  enum { LENGTH_DIGITS = 20 };
  size_t n = VK_STR(spec->method)->len + VK_STR(spec->target)->len +
             VK_STR(spec->authority)->len + LENGTH_DIGITS + 1;
  for (V p = spec->headers; VK_IS_PAIR(p); p = VK_TAIL(p)) {
    V pair = vk_list_of(VK_HEAD(p));
    n += VK_STR(VK_HEAD(pair))->len + VK_STR(VK_HEAD(VK_TAIL(pair)))->len;
  }
  return n;
}

static void put_length(NetCall *call, size_t *used) {
  char *to = call->text + *used;
  int n = snprintf(to, 21, "%zu", call->sending.len);
  *used += (size_t)n;
  PUT_FIELD(call, "content-length", to, (size_t)n);
}

/* NIL, or an error. */
static V put_fields(NetCall *call, const NetCallSpec *spec) {
  vk *c = isolate(call);
  size_t used = 0, own = vk_list_length(spec->headers);
  if (own + OURS > FIELDS_MAX)
    return vk_errorf(c, VK_SYM(range), "a request has at most %d headers", FIELDS_MAX - OURS);
  call->text = malloc(text_size(spec));
  call->fields = calloc(own + OURS, sizeof *call->fields);
  if (!call->text || !call->fields) return vk_out_of_memory(c, text_size(spec));
  const char *method = put_text(call, &used, spec->method, false);
  size_t method_len = VK_STR(spec->method)->len;
  if (!nghttp2_check_method((const uint8_t *)method, method_len))
    return vk_errorf(c, VK_SYM(type), "not the name of a method: %.*s", (int)method_len,
                     method);
  call->is_head = method_len == 4 && !memcmp(method, "HEAD", 4);
  bool is_tls = call->client->origin.is_tls;
  PUT_FIELD(call, ":method", method, method_len);
  PUT_FIELD(call, ":scheme", is_tls ? "https" : "http", is_tls ? 5 : 4);
  PUT_FIELD(call, ":authority", put_text(call, &used, spec->authority, false),
            VK_STR(spec->authority)->len);
  PUT_FIELD(call, ":path", put_text(call, &used, spec->target, false),
            VK_STR(spec->target)->len);
  if (call->sending.len || (method_len == 4 && !memcmp(method, "POST", 4)))
    put_length(call, &used);
  for (V p = spec->headers; VK_IS_PAIR(p); p = VK_TAIL(p)) {
    V pair = vk_list_of(VK_HEAD(p)), name = VK_HEAD(pair);
    if (!put_own_field(call, &used, name, VK_HEAD(VK_TAIL(pair))))
      return vk_errorf(c, VK_SYM(type), "not a header that can be sent: %.80s",
                       VK_STR(name)->bytes);
  }
  return VK_NIL;
}

static void submit(NetCall *call) {
  NetClient *client = call->client;
  nghttp2_data_provider provider = net_body_provider(&call->sending);
  int32_t id = nghttp2_submit_request(client->session.h2, NULL, call->fields, call->field_count,
                                      call->sending.len ? &provider : NULL, call);
  if (id > 0)
    call->stream_id = id;
  else
    finish(call, vk_errorf(isolate(call), VK_SYM(io), "the request cannot be sent: %s",
                           nghttp2_strerror(id)));
}

void net_calls_submit(NetClient *client) {
  for (NetCall *call = client->calls, *next; call; call = next) {
    next = call->next;
    if (!call->stream_id) submit(call);
  }
}

static NetCall *call_new(NetClient *client, const NetCallSpec *spec) {
  vk *c = client->loop->isolate;
  NetCall *call = calloc(1, sizeof *call);
  if (!call) return NULL;
  call->client = client;
  call->future = VK_NIL;
  call->body = spec->body;
  call->sending =
      (NetBody){(const uint8_t *)VK_STR(spec->body)->bytes, VK_STR(spec->body)->len, 0};
  call->timeout_ms = spec->timeout_ms;
  call->max_body = spec->max_body;
  call->timer.fire = on_timeout;
  vk_root_add(c, &call->future);
  vk_root_add(c, &call->body);
  return call;
}

/* At the end of the list: calls that wait for the connection are sent in the order they were
 * made. */
static void link_call(NetCall *call) {
  NetClient *client = call->client;
  call->previous = client->last_call;
  if (client->last_call)
    client->last_call->next = call;
  else
    client->calls = call;
  client->last_call = call;
}

V net_call_start(NetClient *client, const NetCallSpec *spec) {
  static const VkFutureOwner owner = {on_cancel};
  enum { NS_PER_MS = 1000000 };
  vk *c = client->loop->isolate;
  if (!net_client_is_usable(client))
    return vk_errorf(c, VK_SYM(closed), "%s",
                     *client->why ? client->why : "the connection ends");
  NetCall *call = call_new(client, spec);
  if (!call) return vk_out_of_memory(c, sizeof *call);
  V error = put_fields(call, spec);
  if (error != VK_NIL) {
    free_call(call);
    return error;
  }
  V future = call->future = vk_future_new(c, &owner, call);
  link_call(call);
  net_client_calls_changed(client);
  vk_timer_start(c, &call->timer, (int64_t)spec->timeout_ms * NS_PER_MS);
  if (client->state != NET_CLIENT_OPEN) return future;
  submit(call);
  net_client_flush_soon(client);
  return future;
}

/* ---- what comes back --------------------------------------------------------------------- */

static NetCall *call_of(nghttp2_session *h2, int32_t stream_id) {
  return nghttp2_session_get_stream_user_data(h2, stream_id);
}

typedef struct FieldHead {
  uint32_t name_len, value_len;
} FieldHead;

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user) {
  enum { LIST_MAX = 256 << 10 };
  NetCall *call = call_of(h2, frame->hd.stream_id);
  (void)flags, (void)user;
  if (!call || call->len) return 0; /* trailers are not kept */
  if (name_len == 7 && !memcmp(name, ":status", 7)) {
    call->status = (value[0] - '0') * 100 + (value[1] - '0') * 10 + value[2] - '0';
    call->list.len = 0; /* after an informational one */
    return 0;
  }
  if (call->list.len + name_len + value_len > LIST_MAX)
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  FieldHead head = {(uint32_t)name_len, (uint32_t)value_len};
  vk_buf_put(&call->list, (const char *)&head, sizeof head);
  vk_buf_put(&call->list, (const char *)name, name_len);
  vk_buf_put(&call->list, (const char *)value, value_len);
  return 0;
}

static bool make_room(NetCall *call, size_t more) {
  if (call->len + more <= call->room) return true;
  size_t room = call->room ? 2 * call->room : 4096;
  while (room < call->len + more) room *= 2;
  uint8_t *bytes = realloc(call->bytes, room);
  if (!bytes) return false;
  call->bytes = bytes;
  call->room = room;
  return true;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t stream_id, const uint8_t *bytes,
                   size_t len, void *user) {
  NetCall *call = call_of(h2, stream_id);
  (void)flags, (void)user;
  if (!call) return 0;
  if (call->len + len > call->max_body) {
    abandon(call,
            vk_errorf(isolate(call), VK_SYM(range), "the response is longer than %llu bytes",
                      (unsigned long long)call->max_body));
    return 0;
  }
  if (!make_room(call, len)) {
    abandon(call, vk_out_of_memory(isolate(call), call->len + len));
    return 0;
  }
  memcpy(call->bytes + call->len, bytes, len);
  call->len += len;
  return 0;
}

static V headers_of(vk *c, const VkBuf *list) {
  VkListBuilder headers = VK_LIST_BUILDER;
  for (size_t at = 0; at < list->len;) {
    FieldHead head;
    memcpy(&head, list->data + at, sizeof head);
    const char *name = list->data + at + sizeof head;
    V pair[2] = {vk_string(c, name, head.name_len), VK_NIL};
    pair[1] = vk_string(c, name + head.name_len, head.value_len);
    vk_list_add(c, &headers, vk_list_from(c, 2, pair));
    at += sizeof head + head.name_len + head.value_len;
  }
  return vk_list_end(c, &headers, VK_NIL);
}

static V response_of(const NetCall *call) {
  vk *c = isolate(call);
  V items[6] = {VK_SYM(status), VK_FIX(call->status), VK_SYM(headers),
                VK_NIL,         VK_SYM(body),         VK_NIL};
  items[3] = headers_of(c, &call->list);
  items[5] = vk_string(c, (const char *)call->bytes, call->len);
  return vk_list_from(c, 6, items);
}

static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *user) {
  NetClient *client = user;
  if (frame->hd.type == NGHTTP2_GOAWAY) { /* what is under way may be answered, nothing new */
    if (client->state == NET_CLIENT_OPEN) client->state = NET_CLIENT_ENDING;
    return 0;
  }
  if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) return 0;
  NetCall *call = call_of(h2, frame->hd.stream_id);
  if (call && frame->hd.flags & NGHTTP2_FLAG_END_STREAM) call->has_end = true;
  return 0;
}

static int on_stream_close(nghttp2_session *h2, int32_t stream_id, uint32_t code, void *user) {
  NetClient *client = user;
  NetCall *call = call_of(h2, stream_id);
  if (!call) return 0;
  if (call->has_end && call->status) {
    client->answered++;
    finish(call, response_of(call));
  } else {
    finish(call,
           vk_errorf(isolate(call), VK_SYM(io), "%s:%d refused or gave up the request: %s",
                     client->origin.host, client->origin.port, nghttp2_http2_strerror(code)));
  }
  return 0;
}

bool net_call_kind_init(NetSessionKind *k) {
  if (!net_session_kind_init(k, false)) return false;
  nghttp2_session_callbacks_set_on_header_callback(k->callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(k->callbacks, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(k->callbacks, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(k->callbacks, on_stream_close);
  return true;
}
