/* client_prims.c - what Valk programs see of clients: http2/connect ... and http/get ...
 *
 * A request is a handle whose parts are set one by one; a response is plain data, {:status 200
 * :headers {{name value}..} :body "..."}, which a handler of a server may give as its own. */
#include "client.h"
#include "field.h"
#include "fns.h"
#include "future.h"
#include "handle.h"
#include "heap.h"
#include "lists.h"
#include "options.h"
#include "strings.h"
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 30000, MS_MAX = 1 << 30 };
#define MAX_BODY ((int64_t)1 << 30)

/* ---- handles ----------------------------------------------------------------------------- */

typedef struct ClientHandle {
  VkHandle handle;
  NetClient *client; /* held */
} ClientHandle;
static const VkHandleClass client_class = {.name = "client"};

static void drop_client(void *object) {
  NetClient *client = ((ClientHandle *)object)->client;
  client->has_handles = false;
  net_client_calls_changed(client);
  net_client_release(client);
}

static V client_value(vk *c, NetClient *client) {
  ClientHandle *h = vk_new(c, sizeof *h);
  h->handle.hdr = VK_HDR(VK_HANDLE, 0, 0);
  h->handle.class = &client_class;
  h->client = client;
  client->holders++;
  client->has_handles = true;
  vk_finalise(c, VK_FROM_OBJ(h), drop_client);
  return VK_FROM_OBJ(h);
}

enum { METHOD, URL, HEADERS, BODY, TIMEOUT, REQUEST_FIELDS };
static const VkHandleClass request_class = {.name = "request"};

static V request_value(vk *c, V method, V url) {
  VkHandle *h = vk_new(c, sizeof *h + REQUEST_FIELDS * sizeof(V));
  h->hdr = VK_HDR(VK_HANDLE, 0, REQUEST_FIELDS);
  h->class = &request_class;
  h->fields[METHOD] = method;
  h->fields[URL] = url;
  h->fields[HEADERS] = h->fields[TIMEOUT] = VK_NIL;
  h->fields[BODY] = VK_NIL;
  return VK_FROM_OBJ(h);
}
#define REQUEST(v) VK_HANDLEP(v)
static bool is_request(V v) { return VK_IS_HANDLE_OF(v, &request_class); }

static void set_field(vk *c, V request, int i, V value) {
  vk_write(c, request, &REQUEST(request)->fields[i], value);
}

/* ---- checking ---------------------------------------------------------------------------- */

static V take_ms(vk *c, V v, const char *who, int index, uint64_t *ms) {
  if (!VK_IS_FIX(v) || VK_INT(v) < 1 || VK_INT(v) > MS_MAX)
    return vk_arg_error(c, who, index, v, "a number of milliseconds");
  *ms = (uint64_t)VK_INT(v);
  return VK_NIL;
}

/* A plain list of {name value}, or an error. */
static V check_headers(vk *c, V v, const char *who, int index) {
  V list = vk_list_of(v);
  if (list == VK_UNBOUND)
    return vk_arg_error(c, who, index, v, "headers: a list of {name value}");
  for (V p = list; VK_IS_PAIR(p); p = VK_TAIL(p)) {
    NetPair pair;
    if (!net_take_pair(VK_HEAD(p), &pair))
      return vk_arg_error(c, who, index, VK_HEAD(p), "a header: a list of two strings");
  }
  return list;
}

static V bad_url(vk *c, const char *who, V url, const char *why) {
  return vk_errorf(c, VK_SYM(type), "%s: cannot ask for %.200s: %s", who, VK_STR(url)->bytes,
                   why);
}

static V target_of(vk *c, const NetUrl *u) {
  if (!u->target_len) return vk_string(c, "/", 1);
  if (u->target[0] == '/') return vk_string(c, u->target, u->target_len);
  VkBuf b = {0}; /* only a query */
  vk_buf_putc(&b, '/');
  vk_buf_put(&b, u->target, u->target_len);
  return vk_buf_string(c, &b);
}

static V authority_of(vk *c, const NetOrigin *o) {
  VkBuf b = {0};
  bool is_v6 = strchr(o->host, ':') != NULL;
  vk_buf_putf(&b, is_v6 ? "[%s]" : "%s", o->host);
  if (o->port != (o->is_tls ? 443 : 80)) vk_buf_putf(&b, ":%d", o->port);
  return vk_buf_string(c, &b);
}

