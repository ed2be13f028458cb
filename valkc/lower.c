/* lower.c - core to low: evaluation order, temporaries, error checks, boxes, loops.
 *
 * in:    core after core_find_free, no CORE_NAME
 * out:   low.h; every function reached from the top-level forms, and only those
 * keeps: the order of evaluation; errors stop what core.h says they stop
 * cost:  linear in the size of core
 * trust: emit.c prints what it finds
 *
 * Expressions are lowered toward a destination (lower_parts.h, Dest): a variable, or the result
 * of the function, where calls are tail calls. Leaving early, because of an error, is a RETURN
 * there and a LEAVE of the nearest block that ends behind the assignment here.
 *
 * C text must not nest as deep as a long `cond` or `and` chain does, so of the branches of an IF
 * the one without further branches is nested and leaves, the other follows flat. */
#include "flow.h"
#include "lower_parts.h"
#include "passes.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- statements --------------------------------------------------------------------------- */

LowOp low_op(Lower *l, LowOpKind kind, size_t count, ...) {
  LowOp op = {.kind = kind, .pos = l->span, .count = count};
  op.args = ARENA_ARRAY(l->arena, LowArg, count);
  va_list ap;
  va_start(ap, count);
  for (size_t i = 0; i < count; i++) op.args[i] = va_arg(ap, LowArg);
  va_end(ap);
  return op;
}

LowStmt *low_append(Lower *l, LowStmtKind kind) {
  LowStmt *s = ARENA_NEW(l->arena, LowStmt);
  s->kind = kind;
  s->span = l->span;
  if (l->body->last) l->body->last->next = s;
  else l->body->first = s;
  l->body->last = s;
  if (kind == STMT_RETURN || kind == STMT_LEAVE || kind == STMT_NEXT) l->body->is_closed = true;
  return s;
}

static LowStmt *append_op(Lower *l, LowStmtKind kind, LowOp op) {
  LowStmt *s = low_append(l, kind);
  s->op = op;
  return s;
}

static LowVar *new_var(Lower *l, const char *name, unsigned id) {
  LowVar *v = ARENA_NEW(l->arena, LowVar);
  v->name = name;
  v->id = id;
  v->fn = l->fn;
  return v;
}

LowVar *low_temp(Lower *l) {
  LowVar *v = new_var(l, "", 0); /* numbered where it gets its value: the text reads in order */
  v->is_temp = true;
  return v;
}

LowLabel *low_label(Lower *l) {
  LowLabel *label = ARENA_NEW(l->arena, LowLabel);
  label->id = ++l->fn->label_count;
  return label;
}

static void leave(Lower *l, LowLabel *label) {
  label->is_left = true;
  low_append(l, STMT_LEAVE)->label = label;
}

/* The result type is the last word of a signature: "(list any) list|nil". */
static bool prim_may_be_error(const Prim *prim) {
  if (prim->flags & (PRIM_FAILS | PRIM_CALLS)) return true;
  const char *type = strrchr(prim->signature, ')');
  return !type || strstr(type, "any") || strstr(type, "err");
}

bool low_arg_may_be_error(const Lower *l, LowArg a) {
  if (a.facts.types) return a.facts.types & T_ERROR;
  if (a.kind == ARG_VAR) return a.var->may_be_error;
  if (a.kind != ARG_CAPTURE) return false;
  const Var *v = l->fn->captures.items[a.capture];
  return v->is_set || !v->known || v->known->kind != CORE_LAMBDA;
}

static bool op_may_be_error(const Lower *l, const LowOp *op) {
  static const bool by_kind[] = {
#define OP(name, may_be_error) may_be_error,
      LOW_OPS(OP)
#undef OP
  };
  if (op->facts.types) return op->facts.types & T_ERROR;
  if (op->kind == OP_COPY) return low_arg_may_be_error(l, op->args[0]);
  if (op->kind == OP_PRIM) return prim_may_be_error(op->prim);
  return by_kind[op->kind];
}

static LowFacts facts_of(const Core *e) {
  return e->has_facts ? (LowFacts){e->types, e->lo, e->hi} : (LowFacts){0};
}

