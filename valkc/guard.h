/* guard.h - what memory may run out in, and be caught, is a function of its own. */
#ifndef VALKC_GUARD_H
#define VALKC_GUARD_H
#include "../lang/core.h"

void guard_run(Program *p);
/* e, a SEQ, without its guard, if memory cannot run out in what it guards; else NULL. */
Core *guard_dropped(Core *e);
#endif
