/* clone.c - functions of their own for calls with arguments of other types.
 *
 * in:    core as for flow.c
 * out:   core with flow's facts; global functions that compute with numbers, and are called here with
 *        integers (or lists or vectors of them), there with floats, are several functions
 * keeps: everything: a clone is its original; at most CLONES_MAX of one, and twice the program
 * cost:  flow.c once more for each of at most ROUNDS_MAX rounds that cloned something
 *
 * Flow joins the arguments of all calls of a function, so one list of floats spoils every list of
 * integers: its numbers are tagged, its operations look what they got. A round sorts the calls of each
 * function by the shapes of their arguments (flow.h) and gives each sort that is not the most frequent one
 * a clone; calls of itself in a clone are calls of the clone. Calls in it are sorted in the next round.
 * DESIGN 5, "Precision"; after Agesen, "The Cartesian Product Algorithm", ECOOP 1995, with a cap. */
#include "clone.h"
#include "copy.h"
#include "flow.h"
#include "passes.h"
#include <string.h>

enum { CLONES_MAX = 4, ROUNDS_MAX = 3, SIZE_MAX_OF_ONE = 400, GROWTH_MIN = 2000, PARAMS_MAX = 8 };

typedef struct Shapes {
  uint8_t of[PARAMS_MAX];
} Shapes;

typedef struct Sort { /* calls with arguments of the same shapes */
  Shapes shapes;
  VEC(Core *) calls;
} Sort;

typedef struct Family { /* a function and its clones */
  Global *members[CLONES_MAX];
  Shapes shapes[CLONES_MAX]; /* of the calls of clones, from 1 on */
  size_t count;
} Family;

typedef struct Callee {
  Global *g;
  VEC(Sort) sorts;
  VEC(Global *) callees; /* called in its body */
  bool computes;         /* with numbers of several kinds, itself or by what it calls */
} Callee;

typedef struct Clone {
  Program *p;
  PtrMap shapes;   /* flow's: CALL -> uint8_t[] */
  PtrMap families; /* Global -> Family */
  PtrMap callees;  /* Global -> Callee, of this round */
  VEC(Callee *) all;
  Global *in; /* whose body is walked, or NULL */
  size_t size, room; /* nodes of the program, and how many more there may be */
} Clone;

/* ---- calls ---------------------------------------------------------------------------------- */

static Callee *callee_of(Clone *c, Global *g) {
  Callee *x = ptrmap_get(&c->callees, g);
  if (x) return x;
  x = ARENA_NEW(c->p->arena, Callee);
  x->g = g;
  ptrmap_put(&c->callees, g, x);
  PUSH(c->p->arena, c->all, x);
  return x;
}

static void add_call(Clone *c, Callee *x, Core *call, const uint8_t *of) {
  Shapes s = {0};
  memcpy(s.of, of, call->count);
  for (size_t i = 0; i < x->sorts.count; i++)
    if (!memcmp(&x->sorts.items[i].shapes, &s, sizeof s)) {
      PUSH(c->p->arena, x->sorts.items[i].calls, call);
      return;
    }
  Sort sort = {.shapes = s};
  PUSH(c->p->arena, sort.calls, call);
  PUSH(c->p->arena, x->sorts, sort);
}

static bool is_mixed(const Core *e) {
  bool is_one_kind = !(e->types & ~(uint32_t)T_INT) || e->types == T_FLOAT;
  return e->has_facts && e->types & T_NUM && !is_one_kind;
}

/* Arithmetic, or a comparison, of what may be an integer or a float. */
static bool computes_mixed(const Core *e) {
  bool is_number = !strncmp(e->prim->signature, "(num num", 8) || !strncmp(e->prim->signature, "(num)", 5);
  for (size_t i = 0; is_number && i < e->count; i++)
    if (is_mixed(e->items[i])) return true;
  return false;
}

static void visit(Core **child, void *to) {
  Clone *c = to;
  Core *e = *child;
  c->size++;
  Global *g = e->kind == CORE_CALL && e->a->kind == CORE_GLOBAL ? e->a->global : NULL;
  const uint8_t *shapes = g ? ptrmap_get(&c->shapes, e) : NULL;
  if (g && c->in && g != c->in) PUSH(c->p->arena, callee_of(c, c->in)->callees, g);
  if (shapes && g != c->in && e->count <= PARAMS_MAX) add_call(c, callee_of(c, g), e, shapes);
  if (c->in && e->kind == CORE_PRIM && computes_mixed(e)) callee_of(c, c->in)->computes = true;
  core_each_child(e, true, visit, to);
}

static void visit_root(Core **root, void *to) {
  Clone *c = to;
  Lambda *l = (*root)->kind == CORE_LAMBDA ? (*root)->lambda : NULL;
  c->in = l ? l->global : NULL;
  if (!l || !c->in || c->in->is_reachable) visit(root, to);
}

