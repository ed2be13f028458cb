/* ranges.c - lists of consecutive integers that are made only to be walked are counted.
 *
 * in:    core after inlining, uses counted: `for`, foldl, map and filter are loops over a list
 * out:   a loop over (range a b) that asks its rest only for an end, its head and its tail counts
 *        from a to b instead
 * keeps: order of evaluation; errors and where they arose; integers of any size
 * cost:  one walk, and one over the scope of each list
 *
 *   (let t (range a b)             (let b' b (let end (%range-end b')
 *     (loop v t                      (let t (%range-start a b')
 *       (if v                  =>      (if (error? t) t
 *         .. (head v) ..                 (loop v t (if (%range-more v end)
 *         (recur (tail v))                 .. (%range-head v) .. (recur (%range-next v))
 *         {})))                            {})))))
 *
 * A walk is a fixnum, or a list if an end of the range is a large integer. Flow knows which, in nearly
 * every program, and the bounds of v. */
#include "ranges.h"
#include <string.h>

typedef struct Ranges {
  Program *p;
  bool changed;
} Ranges;

/* The list of one LET, its names and the loop over it. */
typedef struct Walk {
  Program *p;
  VEC(Var *) names; /* of the list: the first one bound to it, others to (%items name ..) */
  Core **slot;      /* the LOOP */
  size_t index;     /* of the variable that walks */
  unsigned name_uses, uses; /* met so far, of names and of the variable */
  bool is_unfit;
  bool is_more;     /* the walk is where the rest is known not to be nil */
  Var *rest, *to;
  Span tested; /* where the end is asked for */
} Walk;

static bool is_prim(const Core *e, const char *name) {
  return e->kind == CORE_PRIM && !strcmp(e->prim->name, name);
}
static bool is_local(const Core *e, const Var *v) { return e->kind == CORE_LOCAL && !e->a && e->var == v; }

static bool is_name(const Walk *w, const Core *e) {
  for (size_t i = 0; i < w->names.count; i++)
    if (is_local(e, w->names.items[i])) return true;
  return false;
}

/* ---- is it only walked? ----------------------------------------------------------------------- */

static void check_visit(Core **child, void *to);

static void check_within(Walk *w, Core **slot, bool is_more) {
  bool before = w->is_more;
  w->is_more = is_more;
  check_visit(slot, w);
  w->is_more = before;
}

static void check_if(Walk *w, Core *e) {
  bool is_truth = is_local(e->a, w->rest);
  bool is_nil = is_prim(e->a, "nil?") && is_local(e->a->items[0], w->rest);
  if (!is_truth && !is_nil) {
    check_visit(&e->a, w);
    check_visit(&e->b, w);
    check_visit(&e->d, w);
    return;
  }
  w->uses++;
  w->tested = e->a->span;
  check_within(w, &e->b, is_truth || w->is_more);
  check_within(w, &e->d, is_nil || w->is_more);
}

static void check_recur(Walk *w, Core *e) {
  Core *next = e->items[w->index];
  w->is_unfit |= !is_prim(next, "tail") || !is_local(next->items[0], w->rest) || !w->is_more;
  w->uses++;
  for (size_t i = 0; i < e->count; i++)
    if (i != w->index) check_visit(&e->items[i], w);
}

static void check_visit(Core **child, void *to) {
  Walk *w = to;
  Core *e = *child;
  if (w->is_unfit) return;
  if (e->kind == CORE_IF) {
    check_if(w, e);
  } else if (e->kind == CORE_RECUR && e->loop == (*w->slot)->loop) {
    check_recur(w, e);
  } else if (is_prim(e, "head") && is_local(e->items[0], w->rest)) {
    w->is_unfit |= !w->is_more;
    w->uses++;
  } else if (is_local(e, w->rest)) {
    w->is_unfit = true;
  } else {
    core_each_child(e, true, check_visit, w);
  }
}

/* Every use of the list's names: as a statement (what an error ends at), as what one loop walks. */
static void find_visit(Core **child, void *to) {
  Walk *w = to;
  Core *e = *child;
  if (w->is_unfit) return;
  if (e->kind == CORE_LET && e->a && is_prim(e->a, "%items") && is_name(w, e->a->items[0]) && !e->var->is_set &&
      !e->var->is_captured && w->names.count == 1) {
    w->name_uses++;
    PUSH(w->p->arena, w->names, e->var);
    find_visit(&e->b, w);
    return;
  }
  if (e->kind == CORE_SEQ)
    for (size_t i = 0; i + 1 < e->count; i++) w->name_uses += is_name(w, e->items[i]);
  if (e->kind == CORE_LOOP)
    for (size_t i = 0; i < e->count; i++)
      if (is_name(w, e->items[i])) {
        w->is_unfit |= w->slot != NULL;
        w->slot = child;
        w->index = i;
        w->name_uses++;
      }
  core_each_child(e, false, find_visit, w);
}

