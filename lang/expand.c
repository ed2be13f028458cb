/* expand.c - from data to core: what is code, what is data, and which frame `=` binds in.
 *
 * in:    data with spans (read.c)
 * out:   core whose variables of `\ let for ...` are unique objects and whose other names are
 *        CORE_NAME nodes carrying their scope; resolve.c binds those, because a closure sees
 *        what its frame binds later
 * keeps: LANGUAGE.md 3 "Blocks" is here and in forms.c, and nowhere else
 * cost:  linear in the text
 *
 * A literal {..} in expression position is data; whether it is code as well (CORE_BLOCK) is known
 * only when the whole program has been seen to use `eval` or not, so those are kept in a list and
 * expanded last, each with the scope where it stands. */
#include "expander.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <unistd.h>

/* ---- scopes ------------------------------------------------------------------------------ */

Scope *scope_new(Expander *x, int kind, Ctx ctx) {
  Scope *s = ARENA_NEW(x->p->arena, Scope);
  s->kind = kind;
  s->parent = ctx.scope;
  s->is_library = ctx.is_library;
  return s;
}

enum { SCOPE_SEARCHED_MAX = 16 };

static void index_scope(Expander *x, Scope *s) {
  s->last = ARENA_NEW(x->p->arena, PtrMap);
  s->last->arena = x->p->arena;
  for (size_t i = 0; i < s->vars.count; i++) ptrmap_put(s->last, s->vars.items[i]->name, s->vars.items[i]);
}

Var *scope_add(Expander *x, Scope *s, const char *name, Span span) {
  Var *v = core_var(x->p, name, span, NULL);
  PUSH(x->p->arena, s->vars, v);
  if (s->last) ptrmap_put(s->last, name, v);
  else if (s->vars.count > SCOPE_SEARCHED_MAX) index_scope(x, s);
  return v;
}

Var *scope_find(const Scope *s, const char *name) {
  if (s->last) return ptrmap_get(s->last, name);
  for (size_t i = s->vars.count; i-- > 0;)
    if (s->vars.items[i]->name == name) return s->vars.items[i];
  return NULL;
}

static bool is_bound_locally(const Scope *s, const char *name) {
  for (; s; s = s->parent)
    if (scope_find(s, name)) return true;
  return false;
}

/* The variables added to s from now on are bound around *body when the batch ends. */
void frame_add(Expander *x, Scope *s, Core **body) {
  Frame f = {s, body, s->vars.count};
  PUSH(x->p->arena, x->frames, f);
}

/* ---- globals ----------------------------------------------------------------------------- */

/* `eval` of a function above is not the one defined here, though the program may look so. */
static void note_form_used(Expander *x, const Datum *head, Ctx ctx) {
  bool is_text = !ctx.is_library && !ctx.is_quiet && x->expansion_depth == 0;
  if (is_text && !x->p->is_open && !ptrmap_get(&x->forms_used, head->text)) ptrmap_put(&x->forms_used, head->text, (void *)head);
}

static void warn_of_form(Expander *x, const char *name, Span span) {
  const Datum *used = x->p->is_open || x->p->is_compile_time ? NULL : ptrmap_get(&x->forms_used, name);
  if (!used || used->span.file != span.file) return;
  diag_warning(x->p->diag, span, "above this definition, `%s` is the special form", name);
  diag_note(x->p->diag, used->span, "here, for one");
}

Global *global_define(Expander *x, const char *name, Span span, Ctx ctx, bool is_top_fun) {
  if (ctx.is_library) {
    Global *g = library_find(x->p, name);
    if (g) return g;
    diag_bug(x->p->diag, span, "expand", "std defines `%s` inside another definition", name);
  }
  Global *g = module_global(x->p, ctx.module, name);
  if (!x->p->is_compile_time && ctx.module->macros.count) ptrmap_put(&ctx.module->macros, name, NULL);
  if (x->p->is_open) g->kind = GLOBAL_VARIABLE;
  if (g->def_count++ == 0) {
    warn_of_form(x, name, span);
    g->span = span;
    g->def_seq = ++x->seq;
    g->library = library_find(x->p, name);
    if (g->library && (g->name[0] == '%' || ctx.module->name)) g->library = NULL;
  }
  if (is_top_fun) g->is_top_fun = true;
  return g;
}

