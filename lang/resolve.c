/* resolve.c - every name becomes a variable, a global or a primitive.
 *
 * in:    core with CORE_NAME nodes (expand.c)
 * out:   no CORE_NAME; calls of primitives with a fitting number of arguments are CORE_PRIM;
 *        once-assigned frame variables are plain LETs; the library functions in use are expanded
 *        and resolved too; core_find_free has run
 * cost:  linear, but for the join of many variables after a branch
 *
 * "A name read before its first `=` in the frame is the outer one" (LANGUAGE.md 4): a walk in
 * evaluation order knows of each frame variable whether it is unassigned, assigned or maybe
 * assigned where it is read. Assigned: the variable. Unassigned: the outer name. Maybe: a test at
 * run time, the variable starts unbound. A function body may run at any time after its closure is
 * made, so there an unassigned outer variable counts as maybe. An error that ends a sequence never
 * reaches the expressions after it; where a value is used whatever it is (arguments, bindings),
 * what was assigned inside it counts as maybe. */
#include "resolve.h"
#include "expander.h"
#include "lint.h"
#include <string.h>

typedef enum VarState { UNASSIGNED, MAYBE, ASSIGNED } VarState;

struct VarFlow {
  VarState state;
  Lambda *owner;
  unsigned set_count;
  unsigned loop_depth;           /* of its binder */
  unsigned set_at, set_end;      /* when its SET was met, and when the SEQ holding it ended */
  unsigned first_read, last_read;
  bool is_set_elsewhere;         /* by a block, which may run at any time */
  bool is_set_in_loop;           /* deeper in loops than its binder */
  bool is_captured;
  bool is_plain;                 /* decided: its SET becomes a LET */
};

typedef struct Change {
  Var *var;
  VarState old;
} Change;
typedef VEC(Change) Trail;

typedef struct Resolver {
  Program *p;
  Trail trail;
  Lambda *in;
  unsigned loop_depth;
  unsigned data_depth; /* literals around: what may be mere data is not warned about */
  unsigned clock; /* counts nodes in evaluation order */
} Resolver;

static struct VarFlow *flow_of(Resolver *r, Var *v) {
  if (!v->flow) {
    v->flow = ARENA_NEW(r->p->arena, struct VarFlow);
    v->flow->first_read = UINT32_MAX;
  }
  return v->flow;
}

/* ---- before the walk: owners and SET counts -------------------------------------------------- */

typedef struct Scan {
  Resolver *r;
  Lambda *in;
  unsigned loop_depth;
} Scan;

static void scan_bind(Scan *s, Var *v, VarState state) {
  struct VarFlow *f = flow_of(s->r, v);
  f->owner = s->in;
  f->loop_depth = s->loop_depth;
  f->state = state;
}

static void scan(Core **child, void *to) {
  Scan s = *(Scan *)to;
  Core *e = *child;
  if (e->kind == CORE_LET) scan_bind(&s, e->var, UNASSIGNED);
  if (e->kind == CORE_SET) {
    struct VarFlow *f = flow_of(s.r, e->var);
    f->set_count++;
    if (f->owner != s.in) f->is_set_elsewhere = true;
    if (s.loop_depth > f->loop_depth) f->is_set_in_loop = true;
  }
  if (e->kind == CORE_LOOP) {
    s.loop_depth++;
    for (size_t i = 0; i < e->loop->count; i++) scan_bind(&s, e->loop->vars[i], ASSIGNED);
  }
  if ((e->kind == CORE_LAMBDA || e->kind == CORE_BLOCK) && e->lambda) {
    s.in = e->lambda;
    for (size_t i = 0; i < e->lambda->param_count; i++) scan_bind(&s, e->lambda->params[i], ASSIGNED);
  }
  core_each_child(e, true, scan, &s);
}

/* ---- assignment states -------------------------------------------------------------------- */

static void set_state(Resolver *r, Var *v, VarState state) {
  struct VarFlow *f = flow_of(r, v);
  if (f->state == state) return;
  Change c = {v, f->state};
  PUSH(r->p->arena, r->trail, c);
  f->state = state;
}

static void undo_to(Resolver *r, size_t mark) {
  while (r->trail.count > mark) {
    Change c = r->trail.items[--r->trail.count];
    c.var->flow->state = c.old;
  }
}

static VarState join(VarState a, VarState b) { return a == b ? a : MAYBE; }

