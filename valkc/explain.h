/* explain.h - what the compiler made of a program, shown beside its text. */
#ifndef VALKC_EXPLAIN_H
#define VALKC_EXPLAIN_H
#include "low.h"
#include <stdio.h>

/* For each call of the user's text: direct, inlined, a jump, or unknown and why; for each loop the
 * checks that remain in it. After represent. One line each, in the order of the text. */
void explain_calls(LowProgram *low, FILE *out);

/* The text of the main file, with the places of what each line allocates in the margin and, for the
 * heap, what forced it; then a summary. After place. */
void explain_places(LowProgram *low, const char *path, FILE *out, bool use_colour);
void explain_places_json(LowProgram *low, FILE *out);

/* What a function, or anything it calls, puts on the heap: messages, as errors. Whether there is
 * anything, or no such function. */
bool explain_no_heap(LowProgram *low, const char *function);
#endif
