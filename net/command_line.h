/* command_line.h - what the user of a built server may say on its command line, whatever the
 * program says: --workers N, --strategy reuseport|shared|auto. They are taken out of
 * (os/args). */
#ifndef NET_COMMAND_LINE_H
#define NET_COMMAND_LINE_H

typedef enum NetStrategy {           /* who gets a new connection: workers.h */
                           NET_AUTO, /* the system's best: reuseport on Linux */
                           NET_REUSEPORT,
                           NET_SHARED,
} NetStrategy;

typedef struct NetCommandLine {
  unsigned workers; /* 0: not given */
  int strategy;     /* a NetStrategy, -1: not given */
} NetCommandLine;
extern NetCommandLine net_command_line; /* set before the program starts, then constant */

/* The strategy of that name, -1 if there is none. */
int net_strategy_named(const char *name);
#endif