/* What was assigned since mark may not have been, seen from after it. */
static void demote_since(Resolver *r, size_t mark) {
  size_t end = r->trail.count;
  for (size_t i = mark; i < end; i++) {
    Change c = r->trail.items[i];
    if (c.var->flow->state == ASSIGNED) set_state(r, c.var, MAYBE);
  }
}

static VarState state_here(Resolver *r, Var *v) {
  struct VarFlow *f = flow_of(r, v);
  bool any_time = f->owner != r->in || f->is_set_elsewhere;
  return f->state == UNASSIGNED && any_time && f->set_count > 0 ? MAYBE : f->state;
}

/* ---- names -------------------------------------------------------------------------------- */

static Core *resolve_name(Resolver *r, const NameRef *ref, Span span, const Scope *from);

static Core *global_node(Resolver *r, Global *g, Span span) {
  if (g->is_pending) expand_library_global(r->p, g);
  Core *e = core_new(r->p, CORE_GLOBAL, span);
  e->global = g;
  return e;
}

static void warn_unknown(Resolver *r, const NameRef *ref, Span span) {
  DiagNearest near = {.name = ref->text};
  for (const Scope *s = ref->scope; s; s = s->parent)
    for (size_t i = 0; i < s->vars.count; i++) diag_consider(&near, s->vars.items[i]->name);
  for (size_t i = 0; i < r->p->globals.count; i++) {
    Global *g = r->p->globals.items[i];
    if (!g->is_library && g->def_count > 0) diag_consider(&near, g->name);
  }
  library_consider(r->p, &near);
  diag_warning(r->p->diag, span, "unknown name `%s`", ref->text);
  if (near.best) diag_note(r->p->diag, NO_SPAN, "did you mean `%s`?", near.best);
}

/* A function that runs later, when the program's own function of that name is there, means the library's all the same. */
static void warn_early(Resolver *r, const NameRef *ref, Global *user, Span span) {
  if (!r->in || !user->is_top_fun || user->is_used_early || ref->is_quiet) return;
  user->is_used_early = true;
  diag_warning(r->p->diag, span, "`%s` is the library's here: the program's own is known from its definition on", ref->text);
  diag_note(r->p->diag, user->span, "it is defined here");
}

static Core *resolve_global(Resolver *r, const NameRef *ref, Span span) {
  unsigned seq = 0;
  Global *user = ref->is_library ? NULL : module_find(r->p, ref->module, ref->text, &seq);
  Global *library = library_find(r->p, ref->text);
  if (library && !ref->is_library && ref->text[0] == '%' && ref->text[1]) library = NULL;
  if (user && (!library || ref->seq >= seq)) return global_node(r, user, span);
  if (library && user) warn_early(r, ref, user, span);
  if (library) return global_node(r, library, span);
  int64_t value;
  bool is_nil;
  if (library_constant(ref->text, &value, &is_nil))
    return is_nil ? core_nil(r->p, span) : core_int(r->p, span, value);
  if (ref->is_library) diag_bug(r->p->diag, span, "resolve", "std uses the unknown name `%s`", ref->text);
  if (!ref->is_quiet && !module_reports_private(r->p, ref->module, ref->text, span)) warn_unknown(r, ref, span);
  return global_node(r, module_global(r->p, ref->module, ref->text), span);
}

static Core *resolve_name(Resolver *r, const NameRef *ref, Span span, const Scope *from) {
  for (const Scope *s = from; s; s = s->parent) {
    Var *v = scope_find(s, ref->text);
    if (!v) continue;
    struct VarFlow *f = flow_of(r, v);
    VarState state = state_here(r, v);
    if (state == UNASSIGNED) continue;
    if (f->owner != r->in) f->is_captured = true;
    if (f->first_read == UINT32_MAX) f->first_read = r->clock;
    f->last_read = r->clock;
    Core *e = core_local(r->p, span, v);
    if (state == MAYBE) {
      v->starts_unbound = true;
      e->a = resolve_name(r, ref, span, s->parent);
    }
    return e;
  }
  return resolve_global(r, ref, span);
}

/* ---- calls -------------------------------------------------------------------------------- */

static void warn_too_many(Resolver *r, Core *e, const char *name, size_t max, Span defined) {
  if (r->data_depth > 0) return;
  diag_warning(r->p->diag, e->span, "`%s` takes %zu argument%s, got %u", name, max, max == 1 ? "" : "s",
               e->count);
  if (defined.file != NO_FILE) diag_note(r->p->diag, defined, "`%s` is defined here", name);
}

