/* open_world.c - what code that is made at run time may name (LANGUAGE.md 3, DESIGN.md 5).
 *
 * in:    resolved core
 * out:   p->opens if `eval` of data, or what comes to it, can be reached; then global->is_open for
 *        every global that data may name: its value is in a slot that the evaluator finds by
 *        name, and it may be called and, if it is a variable, set by code nobody sees now
 * keeps: globals that data cannot name keep all that is known of them
 *
 * Without `read` and `load` at run time, all symbols that can reach `eval` are in the constants of
 * the program: those are the names. A function that may be defined anew becomes a variable, set
 * before everything else; it may be only if a name that defines stands among the constants. */
#include "expander.h"
#include <string.h>

typedef struct OpenWorld {
  Program *p;
  PtrMap names;      /* symbols of the program's data */
  bool evaluates;    /* data are evaluated */
  bool has_any_name; /* symbols come from elsewhere */
  bool defines;      /* definitions with computed names */
} OpenWorld;

static void note_symbols(OpenWorld *w, const Datum *d) {
  if (d->kind == DATUM_SYMBOL) ptrmap_put(&w->names, d->text, (void *)d);
  if (d->kind != DATUM_LIST && d->kind != DATUM_VECTOR && d->kind != DATUM_MAP) return;
  for (size_t i = 0; i < d->count; i++) note_symbols(w, d->items[i]);
}

static void note_prim(OpenWorld *w, const Prim *prim) {
  const char *name = prim->name;
  bool defines = !strcmp(name, "%def") || !strcmp(name, "%fun");
  bool loads = !strcmp(name, "load") || !strcmp(name, "%load");
  if (!strcmp(name, "eval") || !strcmp(name, "%lambda") || defines || loads)
    w->evaluates = true;
  if (!strcmp(name, "read") || loads) w->has_any_name = true;
  if (defines) w->defines = true;
}

static void scan(Core **child, void *to) {
  Core *e = *child;
  OpenWorld *w = to;
  if (e->kind == CORE_CONST || e->kind == CORE_BLOCK) note_symbols(w, e->datum);
  if (e->kind == CORE_PRIM) note_prim(w, e->prim);
  if (e->kind == CORE_GLOBAL && e->global->prim) note_prim(w, e->global->prim);
  core_each_child(e, true, scan, to);
}

static bool can_define(const OpenWorld *w) {
  static const char *const definers[] = {"def", "fun", "=", "macro", "import"};
  if (w->has_any_name || w->defines) return true;
  for (size_t i = 0; i < sizeof definers / sizeof *definers; i++)
    if (ptrmap_get(&w->names, name_c(w->p->names, definers[i]))) return true;
  return false;
}

/* The name under which data find a global: NULL for what modules keep to themselves. */
static const char *visible_name(Program *p, const Global *g) {
  if (g->is_library) return g->name[0] == '%' && g->name[1] ? NULL : g->name;
  if (!g->module || !g->module->name) return g->name;
  return ptrmap_get(&g->module->exported, g->plain) ? name_c(p->names, g->name) : NULL;
}

static bool may_be_named(const OpenWorld *w, const Global *g) {
  const char *name = visible_name(w->p, g);
  return name && (w->has_any_name || ptrmap_get(&w->names, name));
}

/* g's function becomes the value of a variable, which has it from the start. */
static void make_variable(OpenWorld *w, Global *g, TopForm *def) {
  Core *lambda = core_new(w->p, CORE_LAMBDA, g->lambda->span),
       *e = core_new(w->p, CORE_DEF, g->lambda->span);
  lambda->lambda = g->lambda;
  e->global = g;
  e->a = lambda;
  e->is_def = true;
  g->lambda->global = NULL;
  g->lambda = NULL;
  g->kind = GLOBAL_VARIABLE;
  g->library = NULL;
  g->is_always_bound = true;
  *def = (TopForm){e, e->span};
}

static void open_globals(OpenWorld *w) {
  Program *p = w->p;
  bool defines = can_define(w);
  TopForm *tops = ARENA_ARRAY(p->arena, TopForm, p->globals.count + p->tops.count);
  size_t count = 0;
  for (size_t i = 0; i < p->globals.count; i++) {
    Global *g = p->globals.items[i];
    if (!may_be_named(w, g)) continue;
    g->is_open = true;
    if (g->is_library || !defines) continue;
    if (g->kind == GLOBAL_FUNCTION)
      make_variable(w, g, &tops[count++]);
    else if (g->kind == GLOBAL_UNKNOWN)
      g->kind = GLOBAL_VARIABLE;
  }
  memcpy(tops + count, p->tops.items, p->tops.count * sizeof *tops);
  p->tops.items = tops;
  p->tops.count = p->tops.capacity = count + p->tops.count;
}

void open_world_run(Program *p) {
  OpenWorld w = {.p = p, .names.arena = p->arena};
  for (size_t i = 0; i < p->globals.count; i++)
    if (p->globals.items[i]->is_reachable && p->globals.items[i]->lambda)
      scan(&p->globals.items[i]->lambda->body, &w);
  for (size_t i = 0; i < p->tops.count; i++) scan(&p->tops.items[i].core, &w);
  p->opens = w.evaluates;
  if (!p->opens || p->diag->error_count > 0) return;
  open_globals(&w);
  core_find_free(p);
  core_find_reachable(p);
}
