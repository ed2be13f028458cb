/* server.h - an HTTP/2 server on one loop: its listener, its connections, what it allows them.
 *
 *   server.c    listening, accepting, timeouts, shutdown, certificates
 *   conn.c      one connection: frames to requests
 *   answer.c    what a handler gave, to a response
 *
 * A turn of a connection: everything that one read brought is parsed; then the handlers of all
 * requests that are complete run; then all that there is to send is written. So a request that
 * is reset in the same read never reaches its handler, and responses share writes. */
#ifndef NET_SERVER_H
#define NET_SERVER_H
#include "gate.h"
#include "command_line.h"
#include "request.h"
#include "session.h"

typedef struct NetLimits {
  uint32_t max_connections, max_streams, max_headers, max_waiting;
  uint64_t max_body, max_body_total; /* of one request; of all that the server holds */
  uint64_t handshake_ms;             /* from the connection to the client's SETTINGS */
  uint64_t headers_ms;               /* from a request's first field to its last */
  uint64_t body_ms;                  /* without a byte of a body that is not complete */
  uint64_t idle_ms;                  /* without a request */
  uint64_t write_ms;                 /* without the client taking a byte */
  uint64_t handler_ms, drain_ms;
} NetLimits;

typedef struct NetServer {
  struct NetServer *next;
  uint64_t number; /* not used again */
  NetLoop *loop;
  uv_tcp_t listener;
  uv_timer_t sweep;
  SSL_CTX *tls; /* NULL: cleartext */
  char *host, *cert_path, *key_path;
  int port;
  NetLimits limits;
  V handler; /* root */
  NetSessionKind kind;
  struct NetConn *conns;
  uint32_t conn_count, open_handles;
  uint32_t pending;    /* requests that wait for their handler, or whose handler runs */
  uint64_t body_bytes; /* that requests hold now */
  uint64_t refused;    /* connections beyond the limit, since the last line in the log */
  uint64_t requests;   /* taken, ever */
  uint64_t drain_until_ms;
  struct NetWorkers *workers; /* the others, NULL if it is the only one */
  struct NetWorker *worker;   /* NULL for the first */
  unsigned worker_count;
  NetStrategy strategy;
  bool is_draining, logs_access;
  unsigned tight_sweeps; /* looks at the heap in a row that found it nearly full */
} NetServer;
static inline bool net_server_is_short(const NetServer *s) { return s->tight_sweeps > 1; }

typedef struct NetConn {
  NetSession session;
  NetServer *server;
  struct NetConn *next, *previous, *next_dirty;
  NetRequest *requests; /* all */
  NetRequest *arriving; /* whose fields are being given, NULL: trailers or none */
  size_t trailer_bytes;
  uint64_t since_ms;   /* when it was accepted, or had its last request */
  uint64_t blocked_ms; /* since when nothing could be written; 0: it can */
  uint64_t finish_ms;  /* since when it is only waiting for the client to close */
  uint64_t drain_ms;   /* when the first GOAWAY of a shutdown was queued */
  NetGate gate;
  uint32_t reset_by_peer; /* the latest such stream */
  unsigned bad_lists;     /* field lists beyond the limit */
  unsigned empty_frames;  /* of DATA, in a row */
  bool has_settings;
  bool is_in_turn;   /* its read is being handled: a flush follows */
  bool is_dirty;     /* in the loop's list of those to flush */
  bool has_told_end; /* the second GOAWAY of a shutdown is queued */
} NetConn;

/* ---- conn.c ---- */
bool net_conn_kind(NetServer *s);
void net_conn_open(NetServer *s, uv_stream_t *listener);
/* Tells the client that no more requests are taken; it closes when those it has are
 * answered. */
void net_conn_drain(NetConn *conn);
/* Closes it if it has kept the server waiting for too long. */
void net_conn_check_time(NetConn *conn, uint64_t now_ms);
/* A request's answer is submitted: whoever calls this flushes later. */
void net_conn_answered(NetRequest *r);
void net_conn_flush(NetConn *conn);
void net_conn_flush_dirty(vk *c, VkTurnHook *hook);
/* For runner.c: the handler of a request that is about to be handled; what it gave, or the
 * error that ended its fiber; it was ended for computing too long; no fiber could be had. */
V net_request_handler(NetRequest *r);
void net_request_handled(NetRequest *r, V result);
void net_request_stopped(NetRequest *r, V error);
void net_request_refused(NetRequest *r);

/* ---- answer.c ---- */
/* Submits the response that `result` says: a string, a plist, or anything else: 500 and a line
 * in the log. */
void net_answer(NetServer *s, NetRequest *r, V result);
/* An empty response of that status; the error goes to the log. */
void net_answer_error(NetServer *s, NetRequest *r, V error, int status);
/* An empty response of that status. */
void net_answer_status(NetServer *s, NetRequest *r, int status);

/* ---- server.c ---- */
typedef struct NetServerSpec {
  const char *host;
  int port;
  const char *cert_path, *key_path; /* both or none */
  NetLimits limits;
  bool logs_access;
  unsigned workers;
  NetStrategy strategy;
  int socket;               /* to listen on, a descriptor to be owned; -1: a new one */
  struct NetWorker *worker; /* for which it is */
  V handler;
} NetServerSpec;
/* For another worker like s; but the handler and the worker. */
NetServerSpec net_server_spec_of(const NetServer *s);

extern const NetLimits net_limits_usual;
/* NULL after writing why. */
NetServer *net_server_start(NetLoop *l, const NetServerSpec *spec, char *why, size_t why_bytes);
void net_server_stop(NetServer *s);   /* gracefully; once */
void net_server_reload(NetServer *s); /* certificate and key, for new connections */
void net_server_conn_closed(NetServer *s);
void net_server_request_done(NetServer *s); /* one that was pending */
void net_server_workers_ended(NetServer *s);
#endif
