/* raw_error.h - numbers that may be errors, in raw variables: raw_error.c. */
#ifndef VALKC_RAW_ERROR_H
#define VALKC_RAW_ERROR_H
#include "low.h"

/* Requires: representations chosen. For every function and top-level form. */
void raw_error_run(LowProgram *low);
#endif
