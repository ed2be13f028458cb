/* explain.h - what the compiler made of a program, shown beside its text. */
#ifndef VALKC_EXPLAIN_H
#define VALKC_EXPLAIN_H
#include "low.h"
#include <stdio.h>

/* For each call of the user's text: direct, inlined, a jump, or unknown and why; for each loop the
 * checks that remain in it. After represent. One line each, in the order of the text. */
void explain_calls(LowProgram *low, FILE *out);
#endif
