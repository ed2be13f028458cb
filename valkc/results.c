/* results.c - results that nobody uses are not made.
 *
 * in:    core with flow's facts, after refine.c
 * out:   core with facts; where only effects matter, expressions give nil instead of what they would
 *        make: statements, bindings that nobody reads, and the results of global functions all of whose
 *        calls are such
 * keeps: every effect and its order; every error that a sequence would stop at
 * cost:  a walk over the program, twice more if something changed
 *
 *   (fun squares (v i) (if (< i (vec/len v)) (seq (vec/set! v i (* i i)) (cons i (squares v (+ i 1)))) nil))
 *   (seq (squares v 0) (print v))
 *
 * gives no list: (let unread (squares v (+ i 1)) nil) stands for the cons. Lists under construction that
 * are never read, as of a map done for its effects, go as well: their cells are only hung on each other.
 * After Liu, Stoller, "Eliminating Dead Code on Recursive Data", SAS 1999, for results as a whole. */
#include "results.h"
#include "flow.h"
#include <string.h>

enum { ROUNDS_MAX = 3 };

typedef struct Use { /* of a function's result: by the result of another */
  Global *of, *by;
} Use;

typedef struct Results {
  Program *p;
  PtrMap used;     /* Global whose result somebody uses */
  VEC(Use) uses;
  Global *in;      /* whose body is walked, or NULL */
  bool is_dropping; /* the second walk: what is used is known */
  bool changed;
} Results;

typedef enum Fate { /* of the value of an expression */
  IS_USED,
  IS_RESULT,  /* of the function in->in */
  IS_DROPPED, /* but for an error, which ends a sequence */
} Fate;

static void visit(Results *x, Core **slot, Fate fate);

/* ---- replacing ------------------------------------------------------------------------------ */

static bool may_be_error(const Core *e) { return !e->has_facts || !e->types || e->types & T_ERROR; }

static Core *nil_of(Results *x, const Core *e) {
  Core *nil = core_nil(x->p, e->span);
  nil->has_facts = true;
  nil->types = T_NIL;
  nil->lo = 1;
  return nil;
}

static bool is_nil(const Core *e) {
  return e->kind == CORE_CONST && e->datum->kind == DATUM_LIST && e->datum->count == 0;
}

/* Makes something and does nothing else. */
static bool only_makes(const Prim *prim) {
  return prim->flags & (PRIM_PURE | PRIM_FRESH) && !(prim->flags & (PRIM_STORES | PRIM_CALLS | PRIM_BLOCKS));
}

static bool is_inert(const Core *e) {
  return e->kind == CORE_CONST || e->kind == CORE_LAMBDA || e->kind == CORE_GLOBAL || (e->kind == CORE_LOCAL && !e->a);
}

/* (list a (f b)) -> (let unread (f b) nil) */
static void drop_prim(Results *x, Core **slot) {
  Core *e = *slot, *made = nil_of(x, e);
  for (size_t i = e->count; i-- > 0;) {
    if (is_inert(e->items[i])) continue;
    Var *unread = core_var(x->p, "", e->span, x->in ? x->in->lambda : NULL);
    made = core_let(x->p, e->span, unread, e->items[i], made);
    made->has_facts = true;
    made->types = T_NIL;
    made->lo = 1;
  }
  *slot = made;
  x->changed = true;
}

/* The value of what is no control flow is dropped. */
static void drop(Results *x, Core **slot) {
  Core *e = *slot;
  if (e->kind == CORE_CALL) {
    e->types |= e->has_facts ? T_NIL : 0;
  } else if (e->kind == CORE_PRIM) {
    if (only_makes(e->prim) && !may_be_error(e)) drop_prim(x, slot);
  } else if (is_inert(e) && !is_nil(e) && (e->kind == CORE_CONST || e->kind == CORE_LAMBDA || !may_be_error(e))) {
    *slot = nil_of(x, e);
    x->changed = true;
  }
}

/* ---- the walk ------------------------------------------------------------------------------- */

static bool is_result_used(const Results *x, const Global *g) { return !g || ptrmap_get(&x->used, g); }

static void use(Results *x, Global *g) {
  if (!ptrmap_get(&x->used, g)) ptrmap_put(&x->used, g, g);
}

static Global *called(const Core *e) {
  Global *g = e->kind == CORE_CALL && e->a->kind == CORE_GLOBAL ? e->a->global : NULL;
  bool is_known = g && g->kind == GLOBAL_FUNCTION && g->lambda && !g->lambda->has_rest;
  return is_known && e->count == g->lambda->param_count ? g : NULL;
}

static void visit_operand(Core **child, void *to) { visit(to, child, IS_USED); }

static void visit_body(Results *x, Global *g, Core **body, Fate fate) {
  Global *outer = x->in;
  x->in = g;
  visit(x, body, fate);
  x->in = outer;
}

