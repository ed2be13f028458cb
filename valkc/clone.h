/* clone.h - functions of their own for calls with arguments of other types. */
#ifndef VALKC_CLONE_H
#define VALKC_CLONE_H
#include "../lang/core.h"

/* flow_run, and again after functions were cloned by what it found. */
void clone_run(Program *p);
#endif
