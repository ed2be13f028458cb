/* eval.c - (eval x), and what else runs data: `load` at run time, definitions with computed names.
 *
 * Calls of functions on constants, names and such calls are what programs build most; they are
 * run as they stand, without becoming code first. Every part of such a call is an expression in
 * the globals, so it makes no difference. All else goes through eval_form.c. */
#include "eval.h"
#include "fns.h"
#include "lists.h"
#include "strings.h"
#include "vectors.h"
#include <errno.h>
#include <string.h>

/* What may be left to whoever called: nothing, the last call, which is parked then, or the last
 * form too, which costs a closure. */
typedef enum Tail { TAIL_NONE, TAIL_CALLS, TAIL_FORMS } Tail;
static V expression(vk *c, Evaluator *ev, V x, Tail tail);
static V branch(vk *c, Evaluator *ev, V x, Tail tail);

/* ---- names --------------------------------------------------------------------------------- */

/* Forms that are run as they stand too, most of what programs build after calls. */
enum { FORM_OTHER, FORM_IF, FORM_DO, FORM_QUOTE };

static int form_number(const char *name) {
  if (!strcmp(name, "if")) return FORM_IF;
  if (!strcmp(name, "do")) return FORM_DO;
  return strcmp(name, "quote") ? FORM_OTHER : FORM_QUOTE;
}

static void look_up_global(Evaluator *ev, EvalName *n, const char *name) {
  Program *p = ev->p;
  unsigned seq;
  int64_t value;
  bool is_nil;
  Global *g = module_find(p, p->root, name, &seq);
  if (!g && !(name[0] == '%' && name[1])) g = library_global(p, name);
  if (g && g->kind != GLOBAL_VARIABLE) {
    n->kind = NAME_VALUE;
    n->value = eval_function(ev, g);
  } else if (!g && library_constant(name, &value, &is_nil)) {
    n->kind = NAME_VALUE;
    n->value = is_nil ? VK_NIL : VK_FIX(value);
  } else {
    n->kind = NAME_SLOT;
    n->slot = eval_slot(ev, g ? g : module_global(p, p->root, name));
  }
}

static void look_up(Evaluator *ev, EvalName *n, V symbol) {
  Program *p = ev->p;
  const char *name = name_of(p->names, VK_SYMB(symbol)->bytes, VK_SYMB(symbol)->len);
  switch (expand_head_kind(p, p->root, name)) {
  case HEAD_MACRO: n->kind = NAME_MACRO; break;
  case HEAD_FORM: {
    look_up_global(ev, n, name); /* `eval do and or error` are functions too */
    n->form = form_number(name);
    n->is_form = true;
    break;
  }
  case HEAD_NAME: look_up_global(ev, n, name); break;
  }
}

static EvalName *name_of_symbol(Evaluator *ev, V symbol) {
  const void *key = VK_OBJ(symbol);
  EvalName *n = ptrmap_get(&ev->names, key);
  unsigned now = expand_generation(ev->p);
  if (n && n->seq == now) return n;
  if (!n) {
    n = ARENA_NEW(ev->p->lasting, EvalName);
    ptrmap_put(&ev->names, key, n);
  }
  *n = (EvalName){.seq = now};
  look_up(ev, n, symbol);
  return n;
}

static V symbol_value(vk *c, Evaluator *ev, V symbol) {
  if (*VK_OBJ(symbol) & VK_KEYWORD) return symbol;
  const EvalName *n = name_of_symbol(ev, symbol);
  if (n->kind == NAME_VALUE) return n->value;
  if (n->kind == NAME_MACRO)
    return vk_errorf(c, VK_SYM(type), "The macro `%s` is no value", VK_SYMB(symbol)->bytes);
  V v = c->globals[n->slot];
  return v != VK_UNBOUND ? v : eval_unbound(c, n->slot, NULL);
}

/* ---- calls and simple forms ------------------------------------------------------------------ */

enum { ARGS_MAX = 8 };

/* (f a b ...) */
static V call(vk *c, Evaluator *ev, V f, V args, Tail tail) {
  if (VK_IS_ABN(f)) return f;
  V values[ARGS_MAX];
  size_t n = 0;
  for (; VK_IS_PAIR(args); args = VK_TAIL(args))
    values[n++] = expression(c, ev, VK_HEAD(args), TAIL_NONE);
  return tail ? vk_tailn(c, f, n, values, NULL) : vk_call(c, f, n, values);
}

static V run_if(vk *c, Evaluator *ev, V parts, Tail tail) {
  V condition = expression(c, ev, VK_HEAD(parts), TAIL_NONE), then = VK_TAIL(parts);
  if (VK_IS_ABN(condition)) return condition;
  if (!VK_IS_FALSE(condition)) return branch(c, ev, VK_HEAD(then), tail);
  return VK_TAIL(then) == VK_NIL ? VK_NIL : branch(c, ev, VK_HEAD(VK_TAIL(then)), tail);
}