static LowFacts facts_of_var(const Var *v) {
  return v->has_facts ? (LowFacts){v->types, v->lo, v->hi} : (LowFacts){0};
}

static void number(Lower *l, LowVar *v) {
  if (v->is_temp && v->id == 0) v->id = ++l->fn->temp_count;
}

static void set(Lower *l, LowVar *v, LowOp op, bool is_decl) {
  if (op.kind == OP_COPY && arg_is_var(op.args[0], v)) return; /* (= {v} v) */
  number(l, v);
  LowStmt *s = append_op(l, STMT_SET, op);
  s->var = v;
  s->is_decl = is_decl;
  v->may_be_error |= op_may_be_error(l, &op);
}

static void declare(Lower *l, LowVar *v) {
  number(l, v);
  low_append(l, STMT_DECLARE)->var = v;
}

LowArg low_set_temp(Lower *l, LowOp op) {
  LowVar *t = low_temp(l);
  t->facts = op.kind == OP_COPY ? op.args[0].facts : op.facts;
  set(l, t, op, true);
  LowArg a = arg_var(t);
  a.facts = t->facts;
  return a;
}

LowVar *low_new_temp(LowProgram *low, LowFn *f, LowRep rep, LowFacts facts) {
  LowVar *v = ARENA_NEW(low->arena, LowVar);
  *v = (LowVar){.name = "", .is_temp = true, .fn = f, .id = ++f->temp_count, .rep = rep, .facts = facts};
  return v;
}

bool low_op_is_expression(const LowOp *op) {
  switch (op->kind) {
  case OP_PRIM:
    if (op->prim->flags & PRIM_INLINE) return true;
    return !(op->prim->flags & PRIM_FAILS) && (!op->prim->is_argv || op->count == 0);
  case OP_CALL_VALUE: return op->count - 1 <= LOW_REG_ARGS;
  case OP_CALL:
  case OP_PARTIAL:
  case OP_LIST:
  case OP_CLOSURE: return false;
  default: return true;
  }
}

void low_finish(Lower *l, Dest d, LowOp op) {
  if (d.var) {
    set(l, d.var, op, false);
    return;
  }
  if (!low_op_is_expression(&op)) op = low_copy(l, low_set_temp(l, op));
  append_op(l, STMT_RETURN, op);
}

/* ---- blocks ------------------------------------------------------------------------------- */

/* Statements go to `inner` until body_end gives back the body they went to before. */
static LowBody *body_begin(Lower *l, LowBody *inner) {
  LowBody *outer = l->body;
  l->body = inner;
  return outer;
}

static void append_block(Lower *l, LowLabel *label, LowBody body) {
  LowStmt *s = low_append(l, STMT_BLOCK);
  s->label = label;
  s->body = body;
  l->body->is_closed = body.is_closed && !label->is_left;
}

static LowStmt *append_if(Lower *l, LowTest test, LowArg a, LowBody then, LowBody other) {
  LowStmt *s = append_op(l, STMT_IF, low_copy(l, a));
  s->test = test;
  s->body = then;
  s->other = other;
  l->body->is_closed = then.is_closed && other.is_closed;
  return s;
}

Span low_place(const Lower *l, const Core *e) {
  return e->span.file != NO_FILE ? e->span : l->span;
}

/* The places of primitives that fail are in their errors already. */
static bool has_place(LowArg v, Span at) {
  if (v.kind != ARG_VAR || !v.var->is_placed || v.var->is_assigned) return false;
  return v.var->placed.file == at.file && v.var->placed.start == at.start;
}

void low_pass_error(Lower *l, LowArg v, Span at, Dest d) {
  if (!low_arg_may_be_error(l, v)) return;
  LowBody body = {0}, *outer = body_begin(l, &body);
  LowOp op = low_op(l, OP_AT, 1, v);
  op.pos = at.file != NO_FILE ? at : l->span;
  if (has_place(v, op.pos)) op.kind = OP_COPY;
  low_finish(l, d, op);
  if (d.var) leave(l, d.join);
  l->body = outer;
  append_if(l, TEST_ERROR, v, body, (LowBody){0});
}

