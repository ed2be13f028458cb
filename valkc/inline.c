/* inline.c - which calls are replaced by the bodies they run, and how.
 *
 * A function applied where it is written, or used once and called there, is moved in: no growth.
 * A small body is copied to its callers. A larger one is copied where a function is passed to it
 * that it calls: map, filter, foldl and their like then call the function directly, and their
 * lists belong to that call alone, which is what makes flow's element types precise. Functions
 * that call themselves stay (local.c and lower.c make loops of those that can be). */
#include "inline.h"
#include "copy.h"
#include "passes.h"
#include "specialise.h"
#include <string.h>

enum {
  SMALL_MAX = 14,       /* nodes of a body worth copying to every caller */
  HIGHER_ORDER_MAX = 120, /* of one that is given a function */
  MOVED_MAX = 4000,     /* of one that is called once */
  GROWTH_MAX = 100000,  /* nodes added in all */
  DEPTH_MAX = 8,
};

typedef struct InlineInfo {
  size_t size;
  bool calls_itself;
} InlineInfo;

/* ---- cycles of global functions (Tarjan, Depth-First Search and Linear Graph Algorithms, 1972) ---- */

typedef struct Node {
  unsigned index, low;
  bool is_on_stack;
} Node;
typedef struct Cycles {
  Inliner *in;
  PtrMap nodes;
  VEC(Global *) stack;
  unsigned count;
  Node *at;
  Global *at_global;
} Cycles;

static Node *visit_global(Cycles *c, Global *g);

static void visit_use(Core **child, void *to) {
  Cycles *c = to;
  Core *e = *child;
  Global *g = e->kind == CORE_GLOBAL ? e->global : NULL;
  if (g && g->kind == GLOBAL_FUNCTION && g->lambda) {
    Node *here = c->at, *there = ptrmap_get(&c->nodes, g);
    Global *here_global = c->at_global;
    if (g == here_global) ptrmap_put(&c->in->cyclic, g, g);
    if (!there) {
      there = visit_global(c, g);
      c->at = here;
      c->at_global = here_global;
      if (there->low < here->low) here->low = there->low;
    } else if (there->is_on_stack && there->index < here->low) {
      here->low = there->index;
    }
  }
  core_each_child(e, true, visit_use, to);
}

static Node *visit_global(Cycles *c, Global *g) {
  Node *n = ARENA_NEW(c->in->p->arena, Node);
  n->index = n->low = ++c->count;
  n->is_on_stack = true;
  ptrmap_put(&c->nodes, g, n);
  PUSH(c->in->p->arena, c->stack, g);
  c->at = n;
  c->at_global = g;
  visit_use(&g->lambda->body, c);
  if (n->low != n->index) return n;
  bool is_cycle = c->stack.items[c->stack.count - 1] != g;
  for (Global *member = NULL; member != g;) {
    member = c->stack.items[--c->stack.count];
    ((Node *)ptrmap_get(&c->nodes, member))->is_on_stack = false;
    if (is_cycle) ptrmap_put(&c->in->cyclic, member, g);
  }
  return n;
}

/* ---- tail calls --------------------------------------------------------------------------------- */

static void mark_tails(Core *e, bool is_tail) {
  for (;;) switch (e->kind) {
    case CORE_CALL: e->is_tail = is_tail; return;
    case CORE_LET: e = e->b; continue;
    case CORE_SEQ: e = e->items[e->count - 1]; continue;
    case CORE_LOOP: e = e->b; continue;
    case CORE_IF:
      mark_tails(e->b, is_tail);
      e = e->d;
      continue;
    default: return;
    }
}

void inline_prepare(Inliner *in) {
  in->sizes = in->cyclic = (PtrMap){.arena = in->p->arena};
  Cycles c = {.in = in, .nodes.arena = in->p->arena};
  for (size_t i = 0; i < in->p->globals.count; i++) {
    Global *g = in->p->globals.items[i];
    if (g->kind != GLOBAL_FUNCTION || !g->lambda || !g->is_reachable) continue;
    mark_tails(g->lambda->body, true);
    if (!ptrmap_get(&c.nodes, g)) visit_global(&c, g);
  }
}

/* ---- what is known of the callee -------------------------------------------------------------- */

static void find_global(Core **child, void *to) {
  const void **wanted = to;
  Core *e = *child;
  if (e->kind == CORE_GLOBAL && e->global == wanted[0]) wanted[2] = e;
  if (e->kind == CORE_LOCAL && e->var->known && e->var->known->lambda == wanted[1]) wanted[2] = e;
  core_each_child(e, true, find_global, to);
}

