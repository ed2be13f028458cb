/* params.c - parameters that nobody reads, and what is computed for them.
 *
 * in:    core, uses counted
 * out:   top-level functions that are only called, always with all arguments, lack the parameters that
 *        only serve to compute themselves; calls lack the arguments
 * keeps: every effect: a parameter stays if some argument for it may have one, or fail to end
 * cost:  two walks
 *
 * Such parameters are left by inlining and by partial.c, whose second function has all of the first. */
#include "params.h"
#include "simplify.h"
#include <string.h>

typedef struct Callee {
  VEC(Core *) calls;
  bool is_value; /* used otherwise than by such calls */
} Callee;

typedef struct Params {
  Program *p;
  PtrMap callees; /* Global -> Callee * */
  PtrMap handed_on; /* Var -> unsigned *: reads of it in arguments for itself */
} Params;

static Callee *callee_of(Params *x, const Global *g) {
  Callee *c = ptrmap_get(&x->callees, g);
  if (c) return c;
  c = ARENA_NEW(x->p->arena, Callee);
  ptrmap_put(&x->callees, g, c);
  return c;
}

static unsigned *count_of(Params *x, const Var *v) {
  unsigned *n = ptrmap_get(&x->handed_on, v);
  if (n) return n;
  n = ARENA_NEW(x->p->arena, unsigned);
  ptrmap_put(&x->handed_on, v, n);
  return n;
}

typedef struct Reads {
  Params *x;
  const Var *param;
} Reads;

static void count_reads(Core **child, void *to) {
  Reads *r = to;
  if ((*child)->kind == CORE_LOCAL && (*child)->var == r->param) ++*count_of(r->x, r->param);
  core_each_child(*child, true, count_reads, to);
}

static void note_call(Params *x, Core *call) {
  const Global *g = call->a->global;
  PUSH(x->p->arena, callee_of(x, g)->calls, call);
  for (size_t i = 0; i < call->count; i++) count_reads(&call->items[i], &(Reads){x, g->lambda->params[i]});
}

static void visit(Core **child, void *to) {
  Params *x = to;
  Core *e = *child;
  const Global *g = e->kind == CORE_CALL && e->a->kind == CORE_GLOBAL ? e->a->global : NULL;
  if (g && g->kind == GLOBAL_FUNCTION && g->lambda && !g->lambda->has_rest && e->count > 0 &&
      e->count == g->lambda->param_count) {
    note_call(x, e);
    for (size_t i = 0; i < e->count; i++) visit(&e->items[i], to);
    return;
  }
  if (e->kind == CORE_GLOBAL) callee_of(x, e->global)->is_value = true;
  core_each_child(e, true, visit, to);
}

static bool is_needed(Params *x, const Callee *c, const Var *v, size_t i) {
  if (v->is_set || v->is_captured || v->use_count > *count_of(x, v)) return true;
  for (size_t j = 0; j < c->calls.count; j++)
    if (!simplify_is_droppable(c->calls.items[j]->items[i])) return true;
  return false;
}

static bool shrink(Params *x, Global *g) {
  Callee *c = ptrmap_get(&x->callees, g);
  Lambda *l = g->lambda;
  if (!c || c->is_value || g->is_open) return false;
  size_t kept = 0, count = l->param_count;
  Var **params = ARENA_ARRAY(x->p->arena, Var *, count);
  for (size_t i = 0; i < count; i++) {
    bool is_last = i + 1 == count && kept == 0; /* a call of no arguments may mean the function itself */
    if (!is_last && !is_needed(x, c, l->params[i], i)) continue;
    for (size_t j = 0; j < c->calls.count; j++) c->calls.items[j]->items[kept] = c->calls.items[j]->items[i];
    params[kept++] = l->params[i];
  }
  if (kept == count) return false;
  for (size_t j = 0; j < c->calls.count; j++) c->calls.items[j]->count = kept;
  l->params = params;
  l->param_count = kept;
  return true;
}

bool params_run(Program *p) {
  Params x = {.p = p, .callees.arena = p->arena, .handed_on.arena = p->arena};
  bool changed = false;
  core_each_root(p, visit, &x);
  for (size_t i = 0; i < p->globals.count; i++) /* what a redefined name starts with */
    if (p->globals.items[i]->library) callee_of(&x, p->globals.items[i]->library)->is_value = true;
  for (size_t i = 0; i < p->globals.count; i++) {
    Global *g = p->globals.items[i];
    if (g->kind == GLOBAL_FUNCTION && g->lambda && g->is_reachable && !g->lambda->has_rest) changed |= shrink(&x, g);
  }
  return changed;
}
