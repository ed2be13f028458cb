/* prims.c - what Valk programs see of the server: http2/listen and req/... */
#include "fns.h"
#include "handle.h"
#include "heap.h"
#include "lists.h"
#include "options.h"
#include "server.h"
#include "workers.h"
#include "strings.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- requests ---------------------------------------------------------------------------- */

static V no_request(vk *c, const char *who, V v) {
  if (VK_IS_REQUEST(v))
    return vk_errorf(c, VK_SYM(closed), "%s: the request is over, its data are gone", who);
  return vk_arg_error(c, who, 1, v, "a request");
}

static V text_of(vk *c, NetText t) { return vk_string(c, t.bytes, t.len); }

static size_t path_length(NetText target) {
  const char *mark = target.len ? memchr(target.bytes, '?', target.len) : NULL;
  return mark ? (size_t)(mark - target.bytes) : target.len;
}

V vk_req_method(vk *c, V v) {
  NetRequest *r = net_request_of(c, v);
  return r ? text_of(c, r->method) : no_request(c, "req/method", v);
}

V vk_req_path(vk *c, V v) {
  NetRequest *r = net_request_of(c, v);
  return r ? vk_string(c, r->target.bytes, path_length(r->target))
           : no_request(c, "req/path", v);
}

V vk_req_query(vk *c, V v) {
  NetRequest *r = net_request_of(c, v);
  if (!r) return no_request(c, "req/query", v);
  size_t n = path_length(r->target);
  if (n == r->target.len) return VK_NIL;
  return vk_string(c, r->target.bytes + n + 1, r->target.len - n - 1);
}

V vk_req_authority(vk *c, V v) {
  NetRequest *r = net_request_of(c, v);
  return r ? text_of(c, r->authority) : no_request(c, "req/authority", v);
}

V vk_req_scheme(vk *c, V v) {
  NetRequest *r = net_request_of(c, v);
  return r ? text_of(c, r->scheme) : no_request(c, "req/scheme", v);
}

V vk_req_headers(vk *c, V v) {
  NetRequest *r = net_request_of(c, v);
  if (!r) return no_request(c, "req/headers", v);
  VkListBuilder list = VK_LIST_BUILDER;
  for (unsigned i = 0; i < r->field_count; i++) {
    V pair[2] = {text_of(c, r->fields[i].name), text_of(c, r->fields[i].value)};
    vk_list_add(c, &list, vk_list_from(c, 2, pair));
  }
  return list.first;
}

static bool is_name(NetText lower, const VkString *name) {
  if (lower.len != name->len) return false;
  for (size_t i = 0; i < lower.len; i++) {
    char c = name->bytes[i];
    if (lower.bytes[i] != (c >= 'A' && c <= 'Z' ? c + 32 : c)) return false;
  }
  return true;
}

V vk_req_header(vk *c, V v, V name) {
  NetRequest *r = net_request_of(c, v);
  if (!r) return no_request(c, "req/header", v);
  if (!VK_IS_STRING(name)) return vk_arg_error(c, "req/header", 2, name, "a string");
  NetText first = {NULL, 0};
  VkBuf more = {0};
  const VkString *wanted = VK_STR(name);
  bool is_cookie = wanted->len == 6 && is_name((NetText){"cookie", 6}, wanted);
  for (unsigned i = 0; i < r->field_count; i++) {
    if (!is_name(r->fields[i].name, wanted)) continue;
    if (!first.bytes) {
      first = r->fields[i].value;
      continue;
    }
    if (!more.len) vk_buf_put(&more, first.bytes, first.len);
    vk_buf_put_z(&more, is_cookie ? "; " : ", ");
    vk_buf_put(&more, r->fields[i].value.bytes, r->fields[i].value.len);
  }
  if (more.len) return vk_buf_string(c, &more);
  return first.bytes ? text_of(c, first) : VK_NIL;
}

V vk_req_body(vk *c, V v) {
  NetRequest *r = net_request_of(c, v);
  return r ? vk_string(c, (const char *)r->body, r->body_len) : no_request(c, "req/body", v);
}

V vk_req_stream_id(vk *c, V v) {
  NetRequest *r = net_request_of(c, v);
  return r ? VK_FIX(r->stream_id) : no_request(c, "req/stream-id", v);
}

/* ---- servers ----------------------------------------------------------------------------- */

typedef struct ServerHandle {
  VkHandle handle;
  uint64_t number; /* of the server: there may be none of it any more */
  int port;
} ServerHandle;
static const VkHandleClass server_class = {.name = "server"};

