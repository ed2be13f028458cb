/* runner.h - the fibers that handlers run in.
 *
 * A runner is a fiber that takes requests from the loop's queue, one after the other, and calls
 * their handlers. A handler that never waits costs no switch of its own: one runner does all
 * that a read brought. Behind a runner that may come to wait stands another one, ready: when
 * the handler waits, it goes on with the rest at once. Runners without work wait for more;
 * there are as many as handlers waited at the same time, but RUNNERS_KEPT at least stay. */
#ifndef NET_RUNNER_H
#define NET_RUNNER_H
#include "request.h"

/* r, complete, is next in the queue. */
void net_runner_add(NetLoop *l, NetRequest *r);
/* r is no longer in it: its stream was closed. */
void net_runner_remove(NetLoop *l, NetRequest *r);
/* On the loop's stack: runs handlers until all in the queue have run or wait. */
void net_runner_run(NetLoop *l);
/* Ends the wait of r's handler with an error of kind :cancelled. Requires: r->runner. */
void net_runner_cancel(NetRequest *r);
/* The last server of the loop has ended: so do runners without work. */
void net_runner_end(NetLoop *l);
#endif
