/* results.h - results that nobody uses are not made. */
#ifndef VALKC_RESULTS_H
#define VALKC_RESULTS_H
#include "../lang/core.h"

void results_run(Program *p);
#endif
