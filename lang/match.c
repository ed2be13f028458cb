/* match.c - (match v {pattern e...}...) (LANGUAGE.md 8).
 *
 * A clause becomes (if TEST (let NAMES body) next-clause). TEST takes the value apart as far as it
 * must, NAMES takes it apart again for those that are bound: heads, tails and elements cost less
 * than variables that are assigned. Arms thus stay in tail position of whatever the match is in,
 * with its loops and frames. What all clauses ask, whether the value is a list or a vector and
 * whether it is empty, is asked once before the first.
 *
 *   {p q}       is a list; not nil, test of p on its head; ...; nil at the end
 *   {p & rest}  the same without the end
 *   [p q]       is a vector of two elements; tests of p, q on them
 *   #{k p}      is a map; the value of k is there, test of p on it */
#include "expander.h"
#include <stdio.h>
#include <string.h>

/* What every clause asks of the value, asked once; NULL: no clause does. */
typedef struct Answers {
  Var *value, *is_list, *items, *is_nil, *is_vector;
} Answers;

typedef struct Clause {
  Datum *datum, *pattern, *guard;
  PtrMap first;    /* name -> the Datum where it stands first */
  Scope *names;    /* of the guard or of the body: whichever is being made */
  bool is_binding; /* the test binds names too: for the guard, or where one stands twice */
  Core *condition, *body;
} Clause;

typedef struct Match {
  Expander *x;
  Ctx ctx;
  Answers answers;
  Clause *clause;
} Match;

/* What a map gives for a key that is not there: no program can write this symbol. */
static const char absent_text[] = " absent";

static Core *test(Match *m, Datum *p, Var *v, Core *then);
static Core *bind(Match *m, Datum *p, Var *v, Core *body);

/* ---- small parts ---------------------------------------------------------------------------- */

static Program *program(Match *m) { return m->x->p; }
static Var *temp(Match *m, Span span) { return core_var(program(m), "", span, NULL); }
static Core *local(Match *m, Span span, Var *v) { return core_local(program(m), span, v); }

/* (if test then 0) */
static Core *both(Match *m, Span span, Core *condition, Core *then) {
  return core_if(program(m), span, condition, then, core_int(program(m), span, 0));
}

static Core *prim1(Match *m, Span span, const char *name, Var *v) {
  return core_prim(program(m), span, name, 1, local(m, span, v));
}

static Core *let(Match *m, Span span, Var *v, Core *init, Core *body) {
  return core_let(program(m), span, v, init, body);
}

static Core *items_of(Match *m, Span span, Var *v) {
  Datum *who = datum_new(program(m)->arena, DATUM_STRING, span);
  who->text = "match";
  who->len = strlen(who->text);
  return core_prim(program(m), span, "%items", 3, local(m, span, v),
                   core_const(program(m), who), core_int(program(m), span, 1));
}

static Core *element(Match *m, Span span, Var *v, size_t i) {
  return core_prim(program(m), span, "vec/get", 2, local(m, span, v),
                   core_int(program(m), span, (int64_t)i));
}

static Core *slice_from(Match *m, Span span, Var *v, size_t i) {
  return core_prim(program(m), span, "vec/slice", 2, local(m, span, v),
                   core_int(program(m), span, (int64_t)i));
}

/* ---- patterns -------------------------------------------------------------------------------- */

static bool is_wild(const Datum *p) { return datum_is_symbol(p, "_"); }

/* A name that stands for its value, not for whatever is there. */
static bool is_constant_name(const Datum *p) {
  return datum_is_symbol(p, "nil") || datum_is_symbol(p, "true") || datum_is_symbol(p, "false");
}

static bool is_name(const Datum *p) {
  return p->kind == DATUM_SYMBOL && !is_wild(p) && !is_constant_name(p) &&
         !datum_is_symbol(p, "&");
}

static bool is_quote(const Datum *p) {
  return p->kind == DATUM_LIST && !p->is_quoted && p->count == 2 &&
         datum_is_symbol(p->items[0], "quote");
}

static bool is_list_pattern(const Datum *p) { return datum_is_block(p) && p->count > 0; }

static size_t rest_at(const Datum *p) { /* the place of `&`, or count */
  for (size_t i = 0; i < p->count; i++)
    if (datum_is_symbol(p->items[i], "&")) return i;
  return p->count;
}

