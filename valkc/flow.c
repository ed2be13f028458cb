/* flow.c - what every expression can be: abstract interpretation of the whole program.
 *
 * in:    simplified core, free variables found
 * out:   types, lo, hi in every reachable node, callee in calls of one known function; the tree is
 *        unchanged
 * keeps: facts only grow while the work-list runs, so it ends; ranges are widened to program
 *        constants after a few growths, sets of functions and sites are capped at SET_MAX
 * cost:  near linear: a function is walked again only when something it read has grown
 * trust: represent.c and lower.c drop checks because of these facts
 *
 * Method: Shivers, "Control-Flow Analysis in Scheme", PLDI 1988 (0-CFA), as an abstract
 * interpreter with a work-list of functions; values of one function's own variables are kept per
 * program point, so that tests narrow them (what SSA form with renaming at tests gives). Lists,
 * vectors and maps are described by allocation site. Whatever reaches code the compiler cannot
 * see (eval, primitives without a transfer function that may keep it) escapes: its functions may
 * be called with anything, its contents may become anything. */
#include "flow_engine.h"
#include <stdlib.h>
#include <string.h>

enum {
  GROWTHS_MAX = 3,
  STEPS_MAX = 24, /* growths until a bound moves by more than one constant at a time */
  RECORD_MAX = 16, /* cells of a literal list that have sites of their own */
};

/* ---- cells and the work-list ---------------------------------------------------------------- */

static void wake(Flow *f, FnInfo *fn) {
  if (fn->is_queued) return;
  fn->is_queued = true;
  PUSH(f->p->arena, f->work, fn);
}

static void wake_readers(Flow *f, Cell *c) {
  for (size_t i = 0; i < c->readers.count; i++) wake(f, c->readers.items[i]);
}

static struct ReaderPair *reader_slot(ReaderSet *s, const Cell *c, const FnInfo *fn) {
  size_t h = ((uintptr_t)c * 0x9e3779b97f4a7c15u) ^ ((uintptr_t)fn * 0xe7037ed1a0b428dbu);
  for (size_t i = (h ^ h >> 32) & (s->capacity - 1);; i = (i + 1) & (s->capacity - 1))
    if (!s->slots[i].cell || (s->slots[i].cell == c && s->slots[i].fn == fn)) return &s->slots[i];
}

static bool is_new_reader(Flow *f, const Cell *c) {
  ReaderSet *s = &f->readers;
  if (2 * s->count >= s->capacity) {
    ReaderSet old = *s;
    s->capacity = old.capacity ? 2 * old.capacity : 1024;
    s->slots = ARENA_ARRAY(f->p->arena, struct ReaderPair, s->capacity);
    for (size_t i = 0; i < old.capacity; i++)
      if (old.slots[i].cell) *reader_slot(s, old.slots[i].cell, old.slots[i].fn) = old.slots[i];
  }
  struct ReaderPair *slot = reader_slot(s, c, f->in);
  if (slot->cell) return false;
  *slot = (struct ReaderPair){c, f->in};
  s->count++;
  return true;
}

AVal flow_read(Flow *f, Cell *c) {
  if (is_new_reader(f, c)) PUSH(f->p->arena, c->readers, f->in);
  return c->value;
}