static void settle_call(Resolver *r, Core *e) {
  if (e->count == 0 && e->a->kind == CORE_CONST) { /* {5} as a branch */
    *e = *e->a;
    return;
  }
  if (e->a->kind != CORE_GLOBAL) return;
  Global *g = e->a->global;
  if (g->kind == GLOBAL_FUNCTION && g->lambda && !g->lambda->has_rest && e->count > g->lambda->param_count)
    warn_too_many(r, e, g->name, g->lambda->param_count, g->is_library ? NO_SPAN : g->span);
  if (g->kind != GLOBAL_PRIM) return;
  if (g->prim->max != PRIM_ANY && e->count > g->prim->max) warn_too_many(r, e, g->name, g->prim->max, NO_SPAN);
  core_settle_prim(r->p, e);
}

/* ---- the walk ----------------------------------------------------------------------------- */

static void walk(Resolver *r, Core **slot);

static void walk_value(Resolver *r, Core **slot) { /* used even if it is an error */
  size_t mark = r->trail.count;
  walk(r, slot);
  if (r->trail.count > mark) demote_since(r, mark);
}

static void walk_if(Resolver *r, Core *e) {
  walk(r, &e->a);
  size_t mark = r->trail.count;
  walk(r, &e->b);
  size_t n = r->trail.count - mark;
  Change *then = ARENA_ARRAY(r->p->arena, Change, n);
  for (size_t i = 0; i < n; i++)
    then[i] = (Change){r->trail.items[mark + i].var, r->trail.items[mark + i].var->flow->state};
  undo_to(r, mark);
  walk(r, &e->d);
  size_t end = r->trail.count;
  for (size_t i = mark; i < end; i++) { /* assigned in the else branch: join with before */
    Change c = r->trail.items[i];
    bool in_then = false;
    for (size_t j = 0; j < n && !in_then; j++) in_then = then[j].var == c.var;
    if (!in_then) set_state(r, c.var, join(c.old, c.var->flow->state));
  }
  for (size_t j = 0; j < n; j++) set_state(r, then[j].var, join(then[j].old, then[j].var->flow->state));
}

static bool is_function_set(const Core *e) { return e->kind == CORE_SET && e->a->kind == CORE_LAMBDA; }

/* Functions bound one after the other see each other: none can run before all are bound. */
static size_t walk_function_sets(Resolver *r, Core *e, size_t i) {
  size_t end = i;
  while (end < e->count && is_function_set(e->items[end])) end++;
  for (size_t j = i; j < end; j++) set_state(r, e->items[j]->var, ASSIGNED);
  for (size_t j = i; j < end; j++) { /* a read before set_at is one by an earlier function */
    flow_of(r, e->items[j]->var)->set_at = ++r->clock;
    walk(r, &e->items[j]->a);
  }
  return end;
}

static Core *flatten(Resolver *r, Core *e);

static void walk_seq(Resolver *r, Core **slot) {
  Core *e = flatten(r, *slot);
  *slot = e;
  if (e->kind != CORE_SEQ) {
    walk(r, slot);
    return;
  }
  for (size_t i = 0; i < e->count;) {
    if (is_function_set(e->items[i])) i = walk_function_sets(r, e, i);
    else walk(r, &e->items[i++]);
  }
  for (size_t i = 0; i < e->count; i++)
    if (e->items[i]->kind == CORE_SET) flow_of(r, e->items[i]->var)->set_end = r->clock;
}

/* Sequences in a sequence become one. A compiler-made LET around a sequence (several names bound
 * at once) takes the rest of the items in, so that what it binds is seen by them. */