static Core *constant_of(Match *m, Datum *p) {
  if (is_quote(p)) return core_const(program(m), p->items[1]);
  if (datum_is_symbol(p, "nil")) return core_nil(program(m), p->span);
  if (is_constant_name(p)) return core_int(program(m), p->span, datum_is_symbol(p, "true"));
  return core_const(program(m), p);
}

static bool has_names(const Datum *p) {
  if (is_name(p)) return true;
  if (p->kind < DATUM_LIST || is_quote(p)) return false;
  for (size_t i = 0; i < p->count; i++)
    if (!(p->kind == DATUM_MAP && i % 2 == 0) && has_names(p->items[i])) return true;
  return false;
}

/* ---- are they patterns, and which names do they bind? ------------------------------------------ */

static bool check_pattern(Match *m, Datum *p);

static bool check_items(Match *m, Datum *p) {
  size_t rest = rest_at(p);
  if (rest < p->count && rest + 2 != p->count) {
    diag_error(program(m)->diag, p->items[rest]->span,
               "exactly one pattern follows `&`, at the end");
    return false;
  }
  for (size_t i = 0; i < p->count; i++)
    if (i != rest && !check_pattern(m, p->items[i])) return false;
  return true;
}

static bool is_map_key(const Datum *k) {
  bool is_atom = k->kind < DATUM_LIST && k->kind != DATUM_SYMBOL;
  return is_atom || is_quote(k) || is_constant_name(k) ||
         (k->kind == DATUM_LIST && k->count == 0);
}

static bool check_map(Match *m, Datum *p) {
  for (size_t i = 0; i < p->count; i += 2) {
    if (!is_map_key(p->items[i])) {
      diag_error(program(m)->diag, p->items[i]->span,
                 "a key in a pattern is a number, a string, a keyword or (quote symbol)");
      return false;
    }
    if (!check_pattern(m, p->items[i + 1])) return false;
  }
  return true;
}

static bool check_name(Match *m, Datum *p) {
  if (datum_is_symbol(p, "&")) {
    diag_error(program(m)->diag, p->span, "`&` stands inside {..} or [..] only");
    return false;
  }
  if (!is_name(p)) return true;
  Clause *c = m->clause;
  if (ptrmap_get(&c->first, p->text))
    c->is_binding = true;
  else
    ptrmap_put(&c->first, p->text, p);
  return true;
}

static bool check_pattern(Match *m, Datum *p) {
  switch (p->kind) {
  case DATUM_SYMBOL: return check_name(m, p);
  case DATUM_VECTOR: return check_items(m, p);
  case DATUM_MAP: return check_map(m, p);
  case DATUM_LIST: break;
  default: return true;
  }
  if (is_quote(p)) return true;
  if (datum_is_block(p)) return check_items(m, p);
  diag_error(program(m)->diag, p->span,
             "this is no pattern: a list is written {p q}, a symbol (quote s)");
  return false;
}

/* ---- tests: true if v matches p and `then`, inside it, is true --------------------------------- */

static Core *bind_name(Match *m, Datum *p, Var *v, Core *body) {
  return let(m, p->span, scope_find(m->clause->names, p->text), local(m, p->span, v), body);
}

static Core *test_name(Match *m, Datum *p, Var *v, Core *then) {
  Clause *c = m->clause;
  if (!c->is_binding) return then;
  if (ptrmap_get(&c->first, p->text) == p) return bind_name(m, p, v, then);
  Core *first = local(m, p->span, scope_find(c->names, p->text));
  return both(m, p->span, core_prim(program(m), p->span, "==", 2, first, local(m, p->span, v)),
              then);
}

/* p's items from i on, in what `cursor`, a plain list, has left. */
static Core *test_items(Match *m, Datum *p, size_t i, Var *cursor, Core *then) {
  Span span = p->span;
  bool is_asked = i == 0 && cursor == m->answers.items;
  Core *is_nil = is_asked ? local(m, span, m->answers.is_nil) : prim1(m, span, "nil?", cursor);
  if (i == p->count) return both(m, span, is_nil, then);
  if (datum_is_symbol(p->items[i], "&")) return test(m, p->items[i + 1], cursor, then);
  Datum *item = p->items[i];
  Var *next = temp(m, span), *head = temp(m, item->span);
  Core *after = test_items(m, p, i + 1, next, then);
  after = let(m, span, next, prim1(m, span, "tail", cursor), after);
  if (!is_wild(item))
    after = let(m, item->span, head, prim1(m, item->span, "head", cursor),
                test(m, item, head, after));
  return core_if(program(m), span, is_nil, core_int(program(m), span, 0), after);
}

