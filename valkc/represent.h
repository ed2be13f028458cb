/* represent.h - raw integers and doubles. */
#ifndef VALKC_REPRESENT_H
#define VALKC_REPRESENT_H
#include "low.h"

typedef struct FastOp { /* a row of fast_ops.def */
  const char *prim, *c_name, *operands;
  char result;
  char takes; /* 1: c first and the position last; 2: c first */
} FastOp;

void represent_run(LowProgram *low);
LowRep fast_operand_rep(const FastOp *fast, size_t i);
/* How the operation itself gives its value; a SET or RETURN converts. */
LowRep low_op_rep(const LowOp *op);
#endif
