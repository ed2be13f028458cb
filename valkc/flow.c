/* flow.c - what every expression can be: abstract interpretation of the whole program.
 *
 * in:    simplified core, free variables found
 * out:   types, lo, hi in every reachable node, callee in calls of one known function; the tree is
 *        unchanged
 * keeps: facts only grow while the work-list runs, so it ends; ranges are widened to program
 *        constants after a few growths, sets of functions and sites are capped at FNS_MAX and SITES_MAX
 * cost:  near linear: a function is walked again only when something it read has grown
 * trust: represent.c and lower.c drop checks because of these facts
 *
 * Method: Shivers, "Control-Flow Analysis in Scheme", PLDI 1988 (0-CFA), as an abstract
 * interpreter with a work-list of functions; values of one function's own variables are kept per
 * program point, so that tests narrow them (what SSA form with renaming at tests gives). Lists,
 * vectors and maps are described by allocation site. Whatever reaches code the compiler cannot
 * see (eval, primitives without a transfer function that may keep it) escapes: its functions may
 * be called with anything, its contents may become anything. Cells, sites and the values of variables
 * during a walk are in flow_cells.c, tests in flow_narrow.c, primitives in flow_prim.c. */
#include "flow_engine.h"
#include <stdlib.h>
#include <string.h>

enum { RECORD_MAX = 16 }; /* cells of a literal list that have sites of their own */
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
  AVal v = flow_read_var(f, e->var);
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
  case GLOBAL_FUNCTION: return g->lambda ? flow_fn_value(f, g->lambda) : aval_of(T_FUN);
  case GLOBAL_PRIM: return aval_of(T_FUN);
  case GLOBAL_UNKNOWN: return error;
  case GLOBAL_VARIABLE: break;
  }
  AVal v = flow_read(f, flow_global(f, g));
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
      r = flow_join(f, r, flow_fn_value(f, l));
      continue;
    }
    if (!is_exact) { /* a partial application or an arity error */
      flow_escape_fn(f, l);
      for (size_t j = 0; j < n; j++) flow_escape(f, args[j]);
      r = flow_join(f, r, aval_of(n < fixed ? T_FUN : T_ERROR));
      continue;
    }
    for (size_t j = 0; j < fixed; j++) flow_bind_param(f, l, j, args[j]);
    if (l->has_rest) {
      Site *s = flow_site(f, l->params[fixed], NULL);
      AVal rest = flow_site_value(f, s, T_PAIR), nil = aval_of(T_NIL);
      for (size_t j = fixed; j < n; j++) flow_put(f, s, &s->head, args[j]);
      flow_put(f, s, &s->tail, flow_join(f, rest, nil));
      flow_bind_param(f, l, fixed, n > fixed ? rest : nil);
    }
    FnInfo *info = flow_fn(f, l);
    flow_mark_called(f, info);
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
    if (old.types) flow_join_now(f, u.var, old);
  }
}

/* Is e a statement of a sequence, so that an error as its value goes no further? Then `part`, whose
 * value is that of e, is one as well. Asked before the parts of e are evaluated. */
static bool is_statement(Flow *f, const Core *e) { return f->statement == e; }
static AVal eval_part(Flow *f, Core *part, bool is_statement) {
  if (is_statement) f->statement = part;
  return eval(f, part);
}

/* Every walk of a call needs room for its arguments: what the last one left is used again. */
static AVal *take_args(Flow *f, size_t n) {
  if (n >= FLOW_SPARE_ARGS || !f->spare_args[n]) return ARENA_ARRAY(f->p->arena, AVal, n);
  SpareArgs *spare = f->spare_args[n];
  f->spare_args[n] = spare->next;
  return (AVal *)spare;
}

static void leave_args(Flow *f, AVal *args, size_t n) {
  if (n == 0 || n >= FLOW_SPARE_ARGS) return;
  SpareArgs *spare = (SpareArgs *)args;
  spare->next = f->spare_args[n];
  f->spare_args[n] = spare;
}

