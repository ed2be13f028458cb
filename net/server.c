/* server.c - a server's listener, its clock, its end (contract: server.h). */
#include "server.h"
#include "fiber_stop.h"
#include "heap.h"
#include "log.h"
#include "runner.h"
#include "signals.h"
#include "tls.h"
#include "workers.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

const NetLimits net_limits_usual = {
    .max_connections = 10000,
    .max_streams = 100,
    .max_headers = 64 << 10,
    .max_waiting = 10000,
    .max_body = 8 << 20,
    .max_body_total = 256 << 20,
    .handshake_ms = 10000,
    .headers_ms = 10000,
    .body_ms = 30000,
    .idle_ms = 60000,
    .write_ms = 30000,
    .handler_ms = 60000,
    .drain_ms = 10000,
};

enum { SWEEP_MS = 500, BACKLOG = 1024 };

/* ---- listening --------------------------------------------------------------------------- */

static int resolve(NetLoop *l, const char *name, int port, struct sockaddr_storage *address) {
  const char *host = net_loop_host(name);
  if (!uv_ip4_addr(host, port, (struct sockaddr_in *)address)) return 0;
  if (!uv_ip6_addr(host, port, (struct sockaddr_in6 *)address)) return 0;
  uv_getaddrinfo_t request;
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  int status = uv_getaddrinfo(&l->uv, &request, NULL, host, NULL, &hints);
  if (status) return status;
  memcpy(address, request.addrinfo->ai_addr, request.addrinfo->ai_addrlen);
  uv_freeaddrinfo(request.addrinfo);
  ((struct sockaddr_in *)address)->sin_port = htons((uint16_t)port); /* as in sockaddr_in6 */
  return 0;
}

/* libuv 1.44 has no way to ask for SO_REUSEPORT. */
static int open_socket(NetServer *s, int family, int given) {
  if (given >= 0) return uv_tcp_open(&s->listener, given);
  int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  if (fd < 0) return uv_translate_sys_error(errno);
  bool is_shared_port = s->worker_count > 1 && s->strategy != NET_SHARED;
  if (is_shared_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on)) {
    int status = uv_translate_sys_error(errno);
    close(fd);
    return status;
  }
  int status = uv_tcp_open(&s->listener, fd);
  if (status) close(fd);
  return status;
}

static void on_connection(uv_stream_t *listener, int status) {
  NetServer *s = listener->data;
  if (status == 0)
    net_conn_open(s, listener);
  else
    s->refused++;
}

static int start_listening(NetServer *s, const NetServerSpec *spec) {
  struct sockaddr_storage address = {0};
  int status = resolve(s->loop, s->host, s->port, &address), len = sizeof address;
  if (!status) status = open_socket(s, address.ss_family, spec->socket);
  if (!status && spec->socket < 0)
    status = uv_tcp_bind(&s->listener, (struct sockaddr *)&address, 0);
  if (!status) status = uv_listen((uv_stream_t *)&s->listener, BACKLOG, on_connection);
  if (!status) status = uv_tcp_getsockname(&s->listener, (struct sockaddr *)&address, &len);
  if (!status) s->port = ntohs(((struct sockaddr_in *)&address)->sin_port);
  return status;
}

/* ---- the clock --------------------------------------------------------------------------- */

static void tell_refused(NetServer *s) {
  if (!s->refused) return;
  net_log("%llu connections refused: %u are open, the limit is %u",
          (unsigned long long)s->refused, s->conn_count, s->limits.max_connections);
  s->refused = 0;
}

/* Before the heap is full: no more requests until collecting helps. Twice in a row, because
 * what was just left may still be found on a stack. */
static void check_memory(NetServer *s) {
  vk *c = s->loop->isolate;
  bool was_refusing = net_server_is_short(s);
  if (vk_heap_is_tight(c)) vk_collect(c);
  s->tight_sweeps = vk_heap_is_tight(c) ? s->tight_sweeps + 1 : 0;
  if (s->tight_sweeps == 2) net_log("the heap is nearly full: requests are refused (503)");
  if (was_refusing && !s->tight_sweeps) net_log("the heap has room again");
}

