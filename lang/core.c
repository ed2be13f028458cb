/* core.c - building, walking, checking and printing core.
 *
 * core_find_free is the one analysis here that several passes need: who owns each variable, who
 * captures it, and what each closure must carry. It runs after every pass that moves code. */
#include "core.h"
#include "expand.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- construction ------------------------------------------------------------------------ */

Core *core_new(Program *p, CoreKind kind, Span span) {
  Core *e = ARENA_NEW(p->arena, Core);
  e->kind = kind;
  e->span = span;
  return e;
}

Core *core_const(Program *p, Datum *d) {
  Core *e = core_new(p, CORE_CONST, d->span);
  e->datum = d;
  return e;
}

Core *core_int(Program *p, Span span, int64_t n) {
  Datum *d = datum_new(p->arena, DATUM_INT, span);
  d->integer = n;
  return core_const(p, d);
}

Core *core_nil(Program *p, Span span) {
  return core_const(p, datum_list(p->arena, span, true, NULL, 0));
}

Core *core_local(Program *p, Span span, Var *v) {
  Core *e = core_new(p, CORE_LOCAL, span);
  e->var = v;
  return e;
}

Core *core_let(Program *p, Span span, Var *v, Core *init, Core *body) {
  Core *e = core_new(p, CORE_LET, span);
  e->var = v;
  e->a = init;
  e->b = body;
  return e;
}

Core *core_if(Program *p, Span span, Core *c, Core *t, Core *f) {
  Core *e = core_new(p, CORE_IF, span);
  e->a = c;
  e->b = t;
  e->d = f;
  return e;
}

Core *core_prim(Program *p, Span span, const char *name, size_t count, ...) {
  Core *e = core_new(p, CORE_PRIM, span);
  e->prim = prim_find(name);
  if (!e->prim) diag_bug(p->diag, span, "core", "no primitive `%s` in the table", name);
  e->count = count;
  e->items = ARENA_ARRAY(p->arena, Core *, count);
  va_list ap;
  va_start(ap, count);
  for (size_t i = 0; i < count; i++) e->items[i] = va_arg(ap, Core *);
  va_end(ap);
  return e;
}

Core *core_seq(Program *p, Span span, Core **items, size_t count) {
  if (count == 0) return core_nil(p, span);
  if (count == 1) return items[0];
  Core *e = core_new(p, CORE_SEQ, span);
  e->items = items;
  e->count = count;
  e->spans = ARENA_ARRAY(p->arena, Span, count);
  for (size_t i = 0; i < count; i++) e->spans[i] = items[i]->span;
  return e;
}

Var *core_var(Program *p, const char *name, Span span, Lambda *owner) {
  Var *v = ARENA_NEW(p->arena, Var);
  v->name = name;
  v->span = span;
  v->owner = owner;
  v->id = p->next_id++;
  return v;
}

/* (+ a b c) is (%add (%add a b) c): arguments have no effect on each other's evaluation. */
static void nest_binary(Program *p, Core *e) {
  const char *binary = e->prim->binary;
  Core *sum = e->items[0];
  for (size_t i = 1; i < e->count; i++) sum = core_prim(p, e->span, binary, 2, sum, e->items[i]);
  *e = *sum;
}

bool core_settle_prim(Program *p, Core *e) {
  const Prim *prim = e->a->kind == CORE_GLOBAL ? e->a->global->prim : NULL;
  if (!prim || e->a->global->kind != GLOBAL_PRIM) return false;
  if (e->count < prim->min || (prim->max != PRIM_ANY && e->count > prim->max)) return false;
  e->kind = CORE_PRIM;
  e->prim = prim_fixed(prim, e->count);
  e->a = NULL;
  if (prim->binary && e->count >= 2) nest_binary(p, e);
  else if (e->count == 1 && !strcmp(prim->name, "-")) e->prim = prim_find("%neg");
  return true;
}

/* ---- the text ----------------------------------------------------------------------------- */

static int by_span(const void *a, const void *b) {
  Span x = (*(Lambda *const *)a)->span, y = (*(Lambda *const *)b)->span;
  if (x.file != y.file) return x.file < y.file ? -1 : 1;
  if (x.start != y.start) return x.start < y.start ? -1 : 1;
  return x.end > y.end ? -1 : x.end < y.end;
}

