/* flow_numbers.c - what primitives on numbers, and tests, give: ranges and types (flow_prim.h). */
#include "flow_prim.h"
#include <string.h>

/* ---- arithmetic -------------------------------------------------------------------------- */

static bool has_bounds(AVal v) { return v.lo > INT64_MIN && v.hi < INT64_MAX; }

static int64_t saturate(__int128 n) { return n >= INT64_MAX ? INT64_MAX : n <= INT64_MIN ? INT64_MIN : (int64_t)n; }

/* The result of an operation on two numbers whose integer results are in [lo, hi]: also a float,
 * if one operand may be one; no integer, unless both may be. */
static AVal number(AVal a, AVal b, __int128 lo, __int128 hi) {
  bool may_be_int = a.types & T_INT && b.types & T_INT, may_be_number = a.types & T_NUM && b.types & T_NUM;
  AVal v = may_be_int ? aval_exact(saturate(lo), saturate(hi)) : aval_none();
  if (may_be_number && (a.types | b.types) & T_FLOAT) v.types |= T_FLOAT;
  return v;
}

/* ---- sums: counting stays within COUNT_MAX (flow_value.h) ------------------------------------- */

static bool is_step(AVal v) { return is_int(v) && v.lo >= -COUNT_STEP_MAX && v.hi <= COUNT_STEP_MAX; }

static AVal sum(AVal a, AVal b, __int128 lo, __int128 hi, bool is_counting) {
  AVal v = number(a, b, lo, hi);
  bool ends_up = is_counting && a.hi == COUNT_MAX && hi >= COUNT_MAX && lo < COUNT_MAX;
  bool ends_down = is_counting && a.lo == -COUNT_MAX && lo <= -COUNT_MAX && hi > -COUNT_MAX;
  if (!(v.types & T_INT) || !(ends_up || ends_down)) return v;
  AVal within = aval_range(ends_down ? -COUNT_MAX : v.lo, ends_up ? COUNT_MAX : v.hi);
  within.types |= v.types & ~(uint32_t)T_INT;
  return within;
}

AVal t_add(Flow *f, const Core *e, AVal *v) {
  (void)f, (void)e;
  AVal a = v[0], b = v[1];
  if (is_step(a)) a = v[1], b = v[0];
  __int128 lo = a.lo == INT64_MIN || b.lo == INT64_MIN ? INT64_MIN : (__int128)a.lo + b.lo;
  __int128 hi = a.hi == INT64_MAX || b.hi == INT64_MAX ? INT64_MAX : (__int128)a.hi + b.hi;
  return sum(a, b, lo, hi, is_step(b));
}

AVal t_sub(Flow *f, const Core *e, AVal *v) {
  (void)f, (void)e;
  AVal a = v[0], b = v[1];
  __int128 lo = a.lo == INT64_MIN || b.hi == INT64_MAX ? INT64_MIN : (__int128)a.lo - b.hi;
  __int128 hi = a.hi == INT64_MAX || b.lo == INT64_MIN ? INT64_MAX : (__int128)a.hi - b.lo;
  AVal r = sum(a, b, lo, hi, is_step(b));
  if (is_int(b) && b.lo >= 0) r.below = a.below;
  if (is_int(b) && b.lo > 0 && !r.below) r.below = flow_bound(f, e->items[0]);
  return r;
}

AVal t_neg(Flow *f, const Core *e, AVal *v) {
  (void)f, (void)e;
  AVal a = v[0];
  return number(a, a, a.hi == INT64_MAX ? INT64_MIN : -(__int128)a.hi,
                a.lo == INT64_MIN ? INT64_MAX : -(__int128)a.lo);
}

AVal t_abs(Flow *f, const Core *e, AVal *v) {
  (void)f, (void)e;
  AVal a = v[0];
  __int128 up = a.lo == INT64_MIN ? INT64_MAX : -(__int128)a.lo, lo = a.lo > 0 ? a.lo : a.hi < 0 ? -(__int128)a.hi : 0;
  return number(a, a, lo, a.hi > up ? a.hi : up);
}

