/* bases.h - where a vector's elements are and how many, found once before a loop. */
#ifndef VALKC_BASES_H
#define VALKC_BASES_H
#include "low.h"

void bases_run(LowProgram *low);
#endif
