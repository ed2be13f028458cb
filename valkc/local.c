/* local.c - functions bound to local variables all of whose uses are calls.
 *
 * in:    core after simplify's rounds, free variables found
 * out:   fewer closures: loops where a function was one, parameters where variables were captured
 * keeps: evaluation order; constant space of tail calls
 * cost:  a walk over the scope of each such variable; scopes nest, so deep nests cost their depth
 *
 * Contification: Kennedy, "Compiling with Continuations, Continued", ICFP 2007, for the case of one
 * outer call. Lifting: Johnsson, "Lambda Lifting", FPCA 1985, where no closure is needed anyway. */
#include "local.h"
#include <string.h>

enum { LIFT_PARAMS_MAX = 4 }; /* more would go through memory at every call */

typedef struct Uses {
  const Var *var;
  const Lambda *own;
  size_t arity;
  Core **outer_call;  /* the last seen */
  unsigned outer_count;
  bool in_own;        /* the walk is inside the function itself */
  bool is_nested;     /* and inside another function within the region looked at */
  bool has_other_use; /* as a value, or with other numbers of arguments */
  bool has_bad_self;  /* calls itself elsewhere than in tail position */
  bool has_nested_call;
} Uses;

static void find_uses(Core **slot, Uses *u, bool is_tail);

typedef struct UsesAt {
  Uses *u;
} UsesAt;
static void visit_operand(Core **child, void *to) { find_uses(child, ((UsesAt *)to)->u, false); }

static void find_call(Core **slot, Uses *u, bool is_tail) {
  Core *e = *slot;
  if (e->count != u->arity || (e->count == 0 && u->own->param_count > 0)) u->has_other_use = true;
  if (u->is_nested) u->has_nested_call = true;
  if (!u->in_own) {
    u->outer_call = slot;
    u->outer_count++;
  } else if (!is_tail || u->is_nested) {
    u->has_bad_self = true;
  }
  for (size_t i = 0; i < e->count; i++) find_uses(&e->items[i], u, false);
}

static void find_uses(Core **slot, Uses *u, bool is_tail) {
  Core *e = *slot;
  switch (e->kind) {
  case CORE_LOCAL:
    if (e->var == u->var) u->has_other_use = true;
    if (e->a) find_uses(&e->a, u, false);
    return;
  case CORE_CALL:
    if (e->a->kind == CORE_LOCAL && e->a->var == u->var) {
      find_call(slot, u, is_tail);
      return;
    }
    break;
  case CORE_IF:
    find_uses(&e->a, u, false);
    find_uses(&e->b, u, is_tail);
    find_uses(&e->d, u, is_tail);
    return;
  case CORE_SEQ:
    for (size_t i = 0; i < e->count; i++) find_uses(&e->items[i], u, is_tail && i + 1 == e->count);
    return;
  case CORE_LET:
    if (e->a) find_uses(&e->a, u, false);
    find_uses(&e->b, u, is_tail);
    return;
  case CORE_LOOP:
    for (size_t i = 0; i < e->count; i++) find_uses(&e->items[i], u, false);
    find_uses(&e->b, u, is_tail);
    return;
  case CORE_LAMBDA:
  case CORE_BLOCK:
    if (e->lambda) {
      bool was_nested = u->is_nested;
      u->is_nested = true;
      find_uses(&e->lambda->body, u, false);
      u->is_nested = was_nested;
    }
    return;
  default: break;
  }
  core_each_child(e, false, visit_operand, &(UsesAt){u});
}

/* How the function bound by this LET is used, in its scope and in itself. */
static Uses uses_of(Core *let) {
  Lambda *l = let->a->lambda;
  Uses u = {.var = let->var, .own = l, .arity = l->param_count};
  find_uses(&let->b, &u, false);
  u.in_own = true;
  find_uses(&l->body, &u, true);
  return u;
}

static bool binds_function(const Core *e) {
  return e->kind == CORE_LET && e->a && e->a->kind == CORE_LAMBDA && !e->var->is_set && !e->a->lambda->has_rest;
}

/* ---- loops ----------------------------------------------------------------------------------- */

typedef struct Recurs {
  const Var *var;
  Loop *loop;
} Recurs;

static void recur_for_call(Core **child, void *to) {
  Recurs *r = to;
  Core *e = *child;
  if (e->kind == CORE_CALL && e->a->kind == CORE_LOCAL && e->a->var == r->var) {
    e->kind = CORE_RECUR;
    e->a = NULL;
    e->loop = r->loop;
  }
  core_each_child(e, false, recur_for_call, to);
}

static bool has_assigned_params(const Lambda *l) {
  for (size_t i = 0; i < l->param_count; i++)
    if (l->params[i]->is_set) return true;
  return false;
}

/* Used by itself only. */
static bool is_dead(Core *let) {
  Uses u = {.var = let->var, .own = let->a->lambda, .arity = let->a->lambda->param_count};
  find_uses(&let->b, &u, false);
  return u.outer_count == 0 && !u.has_other_use;
}

