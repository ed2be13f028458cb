/* run.h - `valkc run`. */
#ifndef VALKC_RUN_H
#define VALKC_RUN_H
#include "options.h"

/* Compiles args[0] and becomes it, with all of args as its arguments; comes back with an exit
 * status only if that fails. */
int run_program(const Options *options);
#endif
