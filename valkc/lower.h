/* lower.h - core to low: see low.h for what low is, lower.c for how it is made. */
#ifndef VALKC_LOWER_H
#define VALKC_LOWER_H
#include "low.h"
#include <stdio.h>

/* Requires: core after core_find_free, without CORE_NAME nodes. Gives slots to the globals used. */
LowProgram *lower_run(Program *p);
void lower_check(LowProgram *low); /* asserts what low.h promises; diag_bug if not */
void lower_dump(LowProgram *low, FILE *out);
#endif
