/* flow_prim.h - what flow_prim.c and flow_numbers.c share: the functions in the table of what primitives give. */
#ifndef VALKC_FLOW_PRIM_H
#define VALKC_FLOW_PRIM_H
#include "flow_engine.h"

/* The result of the primitive called by e, with effects on sites; args: of its arguments. */
typedef AVal Transfer(Flow *f, const Core *e, AVal *args);

static inline bool is_fix(AVal v) { return v.types == T_FIX; }
static inline bool is_int(AVal v) { return v.types && !(v.types & ~(uint32_t)T_INT); }
static inline AVal with_error(AVal v) {
  v.types |= T_ERROR;
  return v;
}

/* flow_numbers.c */
Transfer t_add, t_sub, t_neg, t_abs, t_max, t_min, t_mul, t_div, t_rem, t_mod, t_bool, t_lt,
    t_le, t_gt, t_ge, t_equal, t_differ, t_not, t_predicate, t_and, t_or, t_length, t_float,
    t_byte;
#endif