/* One of two numbers, the same one whenever their order is the same; nan if one is. */
static AVal least_or_greatest(Flow *f, AVal a, AVal b, bool is_greatest) {
  if (!is_int(a) || !is_int(b)) return flow_join(f, aval_keep(a, T_NUM), aval_keep(b, T_NUM));
  AVal r = is_greatest ? aval_range(a.lo > b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi)
                       : aval_range(a.lo < b.lo ? a.lo : b.lo, a.hi < b.hi ? a.hi : b.hi);
  if (!is_greatest) r.below = a.below ? a.below : b.below;
  return r;
}

AVal t_max(Flow *f, const Core *e, AVal *v) {
  (void)e;
  return least_or_greatest(f, v[0], v[1], true);
}

AVal t_min(Flow *f, const Core *e, AVal *v) {
  (void)e;
  return least_or_greatest(f, v[0], v[1], false);
}

/* ---- products and quotients --------------------------------------------------------------------- */

#define ENDLESS ((__int128)1 << 126) /* a missing bound; times anything but 0 it stays one */
static __int128 bound(int64_t n, int64_t none) { return n != none ? n : n < 0 ? -ENDLESS : ENDLESS; }
static __int128 times(__int128 a, __int128 b) {
  bool is_endless = a >= ENDLESS || a <= -ENDLESS || b >= ENDLESS || b <= -ENDLESS;
  if (a == 0 || b == 0) return 0;
  return !is_endless ? a * b : (a < 0) == (b < 0) ? ENDLESS : -ENDLESS;
}

AVal t_mul(Flow *f, const Core *e, AVal *v) {
  (void)f, (void)e;
  AVal a = v[0], b = v[1];
  __int128 al = bound(a.lo, INT64_MIN), ah = bound(a.hi, INT64_MAX), bl = bound(b.lo, INT64_MIN),
           bh = bound(b.hi, INT64_MAX), p[4] = {times(al, bl), times(al, bh), times(ah, bl), times(ah, bh)};
  __int128 lo = p[0], hi = p[0];
  for (int i = 1; i < 4; i++) lo = p[i] < lo ? p[i] : lo, hi = p[i] > hi ? p[i] : hi;
  return number(a, b, lo, hi);
}

static bool may_be_zero(AVal v) { return v.types & T_FIX && v.lo <= 0 && v.hi >= 0; }

/* A remainder is less than a divisor above 0. */
static AVal below_divisor(Flow *f, const Core *e, AVal result, AVal divisor) {
  if (is_int(divisor) && divisor.lo >= 0) result.below = flow_bound(f, e->items[1]);
  return result;
}

static AVal or_zero_division(AVal result, AVal a, AVal b) {
  return a.types & T_INT && may_be_zero(b) ? with_error(result) : result;
}

AVal t_div(Flow *f, const Core *e, AVal *v) {
  (void)f, (void)e;
  AVal a = v[0], b = v[1];
  __int128 lo = INT64_MIN, hi = INT64_MAX;
  if (has_bounds(a) && b.lo > 0 && b.hi >= b.lo) {
    lo = a.lo < 0 ? a.lo / b.lo : b.hi == INT64_MAX ? 0 : a.lo / b.hi;
    hi = a.hi > 0 ? a.hi / b.lo : b.hi == INT64_MAX ? 0 : a.hi / b.hi;
  } else if (has_bounds(a)) {
    hi = a.hi > -(__int128)a.lo ? a.hi : -(__int128)a.lo;
    lo = -hi;
  } else if (a.lo >= 0 && b.lo > 0) {
    lo = 0;
  }
  return or_zero_division(number(a, b, lo, hi), a, b);
}

