/* simplify.c - smaller and more direct core, same meaning.
 *
 * in:    core, free variables found
 * out:   core, free variables found, unreachable globals unmarked (is_reachable)
 * keeps: evaluation order and every effect; the program text grows within inline.c's bounds
 * cost:  ROUNDS_MAX walks over the program
 *
 * One bottom-up walk does all of it: constants and copies are propagated into their uses, pure
 * primitives on constants folded, branches on constants taken, unused pure bindings dropped, and
 * calls replaced by the bodies they run (inline.c). Rounds repeat while something changed. */
#include "simplify.h"
#include "fold.h"
#include "guard.h"
#include "deforest.h"
#include "inline.h"
#include "letrec.h"
#include "local.h"
#include "params.h"
#include "partial.h"
#include "passes.h"
#include "ranges.h"
#include "unroll.h"
#include <string.h>

enum { ROUNDS_MAX = 6 };

typedef struct Simplifier {
  Program *p;
  Inliner inliner;
  PtrMap values; /* Var -> Core *: an atom to stand for every use */
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
bool simplify_is_droppable(const Core *e) {
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
      if (!simplify_is_droppable(e->items[i])) return false;
    return true;
  case CORE_IF: return simplify_is_droppable(e->a) && simplify_is_droppable(e->b) && simplify_is_droppable(e->d);
  case CORE_LET: return (!e->a || simplify_is_droppable(e->a)) && simplify_is_droppable(e->b);
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

/* ---- the cases ----------------------------------------------------------------------------- */

/* (unpack vec l): flow sees what is in it. */
static bool is_unpack_vec(const Core *e) {
  if (strcmp(e->prim->name, "%apply") != 0) return false;
  const Core *f = e->items[0];
  return f->kind == CORE_GLOBAL && f->global->kind == GLOBAL_PRIM && !strcmp(f->global->prim->name, "vec");
}

static void simplify_prim(Simplifier *s, Core **slot) {
  Core *e = *slot;
  if (is_unpack_vec(e)) {
    e->prim = prim_find("%unpack-vec");
    e->items++;
    e->count = 1;
    s->changed = true;
  }
  Core *value = PART_RUNS(s->p, fold) ? fold_prim(s->p, *slot) : NULL;
  if (!value) return;
  *slot = value;
  s->changed = true;
}

static void simplify_local(Simplifier *s, Core *e) {
  const Core *value = e->a ? NULL : ptrmap_get(&s->values, e->var);
  if (!value) return;
  Span span = e->span;
  *e = *value;
  e->span = span;
  if (e->kind == CORE_LOCAL) e->var->use_count++;
  if (e->kind == CORE_GLOBAL) e->global->use_count++;
  s->changed = true;
}

/* (let x (let y a b) c) -> (let y a (let x b c)): what x is comes to light. */
static void unnest_let(Core *e) {
  while (e->a && e->a->kind == CORE_LET && e->a->a) {
    Core *inner = e->a;
    Var *x = e->var;
    Core *body = e->b;
    e->var = inner->var;
    e->a = inner->a;
    e->b = inner;
    inner->var = x;
    inner->a = inner->b;
    inner->b = body;
    e = inner;
  }
}

static void simplify_let(Simplifier *s, Core **slot) {
  Core *e = *slot;
  if (e->a && e->a->kind == CORE_LAMBDA && !e->var->is_set) e->var->known = e->a;
  if (e->a) simplify(s, &e->a);
  if (e->a && e->a->kind == CORE_LET && e->a->a) {
    unnest_let(e);
    s->changed = true;
  }
  bool is_lambda = e->a && e->a->kind == CORE_LAMBDA && !e->var->is_set;
  e->var->known = is_lambda ? e->a : NULL;
  bool is_copy = e->a && !e->var->is_set && is_atom(e->a);
  if (is_copy) ptrmap_put(&s->values, e->var, e->a);
  simplify(s, &e->b);
  if (is_copy || (e->a && !e->var->is_set && e->var->use_count == 0 && simplify_is_droppable(e->a))) {
    *slot = e->b;
    s->changed = true;
  }
}

static void simplify_call(Simplifier *s, Core **slot) {
  Core *e = *slot;
  if (core_settle_prim(s->p, e)) {
    s->changed = true;
    simplify_prim(s, slot);
    return;
  }
  for (size_t i = 0; i < e->count; i++) { /* a partial application passed on: known code again */
    Core *partial = e->items[i]->kind == CORE_CALL ? inline_partial(&s->inliner, e->items[i]) : NULL;
    if (!partial) continue;
    e->items[i] = partial;
    s->changed = true;
  }
  Core *body = PART_RUNS(s->p, inline) ? inline_call(&s->inliner, e) : NULL;
  if (!body) return;
  *slot = body;
  s->changed = true;
  s->inliner.depth++;
  simplify(s, slot);
  s->inliner.depth--;
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
  Core *e = *slot, *unguarded = guard_dropped(e);
  if (unguarded) {
    *slot = unguarded;
    s->changed = true;
    return;
  }
  size_t kept = 0;
  for (size_t i = 0; i < e->count; i++)
    if (i + 1 == e->count || !never_error(e->items[i]) || !simplify_is_droppable(e->items[i])) {
      e->spans[kept] = e->spans[i];
      e->items[kept++] = e->items[i];
    }
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
  case CORE_LOCAL: simplify_local(s, e); break;
  case CORE_IF: simplify_if(s, slot); break;
  case CORE_SEQ: simplify_seq(s, slot); break;
  case CORE_CALL: simplify_call(s, slot); break;
  case CORE_PRIM: simplify_prim(s, slot); break;
  default: break;
  }
}

/* ---- the program -------------------------------------------------------------------------- */

/* Where nothing changed in a round, something may in the next, because of what it calls; quick run
 * does not look. */
static void simplify_root(Simplifier *s, Core **root, bool *is_settled) {
  if (*is_settled) return;
  bool has_changed = s->changed;
  s->changed = false;
  simplify(s, root);
  *is_settled = s->p->is_quick && !s->changed;
  s->changed |= has_changed;
}

static void simplify_global(Simplifier *s, Global *g, bool *is_settled) {
  if (g->kind != GLOBAL_FUNCTION || !g->lambda || !g->is_reachable) return;
  s->inliner.in = g->lambda;
  simplify_root(s, &g->lambda->body, is_settled);
  s->inliner.in = NULL;
}

static void simplify_rounds(Simplifier *s) {
  Program *p = s->p;
  size_t global_count = p->globals.count;
  bool *is_settled = ARENA_ARRAY(p->arena, bool, global_count + p->tops.count);
  for (int round = 0; round < ROUNDS_MAX; round++) {
    s->changed = false;
    inline_prepare(&s->inliner);
    for (size_t i = 0; i < global_count; i++)
      simplify_global(s, p->globals.items[i], &is_settled[i]);
    for (size_t i = 0; i < p->tops.count; i++)
      simplify_root(s, &p->tops.items[i].core, &is_settled[global_count + i]);
    if (!s->changed) return;
    core_find_reachable(p);
    core_find_free(p);
  }
}

static void shrink(Simplifier *s) {
  if (!PART_RUNS(s->p, params) || !params_run(s->p)) return;
  core_find_free(s->p);
  simplify_rounds(s);
}

void simplify_run(Program *p) {
  Simplifier s = {.p = p, .inliner.p = p, .values.arena = p->arena};
  if (PART_RUNS(p, letrec) && letrec_run(p)) core_find_free(p);
  if (PART_RUNS(p, deforest) && deforest_run(p)) {
    core_find_free(p);
    core_find_reachable(p);
  }
  simplify_rounds(&s);
  if (PART_RUNS(p, contify) && local_contify(p)) {
    core_find_free(p);
    simplify_rounds(&s);
  }
  shrink(&s);
  if (PART_RUNS(p, partial) && PART_RUNS(p, inline) && partial_run(p)) {
    core_find_free(p);
    core_find_reachable(p);
    simplify_rounds(&s);
  }
  shrink(&s);
  if (PART_RUNS(p, ranges) && ranges_run(p)) {
    core_find_free(p);
    simplify_rounds(&s);
  }
  if (PART_RUNS(p, unroll) && p->is_quick && unroll_run(&s.inliner)) {
    core_find_free(p);
    simplify_rounds(&s);
  }
  if (PART_RUNS(p, lift) && local_lift(p)) core_find_free(p);
}