static Core *test_list(Match *m, Datum *p, Var *v, Core *then) {
  Span span = p->span;
  if (v == m->answers.value)
    return both(m, span, local(m, span, m->answers.is_list),
                test_items(m, p, 0, m->answers.items, then));
  Var *items = temp(m, span);
  Core *inside = let(m, span, items, items_of(m, span, v), test_items(m, p, 0, items, then));
  return both(m, span, prim1(m, span, "list?", v), inside);
}

static Core *test_vector(Match *m, Datum *p, Var *v, Core *then) {
  Span span = p->span;
  size_t fixed = rest_at(p);
  if (fixed < p->count && !is_wild(p->items[fixed + 1])) {
    Var *rest = temp(m, span);
    then = let(m, span, rest, slice_from(m, span, v, fixed),
               test(m, p->items[fixed + 1], rest, then));
  }
  for (size_t i = fixed; i-- > 0;) {
    if (is_wild(p->items[i])) continue;
    Var *item = temp(m, p->items[i]->span);
    then = let(m, p->items[i]->span, item, element(m, p->items[i]->span, v, i),
               test(m, p->items[i], item, then));
  }
  Core *is_long =
      core_prim(program(m), span, fixed < p->count ? "%ge" : "==", 2,
                prim1(m, span, "vec/len", v), core_int(program(m), span, (int64_t)fixed));
  bool is_asked = v == m->answers.value;
  Core *is_vector = is_asked ? local(m, span, m->answers.is_vector) : prim1(m, span, "vec?", v);
  return both(m, span, is_vector, both(m, span, is_long, then));
}

static Core *absent(Match *m, Span span) {
  return core_const(program(m), datum_symbol(program(m)->arena, span,
                                             name_c(program(m)->names, absent_text)));
}

static Core *value_of_key(Match *m, Datum *key, Var *v) {
  return core_prim(program(m), key->span, "map/get", 3, local(m, key->span, v),
                   constant_of(m, key), absent(m, key->span));
}

static Core *test_map(Match *m, Datum *p, Var *v, Core *then) {
  for (size_t i = p->count; i > 0; i -= 2) {
    Datum *key = p->items[i - 2], *value = p->items[i - 1];
    Span span = key->span;
    Var *got = temp(m, span);
    Core *is_absent =
        core_prim(program(m), span, "==", 2, local(m, span, got), absent(m, span));
    Core *inside = is_wild(value) ? then : test(m, value, got, then);
    inside = core_if(program(m), span, is_absent, core_int(program(m), span, 0), inside);
    then = let(m, span, got, value_of_key(m, key, v), inside);
  }
  return both(m, p->span, prim1(m, p->span, "map?", v), then);
}

static Core *test(Match *m, Datum *p, Var *v, Core *then) {
  if (is_wild(p)) return then;
  if (is_name(p)) return test_name(m, p, v, then);
  if (p->kind == DATUM_VECTOR) return test_vector(m, p, v, then);
  if (p->kind == DATUM_MAP) return test_map(m, p, v, then);
  if (is_list_pattern(p) && !is_quote(p)) return test_list(m, p, v, then);
  bool is_nil = (p->kind == DATUM_LIST && p->count == 0) || datum_is_symbol(p, "nil");
  if (is_nil) return both(m, p->span, prim1(m, p->span, "nil?", v), then);
  Core *same = core_prim(program(m), p->span, "==", 2, local(m, p->span, v), constant_of(m, p));
  return both(m, p->span, same, then);
}

/* ---- names: body with what p binds, v being known to match it ----------------------------------- */

