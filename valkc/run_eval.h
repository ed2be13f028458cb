/* run_eval.h - running a program in the evaluator, in this process: no C, no files. */
#ifndef VALKC_RUN_EVAL_H
#define VALKC_RUN_EVAL_H
#include "options.h"

/* `valkc run --eval FILE ARG...` and `valkc -e EXPR ARG...`: the exit status. */
int run_evaluated(const Options *options);
#endif