static void visit_call(Results *x, Core *e, Global *g, Fate fate) {
  if (fate == IS_USED || (fate == IS_RESULT && !x->in)) use(x, g);
  else if (fate == IS_RESULT && !x->is_dropping) PUSH(x->p->arena, x->uses, ((Use){g, x->in}));
  for (size_t i = 0; i < e->count; i++) visit(x, &e->items[i], IS_USED);
}

static bool is_maker(const Core *e) { return e->kind == CORE_PRIM && only_makes(e->prim) && !may_be_error(e); }

/* What is made of them is used as they are. */
static void visit_parts(Results *x, Core *e, Fate fate) {
  for (size_t i = 0; i < e->count; i++) visit(x, &e->items[i], fate);
}

static bool is_unread(const Core *let) { return let->a && !let->var->is_set && let->var->use_count == 0; }

static void visit(Results *x, Core **slot, Fate fate) {
  Core *e = *slot;
  Global *g = called(e);
  bool is_control = e->kind == CORE_IF || e->kind == CORE_LET || e->kind == CORE_SEQ || e->kind == CORE_LOOP;
  bool is_dropped = fate == IS_DROPPED || (fate == IS_RESULT && x->in && !is_result_used(x, x->in));
  if (x->is_dropping && is_dropped && is_control && e->has_facts && e->types) e->types |= T_NIL;
  switch (e->kind) {
  case CORE_IF:
    visit(x, &e->a, IS_USED);
    visit(x, &e->b, fate);
    if (e->d) visit(x, &e->d, fate);
    break;
  case CORE_SEQ:
    for (size_t i = 0; i < e->count; i++) visit(x, &e->items[i], i + 1 < e->count ? IS_DROPPED : fate);
    break;
  case CORE_LET:
    if (e->a) visit(x, &e->a, is_unread(e) ? IS_DROPPED : IS_USED);
    if (x->is_dropping && e->a && is_unread(e) && e->var->has_facts) e->var->types |= T_NIL;
    visit(x, &e->b, fate);
    break;
  case CORE_LOOP:
    for (size_t i = 0; i < e->count; i++) visit(x, &e->items[i], IS_USED);
    visit(x, &e->b, fate);
    break;
  case CORE_LAMBDA:
  case CORE_BLOCK:
    if (e->lambda) visit_body(x, NULL, &e->lambda->body, IS_USED);
    break;
  case CORE_GLOBAL:
    if (e->global->kind == GLOBAL_FUNCTION) use(x, e->global);
    break;
  default:
    if (g) visit_call(x, e, g, fate);
    else if (is_maker(e)) visit_parts(x, e, fate);
    else core_each_child(e, false, visit_operand, x);
    break;
  }
  if (x->is_dropping && is_dropped && !is_control) drop(x, slot);
}

static void visit_root(Core **root, void *to) {
  Results *x = to;
  Lambda *l = (*root)->kind == CORE_LAMBDA ? (*root)->lambda : NULL;
  Global *g = l ? l->global : NULL;
  if (!g) visit_body(x, NULL, root, IS_RESULT);
  else if (g->is_reachable) visit_body(x, g, &l->body, IS_RESULT);
}

/* What a function gives whose result is used is used as well. */
static void spread(Results *x) {
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < x->uses.count; i++) {
      Use u = x->uses.items[i];
      if (!ptrmap_get(&x->used, u.by) || ptrmap_get(&x->used, u.of)) continue;
      use(x, u.of);
      changed = true;
    }
  }
}

/* ---- lists that are only built ---------------------------------------------------------------- */

typedef struct Cells {
  Results *x;
  PtrMap candidates; /* variables of cells; a value: they are read */
  VEC(Var *) from, to; /* to is read where from is */
  bool is_dropping;
} Cells;

static bool is_prim(const Core *e, const char *name) { return e->kind == CORE_PRIM && !strcmp(e->prim->name, name); }
static bool is_cell(const Core *e) { return is_prim(e, "%cell") || is_prim(e, "%pair") || is_prim(e, "cons"); }

static bool is_candidate(const Cells *c, const Core *e) {
  return e->kind == CORE_LOCAL && !e->a && ptrmap_get(&c->candidates, e->var);
}

static void note_cells(Core **child, void *to) {
  Cells *c = to;
  Core *e = *child;
  if (e->kind == CORE_LET && e->a && is_cell(e->a) && !may_be_error(e->a) && !e->var->is_set && !e->var->is_captured)
    ptrmap_put(&c->candidates, e->var, e->var);
  if (e->kind == CORE_LOOP)
    for (size_t i = 0; i < e->loop->count; i++)
      if (is_candidate(c, e->items[i]) && !e->loop->vars[i]->is_set && !e->loop->vars[i]->is_captured)
        ptrmap_put(&c->candidates, e->loop->vars[i], e->loop->vars[i]);
  core_each_child(e, true, note_cells, to);
}