/* Parallel assignment of the values of a round, then back to its start. */
void low_next_round(Lower *l, LowLabel *next, LowVar **vars, LowArg *args, size_t count) {
  for (size_t j = 1; j < count; j++)
    for (size_t i = 0; i < j; i++)
      if (arg_is_var(args[j], vars[i])) {
        args[j] = low_set_temp(l, low_copy(l, args[j]));
        break;
      }
  for (size_t i = 0; i < count; i++)
    if (!arg_is_var(args[i], vars[i])) set(l, vars[i], low_copy(l, args[i]), false);
  next->is_next = true;
  low_append(l, STMT_NEXT)->label = next;
}

/* ---- variables ---------------------------------------------------------------------------- */

static LowVar *bind_var(Lower *l, Var *v) {
  LowVar *low = l->vars[v->id] = new_var(l, v->name, v->id);
  low->facts = facts_of_var(v);
  low->is_box = VAR_IS_BOXED(v);
  low->is_assigned = v->is_set && !low->is_box;
  low->may_be_error = v->is_set && !low->is_box;
  return low;
}

/* A parameter or loop variable: gives what is assigned from outside. If closures share the
 * variable and it is assigned, each round has a new box, made where the round begins. */
static LowVar *bind_round_var(Lower *l, Var *v) {
  LowVar *raw = bind_var(l, v);
  raw->may_be_error = true;
  if (!raw->is_box) return raw;
  raw = new_var(l, v->name, v->id);
  raw->is_raw = true;
  raw->may_be_error = true;
  return raw;
}

static void box_round_vars(Lower *l, Var **vars, LowVar **raws, size_t count) {
  for (size_t i = 0; i < count; i++) {
    LowVar *low = l->vars[vars[i]->id];
    if (low->is_box) set(l, low, low_op(l, OP_BOX, 1, arg_var(raws[i])), true);
  }
}

/* The word that holds v: its value, or its box. */
LowArg lower_var_place(Lower *l, Var *v) {
  LowVar *low = l->vars[v->id];
  if (low && low->fn == l->fn) return arg_var(low);
  if (l->fn->own == v) return (LowArg){.kind = ARG_SELF};
  for (size_t i = 0; i < l->fn->captures.count; i++)
    if (l->fn->captures.items[i] == v) return (LowArg){.kind = ARG_CAPTURE, .capture = (unsigned)i};
  diag_bug(l->p->diag, v->span, "lower", "`%s.%u` has no place in `%s`", v->name, v->id,
           l->fn->name ? l->fn->name : "?");
}

static LowArg local_value(Lower *l, Core *e) {
  Var *v = e->var;
  LowFn *f = lower_static_fn(l, v);
  if (f) return arg_const(lower_fn_const(l, f));
  LowArg place = lower_var_place(l, v);
  if (VAR_IS_BOXED(v)) {
    place = low_set_temp(l, low_op(l, OP_UNBOX, 1, place));
  } else if (!place.facts.types) {
    place.facts = facts_of_var(v);
  }
  if (!v->starts_unbound || !e->a) return place;
  LowVar *t = low_temp(l);
  set(l, t, low_copy(l, place), true);
  LowBody body = {0}, *outer = body_begin(l, &body);
  lower_to(l, e->a, (Dest){t, NULL});
  l->body = outer;
  append_if(l, TEST_UNBOUND, arg_var(t), body, (LowBody){0});
  return arg_var(t);
}

static LowArg global_value(Lower *l, Core *e) {
  Global *g = e->global;
  LowOp op = {.kind = OP_GLOBAL, .pos = low_place(l, e), .global = g};
  switch (g->kind) {
  case GLOBAL_FUNCTION:
    return arg_const(lower_fn_const(l, lower_fn_of(l, g->lambda, NULL)));
  case GLOBAL_PRIM: return arg_const(lower_prim_const(l, g->prim));
  case GLOBAL_UNKNOWN: op.kind = OP_NO_GLOBAL; break;
  case GLOBAL_VARIABLE: op.is_checked = !lower_slot_init(l, g) && !g->is_always_bound; break;
  }
  return low_set_temp(l, op);
}

