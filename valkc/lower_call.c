/* lower_call.c - functions, closures and calls.
 *
 * A call whose callee is known (a global function, or a lambda bound to a variable that is never
 * assigned) and whose number of arguments fits is a direct C call. A lambda that captures
 * nothing but itself and functions like it needs no closure: as a value it is static data. */
#include "flow.h"
#include "lower_parts.h"
#include <string.h>

/* ---- functions ---------------------------------------------------------------------------- */

LowFn *lower_static_fn(Lower *l, const Var *v) {
  if (v->is_set || !v->known || v->known->kind != CORE_LAMBDA) return NULL;
  LowFn *f = l->fns[v->known->lambda->id];
  return f && f->captures.count == 0 ? f : NULL;
}

static bool is_library_place(const Lower *l, Span at) {
  return at.file < l->p->diag->sources.count && l->p->diag->sources.items[at.file].is_library;
}

/* The function of a lambda, which is lowered if something needs it. own: the variable bound to it,
 * which inside the lambda is its own closure. The binders of all its free variables have been
 * lowered, so which of those are static functions is known. */
LowFn *lower_fn_of(Lower *l, Lambda *lambda, Var *own) {
  LowFn *f = l->fns[lambda->id];
  if (f) return f;
  f = l->fns[lambda->id] = ARENA_NEW(l->arena, LowFn);
  f->name = lambda->name;
  f->id = lambda->id;
  f->lambda = lambda;
  f->span = lambda->span.file != NO_FILE ? lambda->span : l->span;
  f->is_library = is_library_place(l, f->span);
  f->own = own;
  f->has_rest = lambda->has_rest;
  f->required = (unsigned)lambda->param_count - lambda->has_rest;
  for (size_t i = 0; i < lambda->free.count; i++) {
    Var *v = lambda->free.items[i];
    if (v != own && !lower_static_fn(l, v)) PUSH(l->arena, f->captures, v);
  }
  return f;
}

/* f is called, or is a value: it becomes part of the program. What only it calls itself does not. */
void lower_need(Lower *l, LowFn *f) {
  if (f->is_needed) return;
  f->is_needed = true;
  PUSH(l->arena, l->low->fns, f);
  PUSH(l->arena, l->queue, f);
}

LowOp lower_closure(Lower *l, LowFn *f) {
  if (f->captures.count == 0) return low_copy(l, arg_const(lower_fn_const(l, f)));
  f->is_value = true;
  lower_need(l, f);
  LowOp op = {.kind = OP_CLOSURE, .fn = f, .count = f->captures.count};
  op.args = ARENA_ARRAY(l->arena, LowArg, op.count);
  for (size_t i = 0; i < op.count; i++) op.args[i] = lower_var_place(l, f->captures.items[i]);
  return op;
}

static LowArg const_value(Lower *l, LowConst *k) {
  if (!k->is_dynamic) return arg_const(k);
  return low_set_temp(l, (LowOp){.kind = OP_MADE, .constant = k});
}

LowOp lower_literal(Lower *l, Core *e) {
  LowFn *f = lower_fn_of(l, e->lambda, NULL);
  LowConst *data = lower_const(l, e->datum);
  if (f->captures.count == 0 && !data->is_dynamic) {
    LowConst *k = lower_literal_const(l, data, lower_fn_const(l, f));
    return low_copy(l, arg_const(k));
  }
  LowOp code = lower_closure(l, f);
  LowArg code_arg = code.kind == OP_COPY ? code.args[0] : low_set_temp(l, code);
  return low_op(l, OP_LITERAL, 2, const_value(l, data), code_arg);
}

const char *low_tail_symbol(const Prim *prim) {
  if (!strcmp(prim->symbol, "vk_eval")) return "vk_eval_tail";
  return strcmp(prim->symbol, "vk_apply") ? NULL : "vk_apply_tail";
}

/* ---- calls -------------------------------------------------------------------------------- */

/* The function that head is sure to be, or NULL. */
static LowFn *callee_of(Lower *l, const Core *head) {
  if (head->kind == CORE_GLOBAL && head->global->kind == GLOBAL_FUNCTION)
    return lower_fn_of(l, head->global->lambda, NULL);
  if (head->kind == CORE_LAMBDA) return lower_fn_of(l, head->lambda, NULL);
  if (head->kind != CORE_LOCAL || head->var->is_set || !head->var->known) return NULL;
  if (head->var->known->kind != CORE_LAMBDA) return NULL;
  return l->fns[head->var->known->lambda->id]; /* its LET has been lowered */
}

