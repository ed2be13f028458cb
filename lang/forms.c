/* forms.c - the special forms, one function each, and their table (LANGUAGE.md 4 and 8).
 *
 * Each takes the whole form, operands counted already, and gives core. Where LANGUAGE.md says
 * "block" it goes through expand_body or expand_branch, so the block rules stay in expand.c. */
#include "expander.h"
#include <string.h>

static Var *temp(Expander *x, Span span) { return core_var(x->p, "", span, NULL); }


static Core *is_error(Expander *x, Span span, Var *v) {
  return core_prim(x->p, span, "error?", 1, core_local(x->p, span, v));
}

/* (if error-valued-v v body): v's error is the result of the whole. */
Core *expand_or_error(Expander *x, Span span, Var *v, Core *body) {
  Core **items = ARENA_ARRAY(x->p->arena, Core *, 2);
  items[0] = core_local(x->p, span, v);
  items[1] = body;
  return core_seq(x->p, span, items, 2);
}

Core *expand_make_error(Expander *x, Span span, const char *message) {
  Datum *d = datum_new(x->p->arena, DATUM_STRING, span);
  d->text = message;
  d->len = strlen(message);
  return core_prim(x->p, span, "error", 1, core_const(x->p, d));
}

/* ---- data -------------------------------------------------------------------------------- */

static Core *form_quote(Expander *x, Datum *d, Ctx ctx) {
  (void)ctx;
  return core_const(x->p, d->items[1]);
}

static bool is_form(const Datum *d, const char *head) {
  return d->kind == DATUM_LIST && !d->is_quoted && d->count == 2 && datum_is_symbol(d->items[0], head);
}

static bool has_unquote(const Datum *d) {
  if (d->kind != DATUM_LIST && d->kind != DATUM_VECTOR && d->kind != DATUM_MAP) return false;
  if (is_form(d, "unquote") || is_form(d, "unquote-splicing")) return true;
  for (size_t i = 0; i < d->count; i++)
    if (has_unquote(d->items[i])) return true;
  return false;
}

static Core *quasi(Expander *x, Datum *d, Ctx ctx);

/* The items as a plain list: (%qq-cons e rest), (%qq-append list rest), from the right; errors
 * inside propagate. */
static Core *quasi_items(Expander *x, Datum *d, Ctx ctx) {
  Core *list = core_nil(x->p, d->span);
  size_t n = d->count;
  Var **vars = ARENA_ARRAY(x->p->arena, Var *, n);
  for (size_t i = n; i-- > 0;) {
    Datum *e = d->items[i];
    vars[i] = temp(x, e->span);
    bool splice = is_form(e, "unquote-splicing");
    list = core_prim(x->p, e->span, splice ? "%qq-append" : "%qq-cons", 2,
                     core_local(x->p, e->span, vars[i]), list);
  }
  for (size_t i = n; i-- > 0;) {
    Datum *e = d->items[i];
    Core *value = is_form(e, "unquote-splicing") ? expand_expr(x, e->items[1], ctx) : quasi(x, e, ctx);
    list = core_let(x->p, e->span, vars[i], value, list);
  }
  return list;
}

static Core *quasi(Expander *x, Datum *d, Ctx ctx) {
  if (is_form(d, "unquote")) return expand_expr(x, d->items[1], ctx);
  if (is_form(d, "unquote-splicing")) return expand_fail_at(x, d, "`,@` stands inside a list only");
  if (!has_unquote(d)) return core_const(x->p, d);
  Core *items = quasi_items(x, d, ctx);
  if (d->kind == DATUM_VECTOR) return core_prim(x->p, d->span, "%list->vec", 1, items);
  if (d->kind == DATUM_MAP) return core_prim(x->p, d->span, "%list->map", 1, items);
  return d->is_quoted ? items : core_prim(x->p, d->span, "%sexpr", 1, items);
}

static Core *form_quasiquote(Expander *x, Datum *d, Ctx ctx) {
  return quasi(x, d->items[1], ctx_inner(ctx));
}

static Core *form_unquote(Expander *x, Datum *d, Ctx ctx) {
  (void)ctx;
  return expand_fail_at(x, d, "unquote outside of quasiquote");
}

/* ---- functions and definitions -------------------------------------------------------------- */

static Core *lambda_node(Expander *x, Lambda *l, Span span) {
  Core *e = core_new(x->p, CORE_LAMBDA, span);
  e->lambda = l;
  return e;
}

