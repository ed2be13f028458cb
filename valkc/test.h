/* test.h - `valkc test`. */
#ifndef VALKC_TEST_H
#define VALKC_TEST_H
#include "options.h"

/* Runs the golden tests named by args (default: tests/golden or the working directory) in every
 * mode asked for. Exit status: 0 all passed, 1 some failed, 2 no such directory or mode. */
int test_run(const Options *options);
#endif
