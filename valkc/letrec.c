/* letrec.c - local functions that call each other become global ones.
 *
 * in:    core, free variables found
 * out:   functions bound in one scope by `=`, some of them mentioned by others before they are bound, are
 *        global functions, with what they captured as parameters; calls of them are known
 * keeps: everything: none can be called before all are bound
 * cost:  a walk over the scope of each variable without a first value
 *
 *   (let word                                    (fun skip (i text) .. (word (+ i 1) text))
 *     (let skip (lambda (i) .. (word (+ i 1)))   (fun word (i text) .. (skip (+ i 1) text))
 *       (seq                              ->
 *         (set word (lambda (i) .. (skip ..)))
 *         (skip 0))))                            (skip 0 text)
 *
 * A variable that is assigned, in a box because functions share it, would hide what is called; as global
 * functions they are seen through, merged (merge.c) and raw.
 * Waddell, Sarkar, Dybvig, "Fixing Letrec", 2005, for what is a binding of functions alone;
 * Johnsson, "Lambda Lifting", FPCA 1985. */
#include "letrec.h"
#include <string.h>

enum { CAPTURES_MAX = 8, MEMBERS_MAX = 100 };

typedef struct Member {
  Var *var;
  Core **at; /* the LET, or the SET, that binds it */
  Lambda *lambda;
  bool is_chosen;
  Global *global;
  Var **params; /* for what is captured */
} Member;

typedef struct Letrec {
  Program *p;
  PtrMap local_functions; /* variables bound to a function by a LET */
  bool changed;
  /* of the scope at hand */
  VEC(Member) members;
  VEC(Core *) between; /* evaluated before the last is bound */
  VEC(Var *) captured;
} Letrec;

/* ---- the scope ------------------------------------------------------------------------------ */

static Member *member_of(Letrec *x, const Var *v) {
  for (size_t i = 0; i < x->members.count; i++)
    if (x->members.items[i].var == v) return &x->members.items[i];
  return NULL;
}

static bool is_function(const Core *e) {
  return e && e->kind == CORE_LAMBDA && !e->lambda->is_outlined && !e->lambda->has_rest;
}

/* From the LET on: bindings and statements, each in the scope of those before. The last SET of a function
 * ends what is evaluated before all are bound. */
static void read_scope(Letrec *x, Core **slot) {
  size_t between = 0; /* of those seen, before the last SET */
  for (;;) {
    Core *e = *slot;
    if (e->kind == CORE_LET) {
      bool is_late = !e->a;
      if (is_late || (is_function(e->a) && !e->var->is_set))
        PUSH(x->p->arena, x->members, ((Member){.var = e->var, .at = slot, .lambda = e->a ? e->a->lambda : NULL}));
      else if (e->a)
        PUSH(x->p->arena, x->between, e->a);
      slot = &e->b;
      continue;
    }
    if (e->kind != CORE_SEQ) break;
    for (size_t i = 0; i + 1 < e->count; i++) {
      Core *item = e->items[i];
      Member *m = item->kind == CORE_SET && is_function(item->a) ? member_of(x, item->var) : NULL;
      if (m && !m->lambda) {
        m->lambda = item->a->lambda;
        m->at = &e->items[i];
        between = x->between.count;
      } else {
        PUSH(x->p->arena, x->between, item);
      }
    }
    slot = &e->items[e->count - 1];
  }
  x->between.count = between;
}

/* ---- which belong together ------------------------------------------------------------------ */

typedef struct Mentions {
  Letrec *x;
  bool is_from_chosen, found, changed;
} Mentions;

static void find_chosen(Core **child, void *to) {
  Mentions *s = to;
  Member *m = (*child)->kind == CORE_LOCAL ? member_of(s->x, (*child)->var) : NULL;
  if (m && m->is_chosen) s->found = true;
  if (m && s->is_from_chosen && !m->is_chosen) m->is_chosen = s->changed = true;
  core_each_child(*child, true, find_chosen, to);
}