/* ---- expressions in operand position ------------------------------------------------------- */

static void lower_set(Lower *l, Core *e) {
  Var *v = e->var;
  LowArg place = lower_var_place(l, v);
  if (!VAR_IS_BOXED(v)) {
    lower_to(l, e->a, (Dest){place.var, NULL});
    return;
  }
  LowArg value = lower_value(l, e->a);
  append_op(l, STMT_SET_BOX, low_op(l, OP_COPY, 2, place, value));
}

static LowArg nil_value(Lower *l) { return arg_const(lower_nil(l)); }

/* Control flow, or something that may end early: needs a destination. */
static bool needs_dest(Lower *l, Core *e) {
  switch (e->kind) {
  case CORE_IF:
  case CORE_SEQ:
  case CORE_LOOP:
  case CORE_RECUR:
  case CORE_DEF: return true;
  case CORE_CALL: return lower_call_may_leave(l, e);
  default: return false;
  }
}

static LowOp prim_op(Lower *l, Core *e) {
  LowOp op = {.kind = OP_PRIM, .prim = e->prim, .pos = low_place(l, e), .count = e->count};
  op.args = lower_values(l, e->items, e->count, 0);
  op.facts = facts_of(e);
  if (!strcmp(e->prim->name, "list") && e->count > 0) op.kind = OP_LIST; /* consed where it stands */
  op.content_types = e->content_types;
  op.vector_kind = e->vector_kind;
  return op;
}

/* The operation that gives the value of e, what goes before it being done. Not for needs_dest. */
static LowOp op_of(Lower *l, Core *e) {
  switch (e->kind) {
  case CORE_PRIM: return prim_op(l, e);
  case CORE_CALL: {
    LowOp op = lower_call_op(l, e, (Dest){NULL, NULL});
    op.facts = facts_of(e);
    return op;
  }
  case CORE_LAMBDA: return lower_closure(l, lower_fn_of(l, e->lambda, NULL));
  case CORE_BLOCK: return lower_literal(l, e);
  default: return low_copy(l, lower_value(l, e));
  }
}

static void bind_let(Lower *l, Core *e);

/* Declares var with the value of e. */
static void lower_into(Lower *l, Core *e, LowVar *var) {
  for (; e->kind == CORE_LET; e = e->b) bind_let(l, e);
  if (needs_dest(l, e)) {
    declare(l, var);
    lower_to(l, e, (Dest){var, NULL});
    return;
  }
  LowOp op = op_of(l, e);
  set(l, var, op, true);
  if (op.kind == OP_PRIM && op.prim->flags & PRIM_FAILS) {
    var->is_placed = true;
    var->placed = op.pos;
  }
}

LowArg lower_value(Lower *l, Core *e) {
  Span outer = l->span;
  for (; e->kind == CORE_LET; e = e->b) bind_let(l, e);
  l->span = low_place(l, e);
  LowArg value;
  switch (e->kind) {
  case CORE_CONST: {
    LowConst *k = lower_const(l, e->datum);
    value = k->is_dynamic ? low_set_temp(l, (LowOp){.kind = OP_MADE, .constant = k}) : arg_const(k);
    break;
  }
  case CORE_LOCAL: value = local_value(l, e); break;
  case CORE_GLOBAL: value = global_value(l, e); break;
  case CORE_SET:
    lower_set(l, e);
    value = nil_value(l);
    break;
  case CORE_LAMBDA:
  case CORE_BLOCK: {
    LowOp op = op_of(l, e);
    value = op.kind == OP_COPY ? op.args[0] : low_set_temp(l, op);
    break;
  }
  case CORE_NAME: diag_bug(l->p->diag, e->span, "lower", "an unresolved name is left");
  default: {
    LowVar *t = low_temp(l);
    t->facts = facts_of(e);
    lower_into(l, e, t);
    value = arg_var(t);
    break;
  }
  }
  l->span = outer;
  if (e->has_facts && e->types) value.facts = facts_of(e);
  return value;
}

