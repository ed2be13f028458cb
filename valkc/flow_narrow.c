/* flow_narrow.c - what a test that went one way tells of the variables in it.
 *
 * keeps: only what holds for every value the test can have had: a comparison that gave no error had
 *        two numbers, a predicate of one argument asked for types, `==` with nil or a number */
#include "flow_engine.h"
#include <string.h>

/* ---- narrowing ------------------------------------------------------------------------------ */

void flow_narrow_var(Flow *f, Var *v, AVal value) {
  if (!VAR_IS_BOXED(v) && !aval_equal(*flow_now(f, v), value)) flow_set_now(f, v, value);
}

static bool is_int(AVal v) { return v.types && !(v.types & ~(uint32_t)T_INT); }

static bool operand(Flow *f, const Core *e, AVal *v) {
  if (e->kind == CORE_CONST) *v = aval_const(e->datum);
  else if (e->kind == CORE_LOCAL && !e->a) *v = flow_read_var(f, e->var);
  else return false;
  return true;
}

/* Bounds. An index is in range if it is less than the number of elements, both known by a name: a
 * variable that is never assigned and is that number, or is the vector, which never loses elements.
 *
 *   (let {v (vec/make n x)} ..)     elements of v: n
 *   (let {n (vec/len v)} ..)        n: elements of v
 *
 * Names are compared, so they must mean one value: where one is in scope it does, as what it is
 * bound to only mentions names around it. AVal.below therefore lives along one walk, and is
 * dropped where values flow to other rounds and other functions (grow).
 * After: Bodik, Gupta, Sarkar, "ABCD: Eliminating Array Bounds Checks on Demand", PLDI 2000, of
 * whose graph this keeps the edges between names. */
static const Var *fixed_var(const Core *e) { return e->kind == CORE_LOCAL && !e->a && !e->var->is_set ? e->var : NULL; }

static const Core *definition(Flow *f, const Var *v, const char *prim) {
  const Core *def = flow_var(f, (Var *)v)->def;
  return def && !strcmp(def->prim->name, prim) ? def : NULL;
}

/* How many elements v had when it was made, or NULL. */
static const Var *first_length(Flow *f, const Var *v) {
  const Core *make = v ? definition(f, v, "vec/make") : NULL;
  return make ? flow_bound(f, make->items[0]) : NULL;
}

bool flow_is_below_length(Flow *f, AVal index, const Core *vector) {
  const Var *v = fixed_var(vector);
  return index.below && (index.below == v || index.below == first_length(f, v));
}

static bool may_have_grown(Flow *f, const Core *vector) {
  AVal v;
  if (!operand(f, vector, &v) || v.sites == &set_any) return true;
  for (unsigned i = 0; v.sites && i < v.sites->count; i++)
    if (flow_read(f, &((Site *)v.sites->items[i])->grown).types) return true;
  return false;
}

/* What is below (vec/len v) is below v, and below what v was made with if it got no more since. */
static const Var *bound_by_length(Flow *f, const Core *e) {
  if (e->kind != CORE_PRIM || strcmp(e->prim->name, "vec/len") != 0) return NULL;
  const Var *v = fixed_var(e->items[0]), *n = first_length(f, v);
  return n && !may_have_grown(f, e->items[0]) ? n : v;
}

const Var *flow_bound(Flow *f, const Core *e) {
  const Var *v = fixed_var(e);
  const Core *end = v ? definition(f, v, "%range-end") : NULL;
  if (end) return flow_bound(f, end->items[0]);
  const Core *length = v ? definition(f, v, "vec/len") : e;
  const Var *bound = length ? bound_by_length(f, length) : NULL;
  return bound ? bound : v;
}

/* a < b or a <= b holds. A comparison that was decided had two numbers. */
static void refine_less(Flow *f, const Core *a, const Core *b, bool or_equal) {
  AVal x, y;
  bool has_x = operand(f, a, &x), has_y = operand(f, b, &y);
  int64_t gap = or_equal ? 0 : 1;
  if (a->kind == CORE_LOCAL && !a->a) {
    AVal v = aval_keep(x, T_NUM);
    if (has_y && is_int(y)) v = aval_clamp(v, INT64_MIN, y.hi == INT64_MAX || y.hi == INT64_MIN ? y.hi : y.hi - gap);
    const Var *bound = or_equal ? NULL : flow_bound(f, b);
    if (bound) v.below = bound;
    flow_narrow_var(f, a->var, v);
  }
  if (b->kind == CORE_LOCAL && !b->a) {
    AVal v = aval_keep(y, T_NUM);
    if (has_x && is_int(x)) v = aval_clamp(v, x.lo == INT64_MIN || x.lo == INT64_MAX ? x.lo : x.lo + gap, INT64_MAX);
    flow_narrow_var(f, b->var, v);
  }
}