/* (\ params body) and (fun head body) whose parameters are computed: made at run time in the
 * globals, from the body as data; unbraced, it is computed too. */
static Core *computed(Expander *x, Datum *d, const char *prim, Ctx ctx) {
  x->p->uses_eval = true;
  Core *head = expand_expr(x, d->items[1], ctx_inner(ctx));
  bool is_literal = datum_is_block(d->items[2]);
  Core *body = is_literal ? core_const(x->p, d->items[2]) : expand_expr(x, d->items[2], ctx_inner(ctx));
  return core_prim(x->p, d->span, prim, 2, head, body);
}

static Core *form_lambda(Expander *x, Datum *d, Ctx ctx) {
  if (!datum_is_block(d->items[1])) return computed(x, d, "%lambda", ctx);
  Lambda *l = expand_lambda(x, d->items[1], 0, d->items[2], NULL, d->span, ctx);
  return lambda_node(x, l, d->span);
}

static Core *define(Expander *x, Global *g, Core *value, bool is_def, Span span) {
  Core *e = core_new(x->p, CORE_DEF, span);
  e->global = g;
  e->a = value;
  e->is_def = is_def;
  if (value->kind == CORE_LAMBDA && !value->lambda->name) value->lambda->name = g->name;
  return e;
}

static Core *form_fun(Expander *x, Datum *d, Ctx ctx) {
  Datum *head = d->items[1];
  if (!datum_is_block(head)) return computed(x, d, "%fun", ctx);
  if (head->count == 0 || head->items[0]->kind != DATUM_SYMBOL)
    return expand_fail_at(x, head, "`fun` is written (fun {name parameters...} {body}): a name is missing");
  const char *name = head->items[0]->text;
  note_definition(x, ctx, name, d);
  Global *g = global_define(x, name, head->items[0]->span, ctx, ctx.is_top);
  Lambda *l = expand_lambda(x, head, 1, d->items[2], name, d->span, ctx_inner(ctx));
  return define(x, g, lambda_node(x, l, d->span), true, d->span);
}

static Core *assign_local(Expander *x, Scope *s, Datum *name, Core *value, Span span) {
  Var *v = scope_find(s, name->text);
  if (!v) v = scope_add(x, s, name->text, name->span);
  Core *e = core_new(x->p, CORE_SET, span);
  e->var = v;
  e->a = value;
  if (value->kind == CORE_LAMBDA && !value->lambda->name) value->lambda->name = name->text;
  return e;
}

static Scope *nearest_frame(Scope *s) {
  while (s && s->kind != SCOPE_FRAME) s = s->parent;
  return s;
}

/* One binding of `def` or `=`: to a global, or to the nearest frame. */
static Core *bind_name(Expander *x, Datum *name, Core *value, bool is_def, Span span, Ctx ctx) {
  Scope *frame = is_def ? NULL : nearest_frame(ctx.scope);
  if (frame) return assign_local(x, frame, name, value, span);
  Global *g = global_define(x, name->text, name->span, ctx, false);
  return define(x, g, value, is_def, span);
}

static bool check_names(Expander *x, Datum *d, Datum *names) {
  for (size_t i = 0; i < names->count; i++)
    if (names->items[i]->kind != DATUM_SYMBOL) {
      diag_error(x->p->diag, names->items[i]->span, "a name is expected here");
      return false;
    }
  if (names->count == d->count - 2) return true;
  diag_error(x->p->diag, d->span, "%zu name%s for %zu value%s", names->count,
             names->count == 1 ? "" : "s", d->count - 2, d->count == 3 ? "" : "s");
  return false;
}

/* `def` and `=` whose names are computed bind in the globals. */
static Core *bind_computed(Expander *x, Datum *d, Ctx ctx) {
  x->p->uses_eval = true;
  Core *e = core_prim(x->p, d->span, "%def", 0);
  e->count = d->count - 1;
  e->items = ARENA_ARRAY(x->p->arena, Core *, e->count);
  for (size_t i = 0; i < e->count; i++) e->items[i] = expand_expr(x, d->items[i + 1], ctx_inner(ctx));
  return e;
}