bool lower_is_inert(const Core *e) {
  switch (e->kind) {
  case CORE_CONST:
  case CORE_GLOBAL:
  case CORE_LAMBDA:
  case CORE_BLOCK: return true;
  case CORE_LOCAL: return !e->a;
  default: return false;
  }
}

LowArg lower_steady_value(Lower *l, Core *e, bool is_last) {
  LowArg a = lower_value(l, e);
  if (is_last || a.kind != ARG_VAR || !a.var->is_assigned) return a;
  LowArg copy = low_set_temp(l, low_copy(l, a));
  copy.facts = a.facts;
  return copy;
}

LowArg *lower_values(Lower *l, Core **items, size_t count, size_t room) {
  LowArg *args = ARENA_ARRAY(l->arena, LowArg, room + count);
  size_t inert_from = count; /* items from here on change nothing */
  while (inert_from > 0 && lower_is_inert(items[inert_from - 1])) inert_from--;
  for (size_t i = 0; i < count; i++)
    args[room + i] = lower_steady_value(l, items[i], i + 1 >= inert_from);
  return args;
}

/* ---- let ---------------------------------------------------------------------------------- */

/* Nothing that runs before the variable has its value can see it. */
static bool is_plain_init(const Core *init) {
  return init->kind == CORE_CONST || init->kind == CORE_LOCAL || init->kind == CORE_GLOBAL;
}

static void bind_box(Lower *l, Var *v, Core *init) {
  if (init && is_plain_init(init)) {
    LowArg value = lower_value(l, init);
    set(l, bind_var(l, v), low_op(l, OP_BOX, 1, value), true);
    return;
  }
  LowVar *low = bind_var(l, v);
  set(l, low, low_op(l, OP_BOX, 0), true);
  if (!init) return;
  LowArg value = lower_value(l, init);
  append_op(l, STMT_SET_BOX, low_op(l, OP_COPY, 2, arg_var(low), value));
}

static void bind_let(Lower *l, Core *e) {
  Var *v = e->var;
  Core *init = e->a;
  Span outer = l->span;
  if (init) l->span = low_place(l, init);
  if (init && init->kind == CORE_LAMBDA && !v->is_set && v->use_count == 0) {
    /* nobody calls it any more */
  } else if (init && init->kind == CORE_LAMBDA && !v->is_set) {
    v->known = init;
    LowFn *f = lower_fn_of(l, init->lambda, v);
    if (f->captures.count > 0) set(l, bind_var(l, v), lower_closure(l, f), true);
  } else if (VAR_IS_BOXED(v)) {
    bind_box(l, v, init);
  } else if (init) {
    LowVar *low = new_var(l, v->name, v->id);
    low->facts = facts_of_var(v);
    lower_into(l, init, low);
    low->is_assigned = v->is_set;
    low->may_be_error |= v->is_set;
    l->vars[v->id] = low;
  } else {
    set(l, bind_var(l, v), low_copy(l, (LowArg){.kind = ARG_UNBOUND}), true);
  }
  l->span = outer;
}

/* ---- expressions with a destination -------------------------------------------------------- */

/* Has branches of its own at its end, so that its C text would nest deeper. */
static bool is_branching(const Core *e) {
  for (; e; e = e->kind == CORE_LET ? e->b : e->items[e->count - 1]) {
    if (e->kind == CORE_IF || e->kind == CORE_LOOP) return true;
    if (e->kind != CORE_LET && e->kind != CORE_SEQ) return false;
  }
  return false;
}

static LowBody branch(Lower *l, Core *e, Dest d, bool then_leave) {
  LowBody body = {0}, *outer = body_begin(l, &body);
  if (e) lower_to(l, e, d);
  else low_finish(l, d, low_copy(l, nil_value(l)));
  if (then_leave && !body.is_closed) leave(l, d.join);
  l->body = outer;
  return body;
}