/* A name means a special form unless something nearer binds it. */
static const Form *find_form(Expander *x, const Datum *head, Ctx ctx) {
  if (head->kind != DATUM_SYMBOL) return NULL;
  const Form *f = ptrmap_get(&x->forms, head->text);
  if (!f || is_bound_locally(ctx.scope, head->text)) return NULL;
  if (ctx.is_library) return f;
  unsigned seq;
  return module_find(x->p, ctx.module, head->text, &seq) ? NULL : f;
}

/* The same for macros, which hide forms and globals of their name. */
Macro *macro_called(const Datum *d, Ctx ctx) {
  const Datum *head = d->count ? d->items[0] : NULL;
  if (ctx.is_library || !head || head->kind != DATUM_SYMBOL) return NULL;
  Macro *m = module_macro(ctx.module, head->text);
  return m && !is_bound_locally(ctx.scope, head->text) ? m : NULL;
}

HeadKind expand_head_kind(Program *p, Module *m, const char *name) {
  unsigned seq;
  if (module_macro(m, name)) return HEAD_MACRO;
  const Form *f = ptrmap_get(&p->expander->forms, name);
  return f && f->expand && !module_find(p, m, name, &seq) ? HEAD_FORM : HEAD_NAME;
}

unsigned expand_generation(const Program *p) { return p->expander->seq; }

Global *expand_define(Program *p, Module *m, const char *name) {
  Ctx ctx = {.module = m};
  return global_define(p->expander, name, NO_SPAN, ctx, false);
}

/* ---- expressions ------------------------------------------------------------------------- */

Core *expand_fail(Expander *x, Span at) { return core_nil(x->p, at); }

Core *expand_fail_at(Expander *x, const Datum *d, const char *what) {
  diag_error(x->p->diag, d->span, "%s", what);
  return expand_fail(x, d->span);
}

static Core *expand_name(Expander *x, Datum *d, Ctx ctx) {
  if (!ctx.is_library && !ptrmap_get(&x->mentioned, d->text)) {
    ptrmap_put(&x->mentioned, d->text, (void *)d->text);
    if (library_mentions_eval(x->p, d->text)) x->p->uses_eval = true;
  }
  NameRef *ref = ARENA_NEW(x->p->arena, NameRef);
  *ref = (NameRef){d->text, ctx.scope, ctx.module, x->seq, ctx.is_library, ctx.is_quiet};
  Core *e = core_new(x->p, CORE_NAME, d->span);
  e->name = ref;
  return e;
}

/* The literal block, run elsewhere before, that d was made from: it keeps its scope. */
static Core *literal_value(Expander *x, Datum *d) {
  uint64_t word = x->p->literals ? (uint64_t)(uintptr_t)ptrmap_get(x->p->literals, d) : 0;
  if (!word) return NULL;
  Datum *value = datum_new(x->p->arena, DATUM_VALUE, d->span);
  value->word = word;
  return core_const(x->p, value);
}

static Core *expand_literal(Expander *x, Datum *d, Ctx ctx) {
  Core *value = literal_value(x, d);
  if (value) return value;
  Core *e = core_const(x->p, d);
  if (d->count > 0 && !ctx.is_library) {
    Literal lit = {e, ctx_inner(ctx), x->seq};
    PUSH(x->p->arena, x->literals, lit);
  }
  return e;
}

