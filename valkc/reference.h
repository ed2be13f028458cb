/* reference.h - the reference page of the primitives, made from their table. */
#ifndef VALKC_REFERENCE_H
#define VALKC_REFERENCE_H
#include <stdio.h>

/* Writes docs/reference/primitives.md: every primitive a program may use, by section. */
void reference_write(FILE *to);
#endif