static InlineInfo *info_of(Inliner *in, Lambda *l) {
  InlineInfo *i = ptrmap_get(&in->sizes, l);
  if (i) return i;
  i = ARENA_NEW(in->p->arena, InlineInfo);
  i->size = core_size(l->body, MOVED_MAX + 1);
  const void *wanted[3] = {l->global ? (const void *)l->global : (const void *)l, l, NULL};
  find_global(&l->body, wanted);
  i->calls_itself = wanted[2] != NULL;
  ptrmap_put(&in->sizes, l, i);
  return i;
}

static Lambda *known_lambda(const Core *e) {
  if (e->kind == CORE_LAMBDA) return e->lambda;
  if (e->kind == CORE_GLOBAL && e->global->kind == GLOBAL_FUNCTION) return e->global->lambda;
  if (e->kind == CORE_LOCAL && !e->a && e->var->known && !e->var->is_set) return e->var->known->lambda;
  return NULL;
}

static bool is_function_value(const Core *e) {
  return known_lambda(e) || (e->kind == CORE_GLOBAL && e->global->kind == GLOBAL_PRIM);
}

static bool accepts(const Lambda *l, size_t count) {
  if (count == 0 && l->param_count > 0) return l->has_rest && l->param_count == 1;
  return l->has_rest ? count + 1 >= l->param_count : count == l->param_count;
}

typedef struct Calls {
  const Var *var;
  bool found;
} Calls;

static void find_call_of(Core **child, void *to) {
  Calls *c = to;
  Core *e = *child;
  if (e->kind == CORE_CALL && e->a->kind == CORE_LOCAL && e->a->var == c->var) c->found = true;
  if (!c->found) core_each_child(e, true, find_call_of, to);
}

/* The first argument that is a function which the callee calls, or SIZE_MAX. */
static size_t given_function(const Lambda *l, const Core *call) {
  size_t fixed = l->has_rest ? l->param_count - 1 : l->param_count;
  for (size_t i = 0; i < fixed; i++) {
    if (!is_function_value(call->items[i])) continue;
    Calls c = {l->params[i], false};
    Core *body = l->body;
    find_call_of(&body, &c);
    if (c.found) return i;
  }
  return SIZE_MAX;
}

/* ---- replacing -------------------------------------------------------------------------------- */

/* (call (lambda (x y) body) a b) -> (let x a (let y b body)). The lambda is consumed. */
static Core *apply(Inliner *in, Lambda *l, const Core *call) {
  Core *body = l->body;
  size_t fixed = l->has_rest ? l->param_count - 1 : l->param_count;
  if (l->has_rest) {
    Core *rest = core_prim(in->p, call->span, "list", 0);
    rest->count = call->count - fixed;
    rest->items = call->items + fixed;
    body = core_let(in->p, call->span, l->params[fixed], rest, body);
  }
  for (size_t i = fixed; i-- > 0;)
    body = core_let(in->p, call->span, l->params[i], call->items[i], body);
  for (size_t i = 0; i < l->param_count; i++) {
    Var *v = l->params[i];
    v->is_param = false;
    bool is_lambda = i < fixed && call->items[i]->kind == CORE_LAMBDA;
    v->known = is_lambda && !v->is_set ? call->items[i] : NULL;
  }
  return body;
}

/* Nothing else names the function: its body can go where the call is. */
static bool is_only_use(const Core *head, const InlineInfo *info) {
  if (info->calls_itself || info->size > MOVED_MAX) return false;
  if (head->kind == CORE_LAMBDA) return true;
  if (head->kind == CORE_GLOBAL) return head->global->use_count == 1;
  return head->var->use_count == 1;
}

static Lambda *move(Inliner *in, Core *head, Lambda *l) {
  Lambda *moved = ARENA_NEW(in->p->arena, Lambda);
  *moved = *l;
  Core *nothing = core_nil(in->p, l->span);
  if (head->kind == CORE_GLOBAL) {
    head->global->use_count = 0;
    head->global->lambda = NULL;
  } else if (head->kind == CORE_LOCAL) { /* its LET binds nil from now on, and nobody reads it */
    Core *bound = head->var->known;
    head->var->use_count = 0;
    head->var->known = NULL;
    *bound = *nothing;
  }
  return moved;
}

