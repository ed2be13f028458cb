/* refine.c - core made simpler by what flow found.
 *
 * in:    core with flow's facts
 * out:   core with facts; tests whose answer is known are gone with the branch not taken, values
 *        that are no functions are not called, known constants are constants
 * keeps: evaluation order and every effect: what is dropped has none
 * cost:  one walk
 *
 * A range that ends at COUNT_MAX may be the assumption of flow_value.h rather than a fact, so no
 * constant is made of it. */
#include "refine.h"
#include "flow_value.h"
#include "fold.h"
#include "passes.h"
#include <string.h>

/* Evaluating it cannot be observed. */
static bool is_inert(const Core *e) {
  switch (e->kind) {
  case CORE_CONST:
  case CORE_LOCAL:
  case CORE_GLOBAL:
  case CORE_LAMBDA: return true;
  case CORE_PRIM:
    if (!(e->prim->flags & PRIM_PURE) || e->prim->flags & (PRIM_STORES | PRIM_CALLS)) return false;
    for (size_t i = 0; i < e->count; i++)
      if (!is_inert(e->items[i])) return false;
    return true;
  default: return false;
  }
}

static bool is_known(const Core *e) { return e->has_facts && e->types; }

static Core *known_int(Program *p, Span span, int64_t n) {
  Core *k = core_int(p, span, n);
  k->has_facts = true;
  k->types = T_FIX;
  k->lo = k->hi = n;
  return k;
}

/* A walk over a range (ranges.c) that is an integer: e, or the plain operation on it. */
static void refine_walk(Program *p, Core **slot) {
  Core *e = *slot;
  for (size_t i = 0; i < e->count; i++)
    if (!is_known(e->items[i]) || e->items[i]->types != T_FIX) return;
  const char *step = e->prim->name + strlen("%range-");
  if (!strcmp(step, "more")) {
    e->prim = prim_find("%lt");
  } else if (!strcmp(step, "next")) {
    Core *n = e->items[0];
    e->items = ARENA_ARRAY(p->arena, Core *, 2);
    e->items[0] = n;
    e->items[1] = known_int(p, e->span, 1);
    e->count = 2;
    e->prim = prim_find("%add");
  } else if (e->count == 1 || is_inert(e->items[1])) {
    *slot = e->items[0];
  }
}

static void refine_prim(Program *p, Core *e) {
  Core *value = PART_RUNS(p, fold) ? fold_prim(p, e) : NULL; /* its operands may be constants only now */
  if (value) {
    AVal v = aval_const(value->datum);
    value->has_facts = true;
    value->types = v.types;
    value->lo = v.lo;
    value->hi = v.hi;
    *e = *value;
    return;
  }
  bool is_constant = is_known(e) && e->types == T_FIX && e->lo == e->hi && e->lo < COUNT_MAX && e->lo > -COUNT_MAX;
  if (!is_constant || !is_inert(e)) return;
  *e = *known_int(p, e->span, e->lo);
}

static void refine_if(Core **slot) {
  Core *e = *slot, *c = e->a;
  if (!is_known(c) || c->types & T_ERROR || !is_inert(c)) return;
  bool may_be_false = c->types & T_NIL || (c->types & T_FIX && c->lo <= 0 && c->hi >= 0);
  bool may_be_true = c->types & ~(uint32_t)(T_NIL | T_FIX) || (c->types & T_FIX && (c->lo < 0 || c->hi > 0));
  if (may_be_true && may_be_false) return;
  *slot = may_be_true ? e->b : e->d;
}

static void refine(Core **slot, void *to) {
  core_each_child(*slot, true, refine, to);
  Core *e = *slot;
  if (e->kind == CORE_PRIM && !strncmp(e->prim->name, "%range-", 7)) refine_walk(to, slot);
  else if (e->kind == CORE_PRIM) refine_prim(to, e);
  else if (e->kind == CORE_IF) refine_if(slot);
  else if (e->kind == CORE_CALL && e->count == 0 && is_known(e->a) && !(e->a->types & T_FUN)) *slot = e->a;
}

/* ---- bindings that nobody reads any more ------------------------------------------------------- */

static void uncount(Core **child, void *to) {
  if ((*child)->kind == CORE_LOCAL) (*child)->var->use_count--;
  core_each_child(*child, true, uncount, to);
}

/* Inner bindings first: dropping one may be the last use of an outer one's variable. */
static void drop_unread(Core **slot, void *to) {
  bool *changed = to;
  core_each_child(*slot, true, drop_unread, to);
  Core *e = *slot;
  if (e->kind != CORE_LET || !e->a || e->var->is_set || e->var->use_count > 0 || !is_inert(e->a)) return;
  *changed = true;
  uncount(&e->a, NULL);
  *slot = e->b;
}

void refine_run(Program *p) {
  core_each_root(p, refine, p);
  core_find_free(p);
  bool changed = false;
  core_each_root(p, drop_unread, &changed);
  if (changed) core_find_free(p);
  core_find_reachable(p);
}