static Core *flatten(Resolver *r, Core *e) {
  VEC(Core *) out = {0};
  Arena *a = r->p->arena;
  for (size_t i = 0; i < e->count; i++) {
    Core *item = e->items[i];
    if (item->kind == CORE_SEQ) {
      item = flatten(r, item);
      if (item->kind == CORE_SEQ) {
        for (size_t j = 0; j < item->count; j++) PUSH(a, out, item->items[j]);
        continue;
      }
    }
    bool binds = item->kind == CORE_LET && item->a && !*item->var->name && i + 1 < e->count;
    Core *last = item;
    while (binds && last->b->kind == CORE_LET && last->b->a && !*last->b->var->name) last = last->b;
    if (binds && last->b->kind == CORE_SEQ && last->b->items[0]->kind == CORE_SET) {
      size_t rest = e->count - i - 1;
      Core **items = ARENA_ARRAY(a, Core *, rest + 1);
      items[0] = last->b;
      memcpy(items + 1, e->items + i + 1, rest * sizeof *items);
      last->b = core_seq(r->p, e->span, items, rest + 1);
      PUSH(a, out, item);
      break;
    }
    PUSH(a, out, item);
  }
  Core *flat = core_seq(r->p, e->span, out.items, out.count);
  return flat;
}

static void walk_set(Resolver *r, Core *e) {
  struct VarFlow *f = flow_of(r, e->var);
  f->set_at = r->clock;
  f->set_end = r->clock;
  if (e->a->kind == CORE_LAMBDA && f->owner == r->in) set_state(r, e->var, ASSIGNED);
  walk_value(r, &e->a);
  set_state(r, e->var, ASSIGNED);
}

static void demote_sets(Core **child, void *to) {
  Core *e = *child;
  Resolver *r = to;
  if (e->kind == CORE_SET && flow_of(r, e->var)->state == UNASSIGNED && flow_of(r, e->var)->owner == r->in &&
      flow_of(r, e->var)->loop_depth <= r->loop_depth)
    set_state(r, e->var, MAYBE);
  core_each_child(e, false, demote_sets, to);
}

/* The second round sees what the first assigned. */
static void walk_loop(Resolver *r, Core *e) {
  for (size_t i = 0; i < e->count; i++) walk_value(r, &e->items[i]);
  demote_sets(&e->b, r);
  r->loop_depth++;
  walk(r, &e->b);
  r->loop_depth--;
}

static void walk_lambda(Resolver *r, Lambda *l) {
  Lambda *outer = r->in;
  unsigned depth = r->loop_depth;
  size_t mark = r->trail.count;
  r->in = l;
  r->loop_depth = 0;
  walk(r, &l->body);
  undo_to(r, mark);
  r->in = outer;
  r->loop_depth = depth;
}

static void walk(Resolver *r, Core **slot) {
  Core *e = *slot;
  r->clock++;
  switch (e->kind) {
  case CORE_NAME: *slot = resolve_name(r, e->name, e->span, e->name->scope); return;
  case CORE_SEQ: walk_seq(r, slot); return;
  case CORE_SET: walk_set(r, e); return;
  case CORE_IF: walk_if(r, e); return;
  case CORE_LOOP: walk_loop(r, e); return;
  case CORE_LAMBDA: walk_lambda(r, e->lambda); return;
  case CORE_BLOCK:
    r->data_depth++;
    walk_lambda(r, e->lambda);
    r->data_depth--;
    return;
  case CORE_LET:
    if (e->a) {
      walk_value(r, &e->a);
      set_state(r, e->var, ASSIGNED);
    }
    walk(r, &e->b);
    return;
  case CORE_CONST:
  case CORE_LOCAL:
  case CORE_GLOBAL:
  case CORE_DEF:
  case CORE_CALL:
  case CORE_PRIM:
  case CORE_RECUR: break;
  }
  if (e->a) walk_value(r, &e->a);
  for (size_t i = 0; i < e->count; i++) walk_value(r, &e->items[i]);
  if (e->kind == CORE_CALL) settle_call(r, e);
}

/* ---- after the walk: SETs that are LETs ------------------------------------------------------ */

static bool is_plain(const Var *v) {
  const struct VarFlow *f = v->flow;
  if (f->set_count != 1 || f->is_set_elsewhere || v->starts_unbound) return false;
  if (f->set_end <= f->set_at && f->first_read != UINT32_MAX) return false; /* not an item of a SEQ */
  if (f->first_read < f->set_at) return false;
  if (f->first_read != UINT32_MAX && f->last_read > f->set_end) return false;
  return !(f->is_set_in_loop && f->is_captured);
}

