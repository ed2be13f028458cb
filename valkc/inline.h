/* inline.h - calls replaced by the bodies they run. */
#ifndef VALKC_INLINE_H
#define VALKC_INLINE_H
#include "../lang/core.h"

typedef struct Inliner {
  Program *p;
  PtrMap sizes;    /* Lambda -> InlineInfo * */
  size_t growth;   /* nodes added by copying */
  unsigned depth;  /* inlined code being inlined in */
  Lambda *in;      /* the function whose body is being simplified */
  PtrMap cyclic;   /* Global -> the first function of the cycle of calls it is in */
} Inliner;

/* Finds the global functions that can lead back to themselves; before the walks of a round. */
void inline_prepare(Inliner *in);
/* A call of a known function that is better replaced: the body with its parameters bound to the
 * arguments, or NULL. The callee's own code is moved if nothing else can reach it, else copied. */
Core *inline_call(Inliner *in, Core *call);
/* The body of a copy of l, with its parameters bound to the arguments, which l takes. */
Core *inline_copy(Inliner *in, Lambda *l, Core *call);
/* (call f a) with fewer arguments than f needs, f known: a function of the others; else NULL. */
Core *inline_partial(Inliner *in, Core *call);
#endif
