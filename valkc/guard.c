/* guard.c - what memory may run out in, and be caught, is a function of its own.
 *
 * in:    core with (do (%guard) (let v e (do (%unguard) v))): try and finally
 * out:   core; each e that may be large is the body of a function that stays one (is_outlined), free
 *        variables found
 * keeps: results, evaluation order
 * cost:  a walk over the program
 *
 * When memory runs out, the frames since %guard are left (rt/catch.h). The collector sees what is
 * in the frame that goes on: were a loop of e in it, the list it was making would still be there,
 * and the handler would have no memory. Also, what e assigns is in boxes then, not in registers
 * that the jump restores. */
#include "guard.h"
#include <string.h>

static bool is_prim(const Core *e, const char *name) { return e->kind == CORE_PRIM && !strcmp(e->prim->name, name); }

/* The LET of (do (%guard) (let v e (do (%unguard) b))), or NULL. */
static Core *guarded_let(const Core *e) {
  if (e->kind != CORE_SEQ || e->count != 2 || !is_prim(e->items[0], "%guard")) return NULL;
  Core *let = e->items[1];
  bool is_whole = let->kind == CORE_LET && let->a && let->b->kind == CORE_SEQ && let->b->count == 2 &&
                  is_prim(let->b->items[0], "%unguard");
  return is_whole ? let : NULL;
}

/* ---- what is small ------------------------------------------------------------------------- */

/* Makes at most a few cells, and calls nothing. */
static bool is_small_prim(const Prim *prim) {
  static const char *const small[] = {"int", "float", "num", "bool", "nil", "key", "err"};
  const char *result = strrchr(prim->signature, ')') + 2;
  bool is_known = prim->flags & PRIM_INLINE && !strcmp(result, "any"); /* an element */
  for (size_t i = 0; i < sizeof small / sizeof *small; i++) is_known |= !strcmp(result, small[i]);
  return is_known && !(prim->flags & (PRIM_STORES | PRIM_CALLS | PRIM_BLOCKS));
}

static void check_small(Core **child, void *to);

/* Memory does not run out in it: nothing in it runs long or makes anything large. */
static bool is_small(Core *e) {
  if (e->kind == CORE_CALL || e->kind == CORE_LOOP || e->kind == CORE_RECUR || e->kind == CORE_NAME) return false;
  if (e->kind == CORE_LAMBDA || e->kind == CORE_BLOCK) return true;
  if (e->kind == CORE_PRIM && !is_small_prim(e->prim)) return false;
  bool all = true;
  core_each_child(e, false, check_small, &all);
  return all;
}

static void check_small(Core **child, void *to) {
  bool *all = to;
  *all = *all && is_small(*child);
}

static Lambda *outlined_callee(const Core *e) {
  bool is_local = e->kind == CORE_CALL && e->a->kind == CORE_LOCAL && e->a->var->known;
  Lambda *l = is_local ? e->a->var->known->lambda : NULL;
  return l && l->is_outlined ? l : NULL;
}

Core *guard_dropped(Core *e) {
  Core *let = guarded_let(e);
  if (!let) return NULL;
  Lambda *l = outlined_callee(let->a);
  if (!is_small(l ? l->body : let->a)) return NULL;
  if (l) l->is_outlined = false; /* may be inlined again */
  let->b = let->b->items[1];
  return let;
}

/* ---- outlining ----------------------------------------------------------------------------- */

/* e -> (let f (\ {} e) (f)), f staying a function. */
static Core *outline(Program *p, Core *e) {
  Lambda *l = ARENA_NEW(p->arena, Lambda);
  l->name = "try";
  l->span = e->span;
  l->id = p->next_id++;
  l->body = e;
  l->is_outlined = true;
  Core *fun = core_new(p, CORE_LAMBDA, e->span);
  fun->lambda = l;
  Var *f = core_var(p, "", e->span, NULL);
  Core *call = core_new(p, CORE_CALL, e->span);
  call->a = core_local(p, e->span, f);
  return core_let(p, e->span, f, fun, call);
}

typedef struct Guard {
  Program *p;
  bool changed;
} Guard;

static void visit(Core **slot, void *to) {
  Guard *g = to;
  core_each_child(*slot, true, visit, to);
  Core *let = guarded_let(*slot);
  if (!let) return;
  g->changed = true;
  if (is_small(let->a)) {
    let->b = let->b->items[1];
    *slot = let;
    return;
  }
  Core *bound = outline(g->p, let->a); /* (let f (\ {} e) (do (%guard) (let v (f) ...))) */
  let->a = bound->b;
  bound->b = *slot;
  *slot = bound;
}

void guard_run(Program *p) {
  Guard g = {p, false};
  core_each_root(p, visit, &g);
  if (g.changed) core_find_free(p);
}