static bool contify(Program *p, Core **slot) {
  Core *e = *slot;
  if (binds_function(e) && is_dead(e)) {
    *slot = e->b;
    return true;
  }
  if (!binds_function(e) || has_assigned_params(e->a->lambda) || e->a->lambda->is_outlined) return false;
  Lambda *l = e->a->lambda;
  Uses u = uses_of(e);
  if (u.outer_count != 1 || u.has_other_use || u.has_bad_self || u.has_nested_call) return false;
  Loop *loop = ARENA_NEW(p->arena, Loop);
  loop->id = p->next_id++;
  loop->vars = l->params;
  loop->count = l->param_count;
  for (size_t i = 0; i < loop->count; i++) loop->vars[i]->is_param = false;
  recur_for_call(&l->body, &(Recurs){e->var, loop});
  Core *call = *u.outer_call;
  Core *node = core_new(p, CORE_LOOP, call->span);
  node->loop = loop;
  node->items = call->items;
  node->count = call->count;
  node->b = l->body;
  *u.outer_call = node;
  *slot = e->b;
  return true;
}

/* ---- parameters instead of captures ------------------------------------------------------------ */

typedef struct Lift {
  Program *p;
  const Var *var;
  Lambda *own;
  Var **captured, **params; /* outside, inside */
  size_t count;
} Lift;

static Var *inside(const Lift *l, Var *v) {
  for (size_t i = 0; i < l->count; i++)
    if (l->captured[i] == v) return l->params[i];
  return v;
}

static void pass_captured(const Lift *l, Core *call, bool in_own) {
  Core **items = ARENA_ARRAY(l->p->arena, Core *, call->count + l->count);
  if (call->count) memcpy(items, call->items, call->count * sizeof *items);
  for (size_t i = 0; i < l->count; i++)
    items[call->count + i] = core_local(l->p, call->span, in_own ? l->params[i] : l->captured[i]);
  call->items = items;
  call->count += l->count;
}

typedef struct LiftAt {
  const Lift *l;
  bool in_own;
} LiftAt;

static void lift_node(Core **child, void *to) {
  LiftAt *at = to;
  Core *e = *child;
  if (at->in_own && e->kind == CORE_LOCAL) e->var = inside(at->l, e->var);
  core_each_child(e, true, lift_node, to);
  if (e->kind == CORE_CALL && e->a->kind == CORE_LOCAL && e->a->var == at->l->var) pass_captured(at->l, e, at->in_own);
}

static bool lift(Program *p, Core *e) {
  if (!binds_function(e)) return false;
  Lambda *l = e->a->lambda;
  size_t count = 0;
  for (size_t i = 0; i < l->free.count; i++) {
    Var *v = l->free.items[i];
    if (v == e->var) continue;
    if (v->is_set || v->starts_unbound) return false; /* shared, not copied */
    if (v->known && v->known->kind == CORE_LAMBDA && v->known->lambda->free.count == 0) continue; /* static */
    count++;
  }
  if (count == 0 || count + l->param_count > LIFT_PARAMS_MAX || (l->param_count == 0 && !l->is_outlined)) return false;
  Uses u = uses_of(e);
  if (u.has_other_use) return false;
  Lift x = {p, e->var, l, ARENA_ARRAY(p->arena, Var *, count), ARENA_ARRAY(p->arena, Var *, count), 0};
  for (size_t i = 0; i < l->free.count; i++) {
    Var *v = l->free.items[i];
    if (v == e->var || (v->known && v->known->kind == CORE_LAMBDA && v->known->lambda->free.count == 0)) continue;
    x.captured[x.count] = v;
    x.params[x.count] = core_var(p, v->name, v->span, l);
    x.params[x.count++]->is_param = true;
  }
  lift_node(&l->body, &(LiftAt){&x, true});
  lift_node(&e->b, &(LiftAt){&x, false});
  Var **params = ARENA_ARRAY(p->arena, Var *, l->param_count + x.count);
  if (l->param_count) memcpy(params, l->params, l->param_count * sizeof *params);
  memcpy(params + l->param_count, x.params, x.count * sizeof *params);
  l->params = params;
  l->param_count += x.count;
  return true;
}

/* ---- the program ------------------------------------------------------------------------------- */

typedef struct LocalWalk {
  Program *p;
  bool is_lifting, changed;
} LocalWalk;

static void visit_local(Core **child, void *to) {
  LocalWalk *w = to;
  if (w->is_lifting) w->changed |= lift(w->p, *child);
  else
    while (contify(w->p, child)) w->changed = true;
  core_each_child(*child, true, visit_local, to);
}

bool local_contify(Program *p) {
  LocalWalk w = {p, false, false};
  core_each_root(p, visit_local, &w);
  return w.changed;
}

bool local_lift(Program *p) {
  LocalWalk w = {p, true, false};
  core_each_root(p, visit_local, &w);
  return w.changed;
}