static Core *expand_constructor(Expander *x, Datum *d, const char *prim, Ctx ctx) {
  Core *e = core_prim(x->p, d->span, prim, 0);
  e->count = d->count;
  e->items = ARENA_ARRAY(x->p->arena, Core *, d->count);
  for (size_t i = 0; i < d->count; i++) e->items[i] = expand_expr(x, d->items[i], ctx_inner(ctx));
  return e;
}

static Core *expand_datum(Expander *x, Datum *d, Ctx ctx) {
  switch (d->kind) {
  case DATUM_SYMBOL: return expand_name(x, d, ctx);
  case DATUM_VECTOR: return expand_constructor(x, d, "vec", ctx);
  case DATUM_MAP: return expand_constructor(x, d, "map/of", ctx);
  case DATUM_LIST: return d->is_quoted || d->count == 0 ? expand_literal(x, d, ctx) : expand_call(x, d, ctx);
  case DATUM_INT:
  case DATUM_BIG:
  case DATUM_FLOAT:
  case DATUM_STRING:
  case DATUM_KEYWORD:
  case DATUM_VALUE: break;
  }
  return core_const(x->p, d);
}

Core *expand_expr(Expander *x, Datum *d, Ctx ctx) {
  if (x->depth >= EXPAND_DEPTH_MAX) {
    diag_error(x->p->diag, d->span, "nested too deeply: more than %d levels", EXPAND_DEPTH_MAX);
    if (x->expansion_depth) x->expansions = EXPANSIONS_TOTAL_MAX + 1; /* the macro ends here */
    return expand_fail(x, d->span);
  }
  x->depth++;
  Core *e = expand_datum(x, d, ctx);
  x->depth--;
  return e;
}

static bool check_operands(Expander *x, const Form *f, const Datum *d) {
  size_t n = d->count - 1;
  if (n >= f->min && (f->max == PRIM_ANY || n <= f->max)) return true;
  diag_error(x->p->diag, d->span, "`%s` is written %s", f->name, f->usage);
  return false;
}

Core *expand_call(Expander *x, Datum *d, Ctx ctx) {
  if (d->count == 0) return core_nil(x->p, d->span);
  if (macro_called(d, ctx)) return expand_macro_call(x, d, ctx);
  const Form *f = find_form(x, d->items[0], ctx);
  if (f && f->expand) {
    note_form_used(x, d->items[0], ctx);
    return check_operands(x, f, d) ? f->expand(x, d, ctx) : expand_fail(x, d->span);
  }
  Core *e = core_new(x->p, CORE_CALL, d->span);
  e->is_block_name = d->is_quoted && d->count == 1 && d->items[0]->kind == DATUM_SYMBOL;
  e->a = expand_expr(x, d->items[0], ctx_inner(ctx));
  e->count = d->count - 1;
  e->items = ARENA_ARRAY(x->p->arena, Core *, e->count);
  for (size_t i = 0; i < e->count; i++) e->items[i] = expand_expr(x, d->items[i + 1], ctx_inner(ctx));
  return e;
}

/* ---- blocks (LANGUAGE.md 3) ---------------------------------------------------------------- */

Core *expand_exprs(Expander *x, Datum **items, size_t n, Span span, Ctx ctx) {
  Core **es = ARENA_ARRAY(x->p->arena, Core *, n);
  for (size_t i = 0; i < n; i++)
    es[i] = expand_expr(x, items[i], i + 1 < n ? ctx_inner(ctx) : ctx_tail(ctx));
  return core_seq(x->p, span, es, n);
}

Core *expand_branches(Expander *x, Datum **items, size_t n, Span span, Ctx ctx) {
  Core **es = ARENA_ARRAY(x->p->arena, Core *, n);
  for (size_t i = 0; i < n; i++)
    es[i] = expand_branch(x, items[i], i + 1 < n ? ctx_inner(ctx) : ctx_tail(ctx));
  return core_seq(x->p, span, es, n);
}

