/* macro.c - (macro {name params...} body), calls of macros, and (comptime e).
 *
 * Macros are functions from data to data. They run in the host's evaluator (expand.h), which
 * knows what was defined above them; here is when they run, and where their result goes. */
#include "expander.h"

Core *form_macro(Expander *x, Datum *d, Ctx ctx) {
  Datum *head = d->items[1];
  if (!ctx.is_top) return expand_fail_at(x, d, "`macro` stands at top level only");
  if (!datum_is_block(head) || head->count == 0 || head->items[0]->kind != DATUM_SYMBOL)
    return expand_fail_at(x, head, "`macro` is written (macro {name parameters...} {body})");
  if (!x->p->host) return expand_fail_at(x, d, "macros cannot run here");
  Macro *m = ARENA_NEW(x->p->lasting, Macro);
  m->name = head->items[0]->text;
  m->span = head->items[0]->span;
  m->module = ctx.module;
  x->p->host->define(x->p->host->self, x->p, m, d);
  ptrmap_put(&ctx.module->macros, m->name, m);
  x->seq++;
  return core_nil(x->p, d->span);
}

static bool is_endless(Expander *x, const Macro *m, const Datum *call, unsigned times) {
  if (times <= EXPANSIONS_MAX && ++x->expansions <= EXPANSIONS_TOTAL_MAX) return false;
  bool is_reported = x->expansions > EXPANSIONS_TOTAL_MAX + 1;
  if (is_reported) return true;
  diag_error(x->p->diag, call->span, "the macro `%s` does not come to an end: %u expansions",
             m->name, times > EXPANSIONS_MAX ? EXPANSIONS_MAX : EXPANSIONS_TOTAL_MAX);
  diag_note(x->p->diag, m->span, "it is defined here");
  return true;
}

/* The call replaced by what its macro makes of it, again and again while that is a call of a
 * macro too; NULL after an error. */
static Datum *expand_outermost(Expander *x, Datum *call, Ctx ctx) {
  const ExpandHost *host = x->p->host;
  Datum *d = call;
  for (unsigned times = 1;; times++) {
    Macro *m = macro_called(d, ctx);
    if (is_endless(x, m, call, times)) return NULL;
    d = host->expand(host->self, x->p, m, d);
    if (!d || d->kind != DATUM_LIST || d->is_quoted || !macro_called(d, ctx)) return d;
  }
}

Core *expand_macro_call(Expander *x, Datum *d, Ctx ctx) {
  Macro *m = macro_called(d, ctx);
  Diag *diag = x->p->diag;
  if (x->expansion_depth == 0) x->expansions = 0;
  size_t errors = diag->error_count;
  x->expansion_depth++;
  Datum *result = expand_outermost(x, d, ctx);
  bool has_result = result != NULL;
  Core *e = has_result ? expand_expr(x, result, ctx) : expand_fail(x, d->span);
  x->expansion_depth--;
  if (has_result && diag->error_count > errors && x->expansion_depth == 0) {
    diag_note(diag, d->span, "in what the macro `%s` made of this call", m->name);
    diag_note(diag, m->span, "`%s` is defined here", m->name);
  }
  return e;
}

Core *form_comptime(Expander *x, Datum *d, Ctx ctx) {
  const ExpandHost *host = x->p->host;
  if (!host)
    return expand_fail_at(x, d, "nothing can be computed here before the program runs");
  Datum *value = host->compute(host->self, x->p, ctx.is_library ? x->p->root : ctx.module, d);
  return value ? core_const(x->p, value) : expand_fail(x, d->span);
}