/* Gives the branch that goes on flat, or NULL if both are nested. */
static Core *lower_if(Lower *l, Core *e, Dest d) {
  LowArg condition = lower_value(l, e->a);
  low_pass_error(l, condition, e->a->span, d);
  bool then_branches = is_branching(e->b), else_branches = e->d && is_branching(e->d);
  if (d.var && !then_branches && !else_branches) {
    LowBody then = branch(l, e->b, d, false);
    append_if(l, TEST_TRUE, condition, then, branch(l, e->d, d, false));
    return NULL;
  }
  bool is_inverted = then_branches && !else_branches;
  LowBody nested = branch(l, is_inverted ? e->d : e->b, d, d.var != NULL);
  append_if(l, is_inverted ? TEST_FALSE : TEST_TRUE, condition, nested, (LowBody){0});
  if (is_inverted) return e->b;
  return e->d ? e->d : core_nil(l->p, e->span);
}

static Core *lower_seq(Lower *l, Core *e, Dest d) {
  for (size_t i = 0; i + 1 < e->count; i++) {
    LowArg v = lower_value(l, e->items[i]);
    low_pass_error(l, v, e->spans[i], d);
  }
  return e->items[e->count - 1];
}

static void lower_loop(Lower *l, Core *e, Dest d) {
  Loop *loop = e->loop;
  LowArg *args = lower_values(l, e->items, e->count, 0);
  LowerLoop *state = l->loops[loop->id] = ARENA_NEW(l->arena, LowerLoop);
  state->next = low_label(l);
  state->vars = ARENA_ARRAY(l->arena, LowVar *, loop->count);
  for (size_t i = 0; i < loop->count; i++) {
    state->vars[i] = bind_round_var(l, loop->vars[i]);
    set(l, state->vars[i], low_copy(l, args[i]), true);
  }
  LowBody body = {0}, *outer = body_begin(l, &body);
  box_round_vars(l, loop->vars, state->vars, loop->count);
  lower_to(l, e->b, (Dest){d.var, d.var ? state->next : NULL});
  l->body = outer;
  if (!state->next->is_next) {
    append_block(l, state->next, body);
    return;
  }
  LowStmt *s = low_append(l, STMT_LOOP);
  s->label = state->next;
  s->body = body;
  l->body->is_closed = body.is_closed && !state->next->is_left;
}

static void lower_recur(Lower *l, Core *e) {
  LowerLoop *state = l->loops[e->loop->id];
  if (!state) diag_bug(l->p->diag, e->span, "lower", "recur outside its loop");
  LowArg *args = lower_values(l, e->items, e->count, 0);
  low_next_round(l, state->next, state->vars, args, e->count);
}

static void lower_def(Lower *l, Core *e, Dest d) {
  Global *g = e->global;
  bool exists_already = g->kind == GLOBAL_FUNCTION && e->a->kind == CORE_LAMBDA;
  if (!exists_already) {
    LowArg v = lower_value(l, e->a);
    if (e->is_def) low_pass_error(l, v, e->a->span, d);
    lower_slot_init(l, g);
    append_op(l, STMT_SET_GLOBAL, low_copy(l, v))->global = g;
  }
  low_finish(l, d, low_copy(l, nil_value(l)));
}

/* One step; gives the expression whose value is that of e, if e only wraps it. */
static Core *lower_step(Lower *l, Core *e, Dest d) {
  switch (e->kind) {
  case CORE_LET: bind_let(l, e); return e->b;
  case CORE_IF: return lower_if(l, e, d);
  case CORE_SEQ: return lower_seq(l, e, d);
  case CORE_LOOP: lower_loop(l, e, d); return NULL;
  case CORE_RECUR: lower_recur(l, e); return NULL;
  case CORE_DEF: lower_def(l, e, d); return NULL;
  case CORE_CALL: lower_call_to(l, e, d); return NULL;
  case CORE_PRIM:
    if (!d.var && lower_prim_tail(l, e)) return NULL;
    break;
  default: break;
  }
  low_finish(l, d, op_of(l, e));
  return NULL;
}