static Core *bind_names(Expander *x, Datum *d, bool is_def, Ctx ctx) {
  Datum *names = d->items[1];
  Ctx inner = ctx_inner(ctx);
  if (is_def && names->kind == DATUM_SYMBOL) {
    Datum **one = ARENA_ARRAY(x->p->arena, Datum *, 1);
    one[0] = names;
    names = datum_list(x->p->arena, names->span, true, one, 1);
  }
  if (is_def && names->kind != DATUM_LIST) return expand_fail_at(x, names, "a name is expected here");
  if (names->kind != DATUM_LIST) return expand_fail_at(x, names, "`=` takes a block of names: (= {name} value)");
  if (!datum_is_block(names)) return bind_computed(x, d, ctx);
  if (!check_names(x, d, names)) return expand_fail(x, d->span);
  for (size_t i = 0; i < names->count; i++) note_definition(x, ctx, names->items[i]->text, d);
  if (names->count == 1) {
    /* a top-level `=` or `def` of a function: the function's body may use the new name */
    if (!(is_def ? NULL : nearest_frame(ctx.scope))) {
      Global *g = global_define(x, names->items[0]->text, names->items[0]->span, ctx, false);
      return define(x, g, expand_expr(x, d->items[2], inner), is_def, d->span);
    }
    return bind_name(x, names->items[0], expand_expr(x, d->items[2], inner), is_def, d->span, ctx);
  }
  size_t n = names->count;
  Var **vars = ARENA_ARRAY(x->p->arena, Var *, n);
  Core **values = ARENA_ARRAY(x->p->arena, Core *, n), **sets = ARENA_ARRAY(x->p->arena, Core *, n);
  for (size_t i = 0; i < n; i++) {
    values[i] = expand_expr(x, d->items[i + 2], inner);
    vars[i] = temp(x, d->items[i + 2]->span);
  }
  for (size_t i = 0; i < n; i++)
    sets[i] = bind_name(x, names->items[i], core_local(x->p, vars[i]->span, vars[i]), is_def, d->span, ctx);
  Core *e = core_seq(x->p, d->span, sets, n);
  for (size_t i = n; i-- > 0;) e = core_let(x->p, d->span, vars[i], values[i], e);
  return e;
}

static Core *form_def(Expander *x, Datum *d, Ctx ctx) { return bind_names(x, d, true, ctx); }
static Core *form_set(Expander *x, Datum *d, Ctx ctx) { return bind_names(x, d, false, ctx); }

static Core *form_do(Expander *x, Datum *d, Ctx ctx) {
  return expand_exprs(x, d->items + 1, d->count - 1, d->span, ctx);
}

/* (let {x 1 y 2} {body}) is a frame in which x, then y, then the body's names are bound: closures
 * among the values see the later names, as everywhere. */
static Core *form_let(Expander *x, Datum *d, Ctx ctx) {
  Scope *s = scope_new(x, SCOPE_FRAME, ctx);
  Ctx inner = ctx_within(ctx, s, ctx.loop);
  size_t n = 0;
  Datum *b = d->items[1];
  if (d->count == 3) {
    if (!datum_is_block(b) || b->count % 2) return expand_fail_at(x, b, "`let` binds names to values in pairs: {x 1 y 2}");
    n = b->count / 2;
  }
  Core *frame = core_new(x->p, CORE_SEQ, d->span); /* its item is what the names are bound around */
  frame->items = ARENA_ARRAY(x->p->arena, Core *, 1);
  frame->spans = ARENA_ARRAY(x->p->arena, Span, 1);
  frame->spans[0] = d->span;
  frame->count = 1;
  frame_add(x, s, &frame->items[0]);
  Core **items = ARENA_ARRAY(x->p->arena, Core *, n + 1);
  for (size_t i = 0; i < n; i++) {
    Datum *name = b->items[2 * i];
    if (name->kind != DATUM_SYMBOL) return expand_fail_at(x, name, "a name is expected here");
    Core *value = expand_expr(x, b->items[2 * i + 1], ctx_inner(inner));
    items[i] = assign_local(x, s, name, value, name->span);
  }
  items[n] = expand_body(x, d->items[d->count - 1], inner);
  frame->items[0] = core_seq(x->p, d->span, items, n + 1);
  return frame;
}

/* ---- choices ----------------------------------------------------------------------------- */

static Core *form_if(Expander *x, Datum *d, Ctx ctx) {
  Core *c = expand_expr(x, d->items[1], ctx_inner(ctx));
  Core *t = expand_branch(x, d->items[2], ctx);
  Core *e = d->count == 4 ? expand_branch(x, d->items[3], ctx) : core_nil(x->p, d->span);
  return core_if(x->p, d->span, c, t, e);
}

