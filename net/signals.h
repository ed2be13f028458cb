/* signals.h - SIGTERM and SIGINT end a serving process gracefully, SIGHUP has its certificates
 * read again. */
#ifndef NET_SIGNALS_H
#define NET_SIGNALS_H
#include "loop.h"

/* From the process's first server on, on its loop. A signal that the process ignores or handles
 * already (nohup, a REPL) is left alone. The second SIGTERM or SIGINT ends it at once. */
void net_signals_start(NetLoop *l);
/* A server of l has ended: after a signal, the process ends with its last one. */
void net_signals_server_ended(NetLoop *l);
#endif
