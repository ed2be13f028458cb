/* answer.c - what a handler gave, to a response (contract: server.h).
 *
 *   "text"                                       200, text/plain
 *   {:status 201 :headers {{"n" "v"}..} :content-type "t" :body "b"}  each part may be left out
 *   anything else, an error too                  500 with nothing said; why goes to the log
 *
 * nghttp2 gets pointers that live as long as the request. A result on the heap is a root until the
 * stream is closed, and its strings are not copied, but for field names, into lower case. What is in scratch
 * goes when the handler is done: of a result there all strings are copied, except that a body on the heap is the root. */
#include "errors.h"
#include "field.h"
#include "lists.h"
#include "log.h"
#include "print.h"
#include "scratch.h"
#include "server.h"
#include "strings.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  FIELDS_MAX = 128,
  NO_COPY = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE
};
static const char text_plain[] = "text/plain; charset=utf-8";

typedef struct Answer {
  int status;
  V body, headers, content_type; /* VK_NIL: not given */
  bool is_temporary;             /* what holds them is */
  bool has_date, has_type;
  nghttp2_nv fields[FIELDS_MAX];
  size_t count;
  char why[256]; /* not empty: it is no response, because */
} Answer;

static nghttp2_nv field(const char *name, size_t name_len, const char *value,
                        size_t value_len) {
  return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, name_len, value_len, NO_COPY};
}
#define FIELD(name, value, len) field(name, sizeof(name) - 1, value, len)

/* ---- submitting -------------------------------------------------------------------------- */

/* The usual ones are static; the others are written into the request's memory. */
static const char *status_text(NetRequest *r, int status) {
  switch (status) {
  case 200: return "200";
  case 204: return "204";
  case 304: return "304";
  case 404: return "404";
  }
  char *p = net_request_bytes(r, 3);
  if (!p) return "500";
  p[0] = (char)('0' + status / 100);
  p[1] = (char)('0' + status / 10 % 10);
  p[2] = (char)('0' + status % 10);
  return p;
}

static size_t decimal(char to[20], size_t n) {
  char digits[20];
  size_t len = 0;
  do digits[len++] = (char)('0' + n % 10);
  while (n /= 10);
  for (size_t i = 0; i < len; i++) to[i] = digits[len - 1 - i];
  return len;
}

static bool may_have_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

static void log_access(const NetServer *s, const NetRequest *r) {
  net_log("%.*s %.*s %d %zu %llums", (int)r->method.len, r->method.bytes, (int)r->target.len,
          r->target.bytes, r->status, r->answer.len,
          (unsigned long long)(net_loop_now_ms(s->loop) - r->started_ms));
}

/* fields[0] is :status; date and length come on top. */
static void submit(NetServer *s, NetRequest *r, nghttp2_nv *fields, size_t count,
                   bool has_date) {
  r->status = (fields[0].value[0] - '0') * 100 + (fields[0].value[1] - '0') * 10 +
              fields[0].value[2] - '0';
  if (!has_date) fields[count++] = FIELD("date", net_loop_date(s->loop), NET_DATE_BYTES);
  if (may_have_body(r->status)) {
    char *digits = net_request_bytes(r, 20);
    if (digits)
      fields[count++] = FIELD("content-length", digits, decimal(digits, r->answer.len));
  } else {
    r->answer.len = 0;
  }
  bool has_data = r->answer.len && !r->is_head;
  nghttp2_data_provider provider = net_body_provider(&r->answer);
  nghttp2_submit_response(r->conn->session.h2, r->stream_id, fields, count,
                          has_data ? &provider : NULL);
  if (s->logs_access) log_access(s, r);
  net_conn_answered(r);
}

void net_answer_status(NetServer *s, NetRequest *r, int status) {
  nghttp2_nv fields[4];
  size_t count = 0;
  r->answer = (NetBody){NULL, 0, 0};
  fields[count++] = FIELD(":status", status_text(r, status), 3);
  if (status == 503) fields[count++] = FIELD("retry-after", "1", 1);
  submit(s, r, fields, count, false);
}

/* ---- what the handler gave --------------------------------------------------------------- */

static void refuse(Answer *a, const char *what, V got) {
  VkBuf b = {0};
  vk_show(&b, got, true);
  enum { SHOWN = 80 };
  snprintf(a->why, sizeof a->why, "%s: %.*s", what, b.len < SHOWN ? (int)b.len : SHOWN, b.data);
  vk_buf_free(&b);
}

