/* letrec.c - local functions that call each other become global ones.
 *
 * in:    core, free variables found
 * out:   functions bound in one scope by `=`, some of them mentioned by others before they are bound, are
 *        global functions, with what they captured as parameters; calls of them are known
 * keeps: everything: none can be called before all are bound
 * cost:  a few walks over the scopes that have variables without a first value
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

enum { CAPTURES_MAX = 8 };

typedef struct Group { /* functions that mention each other */
  size_t late_count; /* of those bound by SET */
  size_t set_count;  /* of SETs seen */
  bool is_bad;
  VEC(Var *) captured;
} Group;

typedef struct Member {
  Var *var;
  Lambda *lambda; /* NULL: not bound to one */
  bool is_late;   /* by a SET */
  size_t root;    /* a member of the same group, finally the one that stands for it */
  Group *group;
  Global *global;
  Var **params; /* for what is captured */
} Member;

typedef struct Letrec {
  Program *p;
  PtrMap local_functions; /* variables bound to a function by a LET */
  PtrMap seen;            /* LETs that belong to a scope read */
  bool changed;
  /* of the scope at hand */
  PtrMap index; /* Var -> its member's index plus one */
  VEC(Member) members;
  VEC(Core *) between; /* evaluated before the last function is bound */
} Letrec;

/* ---- the scope ------------------------------------------------------------------------------ */

static Member *member_of(const Letrec *x, const Var *v) {
  size_t i = (size_t)(uintptr_t)ptrmap_get(&x->index, v);
  return i ? &x->members.items[i - 1] : NULL;
}

static bool is_function(const Core *e) {
  return e && e->kind == CORE_LAMBDA && !e->lambda->is_outlined && !e->lambda->has_rest;
}

static void add_member(Letrec *x, Var *v, Lambda *l) {
  Member m = {.var = v, .lambda = l, .is_late = !l, .root = x->members.count};
  PUSH(x->p->arena, x->members, m);
  ptrmap_put(&x->index, v, (void *)(uintptr_t)x->members.count);
}

static void read_let(Letrec *x, Core *e) {
  ptrmap_put(&x->seen, e, e);
  if (!e->a) add_member(x, e->var, NULL);
  else if (is_function(e->a) && !e->var->is_set) add_member(x, e->var, e->a->lambda);
  else PUSH(x->p->arena, x->between, e->a);
}

/* From the LET on: bindings and statements, each in the scope of those before. The last SET of a function
 * ends what is evaluated before all are bound. */
static void read_scope(Letrec *x, Core *e) {
  size_t between = 0; /* of those seen, before the last SET */
  x->members.count = x->between.count = 0;
  x->index = (PtrMap){.arena = x->p->arena};
  while (e->kind == CORE_LET || e->kind == CORE_SEQ) {
    if (e->kind == CORE_LET) {
      read_let(x, e);
      e = e->b;
      continue;
    }
    for (size_t i = 0; i + 1 < e->count; i++) {
      Core *item = e->items[i];
      Member *m = item->kind == CORE_SET && is_function(item->a) ? member_of(x, item->var) : NULL;
      if (m && !m->lambda) {
        m->lambda = item->a->lambda;
        between = x->between.count;
      } else {
        PUSH(x->p->arena, x->between, item);
      }
    }
    e = e->items[e->count - 1];
  }
  x->between.count = between;
}

/* ---- which belong together ------------------------------------------------------------------ */

static size_t root_of(Letrec *x, size_t i) {
  Member *all = x->members.items;
  while (all[i].root != i) i = all[i].root = all[all[i].root].root;
  return i;
}

typedef struct Mentions {
  Letrec *x;
  size_t by; /* a member, or SIZE_MAX: what is evaluated too early */
} Mentions;

static void note_mention(Core **child, void *to) {
  Mentions *s = to;
  Member *m = (*child)->kind == CORE_LOCAL ? member_of(s->x, (*child)->var) : NULL;
  if (m && s->by == SIZE_MAX) m->group->is_bad = true;
  else if (m) s->x->members.items[root_of(s->x, s->by)].root = root_of(s->x, (size_t)(m - s->x->members.items));
  core_each_child(*child, true, note_mention, to);
}

static void make_groups(Letrec *x) {
  for (size_t i = 0; i < x->members.count; i++)
    if (x->members.items[i].lambda) note_mention(&x->members.items[i].lambda->body, &(Mentions){x, i});
  for (size_t i = 0; i < x->members.count; i++) {
    Member *m = &x->members.items[i], *root = &x->members.items[root_of(x, i)];
    if (!root->group) root->group = ARENA_NEW(x->p->arena, Group);
    m->group = root->group;
    m->group->late_count += m->is_late;
    m->group->is_bad |= !m->lambda;
  }
}

/* ---- whether they can be global ------------------------------------------------------------- */

static void note_captured(Letrec *x, Group *g, Var *v) {
  Member *m = member_of(x, v);
  if (m && m->group == g) return;
  for (size_t i = 0; i < g->captured.count; i++)
    if (g->captured.items[i] == v) return;
  bool is_shared = v->is_set || v->starts_unbound || ptrmap_get(&x->local_functions, v);
  if (is_shared || g->captured.count == CAPTURES_MAX) g->is_bad = true;
  else PUSH(x->p->arena, g->captured, v);
}

