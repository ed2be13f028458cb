/* ranges.h - lists of consecutive integers that are made only to be walked are counted. */
#ifndef VALKC_RANGES_H
#define VALKC_RANGES_H
#include "../lang/core.h"

/* True if a loop was changed; afterwards core_find_free must run. */
bool ranges_run(Program *p);
#endif