/* ---- connections ------------------------------------------------------------------------- */

V vk_http2_connect(vk *c, size_t n, const V *args) {
  static const char who[] = "http2/connect";
  NetOrigin origin = {.is_tls = true};
  V ca = n == 3 ? args[2] : VK_NIL;
  if (!VK_IS_STRING(args[0])) return vk_arg_error(c, who, 1, args[0], "a host name");
  if (VK_STR(args[0])->len >= NET_HOST_BYTES)
    return vk_errorf(c, VK_SYM(range), "%s: the host name is too long", who);
  memcpy(origin.host, VK_STR(args[0])->bytes, VK_STR(args[0])->len);
  if (!VK_IS_FIX(args[1]) || VK_INT(args[1]) < 1 || VK_INT(args[1]) > 65535)
    return vk_arg_error(c, who, 2, args[1], "a port, 1 to 65535");
  origin.port = (int)VK_INT(args[1]);
  if (VK_IS_KIND(ca, VK_SYMBOL) && net_is_option(ca, ":cleartext"))
    origin.is_tls = false;
  else if (VK_IS_STRING(ca))
    origin.ca_path = VK_STR(ca)->bytes;
  else if (ca != VK_NIL)
    return vk_arg_error(c, who, 3, ca, "the path of a PEM bundle, or :cleartext");
  char why[400];
  NetClient *client = net_client_new(net_loop(c), &origin, why, sizeof why);
  if (!client) return vk_errorf(c, VK_SYM(io), "%s: %s", who, why);
  V future = client->opened = vk_future_new(c, NULL, NULL);
  client->handle = client_value(c, client);
  net_client_calls_changed(client);
  if (!net_client_is_usable(client)) {
    client->opened = client->handle = VK_NIL;
    net_client_calls_changed(client);
    vk_future_resolve(c, future, vk_errorf(c, VK_SYM(io), "%s", client->why));
  }
  net_client_release(client);
  return future;
}

V vk_http2_close(vk *c, V v) {
  if (!VK_IS_HANDLE_OF(v, &client_class))
    return vk_arg_error(c, "http2/close", 1, v, "a client");
  net_client_close(((ClientHandle *)VK_OBJ(v))->client);
  return VK_NIL;
}

/* ---- requests ---------------------------------------------------------------------------- */

V vk_http2_request(vk *c, V method, V url) {
  if (!VK_IS_STRING(method)) return vk_arg_error(c, "http2/request", 1, method, "a string");
  if (!VK_IS_STRING(url)) return vk_arg_error(c, "http2/request", 2, url, "a string");
  return request_value(c, method, url);
}

V vk_http2_request_add_header(vk *c, V r, V name, V value) {
  static const char who[] = "http2/request-add-header";
  if (!is_request(r)) return vk_arg_error(c, who, 1, r, "a request");
  if (!VK_IS_STRING(name)) return vk_arg_error(c, who, 2, name, "a string");
  if (!VK_IS_STRING(value)) return vk_arg_error(c, who, 3, value, "a string");
  V pair[2] = {name, value}, last[1] = {vk_list_from(c, 2, pair)};
  set_field(c, r, HEADERS,
            vk_list_append(c, REQUEST(r)->fields[HEADERS], vk_list_from(c, 1, last)));
  return r;
}

V vk_http2_request_body(vk *c, V r, V body) {
  if (!is_request(r)) return vk_arg_error(c, "http2/request-body", 1, r, "a request");
  if (!VK_IS_STRING(body)) return vk_arg_error(c, "http2/request-body", 2, body, "a string");
  set_field(c, r, BODY, body);
  return r;
}

V vk_http2_request_timeout(vk *c, V r, V ms) {
  uint64_t unused;
  if (!is_request(r)) return vk_arg_error(c, "http2/request-timeout", 1, r, "a request");
  V error = take_ms(c, ms, "http2/request-timeout", 2, &unused);
  if (error != VK_NIL) return error;
  set_field(c, r, TIMEOUT, ms);
  return r;
}

