/* client.c - a client's connection: found, made, kept, ended (contract: client.h). */
#include "client.h"
#include "future.h"
#include "heap.h"
#include "tls.h"
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 10000, IDLE_MS = 60000, GOODBYE_MS = 1000 };

static NetClient *of_stream(NetStream *s) { return (NetClient *)s; }

/* ---- life -------------------------------------------------------------------------------- */

static void unlink_client(NetClient *client) {
  NetClient **at = &client->loop->clients;
  while (*at != client) at = &(*at)->next;
  *at = client->next;
}

/* Everything that is the loop's or the isolate's is given back; a handle may outlive them. */
static void leave_loop(NetClient *client) {
  vk *c = client->loop->isolate;
  unlink_client(client);
  vk_root_remove(c, &client->opened);
  vk_root_remove(c, &client->handle);
  if (client->session.h2) net_session_free(&client->session);
  if (client->addresses) uv_freeaddrinfo(client->addresses);
  SSL_CTX_free(client->tls);
}

void net_client_release(NetClient *client) {
  if (--client->holders) return;
  free((char *)client->origin.ca_path);
  free(client);
}

/* The program stays alive while something is to come. */
static void count_use(NetClient *client) {
  bool is_busy = client->calls || client->opened != VK_NIL;
  if (is_busy == client->is_counted) return;
  client->is_counted = is_busy;
  client->loop->users += is_busy ? 1 : -1;
}

static void on_clock_closed(uv_handle_t *handle) {
  leave_loop(handle->data);
  net_client_release(handle->data);
}

static void resolve_opened(NetClient *client, V value) {
  V future = client->opened;
  client->opened = client->handle = VK_NIL;
  if (future != VK_NIL) vk_future_resolve(client->loop->isolate, future, value);
  count_use(client);
}

/* No further calls, and none that wait. The stream is closed by whoever calls this. */
static void end_client(NetClient *client, const char *why) {
  if (client->state == NET_CLIENT_ENDING) return;
  vk *c = client->loop->isolate;
  const NetOrigin *o = &client->origin;
  bool was_open = client->state == NET_CLIENT_OPEN;
  client->state = NET_CLIENT_ENDING;
  snprintf(client->why, sizeof client->why, "%s %s:%d: %.120s",
           was_open ? "the connection was lost to" : "cannot connect to", o->host, o->port,
           why);
  net_calls_fail(client, client->why);
  if (client->opened != VK_NIL)
    resolve_opened(client, vk_errorf(c, VK_SYM(io), "%s", client->why));
}

/* The same when calls under way could still be answered, after a GOAWAY: they cannot any
 * more. */
static void end_rest(NetClient *client, const char *why) {
  end_client(client, why);
  net_calls_fail(client, *client->why ? client->why : why);
}

static void close_stream(NetClient *client) {
  NetStream *s = &client->session.stream;
  if (!s->is_closing && !uv_is_closing((uv_handle_t *)&s->tcp)) net_stream_close(s);
}

static void on_stream_closed(NetStream *s) {
  NetClient *client = of_stream(s);
  uv_close((uv_handle_t *)&client->clock, on_clock_closed);
}

/* ---- time -------------------------------------------------------------------------------- */

static void on_clock(uv_timer_t *timer) {
  NetClient *client = timer->data;
  switch (client->state) {
  case NET_CLIENT_FINDING: uv_cancel((uv_req_t *)&client->lookup); /* fall through */
  case NET_CLIENT_CONNECTING: end_client(client, "no connection within 10 seconds"); break;
  case NET_CLIENT_OPEN:
    client->state = NET_CLIENT_ENDING;
    net_session_doom(&client->session, NGHTTP2_NO_ERROR);
    net_session_flush(&client->session);
    uv_timer_start(&client->clock, on_clock, GOODBYE_MS, 0);
    return;
  case NET_CLIENT_ENDING: break;
  }
  close_stream(client);
}

static void start_clock(NetClient *client, uint64_t ms) {
  if (!uv_is_closing((uv_handle_t *)&client->clock))
    uv_timer_start(&client->clock, on_clock, ms, 0);
}

static void run_flush(vk *c, VkTurnHook *hook) {
  NetClient *client =
      (NetClient *)((char *)hook - offsetof(NetClient, flush)); /* held by its setter */
  (void)c;
  if (client->session.h2 && !client->session.stream.is_closing) {
    net_session_flush(&client->session);
    if (client->session.stream.is_finishing) {
      end_rest(client, "the server ended it");
      start_clock(client, GOODBYE_MS);
    }
  }
  net_client_release(client);
}

