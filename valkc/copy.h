/* copy.h - a copy of an expression with fresh variables, functions and loops. */
#ifndef VALKC_COPY_H
#define VALKC_COPY_H
#include "../lang/core.h"

/* Binders inside e get fresh variables; variables bound outside stay, except those mapped
 * already in `map` (Var * -> Var *, may be NULL). */
Core *core_copy(Program *p, const Core *e, PtrMap *map);
/* Nodes of e, functions inside included, counted up to `limit`. */
size_t core_size(const Core *e, size_t limit);
#endif