static Core *form_when(Expander *x, Datum *d, Ctx ctx) {
  Core *c = expand_expr(x, d->items[1], ctx_inner(ctx));
  Core *t = expand_branches(x, d->items + 2, d->count - 2, d->span, ctx);
  return core_if(x->p, d->span, c, t, core_nil(x->p, d->span));
}

static Core *form_unless(Expander *x, Datum *d, Ctx ctx) {
  Core *e = form_when(x, d, ctx), *t = e->b;
  e->b = e->d;
  e->d = t;
  return e;
}

static bool is_clause(Expander *x, const Datum *c, size_t min, size_t max, const char *shape) {
  if (c->kind == DATUM_LIST && c->count >= min && c->count <= max) return true;
  diag_error(x->p->diag, c->span, "a clause is written %s", shape);
  return false;
}

static Core *form_select(Expander *x, Datum *d, Ctx ctx) {
  Core *e = expand_make_error(x, d->span, "No selection found");
  Core **parts = ARENA_ARRAY(x->p->arena, Core *, 2 * d->count);
  for (size_t i = 1; i < d->count; i++) {
    Datum *c = d->items[i];
    if (!is_clause(x, c, 2, 2, "{condition result}")) return expand_fail(x, d->span);
    parts[2 * i] = expand_expr(x, c->items[0], ctx_inner(ctx));
    parts[2 * i + 1] = expand_branch(x, c->items[1], ctx);
  }
  for (size_t i = d->count; i-- > 1;)
    e = core_if(x->p, d->items[i]->span, parts[2 * i], parts[2 * i + 1], e);
  return e;
}

/* (cond {c e...}...): a clause of a condition only gives its value. */
static Core *cond_from(Expander *x, Datum *d, size_t i, Ctx ctx) {
  if (i == d->count) return core_nil(x->p, d->span);
  Datum *c = d->items[i];
  if (!is_clause(x, c, 1, SIZE_MAX, "{condition expressions...}")) return expand_fail(x, d->span);
  Core *test = expand_expr(x, c->items[0], ctx_inner(ctx));
  if (c->count > 1) {
    Core *then = expand_branches(x, c->items + 1, c->count - 1, c->span, ctx);
    return core_if(x->p, c->span, test, then, cond_from(x, d, i + 1, ctx));
  }
  Var *v = temp(x, c->span);
  Core *e = core_if(x->p, c->span, core_local(x->p, c->span, v), core_local(x->p, c->span, v),
                    cond_from(x, d, i + 1, ctx));
  return core_let(x->p, c->span, v, test, e);
}
static Core *form_cond(Expander *x, Datum *d, Ctx ctx) { return cond_from(x, d, 1, ctx); }

static Core *case_from(Expander *x, Datum *d, size_t i, Var *v, Ctx ctx) {
  if (i == d->count) return expand_make_error(x, d->span, "No case found");
  Datum *c = d->items[i];
  if (!is_clause(x, c, 2, 2, "{{key} result}")) return expand_fail(x, d->span);
  Datum *k = c->items[0];
  Core *result = expand_branch(x, c->items[1], ctx);
  bool is_braced = k->kind == DATUM_LIST && k->count == 1;
  if (datum_is_symbol(is_braced ? k->items[0] : k, "otherwise")) return result;
  Core *key = expand_branch(x, k, ctx_inner(ctx));
  Core *same = core_prim(x->p, c->span, "==", 2, key, core_local(x->p, c->span, v));
  return core_if(x->p, c->span, same, result, case_from(x, d, i + 1, v, ctx));
}

static Core *form_case(Expander *x, Datum *d, Ctx ctx) {
  Var *v = temp(x, d->items[1]->span);
  Core *value = expand_expr(x, d->items[1], ctx_inner(ctx));
  return core_let(x->p, d->span, v, value, expand_or_error(x, d->items[1]->span, v, case_from(x, d, 2, v, ctx)));
}

/* (and a b c) is (let {t a} (if t (and b c) t)); an error decides as well: it is the result. */
static Core *and_or(Expander *x, Datum *d, size_t i, bool is_and, Ctx ctx) {
  if (i + 1 == d->count) return expand_expr(x, d->items[i], ctx_tail(ctx));
  Var *v = temp(x, d->items[i]->span);
  Core *first = expand_expr(x, d->items[i], ctx_inner(ctx));
  Core *rest = and_or(x, d, i + 1, is_and, ctx), *t = core_local(x->p, d->span, v);
  Core *use = core_local(x->p, d->items[i]->span, v);
  Core *e = is_and ? core_if(x->p, d->span, use, rest, t) : core_if(x->p, d->span, use, t, rest);
  return core_let(x->p, d->span, v, first, e);
}

