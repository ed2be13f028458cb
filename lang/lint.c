/* lint.c - the two traps of block syntax (LANGUAGE.md 3), found in resolved core.
 *
 * in:    core after resolve
 * out:   warnings: an expression whose value is dropped though it has no effect, as in {(f x) y}
 *        meant as a call; a block of one name that is a function, which calls it or is it
 * cost:  linear; whether a function has effects is found once */
#include "lint.h"
#include <string.h>

typedef struct Lint {
  Program *p;
  PtrMap has_effect; /* Lambda -> &yes, &no, or &no while it is being looked at */
} Lint;
static const char yes, no;

static bool has_effect(Lint *l, Core *e);

static bool lambda_has_effect(Lint *l, Lambda *f) {
  const char *known = ptrmap_get(&l->has_effect, f);
  if (known) return known == &yes;
  ptrmap_put(&l->has_effect, f, (void *)&no); /* in a cycle: as far as the others say */
  bool effect = has_effect(l, f->body);
  ptrmap_put(&l->has_effect, f, (void *)(effect ? &yes : &no));
  return effect;
}

static void find_effect(Core **child, void *to) {
  void **found = to;
  if (!found[1] && has_effect(found[0], *child)) found[1] = *child;
}

static bool has_effect(Lint *l, Core *e) {
  if (e->kind == CORE_SET || e->kind == CORE_DEF || e->kind == CORE_LOOP || e->kind == CORE_RECUR) return true;
  if (e->kind == CORE_LAMBDA || e->kind == CORE_BLOCK) return false;
  if (e->kind == CORE_PRIM && !(e->prim->flags & PRIM_PURE)) return true;
  if (e->kind == CORE_CALL) { /* an error it may give would be seen: only functions that are seen through */
    Global *g = e->a->kind == CORE_GLOBAL ? e->a->global : NULL;
    if (!g || g->kind != GLOBAL_FUNCTION || !g->lambda || lambda_has_effect(l, g->lambda)) return true;
  }
  void *found[2] = {l, NULL};
  core_each_child(e, false, find_effect, found);
  return found[1] != NULL;
}

/* An error would stop the sequence: that is an effect of looking something up. */
static bool may_stop(const Core *e) {
  return e->kind == CORE_LOCAL || (e->kind == CORE_GLOBAL && e->global->kind != GLOBAL_FUNCTION && e->global->kind != GLOBAL_PRIM) ||
         (e->kind == CORE_PRIM && e->prim->flags & PRIM_FAILS);
}

static bool is_library_text(Lint *l, Span at) {
  return at.file == NO_FILE || l->p->diag->sources.items[at.file].is_library;
}

static void look_at(Core **child, void *to) {
  Lint *l = to;
  Core *e = *child;
  if (e->kind == CORE_SEQ)
    for (size_t i = 0; i + 1 < e->count; i++) {
      Core *item = e->items[i];
      bool is_nil = item->kind == CORE_CONST && item->datum->kind == DATUM_LIST && item->datum->count == 0;
      if (is_nil || may_stop(item) || is_library_text(l, item->span) || has_effect(l, item)) continue;
      diag_warning(l->p->diag, item->span, "the value of this expression is not used, and it has no effect");
    }
  if (e->kind == CORE_CALL && e->is_block_name && e->a->kind == CORE_GLOBAL && !is_library_text(l, e->span)) {
    Global *g = e->a->global;
    if (g->kind == GLOBAL_FUNCTION && g->lambda && g->lambda->param_count == 0)
      diag_warning(l->p->diag, e->span, "this block calls the function `%s`; without braces it is the function", g->name);
    else if (g->kind == GLOBAL_FUNCTION && g->lambda)
      diag_warning(l->p->diag, e->span, "this block is the function `%s` itself: it is not called without arguments", g->name);
  }
  core_each_child(e, true, look_at, to);
}

void lint_run(Program *p) {
  Lint l = {.p = p, .has_effect.arena = p->arena};
  core_each_root(p, look_at, &l);
}