static PtrMap *read_of(Cells *c) { return &c->x->used; } /* not of functions now: variables that are read */

static void note_read_with(Cells *c, Var *from, Var *to) {
  PUSH(c->x->p->arena, c->from, from);
  PUSH(c->x->p->arena, c->to, to);
}

/* What a variable of a loop gets is the same cell: read if the other is, under either name. */
static void note_handed_on(Cells *c, Core *e) {
  for (size_t i = 0; i < e->count; i++) {
    Core *item = e->items[i];
    Var *v = e->loop->vars[i];
    if (is_candidate(c, item) && ptrmap_get(&c->candidates, v)) {
      note_read_with(c, v, item->var);
      note_read_with(c, item->var, v);
    } else if (ptrmap_get(&c->candidates, v)) {
      ptrmap_put(read_of(c), v, v); /* something else comes along */
    } else if (is_candidate(c, item)) {
      ptrmap_put(read_of(c), item->var, item->var);
    }
  }
}

static void note_reads(Core **child, void *to) {
  Cells *c = to;
  Core *e = *child;
  if (e->kind == CORE_LOOP || e->kind == CORE_RECUR) {
    note_handed_on(c, e);
    for (size_t i = 0; i < e->count; i++)
      if (!is_candidate(c, e->items[i])) note_reads(&e->items[i], to);
    if (e->b) note_reads(&e->b, to);
    return;
  }
  if (is_prim(e, "%set-tail!") && is_candidate(c, e->items[0])) {
    if (is_candidate(c, e->items[1])) {
      note_read_with(c, e->items[0]->var, e->items[1]->var);
    } else {
      note_reads(&e->items[1], to);
    }
    return;
  }
  if (is_candidate(c, e)) ptrmap_put(read_of(c), e->var, e->var);
  core_each_child(e, true, note_reads, to);
}

static bool is_only_built(Cells *c, const Core *e) { return is_candidate(c, e) && !ptrmap_get(read_of(c), e->var); }

static void drop_cells(Core **child, void *to) {
  Cells *c = to;
  Core *e = *child;
  if (e->kind == CORE_LET && e->a && ptrmap_get(&c->candidates, e->var) && !ptrmap_get(read_of(c), e->var)) {
    e->var->types |= T_NIL;
    drop_prim(c->x, &e->a);
  } else if (is_prim(e, "%set-tail!") && is_only_built(c, e->items[0])) {
    drop_prim(c->x, child);
    e = *child;
  } else if (is_only_built(c, e)) {
    *child = e = nil_of(c->x, e);
  }
  if (e->kind == CORE_LOOP)
    for (size_t i = 0; i < e->loop->count; i++)
      if (is_only_built(c, e->items[i])) e->loop->vars[i]->types |= T_NIL;
  core_each_child(e, true, drop_cells, to);
}

static void drop_built(Results *x) {
  Cells c = {.x = x, .candidates.arena = x->p->arena};
  x->used = (PtrMap){.arena = x->p->arena};
  core_each_root(x->p, note_cells, &c);
  if (!c.candidates.count) return;
  core_each_root(x->p, note_reads, &c);
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < c.from.count; i++) {
      if (!ptrmap_get(read_of(&c), c.from.items[i]) || ptrmap_get(read_of(&c), c.to.items[i])) continue;
      ptrmap_put(read_of(&c), c.to.items[i], c.to.items[i]);
      changed = true;
    }
  }
  core_each_root(x->p, drop_cells, &c);
}

/* ---- the program ---------------------------------------------------------------------------- */

/* Code that is not seen calls them, or a redefined name, which starts with the library's function. */
static void note_unseen(Results *x) {
  for (size_t i = 0; i < x->p->globals.count; i++) {
    Global *g = x->p->globals.items[i];
    if (g->is_open) use(x, g);
    if (g->library) use(x, g->library);
  }
}

static void forget_results(Results *x) {
  for (size_t i = 0; i < x->p->globals.count; i++) {
    Global *g = x->p->globals.items[i];
    bool has_facts = g->kind == GLOBAL_FUNCTION && g->lambda && g->lambda->facts;
    if (has_facts && !is_result_used(x, g) && g->lambda->facts->types) g->lambda->facts->types |= T_NIL;
  }
}

static bool results_round(Program *p) {
  Results x = {.p = p, .used.arena = p->arena};
  note_unseen(&x);
  core_each_root(p, visit_root, &x);
  spread(&x);
  forget_results(&x);
  x.is_dropping = true;
  core_each_root(p, visit_root, &x);
  if (x.changed) core_find_free(p);
  drop_built(&x);
  if (x.changed) core_find_free(p);
  return x.changed;
}

void results_run(Program *p) {
  for (int round = 0; round < ROUNDS_MAX && results_round(p); round++) continue;
}