/* Sorts the functions of the text, outer before inner, and notes who is within whom. */
static void index_written(Program *p) {
  if (p->written.count) qsort(p->written.items, p->written.count, sizeof *p->written.items, by_span);
  Lambda *open = NULL;
  for (size_t i = 0; i < p->written.count; i++) {
    Lambda *l = p->written.items[i];
    while (open && (open->span.file != l->span.file || open->span.end < l->span.end)) open = open->within;
    l->within = open;
    open = l;
  }
  p->is_written_indexed = true;
}

Lambda *core_function_at(Program *p, Span span) {
  if (!p->is_written_indexed) index_written(p);
  size_t lo = 0, hi = p->written.count; /* the last that starts at or before the span */
  while (lo < hi) {
    size_t mid = (lo + hi) / 2;
    Span s = p->written.items[mid]->span;
    if (s.file < span.file || (s.file == span.file && s.start <= span.start)) lo = mid + 1;
    else hi = mid;
  }
  Lambda *l = lo ? p->written.items[lo - 1] : NULL;
  while (l && (l->span.file != span.file || l->span.end < span.end)) l = l->within;
  return l;
}

/* ---- free variables ---------------------------------------------------------------------- */

static void own(Lambda *owner, Var *v) {
  v->owner = owner;
  v->is_captured = false;
  v->is_set = false;
  v->known = NULL;
  v->use_count = 0;
}

static void enter(Lambda *l, Lambda *parent) {
  l->parent = parent;
  l->free.count = 0;
  for (size_t i = 0; i < l->param_count; i++) {
    own(l, l->params[i]);
    l->params[i]->is_param = true;
  }
}

static void add_free(Program *p, Lambda *l, Var *v) {
  for (size_t i = l->free.count; i-- > 0;)
    if (l->free.items[i] == v) return;
  PUSH(p->arena, l->free, v);
}

static void use_var(Program *p, Lambda *in, Var *v) {
  for (Lambda *l = in; l != v->owner; l = l->parent) {
    if (!l) diag_bug(p->diag, v->span, "core", "variable `%s.%u` used out of scope", v->name, v->id);
    v->is_captured = true;
    add_free(p, l, v);
  }
}

/* One walk, since a binder comes before all uses: it says who owns its variable; every use tells the
 * lambdas between it and the owner. */
typedef struct ScopeWalk {
  Program *p;
  Lambda *in;
} ScopeWalk;

static void visit_scope(Core **child, void *to) {
  ScopeWalk *w = to;
  Core *e = *child;
  switch (e->kind) {
  case CORE_LOCAL:
    e->var->use_count++;
    use_var(w->p, w->in, e->var);
    break;
  case CORE_GLOBAL: e->global->use_count++; break;
  case CORE_SET:
    e->var->is_set = true;
    e->var->known = NULL;
    use_var(w->p, w->in, e->var);
    break;
  case CORE_LET:
    own(w->in, e->var);
    if (e->a && e->a->kind == CORE_LAMBDA) e->var->known = e->a;
    break;
  case CORE_LOOP:
    for (size_t i = 0; i < e->loop->count; i++) own(w->in, e->loop->vars[i]);
    break;
  case CORE_LAMBDA:
  case CORE_BLOCK:
    if (!e->lambda) return;
    enter(e->lambda, w->in);
    visit_scope(&e->lambda->body, &(ScopeWalk){w->p, e->lambda});
    return;
  default: break;
  }
  core_each_child(e, true, visit_scope, to);
}

void core_each_root(Program *p, void (*visit)(Core **root, void *to), void *to) {
  for (size_t i = 0; i < p->globals.count; i++) {
    Global *g = p->globals.items[i];
    if (g->kind != GLOBAL_FUNCTION || !g->lambda) continue;
    Core fun = {.kind = CORE_LAMBDA, .span = g->lambda->span, .lambda = g->lambda}, *root = &fun;
    visit(&root, to);
  }
  for (size_t i = 0; i < p->tops.count; i++) visit(&p->tops.items[i].core, to);
}

void core_find_free(Program *p) {
  for (size_t i = 0; i < p->globals.count; i++) p->globals.items[i]->use_count = 0;
  core_each_root(p, visit_scope, &(ScopeWalk){p, NULL});
  for (size_t i = 0; i < p->globals.count; i++) /* what a redefined name starts with */
    if (p->globals.items[i]->library) p->globals.items[i]->library->use_count++;
}