V vk_http2_send(vk *c, V r, V v) {
  static const char who[] = "http2/send";
  if (!is_request(r)) return vk_arg_error(c, who, 1, r, "a request");
  if (!VK_IS_HANDLE_OF(v, &client_class)) return vk_arg_error(c, who, 2, v, "a client");
  NetClient *client = ((ClientHandle *)VK_OBJ(v))->client;
  const V *part = REQUEST(r)->fields;
  const VkString *text = VK_STR(part[URL]);
  NetCallSpec spec = {.method = part[METHOD],
                      .headers = part[HEADERS],
                      .body = part[BODY],
                      .timeout_ms = TIMEOUT_MS,
                      .max_body = MAX_BODY};
  if (spec.body == VK_NIL) spec.body = vk_string(c, "", 0);
  if (part[TIMEOUT] != VK_NIL) spec.timeout_ms = (uint64_t)VK_INT(part[TIMEOUT]);
  NetUrl u;
  const char *why = NULL;
  if (text->len && text->bytes[0] == '/') { /* of the client's origin */
    u = (NetUrl){.target = text->bytes, .target_len = text->len};
    for (size_t i = 0; i < text->len && !why; i++)
      if ((unsigned char)text->bytes[i] <= ' ') why = "it has blanks or control characters";
    spec.authority = authority_of(c, &client->origin);
  } else {
    why = net_url_parse(&u, text->bytes, text->len);
    if (!why) spec.authority = vk_string(c, u.authority, u.authority_len);
  }
  if (why) return bad_url(c, who, part[URL], why);
  spec.target = target_of(c, &u);
  V future = net_call_start(client, &spec);
  if (!VK_IS_ABN(future)) return future;
  V failed = vk_future_new(c, NULL, NULL);
  vk_future_resolve(c, failed, future);
  return failed;
}

/* ---- responses --------------------------------------------------------------------------- */

static V response_part(vk *c, const char *who, V response, V key) {
  V list = vk_list_of(response);
  for (V p = list; list != VK_UNBOUND && VK_IS_PAIR(p) && VK_IS_PAIR(VK_TAIL(p));
       p = VK_TAIL(VK_TAIL(p)))
    if (VK_HEAD(p) == key) return VK_HEAD(VK_TAIL(p));
  return vk_arg_error(c, who, 1, response, "a response");
}

V vk_http2_response_status(vk *c, V r) {
  return response_part(c, "http2/response-status", r, VK_SYM(status));
}
V vk_http2_response_headers(vk *c, V r) {
  return response_part(c, "http2/response-headers", r, VK_SYM(headers));
}
V vk_http2_response_body(vk *c, V r) {
  return response_part(c, "http2/response-body", r, VK_SYM(body));
}

/* ---- one call ---------------------------------------------------------------------------- */

static bool is_same_origin(const NetOrigin *a, const NetOrigin *b) {
  bool same_ca =
      a->ca_path && b->ca_path ? !strcmp(a->ca_path, b->ca_path) : a->ca_path == b->ca_path;
  return a->port == b->port && a->is_tls == b->is_tls && same_ca && !strcmp(a->host, b->host);
}

/* The connection kept for this origin, or a new one. */
static NetClient *pooled_client(NetLoop *l, const NetOrigin *origin, char *why,
                                size_t why_bytes) {
  for (NetClient *client = l->clients; client; client = client->next)
    if (client->is_pooled && net_client_is_usable(client) &&
        is_same_origin(&client->origin, origin)) {
      client->holders++;
      return client;
    }
  NetClient *client = net_client_new(l, origin, why, why_bytes);
  if (client) client->is_pooled = true;
  return client;
}

/* A connection that was kept may be gone at the other end without our knowing: then it is worth
 * another try, unless the request does something. */
static V ask(vk *c, const NetOrigin *origin, const NetCallSpec *spec, bool may_repeat) {
  char why[400];
  for (;;) {
    NetClient *client = pooled_client(net_loop(c), origin, why, sizeof why);
    if (!client) return vk_errorf(c, VK_SYM(io), "cannot connect to %s: %s", origin->host, why);
    bool was_kept = client->answered > 0;
    V future = net_call_start(client, spec);
    net_client_release(client);
    V result = VK_IS_ABN(future) ? future : vk_future_await(c, future, -1);
    if (!VK_IS_ABN(result) || !was_kept || !may_repeat) return result;
    if (VK_ERR(result)->kind != VK_SYM(io) && VK_ERR(result)->kind != VK_SYM(closed))
      return result;
  }
}

