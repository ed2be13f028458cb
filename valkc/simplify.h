/* simplify.h - folding, inlining, dead code. */
#ifndef VALKC_SIMPLIFY_H
#define VALKC_SIMPLIFY_H
#include "../lang/core.h"

void simplify_run(Program *p);
/* Evaluating it has no effects and ends; its value may be an error. */
bool simplify_is_droppable(const Core *e);
#endif