static Core *form_and(Expander *x, Datum *d, Ctx ctx) {
  return d->count == 1 ? core_int(x->p, d->span, 1) : and_or(x, d, 1, true, ctx);
}
static Core *form_or(Expander *x, Datum *d, Ctx ctx) {
  return d->count == 1 ? core_nil(x->p, d->span) : and_or(x, d, 1, false, ctx);
}

/* ---- loops ------------------------------------------------------------------------------- */

static Core *loop_node(Expander *x, Loop *l, Core **inits, Core *body, Span span) {
  Core *e = core_new(x->p, CORE_LOOP, span);
  e->loop = l;
  e->items = inits;
  e->count = l->count;
  e->b = body;
  return e;
}

static Core *recur_node(Expander *x, Loop *l, Core **values, Span span) {
  Core *e = core_new(x->p, CORE_RECUR, span);
  e->loop = l;
  e->items = values;
  e->count = l->count;
  return e;
}

static Loop *loop_new(Expander *x, size_t count) {
  Loop *l = ARENA_NEW(x->p->arena, Loop);
  l->id = x->p->next_id++;
  l->count = count;
  l->vars = ARENA_ARRAY(x->p->arena, Var *, count);
  return l;
}

/* The expressions of a loop's body, then the next round. */
static Core *and_again(Expander *x, Datum **items, size_t n, Core *again, Span span, Ctx ctx) {
  Core **es = ARENA_ARRAY(x->p->arena, Core *, n + 1);
  for (size_t i = 0; i < n; i++) es[i] = expand_branch(x, items[i], ctx_inner(ctx));
  es[n] = again;
  return core_seq(x->p, span, es, n + 1);
}

static Core *form_while(Expander *x, Datum *d, Ctx ctx) {
  Loop *l = loop_new(x, 0);
  Core *c = expand_branch(x, d->items[1], ctx_inner(ctx));
  Core *again = recur_node(x, l, NULL, d->span);
  Core *body = and_again(x, d->items + 2, d->count - 2, again, d->span, ctx);
  return loop_node(x, l, NULL, core_if(x->p, d->span, c, body, core_nil(x->p, d->span)), d->span);
}

/* (for {x list} e...): the list is taken once; vectors are walked as lists. */
static Core *form_for(Expander *x, Datum *d, Ctx ctx) {
  Datum *b = d->items[1];
  if (!datum_is_block(b) || b->count != 2 || b->items[0]->kind != DATUM_SYMBOL)
    return expand_fail_at(x, b, "`for` is written (for {name list} expressions...)");
  Span span = d->span;
  Datum *who = datum_new(x->p->arena, DATUM_STRING, span);
  who->text = "for";
  who->len = 3;
  Core *items = core_prim(x->p, b->items[1]->span, "%items", 3, expand_expr(x, b->items[1], ctx_inner(ctx)),
                          core_const(x->p, who), core_int(x->p, span, 1));
  Loop *l = loop_new(x, 1);
  Var *rest = l->vars[0] = temp(x, span), *start = temp(x, span);
  Scope *s = scope_new(x, SCOPE_ARM, ctx);
  Var *v = scope_add(x, s, b->items[0]->text, b->items[0]->span);
  Core **next = ARENA_ARRAY(x->p->arena, Core *, 1), **first = ARENA_ARRAY(x->p->arena, Core *, 1);
  next[0] = core_prim(x->p, span, "tail", 1, core_local(x->p, span, rest));
  first[0] = core_local(x->p, span, start);
  Ctx inner = ctx_within(ctx, s, NULL);
  Core *body = and_again(x, d->items + 2, d->count - 2, recur_node(x, l, next, span), span, inner);
  body = core_let(x->p, span, v, core_prim(x->p, span, "head", 1, core_local(x->p, span, rest)), body);
  Core *done = core_prim(x->p, span, "nil?", 1, core_local(x->p, span, rest));
  Core *loop = loop_node(x, l, first, core_if(x->p, span, done, core_nil(x->p, span), body), span);
  return core_let(x->p, span, start, items, expand_or_error(x, b->items[1]->span, start, loop));
}

