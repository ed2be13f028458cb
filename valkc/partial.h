/* partial.h - the tests that end a recursion are made before the call. */
#ifndef VALKC_PARTIAL_H
#define VALKC_PARTIAL_H
#include "../lang/core.h"

/* True if a function was split; then core_find_free and core_find_reachable must run, and inlining
 * puts the tests where the calls are. */
bool partial_run(Program *p);
#endif
