/* local.h - functions bound to local variables all of whose uses are calls. */
#ifndef VALKC_LOCAL_H
#define VALKC_LOCAL_H
#include "../lang/core.h"

/* A local function called from one place that calls itself in tail position only becomes a LOOP
 * there. True if any did; then core_find_free must run. */
bool local_contify(Program *p);
/* A local function that is only called takes what it captured as parameters, and needs no
 * closure. True if any did; then core_find_free must run. */
bool local_lift(Program *p);
#endif
