/* flow_cells.c - what flow knows: cells that values flow into, by whom they are read, and the values of
 * variables at one point of a walk.
 *
 * A cell only grows; growing it puts its readers on the work-list. Ranges are widened to constants of
 * the program after GROWTHS_MAX growths. What reaches code that is not seen escapes (flow_escape).
 * During a walk variables have values of their own, and flow_set_now notes the old one to be undone. */
#include "flow_engine.h"
#include <stdlib.h>
#include <string.h>

enum {
  GROWTHS_MAX = 3,
  STEPS_MAX = 24, /* growths until a bound moves by more than one constant at a time */
};

/* ---- cells and the work-list ---------------------------------------------------------------- */

void flow_wake(Flow *f, FnInfo *fn) {
  if (fn->is_queued) return;
  fn->is_queued = true;
  PUSH(f->p->arena, f->work, fn);
}

static void wake_readers(Flow *f, Cell *c) {
  for (size_t i = 0; i < c->readers.count; i++) flow_wake(f, c->readers.items[i]);
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
  if (aval_is_reserved(n) && n > 0) n = COUNT_MAX + 1;
  size_t i = first_threshold_from(f, n), stop = first_threshold_from(f, COUNT_MAX);
  if (i < stop) i = stop - i < step ? stop : i + step - 1;
  return i < f->thresholds.count ? f->thresholds.items[i] : INT64_MAX;
}
static int64_t widen_down(Flow *f, int64_t n, size_t step) {
  if (aval_is_reserved(n) && n < 0) n = -COUNT_MAX - 1;
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
bool flow_grow(Flow *f, AVal *to, AVal v, unsigned *growths) {
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
  if (!v.types || !flow_grow(f, &c->value, v, &c->growths)) return;
  if (f->is_recording) diag_bug(f->p->diag, NO_SPAN, "flow", "a fact grew after the fixed point");
  wake_readers(f, c);
}

void flow_put(Flow *f, Site *s, Cell *part, AVal v) {
  flow_add(f, part, v);
  if (s->escaped) flow_escape(f, v);
  if (s->frozen.value.types) flow_freeze(f, v);
}

/* ---- functions, variables, sites ------------------------------------------------------------- */

FnInfo *flow_fn(Flow *f, Lambda *l) {
  FnInfo *fn = ptrmap_get(&f->fns, l);
  if (fn) return fn;
  fn = ARENA_NEW(f->p->arena, FnInfo);
  fn->lambda = l;
  fn->result.value = aval_none();
  ptrmap_put(&f->fns, l, fn);
  PUSH(f->p->arena, f->all_fns, fn);
  return fn;
}

VarInfo *flow_var(Flow *f, Var *v) {
  VarInfo *i = ptrmap_get(&f->vars, v);
  if (i) return i;
  i = ARENA_NEW(f->p->arena, VarInfo);
  i->all.value = i->now = aval_none();
  ptrmap_put(&f->vars, v, i);
  return i;
}

Cell *flow_global(Flow *f, Global *g) {
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
  s->head.value = s->tail.value = s->length.value = s->frozen.value = s->grown.value = s->shrunk.value = s->loose.value = aval_none();
  ptrmap_put(&f->sites, key, s);
  return s;
}

AVal flow_site_value(Flow *f, Site *s, uint32_t types) {
  AVal v = {types, 1, 0, NULL, set_one(f->p->arena, s), NULL};
  return v;
}

AVal flow_fn_value(Flow *f, Lambda *l) {
  AVal v = {T_FUN, 1, 0, set_one(f->p->arena, l), NULL, NULL};
  return v;
}

void flow_mark_called(Flow *f, FnInfo *fn) {
  if (fn->is_called) return;
  fn->is_called = true;
  flow_wake(f, fn);
}

void flow_bind_param(Flow *f, Lambda *l, size_t i, AVal v) {
  flow_add(f, &flow_var(f, l->params[i])->all, v);
}

void flow_escape_fn(Flow *f, Lambda *l) {
  FnInfo *fn = flow_fn(f, l);
  if (fn->escapes) return;
  fn->escapes = true;
  flow_mark_called(f, fn);
  for (size_t i = 0; i < l->param_count; i++) {
    bool is_rest = l->has_rest && i + 1 == l->param_count;
    flow_bind_param(f, l, i, aval_of(is_rest ? T_NIL | T_PAIR : T_ANY));
  }
  flow_escape(f, flow_read(f, &fn->result));
}

/* Iterative: contents may be deep. */
void flow_escape(Flow *f, AVal v) {
  if (v.fns && v.fns != &set_any)
    for (unsigned i = 0; i < v.fns->count; i++) flow_escape_fn(f, (Lambda *)v.fns->items[i]);
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
    if (v.types & T_MAP) flow_add(f, &s->loose, aval_of(T_ANY));
    if (v.types & T_VECTOR) flow_add(f, &s->length, aval_range(0, LENGTH_MAX));
    if (v.types & T_VECTOR) flow_add(f, &s->grown, aval_range(1, 1));
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

AVal *flow_now(Flow *f, Var *v) {
  VarInfo *i = flow_var(f, v);
  if (i->stamp != f->stamp) { /* bound outside of this walk */
    i->stamp = f->stamp;
    i->now = flow_read(f, &i->all);
  }
  return &i->now;
}

void flow_set_now(Flow *f, Var *v, AVal value) {
  AVal *n = flow_now(f, v);
  Undo u = {v, *n};
  PUSH(f->p->arena, f->undo, u);
  *n = value;
}

/* Nothing is noted if nothing changes: else nested branches would double the list at each level. */
void flow_join_now(Flow *f, Var *v, AVal value) {
  AVal joined = flow_join(f, value, *flow_now(f, v));
  if (!aval_equal(joined, *flow_now(f, v))) flow_set_now(f, v, joined);
}

void flow_undo_to(Flow *f, size_t mark) {
  while (f->undo.count > mark) {
    Undo u = f->undo.items[--f->undo.count];
    flow_var(f, u.var)->now = u.old;
  }
}

void flow_bind(Flow *f, Var *v, AVal value, const Core *def) {
  VarInfo *i = flow_var(f, v);
  if (i->stamp != f->stamp) i->stamp = f->stamp;
  i->now = value;
  i->def = def && def->kind == CORE_PRIM ? def : NULL;
  flow_add(f, &i->all, value);
}

AVal flow_read_var(Flow *f, Var *v) {
  if (VAR_IS_BOXED(v)) return flow_read(f, &flow_var(f, v)->all);
  return *flow_now(f, v);
}