Core *expand_body(Expander *x, Datum *d, Ctx ctx) {
  ctx = ctx_tail(ctx);
  if (d->kind != DATUM_LIST || !d->is_quoted) return expand_expr(x, d, ctx);
  if (d->count == 0) return core_nil(x->p, d->span);
  if (d->items[0]->kind == DATUM_LIST) return expand_exprs(x, d->items, d->count, d->span, ctx);
  return expand_call(x, d, ctx);
}

Core *expand_branch(Expander *x, Datum *d, Ctx ctx) {
  ctx = ctx_tail(ctx);
  if (d->kind != DATUM_LIST || !d->is_quoted) return expand_expr(x, d, ctx);
  Core *value = ctx.scope ? NULL : literal_value(x, d);
  if (value) return core_prim(x->p, d->span, "eval", 1, value);
  if (d->count == 1 && d->items[0]->kind == DATUM_LIST) return expand_expr(x, d->items[0], ctx);
  return expand_call(x, d, ctx);
}

/* ---- functions --------------------------------------------------------------------------- */

static void add_param(Expander *x, Lambda *l, Scope *s, Datum *name) {
  if (name->kind != DATUM_SYMBOL) {
    diag_error(x->p->diag, name->span, "a parameter is a name");
    return;
  }
  Var *earlier = scope_find(s, name->text);
  if (earlier) {
    diag_error(x->p->diag, name->span, "parameter `%s` stands twice", name->text);
    diag_note(x->p->diag, earlier->span, "it stands here first");
    return;
  }
  Var *v = scope_add(x, s, name->text, name->span);
  v->is_param = true;
  l->params[l->param_count++] = v;
}

Lambda *expand_lambda(Expander *x, Datum *params, size_t first, Datum *body, const char *name,
                      Span span, Ctx ctx) {
  Lambda *l = ARENA_NEW(x->p->arena, Lambda);
  l->name = name;
  l->span = span;
  l->id = x->p->next_id++;
  PUSH(x->p->arena, x->p->written, l);
  l->params = ARENA_ARRAY(x->p->arena, Var *, params->count);
  Scope *s = scope_new(x, SCOPE_FRAME, ctx);
  for (size_t i = first; i < params->count; i++) {
    Datum *d = params->items[i];
    if (d->kind == DATUM_SYMBOL && !strcmp(d->text, "&")) {
      l->has_rest = true;
      if (i + 2 != params->count)
        diag_error(x->p->diag, d->span, "exactly one name follows `&`, at the end of the parameters");
      continue;
    }
    add_param(x, l, s, d);
  }
  if (l->has_rest && l->param_count == 0) l->has_rest = false; /* after an error */
  if (l->param_count > 255) diag_error(x->p->diag, params->span, "a function takes at most 255 parameters");
  frame_add(x, s, &l->body);
  l->body = expand_body(x, body, ctx_within(ctx, s, NULL));
  return l;
}

Lambda *expand_thunk(Expander *x, Datum *d, Span span, Ctx ctx) {
  Lambda *l = ARENA_NEW(x->p->arena, Lambda);
  l->span = span;
  l->id = x->p->next_id++;
  PUSH(x->p->arena, x->p->written, l);
  Scope *s = scope_new(x, SCOPE_FRAME, ctx);
  frame_add(x, s, &l->body);
  l->body = expand_branch(x, d, ctx_within(ctx, s, NULL));
  return l;
}

/* ---- the end of a batch ------------------------------------------------------------------ */

static void expand_block(Expander *x, Literal lit) {
  Datum *d = lit.node->datum;
  lit.ctx.is_quiet = true;
  unsigned seq = x->seq;
  x->seq = lit.seq;
  Lambda *l = ARENA_NEW(x->p->arena, Lambda);
  l->name = "block";
  l->span = d->span;
  l->id = x->p->next_id++;
  size_t errors = x->p->diag->error_count, messages = x->p->diag->messages.count;
  l->body = expand_branch(x, d, lit.ctx);
  x->seq = seq;
  if (x->p->diag->error_count > errors) { /* not code: stays mere data */
    x->p->diag->error_count = errors;
    x->p->diag->messages.count = messages;
    return;
  }
  lit.node->kind = CORE_BLOCK;
  lit.node->lambda = l;
}

