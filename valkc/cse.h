/* cse.h - common subexpressions. */
#ifndef VALKC_CSE_H
#define VALKC_CSE_H
#include "../lang/core.h"

void cse_run(Program *p);
#endif
