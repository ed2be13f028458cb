/* unroll.h - recursion a level deep without calls, for compilers that do not inline. */
#ifndef VALKC_UNROLL_H
#define VALKC_UNROLL_H
#include "inline.h"

/* After inline_prepare. Replaces the calls that small global functions make of themselves, not in tail
 * position, by their bodies. True if it did; then core_find_free must run. */
bool unroll_run(Inliner *in);
#endif
