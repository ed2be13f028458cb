/* calm.h - code that does something costly however often it runs (calm.c). */
#ifndef VALKC_CALM_H
#define VALKC_CALM_H
#include "low.h"

/* Looks up a key, makes a string, prints: twenty nanoseconds and more. */
bool calm_is_costly(const LowOp *op);
void calm_run(LowProgram *low);
#endif
