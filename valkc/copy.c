/* copy.c - copying core, so that code can stand in two places (inlining, specialising). */
#include "copy.h"
#include <string.h>

static Var *copy_var(Program *p, PtrMap *map, Var *v) {
  Var *n = ARENA_NEW(p->arena, Var);
  *n = *v;
  n->id = p->next_id++;
  n->flow = NULL;
  n->known = NULL;
  n->use_count = 0;
  ptrmap_put(map, v, n);
  return n;
}

static Var *mapped(PtrMap *map, Var *v) {
  Var *n = ptrmap_get(map, v);
  return n ? n : v;
}

static Lambda *copy_lambda(Program *p, PtrMap *map, const Lambda *l) {
  Lambda *n = ARENA_NEW(p->arena, Lambda);
  *n = *l;
  n->id = p->next_id++;
  n->global = NULL;
  n->free.items = NULL;
  n->free.count = n->free.capacity = 0;
  n->params = ARENA_ARRAY(p->arena, Var *, l->param_count);
  for (size_t i = 0; i < l->param_count; i++) n->params[i] = copy_var(p, map, l->params[i]);
  n->body = core_copy(p, l->body, map);
  return n;
}

static Loop *copy_loop(Program *p, PtrMap *map, Loop *l) {
  Loop *n = ARENA_NEW(p->arena, Loop);
  n->id = p->next_id++;
  n->count = l->count;
  n->vars = ARENA_ARRAY(p->arena, Var *, l->count);
  for (size_t i = 0; i < l->count; i++) n->vars[i] = copy_var(p, map, l->vars[i]);
  ptrmap_put(map, l, n);
  return n;
}

/* Counts of uses stay upper bounds: what is copied is used once more. */
Core *core_copy(Program *p, const Core *e, PtrMap *map) {
  Core *n = ARENA_NEW(p->arena, Core);
  *n = *e;
  if (e->kind == CORE_LET) { /* before the init: a function may use its own name */
    n->var = copy_var(p, map, e->var);
  } else if (e->kind == CORE_LOCAL || e->kind == CORE_SET) {
    n->var = mapped(map, e->var);
    if (e->kind == CORE_LOCAL) n->var->use_count++;
  } else if (e->kind == CORE_GLOBAL) {
    e->global->use_count++;
  } else if (e->kind == CORE_RECUR) {
    Loop *l = ptrmap_get(map, e->loop);
    if (l) n->loop = l;
  } else if ((e->kind == CORE_LAMBDA || e->kind == CORE_BLOCK) && e->lambda) {
    n->lambda = copy_lambda(p, map, e->lambda);
  }
  if (e->a) n->a = core_copy(p, e->a, map);
  if (e->items) {
    n->items = ARENA_ARRAY(p->arena, Core *, e->count);
    for (size_t i = 0; i < e->count; i++) n->items[i] = core_copy(p, e->items[i], map);
  }
  if (e->kind == CORE_SEQ) {
    n->spans = ARENA_ARRAY(p->arena, Span, e->count);
    memcpy(n->spans, e->spans, e->count * sizeof *e->spans);
  }
  if (e->kind == CORE_LOOP) n->loop = copy_loop(p, map, e->loop);
  if (e->b) n->b = core_copy(p, e->b, map);
  if (e->d) n->d = core_copy(p, e->d, map);
  return n;
}

typedef struct Size {
  size_t count, limit;
} Size;

static void add_size(Core **child, void *to) {
  Size *s = to;
  if (s->count >= s->limit) return;
  s->count++;
  core_each_child(*child, true, add_size, s);
}

size_t core_size(const Core *e, size_t limit) {
  Size s = {0, limit};
  Core *root = (Core *)e;
  add_size(&root, &s);
  return s.count;
}
