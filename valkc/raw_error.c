/* raw_error.c - a number that may be an error, in two variables.
 *
 * in:    low with representations chosen: a variable may be raw though it may hold an error, an
 *        operation raw though its operands may be errors (takes_errors) or it may fail itself (guard)
 * out:   raw variables hold numbers only; beside each that may hold an error stands one that holds
 *        the error, or nil; raw operations are behind the tests that make them safe
 * keeps: what every expression gives: on its rare path an operation is the ordinary one
 * cost:  linear; the text of operations that meet errors is there twice
 * trust: emit.c knows nothing of all this
 *
 * (+ s (vec/get v i)) cannot give a raw float, as the index may be out of range; nor then can s in
 * the loop around be one. So:
 *
 *   x = vec/get v i            if vk_has_index v i
 *                                x := vk_floats_ref v i;  x' := nil
 *                              else
 *                                x' := vec/get v i        the error
 *   y = %add s x               if error s' x'
 *                                y' := %add [s' or s] [x' or x]
 *                              else
 *                                y := vk_float_add s x;  y' := nil
 *
 * A C compiler threads the jumps: where x' is nil nothing tests it. Where a test has been, in the
 * branches and behind one that leaves, it is known what a variable is (var->known). */
#include "raw_error.h"
#include "flow.h"
#include "represent.h"
#include <string.h>

typedef struct Splitter {
  LowProgram *low;
  LowFn *fn;
  LowBody *out; /* statements go here */
  LowConst *nil, *zero;
  Span span;           /* of the statement at hand */
  VEC(LowVar *) known; /* numbers from where we are to the end of some body around */
} Splitter;

/* ---- statements ----------------------------------------------------------------------------- */

static void append(Splitter *s, LowStmt *stmt) {
  stmt->next = NULL;
  if (s->out->last)
    s->out->last->next = stmt;
  else
    s->out->first = stmt;
  s->out->last = stmt;
}

static LowStmt *new_stmt(Splitter *s, LowStmtKind kind) {
  LowStmt *stmt = ARENA_NEW(s->low->arena, LowStmt);
  stmt->kind = kind;
  stmt->span = s->span;
  append(s, stmt);
  return stmt;
}

static void declare(Splitter *s, LowVar *v) { new_stmt(s, STMT_DECLARE)->var = v; }

static void set(Splitter *s, LowVar *v, LowOp op) {
  LowStmt *stmt = new_stmt(s, STMT_SET);
  stmt->var = v;
  stmt->op = op;
}

/* Statements go to `inner` until its end; gives where they went before. */
static LowBody *begin(Splitter *s, LowBody *inner) {
  LowBody *outer = s->out;
  s->out = inner;
  return outer;
}

static LowOp copy_op(Splitter *s, LowArg a) {
  LowOp op = {.kind = OP_COPY, .pos = s->span, .count = 1, .facts = a.facts};
  op.args = ARENA_NEW(s->low->arena, LowArg);
  *op.args = a;
  return op;
}

static LowArg var_arg(LowVar *v, LowFacts facts) {
  return (LowArg){.kind = ARG_VAR, .var = v, .facts = facts};
}
static LowArg const_arg(LowConst *k) { return (LowArg){.kind = ARG_CONST, .constant = k}; }

static LowFacts without_error(LowFacts f) {
  f.types &= ~(uint32_t)T_ERROR;
  return f;
}

/* ---- errors of operands ---------------------------------------------------------------------- */

static const LowFacts error_or_nil = {T_ERROR | T_NIL, 1, 0}, only_error = {T_ERROR, 1, 0};

static bool may_be_error(LowArg a) {
  if (a.kind == ARG_CONST || a.kind == ARG_SELF || a.kind == ARG_OP || a.kind == ARG_UNBOUND) return false;
  if (a.kind == ARG_VAR && a.var->known != KNOWN_EITHER) return a.var->known == KNOWN_ERROR;
  if (a.facts.types) return a.facts.types & T_ERROR;
  if (a.kind == ARG_VAR && a.var->error) return true;
  return a.kind != ARG_VAR || !a.var->facts.types || a.var->facts.types & T_ERROR;
}

static bool is_split(LowArg a) { return a.kind == ARG_VAR && a.var->error && may_be_error(a); }

/* What is an error if a is. */
static LowArg error_of(LowArg a) {
  return is_split(a) ? var_arg(a.var->error, error_or_nil) : a;
}

/* The operand where it is known to be a number. */
static LowArg as_number(LowArg a) {
  a.facts = without_error(a.facts.types || a.kind != ARG_VAR ? a.facts : a.var->facts);
  return a;
}