AVal t_rem(Flow *f, const Core *e, AVal *v) { /* sign of the dividend */
  AVal a = v[0], b = v[1];
  __int128 m = (__int128)1 << 63; /* no bound */
  if (has_bounds(b)) m = (b.hi > -(__int128)b.lo ? b.hi : -(__int128)b.lo) - 1;
  if (m < 0) m = 0;
  __int128 lo = a.lo >= 0 ? 0 : a.lo > -m ? a.lo : -m, hi = a.hi <= 0 ? 0 : a.hi < m ? a.hi : m;
  return below_divisor(f, e, or_zero_division(number(a, b, lo, hi), a, b), b);
}

AVal t_mod(Flow *f, const Core *e, AVal *v) { /* sign of the divisor */
  AVal a = v[0], b = v[1];
  __int128 lo = b.lo == INT64_MIN ? b.lo : b.lo < 0 ? b.lo + 1 : 0, hi = b.hi == INT64_MAX ? b.hi : b.hi > 0 ? b.hi - 1 : 0;
  return below_divisor(f, e, or_zero_division(number(a, b, lo, hi), a, b), b);
}

/* ---- bits, lengths ------------------------------------------------------------------------------ */

AVal t_bool(Flow *f, const Core *e, AVal *a) {
  (void)f, (void)e, (void)a;
  return aval_range(0, 1);
}

/* ---- comparisons: known where the ranges or the types of the operands do not meet ----------------- */

/* COUNT_MAX is an assumption, of which no constant is made. */
static bool is_counted(int64_t n) { return n > -COUNT_MAX && n < COUNT_MAX; }
static bool is_less(AVal a, AVal b) {
  return is_int(a) && is_int(b) && a.hi < b.lo && is_counted(a.hi) && is_counted(b.lo);
}
static bool is_at_most(AVal a, AVal b) {
  return is_int(a) && is_int(b) && a.hi <= b.lo && is_counted(a.hi) && is_counted(b.lo);
}

static AVal known_or_not(bool is_true, bool is_false) { return aval_range(is_true ? 1 : 0, is_false ? 0 : 1); }

/* By its name: one that stands for a length would be that of another time. */
static bool is_below(const Core *e, const AVal *v, int x) {
  const Core *other = e->items[1 - x];
  bool is_name = other->kind == CORE_LOCAL && !other->a && !other->var->is_set;
  return is_int(v[x]) && is_int(v[1 - x]) && is_name && v[x].below == other->var;
}

AVal t_lt(Flow *f, const Core *e, AVal *v) {
  (void)f;
  return known_or_not(is_less(v[0], v[1]) || is_below(e, v, 0), is_at_most(v[1], v[0]) || is_below(e, v, 1));
}
AVal t_le(Flow *f, const Core *e, AVal *v) {
  (void)f;
  return known_or_not(is_at_most(v[0], v[1]) || is_below(e, v, 0), is_less(v[1], v[0]) || is_below(e, v, 1));
}
AVal t_gt(Flow *f, const Core *e, AVal *v) {
  AVal r = t_le(f, e, v);
  return known_or_not(r.hi == 0, r.lo == 1);
}
AVal t_ge(Flow *f, const Core *e, AVal *v) {
  AVal r = t_lt(f, e, v);
  return known_or_not(r.hi == 0, r.lo == 1);
}

/* Values of types in different rows are never equal. */
static unsigned equality_classes(uint32_t types) {
  static const uint32_t rows[] = {T_NUM, T_STRING, T_SYMBOL | T_KEYWORD, T_NIL | T_LISTOBJ, T_PAIR | T_LISTOBJ,
                                  T_FUN, T_VECTOR, T_MAP, T_ERROR, T_OTHER | T_UNBOUND};
  unsigned classes = 0;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (types & rows[i]) classes |= 1u << i;
  return classes;
}