void net_client_flush_soon(NetClient *client) {
  if (client->flush.is_set) return;
  client->holders++;
  client->flush.run = run_flush;
  vk_sched_at_turn_end(client->loop->isolate, &client->flush);
}

/* One that nobody can reach again has no reason to stay; one of the pool stays for a while. */
void net_client_calls_changed(NetClient *client) {
  count_use(client);
  if (client->state != NET_CLIENT_OPEN) return;
  if (client->calls || client->has_handles)
    uv_timer_stop(&client->clock);
  else
    start_clock(client, client->is_pooled ? IDLE_MS : 0);
}

void net_client_close(NetClient *client) {
  bool is_open = client->state == NET_CLIENT_OPEN;
  end_client(client, "it was closed");
  if (!is_open) {
    close_stream(client);
    return;
  }
  net_session_doom(&client->session, NGHTTP2_NO_ERROR);
  net_client_flush_soon(client);
  start_clock(client, GOODBYE_MS);
}

/* ---- the stream's events ----------------------------------------------------------------- */

static void on_ready(NetStream *s) {
  NetClient *client = of_stream(s);
  enum { STREAM_WINDOW = 1 << 20, CONNECTION_WINDOW = 16 << 20 };
  static const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW}};
  client->state = NET_CLIENT_OPEN;
  uv_timer_stop(&client->clock);
  nghttp2_session *h2 = client->session.h2;
  nghttp2_submit_settings(h2, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof *settings);
  nghttp2_session_set_local_window_size(h2, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW);
  net_calls_submit(client);
  net_client_flush_soon(client);
  resolve_opened(client, client->handle);
  net_client_calls_changed(client);
}

static void on_bytes(NetStream *s, const uint8_t *bytes, size_t len) {
  NetClient *client = of_stream(s);
  if (!net_session_receive(&client->session, bytes, len) && client->state == NET_CLIENT_OPEN)
    client->state = NET_CLIENT_ENDING; /* calls under way may still be answered */
}

static void on_read(NetStream *s) { net_client_flush_soon(of_stream(s)); }
static void on_drained(NetStream *s) { net_client_flush_soon(of_stream(s)); }

static void on_end(NetStream *s, const char *why) {
  NetClient *client = of_stream(s);
  end_rest(client, why ? why : "the server closed it");
  close_stream(client);
}

static const NetStreamEvents events = {.on_ready = on_ready,
                                       .on_bytes = on_bytes,
                                       .on_read = on_read,
                                       .on_drained = on_drained,
                                       .on_end = on_end,
                                       .on_closed = on_stream_closed};

/* ---- connecting -------------------------------------------------------------------------- */

static bool is_address(const char *host) {
  struct sockaddr_in6 a6;
  struct sockaddr_in a4;
  return !uv_ip4_addr(host, 0, &a4) || !uv_ip6_addr(host, 0, &a6);
}

/* The certificate must be for this host; an address is no name to ask for (RFC 6066, 3). */
static SSL *new_tls(NetClient *client) {
  static const unsigned char protocols[] = "\x02h2";
  const char *host = client->origin.host;
  SSL *ssl = SSL_new(client->tls);
  if (!ssl) return NULL;
  bool is_ok = is_address(host)
                   ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1
                   : SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
  if (!is_ok || SSL_set_alpn_protos(ssl, protocols, sizeof protocols - 1)) {
    SSL_free(ssl);
    return NULL;
  }
  SSL_set_connect_state(ssl);
  return ssl;
}

static void try_address(NetClient *client);

/* The socket of an address that did not answer. */
static void on_socket_closed(uv_handle_t *handle) {
  NetClient *client = (NetClient *)handle;
  if (client->state == NET_CLIENT_ENDING)
    on_stream_closed(&client->session.stream);
  else if (net_stream_init(&client->session.stream, client->loop, &events))
    on_stream_closed(&client->session.stream);
  else
    try_address(client);
}

static void address_failed(NetClient *client, int status) {
  client->address = client->address->ai_next;
  if (!client->address) {
    end_client(client, uv_strerror(status));
    close_stream(client);
    return;
  }
  uv_close((uv_handle_t *)&client->session.stream.tcp, on_socket_closed);
}

