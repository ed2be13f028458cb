/* eval_run.h - the ways of running that eval_code.c chooses from, one per shape of node. */
#ifndef VK_EVAL_RUN_H
#define VK_EVAL_RUN_H
#include "eval.h"

/* X(name): V eval_do_NAME(vk *c, const Code *e, V *env) */
#define EVAL_RUNS(X)                                                                           \
  X(const)          /* value */                                                                \
  X(local)          /* slot */                                                                 \
  X(captured)       /* slot: captured value */                                                 \
  X(local_box)      /* slot: of the box */                                                     \
  X(captured_box)                                                                              \
  X(or_outer)       /* kids: the variable, what to read while it is unbound */                 \
  X(global)         /* slot of c->globals */                                                   \
  X(set)            /* slot; kids: value */                                                    \
  X(set_box)        /* kids: value; slot: of the box */                                        \
  X(set_captured)                                                                              \
  X(def)            /* slot of c->globals; kids: value; count: 1 if it passes errors on */     \
  X(lambda)         /* data: EvalFn; slot: 1 if it captures the keeper, else it has none */     \
  X(block)          /* kids: the data, the code */                                             \
  X(call)           /* kids: function, arguments */                                            \
  X(call0) X(call1) X(call2) X(call3) X(call4)                                                 \
  X(tail) X(tail0) X(tail1) X(tail2) X(tail3) X(tail4)                                         \
  X(head)           /* kids: a head that may be an error, the call; pos: where it passes */    \
  X(prim)           /* data: VkPrimRow; kids: arguments */                                     \
  X(prim0) X(prim1) X(prim2) X(prim3) X(prim4) X(prim_bare)                                    \
  X(if)             /* kids: condition, then, else */                                          \
  X(guard)          /* %guard. kids: what memory may run out in; slot, count: its variables; pos */ \
  X(seq)            /* kids; data: where each one is */                                        \
  X(let)            /* slot; kids: init, body */                                               \
  X(let_unbound)    /* slot; kids: body */                                                     \
  X(let_box)        /* slot; kids: init, body */                                               \
  X(let_box_unbound)                                                                           \
  X(boxes)          /* data: uint32_t *, slots to be boxed; kids: body */                      \
  X(loop)           /* slot: first variable; kids: initial values, body */                     \
  X(recur)          /* slot: first variable; kids: values */
#define X(name) V eval_do_##name(vk *c, const Code *e, V *env);
EVAL_RUNS(X)
#undef X

/* The inline primitives of ops.h, by the C function of their row; NULL if it has none. */
EvalRun eval_inline_run(const void *code);
/* The primitives that call, in tail position: the call is parked. NULL for others. */
EvalRun eval_tail_run(const void *code);
#endif