/* (loop {x 0 y 1} body) with (recur ...): inits in order, names fresh each round. */
static Core *form_loop(Expander *x, Datum *d, Ctx ctx) {
  Datum *b = d->items[1];
  if (!datum_is_block(b) || b->count % 2) return expand_fail_at(x, b, "`loop` binds names to values in pairs: {x 0 y 1}");
  size_t n = b->count / 2;
  Loop *l = loop_new(x, n);
  Core **inits = ARENA_ARRAY(x->p->arena, Core *, n), **starts = ARENA_ARRAY(x->p->arena, Core *, n);
  Scope *init_scope = scope_new(x, SCOPE_ARM, ctx), *s = scope_new(x, SCOPE_ARM, ctx);
  Ctx init_ctx = ctx_inner(ctx);
  init_ctx.scope = init_scope;
  for (size_t i = 0; i < n; i++) {
    Datum *name = b->items[2 * i];
    if (name->kind != DATUM_SYMBOL) return expand_fail_at(x, name, "a name is expected here");
    inits[i] = expand_expr(x, b->items[2 * i + 1], init_ctx);
    Var *v = scope_add(x, init_scope, name->text, name->span);
    starts[i] = core_local(x->p, name->span, v);
    l->vars[i] = scope_add(x, s, name->text, name->span);
  }
  Ctx inner = ctx_within(ctx, s, l);
  Core *e = loop_node(x, l, starts, expand_body(x, d->items[2], inner), d->span);
  for (size_t i = n; i-- > 0;) e = core_let(x->p, d->span, init_scope->vars.items[i], inits[i], e);
  return e;
}

static Core *form_recur(Expander *x, Datum *d, Ctx ctx) {
  if (!ctx.loop) return expand_fail_at(x, d, "`recur` stands in tail position of a `loop` only");
  if (ctx.loop->count != d->count - 1) {
    diag_error(x->p->diag, d->span, "`recur` gives %zu value%s to a loop of %zu variable%s", d->count - 1,
               d->count == 2 ? "" : "s", ctx.loop->count, ctx.loop->count == 1 ? "" : "s");
    return expand_fail(x, d->span);
  }
  Core **values = ARENA_ARRAY(x->p->arena, Core *, ctx.loop->count);
  for (size_t i = 0; i < ctx.loop->count; i++) values[i] = expand_expr(x, d->items[i + 1], ctx_inner(ctx));
  return recur_node(x, ctx.loop, values, d->span);
}

/* ---- errors ------------------------------------------------------------------------------ */

/* The value of e, or an error if memory runs out while e is evaluated (rt/catch.h). */
static Core *guarded(Expander *x, Span span, Core *e) {
  if (e->kind == CORE_CONST || e->kind == CORE_LOCAL) return e;
  Var *v = temp(x, span);
  Core **after = ARENA_ARRAY(x->p->arena, Core *, 2), **all = ARENA_ARRAY(x->p->arena, Core *, 2);
  after[0] = core_prim(x->p, span, "%unguard", 0);
  after[1] = core_local(x->p, span, v);
  all[0] = core_prim(x->p, span, "%guard", 0);
  all[1] = core_let(x->p, span, v, e, core_seq(x->p, span, after, 2));
  return core_seq(x->p, span, all, 2);
}

static Core *form_try(Expander *x, Datum *d, Ctx ctx) {
  Datum *h = d->items[2];
  if (!datum_is_block(h) || h->count == 0 || h->items[0]->kind != DATUM_SYMBOL)
    return expand_fail_at(x, h, "`try` is written (try {expression} {name expressions...})");
  Var *v = temp(x, d->span);
  Core *value = guarded(x, d->span, expand_branch(x, d->items[1], ctx_inner(ctx)));
  Scope *s = scope_new(x, SCOPE_ARM, ctx);
  Var *e = scope_add(x, s, h->items[0]->text, h->items[0]->span);
  Ctx inner = ctx_within(ctx, s, ctx.loop);
  Core *handler = expand_branches(x, h->items + 1, h->count - 1, h->span, inner);
  handler = core_let(x->p, h->span, e, core_local(x->p, h->span, v), handler);
  Core *pick = core_if(x->p, d->span, is_error(x, d->span, v), handler, core_local(x->p, d->span, v));
  return core_let(x->p, d->span, v, value, pick);
}

