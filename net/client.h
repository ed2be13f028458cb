/* client.h - an HTTP/2 client: one connection, on which many requests are under way at once.
 *
 *   client.c        finding, connecting, one connection's life
 *   call.c          a request and its response
 *   client_prims.c  what programs see; connections kept for (http/get url)
 *
 * A client is made for an origin and connects at once. It has one life: when the connection
 * ends, what was under way fails and further calls are refused; somebody makes a new client.
 * Nobody frees a client: it goes when its connection has ended and nobody holds it. */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H
#include "session.h"
#include "strings.h"
#include "url.h"

typedef struct NetOrigin {
  char host[NET_HOST_BYTES];
  int port;
  bool is_tls;
  const char *ca_path; /* PEM bundle to verify with; NULL: the system's */
} NetOrigin;

typedef struct NetTrust { /* whom to trust: one of l->trusts */
  struct NetTrust *next;
  char *ca_path; /* NULL: whom the system trusts */
  SSL_CTX *tls;
} NetTrust;

typedef enum NetClientState {
  NET_CLIENT_FINDING,    /* addresses of the host */
  NET_CLIENT_CONNECTING, /* to one of them, and agreeing on TLS */
  NET_CLIENT_OPEN,
  NET_CLIENT_ENDING, /* no further calls */
} NetClientState;

typedef struct NetClient {
  NetSession session;
  NetLoop *loop;
  struct NetClient *next; /* in l->clients */
  NetOrigin origin;       /* ca_path is owned */
  NetClientState state;
  SSL_CTX *tls;
  uv_getaddrinfo_t lookup;
  uv_connect_t connect;
  struct addrinfo *addresses, *address; /* the one being tried */
  uv_timer_t clock;                     /* for connecting, being idle, ending */
  VkTurnHook flush;
  struct NetCall *calls, *last_call; /* all; those without a stream wait for the connection */
  V opened;                          /* root: future of the client's handle, or nil */
  V handle;                          /* root while opened waits */
  unsigned holders;                  /* handles, the pool, callbacks of libuv to come */
  uint64_t answered;                 /* responses, ever */
  bool is_pooled, has_handles, is_counted; /* is_counted: in loop->users */
  char why[440];                           /* it ended because */
} NetClient;

/* A new client that connects, held once by the caller; NULL without memory or, after writing
 * why, if the bundle cannot be read. */
NetClient *net_client_new(NetLoop *l, const NetOrigin *origin, char *why, size_t why_bytes);
void net_client_release(NetClient *client);
/* May take calls now, or will once it is connected. */
static inline bool net_client_is_usable(const NetClient *client) {
  return client->state != NET_CLIENT_ENDING;
}
/* Ends the connection; what is under way fails. */
void net_client_close(NetClient *client);

/* ---- calls ------------------------------------------------------------------------------- */

typedef struct NetCallSpec {
  V method, target, authority, headers,
      body; /* checked: strings; headers a list of {name value} */
  uint64_t timeout_ms, max_body;
} NetCallSpec;

typedef struct NetCall {
  struct NetCall *next, *previous;
  NetClient *client;
  int32_t stream_id; /* 0: not sent yet */
  V future, body;    /* roots */
  NetBody sending;
  char *text; /* of fields: names and values */
  nghttp2_nv *fields;
  size_t field_count;
  VkTimer timer;
  uint64_t timeout_ms, max_body;
  bool is_head, has_end, is_over;
  int status;
  VkBuf list; /* fields of the response: lengths and bytes */
  uint8_t *bytes;
  size_t len, room;
} NetCall;

/* A future of the response {:status .. :headers .. :body ..}, or an error about the spec. */
V net_call_start(NetClient *client, const NetCallSpec *spec);
/* The connection is there: sends what waits for it. */
void net_calls_submit(NetClient *client);
/* Every call under way fails with an :io error. */
void net_calls_fail(NetClient *client, const char *why);
/* Callbacks of responses. */
bool net_call_kind_init(NetSessionKind *k);

/* For call.c: sends what is queued at the end of this turn; a call came or went. */
void net_client_flush_soon(NetClient *client);
void net_client_calls_changed(NetClient *client);
#endif
