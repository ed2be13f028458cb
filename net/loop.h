/* loop.h - the event loop of an isolate: libuv's, and what all connections on it share.
 *
 * Made at first use; from then on the isolate's scheduler (rt/sched.h) waits in it for sockets.
 * Everything in net belongs to one NetLoop and is used by its isolate's thread only. */
#ifndef NET_LOOP_H
#define NET_LOOP_H
#include "memory.h"
#include "sched.h"
#include "vk.h"
#include <stdbool.h>

enum { NET_DATE_BYTES = 29 };

typedef struct NetLoop {
  uv_loop_t uv;
  vk *isolate;
  NetMemory memory;
  NetBuffer *out;    /* plain bytes of the connection that is being answered */
  NetBuffer *sealed; /* the same encrypted; NULL until TLS is used */
  uint8_t *in;       /* NET_READ_BYTES, read from a socket */
  uint8_t *opened;   /* NET_READ_BYTES, decrypted; NULL until TLS is used */
  uint64_t date_until_ms;
  char date[NET_DATE_BYTES + 1];
  uint64_t server_count;     /* ever started */
  uint64_t handled;          /* requests given to handlers */
  struct NetServer *servers; /* that listen or still have connections */
  struct NetRequests *requests;
  struct NetRequest *first_ready, *last_ready; /* complete: runner.h */
  struct NetRunner *idle_runners;
  unsigned idle_runner_count;
  bool has_standby;
  struct NetConn *dirty; /* to be flushed at the end of the turn */
  VkTurnHook flush;
  struct NetClient *clients; /* client.h */
  struct NetTrust *trusts;
  struct NetSessionKind *client_kind;     /* NULL until there is one */
  void (*end_clients)(struct NetLoop *l); /* so that servers do not link clients */
  size_t users; /* servers and clients that may yet bring work: the program stays alive */
} NetLoop;

NetLoop *net_loop(vk *c);
void net_loop_need_tls(NetLoop *l); /* makes its buffers */
/* The value of a Date field now (RFC 9110, 5.6.7), NET_DATE_BYTES long; made once per
 * second. */
const char *net_loop_date(NetLoop *l);
/* What to look up for the name of a host: localhost is this machine, also where there is no
 * /etc/hosts to say so (RFC 6761, 6.3). */
const char *net_loop_host(const char *name);
static inline uint64_t net_loop_now_ms(NetLoop *l) { return uv_now(&l->uv); }
#endif