static Core *form_finally(Expander *x, Datum *d, Ctx ctx) {
  Var *v = temp(x, d->span), *u = temp(x, d->span);
  Core *value = guarded(x, d->span, expand_branch(x, d->items[1], ctx_inner(ctx)));
  Core *cleanup = expand_branch(x, d->items[2], ctx_inner(ctx));
  Core *own = core_if(x->p, d->span, is_error(x, d->span, v), core_local(x->p, d->span, v),
                      core_local(x->p, d->span, u));
  Core *pick = core_if(x->p, d->span, is_error(x, d->span, u), own, core_local(x->p, d->span, v));
  return core_let(x->p, d->span, v, value, core_let(x->p, d->span, u, cleanup, pick));
}

/* ---- eval, load, threading ------------------------------------------------------------------ */

static Core *form_eval(Expander *x, Datum *d, Ctx ctx) {
  Datum *a = d->items[1];
  if (a->kind == DATUM_LIST && a->is_quoted && !a->is_tick) return expand_branch(x, a, ctx);
  if (a->kind == DATUM_LIST && a->is_tick) {
    Ctx global = ctx_within(ctx, NULL, NULL);
    return expand_branch(x, a, global);
  }
  x->p->uses_eval = true;
  return core_prim(x->p, d->span, "eval", 1, expand_expr(x, a, ctx_inner(ctx)));
}

