/* repl_signal.h - control-C and its relatives in `valkc repl`. */
#ifndef VALKC_REPL_SIGNAL_H
#define VALKC_REPL_SIGNAL_H
#include "../rt/vk.h"
#include <stdbool.h>

/* From now on SIGINT is handled on this thread: it stops what runs in isolate c, between
 * signals_evaluation_begin and _end; otherwise it makes read fail with EINTR. */
void signals_init(vk *c);
void signals_evaluation_begin(void);
void signals_evaluation_end(void);
/* The same for what runs while a line is being read; an interrupt is that line's, too. */
void signals_serving_begin(void);
void signals_serving_end(void);
/* Whether one came that has not been acted upon. */
bool signals_came(void);
/* Between these, signals that end or suspend the process wait until signals_act: the terminal is
 * in a mode of the line editor's. */
void signals_editing_begin(void);
void signals_editing_end(void);

bool signals_take_interrupt(void); /* has SIGINT come since the last time? */
bool signals_take_resize(void);    /* SIGWINCH? */
/* The signal that waits to end or suspend the process, or 0. signals_act lets it: the terminal must be
 * as it was found. Comes back after a suspension. */
int signals_waiting(void);
void signals_act(void);
#endif