static V run_do(vk *c, Evaluator *ev, V parts, Tail tail) {
  if (parts == VK_NIL) return VK_NIL;
  for (; VK_TAIL(parts) != VK_NIL; parts = VK_TAIL(parts)) {
    V v = expression(c, ev, VK_HEAD(parts), TAIL_NONE);
    if (VK_IS_ABN(v)) return v;
  }
  return expression(c, ev, VK_HEAD(parts), tail);
}

/* VK_UNBOUND if it must become code first. */
static V form(vk *c, Evaluator *ev, int number, V parts, size_t n, Tail tail) {
  if (number == FORM_IF && (n == 2 || n == 3)) return run_if(c, ev, parts, tail);
  if (number == FORM_DO) return run_do(c, ev, parts, tail);
  return number == FORM_QUOTE && n == 1 ? VK_HEAD(parts) : VK_UNBOUND;
}

/* The elements of a list, not nil, as a call; x: the whole, as it was given. */
static V combination(vk *c, Evaluator *ev, V list, V x, bool is_branch, Tail tail) {
  V head = VK_HEAD(list);
  size_t n = vk_list_length(VK_TAIL(list));
  if (VK_IS_KIND(head, VK_SYMBOL) && !(*VK_OBJ(head) & VK_KEYWORD)) {
    const EvalName *name = name_of_symbol(ev, head);
    V r = name->is_form ? form(c, ev, name->form, VK_TAIL(list), n, tail) : VK_UNBOUND;
    if (r != VK_UNBOUND) return r;
    if (name->is_form || name->kind == NAME_MACRO)
      return eval_value(ev, x, is_branch, tail == TAIL_FORMS);
  }
  if (n > ARGS_MAX) return eval_value(ev, x, is_branch, tail == TAIL_FORMS);
  return call(c, ev, expression(c, ev, head, TAIL_NONE), VK_TAIL(list), tail);
}

static V expression(vk *c, Evaluator *ev, V x, Tail tail) {
  switch (VK_KIND(x)) {
  case VK_SYMBOL: return symbol_value(c, ev, x);
  case VK_SEXPR: return combination(c, ev, ((VkSexpr *)VK_OBJ(x))->list, x, false, tail);
  case VK_VECTOR:
  case VK_MAP: return VK_IS_FROZEN(x) ? eval_value(ev, x, false, false) : x;
  default: return x;
  }
}

/* Braces read as parentheses; a block of one list is that expression. */
static V branch(vk *c, Evaluator *ev, V x, Tail tail) {
  if (VK_IS_KIND(x, VK_BLOCK)) {
    V code = ((VkBlock *)VK_OBJ(x))->code;
    return tail ? vk_park0(c, code) : vk_call(c, code, 0, NULL);
  }
  if (!VK_IS_PAIR(x)) return expression(c, ev, x, tail);
  V only = VK_TAIL(x) == VK_NIL ? VK_HEAD(x) : VK_NIL;
  if (only != VK_NIL && vk_is_list(only)) return expression(c, ev, only, tail);
  return combination(c, ev, x, x, true, tail);
}

/* ---- primitives ---------------------------------------------------------------------------- */

static bool needs_evaluator(V x) {
  return VK_IS_PAIR(x) || VK_IS_KIND(x, VK_SEXPR) || VK_IS_KIND(x, VK_SYMBOL) ||
         VK_IS_KIND(x, VK_VECTOR) || VK_IS_KIND(x, VK_MAP);
}

/* What every use of eval on data comes to: programs without it link no evaluator. */
__attribute__((noinline)) V vk_eval_list(vk *c, V x) {
  V r = branch(c, eval_of(c), x, TAIL_CALLS);
  return VK_RESUMED(c, r);
}

V vk_eval(vk *c, V x) {
  if (VK_IS_KIND(x, VK_BLOCK)) return vk_call(c, ((VkBlock *)VK_OBJ(x))->code, 0, NULL);
  return needs_evaluator(x) ? vk_eval_list(c, x) : x;
}

/* What is evaluated may call again, so it runs when this frame is gone. place: a VkPos, seen as a
 * number. */
static V eval_later(vk *c, V self, V x, V place) {
  (void)self;
  V r = branch(c, eval_of(c), x, TAIL_FORMS);
  bool is_new = VK_IS_ABN(r) && r != VK_MARK && VK_ERR(r)->trace_count == 0;
  return is_new ? vk_at(c, r, (const VkPos *)(uintptr_t)place) : r;
}