/* All that those chosen mention, and that mention them. */
static void choose(Letrec *x) {
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < x->members.count; i++) {
      Member *m = &x->members.items[i];
      if (!m->lambda) continue;
      Mentions s = {x, m->is_chosen, false, false};
      find_chosen(&m->lambda->body, &s);
      if (s.found && !m->is_chosen) m->is_chosen = changed = true;
      changed |= s.changed;
    }
  }
}

/* ---- whether they can be global ------------------------------------------------------------- */

static bool note_captured(Letrec *x, Var *v) {
  Member *m = member_of(x, v);
  if (m && m->is_chosen) return true;
  if (v->is_set || v->starts_unbound || ptrmap_get(&x->local_functions, v)) return false;
  for (size_t i = 0; i < x->captured.count; i++)
    if (x->captured.items[i] == v) return true;
  PUSH(x->p->arena, x->captured, v);
  return x->captured.count <= CAPTURES_MAX;
}

static bool note_all_captured(Letrec *x) {
  for (size_t i = 0; i < x->members.count; i++) {
    Member *m = &x->members.items[i];
    for (size_t j = 0; m->is_chosen && j < m->lambda->free.count; j++)
      if (!note_captured(x, m->lambda->free.items[j])) return false;
  }
  return true;
}

typedef struct Uses {
  Letrec *x;
  size_t set_count;
  bool is_bad; /* as a value, or with another number of arguments */
} Uses;

static void check_use(Core **child, void *to) {
  Uses *u = to;
  Core *e = *child;
  bool is_call = e->kind == CORE_CALL && e->a->kind == CORE_LOCAL;
  Member *m = is_call                                           ? member_of(u->x, e->a->var)
              : e->kind == CORE_LOCAL || e->kind == CORE_SET ? member_of(u->x, e->var)
                                                                : NULL;
  if (!m || !m->is_chosen) {
    core_each_child(e, true, check_use, to);
    return;
  }
  if (e->kind == CORE_SET) {
    u->set_count++;
    check_use(&e->a, to);
  } else if (!is_call) {
    u->is_bad |= u->x->captured.count > 0;
  } else {
    u->is_bad |= e->count != m->lambda->param_count && u->x->captured.count > 0;
    for (size_t i = 0; i < e->count; i++) check_use(&e->items[i], to);
  }
}

static bool may_be_called_early(Letrec *x) {
  for (size_t i = 0; i < x->between.count; i++) {
    Mentions s = {x, false, false, false};
    find_chosen(&x->between.items[i], &s);
    if (s.found) return true;
  }
  return false;
}

static bool can_be_global(Letrec *x, Core *scope) {
  size_t late_count = 0;
  for (size_t i = 0; i < x->members.count; i++) {
    Member *m = &x->members.items[i];
    if (m->is_chosen && !m->lambda) return false;
    late_count += m->is_chosen && m->var->is_set;
  }
  if (!note_all_captured(x) || may_be_called_early(x)) return false;
  Uses u = {.x = x};
  check_use(&scope, &u);
  return !u.is_bad && u.set_count == late_count;
}

/* ---- making them global --------------------------------------------------------------------- */

static void make_global(Letrec *x, Member *m) {
  Program *p = x->p;
  Lambda *l = m->lambda;
  Global *g = m->global = ARENA_NEW(p->arena, Global);
  const char *name = l->name ? l->name : m->var->name;
  g->name = g->plain = arena_copy(p->arena, name, strlen(name)); /* unique by address */
  g->span = l->span;
  g->kind = GLOBAL_FUNCTION;
  g->lambda = l;
  g->def_count = 1;
  g->is_resolved = g->is_reachable = true;
  g->slot = -1;
  PUSH(p->lasting ? p->lasting : p->arena, p->globals, g);
  l->global = g;
  l->parent = NULL;
  size_t count = x->captured.count;
  Var **params = ARENA_ARRAY(p->arena, Var *, l->param_count + count);
  if (l->param_count) memcpy(params, l->params, l->param_count * sizeof *params);
  m->params = params + l->param_count;
  for (size_t i = 0; i < count; i++) {
    m->params[i] = core_var(p, x->captured.items[i]->name, x->captured.items[i]->span, l);
    m->params[i]->is_param = true;
  }
  l->params = params;
  l->param_count += count;
}