/* The operands that must be numbers. Others may be errors: what a vector gets, say. */
static LowOp with_numbers(Splitter *s, LowOp op) {
  LowArg *args = ARENA_ARRAY(s->low->arena, LowArg, op.count);
  for (size_t i = 0; i < op.count; i++)
    args[i] = fast_takes_error(&op, i) ? as_number(op.args[i]) : op.args[i];
  op.args = args;
  return op;
}

/* ---- assignments ----------------------------------------------------------------------------- */

/* v = number, and no error. */
static void set_number(Splitter *s, LowVar *v, LowOp op) {
  set(s, v, op);
  if (v->error) set(s, v->error, copy_op(s, const_arg(s->nil)));
}

static void set_error(Splitter *s, LowVar *v, LowOp op) {
  set(s, v->error, op);
  set(s, v, copy_op(s, const_arg(s->zero))); /* never read */
}

static LowStmt *begin_if(Splitter *s, LowTest test, LowOp op) {
  LowStmt *stmt = new_stmt(s, STMT_IF);
  stmt->test = test;
  stmt->op = op;
  return stmt;
}

static void set_from_error(Splitter *s, LowVar *v, LowArg a) {
  LowArg error = error_of(a);
  error.facts = only_error;
  if (v->error)
    set_error(s, v, copy_op(s, error));
  else
    set(s, v, copy_op(s, error));
}

/* A value that may be an error becomes what v is. */
static void set_either(Splitter *s, LowVar *v, LowArg a) {
  if (a.kind == ARG_VAR && a.var->known == KNOWN_ERROR) {
    set_from_error(s, v, a);
    return;
  }
  LowStmt *stmt = begin_if(s, TEST_ERROR, copy_op(s, error_of(a)));
  LowBody *outer = begin(s, &stmt->body);
  set_from_error(s, v, a);
  s->out = &stmt->other;
  set_number(s, v, copy_op(s, as_number(a)));
  s->out = outer;
}

static void set_copy(Splitter *s, LowVar *v, LowArg a) {
  if (!may_be_error(a)) {
    set_number(s, v, copy_op(s, as_number(a)));
  } else if (is_split(a) && v->error && a.var->known == KNOWN_EITHER) {
    set(s, v, copy_op(s, as_number(a)));
    set(s, v->error, copy_op(s, error_of(a)));
  } else if (a.kind == ARG_VAR) {
    set_either(s, v, a);
  } else {
    LowVar *t = low_new_temp(s->low, s->fn, REP_VALUE, a.facts);
    declare(s, t);
    set(s, t, copy_op(s, a));
    set_either(s, v, var_arg(t, a.facts));
  }
}

/* A variable that is in two as one value. */
static LowArg put_together(Splitter *s, LowArg a) {
  if (a.var->known == KNOWN_ERROR) return error_of(a);
  LowVar *t = low_new_temp(s->low, s->fn, REP_VALUE, a.facts);
  declare(s, t);
  set_either(s, t, a);
  return var_arg(t, a.facts);
}

/* The operands as values. */
static LowOp with_values(Splitter *s, LowOp op) {
  LowArg *args = ARENA_ARRAY(s->low->arena, LowArg, op.count);
  for (size_t i = 0; i < op.count; i++) {
    args[i] = op.args[i];
    if (!is_split(args[i])) continue;
    args[i] = op.kind == OP_AT ? error_of(args[i]) : put_together(s, args[i]);
  }
  op.args = args;
  return op;
}

/* The operation as it is done on any values; seldom, so that the C compiler has room for the other. */
static LowOp ordinary(Splitter *s, LowOp op) {
  op.is_rare = true;
  op.fast = NULL;
  op.guard = NULL;
  op.takes_errors = false;
  return with_values(s, op);
}

/* v = an operation that gives a value. */
static void set_value(Splitter *s, LowVar *v, LowOp op) {
  bool is_error = op.kind == OP_AT || op.facts.types == T_ERROR;
  if (!v->error) {
    set(s, v, op);
  } else if (op.facts.types && !(op.facts.types & T_ERROR)) {
    set_number(s, v, op);
  } else if (is_error) {
    set_error(s, v, op);
  } else {
    LowVar *t = low_new_temp(s->low, s->fn, REP_VALUE, op.facts);
    declare(s, t);
    set(s, t, op);
    set_either(s, v, var_arg(t, op.facts));
  }
}

/* ---- operations ------------------------------------------------------------------------------ */

static void discard_or_set(Splitter *s, LowVar *v, LowOp op) {
  if (v)
    set_value(s, v, op);
  else
    new_stmt(s, STMT_DO)->op = op;
}

/* What must be a number is one; it may have to be guarded. v: NULL for an operation done for its
 * effect. */
