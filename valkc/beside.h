/* beside.h - fast paths only where they save something (beside.c). */
#ifndef VALKC_BESIDE_H
#define VALKC_BESIDE_H
#include "low.h"

void beside_run(LowProgram *low);
#endif
