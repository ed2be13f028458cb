/* deforest.c - lists that are made only to be walked are not made.
 *
 * in:    core before inlining, where calls of map, filter, foldl still are calls
 * out:   core in which a chain of them is one call of a function of std/fused.valk
 * keeps: results, errors and their order: only functions without effects are run interleaved
 * cost:  one walk
 *
 * Wadler, "Deforestation", TCS 1990, for the shapes in `rules`: no general rewriting. */
#include "deforest.h"
#include "../lang/resolve.h"
#include <string.h>

typedef struct Rule {
  const char *outer;
  unsigned at; /* the operand of outer that is the inner call */
  const char *inner, *fused; /* operands: outer's before it, then inner's */
} Rule;
static const Rule rules[] = {
    {"foldl", 2, "map", "%foldl-map"},       {"foldl", 2, "filter", "%foldl-filter"},
    {"map", 1, "map", "%map-map"},           {"map", 1, "filter", "%map-filter"},
    {"filter", 1, "map", "%filter-map"},     {"%foldl-filter", 3, "map", "%foldl-filter-map"},
    {"foldl", 2, "%filter-map", "%foldl-filter-map"}, {"foldl", 2, "%map-filter", "%foldl-map-filter"},
};

typedef struct Deforest {
  Program *p;
  bool changed;
} Deforest;

/* ---- effects ------------------------------------------------------------------------------- */

enum { EFFECT_DEPTH_MAX = 4 };

typedef struct Effects {
  unsigned depth;
  bool found;
} Effects;

static void find_effect(Core **child, void *to);

static bool body_has_effect(Core *body, unsigned depth) {
  Effects x = {depth, false};
  find_effect(&body, &x);
  return x.found;
}

/* Running it changes nothing and ends: calls only of functions that are seen through. */
static void find_effect(Core **child, void *to) {
  Effects *x = to;
  Core *e = *child;
  switch (e->kind) {
  case CORE_CONST:
  case CORE_LOCAL:
  case CORE_GLOBAL:
  case CORE_LAMBDA: return; /* making a function runs nothing */
  case CORE_PRIM: x->found |= !(e->prim->flags & PRIM_PURE) || e->prim->flags & PRIM_CALLS; break;
  case CORE_CALL: {
    const Global *g = e->a->kind == CORE_GLOBAL ? e->a->global : NULL;
    bool is_seen = g && g->kind == GLOBAL_FUNCTION && g->lambda && x->depth < EFFECT_DEPTH_MAX;
    x->found |= !is_seen || body_has_effect(g->lambda->body, x->depth + 1);
    break;
  }
  case CORE_IF:
  case CORE_SEQ:
  case CORE_LET: break;
  default: x->found = true; return;
  }
  if (!x->found) core_each_child(e, false, find_effect, x);
}

/* A function that can be run in another order with others. */
static bool is_effect_free(const Core *e) {
  if (e->kind == CORE_LAMBDA) return !body_has_effect(e->lambda->body, 0);
  if (e->kind != CORE_GLOBAL) return false;
  const Global *g = e->global;
  if (g->kind == GLOBAL_PRIM) return g->prim->flags & PRIM_PURE && !(g->prim->flags & PRIM_CALLS);
  return g->kind == GLOBAL_FUNCTION && g->lambda && !body_has_effect(g->lambda->body, 0);
}

/* ---- rewriting ----------------------------------------------------------------------------- */

static bool is_library_call(const Core *e, const char *name) {
  return e->kind == CORE_CALL && e->a->kind == CORE_GLOBAL && e->a->global->is_library &&
         !strcmp(e->a->global->name, name);
}

static size_t arity(const char *name) {
  if (!strcmp(name, "foldl") || !strcmp(name, "%filter-map") || !strcmp(name, "%map-filter")) return 3;
  return !strcmp(name, "%foldl-filter") ? 4 : 2;
}

/* Operands but the last are functions, or the start of a fold. */
static bool functions_are_effect_free(const Core *call, size_t count) {
  for (size_t i = 0; i < count; i++) {
    bool is_start = i == 1 && strstr(call->a->global->name, "foldl");
    if (!is_start && !is_effect_free(call->items[i])) return false;
  }
  return true;
}

static bool apply_rule(Deforest *f, Core *e, const Rule *r) {
  if (!is_library_call(e, r->outer) || e->count != arity(r->outer)) return false;
  Core *inner = e->items[r->at];
  if (!is_library_call(inner, r->inner) || inner->count != arity(r->inner)) return false;
  if (!functions_are_effect_free(e, r->at) || !functions_are_effect_free(inner, inner->count - 1)) return false;
  Global *g = resolve_library_function(f->p, r->fused);
  if (!g) return false;
  Core **items = ARENA_ARRAY(f->p->arena, Core *, r->at + inner->count);
  memcpy(items, e->items, r->at * sizeof *items);
  memcpy(items + r->at, inner->items, inner->count * sizeof *items);
  Core *head = core_new(f->p, CORE_GLOBAL, e->a->span);
  head->global = g;
  e->a = head;
  e->items = items;
  e->count = r->at + inner->count;
  return true;
}

static void deforest(Core **child, void *to) {
  Deforest *f = to;
  Core *e = *child;
  core_each_child(e, true, deforest, to);
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
    if (apply_rule(f, e, &rules[i])) {
      f->changed = true;
      i = (size_t)-1; /* the result may be the outer call of another rule */
    }
}

bool deforest_run(Program *p) {
  Deforest f = {p, false};
  core_each_root(p, deforest, &f);
  return f.changed;
}
