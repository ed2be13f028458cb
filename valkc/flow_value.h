/* flow_value.h - the lattice of flow.c: sets of types, ranges, functions and allocation sites. */
#ifndef VALKC_FLOW_VALUE_H
#define VALKC_FLOW_VALUE_H
#include "flow.h"

#define FIX_MAX (((int64_t)1 << 60) - 1)
#define FIX_MIN (-((int64_t)1 << 60))
/* Counting in small steps from below COUNT_SURE does not reach COUNT_MAX in the life of a machine (2^58 / 16
 * additions are more than a year): widening stops there, and adding a small constant to what is bounded by
 * just COUNT_MAX counts as staying within it. So that this is the bound of nothing else, other bounds
 * between the two are taken for COUNT_MAX + 1. */
#define COUNT_SURE ((int64_t)1 << 58)
#define COUNT_MAX ((int64_t)1 << 59)
#define LENGTH_MAX ((int64_t)1 << 48) /* no collection is larger */
/* More functions, or sites, in one set are all of them. A call of what is in no set passes values and gets
 * them unknown: 4 times as slow as one of 200 functions that are followed, which cost the compiler little. */
enum { FNS_MAX = 256, SITES_MAX = 32, COUNT_STEP_MAX = 16 };

/* An immutable set of pointers; NULL is empty, &set_any is everything (open world). */
typedef struct Set {
  unsigned count;
  const void *items[]; /* in order of address */
} Set;
extern const Set set_any;

typedef struct AVal {
  uint32_t types; /* 0: no value yet (not reached) */
  int64_t lo, hi; /* of the integers in it; lo > hi if there are none; INT64_MIN and
                     INT64_MAX: without bound */
  const Set *fns;   /* of the functions in it */
  const Set *sites; /* of the pairs, vectors, maps in it; what errors and handles hold escapes */
  const Var *below; /* its integers are less than what this variable gives: flow.c, bounds */
} AVal;

AVal aval_none(void);
AVal aval_of(uint32_t types); /* anything of these types, from anywhere */
AVal aval_range(int64_t lo, int64_t hi); /* an integer; T_FIX, T_BIG or both by the range */
AVal aval_exact(int64_t lo, int64_t hi); /* the same, where COUNT_MAX is not the assumption */
bool aval_is_reserved(int64_t n); /* between COUNT_SURE and COUNT_MAX, or so below 0 */
AVal aval_clamp(AVal x, int64_t lo, int64_t hi); /* x without integers out of this range */
AVal aval_const(const Datum *d);
AVal aval_join(Arena *a, AVal x, AVal y);
AVal aval_keep(AVal x, uint32_t types); /* x without the other types */
bool aval_equal(AVal x, AVal y);
const Set *set_one(Arena *a, const void *item);
const Set *set_union(Arena *a, const Set *x, const Set *y, unsigned most);
bool set_has(const Set *s, const void *item);
#endif