/* The next threshold beyond a bound that keeps moving. */
static size_t first_threshold_from(Flow *f, int64_t n) { /* index of the first >= n */
  size_t lo = 0, hi = f->thresholds.count;
  while (lo < hi) {
    size_t mid = (lo + hi) / 2;
    if (f->thresholds.items[mid] < n) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

/* A bound steps from one constant of the program to the next, later over 2, 4, 8, ... of them: with
 * as many steps as constants large programs took quadratic time. No step passes `stop`. */
static size_t stride(unsigned growths) {
  unsigned doublings = growths > STEPS_MAX ? growths - STEPS_MAX : 0;
  return (size_t)1 << (doublings < 40 ? doublings : 40);
}
static int64_t widen_up(Flow *f, int64_t n, size_t step) {
  size_t i = first_threshold_from(f, n), stop = first_threshold_from(f, COUNT_MAX);
  if (i < stop) i = stop - i < step ? stop : i + step - 1;
  return i < f->thresholds.count ? f->thresholds.items[i] : INT64_MAX;
}
static int64_t widen_down(Flow *f, int64_t n, size_t step) {
  size_t i = first_threshold_from(f, n), stop = first_threshold_from(f, -COUNT_MAX);
  if (i == f->thresholds.count || f->thresholds.items[i] != n) {
    if (i == 0) return INT64_MIN;
    i--;
  }
  if (i > stop) i = i - stop < step ? stop : i - (step - 1);
  return f->thresholds.items[i];
}

static AVal widen(Flow *f, AVal old, AVal new, unsigned growths) {
  if (!(old.types & T_INT) || !(new.types & T_INT)) return new;
  if (new.hi > old.hi) new.hi = widen_up(f, new.hi, stride(growths));
  if (new.lo < old.lo) new.lo = widen_down(f, new.lo, stride(growths));
  if (new.lo < FIX_MIN || new.hi > FIX_MAX) new.types |= T_BIG;
  return new;
}

static AVal forgotten(AVal v, AVal in) {
  if (in.fns != &set_any || v.fns == &set_any) v.fns = NULL;
  if (in.sites != &set_any || v.sites == &set_any) v.sites = NULL;
  return v;
}

AVal flow_join(Flow *f, AVal x, AVal y) {
  AVal v = aval_join(f->p->arena, x, y);
  if (v.fns != &set_any && v.sites != &set_any) return v;
  flow_escape(f, forgotten(x, v));
  flow_escape(f, forgotten(y, v));
  return v;
}

/* Join v into *to; whether it grew. */
static bool grow(Flow *f, AVal *to, AVal v, unsigned *growths) {
  v.below = NULL;
  AVal joined = v, old;
  do {
    old = *to;
    joined = flow_join(f, old, joined);
  } while (!aval_equal(old, *to)); /* what escapes may reach it */
  if (aval_equal(joined, *to)) return false;
  if (++*growths > GROWTHS_MAX) joined = widen(f, *to, joined, *growths);
  *to = joined;
  return true;
}

void flow_add(Flow *f, Cell *c, AVal v) {
  if (!v.types || !grow(f, &c->value, v, &c->growths)) return;
  if (f->is_recording) diag_bug(f->p->diag, NO_SPAN, "flow", "a fact grew after the fixed point");
  wake_readers(f, c);
}

void flow_put(Flow *f, Site *s, Cell *part, AVal v) {
  flow_add(f, part, v);
  if (s->escaped) flow_escape(f, v);
  if (s->frozen.value.types) flow_freeze(f, v);
}

/* ---- functions, variables, sites ------------------------------------------------------------- */

static FnInfo *fn_info(Flow *f, Lambda *l) {
  FnInfo *fn = ptrmap_get(&f->fns, l);
  if (fn) return fn;
  fn = ARENA_NEW(f->p->arena, FnInfo);
  fn->lambda = l;
  fn->result.value = aval_none();
  ptrmap_put(&f->fns, l, fn);
  PUSH(f->p->arena, f->all_fns, fn);
  return fn;
}

static VarInfo *var_info(Flow *f, Var *v) {
  VarInfo *i = ptrmap_get(&f->vars, v);
  if (i) return i;
  i = ARENA_NEW(f->p->arena, VarInfo);
  i->all.value = i->now = aval_none();
  ptrmap_put(&f->vars, v, i);
  return i;
}

static Cell *global_cell(Flow *f, Global *g) {
  Cell *c = ptrmap_get(&f->globals, g);
  if (c) return c;
  c = ARENA_NEW(f->p->arena, Cell);
  c->value = aval_none();
  ptrmap_put(&f->globals, g, c);
  return c;
}

Site *flow_site(Flow *f, const void *key, const Core *at) {
  Site *s = ptrmap_get(&f->sites, key);
  if (s) return s;
  s = ARENA_NEW(f->p->arena, Site);
  s->at = at;
  s->key = key;
  s->head.value = s->tail.value = s->length.value = s->frozen.value = s->shrunk.value = aval_none();
  ptrmap_put(&f->sites, key, s);
  return s;
}

AVal flow_site_value(Flow *f, Site *s, uint32_t types) {
  AVal v = {types, 1, 0, NULL, set_one(f->p->arena, s), NULL};
  return v;
}

static AVal fn_value(Flow *f, Lambda *l) {
  AVal v = {T_FUN, 1, 0, set_one(f->p->arena, l), NULL, NULL};
  return v;
}

static void mark_called(Flow *f, FnInfo *fn) {
  if (fn->is_called) return;
  fn->is_called = true;
  wake(f, fn);
}

static void bind_param(Flow *f, Lambda *l, size_t i, AVal v) {
  flow_add(f, &var_info(f, l->params[i])->all, v);
}

static void escape_fn(Flow *f, Lambda *l) {
  FnInfo *fn = fn_info(f, l);
  if (fn->escapes) return;
  fn->escapes = true;
  mark_called(f, fn);
  for (size_t i = 0; i < l->param_count; i++) {
    bool is_rest = l->has_rest && i + 1 == l->param_count;
    bind_param(f, l, i, aval_of(is_rest ? T_NIL | T_PAIR : T_ANY));
  }
  flow_escape(f, flow_read(f, &fn->result));
}

/* Iterative: contents may be deep. */
void flow_escape(Flow *f, AVal v) {
  if (v.fns && v.fns != &set_any)
    for (unsigned i = 0; i < v.fns->count; i++) escape_fn(f, (Lambda *)v.fns->items[i]);
  if (!v.sites || v.sites == &set_any) return;
  for (unsigned i = 0; i < v.sites->count; i++) {
    Site *s = (Site *)v.sites->items[i];
    uint32_t kinds = v.types & (T_PAIR | T_LISTOBJ | T_VECTOR | T_MAP);
    if (s->escaped && !(kinds & ~s->escaped_as)) continue;
    s->escaped = true;
    s->escaped_as |= kinds;
    AVal head = flow_read(f, &s->head), tail = flow_read(f, &s->tail);
    if (v.types & (T_VECTOR | T_MAP)) flow_add(f, &s->head, aval_of(T_ANY));
    if (v.types & T_MAP) flow_add(f, &s->tail, aval_of(T_ANY));
    if (v.types & T_VECTOR) flow_add(f, &s->length, aval_range(0, LENGTH_MAX));
    if (v.types & T_VECTOR) flow_add(f, &s->shrunk, aval_range(1, 1));
    flow_add(f, &s->frozen, aval_range(1, 1));
    flow_escape(f, head);
    flow_escape(f, tail);
  }
}

void flow_freeze(Flow *f, AVal v) {
  if (!v.sites || v.sites == &set_any) return;
  for (unsigned i = 0; i < v.sites->count; i++) {
    Site *s = (Site *)v.sites->items[i];
    if (s->frozen.value.types) continue;
    flow_add(f, &s->frozen, aval_range(1, 1));
    flow_freeze(f, flow_read(f, &s->head));
    flow_freeze(f, flow_read(f, &s->tail));
  }
}

AVal flow_elements(Flow *f, AVal list) {
  if (!(list.types & (T_PAIR | T_LISTOBJ))) return aval_none();
  if (list.sites == &set_any || list.types & T_LISTOBJ) return aval_of(T_ANY);
  VEC(const Site *) seen = {0};
  AVal v = aval_none(), from = list;
  size_t done = 0;
  for (;;) {
    for (unsigned i = 0; from.sites && i < from.sites->count; i++) {
      bool is_new = true;
      for (size_t j = 0; j < seen.count && is_new; j++) is_new = seen.items[j] != from.sites->items[i];
      if (is_new) PUSH(f->p->arena, seen, (const Site *)from.sites->items[i]);
    }
    if (done == seen.count) return v;
    Site *s = (Site *)seen.items[done++];
    v = flow_join(f, v, flow_read(f, &s->head));
    from = flow_read(f, &s->tail);
    if (from.sites == &set_any) return aval_of(T_ANY);
  }
}

static AVal site_parts(Flow *f, AVal v, bool keys) {
  if (!(v.types & (T_VECTOR | T_MAP))) return aval_none();
  if (v.sites == &set_any) return aval_of(T_ANY);
  AVal r = aval_none();
  for (unsigned i = 0; v.sites && i < v.sites->count; i++) {
    Site *s = (Site *)v.sites->items[i];
    r = flow_join(f, r, flow_read(f, keys ? &s->tail : &s->head));
  }
  return r;
}
AVal flow_contents(Flow *f, AVal v) { return site_parts(f, v, false); }
AVal flow_keys(Flow *f, AVal v) { return site_parts(f, v, true); }

/* ---- the state of one walk ------------------------------------------------------------------ */

static AVal *now(Flow *f, Var *v) {
  VarInfo *i = var_info(f, v);
  if (i->stamp != f->stamp) { /* bound outside of this walk */
    i->stamp = f->stamp;
    i->now = flow_read(f, &i->all);
  }
  return &i->now;
}

static void set_now(Flow *f, Var *v, AVal value) {
  AVal *n = now(f, v);
  Undo u = {v, *n};
  PUSH(f->p->arena, f->undo, u);
  *n = value;
}

/* Nothing is noted if nothing changes: else nested branches would double the list at each level. */
static void join_now(Flow *f, Var *v, AVal value) {
  AVal joined = flow_join(f, value, *now(f, v));
  if (!aval_equal(joined, *now(f, v))) set_now(f, v, joined);
}

static void undo_to(Flow *f, size_t mark) {
  while (f->undo.count > mark) {
    Undo u = f->undo.items[--f->undo.count];
    var_info(f, u.var)->now = u.old;
  }
}

static void bind(Flow *f, Var *v, AVal value, const Core *def) {
  VarInfo *i = var_info(f, v);
  if (i->stamp != f->stamp) i->stamp = f->stamp;
  i->now = value;
  i->def = def && def->kind == CORE_PRIM ? def : NULL;
  flow_add(f, &i->all, value);
}

static AVal read_var(Flow *f, Var *v) {
  if (VAR_IS_BOXED(v)) return flow_read(f, &var_info(f, v)->all);
  return *now(f, v);
}

/* ---- narrowing ------------------------------------------------------------------------------ */

static void refine(Flow *f, const Core *test, bool truth);

static void refine_var(Flow *f, Var *v, AVal value) {
  if (!VAR_IS_BOXED(v) && !aval_equal(*now(f, v), value)) set_now(f, v, value);
}

static bool is_int(AVal v) { return v.types && !(v.types & ~(uint32_t)T_INT); }

static bool operand(Flow *f, const Core *e, AVal *v) {
  if (e->kind == CORE_CONST) *v = aval_const(e->datum);
  else if (e->kind == CORE_LOCAL && !e->a) *v = read_var(f, e->var);
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
  const Core *def = var_info(f, (Var *)v)->def;
  return def && !strcmp(def->prim->name, prim) ? def : NULL;
}

const Var *flow_length_bound(Flow *f, const Core *e) {
  const Var *v = fixed_var(e);
  const Core *make = v ? definition(f, v, "vec/make") : NULL;
  const Var *n = make ? flow_bound(f, make->items[0]) : NULL;
  return n ? n : v;
}

static const Var *bound_by_length(Flow *f, const Core *e) {
  if (e->kind != CORE_PRIM || strcmp(e->prim->name, "vec/len") != 0) return NULL;
  return flow_length_bound(f, e->items[0]);
}

const Var *flow_bound(Flow *f, const Core *e) {
  const Var *v = fixed_var(e);
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
    refine_var(f, a->var, v);
  }
  if (b->kind == CORE_LOCAL && !b->a) {
    AVal v = aval_keep(y, T_NUM);
    if (has_x && is_int(x)) v = aval_clamp(v, x.lo == INT64_MIN || x.lo == INT64_MAX ? x.lo : x.lo + gap, INT64_MAX);
    refine_var(f, b->var, v);
  }
}

static void refine_equal(Flow *f, const Core *a, const Core *b, bool truth) {
  AVal x, y;
  if (a->kind != CORE_LOCAL || a->a || !operand(f, b, &y)) return;
  x = read_var(f, a->var);
  if (!is_int(y)) {
    if (y.types == T_NIL) refine_var(f, a->var, aval_keep(x, truth ? T_NIL : ~(uint32_t)T_NIL));
    return;
  }
  if (truth) {
    if (x.types & T_INT) refine_var(f, a->var, aval_clamp(aval_keep(x, T_NUM), y.lo, y.hi));
  } else if (y.lo == y.hi && y.lo != INT64_MIN && y.hi != INT64_MAX && x.types & T_INT) {
    if (x.lo == y.lo) x = aval_clamp(x, x.lo + 1, x.hi);
    else if (x.hi == y.lo) x = aval_clamp(x, x.lo, x.hi - 1);
    refine_var(f, a->var, x);
  }
}

static void refine_prim(Flow *f, const Core *e, bool truth) {
  const char *n = e->prim->name;
  if (e->count == 1) {
    uint32_t asked = flow_asked_types(e->prim);
    const Core *a = e->items[0];
    if (asked && a->kind == CORE_LOCAL && !a->a) {
      AVal v = read_var(f, a->var);
      if (!strcmp(n, "symbol?") && !truth) return;
      refine_var(f, a->var, aval_keep(v, truth ? asked : ~asked));
    }
    return;
  }
  if (e->count != 2) return;
  const Core *a = e->items[0], *b = e->items[1];
  if (!strcmp(n, "%lt")) truth ? refine_less(f, a, b, false) : refine_less(f, b, a, true);
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
  AVal v = read_var(f, e->var);
  VarInfo *i = var_info(f, e->var);
  if (truth) {
    v = aval_keep(v, ~(uint32_t)(T_NIL | T_ERROR));
    if (v.types & T_INT && v.lo == 0) v = aval_clamp(v, 1, v.hi);
    else if (v.types & T_INT && v.hi == 0) v = aval_clamp(v, v.lo, -1);
  } else {
    v = aval_clamp(aval_keep(v, T_NIL | T_FIX), 0, 0);
  }
  refine_var(f, e->var, v);
  if (i->def && !e->var->is_set && has_fixed_operands(i->def)) refine_prim(f, i->def, truth);
}

/* test gave a value of this truth (and no error): what follows for variables. */
static void refine(Flow *f, const Core *test, bool truth) {
  if (test->kind == CORE_LOCAL && !test->a) refine_local(f, test, truth);
  else if (test->kind == CORE_PRIM) refine_prim(f, test, truth);
  else if (test->kind == CORE_LET) refine(f, test->b, truth);
  else if (test->kind == CORE_IF && truth && is_const_false(test->d)) {
    refine(f, test->a, true);
    refine(f, test->b, true);
  }
}

/* ---- expressions ---------------------------------------------------------------------------- */

static AVal eval(Flow *f, Core *e);

static AVal eval_const(Flow *f, const Datum *d) {
  AVal v = aval_const(d);
  bool is_list = d->kind == DATUM_LIST && d->is_quoted && d->count > 0;
  if (!is_list && d->kind != DATUM_VECTOR) return v;
  if (is_list && d->count <= RECORD_MAX) {
    AVal rest = aval_of(T_NIL);
    for (size_t i = d->count; i-- > 0;) {
      Site *cell = flow_site(f, &d->items[i], NULL);
      if (!cell->tail.value.types) {
        flow_add(f, &cell->head, eval_const(f, d->items[i]));
        flow_add(f, &cell->tail, rest);
      }
      rest = flow_site_value(f, cell, T_PAIR);
    }
    return rest;
  }
  Site *s = flow_site(f, d, NULL);
  if (!s->head.value.types) {
    for (size_t i = 0; i < d->count; i++) flow_put(f, s, &s->head, eval_const(f, d->items[i]));
    AVal list = flow_site_value(f, s, T_PAIR);
    if (is_list) flow_put(f, s, &s->tail, flow_join(f, list, aval_of(T_NIL)));
    else flow_add(f, &s->length, aval_range((int64_t)d->count, (int64_t)d->count));
    flow_add(f, &s->frozen, aval_range(1, 1));
  }
  return flow_site_value(f, s, is_list ? T_PAIR : T_VECTOR);
}

static AVal eval_local(Flow *f, Core *e) {
  AVal v = read_var(f, e->var);
  if (e->var->starts_unbound && e->a) {
    bool maybe_unbound = VAR_IS_BOXED(e->var) || v.types & T_UNBOUND || !v.types;
    v = aval_keep(v, T_ANY);
    if (maybe_unbound) v = flow_join(f, v, eval(f, e->a));
    else eval(f, e->a);
  }
  return aval_keep(v, T_ANY);
}

static AVal eval_global(Flow *f, Global *g) {
  AVal error = aval_of(T_ERROR);
  switch (g->kind) {
  case GLOBAL_FUNCTION: return g->lambda ? fn_value(f, g->lambda) : aval_of(T_FUN);
  case GLOBAL_PRIM: return aval_of(T_FUN);
  case GLOBAL_UNKNOWN: return error;
  case GLOBAL_VARIABLE: break;
  }
  AVal v = flow_read(f, global_cell(f, g));
  if (g->library) return flow_join(f, v, eval_global(f, g->library));
  return g->is_always_bound ? v : flow_join(f, v, error);
}

AVal flow_call(Flow *f, const Core *at, AVal fn, size_t n, const AVal *args) {
  AVal r = aval_none();
  (void)at;
  if (fn.types & ~(uint32_t)T_FUN) {
    r = aval_of(T_ERROR);
    if (n == 0) r = flow_join(f, r, aval_keep(fn, ~(uint32_t)T_FUN));
  }
  if (!(fn.types & T_FUN)) return r;
  if (fn.fns == &set_any) {
    for (size_t i = 0; i < n; i++) flow_escape(f, args[i]);
    return aval_of(T_ANY);
  }
  for (unsigned i = 0; fn.fns && i < fn.fns->count; i++) {
    Lambda *l = (Lambda *)fn.fns->items[i];
    size_t fixed = l->has_rest ? l->param_count - 1 : l->param_count;
    bool is_exact = l->has_rest ? n >= fixed : n == fixed;
    if (n == 0 && fixed > 0) { /* itself */
      r = flow_join(f, r, fn_value(f, l));
      continue;
    }
    if (!is_exact) { /* a partial application or an arity error */
      escape_fn(f, l);
      for (size_t j = 0; j < n; j++) flow_escape(f, args[j]);
      r = flow_join(f, r, aval_of(n < fixed ? T_FUN : T_ERROR));
      continue;
    }
    for (size_t j = 0; j < fixed; j++) bind_param(f, l, j, args[j]);
    if (l->has_rest) {
      Site *s = flow_site(f, l->params[fixed], NULL);
      AVal rest = flow_site_value(f, s, T_PAIR), nil = aval_of(T_NIL);
      for (size_t j = fixed; j < n; j++) flow_put(f, s, &s->head, args[j]);
      flow_put(f, s, &s->tail, flow_join(f, rest, nil));
      bind_param(f, l, fixed, n > fixed ? rest : nil);
    }
    FnInfo *info = fn_info(f, l);
    mark_called(f, info);
    r = flow_join(f, r, flow_read(f, &info->result));
  }
  return r;
}

/* Variables changed since mark may have kept a value they had then: an error ended what changes them. */
static void join_olds(Flow *f, size_t mark, const Core *test) {
  size_t end = f->undo.count;
  for (size_t i = mark; i < end; i++) {
    Undo u = f->undo.items[i];
    AVal old = test && test->kind == CORE_LOCAL && test->var == u.var ? aval_keep(u.old, T_ERROR) : u.old;
    if (old.types) join_now(f, u.var, old);
  }
}

/* Is e a statement of a sequence, so that an error as its value goes no further? Then `part`, whose
 * value is that of e, is one as well. Asked before the parts of e are evaluated. */
static bool is_statement(Flow *f, const Core *e) { return f->statement == e; }
static AVal eval_part(Flow *f, Core *part, bool is_statement) {
  if (is_statement) f->statement = part;
  return eval(f, part);
}

static AVal eval_call(Flow *f, Core *e) {
  bool error_leaves = is_statement(f, e);
  AVal fn = eval(f, e->a);
  if (!fn.types) return fn;
  AVal head_error = aval_keep(fn, T_ERROR);
  size_t mark = f->undo.count;
  AVal *args = ARENA_ARRAY(f->p->arena, AVal, e->count);
  for (size_t i = 0; i < e->count; i++) {
    args[i] = eval(f, e->items[i]);
    if (!args[i].types) return aval_none();
  }
  if (head_error.types && !error_leaves) join_olds(f, mark, NULL);
  e->callee = NULL;
  if (fn.types == T_FUN && fn.fns && fn.fns != &set_any && fn.fns->count == 1)
    e->callee = (Lambda *)fn.fns->items[0];
  return flow_join(f, head_error, flow_call(f, e, fn, e->count, args));
}

static AVal eval_prim(Flow *f, Core *e) {
  AVal *args = ARENA_ARRAY(f->p->arena, AVal, e->count + 1);
  for (size_t i = 0; i < e->count; i++) {
    args[i] = eval(f, e->items[i]);
    if (!args[i].types) return aval_none();
  }
  AVal v = flow_prim(f, e, args);
  for (size_t i = 0; i < e->count; i++)
    if (args[i].types & T_ERROR && !(e->prim->flags & PRIM_ERRS)) v = flow_join(f, v, aval_of(T_ERROR));
  return v;
}

/* After both branches: the state where they meet. dead: that branch does not come here. */
static void join_branches(Flow *f, size_t mark, Undo *then, size_t n, bool then_dead, bool else_dead) {
  size_t end = f->undo.count;
  if (else_dead) undo_to(f, mark);
  else if (!then_dead)
    for (size_t i = mark; i < end; i++) {
      Undo u = f->undo.items[i];
      bool in_then = false;
      for (size_t j = 0; j < n && !in_then; j++) in_then = then[j].var == u.var;
      if (!in_then) join_now(f, u.var, u.old);
    }
  if (then_dead) return;
  for (size_t j = 0; j < n; j++)
    if (else_dead) set_now(f, then[j].var, then[j].old);
    else join_now(f, then[j].var, then[j].old);
}

static AVal eval_if(Flow *f, Core *e) {
  bool error_leaves = is_statement(f, e);
  AVal c = eval(f, e->a), r = aval_keep(c, T_ERROR);
  bool may_be_false = c.types & T_NIL || (c.types & T_FIX && c.lo <= 0 && c.hi >= 0);
  bool may_be_true = c.types & ~(uint32_t)(T_NIL | T_ERROR | T_FIX) || (c.types & T_FIX && (c.lo < 0 || c.hi > 0));
  size_t mark = f->undo.count;
  AVal t = aval_none(), d = aval_none();
  if (may_be_true) {
    refine(f, e->a, true);
    t = eval_part(f, e->b, error_leaves);
  }
  size_t n = f->undo.count - mark;
  Undo *then = ARENA_ARRAY(f->p->arena, Undo, n);
  for (size_t i = 0; i < n; i++) then[i] = (Undo){f->undo.items[mark + i].var, *now(f, f->undo.items[mark + i].var)};
  undo_to(f, mark);
  if (may_be_false) {
    refine(f, e->a, false);
    d = eval_part(f, e->d, error_leaves);
  }
  /* a branch that ends in RECUR has no value: it does not come here */
  join_branches(f, mark, then, n, !t.types, !d.types);
  if (r.types && !error_leaves) join_olds(f, mark, e->a);
  return flow_join(f, flow_join(f, r, t), d);
}

static AVal eval_seq(Flow *f, Core *e) {
  AVal r = aval_none();
  bool error_leaves = is_statement(f, e);
  size_t mark = 0; /* where the first error may have ended it */
  for (size_t i = 0; i < e->count; i++) {
    bool is_last = i + 1 == e->count;
    AVal v = eval_part(f, e->items[i], !is_last || error_leaves);
    if (is_last) {
      if (r.types && !error_leaves) join_olds(f, mark, NULL);
      return flow_join(f, r, v);
    }
    if (!r.types) mark = f->undo.count;
    r = flow_join(f, r, aval_keep(v, T_ERROR));
    if (!(v.types & ~(uint32_t)T_ERROR)) return r;
    Core *item = e->items[i];
    if (item->kind == CORE_LOCAL && !item->a) refine_var(f, item->var, aval_keep(read_var(f, item->var), ~(uint32_t)T_ERROR));
  }
  return r;
}

static AVal eval_set(Flow *f, Core *e) {
  AVal v = eval(f, e->a);
  if (!v.types) return v;
  flow_add(f, &var_info(f, e->var)->all, v);
  if (!VAR_IS_BOXED(e->var)) {
    now(f, e->var);
    set_now(f, e->var, v);
  }
  return aval_of(T_NIL);
}

static AVal eval_let(Flow *f, Core *e) {
  bool error_leaves = is_statement(f, e);
  AVal v = aval_of(T_UNBOUND);
  if (e->a && e->a->kind == CORE_LAMBDA) { /* may use its own name */
    bind(f, e->var, fn_value(f, e->a->lambda), NULL);
    eval(f, e->a);
  } else if (e->a) {
    v = eval(f, e->a);
    if (!v.types) return v;
    bind(f, e->var, v, e->a);
  } else {
    bind(f, e->var, v, NULL);
  }
  return eval_part(f, e->b, error_leaves);
}

static void collect_sets(Core **child, void *to) {
  Flow *f = ((void **)to)[0];
  LoopState *state = ((void **)to)[1];
  Core *e = *child;
  if (e->kind == CORE_SET && !VAR_IS_BOXED(e->var)) {
    bool is_new = true;
    for (size_t i = 0; i < state->sets.count && is_new; i++) is_new = state->sets.items[i].var != e->var;
    LoopSet s = {e->var, aval_none(), 0};
    if (is_new) PUSH(f->p->arena, state->sets, s);
  }
  core_each_child(e, false, collect_sets, to);
}

static LoopState *loop_state(Flow *f, Core *e) {
  LoopState *state = ptrmap_get(&f->loops, e->loop);
  if (state) return state;
  state = ARENA_NEW(f->p->arena, LoopState);
  ptrmap_put(&f->loops, e->loop, state);
  void *to[2] = {f, state};
  collect_sets(&e->b, to);
  return state;
}

/* The state of the assigned variables flows into the beginning of the next round. */
static void flow_round(Flow *f, LoopState *state) {
  for (size_t i = 0; i < state->sets.count; i++) {
    LoopSet *s = &state->sets.items[i];
    if (grow(f, &s->value, *now(f, s->var), &s->growths)) state->changed = true;
  }
}

static AVal eval_recur(Flow *f, Core *e) {
  AVal *args = ARENA_ARRAY(f->p->arena, AVal, e->count);
  for (size_t i = 0; i < e->count; i++) {
    args[i] = eval(f, e->items[i]);
    if (!args[i].types) return aval_none();
  }
  LoopState *state = ptrmap_get(&f->loops, e->loop);
  for (size_t i = 0; i < e->count; i++) {
    Cell *c = &var_info(f, e->loop->vars[i])->all;
    AVal before = c->value;
    flow_add(f, c, args[i]);
    if (!aval_equal(before, c->value)) state->changed = true;
  }
  flow_round(f, state);
  return aval_none();
}

static AVal eval_loop(Flow *f, Core *e) {
  LoopState *state = loop_state(f, e);
  bool error_leaves = is_statement(f, e);
  for (size_t i = 0; i < e->count; i++) {
    AVal v = eval(f, e->items[i]);
    if (!v.types) return v;
    flow_add(f, &var_info(f, e->loop->vars[i])->all, v);
  }
  flow_round(f, state);
  AVal r;
  size_t mark = f->undo.count;
  do {
    undo_to(f, mark);
    state->changed = false;
    for (size_t i = 0; i < e->count; i++) {
      VarInfo *v = var_info(f, e->loop->vars[i]);
      v->stamp = f->stamp;
      v->now = v->all.value;
      v->def = NULL;
    }
    for (size_t i = 0; i < state->sets.count; i++) {
      now(f, state->sets.items[i].var);
      set_now(f, state->sets.items[i].var, state->sets.items[i].value);
    }
    r = eval_part(f, e->b, error_leaves);
  } while (state->changed);
  return r;
}

static AVal eval_def(Flow *f, Core *e) {
  AVal v = eval(f, e->a);
  if (!v.types) return v;
  AVal error = aval_keep(v, T_ERROR);
  if (e->global->is_open) flow_escape(f, v);
  flow_add(f, global_cell(f, e->global), e->is_def ? aval_keep(v, ~(uint32_t)T_ERROR) : v);
  return e->is_def ? flow_join(f, aval_of(T_NIL), error) : aval_of(T_NIL);
}

static AVal eval_block(Flow *f, Core *e) {
  escape_fn(f, e->lambda);
  return aval_of(T_LISTOBJ);
}

static AVal eval_node(Flow *f, Core *e) {
  switch (e->kind) {
  case CORE_CONST: return eval_const(f, e->datum);
  case CORE_LOCAL: return eval_local(f, e);
  case CORE_GLOBAL: return eval_global(f, e->global);
  case CORE_SET: return eval_set(f, e);
  case CORE_DEF: return eval_def(f, e);
  case CORE_LAMBDA: return fn_value(f, e->lambda);
  case CORE_CALL: return eval_call(f, e);
  case CORE_PRIM: return eval_prim(f, e);
  case CORE_IF: return eval_if(f, e);
  case CORE_SEQ: return eval_seq(f, e);
  case CORE_LET: return eval_let(f, e);
  case CORE_LOOP: return eval_loop(f, e);
  case CORE_RECUR: return eval_recur(f, e);
  case CORE_BLOCK: return eval_block(f, e);
  case CORE_NAME: break;
  }
  diag_bug(f->p->diag, e->span, "flow", "a name after resolve");
}

static AVal eval(Flow *f, Core *e) {
  AVal v = eval_node(f, e);
  if (f->is_recording) {
    e->has_facts = true;
    e->types = v.types;
    e->lo = v.lo;
    e->hi = v.hi;
  }
  return v;
}

/* ---- the program ---------------------------------------------------------------------------- */

static void walk_fn(Flow *f, FnInfo *fn) {
  f->in = fn;
  f->stamp++;
  f->undo.count = 0;
  if (fn->top) {
    eval(f, *fn->top);
    return;
  }
  AVal r = eval(f, fn->lambda->body);
  flow_add(f, &fn->result, r);
  if (fn->escapes) flow_escape(f, r);
}

static int compare_ints(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void collect_thresholds(Core **child, void *to) {
  Flow *f = to;
  Core *e = *child;
  if (e->kind == CORE_CONST && e->datum->kind == DATUM_INT)
    for (int64_t d = -1; d <= 1; d++) {
      int64_t near;
      if (!__builtin_add_overflow(e->datum->integer, d, &near)) PUSH(f->p->arena, f->thresholds, near);
    }
  core_each_child(e, true, collect_thresholds, to);
}

static void sort_thresholds(Flow *f) {
  PUSH(f->p->arena, f->thresholds, INT8_MIN); /* what vectors of bytes hold */
  PUSH(f->p->arena, f->thresholds, INT8_MAX);
  PUSH(f->p->arena, f->thresholds, COUNT_MAX);
  PUSH(f->p->arena, f->thresholds, -COUNT_MAX);
  PUSH(f->p->arena, f->thresholds, FIX_MAX);
  PUSH(f->p->arena, f->thresholds, FIX_MIN);
  qsort(f->thresholds.items, f->thresholds.count, sizeof(int64_t), compare_ints);
  size_t kept = 0;
  for (size_t i = 0; i < f->thresholds.count; i++)
    if (kept == 0 || f->thresholds.items[kept - 1] != f->thresholds.items[i])
      f->thresholds.items[kept++] = f->thresholds.items[i];
  f->thresholds.count = kept;
}

/* A global whose definition stands at top level before anything that leads to a use of it ran is
 * bound whenever it is read; but not in other isolates, if such were started before. */
typedef struct Mentioned {
  PtrMap globals;
  bool starts_isolates;
} Mentioned;

static void mention(Core **child, void *to) {
  Mentioned *seen = to;
  Core *e = *child;
  const Prim *prim = e->kind == CORE_PRIM ? e->prim : e->kind == CORE_GLOBAL ? e->global->prim : NULL;
  if (prim && prim->flags & PRIM_ISOLATES) seen->starts_isolates = true;
  if (e->kind == CORE_GLOBAL && !ptrmap_get(&seen->globals, e->global)) {
    ptrmap_put(&seen->globals, e->global, e);
    if (e->global->kind == GLOBAL_FUNCTION && e->global->lambda) mention(&e->global->lambda->body, to);
  }
  core_each_child(e, true, mention, to);
}

static void find_always_bound(Program *p) {
  if (p->opens) return; /* who knows what leads to a use then */
  Mentioned seen = {.globals.arena = p->arena};
  for (size_t i = 0; i < p->tops.count && !seen.starts_isolates; i++) {
    Core *e = p->tops.items[i].core;
    mention(&p->tops.items[i].core, &seen);
    if (e->kind == CORE_DEF && !seen.starts_isolates && !ptrmap_get(&seen.globals, e->global))
      e->global->is_always_bound = true;
  }
}

/* What code made at run time may name: it may call functions with anything, and put anything into
 * variables. */
static void open_globals(Flow *f, FnInfo *in) {
  f->in = in;
  for (size_t i = 0; i < f->p->globals.count; i++) {
    Global *g = f->p->globals.items[i];
    if (!g->is_open) continue;
    if (g->kind == GLOBAL_FUNCTION && g->lambda) escape_fn(f, g->lambda);
    if (g->kind == GLOBAL_VARIABLE) flow_add(f, global_cell(f, g), aval_of(T_ANY));
  }
}

static void record_vars(Flow *f) {
  for (size_t i = 0; i < f->vars.capacity; i++) {
    Var *v = (Var *)f->vars.keys[i];
    if (!v) continue;
    AVal all = ((VarInfo *)f->vars.values[i])->all.value;
    v->has_facts = true;
    v->types = all.types;
    v->lo = all.lo;
    v->hi = all.hi;
  }
}

void flow_run(Program *p) {
  Flow *f = ARENA_NEW(p->arena, Flow);
  f->p = p;
  f->fns.arena = f->vars.arena = f->globals.arena = f->sites.arena = f->loops.arena = p->arena;
  core_each_root(p, collect_thresholds, f);
  sort_thresholds(f);
  find_always_bound(p);
  FnInfo *tops = ARENA_ARRAY(p->arena, FnInfo, p->tops.count);
  for (size_t i = 0; i < p->tops.count; i++) {
    tops[i].top = &p->tops.items[i].core;
    tops[i].result.value = aval_none();
    wake(f, &tops[i]);
  }
  if (p->opens) open_globals(f, tops);
  while (f->work_done < f->work.count) {
    FnInfo *fn = f->work.items[f->work_done++];
    fn->is_queued = false;
    walk_fn(f, fn);
  }
  f->is_recording = true;
  for (size_t i = 0; i < p->tops.count; i++) walk_fn(f, &tops[i]);
  for (size_t i = 0; i < f->all_fns.count; i++) {
    FnInfo *fn = f->all_fns.items[i];
    AVal r = fn->result.value;
    fn->lambda->facts = ARENA_NEW(p->arena, LambdaFacts);
    *fn->lambda->facts = (LambdaFacts){fn->is_called, fn->escapes, r.types, r.lo, r.hi};
    if (fn->is_called) walk_fn(f, fn);
  }
  record_vars(f);
}