static void take_status(Answer *a, V v) {
  long status = -1;
  if (VK_IS_FIX(v))
    status = (long)VK_INT(v);
  else if (VK_IS_STRING(v) && VK_STR(v)->len == 3)
    status = strtol(VK_STR(v)->bytes, NULL, 10);
  if (status < 200 || status > 599)
    refuse(a, "a :status is a number from 200 to 599, not", v);
  else
    a->status = (int)status;
}

static void take_option(Answer *a, V key, V v) {
  if (key == VK_SYM(status))
    take_status(a, v);
  else if (key == VK_SYM(body))
    a->body = v;
  else if (key == VK_SYM(headers))
    a->headers = v;
  else if (key == VK_SYM(content_type))
    a->content_type = v;
}

/* Other keys are for the program's own use. */
static void take_plist(Answer *a, V list) {
  for (V p = list; VK_IS_PAIR(p); p = VK_TAIL(VK_TAIL(p))) {
    V key = VK_HEAD(p);
    if (!VK_IS_KIND(key, VK_SYMBOL)) {
      refuse(a, "a response is a string or a list of keywords and values, not", list);
      return;
    }
    if (!VK_IS_PAIR(VK_TAIL(p))) {
      refuse(a, "a response has no value for", key);
      return;
    }
    take_option(a, key, VK_HEAD(VK_TAIL(p)));
  }
}

/* ---- fields ------------------------------------------------------------------------------ */

static bool is_name(const char *name, size_t len, const char *word) {
  return len == strlen(word) && !memcmp(name, word, len);
}

/* Fields that belong to the connection, which HTTP/2 has none of (RFC 9113, 8.2.2), and the
 * length, which is counted. */