static Core *bind_items(Match *m, Datum *p, size_t i, Var *cursor, Core *body) {
  bool is_over = true;
  for (size_t j = i; j < p->count; j++) is_over &= !has_names(p->items[j]);
  if (is_over) return body;
  if (datum_is_symbol(p->items[i], "&")) return bind(m, p->items[i + 1], cursor, body);
  Datum *item = p->items[i];
  Var *next = temp(m, p->span), *head = temp(m, item->span);
  Core *after = bind_items(m, p, i + 1, next, body);
  after = let(m, p->span, next, prim1(m, p->span, "tail", cursor), after);
  if (!has_names(item)) return after;
  return let(m, item->span, head, prim1(m, item->span, "head", cursor),
             bind(m, item, head, after));
}

static Core *bind_list(Match *m, Datum *p, Var *v, Core *body) {
  if (v == m->answers.value) return bind_items(m, p, 0, m->answers.items, body);
  Var *items = temp(m, p->span);
  return let(m, p->span, items, items_of(m, p->span, v), bind_items(m, p, 0, items, body));
}

static Core *bind_vector(Match *m, Datum *p, Var *v, Core *body) {
  size_t fixed = rest_at(p);
  for (size_t i = p->count; i-- > 0;) {
    if (i == fixed || !has_names(p->items[i])) continue;
    Span span = p->items[i]->span;
    Var *part = temp(m, span);
    Core *init = i > fixed ? slice_from(m, span, v, fixed) : element(m, span, v, i);
    body = let(m, span, part, init, bind(m, p->items[i], part, body));
  }
  return body;
}

static Core *bind_map(Match *m, Datum *p, Var *v, Core *body) {
  for (size_t i = p->count; i > 0; i -= 2) {
    if (!has_names(p->items[i - 1])) continue;
    Var *got = temp(m, p->items[i - 1]->span);
    body = let(m, p->span, got, value_of_key(m, p->items[i - 2], v),
               bind(m, p->items[i - 1], got, body));
  }
  return body;
}

static Core *bind(Match *m, Datum *p, Var *v, Core *body) {
  if (!has_names(p)) return body;
  if (is_name(p))
    return ptrmap_get(&m->clause->first, p->text) == p ? bind_name(m, p, v, body) : body;
  if (p->kind == DATUM_VECTOR) return bind_vector(m, p, v, body);
  return p->kind == DATUM_MAP ? bind_map(m, p, v, body) : bind_list(m, p, v, body);
}

/* ---- clauses --------------------------------------------------------------------------------- */

static void collect_names(Match *m, Datum *p) {
  if (is_name(p)) {
    if (ptrmap_get(&m->clause->first, p->text) == p)
      scope_add(m->x, m->clause->names, p->text, p->span);
    return;
  }
  if (!has_names(p)) return;
  for (size_t i = p->kind == DATUM_MAP; i < p->count; i += p->kind == DATUM_MAP ? 2 : 1)
    collect_names(m, p->items[i]);
}

static Ctx enter_arm(Match *m, Loop *loop) {
  m->clause->names = scope_new(m->x, SCOPE_ARM, m->ctx);
  collect_names(m, m->clause->pattern);
  return ctx_within(m->ctx, m->clause->names, loop);
}

/* In the order of the text: what is written first is expanded first. */
static void expand_clause(Match *m, Clause *c) {
  m->clause = c;
  Span span = c->datum->span;
  Ctx guard_ctx = enter_arm(m, NULL);
  Core *then = c->guard ? expand_expr(m->x, c->guard->items[1], guard_ctx)
                        : core_int(program(m), span, 1);
  c->condition = test(m, c->pattern, m->answers.value, then);
  Ctx ctx = enter_arm(m, m->ctx.loop);
  size_t first = c->guard ? 2 : 1;
  Core *body =
      expand_branches(m->x, c->datum->items + first, c->datum->count - first, span, ctx);
  c->body = bind(m, c->pattern, m->answers.value, body);
}

static bool is_guard(const Datum *d) {
  return d->kind == DATUM_LIST && !d->is_quoted && d->count == 2 &&
         datum_is_symbol(d->items[0], "when");
}

static bool read_clause(Match *m, Clause *c, Datum *d) {
  if (d->kind != DATUM_LIST || d->count == 0) {
    diag_error(program(m)->diag, d->span, "a clause is written {pattern expressions...}");
    return false;
  }
  *c = (Clause){.datum = d, .pattern = d->items[0], .first.arena = program(m)->arena};
  if (d->count > 1 && is_guard(d->items[1])) {
    c->guard = d->items[1];
    c->is_binding = true;
  }
  m->clause = c;
  return check_pattern(m, c->pattern);
}

