/* emit.h - low to C text. */
#ifndef VALKC_EMIT_H
#define VALKC_EMIT_H
#include "low.h"
#include <stdio.h>

/* may_split: a long text is in parts for several runs of the C compiler (low->part_count). */
void emit_run(LowProgram *low, FILE *out, bool may_split);
#endif