static AVal eval_call(Flow *f, Core *e) {
  bool error_leaves = is_statement(f, e);
  AVal fn = eval(f, e->a);
  if (!fn.types) return fn;
  AVal head_error = aval_keep(fn, T_ERROR);
  size_t mark = f->undo.count;
  AVal *args = take_args(f, e->count);
  for (size_t i = 0; i < e->count; i++) {
    args[i] = eval(f, e->items[i]);
    if (!args[i].types) return aval_none();
  }
  if (head_error.types && !error_leaves) join_olds(f, mark, NULL);
  e->callee = NULL;
  if (fn.types == T_FUN && fn.fns && fn.fns != &set_any && fn.fns->count == 1)
    e->callee = (Lambda *)fn.fns->items[0];
  if (f->shapes) flow_note_shapes(f, e, args);
  AVal v = flow_call(f, e, fn, e->count, args);
  leave_args(f, args, e->count);
  return flow_join(f, head_error, v);
}

static AVal eval_prim(Flow *f, Core *e) {
  AVal *args = take_args(f, e->count + 1);
  args[e->count] = (AVal){0}; /* an argument left out */
  for (size_t i = 0; i < e->count; i++) {
    args[i] = eval(f, e->items[i]);
    if (!args[i].types) return aval_none();
  }
  AVal v = flow_prim(f, e, args);
  for (size_t i = 0; i < e->count; i++)
    if (args[i].types & T_ERROR && !(e->prim->flags & PRIM_ERRS)) v = flow_join(f, v, aval_of(T_ERROR));
  leave_args(f, args, e->count + 1);
  return v;
}

/* After both branches: the state where they meet. dead: that branch does not come here. */
static void join_branches(Flow *f, size_t mark, Undo *then, size_t n, bool then_dead, bool else_dead) {
  size_t end = f->undo.count;
  if (else_dead) flow_undo_to(f, mark);
  else if (!then_dead)
    for (size_t i = mark; i < end; i++) {
      Undo u = f->undo.items[i];
      bool in_then = false;
      for (size_t j = 0; j < n && !in_then; j++) in_then = then[j].var == u.var;
      if (!in_then) flow_join_now(f, u.var, u.old);
    }
  if (then_dead) return;
  for (size_t j = 0; j < n; j++)
    if (else_dead) flow_set_now(f, then[j].var, then[j].old);
    else flow_join_now(f, then[j].var, then[j].old);
}

