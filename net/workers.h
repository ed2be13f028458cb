/* workers.h - a server of several isolates.
 *
 * The first worker is the isolate that called http2/listen; each further one is an isolate of
 * its own with a NetServer of its own on the same port, and shares nothing with the others but
 * that. They differ in who gets a new connection:
 *
 *   reuseport   each has a socket; the kernel spreads connections evenly by their addresses
 *   shared      all wait on one socket; who is free first accepts */
#ifndef NET_WORKERS_H
#define NET_WORKERS_H
#include "server.h"

enum { NET_WORKERS_MAX = 256 };

/* Gives s, which listens, count more workers with a copy of its handler. An error value if the
 * handler cannot be copied, or there is no room. */
V net_workers_start(NetServer *s, unsigned count);
/* Tells them to do the same as s. */
void net_workers_stop(NetServer *s);
void net_workers_reload(NetServer *s);
/* The server of a worker is gone: so will its isolate be. */
void net_workers_server_ended(NetServer *s);
#endif