/* A handler that computes and does not wait keeps the clock from running: it is ended by
 * another one, which is set back here. */
static void watch_handlers(const NetServer *s) {
  vk_stop_watch(s->loop->isolate, s->limits.handler_ms);
}

static void on_sweep(uv_timer_t *timer) {
  NetServer *s = timer->data;
  uint64_t now = net_loop_now_ms(s->loop);
  bool is_over = s->is_draining && now >= s->drain_until_ms;
  watch_handlers(s);
  tell_refused(s);
  check_memory(s);
  for (NetConn *conn = s->conns, *next; conn; conn = next) {
    next = conn->next;
    if (is_over)
      net_stream_close(&conn->session.stream);
    else
      net_conn_check_time(conn, now);
  }
}

/* ---- life -------------------------------------------------------------------------------- */

/* Descriptors that the program itself may need. */
static uint32_t connections_possible(uint32_t wanted) {
  enum { KEPT_BACK = 64 };
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur == RLIM_INFINITY) return wanted;
  uint64_t possible =
      files.rlim_cur > 2 * KEPT_BACK ? files.rlim_cur - KEPT_BACK : files.rlim_cur / 2;
  return wanted < possible ? wanted : (uint32_t)possible;
}

static void release(NetServer *s) {
  if (s->tls) SSL_CTX_free(s->tls);
  if (s->kind.callbacks) net_session_kind_free(&s->kind);
  vk_root_remove(s->loop->isolate, &s->handler);
  free(s->host);
  free(s->cert_path);
  free(s->key_path);
  free(s);
}

static void unlink_server(NetServer *s) {
  NetServer **at = &s->loop->servers;
  while (*at != s) at = &(*at)->next;
  *at = s->next;
}

static void report_end(const NetServer *s) {
  if (!s->worker)
    net_log("stopped %s:%d after %llu requests", s->host, s->port,
            (unsigned long long)s->requests);
}

static void end_server(NetServer *s) {
  NetLoop *l = s->loop;
  unlink_server(s);
  l->users--;
  report_end(s);
  if (!l->servers) vk_stop_watch(l->isolate, 0);
  if (s->worker) net_workers_server_ended(s);
  release(s);
  net_signals_server_ended(l); /* which may end the process */
  if (!l->servers) net_runner_end(l);
}

static void on_handle_closed(uv_handle_t *handle) {
  NetServer *s = handle->data;
  s->open_handles--;
  if (!s->open_handles && !s->workers) end_server(s);
}

void net_server_workers_ended(NetServer *s) {
  if (!s->open_handles) end_server(s);
}

static void close_handle(uv_handle_t *handle) {
  if (!uv_is_closing(handle)) uv_close(handle, on_handle_closed);
}

static void end_if_idle(NetServer *s) {
  if (s->is_draining && !s->conn_count && !s->pending) close_handle((uv_handle_t *)&s->sweep);
}

void net_server_conn_closed(NetServer *s) {
  s->conn_count--;
  end_if_idle(s);
}

void net_server_request_done(NetServer *s) {
  s->pending--;
  end_if_idle(s);
}

void net_server_stop(NetServer *s) {
  if (s->is_draining) return;
  s->is_draining = true;
  s->drain_until_ms = net_loop_now_ms(s->loop) + s->limits.drain_ms;
  net_workers_stop(s);
  close_handle((uv_handle_t *)&s->listener);
  end_if_idle(s);
  for (NetConn *conn = s->conns, *next; conn; conn = next) {
    next = conn->next;
    if (!conn->session.stream.is_ready) {
      net_stream_close(&conn->session.stream);
      continue;
    }
    net_conn_drain(conn);
    net_conn_flush(conn);
  }
}