void expand_finish(Expander *x) {
  if (x->p->uses_eval)
    for (size_t i = 0; i < x->literals.count; i++) expand_block(x, x->literals.items[i]);
  if (x->p->uses_eval) x->literals.count = 0;
  for (size_t i = 0; i < x->frames.count; i++) {
    Frame *f = &x->frames.items[i];
    for (; f->bound_count < f->scope->vars.count; f->bound_count++) {
      Var *v = f->scope->vars.items[f->bound_count];
      *f->body = core_let(x->p, v->span, v, NULL, *f->body);
    }
  }
  x->frames.count = 0;
}

/* ---- files and definitions ---------------------------------------------------------------- */

/* What a batch of forms does not share with the one that it interrupts. */
typedef struct Batch {
  Arena *arena;
  __typeof__(((Expander *)0)->literals) literals;
  __typeof__(((Expander *)0)->frames) frames;
  __typeof__(((Program *)0)->tops) tops;
  __typeof__(((Program *)0)->written) written;
  LoadChain *loads;
  unsigned depth, expansions, expansion_depth;
} Batch;
_Static_assert(sizeof(Batch) <= sizeof(ExpandBatch), "ExpandBatch has room");

void expand_batch_begin(Program *p, ExpandBatch *saved) {
  Expander *x = p->expander;
  Batch b = {p->arena, x->literals, x->frames, p->tops, p->written, x->loads, x->depth, x->expansions,
             x->expansion_depth};
  memcpy(saved, &b, sizeof b);
  memset(&x->literals, 0, sizeof x->literals);
  memset(&x->frames, 0, sizeof x->frames);
  memset(&p->tops, 0, sizeof p->tops);
  if (p->is_open) memset(&p->written, 0, sizeof p->written);
  x->expansion_depth = 0;
}

void expand_batch_end(Program *p, const ExpandBatch *saved) {
  Expander *x = p->expander;
  Batch b;
  memcpy(&b, saved, sizeof b);
  p->arena = b.arena;
  x->literals = b.literals;
  x->frames = b.frames;
  p->tops = b.tops;
  if (p->is_open) p->written = b.written;
  x->loads = b.loads;
  x->depth = b.depth;
  x->expansions = b.expansions;
  x->expansion_depth = b.expansion_depth;
}

void expand_library_global(Program *p, Global *g) {
  if (!g->is_pending) return;
  Datum *d = library_definition(p, g);
  g->is_pending = false;
  Ctx ctx = {.is_library = true};
  ExpandBatch batch;
  expand_batch_begin(p, &batch);
  p->arena = p->lasting;
  Core *e = expand_expr(p->expander, d, ctx);
  expand_finish(p->expander);
  expand_batch_end(p, &batch);
  if (g->kind == GLOBAL_FUNCTION && e->kind == CORE_DEF && e->a->kind == CORE_LAMBDA) {
    g->lambda = e->a->lambda;
    g->lambda->global = g;
  } else {
    g->kind = GLOBAL_VARIABLE;
    TopForm top = {e, d->span};
    PUSH(p->lasting, p->library_tops, top);
  }
  PUSH(p->lasting, p->globals, g);
}

void note_definition(Expander *x, Ctx ctx, const char *name, Datum *d) {
  if (!ctx.is_top || ctx.is_library || x->p->is_open) return;
  Module *m = ctx.module;
  const ExpandHost *host = x->p->host;
  if (host && ptrmap_get(&m->definitions, name)) host->forget(host->self, m, name);
  ptrmap_put(&m->definitions, name, d);
}

