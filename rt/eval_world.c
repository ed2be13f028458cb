/* eval_world.c - an isolate's evaluator: where globals live, and functions as values.
 *
 * The compiled program's table of globals becomes ours: it grows as code names new ones, and
 * compiled code goes on finding its own at their old places. */
#include "eval.h"
#include "heap.h"
#include "prim_code.h"
#include "vectors.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- slots --------------------------------------------------------------------------------- */

static void *grow(void *p, size_t bytes) {
  p = realloc(p, bytes);
  if (p) return p;
  fputs("valk: out of memory\n", stderr);
  exit(1);
}

static void grow_slots(Evaluator *ev, size_t capacity) {
  vk *c = ev->c;
  c->globals = grow(c->globals, capacity * sizeof *c->globals);
  const char **names = (const char **)ev->program.global_names;
  ev->program.global_names = grow(names, capacity * sizeof *names);
  ev->slot_capacity = capacity;
}

static uint32_t new_slot(Evaluator *ev, const char *name, V value) {
  size_t slot = ev->program.global_count;
  if (slot == ev->slot_capacity) grow_slots(ev, slot ? 2 * slot : 64);
  ((const char **)ev->program.global_names)[slot] = name;
  ev->c->globals[slot] = value;
  ev->program.global_count++;
  return (uint32_t)slot;
}

/* A library name that the program redefines has the library's value until it does. */
static V first_value(Evaluator *ev, Global *g) {
  if (g->prim) return vk_prim_function((size_t)(g->prim - prim_table));
  Global *l = g->library;
  bool has_value = l && (l->kind == GLOBAL_PRIM || (l->kind == GLOBAL_FUNCTION && l->lambda));
  return has_value ? eval_function(ev, l) : VK_UNBOUND;
}

uint32_t eval_slot(Evaluator *ev, Global *g) {
  if (g->slot < 0) {
    V value = first_value(ev, g);
    g->slot = (int)new_slot(ev, g->name, value);
  }
  return (uint32_t)g->slot;
}

V eval_unbound(vk *c, uint32_t slot, const VkPos *pos) {
  return vk_unbound_error(c, c->program->global_names[slot], pos);
}

/* ---- functions ----------------------------------------------------------------------------- */

V eval_function(Evaluator *ev, Global *g) {
  if (g->kind == GLOBAL_PRIM) return vk_prim_function((size_t)(g->prim - prim_table));
  if (g->value) return g->value;
  EvalFn *fn = eval_global_fn(ev, g->lambda);
  fn->global = g;
  V closure = eval_closure(ev->c, fn, VK_NIL, NULL);
  vk_vec_append(ev->c, ev->kept, closure);
  return g->value = closure;
}

void eval_resolve_fn(Evaluator *ev, const EvalFn *fn) { (void)ev, (void)fn; }

/* ---- the evaluator ------------------------------------------------------------------------- */

Evaluator *eval_new(vk *c, Program *p) {
  Evaluator *ev = grow(NULL, sizeof *ev);
  *ev = (Evaluator){0};
  ev->c = c;
  ev->p = p;
  ev->unit.is_permanent = true;
  if (c->program) ev->program = *c->program;
  size_t count = ev->base_slots = ev->program.global_count;
  const char *const *names = ev->program.global_names;
  ev->program.global_names = NULL;
  grow_slots(ev, count ? 2 * count : 64);
  for (size_t i = 0; i < count; i++) ((const char **)ev->program.global_names)[i] = names[i];
  c->program = &ev->program;
  c->eval = ev;
  ev->kept = VK_NIL;
  vk_root_add(c, &ev->kept);
  ev->kept = vk_vec_new(c, 64);
  return ev;
}

V eval_run_tops(Evaluator *ev, EvalUnit *unit, V *keeper) {
  Program *p = ev->p;
  for (size_t i = 0; i < p->tops.count; i++) {
    const EvalFn *fn = eval_translate_top(ev, unit, keeper, p->tops.items[i].core);
    V self = eval_closure(ev->c, fn, unit->is_permanent ? VK_NIL : *keeper, NULL);
    V r = eval_run(ev->c, fn, self);
    if (VK_IS_ABN(r)) return r;
  }
  return VK_NIL;
}
