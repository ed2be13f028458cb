/* specialise.c - functions that call themselves made anew for the function they are given.
 *
 * in:    a call of a global function that calls itself, handing on the parameter that gets a function
 * out:   the same as a local function without that parameter, and a call of it
 * keeps: evaluation order and every effect
 * cost:  a copy of the function; inline.c bounds them
 *
 *   (fun {walk f l} {if (nil? l) nil {cons (f (head l)) (walk f (tail l))}})
 *   (walk (\ {x} {* x k}) xs)
 *
 *   (let f (lambda (x) (* x k))
 *     (let l' xs
 *       (let walk (lambda (l) (if (nil? l) nil (cons (f (head l)) (walk (tail l)))))
 *         (walk l'))))
 *
 * The call of f is known then and mostly replaced by its body, the local function a loop (local.c) or free
 * of captured variables, and the lists it makes are this call's own.
 * Specialisation of higher-order arguments as in Peyton Jones, "Call-pattern Specialisation for Haskell
 * Programs", ICFP 2007, for arguments that stay the same. */
#include "specialise.h"
#include "copy.h"
#include <string.h>

typedef struct SelfUses {
  const Lambda *l;
  size_t at;
  bool is_bad, is_called;
} SelfUses;

static bool is_local(const Core *e, const Var *v) { return e->kind == CORE_LOCAL && !e->a && e->var == v; }

static bool is_global(const Core *e, const Lambda *l) { return e->kind == CORE_GLOBAL && e->global == l->global; }

static void check_uses(Core **child, void *to) {
  SelfUses *u = to;
  Core *e = *child;
  const Var *f = u->l->params[u->at];
  if (is_global(e, u->l)) u->is_bad = true;
  bool is_self_call = e->kind == CORE_CALL && is_global(e->a, u->l);
  if (is_self_call && (e->count != u->l->param_count || !is_local(e->items[u->at], f))) u->is_bad = true;
  if (e->kind == CORE_CALL && is_local(e->a, f) && e->count > 0) u->is_called = true;
  if (u->is_bad) return;
  if (!is_self_call) {
    core_each_child(e, true, check_uses, to);
    return;
  }
  for (size_t i = 0; i < e->count; i++) check_uses(&e->items[i], to);
}

typedef struct SelfCalls {
  const Global *from;
  Var *to;
  size_t at;
} SelfCalls;

static void drop_argument(Core *call, size_t at) {
  memmove(call->items + at, call->items + at + 1, (call->count - at - 1) * sizeof *call->items);
  call->count--;
}

static void redirect(Core **child, void *to) {
  SelfCalls *s = to;
  Core *e = *child;
  if (e->kind == CORE_CALL && e->a->kind == CORE_GLOBAL && e->a->global == s->from) {
    e->a->kind = CORE_LOCAL;
    e->a->var = s->to;
    s->from->lambda->global->use_count--;
    s->to->use_count++;
    drop_argument(e, s->at);
  }
  core_each_child(e, true, redirect, to);
}

/* (let x1 a1 .. (call g x1 ..)): arguments are evaluated before, in their order. */
static Core *bind_arguments(Program *p, const Core *call, size_t at, Var *f, Core *inner, Core *body_call) {
  Core *e = inner;
  size_t n = 0;
  body_call->count = call->count - 1;
  body_call->items = ARENA_ARRAY(p->arena, Core *, body_call->count);
  Var **vars = ARENA_ARRAY(p->arena, Var *, call->count);
  for (size_t i = 0; i < call->count; i++) {
    vars[i] = i == at ? f : core_var(p, "", call->items[i]->span, NULL);
    if (i == at) continue;
    vars[i]->use_count = 1;
    body_call->items[n++] = core_local(p, call->items[i]->span, vars[i]);
  }
  for (size_t i = call->count; i-- > 0;) e = core_let(p, call->span, vars[i], call->items[i], e);
  return e;
}

Core *specialise_call(Program *p, Lambda *l, const Core *call, size_t at) {
  SelfUses u = {.l = l, .at = at};
  check_uses(&l->body, &u);
  if (u.is_bad || !u.is_called || l->params[at]->is_set || l->param_count < 2) return NULL;
  PtrMap map = {.arena = p->arena};
  Core fun = {.kind = CORE_LAMBDA, .span = l->span, .lambda = l};
  Core *copy = core_copy(p, &fun, &map);
  Lambda *own = copy->lambda;
  Var *f = own->params[at], *g = core_var(p, l->name, l->span, NULL);
  f->is_param = false;
  f->known = call->items[at]->kind == CORE_LAMBDA ? call->items[at] : NULL;
  g->known = copy;
  memmove(own->params + at, own->params + at + 1, (own->param_count - at - 1) * sizeof *own->params);
  own->param_count--;
  redirect(&own->body, &(SelfCalls){l->global, g, at});
  Core *body_call = core_new(p, CORE_CALL, call->span);
  body_call->a = core_local(p, call->span, g);
  g->use_count++;
  return bind_arguments(p, call, at, f, core_let(p, call->span, g, copy, body_call), body_call);
}
