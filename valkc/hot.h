/* hot.h - a second copy of loops, for the rounds in which nothing fails. */
#ifndef VALKC_HOT_H
#define VALKC_HOT_H
#include "low.h"

void hot_run(LowProgram *low);
#endif