static void on_connected(uv_connect_t *request, int status) {
  NetClient *client = request->data;
  NetStream *s = &client->session.stream;
  if (client->state == NET_CLIENT_ENDING || s->is_closing) return;
  if (status) {
    address_failed(client, status);
    return;
  }
  SSL *ssl = NULL;
  if (!net_session_init(&client->session, client->loop->client_kind) ||
      (client->tls && !(ssl = new_tls(client)))) {
    end_client(client, "out of memory");
    close_stream(client);
    return;
  }
  net_stream_start(s, ssl);
}

static void try_address(NetClient *client) {
  client->connect.data = client;
  int status = uv_tcp_connect(&client->connect, &client->session.stream.tcp,
                              client->address->ai_addr, on_connected);
  if (status) address_failed(client, status);
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *list) {
  NetClient *client = request->data;
  if (client->state == NET_CLIENT_ENDING) { /* meanwhile */
    uv_freeaddrinfo(list);
    net_client_release(client);
    return;
  }
  client->addresses = client->address = list; /* NULL if there are none */
  if (status) {
    end_client(client, uv_strerror(status));
    close_stream(client);
  } else {
    client->state = NET_CLIENT_CONNECTING;
    try_address(client);
  }
  net_client_release(client);
}

/* ---- making ------------------------------------------------------------------------------ */

static void end_all(NetLoop *l) {
  for (NetClient *client = l->clients; client; client = client->next) {
    end_rest(client, "the program ends");
    close_stream(client);
  }
  for (NetTrust *t; (t = l->trusts);) {
    l->trusts = t->next;
    SSL_CTX_free(t->tls);
    free(t->ca_path);
    free(t);
  }
  net_session_kind_free(l->client_kind);
  free(l->client_kind);
  l->client_kind = NULL;
}

/* A context costs a millisecond and the reading of a bundle: one for each bundle. */
static SSL_CTX *tls_for(NetLoop *l, const char *ca_path, char *why, size_t why_bytes) {
  for (NetTrust *t = l->trusts; t; t = t->next)
    if (ca_path ? t->ca_path && !strcmp(t->ca_path, ca_path) : !t->ca_path) return t->tls;
  SSL_CTX *tls = net_tls_client(ca_path, why, why_bytes);
  NetTrust *t = tls ? calloc(1, sizeof *t) : NULL;
  if (!t) {
    SSL_CTX_free(tls);
    return NULL;
  }
  t->tls = tls;
  t->ca_path = ca_path ? strdup(ca_path) : NULL;
  t->next = l->trusts;
  l->trusts = t;
  return tls;
}

static bool need_kind(NetLoop *l) {
  if (l->client_kind) return true;
  NetSessionKind *kind = calloc(1, sizeof *kind);
  if (!kind || !net_call_kind_init(kind)) {
    free(kind);
    return false;
  }
  l->client_kind = kind;
  l->end_clients = end_all;
  return true;
}

static NetClient *allocate(NetLoop *l, const NetOrigin *origin) {
  NetClient *client = calloc(1, sizeof *client);
  if (!client) return NULL;
  client->loop = l;
  client->origin = *origin;
  if (origin->ca_path) client->origin.ca_path = strdup(origin->ca_path);
  client->opened = client->handle = VK_NIL;
  client->holders = 1; /* the caller */
  vk_root_add(l->isolate, &client->opened);
  vk_root_add(l->isolate, &client->handle);
  client->next = l->clients;
  l->clients = client;
  return client;
}

NetClient *net_client_new(NetLoop *l, const NetOrigin *origin, char *why, size_t why_bytes) {
  SSL_CTX *tls = NULL;
  snprintf(why, why_bytes, "out of memory");
  if (!need_kind(l)) return NULL;
  if (origin->is_tls && !(tls = tls_for(l, origin->ca_path, why, why_bytes))) return NULL;
  NetClient *client = allocate(l, origin);
  if (!client) return NULL;
  if (tls) SSL_CTX_up_ref(tls);
  client->tls = tls;
  if (net_stream_init(&client->session.stream, l, &events)) {
    leave_loop(client);
    net_client_release(client);
    return NULL;
  }
  uv_timer_init(&l->uv, &client->clock);
  client->clock.data = client->lookup.data = client;
  client->holders += 2; /* until the stream and the clock are closed; until the host is found */
  start_clock(client, CONNECT_MS);
  char port[16];
  snprintf(port, sizeof port, "%d", origin->port);
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
  int status = uv_getaddrinfo(&l->uv, &client->lookup, on_found, net_loop_host(origin->host),
                              port, &hints);
  if (status) {
    end_client(client, uv_strerror(status));
    close_stream(client);
    net_client_release(client);
  }
  return client;
}