static bool is_only_walked(Walk *w, Core *let) {
  PUSH(w->p->arena, w->names, let->var);
  find_visit(&let->b, w);
  if (!w->slot || w->is_unfit) return false;
  unsigned uses = 0;
  for (size_t i = 0; i < w->names.count; i++) uses += w->names.items[i]->use_count;
  if (uses != w->name_uses) return false;
  w->rest = (*w->slot)->loop->vars[w->index];
  if (w->rest->is_set || w->rest->is_captured) return false;
  check_visit(&(*w->slot)->b, w);
  return !w->is_unfit && w->uses == w->rest->use_count;
}

/* ---- counting ----------------------------------------------------------------------------------- */

static const char *step_of(const Core *e) {
  return is_prim(e, "head") ? "%range-head" : is_prim(e, "tail") ? "%range-next" : NULL;
}

static Core *is_more(Walk *w, Core *rest, Span span) {
  return core_prim(w->p, span, "%range-more", 2, rest, core_local(w->p, span, w->to));
}

static void count_visit(Core **child, void *to) {
  Walk *w = to;
  Core *e = *child;
  if (e->kind == CORE_IF && is_local(e->a, w->rest)) {
    e->a = is_more(w, e->a, e->a->span);
  } else if (e->kind == CORE_IF && is_prim(e->a, "nil?") && is_local(e->a->items[0], w->rest)) {
    Core *done = e->b;
    e->a = is_more(w, e->a->items[0], e->a->span);
    e->b = e->d;
    e->d = done;
  } else if (e->kind == CORE_PRIM && step_of(e) && is_local(e->items[0], w->rest)) {
    e->prim = prim_find(step_of(e));
  }
  core_each_child(e, true, count_visit, to);
}

/* The same for its names: (%items range who i), which may be bound to another one. */
static void count_items(Core *e) {
  if (!is_prim(e, "%items")) return;
  e->prim = prim_find("%range-items");
  e->count = 1;
}

static void items_visit(Core **child, void *to) {
  Walk *w = to;
  Core *e = *child;
  if (e->kind == CORE_LET && e->a && is_prim(e->a, "%items") && is_name(w, e->a->items[0])) count_items(e->a);
  core_each_child(e, false, items_visit, to);
}

static void count_instead(Walk *w, Core **slot, Core *range) {
  Program *p = w->p;
  Core *let = *slot, *loop = *w->slot, *list = loop->items[w->index];
  Span span = range->span;
  Var *from = core_var(p, "", span, NULL), *to = core_var(p, "", span, NULL);
  w->to = core_var(p, "", span, NULL);
  count_visit(&loop->b, w);
  Core *error = core_if(p, w->tested, core_local(p, w->tested, list->var), core_nil(p, span), core_nil(p, span));
  Core *is_error = core_prim(p, span, "error?", 1, core_local(p, span, list->var));
  *w->slot = core_if(p, loop->span, is_error, error, loop);
  items_visit(&let->b, w);
  count_items(let->a);
  Core *a = range->items[0], *b = range->items[1];
  range->prim = prim_find("%range-start");
  range->items[0] = core_local(p, span, from);
  range->items[1] = core_local(p, span, to);
  Core *end = core_prim(p, span, "%range-end", 1, core_local(p, span, to));
  *slot = core_let(p, span, from, a, core_let(p, span, to, b, core_let(p, span, w->to, end, let)));
}

static Core *range_of(Core *e) {
  if (is_prim(e, "%items")) e = e->items[0];
  return is_prim(e, "range") ? e : NULL;
}

static void visit(Core **child, void *to) {
  Ranges *x = to;
  Core *e = *child, *range = e->kind == CORE_LET && e->a ? range_of(e->a) : NULL;
  if (range && !e->var->is_set && !e->var->is_captured) {
    Walk w = {.p = x->p};
    if (is_only_walked(&w, e)) {
      count_instead(&w, child, range);
      x->changed = true;
    }
  }
  core_each_child(e, true, visit, to);
}

bool ranges_run(Program *p) {
  Ranges x = {.p = p};
  core_each_root(p, visit, &x);
  return x.changed;
}