void core_find_free_of(Program *p, Core **root) {
  visit_scope(root, &(ScopeWalk){p, NULL});
}

/* ---- reachability ---------------------------------------------------------------------------- */

typedef VEC(Global *) GlobalVec;
typedef struct Reach {
  Program *p;
  GlobalVec work;
} Reach;

static void reach(Reach *r, Global *g) {
  if (!g || g->is_reachable) return;
  g->is_reachable = true;
  PUSH(r->p->arena, r->work, g);
}

static void reach_node(Core **child, void *to) {
  Reach *r = to;
  Core *e = *child;
  if (e->kind == CORE_GLOBAL || e->kind == CORE_DEF) reach(r, e->global);
  core_each_child(e, true, reach_node, to);
}

void core_find_reachable(Program *p) {
  Reach r = {.p = p};
  for (size_t i = 0; i < p->globals.count; i++) p->globals.items[i]->is_reachable = false;
  for (size_t i = 0; i < p->tops.count; i++) reach_node(&p->tops.items[i].core, &r);
  for (size_t i = 0; i < p->globals.count; i++)
    if (p->globals.items[i]->is_open) reach(&r, p->globals.items[i]);
  while (r.work.count > 0) {
    Global *g = r.work.items[--r.work.count];
    if (g->kind == GLOBAL_FUNCTION && g->lambda) reach_node(&g->lambda->body, &r);
    if (g->kind == GLOBAL_VARIABLE) reach(&r, g->library);
  }
}

/* ---- checking ---------------------------------------------------------------------------- */

typedef struct CheckWalk {
  Program *p;
  const char *pass;
  Lambda *in;
} CheckWalk;

