/* flow_value.c - the lattice of flow.c. */
#include "flow_value.h"
#include <string.h>

const Set set_any = {UINT32_MAX, {NULL}};

const Set *set_one(Arena *a, const void *item) {
  Set *s = arena_alloc(a, sizeof(Set) + sizeof s->items[0]);
  s->count = 1;
  s->items[0] = item;
  return s;
}

static unsigned set_count(const Set *s) { return s ? s->count : 0; }

bool set_has(const Set *s, const void *item) {
  if (s == &set_any) return true;
  for (unsigned i = 0; i < set_count(s); i++)
    if (s->items[i] == item) return true;
  return false;
}

static bool set_within(const Set *x, const Set *y) {
  if (x == y || !x || y == &set_any) return true;
  if (x == &set_any || set_count(x) > set_count(y)) return false;
  unsigned j = 0;
  for (unsigned i = 0; i < x->count; i++) {
    while (j < y->count && y->items[j] < x->items[i]) j++;
    if (j == y->count || y->items[j] != x->items[i]) return false;
  }
  return true;
}

const Set *set_union(Arena *a, const Set *x, const Set *y, unsigned most) {
  if (set_within(y, x)) return x; /* first: joining what is there already gives the same pointer */
  if (set_within(x, y)) return y;
  const void *out[2 * FNS_MAX];
  unsigned i = 0, j = 0, n = 0;
  while (i < x->count || j < y->count) {
    if (j == y->count || (i < x->count && x->items[i] < y->items[j])) out[n++] = x->items[i++];
    else if (i == x->count || y->items[j] < x->items[i]) out[n++] = y->items[j++];
    else out[n++] = x->items[i++], j++;
  }
  if (n > most) return &set_any;
  Set *s = arena_alloc(a, sizeof(Set) + n * sizeof s->items[0]);
  s->count = n;
  memcpy(s->items, out, n * sizeof s->items[0]);
  return s;
}

AVal aval_none(void) { return (AVal){0, 1, 0, NULL, NULL, NULL}; }

AVal aval_of(uint32_t types) {
  AVal v = {types, 1, 0, NULL, NULL, NULL};
  if (types & T_FIX) v.lo = FIX_MIN, v.hi = FIX_MAX;
  if (types & T_BIG) v.lo = INT64_MIN, v.hi = INT64_MAX;
  if (types & T_FUN) v.fns = &set_any;
  if (types & (T_PAIR | T_LISTOBJ | T_VECTOR | T_MAP)) v.sites = &set_any;
  return v;
}

/* The integer types of x by its range. */
static AVal by_range(AVal x) {
  x.types &= ~(uint32_t)T_INT;
  if (x.lo > x.hi) {
    x.lo = 1, x.hi = 0;
    return x;
  }
  if (x.lo <= FIX_MAX && x.hi >= FIX_MIN) x.types |= T_FIX;
  if (x.lo < FIX_MIN || x.hi > FIX_MAX) x.types |= T_BIG;
  return x;
}

bool aval_is_reserved(int64_t n) {
  return (n > COUNT_SURE && n < COUNT_MAX) || (n < -COUNT_SURE && n > -COUNT_MAX);
}

AVal aval_range(int64_t lo, int64_t hi) {
  if (hi > 0 && aval_is_reserved(hi)) hi = COUNT_MAX + 1;
  if (lo < 0 && aval_is_reserved(lo)) lo = -COUNT_MAX - 1;
  return by_range((AVal){T_INT, lo, hi, NULL, NULL, NULL});
}

AVal aval_exact(int64_t lo, int64_t hi) {
  return aval_range(lo == -COUNT_MAX ? lo - 1 : lo, hi == COUNT_MAX ? hi + 1 : hi);
}

AVal aval_clamp(AVal x, int64_t lo, int64_t hi) {
  if (!(x.types & T_INT)) return x;
  if (lo > x.lo) x.lo = lo;
  if (hi < x.hi) x.hi = hi;
  return by_range(x);
}

AVal aval_const(const Datum *d) {
  switch (d->kind) {
  case DATUM_INT: return aval_exact(d->integer, d->integer);
  case DATUM_BIG: return aval_of(T_BIG);
  case DATUM_FLOAT: return aval_of(T_FLOAT);
  case DATUM_STRING: return aval_of(T_STRING);
  case DATUM_SYMBOL: return aval_of(T_SYMBOL);
  case DATUM_KEYWORD: return aval_of(T_KEYWORD);
  case DATUM_VALUE: break; /* only in the evaluator */
  case DATUM_VECTOR: return aval_of(T_VECTOR);
  case DATUM_MAP: return aval_of(T_MAP);
  case DATUM_LIST: break;
  }
  if (d->count == 0) return aval_of(T_NIL);
  return aval_of(d->is_quoted ? T_PAIR : T_LISTOBJ);
}

AVal aval_join(Arena *a, AVal x, AVal y) {
  if (!x.types) return y;
  if (!y.types) return x;
  AVal v = {x.types | y.types, x.lo, x.hi, set_union(a, x.fns, y.fns, FNS_MAX), set_union(a, x.sites, y.sites, SITES_MAX),
            x.below == y.below ? x.below : NULL};
  if (y.types & T_INT) {
    if (!(x.types & T_INT) || y.lo < v.lo) v.lo = y.lo;
    if (!(x.types & T_INT) || y.hi > v.hi) v.hi = y.hi;
  }
  return v;
}

AVal aval_keep(AVal x, uint32_t types) {
  if (x.types & T_BIG && !(types & T_BIG)) x = aval_clamp(x, FIX_MIN, FIX_MAX);
  x.types &= types;
  if (!(x.types & T_INT)) x.lo = 1, x.hi = 0;
  if (!(x.types & T_FUN)) x.fns = NULL;
  if (!(x.types & (T_PAIR | T_LISTOBJ | T_VECTOR | T_MAP))) x.sites = NULL;
  return x;
}

bool aval_equal(AVal x, AVal y) {
  return x.types == y.types && x.lo == y.lo && x.hi == y.hi && x.fns == y.fns && x.sites == y.sites &&
         x.below == y.below;
}
