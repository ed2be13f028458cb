/* profile.h - runs a program that counts what its allocations take. */
#ifndef VALKC_PROFILE_H
#define VALKC_PROFILE_H
#include "compile.h"
#include "explain.h"

/* Builds c->c_text, made with is_profiled, and runs it with args; its stdout is our stderr. Gives an exit
 * status, after a message if that is not EXIT_OK; how the program ended does not matter. The
 * counts are malloc. */
int profile_run(Compilation *c, char **args, Profile *profile);
#endif