void lower_to(Lower *l, Core *e, Dest d) {
  Span span = l->span;
  LowBody body = {0}, *outer = NULL;
  for (; e->kind == CORE_LET; e = e->b) bind_let(l, e);
  if (d.var && !d.join && needs_dest(l, e)) {
    d.join = low_label(l);
    outer = body_begin(l, &body);
  }
  while (e) {
    l->span = low_place(l, e);
    e = lower_step(l, e, d);
  }
  if (outer) {
    l->body = outer;
    append_block(l, d.join, body);
  }
  l->span = span;
}

/* ---- functions and the program -------------------------------------------------------------- */

static void lower_fn(Lower *l, LowFn *f) {
  Lambda *lambda = f->lambda;
  LowBody body = {0};
  l->fn = f;
  l->span = f->span;
  l->body = &body;
  l->self_next = low_label(l);
  for (size_t i = 0; i < lambda->param_count; i++) {
    LowVar *raw = bind_round_var(l, lambda->params[i]);
    raw->is_param = true;
    PUSH(l->arena, f->params, raw);
  }
  box_round_vars(l, lambda->params, f->params.items, lambda->param_count);
  lower_to(l, lambda->body, (Dest){NULL, NULL});
  f->body = body;
  if (!l->self_next->is_next) return;
  f->body = (LowBody){0};
  l->body = &f->body;
  LowStmt *s = low_append(l, STMT_LOOP);
  s->label = l->self_next;
  s->body = body;
  l->body->is_closed = true;
}

static void lower_queue(Lower *l) {
  for (size_t i = 0; i < l->queue.count; i++) lower_fn(l, l->queue.items[i]);
  l->queue.count = 0;
}

static LowFn *top_begin(Lower *l, Span span) {
  LowFn *f = ARENA_NEW(l->arena, LowFn);
  f->id = (unsigned)l->low->tops.count;
  f->span = span;
  PUSH(l->arena, l->low->tops, f);
  l->fn = f;
  l->body = &f->body;
  l->span = span;
  return f;
}

/* A definition that cannot fail: many of them share a C function. */
static bool is_plain_def(const Core *e) {
  if (e->kind == CORE_SEQ) {
    for (size_t i = 0; i < e->count; i++)
      if (!is_plain_def(e->items[i])) return false;
    return true;
  }
  return e->kind == CORE_DEF && (e->a->kind == CORE_CONST || e->a->kind == CORE_LAMBDA);
}

enum { TOP_GROUP_MAX = 50 };

static size_t lower_top(Lower *l, size_t i) {
  const TopForm *tops = l->p->tops.items;
  top_begin(l, tops[i].span);
  size_t first = i;
  while (i < l->p->tops.count && i - first < TOP_GROUP_MAX && is_plain_def(tops[i].core))
    lower_value(l, tops[i++].core);
  if (i == first) lower_to(l, tops[i++].core, (Dest){NULL, NULL});
  else low_finish(l, (Dest){NULL, NULL}, low_copy(l, nil_value(l)));
  return i;
}

static int by_id(const void *a, const void *b) {
  unsigned x = (*(LowFn *const *)a)->id, y = (*(LowFn *const *)b)->id;
  return (x > y) - (x < y);
}

LowProgram *lower_run(Program *p) {
  Lower l = {.p = p, .arena = p->arena, .id_count = p->next_id};
  l.low = ARENA_NEW(l.arena, LowProgram);
  l.low->program = p;
  l.low->arena = l.arena;
  l.vars = ARENA_ARRAY(l.arena, LowVar *, l.id_count);
  l.fns = ARENA_ARRAY(l.arena, LowFn *, l.id_count);
  l.loops = ARENA_ARRAY(l.arena, LowerLoop *, l.id_count);
  l.const_keys.arena = l.const_by_key.arena = l.arena;
  for (size_t i = 0; i < p->tops.count;) {
    i = lower_top(&l, i);
    lower_queue(&l);
  }
  if (p->opens) {
    lower_open_globals(&l);
    lower_queue(&l);
  }
  if (l.low->fns.count) qsort(l.low->fns.items, l.low->fns.count, sizeof(LowFn *), by_id);
  if (PART_RUNS(p, merge)) merge_run(&l);
  lower_facts(l.low);
  return l.low;
}