static AVal eval_if(Flow *f, Core *e) {
  bool error_leaves = is_statement(f, e);
  AVal c = eval(f, e->a), r = aval_keep(c, T_ERROR);
  bool may_be_false = c.types & T_NIL || (c.types & T_FIX && c.lo <= 0 && c.hi >= 0);
  bool may_be_true = c.types & ~(uint32_t)(T_NIL | T_ERROR | T_FIX) || (c.types & T_FIX && (c.lo < 0 || c.hi > 0));
  size_t mark = f->undo.count;
  AVal t = aval_none(), d = aval_none();
  if (may_be_true) {
    flow_narrow(f, e->a, true);
    t = eval_part(f, e->b, error_leaves);
  }
  size_t n = f->undo.count - mark;
  Undo *then = ARENA_ARRAY(f->p->arena, Undo, n);
  for (size_t i = 0; i < n; i++) then[i] = (Undo){f->undo.items[mark + i].var, *flow_now(f, f->undo.items[mark + i].var)};
  flow_undo_to(f, mark);
  if (may_be_false) {
    flow_narrow(f, e->a, false);
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
  size_t mark = 0; /* before what may have ended it first */
  for (size_t i = 0; i < e->count; i++) {
    bool is_last = i + 1 == e->count;
    if (!r.types) mark = f->undo.count;
    AVal v = eval_part(f, e->items[i], !is_last || error_leaves);
    bool is_end = is_last || !(v.types & ~(uint32_t)T_ERROR);
    if (is_end && r.types && !error_leaves) join_olds(f, mark, NULL);
    r = flow_join(f, r, is_last ? v : aval_keep(v, T_ERROR));
    if (is_end) return r;
    Core *item = e->items[i];
    if (item->kind == CORE_LOCAL && !item->a) flow_narrow_var(f, item->var, aval_keep(flow_read_var(f, item->var), ~(uint32_t)T_ERROR));
  }
  return r;
}

static AVal eval_set(Flow *f, Core *e) {
  AVal v = eval(f, e->a);
  if (!v.types) return v;
  flow_add(f, &flow_var(f, e->var)->all, v);
  if (!VAR_IS_BOXED(e->var)) {
    flow_now(f, e->var);
    flow_set_now(f, e->var, v);
  }
  return aval_of(T_NIL);
}

static AVal eval_let(Flow *f, Core *e) {
  bool error_leaves = is_statement(f, e);
  AVal v = aval_of(T_UNBOUND);
  if (e->a && e->a->kind == CORE_LAMBDA) { /* may use its own name */
    flow_bind(f, e->var, flow_fn_value(f, e->a->lambda), NULL);
    eval(f, e->a);
  } else if (e->a) {
    v = eval(f, e->a);
    if (!v.types) return v;
    flow_bind(f, e->var, v, e->a);
  } else {
    flow_bind(f, e->var, v, NULL);
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
    if (flow_grow(f, &s->value, *flow_now(f, s->var), &s->growths)) state->changed = true;
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
    Cell *c = &flow_var(f, e->loop->vars[i])->all;
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
    flow_add(f, &flow_var(f, e->loop->vars[i])->all, v);
  }
  flow_round(f, state);
  AVal r;
  size_t mark = f->undo.count;
  do {
    flow_undo_to(f, mark);
    state->changed = false;
    for (size_t i = 0; i < e->count; i++) {
      VarInfo *v = flow_var(f, e->loop->vars[i]);
      v->stamp = f->stamp;
      v->now = v->all.value;
      v->def = NULL;
    }
    for (size_t i = 0; i < state->sets.count; i++) {
      flow_now(f, state->sets.items[i].var);
      flow_set_now(f, state->sets.items[i].var, state->sets.items[i].value);
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
  flow_add(f, flow_global(f, e->global), e->is_def ? aval_keep(v, ~(uint32_t)T_ERROR) : v);
  return e->is_def ? flow_join(f, aval_of(T_NIL), error) : aval_of(T_NIL);
}

static AVal eval_block(Flow *f, Core *e) {
  flow_escape_fn(f, e->lambda);
  return aval_of(T_LISTOBJ);
}

static AVal eval_node(Flow *f, Core *e) {
  switch (e->kind) {
  case CORE_CONST: return eval_const(f, e->datum);
  case CORE_LOCAL: return eval_local(f, e);
  case CORE_GLOBAL: return eval_global(f, e->global);
  case CORE_SET: return eval_set(f, e);
  case CORE_DEF: return eval_def(f, e);
  case CORE_LAMBDA: return flow_fn_value(f, e->lambda);
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
      if (!__builtin_add_overflow(e->datum->integer, d, &near) && !aval_is_reserved(near)) PUSH(f->p->arena, f->thresholds, near);
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
    if (g->kind == GLOBAL_FUNCTION && g->lambda) flow_escape_fn(f, g->lambda);
    if (g->kind == GLOBAL_VARIABLE) flow_add(f, flow_global(f, g), aval_of(T_ANY));
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

void flow_run(Program *p, PtrMap *shapes) {
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
    flow_wake(f, &tops[i]);
  }
  if (p->opens) open_globals(f, tops);
  while (f->work_done < f->work.count) {
    FnInfo *fn = f->work.items[f->work_done++];
    fn->is_queued = false;
    walk_fn(f, fn);
  }
  f->is_recording = true;
  f->shapes = shapes;
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