/* Upstream's library files: their names are in std already. */
static bool is_known_library_file(const char *path) {
  static const char *const known[] = {"src/prelude.valk", "src/async_handles.valk",
                                      "src/async_monadic.valk", "src/http_api.valk"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (!strcmp(path, known[i])) return true;
  size_t n = strlen(path);
  return !strncmp(path, "src/modules/", 12) && n > 17 && !strcmp(path + n - 5, ".valk");
}

static bool is_cyclic_load(Expander *x, const char *path, Span at) {
  for (LoadChain *l = x->loads; l; l = l->outer) {
    if (strcmp(l->path, path)) continue;
    diag_error(x->p->diag, at, "%s loads itself", path);
    for (LoadChain *m = x->loads; m != l; m = m->outer) diag_note(x->p->diag, at, "through %s", m->path);
    return true;
  }
  return false;
}

static Core *load_computed(Expander *x, Datum *d, Ctx ctx) {
  x->p->uses_eval = true;
  const char *from = diag_path(x->p->diag, d->span), *slash = strrchr(from, '/');
  Datum *dir = datum_new(x->p->arena, DATUM_STRING, d->span);
  dir->len = slash ? (size_t)(slash - from) : 0;
  dir->text = arena_copy(x->p->arena, from, dir->len);
  Core *path = expand_expr(x, d->items[1], ctx_inner(ctx));
  return core_prim(x->p, d->span, "%load", 2, path, core_const(x->p, dir));
}

static Core *form_load(Expander *x, Datum *d, Ctx ctx) {
  Datum *name = d->items[1];
  if (name->kind != DATUM_STRING) return load_computed(x, d, ctx);
  if (is_known_library_file(name->text)) return core_nil(x->p, d->span);
  uint32_t file;
  LoadChain chain = {NULL, x->loads, NULL};
  if (!find_source(x, name, true, "", &file, &chain.path)) {
    diag_error(x->p->diag, name->span, "cannot find %s beside this file, in the working directory or in the library",
               name->text);
    return expand_fail(x, d->span);
  }
  if (is_cyclic_load(x, chain.path, name->span)) return expand_fail(x, d->span);
  x->loads = &chain;
  size_t first = x->p->tops.count;
  expand_top_forms(x, file, ctx.module);
  x->loads = chain.outer;
  if (ctx.is_top) return core_nil(x->p, d->span);
  size_t n = x->p->tops.count - first;
  Core **items = ARENA_ARRAY(x->p->arena, Core *, n + 1);
  for (size_t i = 0; i < n; i++) {
    items[i] = x->p->tops.items[first + i].core;
    if (items[i]->kind == CORE_DEF) items[i]->global->is_top_fun = false; /* runs when reached */
  }
  items[n] = core_nil(x->p, d->span);
  x->p->tops.count = first;
  return core_seq(x->p, d->span, items, n + 1);
}

static Core *thread(Expander *x, Datum *d, bool is_last, Ctx ctx) {
  Arena *a = x->p->arena;
  Datum *value = d->items[1];
  for (size_t i = 2; i < d->count; i++) {
    Datum *step = d->items[i];
    bool is_call = step->kind == DATUM_LIST && !step->is_quoted && step->count > 0;
    size_t n = is_call ? step->count : 1;
    Datum **items = ARENA_ARRAY(a, Datum *, n + 1);
    size_t at = is_last ? n : 1;
    for (size_t j = 0; j < n; j++) items[j < at ? j : j + 1] = is_call ? step->items[j] : step;
    items[at] = value;
    value = datum_list(a, step->span, false, items, n + 1);
  }
  return expand_expr(x, value, ctx);
}
static Core *form_thread_first(Expander *x, Datum *d, Ctx ctx) { return thread(x, d, false, ctx); }
static Core *form_thread_last(Expander *x, Datum *d, Ctx ctx) { return thread(x, d, true, ctx); }

/* e as a function without parameters, for the runtime to call: (spawn e) in a fiber of its own,
 * (future e) in another isolate. */
static Core *later(Expander *x, Datum *d, const char *prim, Ctx ctx) {
  Lambda *l = expand_thunk(x, d->items[1], d->span, ctx);
  return core_prim(x->p, d->span, prim, 1, lambda_node(x, l, d->span));
}

static Core *form_spawn(Expander *x, Datum *d, Ctx ctx) { return later(x, d, "%spawn", ctx); }
static Core *form_future(Expander *x, Datum *d, Ctx ctx) { return later(x, d, "%future", ctx); }

/* ---- the table --------------------------------------------------------------------------- */

enum { ANY = PRIM_ANY };
static const Form forms[] = {
    {"quote", 1, 1, form_quote, "(quote datum)"},
    {"quasiquote", 1, 1, form_quasiquote, "(quasiquote datum)"},
    {"unquote", 1, 1, form_unquote, "(unquote expression)"},
    {"unquote-splicing", 1, 1, form_unquote, "(unquote-splicing expression)"},
    {"if", 2, 3, form_if, "(if condition then [else])"},
    {"\\", 2, 2, form_lambda, "(\\ {parameters...} {body})"},
    {"fun", 2, 2, form_fun, "(fun {name parameters...} {body})"},
    {"def", 2, ANY, form_def, "(def {names...} values...)"},
    {"=", 2, ANY, form_set, "(= {names...} values...)"},
    {"do", 0, ANY, form_do, "(do expressions...)"},
    {"let", 1, 2, form_let, "(let {x 1 y 2} {body})"},
    {"select", 0, ANY, form_select, "(select {condition result}...)"},
    {"case", 1, ANY, form_case, "(case value {{key} result}...)"},
    {"and", 0, ANY, form_and, "(and expressions...)"},
    {"or", 0, ANY, form_or, "(or expressions...)"},
    {"eval", 1, 1, form_eval, "(eval data)"},
    {"load", 1, 1, form_load, "(load \"path\")"},
    {"try", 2, 2, form_try, "(try {expression} {name expressions...})"},
    {"finally", 2, 2, form_finally, "(finally {expression} {cleanup})"},
    {"when", 1, ANY, form_when, "(when condition expressions...)"},
    {"unless", 1, ANY, form_unless, "(unless condition expressions...)"},
    {"cond", 0, ANY, form_cond, "(cond {condition expressions...}...)"},
    {"while", 1, ANY, form_while, "(while condition expressions...)"},
    {"for", 1, ANY, form_for, "(for {name list} expressions...)"},
    {"loop", 2, 2, form_loop, "(loop {x 0 y 1} {body})"},
    {"recur", 0, ANY, form_recur, "(recur values...)"},
    {"->", 1, ANY, form_thread_first, "(-> value steps...)"},
    {"->>", 1, ANY, form_thread_last, "(->> value steps...)"},
    {"match", 1, ANY, form_match, "(match value {pattern expressions...}...)"},
    {"macro", 2, 2, form_macro, "(macro {name parameters...} {body})"},
    {"comptime", 1, 1, form_comptime, "(comptime expression)"},
    {"module", 1, ANY, form_module, "(module name {export names...})"},
    {"import", 1, 2, form_import, "(import \"path\") or (import \"path\" {names...})"},
    {"future", 1, 1, form_future, "(future expression)"},
    {"spawn", 1, 1, form_spawn, "(spawn expression)"},
};

const Form *form_table(size_t *count) {
  *count = sizeof forms / sizeof *forms;
  return forms;
}

const char *form_name(size_t index) {
  return index < sizeof forms / sizeof *forms ? forms[index].name : NULL;
}

const char *form_usage(const char *name) {
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
    if (!strcmp(forms[i].name, name)) return forms[i].usage;
  return NULL;
}
