/* eval_world.c - an isolate's evaluator: where globals live, and functions as values.
 *
 * The compiled program's table of globals becomes ours: it grows as code names new ones, and
 * compiled code goes on finding its own at their old places. */
#include "eval.h"
#include "../lang/resolve.h"
#include "heap.h"
#include "prim_code.h"
#include "vectors.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- definitions that wait, at compile time -------------------------------------------------- */

static Global *global_of_slot(Program *p, uint32_t slot) {
  for (size_t i = 0; i < p->globals.count; i++)
    if (p->globals.items[i]->slot == (int)slot) return p->globals.items[i];
  return NULL;
}

/* Runs the program's definition of g in the compiler: the value, VK_UNBOUND if there is none. */
static V define_waiting(Evaluator *ev, Global *g) {
  Datum *d = g && g->module ? ptrmap_get(&g->module->definitions, g->plain) : NULL;
  if (!d || g->is_resolved) return VK_UNBOUND; /* is_resolved: it is running */
  g->is_resolved = true;
  EvalBatch b;
  eval_batch_begin(ev, &b);
  V r = eval_form(ev, g->module, d, &b, EVAL_PERMANENT);
  g->is_resolved = false;
  return VK_IS_ABN(r) ? r : ev->c->globals[g->slot];
}

V eval_unbound(vk *c, uint32_t slot, const VkPos *pos) {
  Evaluator *ev = c->eval;
  V v = ev->p->is_compile_time ? define_waiting(ev, global_of_slot(ev->p, slot)) : VK_UNBOUND;
  return v != VK_UNBOUND ? v : vk_unbound_error(c, c->program->global_names[slot], pos);
}

/* ---- functions ----------------------------------------------------------------------------- */

V eval_function(Evaluator *ev, Global *g) {
  if (g->value) return g->value;
  if (g->kind == GLOBAL_PRIM) return vk_prim_function((size_t)(g->prim - prim_table));
  expand_library_global(ev->p, g);
  EvalFn *fn = eval_global_fn(ev, g->lambda);
  fn->global = g;
  V closure = eval_closure(ev->c, fn, VK_NIL, NULL);
  vk_vec_append(ev->c, ev->kept, closure);
  return g->value = closure;
}

void eval_resolve_fn(Evaluator *ev, const EvalFn *fn) {
  Program *p = ev->p;
  if (!p->is_open || !fn->global || fn->global->is_resolved) return;
  ExpandBatch batch;
  expand_batch_begin(p, &batch);
  p->arena = p->lasting;
  resolve_function(p, fn->global);
  resolve_forms(p); /* variables of the library that it names */
  V keeper = VK_NIL;
  eval_run_tops(ev, &ev->unit, &keeper);
  expand_batch_end(p, &batch);
}

/* ---- the evaluator ------------------------------------------------------------------------- */

Evaluator *eval_new(vk *c, Program *p) {
  Evaluator *ev = grow(NULL, sizeof *ev);
  *ev = (Evaluator){0};
  ev->c = c;
  ev->p = p;
  ev->unit.is_permanent = true;
  ev->names.arena = p->lasting;
  if (c->program) ev->program = *c->program;
  size_t count = ev->program.global_count;
  const char *const *names = ev->program.global_names;
  ev->program.global_names = NULL;
  grow_slots(ev, count ? 2 * count : 64);
  for (size_t i = 0; i < count; i++) ((const char **)ev->program.global_names)[i] = names[i];
  c->program = &ev->program;
  c->eval = ev;
  ev->kept = ev->stopped = VK_NIL;
  vk_root_add(c, &ev->kept);
  vk_root_add(c, &ev->stopped);
  ev->kept = vk_vec_new(c, 64);
  static const EvalFn nothing = {.own = -1};
  ev->self = eval_closure(c, &nothing, VK_NIL, NULL);
  vk_vec_append(c, ev->kept, ev->self);
  return ev;
}

void eval_open(Evaluator *ev) {
  Program *p = ev->p;
  p->is_open = p->uses_eval = true;
  eval_set_host(ev, &ev->host);
  p->host = &ev->host;
  modules_forget_macros(p);
  for (size_t i = 0; i < p->globals.count; i++) {
    Global *g = p->globals.items[i];
    if (g->is_library || g->kind != GLOBAL_FUNCTION) continue;
    V f = eval_function(ev, g);
    g->kind = GLOBAL_VARIABLE;
    uint32_t slot = eval_slot(ev, g); /* first: it may move the globals */
    ev->c->globals[slot] = f;
  }
}

/* ---- around a compiled program -------------------------------------------------------------- */

/* The program's table of names says what the evaluator may find under them (lower.c):
 *
 *   x        a global of the program       %:x   a global of the library
 *   %.x      nobody's business             NULL  a constant */
static void adopt_global(Evaluator *ev, const char *name, int slot) {
  Program *p = ev->p;
  if (!name || !strncmp(name, "%.", 2)) return;
  if (strncmp(name, "%:", 2)) {
    Global *g = module_global(p, p->root, name_c(p->names, name));
    g->slot = slot;
    g->def_count = 1;
    return;
  }
  Global *g = library_global(p, name_c(p->names, name + 2));
  if (!g) return;
  if (g->kind == GLOBAL_VARIABLE) {
    g->slot = slot;
    g->is_pending = false; /* its definition has run */
  } else {
    g->value = ev->c->globals[slot];
  }
}

static Evaluator *make(vk *c) {
  static const Program open = {.is_open = true, .uses_eval = true};
  Evaluator *ev = eval_new(c, (Program *)&open);
  Program *p = ev->p = &ev->own;
  *p = open;
  p->arena = p->lasting = &ev->arena;
  p->names = &ev->own_names;
  p->diag = &ev->diag;
  ev->own_names.arena = ev->diag.arena = ev->names.arena = &ev->arena;
  p->library_texts = vk_library_texts;
  eval_set_host(ev, &ev->host);
  p->host = &ev->host;
  expand_begin(p);
  for (size_t i = 0; i < ev->program.global_count; i++)
    adopt_global(ev, ev->program.global_names[i], (int)i);
  return ev;
}

Evaluator *eval_of(vk *c) { return c->eval ? c->eval : make(c); }

V eval_run_tops(Evaluator *ev, EvalUnit *unit, V *keeper) {
  Program *p = ev->p;
  for (size_t i = 0; i < p->tops.count; i++) {
    const EvalFn *fn = eval_translate_top(ev, unit, keeper, p->tops.items[i].core);
    V r = eval_run(ev->c, fn,
                   unit->is_permanent ? ev->self : eval_closure(ev->c, fn, *keeper, NULL));
    if (VK_IS_ABN(r) || i + 1 == p->tops.count) return r;
  }
  return VK_NIL;
}
