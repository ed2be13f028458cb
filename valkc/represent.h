/* represent.h - raw integers and doubles. */
#ifndef VALKC_REPRESENT_H
#define VALKC_REPRESENT_H
#include "low.h"

typedef struct FastOp { /* a row of fast_ops.def */
  const char *prim, *c_name, *operands;
  char result; /* upper case: allows errors, see fast_ops.def */
  char takes; /* 1: c first and the position last; 2: c first */
  const char *guard; /* or NULL: a C function that tells whether it will not fail */
  bool is_tried;     /* where the guard says no, the ordinary operation may do it */
} FastOp;

void represent_run(LowProgram *low);
LowRep fast_operand_rep(const LowOp *op, size_t i);
/* Operand i may be an error though the row says otherwise (op->takes_errors). */
bool fast_takes_error(const LowOp *op, size_t i);
const FastOp *represent_guard(const char *name);
bool low_fn_uses_c(const LowFn *f); /* as its statements are now */
/* How the operation itself gives its value; a SET or RETURN converts. */
LowRep low_op_rep(const LowOp *op);
#endif