static void refine_equal(Flow *f, const Core *a, const Core *b, bool truth) {
  AVal x, y;
  if (a->kind != CORE_LOCAL || a->a || !operand(f, b, &y)) return;
  x = flow_read_var(f, a->var);
  if (!is_int(y)) {
    if (y.types == T_NIL) flow_narrow_var(f, a->var, aval_keep(x, truth ? T_NIL : ~(uint32_t)T_NIL));
    return;
  }
  if (truth) {
    if (x.types & T_INT) flow_narrow_var(f, a->var, aval_clamp(aval_keep(x, T_NUM), y.lo, y.hi));
  } else if (y.lo == y.hi && y.lo != INT64_MIN && y.hi != INT64_MAX && x.types & T_INT) {
    if (x.lo == y.lo) x = aval_clamp(x, x.lo + 1, x.hi);
    else if (x.hi == y.lo) x = aval_clamp(x, x.lo, x.hi - 1);
    flow_narrow_var(f, a->var, x);
  }
}

/* A walk over a range is not at its end: if it is an integer, it is less than that. */
static void refine_walk(Flow *f, const Core *walk, const Core *end) {
  AVal x, y;
  if (walk->kind != CORE_LOCAL || walk->a || !operand(f, walk, &x) || !operand(f, end, &y)) return;
  x = aval_keep(x, T_FIX | T_PAIR);
  if (x.types & T_FIX && is_int(y) && y.hi != INT64_MAX) x = aval_clamp(x, INT64_MIN, y.hi - 1);
  x.below = flow_bound(f, end);
  flow_narrow_var(f, walk->var, x);
}

static void refine_prim(Flow *f, const Core *e, bool truth) {
  const char *n = e->prim->name;
  if (e->count == 1) {
    uint32_t asked = flow_asked_types(e->prim);
    const Core *a = e->items[0];
    if (asked && a->kind == CORE_LOCAL && !a->a) {
      AVal v = flow_read_var(f, a->var);
      if (!strcmp(n, "symbol?") && !truth) return;
      flow_narrow_var(f, a->var, aval_keep(v, truth ? asked : ~asked));
    }
    return;
  }
  if (e->count != 2) return;
  const Core *a = e->items[0], *b = e->items[1];
  if (!strcmp(n, "%lt")) truth ? refine_less(f, a, b, false) : refine_less(f, b, a, true);
  else if (!strcmp(n, "%range-more") && truth) refine_walk(f, a, b);
  else if (!strcmp(n, "%gt")) truth ? refine_less(f, b, a, false) : refine_less(f, a, b, true);
  else if (!strcmp(n, "%le")) truth ? refine_less(f, a, b, true) : refine_less(f, b, a, false);
  else if (!strcmp(n, "%ge")) truth ? refine_less(f, b, a, true) : refine_less(f, a, b, false);
  else if (!strcmp(n, "==")) refine_equal(f, a, b, truth), refine_equal(f, b, a, truth);
  else if (!strcmp(n, "!=")) refine_equal(f, a, b, !truth), refine_equal(f, b, a, !truth);
}

static bool is_const_false(const Core *e) {
  return e->kind == CORE_CONST && ((e->datum->kind == DATUM_INT && e->datum->integer == 0) ||
                                   (e->datum->kind == DATUM_LIST && e->datum->count == 0));
}

static bool has_fixed_operands(const Core *e) {
  for (size_t i = 0; i < e->count; i++)
    if (e->items[i]->kind == CORE_LOCAL && e->items[i]->var->is_set) return false;
  return true;
}

static void refine_local(Flow *f, const Core *e, bool truth) {
  AVal v = flow_read_var(f, e->var);
  VarInfo *i = flow_var(f, e->var);
  if (truth) {
    v = aval_keep(v, ~(uint32_t)(T_NIL | T_ERROR));
    if (v.types & T_INT && v.lo == 0) v = aval_clamp(v, 1, v.hi);
    else if (v.types & T_INT && v.hi == 0) v = aval_clamp(v, v.lo, -1);
  } else {
    v = aval_clamp(aval_keep(v, T_NIL | T_FIX), 0, 0);
  }
  flow_narrow_var(f, e->var, v);
  if (i->def && !e->var->is_set && has_fixed_operands(i->def)) refine_prim(f, i->def, truth);
}

/* test gave a value of this truth (and no error): what follows for variables. */
void flow_narrow(Flow *f, const Core *test, bool truth) {
  if (test->kind == CORE_LOCAL && !test->a) refine_local(f, test, truth);
  else if (test->kind == CORE_PRIM) refine_prim(f, test, truth);
  else if (test->kind == CORE_LET) flow_narrow(f, test->b, truth);
  else if (test->kind == CORE_IF && truth && is_const_false(test->d)) {
    flow_narrow(f, test->a, true);
    flow_narrow(f, test->b, true);
  }
}
