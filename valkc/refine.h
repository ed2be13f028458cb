/* refine.h - core made simpler by what flow found. */
#ifndef VALKC_REFINE_H
#define VALKC_REFINE_H
#include "../lang/core.h"

void refine_run(Program *p);
#endif
