/* simplify.c - smaller and more direct core, same meaning.
 *
 * in:    core, free variables found
 * out:   core, free variables found, unreachable globals unmarked (is_reachable)
 * keeps: evaluation order and every effect; the program text grows at most by GROWTH_MAX nodes
 * cost:  ROUNDS_MAX walks over the program
 *
 * One bottom-up walk does all of it: constants and copies are propagated into their uses, pure
 * primitives on constants folded, branches on constants taken, unused pure bindings dropped,
 * functions applied where they are written turned into LETs, and calls of small functions that
 * do not call themselves replaced by their bodies. Rounds repeat while something changed. */
#include "simplify.h"
#include "copy.h"
#include "fold.h"
#include <string.h>

enum {
  ROUNDS_MAX = 4,
  INLINE_SIZE_MAX = 14,   /* nodes of a body worth copying to every caller */
  GROWTH_MAX = 200000,    /* nodes added by inlining in all */
  INLINE_DEPTH_MAX = 6,   /* inlined code inlined again */
};

typedef struct Simplifier {
  Program *p;
  PtrMap values;  /* Var -> Core *: an atom to stand for every use */
  PtrMap sizes;   /* Lambda -> its body's size + 1, as far as known */
  size_t growth;
  unsigned depth;
  bool changed;
} Simplifier;

static void simplify(Simplifier *s, Core **slot);

static void visit(Core **child, void *to) { simplify(to, child); }

/* ---- what expressions may do ---------------------------------------------------------------- */

static bool is_atom(const Core *e) {
  if (e->kind == CORE_CONST) return true;
  if (e->kind == CORE_LOCAL) return !e->a && !e->var->is_set;
  return e->kind == CORE_GLOBAL && (e->global->kind == GLOBAL_FUNCTION || e->global->kind == GLOBAL_PRIM);
}

/* Neither effects nor an end that is not reached; its value may be an error. */
static bool is_droppable(const Core *e) {
  switch (e->kind) {
  case CORE_CONST:
  case CORE_LOCAL:
  case CORE_GLOBAL:
  case CORE_LAMBDA:
  case CORE_BLOCK: return true;
  case CORE_PRIM:
    if (!(e->prim->flags & (PRIM_PURE | PRIM_FRESH)) || e->prim->flags & (PRIM_STORES | PRIM_CALLS)) return false;
    if (!(e->prim->flags & PRIM_PURE)) return false;
    for (size_t i = 0; i < e->count; i++)
      if (!is_droppable(e->items[i])) return false;
    return true;
  case CORE_IF: return is_droppable(e->a) && is_droppable(e->b) && is_droppable(e->d);
  case CORE_LET: return (!e->a || is_droppable(e->a)) && is_droppable(e->b);
  default: return false;
  }
}

static bool never_error(const Core *e) {
  switch (e->kind) {
  case CORE_CONST:
  case CORE_LAMBDA:
  case CORE_BLOCK:
  case CORE_SET: return true;
  case CORE_GLOBAL: return e->global->kind == GLOBAL_FUNCTION || e->global->kind == GLOBAL_PRIM;
  case CORE_PRIM: return !(e->prim->flags & PRIM_FAILS) && !strstr(e->prim->signature, ") any");
  case CORE_LET: return never_error(e->b);
  default: return false;
  }
}

/* ---- inlining ------------------------------------------------------------------------------ */

static void mentions(Core **child, void *to) {
  const void **wanted = to;
  Core *e = *child;
  if (e->kind == CORE_GLOBAL && e->global == wanted[0]) wanted[1] = e;
  core_each_child(e, true, mentions, to);
}

static bool mentions_global(Core *e, const Global *g) {
  const void *wanted[2] = {g, NULL};
  mentions(&e, wanted);
  return wanted[1] != NULL;
}

static bool is_small(Simplifier *s, Lambda *l) {
  size_t known = (size_t)ptrmap_get(&s->sizes, l);
  if (!known) {
    known = 1 + core_size(l->body, INLINE_SIZE_MAX + 1);
    if (known <= INLINE_SIZE_MAX + 1 && l->global && mentions_global(l->body, l->global)) known = INLINE_SIZE_MAX + 2;
    ptrmap_put(&s->sizes, l, (void *)known);
  }
  return known <= INLINE_SIZE_MAX + 1;
}

/* (call (lambda (x y) body) a b) -> (let x a (let y b body)). The lambda is consumed. */
static Core *apply_lambda(Simplifier *s, Lambda *l, const Core *call) {
  Core *body = l->body;
  size_t fixed = l->has_rest ? l->param_count - 1 : l->param_count;
  if (l->has_rest) {
    Core *rest = core_prim(s->p, call->span, "list", 0);
    rest->count = call->count - fixed;
    rest->items = call->items + fixed;
    body = core_let(s->p, call->span, l->params[fixed], rest, body);
    l->params[fixed]->is_param = false;
  }
  for (size_t i = fixed; i-- > 0;) {
    l->params[i]->is_param = false;
    body = core_let(s->p, call->span, l->params[i], call->items[i], body);
  }
  return body;
}

