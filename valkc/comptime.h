/* comptime.h - the evaluator inside the compiler: what runs macros and (comptime e). */
#ifndef VALKC_COMPTIME_H
#define VALKC_COMPTIME_H
#include "../lang/core.h"

/* Gives the program a host. Its isolate is made when something first has to run. */
void comptime_prepare(Program *p);
void comptime_end(Program *p);
#endif