typedef struct Rewrite {
  Letrec *x;
  Var **captured; /* where we are: those of the scope, or the parameters of the member we are in */
} Rewrite;

static void pass_captured(const Rewrite *r, Core *call) {
  size_t count = r->x->captured.count;
  if (!count) return;
  Core **items = ARENA_ARRAY(r->x->p->arena, Core *, call->count + count);
  if (call->count) memcpy(items, call->items, call->count * sizeof *items);
  for (size_t i = 0; i < count; i++) items[call->count + i] = core_local(r->x->p, call->span, r->captured[i]);
  call->items = items;
  call->count += count;
}

static void rewrite(Core **child, void *to);

static void rewrite_local(const Rewrite *r, Core *e) {
  Member *m = member_of(r->x, e->var);
  if (m && m->is_chosen) {
    e->kind = CORE_GLOBAL;
    e->global = m->global;
    e->a = NULL;
    m->global->use_count++;
    return;
  }
  for (size_t i = 0; i < r->x->captured.count; i++)
    if (r->x->captured.items[i] == e->var) e->var = r->captured[i];
}

/* The function of a member has its own variables for what is captured; its binding is gone. */
static bool rewrite_binding(const Rewrite *r, Core **slot) {
  Core *e = *slot;
  Member *m = e->kind == CORE_LET || e->kind == CORE_SET ? member_of(r->x, e->var) : NULL;
  if (!m || !m->is_chosen) return false;
  if (e->a) rewrite(&m->lambda->body, &(Rewrite){r->x, m->params});
  if (e->kind == CORE_SET) {
    *slot = core_nil(r->x->p, e->span);
  } else {
    *slot = e->b;
    rewrite(slot, (void *)r);
  }
  return true;
}

static void rewrite(Core **child, void *to) {
  const Rewrite *r = to;
  Core *e = *child;
  if (rewrite_binding(r, child)) return;
  bool is_call = e->kind == CORE_CALL && e->a->kind == CORE_LOCAL;
  Member *m = is_call ? member_of(r->x, e->a->var) : NULL;
  core_each_child(e, true, rewrite, to);
  if (m && m->is_chosen) pass_captured(r, e);
  if (e->kind == CORE_LOCAL) rewrite_local(r, e);
}

/* ---- the program ---------------------------------------------------------------------------- */

static void lift(Letrec *x, Core **slot) {
  x->members.count = x->between.count = x->captured.count = 0;
  read_scope(x, slot);
  if (x->members.count < 2 || x->members.count > MEMBERS_MAX || !x->members.items[0].lambda) return;
  x->members.items[0].is_chosen = true;
  choose(x);
  if (!can_be_global(x, *slot)) return;
  for (size_t i = 0; i < x->members.count; i++)
    if (x->members.items[i].is_chosen) make_global(x, &x->members.items[i]);
  rewrite(slot, &(Rewrite){x, x->captured.items});
  x->changed = true;
}

static void note_local_function(Core **child, void *to) {
  Letrec *x = to;
  Core *e = *child;
  if (e->kind == CORE_LET && e->a && e->a->kind == CORE_LAMBDA) ptrmap_put(&x->local_functions, e->var, e);
  core_each_child(e, true, note_local_function, to);
}

/* Inner scopes first: what functions around them capture stays the same. */
static void visit(Core **child, void *to) {
  Letrec *x = to;
  core_each_child(*child, true, visit, to);
  if ((*child)->kind == CORE_LET && !(*child)->a) lift(x, child);
}

bool letrec_run(Program *p) {
  Letrec x = {.p = p, .local_functions.arena = p->arena};
  core_each_root(p, note_local_function, &x);
  core_each_root(p, visit, &x);
  return x.changed;
}
