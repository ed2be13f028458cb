/* lower_parts.h - what the files of lower share; nobody else includes it. */
#ifndef VALKC_LOWER_PARTS_H
#define VALKC_LOWER_PARTS_H
#include "lower.h"

typedef struct LowerLoop { /* a LOOP being lowered */
  LowLabel *next;
  LowVar **vars; /* what NEXT assigns */
} LowerLoop;

typedef struct Lower {
  LowProgram *low;
  Program *p;
  Arena *arena;
  LowFn *fn;     /* the function being lowered */
  LowBody *body; /* where statements go */
  Span span;     /* of the expression being lowered, or the nearest around it that has one */
  LowLabel *self_next; /* a self tail call goes there */
  size_t id_count;     /* of the next three */
  LowVar **vars;       /* Valk variable -> low variable */
  LowFn **fns;         /* lambda -> function */
  LowerLoop **loops;
  VEC(LowFn *) queue; /* functions needed, not lowered yet */
  Names const_keys;   /* lower_const.c */
  PtrMap const_by_key;
} Lower;

/* Where a value goes. var NULL: it is the result of the function. Else var, then control goes on
 * at the end of join's block; join is there whenever an expression may need to leave early. */
typedef struct Dest {
  LowVar *var;
  LowLabel *join;
} Dest;

/* lower.c: statements and variables */
LowStmt *low_append(Lower *l, LowStmtKind kind);
LowVar *low_temp(Lower *l);
LowArg low_set_temp(Lower *l, LowOp op); /* a fresh temporary = op */
LowLabel *low_label(Lower *l);
void low_finish(Lower *l, Dest d, LowOp op);
/* If v is an error, it is the result, with the place of `at` added: leaves for d. */
void low_pass_error(Lower *l, LowArg v, Span at, Dest d);
void low_next_round(Lower *l, LowLabel *next, LowVar **vars, LowArg *args, size_t count);
bool low_arg_may_be_error(const Lower *l, LowArg a);
Span low_place(const Lower *l, const Core *e);
/* lower.c: expressions */
LowArg lower_var_place(Lower *l, Var *v); /* the word that holds v: its value, or its box */
LowArg lower_value(Lower *l, Core *e);
LowArg lower_steady_value(Lower *l, Core *e, bool is_last); /* no later assignment changes it */
LowArg *lower_values(Lower *l, Core **items, size_t count, size_t room); /* room: free before */
void lower_to(Lower *l, Core *e, Dest d);
bool lower_is_inert(const Core *e); /* evaluating it cannot be observed */

/* lower_call.c: functions and calls */
LowFn *lower_fn_of(Lower *l, Lambda *lambda, Var *own);
void lower_need(Lower *l, LowFn *f);
LowFn *lower_static_fn(Lower *l, const Var *v); /* v always is this function without captures */
LowOp lower_closure(Lower *l, LowFn *f);        /* a new closure, or the static one */
LowOp lower_literal(Lower *l, Core *e);
LowOp lower_call_op(Lower *l, Core *e, Dest d); /* may leave for d */
bool lower_call_may_leave(Lower *l, Core *e);
/* (eval x), (%apply f l) in tail position: a tail call of the primitive; false for others. */
bool lower_prim_tail(Lower *l, Core *e);
void lower_call_to(Lower *l, Core *e, Dest d);

/* lower_const.c */
LowConst *lower_const(Lower *l, const Datum *d);
LowConst *lower_nil(Lower *l);
LowConst *lower_fn_const(Lower *l, LowFn *f);
LowConst *lower_prim_const(Lower *l, const Prim *prim);
LowConst *lower_literal_const(Lower *l, LowConst *data, LowConst *code);
int lower_new_slot(Lower *l, Global *g, LowConst *init);
/* The first value of a global variable, which has a slot then; NULL: it starts unbound. */
/* Slots for what code made at run time may name; it finds them by name. */
void lower_open_globals(Lower *l);
LowConst *lower_slot_init(Lower *l, Global *g);

/* merge.c: before lower_facts */
void merge_run(Lower *l);

/* lower_facts.c: after all functions are lowered */
void lower_facts(LowProgram *low);
/* All functions; those in a cycle of the tail-call graph have one `component` and are neighbours. */
LowFn **lower_by_component(LowProgram *low);

static inline LowArg arg_var(LowVar *v) { return (LowArg){.kind = ARG_VAR, .var = v}; }
static inline LowArg arg_const(LowConst *k) {
  return (LowArg){.kind = ARG_CONST, .constant = k};
}
static inline bool arg_is_var(LowArg a, const LowVar *v) {
  return a.kind == ARG_VAR && a.var == v;
}
LowOp low_op(Lower *l, LowOpKind kind, size_t count, ...); /* LowArg each; pos: l->span */
static inline LowOp low_copy(Lower *l, LowArg a) { return low_op(l, OP_COPY, 1, a); }
#endif