static void raw_operation(Splitter *s, LowVar *v, LowOp op) {
  const char *guard = op.guard;
  const LowFacts facts = op.facts;
  op = with_values(s, op);
  if (op.takes_errors && low_op_rep(&op) != REP_VALUE) op.facts = without_error(op.facts);
  op.guard = NULL;
  op.takes_errors = false;
  LowStmt *stmt = NULL;
  LowBody *outer = s->out;
  if (guard) {
    LowOp test = op;
    test.fast = represent_guard(guard);
    test.count = strlen(test.fast->operands);
    test.facts = (LowFacts){T_FIX, 0, 1};
    LowVar *t = low_new_temp(s->low, s->fn, REP_INT, test.facts);
    set(s, t, test);
    s->out->last->is_decl = true;
    stmt = begin_if(s, TEST_TRUE, copy_op(s, var_arg(t, test.facts)));
    begin(s, &stmt->body);
    op.facts = without_error(op.facts);
  }
  if (v && low_op_rep(&op) != REP_VALUE)
    set_number(s, v, op);
  else
    discard_or_set(s, v, op);
  if (!guard) return;
  s->out = &stmt->other;
  op.facts = op.fast->is_tried ? facts : only_error;
  discard_or_set(s, v, ordinary(s, op));
  s->out = outer;
}

static LowOp any_error(Splitter *s, const LowOp *op) {
  LowOp test = {.kind = OP_COPY, .pos = op->pos};
  test.args = ARENA_ARRAY(s->low->arena, LowArg, op->count);
  for (size_t i = 0; i < op->count; i++)
    if (fast_takes_error(op, i) && may_be_error(op->args[i]))
      test.args[test.count++] = error_of(op->args[i]);
  return test;
}

/* The one variable that makes the test true, if there is one. */
static LowVar *the_error(const LowOp *op) {
  LowVar *v = NULL;
  for (size_t i = 0; i < op->count; i++) {
    if (!fast_takes_error(op, i) || !may_be_error(op->args[i])) continue;
    if (op->args[i].kind != ARG_VAR || (v && v != op->args[i].var)) return NULL;
    v = op->args[i].var;
  }
  return v;
}

static void operation(Splitter *s, LowVar *v, LowOp op) {
  if (!op.takes_errors) {
    if (op.guard)
      raw_operation(s, v, op);
    else if (v && low_op_rep(&op) != REP_VALUE)
      set_number(s, v, with_values(s, op));
    else
      discard_or_set(s, v, with_values(s, op));
    return;
  }
  LowOp test = any_error(s, &op);
  if (!test.count) {
    raw_operation(s, v, with_numbers(s, op));
    return;
  }
  LowStmt *stmt = begin_if(s, TEST_ERROR, test);
  LowBody *outer = begin(s, &stmt->body);
  LowVar *only = the_error(&op);
  if (only) only->known = KNOWN_ERROR;
  discard_or_set(s, v, ordinary(s, op));
  if (only) only->known = KNOWN_EITHER;
  s->out = &stmt->other;
  raw_operation(s, v, with_numbers(s, op));
  s->out = outer;
}

/* ---- the statements as they were -------------------------------------------------------------- */

static bool needs_split(const LowOp *op) {
  return op->kind == OP_PRIM && op->fast && (op->takes_errors || op->guard);
}

static bool has_split_operand(const LowOp *op) {
  for (size_t i = 0; i < op->count; i++)
    if (is_split(op->args[i])) return true;
  return false;
}

static void split_set(Splitter *s, LowStmt *stmt) {
  LowVar *v = stmt->var;
  if (!v->error && !needs_split(&stmt->op) && !has_split_operand(&stmt->op)) {
    append(s, stmt);
    return;
  }
  if (stmt->is_decl) declare(s, v);
  if (stmt->is_decl && v->error) declare(s, v->error);
  if (stmt->op.kind == OP_COPY)
    set_copy(s, v, stmt->op.args[0]);
  else
    operation(s, v, stmt->op);
}

static void split_return(Splitter *s, LowStmt *stmt) {
  if (needs_split(&stmt->op)) {
    LowVar *t = low_new_temp(s->low, s->fn, s->fn->result, stmt->op.facts);
    declare(s, t);
    operation(s, t, stmt->op);
    stmt->op = copy_op(s, var_arg(t, stmt->op.facts));
  } else {
    stmt->op = with_values(s, stmt->op);
  }
  append(s, stmt);
}

static void split_body(Splitter *s, LowBody *body);

/* The variable whose test this is, if what it is stays so: it gets its value before. */
static LowVar *tested_var(const LowStmt *stmt) {
  LowArg a = stmt->op.args[0];
  bool is_test = stmt->test == TEST_ERROR && a.kind == ARG_VAR;
  return is_test && !a.var->is_assigned && a.var->known == KNOWN_EITHER ? a.var : NULL;
}