static bool is_worth_copying(Inliner *in, const Lambda *l, const InlineInfo *info, const Core *call) {
  if (in->depth >= DEPTH_MAX || in->growth > GROWTH_MAX) return false;
  if (l->part == LAMBDA_TESTS) return true;
  if (info->calls_itself || (l->global && ptrmap_get(&in->cyclic, l->global))) return false;
  if (info->size <= SMALL_MAX) return true;
  return info->size <= HIGHER_ORDER_MAX && given_function(l, call) != SIZE_MAX;
}

Core *inline_copy(Inliner *in, Lambda *l, Core *call) {
  PtrMap map = {.arena = in->p->arena};
  Core fun = {.kind = CORE_LAMBDA, .span = l->span, .lambda = l};
  Lambda *copy = core_copy(in->p, &fun, &map)->lambda;
  in->growth += info_of(in, l)->size;
  return apply(in, copy, call);
}

/* One that calls itself, alone, and hands on the function it is given. */
static Core *specialised(Inliner *in, Lambda *l, const InlineInfo *info, const Core *call) {
  bool is_fit = PART_RUNS(in->p, specialise) && l->global && !l->has_rest && info->calls_itself &&
                ptrmap_get(&in->cyclic, l->global) == l->global && info->size <= HIGHER_ORDER_MAX;
  if (!is_fit || in->depth >= DEPTH_MAX || in->growth > GROWTH_MAX) return NULL;
  size_t at = given_function(l, call);
  Core *made = at == SIZE_MAX ? NULL : specialise_call(in->p, l, call, at);
  if (made) in->growth += info->size;
  if (made) PUSH(in->p->arena, in->p->inlined, ((InlinedCall){call->span, l->name, CALL_SPECIALISED}));
  return made;
}

Core *inline_call(Inliner *in, Core *call) {
  Core *head = call->a;
  Lambda *l = known_lambda(head);
  if (!l || l == in->in || l->is_outlined || !accepts(l, call->count)) return NULL;
  InlineInfo *info = info_of(in, l);
  if (l->part == LAMBDA_REST) return NULL; /* its tests stand at the call */
  const char *kept = in->p->kept_function;
  if (kept && l->global && !strcmp(l->global->name, kept)) return NULL;
  bool is_moved = is_only_use(head, info);
  if (!is_moved && !is_worth_copying(in, l, info, call)) return specialised(in, l, info, call);
  if (head->kind != CORE_LAMBDA) PUSH(in->p->arena, in->p->inlined, ((InlinedCall){call->span, l->name, is_moved ? CALL_MOVED : CALL_COPIED}));
  return is_moved ? apply(in, move(in, head, l), call) : inline_copy(in, l, call);
}

Core *inline_partial(Inliner *in, Core *call) {
  Core *head = call->a;
  Lambda *l = known_lambda(head);
  const Prim *prim = head->kind == CORE_GLOBAL && head->global->kind == GLOBAL_PRIM ? head->global->prim : NULL;
  if (head->kind == CORE_LAMBDA || (l && l->has_rest) || (prim && prim->min != prim->max)) return NULL;
  size_t needed = l ? l->param_count : prim ? prim->min : 0;
  if (call->count == 0 || call->count >= needed) return NULL;
  Program *p = in->p;
  Lambda *rest = ARENA_NEW(p->arena, Lambda);
  rest->name = l ? l->name : prim->name;
  rest->span = call->span;
  rest->id = p->next_id++;
  rest->param_count = needed - call->count;
  rest->params = ARENA_ARRAY(p->arena, Var *, rest->param_count);
  Core *inner = core_new(p, CORE_CALL, call->span);
  inner->a = head;
  inner->count = needed;
  inner->items = ARENA_ARRAY(p->arena, Core *, needed);
  Var **given = ARENA_ARRAY(p->arena, Var *, call->count);
  for (size_t i = 0; i < needed; i++) {
    Var *v = core_var(p, l ? l->params[i]->name : "", call->span, NULL);
    v->use_count = 1;
    inner->items[i] = core_local(p, call->span, v);
    if (i < call->count) given[i] = v;
    else rest->params[i - call->count] = v;
  }
  rest->body = inner;
  Core *e = core_new(p, CORE_LAMBDA, call->span);
  e->lambda = rest;
  for (size_t i = call->count; i-- > 0;) e = core_let(p, call->span, given[i], call->items[i], e);
  return e;
}
