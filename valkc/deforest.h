/* deforest.h - lists that are made only to be walked are not made. */
#ifndef VALKC_DEFOREST_H
#define VALKC_DEFOREST_H
#include "../lang/core.h"

/* True if a call was replaced: functions of std may be new in the program then. */
bool deforest_run(Program *p);
#endif