/* What cannot be read leaves things as they are. */
void net_server_reload(NetServer *s) {
  char why[400];
  if (!s->tls) return;
  net_workers_reload(s);
  SSL_CTX *tls = net_tls_server(s->cert_path, s->key_path, why, sizeof why);
  if (!tls) {
    net_log("certificate not reloaded: %s", why);
    return;
  }
  SSL_CTX_free(s->tls); /* connections hold it as long as they need it */
  s->tls = tls;
  if (!s->worker) net_log("certificate reloaded: %s", s->cert_path);
}

NetServerSpec net_server_spec_of(const NetServer *s) {
  NetServerSpec spec = {.host = s->host,
                        .port = s->port,
                        .cert_path = s->cert_path,
                        .key_path = s->key_path,
                        .limits = s->limits,
                        .logs_access = s->logs_access,
                        .workers = s->worker_count,
                        .strategy = s->strategy,
                        .socket = -1};
  uv_os_fd_t fd;
  if (s->strategy == NET_SHARED && !uv_fileno((const uv_handle_t *)&s->listener, &fd))
    spec.socket = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  return spec;
}

static char *copy(const char *text) { return text ? strdup(text) : NULL; }

static NetServer *server_new(NetLoop *l, const NetServerSpec *spec) {
  NetServer *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->loop = l;
  s->number = ++l->server_count;
  s->host = copy(spec->host);
  s->port = spec->port;
  s->cert_path = copy(spec->cert_path);
  s->key_path = copy(spec->key_path);
  s->limits = spec->limits;
  s->limits.max_connections = connections_possible(spec->limits.max_connections);
  s->logs_access = spec->logs_access;
  s->worker_count = spec->workers;
  s->strategy = spec->strategy;
  s->worker = spec->worker;
  s->handler = spec->handler;
  vk_root_add(l->isolate, &s->handler);
  return s;
}

static bool fail(NetServer *s, const char *what, char *why, size_t bytes) {
  snprintf(why, bytes, "cannot listen on %s:%d: %s", s->host, s->port, what);
  return false;
}

static bool prepare(NetServer *s, char *why, size_t bytes) {
  if (s->cert_path && !(s->tls = net_tls_server(s->cert_path, s->key_path, why, bytes)))
    return false;
  return net_conn_kind(s) || fail(s, "out of memory", why, bytes);
}

static void init_handles(NetServer *s) {
  uv_tcp_init(&s->loop->uv, &s->listener); /* opens nothing yet: cannot fail */
  uv_timer_init(&s->loop->uv, &s->sweep);
  s->listener.data = s->sweep.data = s;
  s->open_handles = 2;
}

static void on_failed_handle_closed(uv_handle_t *handle) {
  NetServer *s = handle->data;
  if (!--s->open_handles) release(s);
}

static void report_start(const NetServer *s) {
  const char *scheme = s->tls ? "https" : "http";
  if (s->worker) return;
  if (s->worker_count > 1)
    net_log("%u workers listening on %s://%s:%d", s->worker_count, scheme, s->host, s->port);
  else
    net_log("listening on %s://%s:%d", scheme, s->host, s->port);
}

NetServer *net_server_start(NetLoop *l, const NetServerSpec *spec, char *why, size_t bytes) {
  NetServer *s = server_new(l, spec);
  if (!s || !prepare(s, why, bytes)) {
    if (s) release(s);
    return NULL;
  }
  l->flush.run = net_conn_flush_dirty;
  init_handles(s);
  int status = start_listening(s, spec);
  if (status) {
    fail(s, uv_strerror(status), why, bytes);
    uv_close((uv_handle_t *)&s->listener, on_failed_handle_closed);
    uv_close((uv_handle_t *)&s->sweep, on_failed_handle_closed);
    return NULL;
  }
  uv_timer_start(&s->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
  watch_handlers(s);
  net_signals_start(l);
  s->next = l->servers;
  l->servers = s;
  l->users++;
  report_start(s);
  return s;
}