static bool accepts(const Lambda *l, size_t count) {
  if (count == 0 && l->param_count > 0) return l->has_rest && l->param_count == 1;
  return l->has_rest ? count + 1 >= l->param_count : count == l->param_count;
}

static void simplify_call(Simplifier *s, Core **slot) {
  Core *e = *slot;
  Lambda *l = NULL;
  bool is_own = e->a->kind == CORE_LAMBDA;
  if (is_own) l = e->a->lambda;
  else if (e->a->kind == CORE_GLOBAL && e->a->global->kind == GLOBAL_FUNCTION) l = e->a->global->lambda;
  if (!l || !accepts(l, e->count)) return;
  if (!is_own) {
    if (s->depth >= INLINE_DEPTH_MAX || s->growth > GROWTH_MAX || !is_small(s, l)) return;
    PtrMap map = {.arena = s->p->arena};
    Core fun = {.kind = CORE_LAMBDA, .span = l->span, .lambda = l};
    l = core_copy(s->p, &fun, &map)->lambda;
    s->growth += core_size(l->body, GROWTH_MAX);
  }
  *slot = apply_lambda(s, l, e);
  s->changed = true;
  s->depth++;
  simplify(s, slot);
  s->depth--;
}

/* ---- the cases ----------------------------------------------------------------------------- */

static void simplify_local(Simplifier *s, Core **slot) {
  Core *e = *slot, *value = e->a ? NULL : ptrmap_get(&s->values, e->var);
  if (!value) return;
  Core *copy = ARENA_NEW(s->p->arena, Core);
  *copy = *value;
  copy->span = e->span;
  *slot = copy;
  s->changed = true;
}

static void simplify_let(Simplifier *s, Core **slot) {
  Core *e = *slot;
  if (e->a) simplify(s, &e->a);
  bool is_copy = e->a && !e->var->is_set && is_atom(e->a);
  if (is_copy) ptrmap_put(&s->values, e->var, e->a);
  simplify(s, &e->b);
  if (is_copy || (e->a && !e->var->is_set && e->var->use_count == 0 && is_droppable(e->a))) {
    *slot = e->b;
    s->changed = true;
  }
}

static void simplify_if(Simplifier *s, Core **slot) {
  Core *e = *slot;
  if (e->a->kind == CORE_CONST) {
    *slot = fold_is_true(e->a->datum) ? e->b : e->d;
    s->changed = true;
  } else if (e->a->kind == CORE_PRIM && !strcmp(e->a->prim->name, "not")) {
    Core *then = e->b;
    e->a = e->a->items[0];
    e->b = e->d;
    e->d = then;
    s->changed = true;
  }
}

static void simplify_seq(Simplifier *s, Core **slot) {
  Core *e = *slot;
  size_t kept = 0;
  for (size_t i = 0; i < e->count; i++)
    if (i + 1 == e->count || !never_error(e->items[i]) || !is_droppable(e->items[i]))
      e->items[kept++] = e->items[i];
  if (kept < e->count) s->changed = true;
  e->count = kept;
  if (kept == 1) *slot = e->items[0];
}

static void simplify(Simplifier *s, Core **slot) {
  Core *e = *slot;
  if (e->kind == CORE_LET) {
    simplify_let(s, slot);
    return;
  }
  core_each_child(e, true, visit, s);
  switch (e->kind) {
  case CORE_LOCAL: simplify_local(s, slot); break;
  case CORE_IF: simplify_if(s, slot); break;
  case CORE_SEQ: simplify_seq(s, slot); break;
  case CORE_CALL: simplify_call(s, slot); break;
  case CORE_PRIM: {
    Core *value = fold_prim(s->p, e);
    if (value) *slot = value, s->changed = true;
    break;
  }
  default: break;
  }
}

/* ---- the program -------------------------------------------------------------------------- */

void simplify_run(Program *p) {
  Simplifier s = {.p = p, .values.arena = p->arena, .sizes.arena = p->arena};
  for (int round = 0; round < ROUNDS_MAX; round++) {
    s.changed = false;
    for (size_t i = 0; i < p->globals.count; i++) {
      Global *g = p->globals.items[i];
      if (g->kind == GLOBAL_FUNCTION && g->lambda && g->is_reachable) simplify(&s, &g->lambda->body);
    }
    for (size_t i = 0; i < p->tops.count; i++) simplify(&s, &p->tops.items[i].core);
    core_find_free(p);
    if (!s.changed) break;
  }
  core_find_reachable(p);
}