/* args[0] is left free for self. Turns the arguments beyond the required ones into a list. */
static LowOp exact_call(Lower *l, Core *e, LowFn *f, LowArg self, LowArg *args) {
  LowOp op = {.kind = OP_CALL, .fn = f, .pos = low_place(l, e), .args = args + 1};
  op.count = e->count;
  if (f->has_rest) {
    LowOp rest = {.kind = OP_LIST, .args = op.args + f->required, .count = e->count - f->required};
    LowArg list = rest.count ? low_set_temp(l, rest) : arg_const(lower_nil(l));
    op.count = f->required + 1;
    op.args = ARENA_ARRAY(l->arena, LowArg, op.count + 1);
    for (size_t i = 0; i < f->required; i++) op.args[i + 1] = args[i + 1];
    op.args[f->required + 1] = list;
    args = op.args++;
  }
  PUSH(l->arena, l->fn->callees, f);
  lower_need(l, f);
  if (f->captures.count == 0) return op;
  args[0] = self;
  op.args = args;
  op.count++;
  return op;
}

static LowOp known_call(Lower *l, Core *e, LowFn *f) {
  bool is_exact = e->count == f->required || (f->has_rest && e->count > f->required);
  if (!is_exact && e->count == 0) return low_copy(l, lower_value(l, e->a));
  LowArg self = {.kind = ARG_SELF};
  if (f->captures.count || !is_exact) self = lower_value(l, e->a);
  LowArg *args = lower_values(l, e->items, e->count, 1);
  if (is_exact) return exact_call(l, e, f, self, args);
  args[0] = self;
  LowOpKind kind = e->count < f->required ? OP_PARTIAL : OP_CALL_VALUE;
  return (LowOp){.kind = kind, .pos = low_place(l, e), .args = args, .count = e->count + 1};
}

/* The one function that flow found to be called with all its arguments, whatever its name there, or NULL. */
static LowFn *found_callee(Lower *l, const Core *e) {
  Lambda *lambda = e->has_facts ? e->callee : NULL;
  if (!lambda || e->a->types != T_FUN) return NULL;
  LowFn *f = l->fns[lambda->id];
  if (!f && lambda->free.count == 0) f = lower_fn_of(l, lambda, NULL); /* else its closure is made elsewhere, later */
  bool is_exact = f && (e->count == f->required || (f->has_rest && e->count > f->required));
  if (e->count == 0 && f && f->has_rest) is_exact = false;
  return is_exact ? f : NULL;
}

static bool are_inert(const Core *e) {
  for (size_t i = 0; i < e->count; i++)
    if (!lower_is_inert(e->items[i])) return false;
  return true;
}

bool lower_call_may_leave(Lower *l, Core *e) { return !callee_of(l, e->a) && !found_callee(l, e) && !are_inert(e); }

LowOp lower_call_op(Lower *l, Core *e, Dest d) {
  LowFn *f = callee_of(l, e->a);
  if (f) return known_call(l, e, f);
  bool is_inert = are_inert(e);
  LowArg callee = lower_steady_value(l, e->a, is_inert);
  f = found_callee(l, e);
  if (f) return exact_call(l, e, f, callee, lower_values(l, e->items, e->count, 1));
  if (!is_inert) low_pass_error(l, callee, e->a->span, d);
  LowArg *args = lower_values(l, e->items, e->count, 1);
  args[0] = callee;
  return (LowOp){.kind = OP_CALL_VALUE, .pos = low_place(l, e), .args = args, .count = e->count + 1};
}

static bool is_self_call(const Lower *l, const LowOp *op) {
  if (op->kind != OP_CALL || op->fn != l->fn) return false;
  return l->fn->captures.count == 0 || op->args[0].kind == ARG_SELF;
}

static void tail_call(Lower *l, LowOp op) {
  if (is_self_call(l, &op)) {
    size_t self = l->fn->captures.count ? 1 : 0;
    l->fn->callees.count--; /* a jump, not a call */
    low_next_round(l, l->self_next, l->fn->params.items, op.args + self, op.count - self);
    return;
  }
  LowStmt *s = low_append(l, STMT_RETURN);
  s->is_tail = true;
  s->op = op;
  PUSH(l->arena, l->fn->tail_calls, s);
}

bool lower_prim_tail(Lower *l, Core *e) {
  if (!low_tail_symbol(e->prim) || !l->fn->lambda || flow_applied_prim(e)) return false;
  LowArg *args = lower_values(l, e->items, e->count, 1);
  args[0] = arg_const(lower_prim_const(l, e->prim));
  tail_call(l, (LowOp){.kind = OP_CALL_VALUE, .pos = low_place(l, e), .args = args, .count = e->count + 1});
  return true;
}

void lower_call_to(Lower *l, Core *e, Dest d) {
  LowOp op = lower_call_op(l, e, d);
  bool is_call = op.kind == OP_CALL || op.kind == OP_CALL_VALUE;
  if (is_call && !d.var && l->fn->lambda) tail_call(l, op);
  else low_finish(l, d, op);
}