static bool is_ours(const char *name, size_t len) {
  static const char *const words[] = {"connection",        "keep-alive", "proxy-connection",
                                      "transfer-encoding", "upgrade",    "content-length"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (is_name(name, len, words[i])) return true;
  return false;
}

static char *lower_case(NetRequest *r, const VkString *s) {
  char *p = net_request_bytes(r, s->len + 1);
  for (size_t i = 0; p && i < s->len; i++)
    p[i] = s->bytes[i] >= 'A' && s->bytes[i] <= 'Z' ? (char)(s->bytes[i] + 32) : s->bytes[i];
  return p;
}

/* Its bytes, for as long as the request lives; NULL without memory. */
static const char *copy(NetRequest *r, const VkString *s) {
  char *p = net_request_bytes(r, s->len + 1);
  return p ? memcpy(p, s->bytes, s->len) : NULL;
}

static void add_value(Answer *a, NetRequest *r, nghttp2_nv named, V value) {
  const VkString *v = VK_STR(value);
  const char *bytes = a->is_temporary ? copy(r, v) : v->bytes;
  if (!bytes) {
    snprintf(a->why, sizeof a->why, "no memory for the fields of a response");
    return;
  }
  a->fields[a->count++] = field((const char *)named.name, named.namelen, bytes, v->len);
}

static void add_field(Answer *a, NetRequest *r, V name, V value) {
  size_t len = VK_STR(name)->len;
  const char *lower = lower_case(r, VK_STR(name));
  if (!lower || !nghttp2_check_header_name((const uint8_t *)lower, len) || lower[0] == ':') {
    refuse(a, "not the name of a field", name);
    return;
  }
  const VkString *v = VK_STR(value);
  if (!nghttp2_check_header_value_rfc9113((const uint8_t *)v->bytes, v->len)) {
    refuse(a, "not the value of a field", value);
    return;
  }
  if (is_ours(lower, len)) return;
  a->has_date |= is_name(lower, len, "date");
  a->has_type |= is_name(lower, len, "content-type");
  add_value(a, r, field(lower, len, NULL, 0), value);
}

static void add_fields(Answer *a, NetRequest *r) {
  enum { OURS = 4 }; /* :status, content-type, date, content-length */
  V list = vk_list_of(a->headers);
  if (list == VK_UNBOUND) {
    refuse(a, "the :headers of a response are a list of {name value}, not", a->headers);
    return;
  }
  for (V p = list; VK_IS_PAIR(p) && !*a->why; p = VK_TAIL(p)) {
    NetPair pair;
    if (!net_take_pair(VK_HEAD(p), &pair))
      refuse(a, "a field is a list of two strings, not", VK_HEAD(p));
    else if (a->count + OURS > FIELDS_MAX)
      snprintf(a->why, sizeof a->why, "a response has at most %d fields", FIELDS_MAX - OURS);
    else
      add_field(a, r, pair.name, pair.value);
  }
}

static void add_type(Answer *a, NetRequest *r) {
  if (a->has_type) return;
  if (a->content_type == VK_NIL) {
    a->fields[a->count++] = FIELD("content-type", text_plain, sizeof text_plain - 1);
    return;
  }
  const VkString *v = VK_IS_STRING(a->content_type) ? VK_STR(a->content_type) : NULL;
  if (!v || !nghttp2_check_header_value_rfc9113((const uint8_t *)v->bytes, v->len))
    refuse(a, "not a :content-type", a->content_type);
  else
    add_value(a, r, FIELD("content-type", NULL, 0), a->content_type);
}

/* false: no memory. */
static bool set_body(const vk *c, NetRequest *r, V body, bool is_held_here) {
  const VkString *text = VK_STR(body);
  const char *bytes = text->bytes;
  if (vk_is_temporary(c, body)) bytes = copy(r, text);
  else if (!is_held_here) r->result = body;
  r->answer = (NetBody){(const uint8_t *)bytes, bytes ? text->len : 0, 0};
  return bytes != NULL;
}

static void answer_plist(NetServer *s, NetRequest *r, V list, Answer *a) {
  take_plist(a, list);
  if (!*a->why) a->fields[a->count++] = FIELD(":status", status_text(r, a->status), 3);
  if (!*a->why && a->headers != VK_NIL) add_fields(a, r);
  if (!*a->why && (a->body != VK_NIL || a->content_type != VK_NIL)) add_type(a, r);
  if (!*a->why && a->body != VK_NIL && !VK_IS_STRING(a->body))
    refuse(a, "the :body of a response is a string, not", a->body);
  if (!*a->why && a->body != VK_NIL && !set_body(s->loop->isolate, r, a->body, !a->is_temporary))
    snprintf(a->why, sizeof a->why, "no memory for the body of a response");
  if (*a->why) return;
  submit(s, r, a->fields, a->count, a->has_date);
}

static void answer_string(NetServer *s, NetRequest *r, V text) {
  nghttp2_nv fields[4] = {FIELD(":status", "200", 3),
                          FIELD("content-type", text_plain, sizeof text_plain - 1)};
  if (set_body(s->loop->isolate, r, text, false)) submit(s, r, fields, 2, false);
  else net_answer_status(s, r, 500);
}

/* ---- failure ----------------------------------------------------------------------------- */

static void log_failure(const NetRequest *r, const char *why, size_t len) {
  enum { TARGET = 200 };
  net_log("%.*s %.*s: %.*s", (int)r->method.len, r->method.bytes,
          r->target.len < TARGET ? (int)r->target.len : TARGET, r->target.bytes, (int)len, why);
}

void net_answer_error(NetServer *s, NetRequest *r, V error, int status) {
  VkBuf b = {0};
  vk_error_text(&b, error);
  while (b.len && b.data[b.len - 1] == '\n') b.len--;
  log_failure(r, b.data, b.len);
  vk_buf_free(&b);
  r->result = VK_NIL;
  net_answer_status(s, r, status);
}

void net_answer(NetServer *s, NetRequest *r, V result) {
  r->answer = (NetBody){NULL, 0, 0};
  r->result = VK_NIL;
  if (VK_IS_STRING(result)) {
    answer_string(s, r, result);
    return;
  }
  if (VK_IS_ABN(result)) {
    net_answer_error(s, r, result, 500);
    return;
  }
  Answer a; /* not zeroed as a whole: it is 5 KB */
  a.status = 200;
  a.body = a.headers = a.content_type = VK_NIL;
  a.has_date = a.has_type = false;
  a.is_temporary = vk_is_temporary(s->loop->isolate, result);
  if (!a.is_temporary) r->result = result;
  a.count = 0;
  a.why[0] = 0;
  V list = vk_list_of(result);
  if (list == VK_UNBOUND)
    refuse(&a, "a response is a string or a list of keywords and values, not", result);
  else
    answer_plist(s, r, list, &a);
  if (!a.why[0]) return;
  log_failure(r, a.why, strlen(a.why));
  r->result = VK_NIL;
  net_answer_status(s, r, 500);
}
