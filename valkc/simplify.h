/* simplify.h - folding, inlining, dead code. */
#ifndef VALKC_SIMPLIFY_H
#define VALKC_SIMPLIFY_H
#include "../lang/core.h"

void simplify_run(Program *p);
#endif
