/* eval_macro.c - macros and comptime: the evaluator as the host of an expansion (expand.h).
 *
 * A macro is the function (\ {params} {body}) in the globals of its module. At compile time those
 * are there as soon as somebody reads them: the program's definitions that stand above wait as
 * data, and run in the evaluator when they are first needed (eval_unbound). */
#include "catch.h"
#include "datum_value.h"
#include "eval.h"
#include "lists.h"
#include "strings.h"
#include "vectors.h"

/* ---- messages ------------------------------------------------------------------------------- */

static Span place_of_error(V error, Span otherwise) {
  const VkError *e = VK_ERR(error);
  return e->trace_count ? ((const EvalPos *)e->trace[0])->span : otherwise;
}

static void report(Diag *diag, Span at, const char *what, V error, Span place,
                   const char *note) {
  diag_error(diag, at, "%s: %s", what, VK_STR(VK_ERR(error)->message)->bytes);
  diag_note(diag, place_of_error(error, place), "%s", note);
}

/* A part that is no data, or NULL. */
static const Datum *find_value(const Datum *d) {
  if (d->kind == DATUM_VALUE) return d;
  if (d->kind < DATUM_LIST) return NULL;
  for (size_t i = 0; i < d->count; i++) {
    const Datum *found = find_value(d->items[i]);
    if (found) return found;
  }
  return NULL;
}

/* ---- macros --------------------------------------------------------------------------------- */

static void define(void *self, Program *p, Macro *m, Datum *form) {
  Evaluator *ev = self;
  Arena *a = p->arena;
  Datum *head = form->items[1], **items = ARENA_ARRAY(a, Datum *, 3);
  items[0] = datum_symbol(a, form->span, name_c(p->names, "\\"));
  items[1] = datum_list(a, head->span, true, head->items + 1, head->count - 1);
  items[2] = form->items[2];
  Datum *lambda = datum_list(a, form->span, false, items, 3);
  EvalBatch b;
  eval_batch_begin(ev, &b);
  V f =
      eval_form(ev, m->module, lambda, &b, ev->p->is_compile_time ? EVAL_PERMANENT : EVAL_ONCE);
  if (f == VK_UNBOUND) return;
  ((EvalFn *)VK_CLO(f)->fn)->fn.name = m->name;
  vk_vec_append(ev->c, ev->kept, f);
  m->function = f;
}

static bool takes(Program *p, const Macro *m, const Datum *call) {
  const VkFn *fn = VK_CLO(m->function)->fn;
  size_t n = call->count - 1;
  if (n >= fn->min && (fn->max == VK_ANY || n <= fn->max)) return true;
  diag_error(p->diag, call->span, "the macro `%s` takes %u argument%s%s, got %zu", m->name,
             fn->min, fn->min == 1 ? "" : "s", fn->max == VK_ANY ? " or more" : "", n);
  diag_note(p->diag, m->span, "it is defined here");
  return false;
}

static Datum *result_datum(Program *p, const Macro *m, const Datum *call, V result,
                           const DatumLinks *links) {
  DatumMaker maker = {.arena = p->arena,
                      .names = p->names,
                      .span = call->span,
                      .links = links,
                      .all_data = true};
  Datum *d = vk_value_datum(&maker, result);
  const char *why = !d ? "is nested too deeply"
                    : !p->is_open && find_value(d)
                        ? "holds a value that cannot be written, such as a function"
                        : NULL;
  if (!why) return d;
  diag_error(p->diag, call->span, "what the macro `%s` made of this call %s", m->name, why);
  diag_note(p->diag, m->span, "it is defined here");
  return NULL;
}

typedef struct MacroCall {
  const Macro *macro;
  const Datum *call;
  DatumLinks *links;
  V list; /* of the arguments */
} MacroCall;

static V call_macro(vk *c, void *arg) {
  MacroCall *of = arg;
  const Datum *call = of->call;
  size_t n = call->count - 1;
  V args = vk_vec_new(c, n);
  for (size_t i = 0; i < n; i++) {
    V arg = vk_datum_value(c, call->items[i + 1], of->links);
    if (VK_IS_ABN(arg)) return arg;
    vk_vec_append(c, args, arg);
  }
  static const V none[1]; /* a pointer, for who copies nothing from it */
  of->list = args;
  return vk_call(c, of->macro->function, n, n ? VK_STOREP(VK_VEC(args)->store)->items : none);
}

static Datum *expand(void *self, Program *p, Macro *m, Datum *call) {
  Evaluator *ev = self;
  if (!m->function || !takes(p, m, call)) return NULL;
  Arena tmp = {.first_bytes = 4096};
  DatumLinks links = {.datums.arena = &tmp};
  MacroCall of = {.macro = m, .call = call, .links = &links, .list = VK_NIL};
  V result = vk_catch_call(ev->c, call_macro, &of); /* the expander must get it back */
  Datum *d = NULL;
  if (!VK_IS_ABN(result)) {
    d = result_datum(p, m, call, result, &links);
  } else {
    const char *what = arena_printf(&tmp, "the macro `%s` gives an error", m->name);
    report(p->diag, call->span, what, result, m->span, "it arose here");
  }
  __asm__ volatile("" : : "r"(of.list)); /* the links are addresses of what it holds */
  arena_free(&tmp);
  return d;
}

/* ---- comptime ------------------------------------------------------------------------------- */

static Datum *compute(void *self, Program *p, Module *module, Datum *form) {
  Evaluator *ev = self;
  Datum *d = eval_branch(p->arena, form->items[1]);
  EvalBatch b;
  eval_batch_begin(ev, &b);
  V v = eval_form(ev, module, d, &b, ev->p->is_compile_time ? EVAL_PERMANENT : EVAL_ONCE);
  if (v == VK_UNBOUND) return NULL;
  if (VK_IS_ABN(v)) {
    report(p->diag, form->span, "comptime gives an error", v, form->span, "it arose here");
    return NULL;
  }
  DatumMaker maker = {
      .arena = p->arena, .names = p->names, .span = form->span, .all_data = true};
  Datum *value = vk_value_datum(&maker, v);
  if (value && (p->is_open || !find_value(value))) return value;
  diag_error(p->diag, form->span, "the value of comptime, a %s, %s", vk_type_name(v),
             value ? "cannot be a constant" : "is nested too deeply");
  return NULL;
}

static void forget(void *self, Module *module, const char *name) {
  Evaluator *ev = self;
  unsigned seq;
  Global *g = module_find(ev->p, module, name, &seq);
  if (g && g->slot >= 0) ev->c->globals[g->slot] = VK_UNBOUND;
}

void eval_set_host(Evaluator *ev, ExpandHost *host) {
  *host = (ExpandHost){
      .self = ev, .define = define, .expand = expand, .compute = compute, .forget = forget};
}