static NetServer *find_server(vk *c, uint64_t number) {
  NetServer *s = c->net ? c->net->servers : NULL;
  while (s && s->number != number) s = s->next;
  return s;
}

static V server_value(vk *c, const NetServer *s) {
  ServerHandle *h = vk_new(c, sizeof *h);
  h->handle.hdr = VK_HDR(VK_HANDLE, 0, 0);
  h->handle.class = &server_class;
  h->number = s->number;
  h->port = s->port;
  return VK_FROM_OBJ(h);
}

V vk_http2_server_port(vk *c, V v) {
  if (!VK_IS_HANDLE_OF(v, &server_class))
    return vk_arg_error(c, "http2/server-port", 1, v, "a server");
  return VK_FIX(((ServerHandle *)VK_OBJ(v))->port);
}

V vk_http2_server_stop(vk *c, V v) {
  if (!VK_IS_HANDLE_OF(v, &server_class))
    return vk_arg_error(c, "http2/server-stop", 1, v, "a server");
  NetServer *s = find_server(c, ((ServerHandle *)VK_OBJ(v))->number);
  if (s) net_server_stop(s);
  return VK_NIL;
}

/* ---- http2/listen ------------------------------------------------------------------------ */

typedef struct Option {
  const char *name;
  size_t offset; /* in NetLimits */
  bool is_64;
  uint64_t min, max;
} Option;
#define LIMIT(name, field, min, max)                                                           \
  { name, offsetof(NetLimits, field), sizeof((NetLimits){0}.field) == 8, min, max }
enum { MS_MAX = 1 << 30 };
static const Option options[] = {
    LIMIT(":max-connections", max_connections, 1, 1 << 20),
    LIMIT(":max-streams", max_streams, 1, 1 << 16),
    LIMIT(":max-headers", max_headers, 1 << 10, 1 << 24),
    LIMIT(":max-waiting", max_waiting, 1, NET_REQUESTS_MAX),
    LIMIT(":max-body", max_body, 0, UINT64_MAX >> 4),
    LIMIT(":max-body-total", max_body_total, 0, UINT64_MAX >> 4),
    LIMIT(":handshake-ms", handshake_ms, 1, MS_MAX),
    LIMIT(":headers-ms", headers_ms, 1, MS_MAX),
    LIMIT(":body-ms", body_ms, 1, MS_MAX),
    LIMIT(":idle-ms", idle_ms, 1, MS_MAX),
    LIMIT(":write-ms", write_ms, 1, MS_MAX),
    LIMIT(":handler-ms", handler_ms, 1, MS_MAX),
    LIMIT(":drain-ms", drain_ms, 1, MS_MAX),
};
static const char who[] = "http2/listen";

static V wrong_option(vk *c, V key, const char *expected) {
  const VkSymbol *s = VK_SYMB(key);
  return vk_errorf(c, VK_SYM(type), "%s: %.*s is %s", who, (int)s->len, s->bytes, expected);
}

static V take_limit(vk *c, NetLimits *limits, V key, V v) {
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    const Option *o = &options[i];
    if (!net_is_option(key, o->name)) continue;
    if (!VK_IS_FIX(v) || VK_INT(v) < (int64_t)o->min || (uint64_t)VK_INT(v) > o->max) {
      char expected[80];
      snprintf(expected, sizeof expected, "a number from %llu to %llu",
               (unsigned long long)o->min, (unsigned long long)o->max);
      return wrong_option(c, key, expected);
    }
    uint64_t value = (uint64_t)VK_INT(v);
    char *at = (char *)limits + o->offset;
    if (o->is_64)
      memcpy(at, &value, 8);
    else
      memcpy(at, &(uint32_t){(uint32_t)value}, 4);
    return VK_NIL;
  }
  return wrong_option(c, key, "no option of it");
}

static V take_text(vk *c, const char **to, V key, V v) {
  if (VK_IS_STRING(v))
    *to = VK_STR(v)->bytes;
  else if (v != VK_NIL)
    return wrong_option(c, key, "a string");
  return VK_NIL;
}

static V take_strategy(vk *c, NetServerSpec *spec, V key, V v) {
  bool is_keyword = VK_IS_KIND(v, VK_SYMBOL) && VK_SYMB(v)->bytes[0] == ':';
  int strategy = is_keyword ? net_strategy_named(VK_SYMB(v)->bytes + 1) : -1;
  if (strategy < 0) return wrong_option(c, key, ":reuseport, :shared or :auto");
  spec->strategy = (NetStrategy)strategy;
  return VK_NIL;
}