/* Who calls one that computes has clones call clones of it. */
static void spread_computes(Clone *c) {
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < c->all.count; i++) {
      Callee *x = c->all.items[i];
      for (size_t j = 0; !x->computes && j < x->callees.count; j++) {
        Callee *y = ptrmap_get(&c->callees, x->callees.items[j]);
        if (y && y->computes) x->computes = changed = true;
      }
    }
  }
}

/* ---- cloning -------------------------------------------------------------------------------- */

static Family *family_of(Clone *c, Global *g) {
  Family *f = ptrmap_get(&c->families, g);
  if (f) return f;
  f = ARENA_NEW(c->p->arena, Family);
  f->members[f->count++] = g;
  ptrmap_put(&c->families, g, f);
  return f;
}

typedef struct Renamed {
  Global *from, *to;
} Renamed;

static void rename_calls(Core **child, void *to) {
  Renamed *r = to;
  Core *e = *child;
  if (e->kind == CORE_CALL && e->a->kind == CORE_GLOBAL && e->a->global == r->from) e->a->global = r->to;
  core_each_child(e, true, rename_calls, to);
}

static Global *new_clone(Clone *c, Family *f, Global *g, Shapes shapes) {
  Program *p = c->p;
  PtrMap map = {.arena = p->arena};
  Core fun = {.kind = CORE_LAMBDA, .span = g->lambda->span, .lambda = g->lambda};
  Global *n = ARENA_NEW(p->arena, Global);
  *n = *g;
  n->name = arena_copy(p->arena, g->name, strlen(g->name)); /* unique by address */
  n->is_open = false;
  n->lambda = core_copy(p, &fun, &map)->lambda;
  n->lambda->global = n;
  rename_calls(&n->lambda->body, &(Renamed){g, n});
  PUSH(p->lasting ? p->lasting : p->arena, p->globals, n);
  f->shapes[f->count] = shapes;
  f->members[f->count++] = n;
  ptrmap_put(&c->families, n, f);
  return n;
}

static Global *clone_for(Clone *c, Global *g, const Sort *sort) {
  Family *f = family_of(c, g);
  for (size_t i = 1; i < f->count; i++)
    if (!memcmp(&f->shapes[i], &sort->shapes, sizeof sort->shapes)) return f->members[i];
  size_t size = core_size(g->lambda->body, SIZE_MAX_OF_ONE + 1);
  if (f->count == CLONES_MAX || size > SIZE_MAX_OF_ONE || size > c->room) return NULL;
  c->room -= size;
  return new_clone(c, f, g, sort->shapes);
}

/* Something the clone has that the function has not: an argument known to be of one kind. */
static bool is_worth_it(const Callee *x, const Sort *sort) {
  for (size_t i = 0; i < x->g->lambda->param_count; i++) {
    bool differs = false;
    for (size_t j = 0; j < x->sorts.count; j++) differs |= x->sorts.items[j].shapes.of[i] != sort->shapes.of[i];
    if (differs && sort->shapes.of[i] != SHAPE_OTHER) return true;
  }
  return false;
}

static bool split(Clone *c, Callee *x) {
  Family *f = ptrmap_get(&c->families, x->g);
  bool is_clone = f && f->members[0] != x->g, changed = false;
  bool is_fit = x->computes && !is_clone && x->g->kind == GLOBAL_FUNCTION && x->g->lambda && !x->g->lambda->has_rest;
  if (!is_fit || x->sorts.count < 2) return false;
  size_t most = 0;
  for (size_t i = 1; i < x->sorts.count; i++)
    if (x->sorts.items[i].calls.count > x->sorts.items[most].calls.count) most = i;
  for (size_t i = 0; i < x->sorts.count; i++) {
    const Sort *sort = &x->sorts.items[i];
    Global *n = i != most && is_worth_it(x, sort) ? clone_for(c, x->g, sort) : NULL;
    for (size_t j = 0; n && j < sort->calls.count; j++) sort->calls.items[j]->a->global = n;
    changed |= n != NULL;
  }
  return changed;
}

/* ---- the program ---------------------------------------------------------------------------- */

static bool clone_round(Clone *c, bool is_first) {
  bool changed = false;
  c->size = 0;
  c->all.count = 0;
  c->callees = (PtrMap){.arena = c->p->arena};
  core_each_root(c->p, visit_root, c);
  if (is_first) c->room = c->size > GROWTH_MIN ? c->size : GROWTH_MIN;
  spread_computes(c);
  for (size_t i = 0, count = c->all.count; i < count; i++) changed |= split(c, c->all.items[i]);
  if (!changed) return false;
  core_find_free(c->p);
  core_find_reachable(c->p);
  return true;
}

void clone_run(Program *p) {
  Clone c = {.p = p, .families.arena = p->arena};
  for (unsigned round = 0;; round++) {
    c.shapes = (PtrMap){.arena = p->arena};
    flow_run(p, round < ROUNDS_MAX ? &c.shapes : NULL);
    if (round == ROUNDS_MAX || !clone_round(&c, round == 0)) return;
  }
}