AVal t_equal(Flow *f, const Core *e, AVal *v) {
  (void)f, (void)e;
  bool differ = is_less(v[0], v[1]) || is_less(v[1], v[0]) ||
                !(equality_classes(v[0].types) & equality_classes(v[1].types));
  bool is_one = is_int(v[0]) && is_int(v[1]) && v[0].lo == v[0].hi && v[1].lo == v[1].hi && v[0].lo == v[1].lo &&
                is_counted(v[0].lo);
  return known_or_not(is_one, differ);
}
AVal t_differ(Flow *f, const Core *e, AVal *v) {
  AVal r = t_equal(f, e, v);
  return known_or_not(r.hi == 0, r.lo == 1);
}

/* ---- predicates ------------------------------------------------------------------------------- */

AVal t_not(Flow *f, const Core *e, AVal *v) {
  (void)f, (void)e;
  bool may_be_false = v[0].types & T_NIL || (v[0].types & T_FIX && v[0].lo <= 0 && v[0].hi >= 0);
  bool may_be_true = v[0].types & ~(uint32_t)(T_NIL | T_FIX) || (v[0].types & T_FIX && (v[0].lo < 0 || v[0].hi > 0));
  return known_or_not(!may_be_true, !may_be_false);
}

AVal t_predicate(Flow *f, const Core *e, AVal *a) {
  (void)f;
  uint32_t asked = flow_asked_types(e->prim);
  if (asked & T_SYMBOL) return aval_range(0, a[0].types & asked ? 1 : 0); /* keywords are symbols to flow */
  return aval_range(a[0].types & ~asked ? 0 : 1, a[0].types & asked ? 1 : 0);
}

/* Predicates of one argument that ask for types. */
uint32_t flow_asked_types(const Prim *prim) {
  static const struct {
    const char *name;
    uint32_t types;
  } rows[] = {{"nil?", T_NIL},        {"int?", T_INT},           {"float?", T_FLOAT},   {"number?", T_NUM},
              {"string?", T_STRING},  {"symbol?", T_SYMBOL},     {"keyword?", T_KEYWORD}, {"function?", T_FUN},
              {"list?", T_LIST},      {"vec?", T_VECTOR},        {"map?", T_MAP},       {"error?", T_ERROR}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (!strcmp(rows[i].name, prim->name)) return rows[i].types;
  return 0;
}

AVal t_and(Flow *f, const Core *e, AVal *a) {
  (void)f;
  if (e->count != 2 || !is_int(a[0]) || !is_int(a[1]) || (a[0].lo < 0 && a[1].lo < 0)) return aval_of(T_INT);
  if (a[0].lo < 0) return aval_range(0, a[1].hi);
  if (a[1].lo < 0) return aval_range(0, a[0].hi);
  return aval_range(0, a[0].hi < a[1].hi ? a[0].hi : a[1].hi);
}

AVal t_or(Flow *f, const Core *e, AVal *a) { /* xor too */
  (void)f;
  if (e->count != 2 || !is_int(a[0]) || !is_int(a[1])) return aval_of(T_INT);
  bool is_natural = a[0].lo >= 0 && a[1].lo >= 0;
  if (!is_natural && !(has_bounds(a[0]) && has_bounds(a[1]))) return aval_of(T_INT);
  int64_t hi = a[0].hi > a[1].hi ? a[0].hi : a[1].hi, lo = a[0].lo < a[1].lo ? a[0].lo : a[1].lo, all_bits = 0;
  if (!is_natural && -(lo + 1) > hi) hi = -(lo + 1);
  while (all_bits < hi) all_bits = all_bits * 2 + 1;
  return aval_range(is_natural ? 0 : -all_bits - 1, all_bits);
}

AVal t_length(Flow *f, const Core *e, AVal *a) {
  (void)f, (void)e, (void)a;
  return aval_range(0, LENGTH_MAX);
}

AVal t_float(Flow *f, const Core *e, AVal *a) {
  (void)f, (void)e, (void)a;
  return aval_of(T_FLOAT);
}

AVal t_byte(Flow *f, const Core *e, AVal *a) {
  (void)f, (void)e, (void)a;
  return aval_range(0, UINT8_MAX);
}
