/* repl.h - `valkc repl`: a session in which forms are evaluated as they are entered. */
#ifndef VALKC_REPL_H
#define VALKC_REPL_H
#include "options.h"

/* Loads the files that the command line names, then reads until the end: the exit status. That is 1
 * if input that is no terminal's had an error. */
int repl_run(const Options *options);
#endif
