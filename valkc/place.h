/* place.h - where each allocation lives: see place.c. */
#ifndef VALKC_PLACE_H
#define VALKC_PLACE_H
#include "low.h"

void place_run(LowProgram *low);
#endif
