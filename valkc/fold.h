/* fold.h - primitives computed at compile time. */
#ifndef VALKC_FOLD_H
#define VALKC_FOLD_H
#include "../lang/core.h"

/* The constant that the pure primitive of e gives for its constant arguments, or NULL if they are
 * not all plain constants or it would give an error or something that is not plain data. Runs the
 * runtime's own C code, so that the answer is the program's. */
Core *fold_prim(Program *p, const Core *e);
/* Whether a constant is true (LANGUAGE.md 2). */
bool fold_is_true(const Datum *d);
#endif
