/* emit.h - low to C text. */
#ifndef VALKC_EMIT_H
#define VALKC_EMIT_H
#include "low.h"
#include <stdio.h>

void emit_run(LowProgram *low, FILE *out);
#endif