static void check_node(CheckWalk *w, Core *e) {
#define REQUIRE(cond)                                                                         \
  if (!(cond)) diag_bug(w->p->diag, e->span, w->pass, "invariant broken: %s", #cond)
  switch (e->kind) {
  case CORE_CONST: REQUIRE(e->datum); break;
  case CORE_LOCAL: REQUIRE(e->var); break;
  case CORE_GLOBAL: REQUIRE(e->global); break;
  case CORE_SET: REQUIRE(e->var && e->a && e->var->is_set); break;
  case CORE_DEF: REQUIRE(e->global && e->a && e->global->kind == GLOBAL_VARIABLE); break;
  case CORE_LAMBDA: REQUIRE(e->lambda && e->lambda->body); break;
  case CORE_CALL: REQUIRE(e->a); break;
  case CORE_PRIM:
    REQUIRE(e->prim && e->count >= e->prim->min);
    REQUIRE(e->prim->max == PRIM_ANY || e->count <= e->prim->max);
    break;
  case CORE_IF: REQUIRE(e->a && e->b && e->d); break;
  case CORE_SEQ: REQUIRE(e->count >= 1); break;
  case CORE_LET: REQUIRE(e->var && e->b && e->var->owner == w->in); break;
  case CORE_LOOP: REQUIRE(e->loop && e->b && e->count == e->loop->count); break;
  case CORE_RECUR: REQUIRE(e->loop && e->count == e->loop->count); break;
  case CORE_BLOCK: REQUIRE(e->datum && e->lambda); break;
  case CORE_NAME: REQUIRE(!"a name left after resolve"); break;
  }
#undef REQUIRE
}

static void visit_check(Core **child, void *to) {
  CheckWalk *w = to;
  check_node(w, *child);
  Lambda *l = (*child)->kind == CORE_LAMBDA || (*child)->kind == CORE_BLOCK ? (*child)->lambda : w->in;
  core_each_child(*child, true, visit_check, &(CheckWalk){w->p, w->pass, l});
}

void core_check(Program *p, const char *pass) {
  core_each_root(p, visit_check, &(CheckWalk){p, pass, NULL});
}

/* ---- dump: (let x.3 (lambda f (n.1) ...) body), one form a line, indented ------------------ */

typedef struct Dump {
  void (*put)(void *to, const char *s, size_t n);
  void *to;
  Arena *arena;
} Dump;

static void put_text(Dump *d, const char *s) { d->put(d->to, s, strlen(s)); }

static void put_line(Dump *d, unsigned indent) {
  put_text(d, "\n");
  for (unsigned i = 0; i < indent; i++) put_text(d, "  ");
}

static void put_var(Dump *d, const Var *v) {
  char buf[24];
  put_text(d, v->name && *v->name ? v->name : "t");
  snprintf(buf, sizeof buf, ".%u", v->id);
  put_text(d, buf);
}

static void dump_expr(Dump *d, const Core *e, unsigned indent);

static void dump_child(Dump *d, const Core *e, unsigned indent) {
  bool is_leaf = e->kind == CORE_CONST || e->kind == CORE_LOCAL || e->kind == CORE_GLOBAL;
  if (is_leaf) put_text(d, " ");
  else put_line(d, indent);
  dump_expr(d, e, indent);
}

static void dump_items(Dump *d, const Core *e, unsigned indent) {
  for (size_t i = 0; i < e->count; i++) dump_child(d, e->items[i], indent);
}

static void dump_lambda(Dump *d, const Lambda *l, unsigned indent) {
  put_text(d, l->name ? l->name : "_");
  put_text(d, " (");
  for (size_t i = 0; i < l->param_count; i++) {
    if (i) put_text(d, " ");
    if (l->has_rest && i + 1 == l->param_count) put_text(d, "& ");
    put_var(d, l->params[i]);
  }
  put_text(d, ")");
  for (size_t i = 0; i < l->free.count; i++) {
    put_text(d, i ? " " : " free: ");
    put_var(d, l->free.items[i]);
  }
  dump_child(d, l->body, indent + 1);
}

static void dump_expr(Dump *d, const Core *e, unsigned indent) {
  switch (e->kind) {
  case CORE_CONST: put_text(d, datum_to_string(d->arena, e->datum)); return;
  case CORE_LOCAL:
    put_var(d, e->var);
    if (!e->a) return;
    put_text(d, "?(");
    dump_expr(d, e->a, indent + 1);
    put_text(d, ")");
    return;
  case CORE_GLOBAL: put_text(d, e->global->name); return;
  case CORE_NAME: put_text(d, e->name->text); return;
  default: break;
  }
  put_text(d, "(");
  switch (e->kind) {
  case CORE_SET: put_text(d, "set "), put_var(d, e->var); break;
  case CORE_DEF: put_text(d, e->is_def ? "def " : "= "), put_text(d, e->global->name); break;
  case CORE_LAMBDA: put_text(d, "lambda "), dump_lambda(d, e->lambda, indent); break;
  case CORE_BLOCK:
    put_text(d, "block "), put_text(d, datum_to_string(d->arena, e->datum)), put_text(d, " ");
    dump_lambda(d, e->lambda, indent);
    break;
  case CORE_CALL: put_text(d, "call"); break;
  case CORE_PRIM: put_text(d, e->prim->name); break;
  case CORE_IF: put_text(d, "if"); break;
  case CORE_SEQ: put_text(d, "seq"); break;
  case CORE_LET: put_text(d, "let "), put_var(d, e->var); break;
  case CORE_LOOP:
    put_text(d, "loop");
    for (size_t i = 0; i < e->loop->count; i++) put_text(d, " "), put_var(d, e->loop->vars[i]);
    break;
  case CORE_RECUR: put_text(d, "recur"); break;
  default: break;
  }
  if (e->a) dump_child(d, e->a, indent + 1);
  dump_items(d, e, indent + 1);
  if (e->b) dump_child(d, e->b, indent + 1);
  if (e->d) dump_child(d, e->d, indent + 1);
  put_text(d, ")");
}

void core_dump(Program *p, void (*put)(void *to, const char *s, size_t n), void *to) {
  Dump d = {put, to, p->arena};
  for (size_t i = 0; i < p->globals.count; i++) {
    Global *g = p->globals.items[i];
    if (g->kind != GLOBAL_FUNCTION || !g->lambda) continue;
    put_text(&d, "(fun ");
    dump_lambda(&d, g->lambda, 0);
    put_text(&d, ")\n");
  }
  for (size_t i = 0; i < p->tops.count; i++) {
    dump_expr(&d, p->tops.items[i].core, 0);
    put_text(&d, "\n");
  }
}
