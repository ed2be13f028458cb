/* partial.c - the tests that end a recursion are made before the call.
 *
 * in:    core after simplify's rounds
 * out:   a function that begins with tests, gives a value at once in some of their branches and calls
 *        itself in the rest (not only in tail position) is two functions: the tests, which inline.c
 *        copies to every call, and the rest
 * keeps: what is evaluated, in which order; names and places of traces, which go by the text
 * cost:  linear
 *
 * Half of the calls or more of a recursion over a tree end at once: they become a test in the caller
 * (deriv 1.4 times as fast). A C compiler does so only if it guesses that the first branch is the rare one.
 * Method: Goubault, "Generalized Boxings, Congruences and Partial Inlining", SAS 1994. */
#include "partial.h"
#include "copy.h"
#include "low.h"
#include <string.h>

enum {
  TESTS_MAX = 24, /* nodes of the tests with what they give */
  REST_MIN = 16,  /* of the rest: less, and C compilers inline the recursion better as it is */
};

/* Costs little, has no effect. */
static bool is_simple(const Core *e) {
  switch (e->kind) {
  case CORE_CONST: return true;
  case CORE_LOCAL: return !e->a && !e->var->is_set;
  case CORE_IF: return is_simple(e->a) && is_simple(e->b) && is_simple(e->d);
  case CORE_PRIM: break;
  default: return false;
  }
  if (!(e->prim->flags & PRIM_PURE) || e->prim->flags & (PRIM_CALLS | PRIM_STORES | PRIM_FRESH))
    return false;
  for (size_t i = 0; i < e->count; i++)
    if (!is_simple(e->items[i])) return false;
  return true;
}

/* Where the first expression stands that is not simple, behind tests alone. */
static Core **rest_of(Core **body) {
  while ((*body)->kind == CORE_IF && is_simple((*body)->a)) {
    Core *e = *body;
    if (is_simple(e->b))
      body = &e->d;
    else if (is_simple(e->d))
      body = &e->b;
    else
      break;
  }
  return body;
}

typedef struct SelfCalls {
  const Global *g;
  size_t count;
} SelfCalls;

static bool is_self_call(const Core *e, const Global *g) {
  return e->kind == CORE_CALL && e->a->kind == CORE_GLOBAL && e->a->global == g &&
         e->count == g->lambda->param_count;
}

static void count_calls(Core **child, void *to) {
  SelfCalls *c = to;
  c->count += is_self_call(*child, c->g);
  core_each_child(*child, true, count_calls, to);
}

static size_t count_tail_calls(const Core *e, const Global *g) {
  switch (e->kind) {
  case CORE_LET:
  case CORE_LOOP: return count_tail_calls(e->b, g);
  case CORE_SEQ: return count_tail_calls(e->items[e->count - 1], g);
  case CORE_IF: return count_tail_calls(e->b, g) + count_tail_calls(e->d, g);
  default: return is_self_call(e, g);
  }
}

/* A call that comes back: a recursion that is a loop needs no help. */
static bool has_inner_call(Core *e, const Global *g) {
  SelfCalls c = {g, 0};
  count_calls(&e, &c);
  return c.count > count_tail_calls(e, g);
}

static Global *new_function(Program *p, const Global *g, Core *body) {
  Global *rest = ARENA_NEW(p->arena, Global);
  Lambda *l = ARENA_NEW(p->arena, Lambda);
  *rest = *g;
  *l = *g->lambda;
  rest->name = arena_copy(p->arena, g->name, strlen(g->name)); /* unique by address */
  rest->is_open = false;
  rest->lambda = l;
  l->id = p->next_id++;
  l->global = rest;
  l->part = LAMBDA_REST;
  l->body = body;
  PUSH(p->lasting ? p->lasting : p->arena, p->globals, rest);
  return rest;
}

static bool split(Program *p, Global *g) {
  Lambda *l = g->lambda;
  Core **slot = rest_of(&l->body), *body = *slot;
  bool is_fit = !l->has_rest && l->param_count > 0 && l->param_count <= LOW_REG_ARGS;
  if (!is_fit || slot == &l->body || !has_inner_call(body, g)) return false;
  if (core_size(body, REST_MIN) < REST_MIN) return false;
  Core *call = core_new(p, CORE_CALL, l->span);
  *slot = call;
  call->a = core_new(p, CORE_GLOBAL, l->span);
  call->a->global = g; /* for the time being */
  call->count = l->param_count;
  call->items = ARENA_ARRAY(p->arena, Core *, call->count);
  for (size_t i = 0; i < call->count; i++)
    call->items[i] = core_local(p, l->span, l->params[i]);
  if (core_size(l->body, TESTS_MAX + 1) > TESTS_MAX) {
    *slot = body;
    return false;
  }
  call->a->global = new_function(p, g, body);
  PtrMap map = {.arena = p->arena};
  Core fun = {.kind = CORE_LAMBDA, .span = l->span, .lambda = l};
  Lambda *tests = core_copy(p, &fun, &map)->lambda;
  l->params = tests->params;
  l->body = tests->body;
  l->part = LAMBDA_TESTS;
  return true;
}

bool partial_run(Program *p) {
  bool changed = false;
  for (size_t i = 0, count = p->globals.count; i < count; i++) {
    Global *g = p->globals.items[i];
    if (g->kind == GLOBAL_FUNCTION && g->lambda && g->is_reachable &&
        g->lambda->part == LAMBDA_WHOLE)
      changed |= split(p, g);
  }
  return changed;
}