static void plain_lets(Core **child, void *to) {
  Resolver *r = to;
  Core *e = *child;
  while (e->kind == CORE_LET && !e->a) {
    if (!e->var->flow->set_count) { /* its definition was not code after all */
      *child = e = e->b;
      continue;
    }
    e->var->flow->is_plain = is_plain(e->var);
    if (!e->var->flow->is_plain) break;
    *child = e = e->b;
  }
  if (e->kind == CORE_SEQ) {
    for (size_t i = e->count; i-- > 0;) {
      Core *s = e->items[i];
      if (s->kind != CORE_SET || !s->var->flow->is_plain) continue;
      /* items[i] = SET v x; rest  ->  LET v x (SEQ rest) */
      size_t rest = e->count - i - 1;
      Core *body = rest ? core_seq(r->p, e->span, e->items + i + 1, rest) : core_nil(r->p, s->span);
      e->items[i] = core_let(r->p, s->span, s->var, s->a, body);
      e->count = i + 1;
    }
    if (e->count == 1) *child = e = e->items[0];
  } else if (e->kind == CORE_SET && e->var->flow->is_plain) { /* nobody reads it */
    Core *value = e->a;
    *child = e = core_let(r->p, e->span, e->var, value, core_nil(r->p, e->span));
  }
  core_each_child(e, true, plain_lets, to);
}

/* ---- the whole program ---------------------------------------------------------------------- */

static void resolve_root(Core **root, void *to) {
  Resolver *r = to;
  if ((*root)->kind == CORE_LAMBDA && (*root)->lambda->global) {
    if ((*root)->lambda->global->is_resolved) return;
    (*root)->lambda->global->is_resolved = true;
  }
  Scan s = {r, NULL, 0};
  scan(root, &s);
  r->in = NULL;
  r->trail.count = 0;
  walk(r, root);
}

static void library_tops_first(Program *p) {
  VEC(TopForm) tops = {0};
  for (size_t i = 0; i < p->library_tops.count; i++) PUSH(p->arena, tops, p->library_tops.items[i]);
  for (size_t i = 0; i < p->tops.count; i++) PUSH(p->arena, tops, p->tops.items[i]);
  p->tops.items = tops.items;
  p->tops.count = tops.count;
  p->tops.capacity = tops.capacity;
}

static void resolve_open_root(Program *p, Resolver *r, Core **root) {
  resolve_root(root, r);
  plain_lets(root, r);
  core_find_free_of(p, root);
}

void resolve_forms(Program *p) {
  Resolver r = {.p = p};
  for (size_t i = 0; i < p->tops.count; i++) resolve_root(&p->tops.items[i].core, &r);
  for (size_t i = 0; i < p->library_tops.count; i++) resolve_root(&p->library_tops.items[i].core, &r);
  if (p->library_tops.count) library_tops_first(p);
  p->library_tops.count = 0;
  for (size_t i = 0; i < p->tops.count; i++) {
    plain_lets(&p->tops.items[i].core, &r);
    core_find_free_of(p, &p->tops.items[i].core);
  }
}

void resolve_function(Program *p, Global *g) {
  if (g->is_resolved || !g->lambda) return;
  Resolver r = {.p = p};
  Core fun = {.kind = CORE_LAMBDA, .span = g->lambda->span, .lambda = g->lambda}, *root = &fun;
  resolve_open_root(p, &r, &root);
}

Global *resolve_library_function(Program *p, const char *name) {
  Global *g = library_find(p, name_c(p->names, name));
  if (!g || g->kind != GLOBAL_FUNCTION) return NULL;
  if (g->is_pending) expand_library_global(p, g);
  resolve_function(p, g);
  return g;
}

/* Library code is expanded when a name first leads to it, which adds globals and top forms while
 * the roots are walked; both lists are walked to their ends. */
void resolve_run(Program *p) {
  Resolver r = {.p = p};
  core_each_root(p, resolve_root, &r); /* the user's forms first: their warnings come in order */
  for (size_t i = 0, functions = 0; functions < p->globals.count || i < p->library_tops.count;) {
    for (; i < p->library_tops.count; i++) resolve_root(&p->library_tops.items[i].core, &r);
    for (; functions < p->globals.count; functions++) {
      Global *g = p->globals.items[functions];
      if (g->library && g->kind == GLOBAL_VARIABLE && g->library->is_pending) expand_library_global(p, g->library);
      if (!g->lambda) continue;
      Core fun = {.kind = CORE_LAMBDA, .lambda = g->lambda}, *root = &fun;
      resolve_root(&root, &r);
    }
  }
  library_tops_first(p);
  core_each_root(p, plain_lets, &r);
  core_find_free(p);
  core_find_reachable(p);
  lint_run(p);
  open_world_run(p);
}