/* Matches whatever there is. */
static bool is_catch_all(const Clause *c) {
  return !c->guard && (is_wild(c->pattern) || is_name(c->pattern));
}

static void warn_unreachable(Match *m, const Clause *clauses, size_t count) {
  for (size_t i = 0; i + 1 < count; i++) {
    if (!is_catch_all(&clauses[i])) continue;
    diag_warning(program(m)->diag, clauses[i + 1].datum->span, "this clause is never reached");
    diag_note(program(m)->diag, clauses[i].pattern->span, "this pattern matches everything");
    return;
  }
}

/* What a pattern that is a constant is one of; NULL for other patterns. */
static const char *constants_of(const Datum *p) {
  switch (p->kind) {
  case DATUM_INT:
  case DATUM_BIG:
  case DATUM_FLOAT: return "numbers";
  case DATUM_STRING: return "strings";
  case DATUM_KEYWORD: return "keywords";
  case DATUM_LIST: return is_quote(p) ? "symbols" : NULL;
  default: return NULL;
  }
}

/* Constants of one type say what the value is meant to be, and never all that it can be. */
static void warn_not_exhaustive(Match *m, const Clause *clauses, size_t count, Span span) {
  const char *type = count ? constants_of(clauses[0].pattern) : NULL;
  for (size_t i = 1; type && i < count; i++) {
    const char *other = constants_of(clauses[i].pattern);
    if (!other || strcmp(other, type) != 0) type = NULL;
  }
  if (!type) return;
  diag_warning(program(m)->diag, span,
               "no clause for other %s: they give the error `No match found`; {_ ...} takes them", type);
}

/* ---- the form -------------------------------------------------------------------------------- */

static void ask(Match *m, const Clause *clauses, size_t count, Span span) {
  for (size_t i = 0; i < count; i++) {
    const Datum *p = clauses[i].pattern;
    if (is_list_pattern(p) && !is_quote(p) && !m->answers.is_list) {
      m->answers.is_list = temp(m, span);
      m->answers.items = temp(m, span);
      m->answers.is_nil = temp(m, span);
    }
    if (p->kind == DATUM_VECTOR && !m->answers.is_vector) m->answers.is_vector = temp(m, span);
  }
}

static Core *with_answers(Match *m, Span span, Core *body) {
  Answers *a = &m->answers;
  if (a->is_vector) body = let(m, span, a->is_vector, prim1(m, span, "vec?", a->value), body);
  if (!a->is_list) return body;
  Core *items = core_if(program(m), span, local(m, span, a->is_list),
                        items_of(m, span, a->value), core_nil(program(m), span));
  body = let(m, span, a->is_nil, prim1(m, span, "nil?", a->items), body);
  body = let(m, span, a->items, items, body);
  return let(m, span, a->is_list, prim1(m, span, "list?", a->value), body);
}

Core *form_match(Expander *x, Datum *d, Ctx ctx) {
  Match m = {.x = x, .ctx = ctx_tail(ctx)};
  Span span = d->items[1]->span;
  size_t count = d->count - 2;
  Clause *clauses = ARENA_ARRAY(x->p->arena, Clause, count);
  for (size_t i = 0; i < count; i++)
    if (!read_clause(&m, &clauses[i], d->items[i + 2])) return expand_fail(x, d->span);
  warn_unreachable(&m, clauses, count);
  if (!ctx.is_quiet) warn_not_exhaustive(&m, clauses, count, d->items[0]->span);
  m.answers.value = temp(&m, span);
  Core *value = expand_expr(x, d->items[1], ctx_inner(ctx));
  ask(&m, clauses, count, span);
  for (size_t i = 0; i < count; i++) expand_clause(&m, &clauses[i]);
  Core *e = expand_make_error(x, d->span, "No match found");
  for (size_t i = count; i-- > 0;) {
    Clause *c = &clauses[i];
    e = is_catch_all(c) ? c->body : core_if(x->p, c->datum->span, c->condition, c->body, e);
  }
  e = with_answers(&m, span, e);
  return core_let(x->p, d->span, m.answers.value, value,
                  expand_or_error(x, span, m.answers.value, e));
}