V vk_eval_tail(vk *c, V x, const VkPos *pos) {
  static const VkFn fn = {.name = "eval", .code = (void *)eval_later, .min = 2, .max = 2};
  static const VkClosure later VK_ALIGN16 = {
      VK_HDR(VK_CLOSURE, 2, 0), (void *)eval_later, &fn, {}};
  _Static_assert(_Alignof(VkPos) % 8 == 0, "its address looks like a fixnum");
  if (VK_IS_ABN(x)) return pos ? vk_at(c, x, pos) : x;
  if (VK_IS_KIND(x, VK_BLOCK)) return vk_park0(c, ((VkBlock *)VK_OBJ(x))->code);
  return needs_evaluator(x) ? vk_park2(c, VK_FROM_OBJ(&later), x, (V)(uintptr_t)pos) : x;
}

/* ---- load at run time ------------------------------------------------------------------------ */

/* The file `name`, in the directory `from`, or as it is; false with errno set. */
static bool open_source(Evaluator *ev, const char *from, const char *name, uint32_t *file) {
  Program *p = ev->p;
  const char *path = arena_printf(p->lasting, "%s/%s", from, name);
  bool is_plain = name[0] == '/' || !*from;
  return (!is_plain && diag_load_source(p->diag, path, file)) ||
         diag_load_source(p->diag, name, file);
}

/* Form by form, so that each may use the macros and names of those before. */
static V load_forms(Evaluator *ev, Arena *a, uint32_t file) {
  Program *p = ev->p;
  EvalBatch reading;
  eval_batch_begin(ev, &reading);
  DatumVec forms = read_source(a, p->names, p->diag, file);
  bool is_read = p->diag->error_count == reading.errors;
  eval_batch_end(ev, &reading);
  if (!is_read) return eval_syntax_error(ev, &reading);
  V r = VK_NIL;
  for (size_t i = 0; i < forms.count && !VK_IS_ABN(r); i++) {
    EvalBatch b;
    eval_batch_begin(ev, &b);
    r = eval_form(ev, p->root, forms.items[i], &b, EVAL_PERMANENT);
    if (r == VK_UNBOUND) r = eval_syntax_error(ev, &b);
  }
  return VK_IS_ABN(r) ? r : VK_NIL;
}

/* (%load path from): from is the directory of the file where the load stands. */
V vk_load_from(vk *c, V path, V from) {
  if (!VK_IS_STRING(path)) return vk_arg_error(c, "load", 1, path, "a string");
  Evaluator *ev = eval_of(c);
  uint32_t file;
  if (!open_source(ev, VK_STR(from)->bytes, VK_STR(path)->bytes, &file))
    return vk_errorf(c, VK_SYM(io), "cannot read %s: %s", VK_STR(path)->bytes, strerror(errno));
  Arena a = {0};
  V r = load_forms(ev, &a, file);
  arena_free(&a);
  return r;
}

V vk_load(vk *c, V path) {
  V here = vk_string_z(c, "");
  return vk_load_from(c, path, here);
}

/* ---- definitions that are computed ------------------------------------------------------------ */

/* (def names values...) with computed names, a symbol or a list of them: in the globals. */
V vk_def_computed(vk *c, size_t n, const V *args) {
  V one = VK_NIL, names = vk_list_of(args[0]);
  if (VK_IS_KIND(args[0], VK_SYMBOL)) names = one = vk_cons(c, args[0], VK_NIL);
  if (names == VK_UNBOUND)
    return vk_arg_error(c, "def", 1, args[0], "a name or a list of names");
  if (vk_list_length(names) != n - 1)
    return vk_errorf(c, VK_SYM(arity), "def: %zu names for %zu values", vk_list_length(names),
                     n - 1);
  Evaluator *ev = eval_of(c);
  for (size_t i = 1; i < n; i++, names = VK_TAIL(names)) {
    V name = VK_HEAD(names);
    if (!VK_IS_KIND(name, VK_SYMBOL) || *VK_OBJ(name) & VK_KEYWORD)
      return vk_arg_error(c, "def", 1, name, "a name or a list of names");
    if (VK_IS_ABN(args[i])) return args[i];
    const char *text = name_of(ev->p->names, VK_SYMB(name)->bytes, VK_SYMB(name)->len);
    uint32_t slot = eval_slot(ev, expand_define(ev->p, ev->p->root, text)); /* may move the globals */
    c->globals[slot] = args[i];
  }
  return VK_NIL;
}

static V list3(vk *c, V a, V b, V d) {
  V items[] = {a, b, d};
  return vk_sexpr(c, vk_list_from(c, 3, items));
}

/* (\ params body) with computed parameters: made in the globals from data. */
V vk_lambda_computed(vk *c, V params, V body) {
  if (!vk_is_list(params)) return vk_arg_error(c, "\\", 1, params, "a list of parameters");
  V form = list3(c, vk_intern(c, "\\", 1), vk_list_of(params), body);
  return eval_value(eval_of(c), form, false, false);
}

V vk_fun_computed(vk *c, V head, V body) {
  if (!vk_is_list(head))
    return vk_arg_error(c, "fun", 1, head, "a list of a name and parameters");
  V form = list3(c, vk_intern(c, "fun", 3), vk_list_of(head), body);
  return eval_value(eval_of(c), form, false, false);
}