void expand_top(Expander *x, Module *m, Datum *d) {
  size_t errors = x->p->diag->error_count;
  Ctx ctx = {.module = m, .is_top = true, .is_quiet = x->p->is_open && !x->p->is_compile_time};
  Core *e = expand_expr(x, d, ctx);
  if (x->p->diag->error_count > errors) return;
  TopForm top = {e, d->span};
  PUSH(x->p->arena, x->p->tops, top);
}

void expand_top_forms(Expander *x, uint32_t file, Module *m) {
  DatumVec forms = read_source(x->p->arena, x->p->names, x->p->diag, file);
  bool is_loaded = x->loads && x->loads->outer && !x->loads->module;
  for (size_t i = 0; i < forms.count; i++) {
    Datum *d = forms.items[i];
    if (i == 0 && is_module_form(d) && !is_loaded) {
      module_declare(x, m, d);
      continue;
    }
    size_t first_global = x->p->globals.count;
    expand_top(x, m, d);
    if (first_global < x->p->globals.count && x->p->globals.items[first_global]->def_count > 0)
      x->p->globals.items[first_global]->doc = read_doc_above(x->p->arena, x->p->diag, d->span);
  }
}

/* Once-defined top-level functions leave the forms: they exist from the start. */
static void settle_globals(Program *p) {
  for (size_t i = 0; i < p->globals.count; i++) {
    Global *g = p->globals.items[i];
    if (g->is_library || g->def_count == 0) continue;
    g->kind = g->def_count == 1 && g->is_top_fun ? GLOBAL_FUNCTION : GLOBAL_VARIABLE;
  }
  size_t kept = 0;
  for (size_t i = 0; i < p->tops.count; i++) {
    Core *e = p->tops.items[i].core;
    if (e->kind == CORE_DEF && e->global->kind == GLOBAL_FUNCTION) {
      e->global->lambda = e->a->lambda;
      e->a->lambda->global = e->global;
    } else p->tops.items[kept++] = p->tops.items[i];
  }
  p->tops.count = kept;
}

void expand_begin(Program *p) {
  if (!p->lasting) p->lasting = p->arena;
  Expander *x = ARENA_NEW(p->lasting, Expander);
  p->expander = x;
  p->global_by_name.arena = p->lasting;
  x->p = p;
  x->forms.arena = x->mentioned.arena = x->forms_used.arena = p->lasting;
  size_t n;
  const Form *forms = form_table(&n);
  for (size_t i = 0; i < n; i++) ptrmap_put(&x->forms, name_c(p->names, forms[i].name), (void *)&forms[i]);
  p->root = module_new(x);
  library_load(p);
}

bool expand_form(Program *p, Module *m, Datum *form) {
  size_t errors = p->diag->error_count;
  expand_top(p->expander, m, form);
  expand_finish(p->expander);
  return p->diag->error_count == errors;
}

static const char *real_path(Program *p, const char *path) {
  char *real = realpath(path, NULL);
  const char *name = name_c(p->names, real ? real : path);
  free(real);
  return name;
}

/* `-` is the standard input. */
static bool load_program_file(Program *p, const char *path, uint32_t *file) {
  if (strcmp(path, "-") != 0) return diag_load_source(p->diag, path, file);
  int fd = dup(STDIN_FILENO);
  return fd >= 0 && diag_load_descriptor(p->diag, path, fd, file);
}

bool expand_program(Program *p, const char *path) {
  expand_begin(p);
  Expander *x = p->expander;
  uint32_t file;
  if (p->text) {
    file = diag_add_source(p->diag, path, p->text, strlen(p->text));
  } else if (!load_program_file(p, path, &file)) {
    diag_error(p->diag, NO_SPAN, "cannot read %s: %s", path, strerror(errno));
    return false;
  }
  LoadChain chain = {path, NULL, NULL};
  p->root->path = real_path(p, path);
  p->root->is_loading = true;
  x->loads = &chain;
  expand_top_forms(x, file, p->root);
  p->root->is_loading = false;
  x->loads = NULL;
  expand_finish(x);
  settle_globals(p);
  return true;
}
