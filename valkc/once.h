/* once.h - which code runs only once or a few times. */
#ifndef VALKC_ONCE_H
#define VALKC_ONCE_H
#include "low.h"

void once_run(LowProgram *low);
#endif