/* As a value, or with another number of arguments, a function stays what it is if it captures anything. */
static void check_use(Core **child, void *to) {
  Letrec *x = to;
  Core *e = *child;
  bool is_call = e->kind == CORE_CALL && e->a->kind == CORE_LOCAL, is_var = e->kind == CORE_LOCAL || e->kind == CORE_SET;
  Member *m = is_call ? member_of(x, e->a->var) : is_var ? member_of(x, e->var) : NULL;
  if (!m) {
    core_each_child(e, true, check_use, to);
    return;
  }
  if (e->kind == CORE_SET) {
    m->group->set_count++;
    check_use(&e->a, to);
  } else if (!is_call || !m->lambda || e->count != m->lambda->param_count) {
    m->group->is_bad |= m->group->captured.count > 0;
  }
  for (size_t i = 0; i < e->count; i++) check_use(&e->items[i], to);
}

static void check(Letrec *x, Core *scope) {
  for (size_t i = 0; i < x->members.count; i++) {
    const Member *m = &x->members.items[i];
    for (size_t j = 0; m->lambda && j < m->lambda->free.count; j++) note_captured(x, m->group, m->lambda->free.items[j]);
  }
  for (size_t i = 0; i < x->between.count; i++) note_mention(&x->between.items[i], &(Mentions){x, SIZE_MAX});
  check_use(&scope, x);
}

/* Those that nobody mentions before they are bound are known already. */
static bool is_lifted(const Member *m) {
  return m && !m->group->is_bad && m->group->late_count > 0 && m->group->set_count == m->group->late_count;
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
  size_t count = m->group->captured.count;
  Var **params = ARENA_ARRAY(p->arena, Var *, l->param_count + count);
  if (l->param_count) memcpy(params, l->params, l->param_count * sizeof *params);
  m->params = params + l->param_count;
  for (size_t i = 0; i < count; i++) {
    const Var *v = m->group->captured.items[i];
    m->params[i] = core_var(p, v->name, v->span, l);
    m->params[i]->is_param = true;
  }
  l->params = params;
  l->param_count += count;
}

typedef struct Rewrite {
  Letrec *x;
  const Member *in; /* whose function we are in, or NULL */
} Rewrite;

/* What is captured: the variables of the scope, or the parameters of the member we are in, whose group
 * it is, as it mentions no others. */
static void pass_captured(const Rewrite *r, const Member *m, Core *call) {
  size_t count = m->group->captured.count;
  Var **captured = r->in ? r->in->params : m->group->captured.items;
  if (!count) return;
  Core **items = ARENA_ARRAY(r->x->p->arena, Core *, call->count + count);
  if (call->count) memcpy(items, call->items, call->count * sizeof *items);
  for (size_t i = 0; i < count; i++) items[call->count + i] = core_local(r->x->p, call->span, captured[i]);
  call->items = items;
  call->count += count;
}

static void rewrite(Core **child, void *to);

static void rewrite_local(const Rewrite *r, Core *e) {
  const Member *m = member_of(r->x, e->var);
  if (is_lifted(m)) {
    e->kind = CORE_GLOBAL;
    e->global = m->global;
    e->a = NULL;
    m->global->use_count++;
    return;
  }
  for (size_t i = 0; r->in && i < r->in->group->captured.count; i++)
    if (r->in->group->captured.items[i] == e->var) {
      e->var = r->in->params[i];
      return;
    }
}

/* The function of a member has its own variables for what is captured; its binding is gone. */
static bool rewrite_binding(const Rewrite *r, Core **slot) {
  Core *e = *slot;
  const Member *m = e->kind == CORE_LET || e->kind == CORE_SET ? member_of(r->x, e->var) : NULL;
  if (!is_lifted(m)) return false;
  if (e->a) rewrite(&m->lambda->body, &(Rewrite){r->x, m});
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
  const Member *m = is_call ? member_of(r->x, e->a->var) : NULL;
  core_each_child(e, true, rewrite, to);
  if (is_lifted(m)) pass_captured(r, m, e);
  if (e->kind == CORE_LOCAL) rewrite_local(r, e);
}

/* ---- the program ---------------------------------------------------------------------------- */

static void lift(Letrec *x, Core **slot) {
  bool found = false;
  read_scope(x, *slot);
  make_groups(x);
  check(x, *slot);
  for (size_t i = 0; i < x->members.count; i++) {
    if (!is_lifted(&x->members.items[i])) continue;
    make_global(x, &x->members.items[i]);
    found = true;
  }
  if (!found) return;
  rewrite(slot, &(Rewrite){x, NULL});
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
  Core *e = *child;
  bool begins_scope = e->kind == CORE_LET && !e->a && !ptrmap_get(&x->seen, e);
  if (begins_scope) read_scope(x, e);
  core_each_child(e, true, visit, to);
  if (begins_scope) lift(x, child);
}

bool letrec_run(Program *p) {
  Letrec x = {.p = p, .local_functions.arena = p->arena, .seen.arena = p->arena};
  core_each_root(p, note_local_function, &x);
  core_each_root(p, visit, &x);
  return x.changed;
}