static void split_if(Splitter *s, LowStmt *stmt) {
  LowVar *v = tested_var(stmt);
  if (stmt->test == TEST_ERROR)
    stmt->op.args[0] = error_of(stmt->op.args[0]);
  else if (stmt->test == TEST_UNBOUND)
    stmt->op = with_values(s, stmt->op);
  else
    stmt->op.args[0] = as_number(stmt->op.args[0]);
  append(s, stmt);
  if (v) v->known = KNOWN_ERROR;
  split_body(s, &stmt->body);
  if (v) v->known = KNOWN_NUMBER;
  split_body(s, &stmt->other);
  if (!v) return;
  if (stmt->body.is_closed)
    PUSH(s->low->arena, s->known, v);
  else
    v->known = KNOWN_EITHER;
}

static void split_stmt(Splitter *s, LowStmt *stmt) {
  s->span = stmt->span;
  switch (stmt->kind) {
  case STMT_DECLARE:
    append(s, stmt);
    if (stmt->var->error) declare(s, stmt->var->error);
    return;
  case STMT_SET: split_set(s, stmt); return;
  case STMT_DO:
    if (!needs_split(&stmt->op)) break;
    operation(s, NULL, stmt->op);
    return;
  case STMT_IF: split_if(s, stmt); return;
  case STMT_RETURN: split_return(s, stmt); return;
  case STMT_BLOCK:
  case STMT_LOOP:
    append(s, stmt);
    split_body(s, &stmt->body);
    return;
  default: break;
  }
  stmt->op = with_values(s, stmt->op);
  append(s, stmt);
}

static void split_body(Splitter *s, LowBody *body) {
  size_t known = s->known.count;
  LowStmt *next = body->first;
  LowBody *outer = begin(s, body);
  body->first = body->last = NULL;
  while (next) {
    LowStmt *stmt = next;
    next = stmt->next;
    split_stmt(s, stmt);
  }
  s->out = outer;
  while (s->known.count > known) s->known.items[--s->known.count]->known = KNOWN_EITHER;
}

/* ---- variables -------------------------------------------------------------------------------- */

static void note_var(Splitter *s, LowVar *v) {
  if (!v || v->error || v->rep == REP_VALUE || !(v->facts.types & T_ERROR)) return;
  v->error = low_new_temp(s->low, s->fn, REP_VALUE, error_or_nil);
  v->error->is_error_part = true;
  v->facts = without_error(v->facts);
}

static bool note_body(Splitter *s, const LowBody *body) {
  bool found = false;
  for (const LowStmt *stmt = body->first; stmt; stmt = stmt->next) {
    if (stmt->kind == STMT_SET || stmt->kind == STMT_DECLARE) note_var(s, stmt->var);
    found |= (stmt->var && stmt->var->error) || needs_split(&stmt->op);
    found |= note_body(s, &stmt->body);
    found |= note_body(s, &stmt->other);
  }
  return found;
}

/* Counts readers anew: to 0 first. */
static void count_reads(const LowBody *body, bool is_reset) {
  for (const LowStmt *stmt = body->first; stmt; stmt = stmt->next) {
    if (is_reset && stmt->var) stmt->var->read_count = 0;
    for (size_t i = 0; i < stmt->op.count; i++)
      if (stmt->op.args[i].kind == ARG_VAR) {
        if (is_reset)
          stmt->op.args[i].var->read_count = 0;
        else
          stmt->op.args[i].var->read_count++;
      }
    count_reads(&stmt->body, is_reset);
    count_reads(&stmt->other, is_reset);
  }
}

static void split_fn(Splitter *s, LowFn *f) {
  s->fn = f;
  if (!note_body(s, &f->body)) return;
  split_body(s, &f->body);
  count_reads(&f->body, true);
  count_reads(&f->body, false);
}

static LowConst *nil_const(LowProgram *low) {
  for (size_t i = 0; i < low->consts.count; i++)
    if (low->consts.items[i]->kind == LOW_NIL) return low->consts.items[i];
  LowConst *k = ARENA_NEW(low->arena, LowConst);
  k->kind = LOW_NIL;
  k->id = (unsigned)low->consts.count;
  PUSH(low->arena, low->consts, k);
  return k;
}

void raw_error_run(LowProgram *low) {
  Splitter s = {.low = low, .nil = nil_const(low), .zero = ARENA_NEW(low->arena, LowConst)};
  s.zero->kind = LOW_INT; /* printed raw only, so it needs no place among the constants */
  for (size_t i = 0; i < low->fns.count; i++) split_fn(&s, low->fns.items[i]);
  for (size_t i = 0; i < low->tops.count; i++) split_fn(&s, low->tops.items[i]);
}