typedef struct Asked { /* what http/get ... was told */
  NetOrigin origin;
  NetCallSpec spec;
} Asked;

static V take_option(vk *c, Asked *a, V key, V value, const char *who) {
  if (key == VK_SYM(headers)) {
    V list = check_headers(c, value, who, 0);
    if (VK_IS_ABN(list)) return list;
    a->spec.headers = list;
    return VK_NIL;
  }
  if (net_is_option(key, ":timeout-ms")) return take_ms(c, value, who, 0, &a->spec.timeout_ms);
  if (key == VK_SYM(body) || net_is_option(key, ":ca")) {
    if (!VK_IS_STRING(value)) return vk_arg_error(c, who, 0, value, "a string");
    if (key == VK_SYM(body))
      a->spec.body = value;
    else
      a->origin.ca_path = VK_STR(value)->bytes;
    return VK_NIL;
  }
  if (!net_is_option(key, ":max-body"))
    return vk_errorf(c, VK_SYM(type), "%s has no option %s", who, VK_SYMB(key)->bytes);
  if (!VK_IS_FIX(value) || VK_INT(value) < 0)
    return vk_arg_error(c, who, 0, value, "a number of bytes");
  a->spec.max_body = (uint64_t)VK_INT(value);
  return VK_NIL;
}

static V take_options(vk *c, Asked *a, V options, int index, const char *who) {
  V list = vk_list_of(options);
  if (list == VK_UNBOUND) return vk_arg_error(c, who, index, options, "a list of options");
  for (V p = list; VK_IS_PAIR(p); p = VK_TAIL(VK_TAIL(p))) {
    if (!VK_IS_KIND(VK_HEAD(p), VK_SYMBOL) || !VK_IS_PAIR(VK_TAIL(p)))
      return vk_arg_error(c, who, index, options, "keywords and values");
    V error = take_option(c, a, VK_HEAD(p), VK_HEAD(VK_TAIL(p)), who);
    if (VK_IS_ABN(error)) return error;
  }
  return VK_NIL;
}

static V ask_url(vk *c, const char *who, V method, V url, V body, V options,
                 int options_index) {
  Asked a = {
      .spec = {
          .method = method, .headers = VK_NIL, .timeout_ms = TIMEOUT_MS, .max_body = MAX_BODY}};
  NetUrl u;
  if (!VK_IS_STRING(url)) return vk_arg_error(c, who, options_index - 1, url, "a URL");
  a.spec.body = body == VK_NIL ? vk_string(c, "", 0) : body;
  const char *why = net_url_parse(&u, VK_STR(url)->bytes, VK_STR(url)->len);
  if (why) return bad_url(c, who, url, why);
  V error = take_options(c, &a, options, options_index, who);
  if (VK_IS_ABN(error)) return error;
  a.origin.is_tls = u.is_tls;
  a.origin.port = u.port;
  memcpy(a.origin.host, u.host, sizeof u.host);
  a.spec.authority = vk_string(c, u.authority, u.authority_len);
  a.spec.target = target_of(c, &u);
  const VkString *m = VK_STR(method);
  bool may_repeat = (m->len == 3 && !memcmp(m->bytes, "GET", 3)) ||
                    (m->len == 4 && !memcmp(m->bytes, "HEAD", 4));
  return ask(c, &a.origin, &a.spec, may_repeat);
}

V vk_http_get(vk *c, size_t n, const V *args) {
  return ask_url(c, "http/get", vk_string(c, "GET", 3), args[0], VK_NIL,
                 n == 2 ? args[1] : VK_NIL, 2);
}

V vk_http_post(vk *c, size_t n, const V *args) {
  if (!VK_IS_STRING(args[1])) return vk_arg_error(c, "http/post", 2, args[1], "a string");
  return ask_url(c, "http/post", vk_string(c, "POST", 4), args[0], args[1],
                 n == 3 ? args[2] : VK_NIL, 3);
}

V vk_http_request(vk *c, size_t n, const V *args) {
  if (!VK_IS_STRING(args[0])) return vk_arg_error(c, "http/request", 1, args[0], "a string");
  return ask_url(c, "http/request", args[0], args[1], VK_NIL, n == 3 ? args[2] : VK_NIL, 3);
}