static V take_option(vk *c, NetServerSpec *spec, V key, V v) {
  if (net_is_option(key, ":host")) return take_text(c, &spec->host, key, v);
  if (net_is_option(key, ":cert")) return take_text(c, &spec->cert_path, key, v);
  if (net_is_option(key, ":key")) return take_text(c, &spec->key_path, key, v);
  if (net_is_option(key, ":strategy")) return take_strategy(c, spec, key, v);
  if (net_is_option(key, ":workers")) {
    if (!VK_IS_FIX(v) || VK_INT(v) < 1 || VK_INT(v) > NET_WORKERS_MAX)
      return wrong_option(c, key, "a number from 1 to 256");
    spec->workers = (unsigned)VK_INT(v);
    return VK_NIL;
  }
  if (net_is_option(key, ":access-log")) {
    spec->logs_access = !VK_IS_FALSE(v);
    return VK_NIL;
  }
  if (!net_is_option(key, ":port")) return take_limit(c, &spec->limits, key, v);
  if (!VK_IS_FIX(v) || VK_INT(v) < 0 || VK_INT(v) > 65535)
    return wrong_option(c, key, "a number from 0 to 65535");
  spec->port = (int)VK_INT(v);
  return VK_NIL;
}

static V take_plist(vk *c, NetServerSpec *spec, V options_list) {
  V list = vk_list_of(options_list);
  if (list == VK_UNBOUND) return vk_arg_error(c, who, 1, options_list, "a list of options");
  for (; VK_IS_PAIR(list); list = VK_TAIL(VK_TAIL(list))) {
    V key = VK_HEAD(list);
    if (!VK_IS_KIND(key, VK_SYMBOL)) return vk_arg_error(c, who, 1, key, "a keyword");
    if (!VK_IS_PAIR(VK_TAIL(list))) return wrong_option(c, key, "given no value");
    V error = take_option(c, spec, key, VK_HEAD(VK_TAIL(list)));
    if (VK_IS_ABN(error)) return error;
  }
  return VK_NIL;
}

/* host port [cert key] handler */
static V take_arguments(vk *c, NetServerSpec *spec, size_t n, const V *args) {
  if (!VK_IS_STRING(args[0])) return vk_arg_error(c, who, 1, args[0], "a string");
  if (!VK_IS_FIX(args[1]) || VK_INT(args[1]) < 0 || VK_INT(args[1]) > 65535)
    return vk_arg_error(c, who, 2, args[1], "a port, 0 to 65535");
  spec->host = VK_STR(args[0])->bytes;
  spec->port = (int)VK_INT(args[1]);
  const char **const paths[] = {&spec->cert_path, &spec->key_path};
  for (size_t i = 0; n == 5 && i < 2; i++) {
    V path = args[2 + i];
    if (VK_IS_STRING(path))
      *paths[i] = VK_STR(path)->bytes;
    else if (path != VK_NIL)
      return vk_arg_error(c, who, (int)i + 3, path, "a path or nil");
  }
  return VK_NIL;
}

static bool is_function(V v) { return VK_IS_KIND(v, VK_CLOSURE) || VK_IS_KIND(v, VK_PAP); }

/* The first worker, then the others. */
static V start(vk *c, NetServerSpec *spec) {
  char why[400];
  if (net_command_line.workers) spec->workers = net_command_line.workers;
  if (net_command_line.strategy >= 0) spec->strategy = (NetStrategy)net_command_line.strategy;
  NetServer *s = net_server_start(net_loop(c), spec, why, sizeof why);
  if (!s) return vk_errorf(c, VK_SYM(io), "%s: %s", who, why);
  V error = spec->workers > 1 ? net_workers_start(s, spec->workers - 1) : VK_NIL;
  if (!VK_IS_ABN(error)) return server_value(c, s);
  net_server_stop(s);
  return error;
}

V vk_http2_listen(vk *c, size_t n, const V *args) {
  NetServerSpec spec = {.host = "0.0.0.0",
                        .limits = net_limits_usual,
                        .socket = -1,
                        .workers = 1,
                        .handler = args[n - 1]};
  if (n == 4) return vk_errorf(c, VK_SYM(arity), "%s takes 2, 3 or 5 arguments, got 4", who);
  V error = n == 2 ? take_plist(c, &spec, args[0]) : take_arguments(c, &spec, n, args);
  if (VK_IS_ABN(error)) return error;
  if (!is_function(spec.handler))
    return vk_arg_error(c, who, (int)n, spec.handler, "a function");
  if (!spec.cert_path != !spec.key_path)
    return vk_errorf(c, VK_SYM(type), "%s: certificate and key go together: one is missing",
                     who);
  return start(c, &spec);
}
