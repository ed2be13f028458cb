/* represent.c - which variables are raw machine numbers, and which operations need no checks.
 *
 * in:    low, with flow's facts on variables, operands and results (all unknown if flow was skipped)
 * out:   var->rep, fn->result, op->fast; the statements are the same but for temporaries put
 *        between an operation that gives a value in several C statements and a raw variable
 * keeps: a raw variable only ever holds values that its representation can; converting is exact
 * cost:  linear
 * trust: emit.c converts wherever the representations of a variable and its place differ
 *
 * A variable is raw if flow says all its values are fixnums (or floats) and some operation takes
 * or gives it raw: otherwise converting to and fro would cost more than it saves. A function gives
 * its result raw if it can never return the tail-call marker, and so do all it tail-calls. */
#include "represent.h"
#include "flow_value.h"
#include "raw_error.h"
#include <ctype.h>
#include <string.h>

static const FastOp fast_ops[] = {
#define FAST(prim, c_name, operands, result, takes) {prim, #c_name, operands, result, takes, NULL, false},
#define GUARDED(prim, guard, c_name, operands, result, takes) {prim, #c_name, operands, result, takes, #guard, false},
#define TRIED(prim, guard, c_name, operands, result, takes) {prim, #c_name, operands, result, takes, #guard, true},
#include "fast_ops.def"
};
enum { FAST_COUNT = sizeof fast_ops / sizeof *fast_ops };

/* The integer representation that holds a range, or REP_VALUE if none does. */
static LowRep int_rep(LowFacts f) {
  if (f.types == T_FIX) return REP_INT;
  bool is_int = f.types && !(f.types & ~(uint32_t)T_INT);
  return is_int && f.lo > INT64_MIN && f.hi < INT64_MAX ? REP_WIDE : REP_VALUE;
}

static LowRep raw_rep(LowFacts f) { return f.types == T_FLOAT ? REP_FLOAT : int_rep(f); }

static LowFacts without_error(LowFacts f) {
  f.types &= ~(uint32_t)T_ERROR;
  return f;
}

/* Of the result, where neither operands nor the operation are errors. */
static LowFacts facts_of_result(const LowOp *op) {
  return op->takes_errors || op->guard ? without_error(op->facts) : op->facts;
}

static LowRep fast_result_rep(const LowOp *op) {
  switch (tolower(op->fast->result)) {
  case 'i': return int_rep(facts_of_result(op));
  case 'b': return REP_INT;
  case 'f': return REP_FLOAT;
  default: return REP_VALUE;
  }
}

LowRep low_op_rep(const LowOp *op) {
  if (op->kind == OP_PRIM && op->fast) return fast_result_rep(op);
  if (op->kind == OP_CALL) return op->fn->result;
  return REP_VALUE; /* COPY: its operand is printed as what is wanted */
}

/* ---- operations ---------------------------------------------------------------------------- */

static LowFacts facts_of_arg(LowArg a) {
  LowFacts any = {T_ANY | T_UNBOUND, INT64_MIN, INT64_MAX};
  if (a.facts.types) return a.facts;
  if (a.kind == ARG_VAR && a.var->facts.types) return a.var->facts;
  if (a.kind != ARG_CONST) return any;
  switch (a.constant->kind) {
  case LOW_INT: return (LowFacts){T_FIX, a.constant->integer, a.constant->integer};
  case LOW_FLOAT: return (LowFacts){T_FLOAT, 1, 0};
  case LOW_NIL: return (LowFacts){T_NIL, 1, 0};
  case LOW_SYMBOL: return (LowFacts){T_SYMBOL | T_KEYWORD, 1, 0};
  case LOW_BIG: return (LowFacts){T_BIG, INT64_MIN, INT64_MAX};
  default: return (LowFacts){T_ANY & ~(uint32_t)T_ERROR, INT64_MIN, INT64_MAX};
  }
}

/* Raw numbers, and vectors whose elements are known: what else takes errors tests for them anyway. */
bool fast_takes_error(const LowOp *op, size_t i) { return strchr("ifnkdghEWBDF", op->fast->operands[i]) != NULL; }

static LowFacts facts_of_operand(const LowOp *op, size_t i) {
  LowFacts f = facts_of_arg(op->args[i]);
  return op->takes_errors && fast_takes_error(op, i) ? without_error(f) : f;
}

const FastOp *represent_guard(const char *name) {
  static const FastOp guards[] = {{"vec/get", "vk_has_index", "ak", 'b', 0, NULL, false},
                                  {"str/byte", "vk_has_byte", "ak", 'b', 0, NULL, false},
                                  {"str/byte", "vk_is_byte_at", "ak", 'b', 0, NULL, false},
                                  {"vec/get", "vk_has_float", "ak", 'b', 0, NULL, false},
                                  {"vec/set!", "vk_takes_float", "ak", 'b', 0, NULL, false},
                                  {"vec/get", "vk_is_float_at", "ak", 'b', 0, NULL, false},
                                  {"vec/set!", "vk_may_float_at", "ak", 'b', 0, NULL, false}};
  for (size_t i = 0; i < sizeof guards / sizeof *guards; i++)
    if (!strcmp(name, guards[i].c_name)) return &guards[i];
  return NULL;
}

LowRep fast_operand_rep(const LowOp *op, size_t i) {
  switch (op->fast->operands[i]) {
  case 'd':
  case 'g':
  case 'h':
  case 'i': return int_rep(facts_of_operand(op, i));
  case 'k': return REP_INT;
  case 'f':
  case 'n': return REP_FLOAT;
  default: return REP_VALUE;
  }
}

/* Values that are no addresses: storing one over another needs no barrier. */
enum { T_IMMEDIATE = T_FIX | T_NIL };

static bool fits_vector(char want, const LowOp *op) {
  bool is_immediate = op->content_types && !(op->content_types & ~(uint32_t)T_IMMEDIATE);
  switch (want) {
  case 'B': return op->vector_kind == VECTOR_OF_BYTES;
  case 'D': return op->vector_kind == VECTOR_OF_FLOATS;
  case 'F': return op->vector_kind == VECTOR_OF_ANY_FLOATS;
  case 'G': return op->vector_kind == VECTOR_OF_FLOATS || op->vector_kind == VECTOR_OF_ANY_FLOATS;
  case 'W': return op->vector_kind == VECTOR_OF_VALUES && is_immediate;
  default: return op->vector_kind == VECTOR_OF_VALUES;
  }
}

static bool fits_operand(char want, LowFacts f, const LowOp *op) {
  const int64_t small = (int64_t)1 << 53;
  switch (want) {
  case 'i': return int_rep(f) != REP_VALUE;
  case 'd': return int_rep(f) != REP_VALUE && (f.lo > 0 || f.hi < 0);
  case 'g': return int_rep(f) != REP_VALUE && f.lo >= 0;
  case 'h': return int_rep(f) != REP_VALUE && f.lo > 0;
  case 'k':
  case 'x': return f.types == T_FIX;
  case 'f': return f.types == T_FLOAT;
  case 'n': return f.types == T_FLOAT || (!(f.types & ~(uint32_t)(T_FLOAT | T_FIX)) && f.lo >= -small && f.hi <= small && f.types == T_FIX);
  case 'p': return f.types == T_PAIR;
  case 'N': return f.types == T_NIL;
  case 'o': return !(f.types & (T_LISTOBJ | T_UNBOUND));
  case 'l': return !(f.types & ~(uint32_t)(T_NIL | T_PAIR));
  case 'e': return !(f.types & (T_ERROR | T_UNBOUND));
  case 's': return !(f.types & ~(uint32_t)(T_SYMBOL | T_KEYWORD | T_NIL));
  case 'S': return f.types == T_STRING;
  case 'V': return f.types == T_VECTOR;
  case 'E':
  case 'W':
  case 'B':
  case 'D':
  case 'F': return f.types == T_VECTOR && fits_vector(want, op);
  case 'G': return fits_vector(want, op);
  default: return true;
  }
}

static bool fits_result(const LowOp *op) {
  LowFacts f = facts_of_result(op);
  switch (tolower(op->fast->result)) {
  case 'i': return int_rep(f) != REP_VALUE;
  case 'f': return f.types == T_FLOAT;
  case 'u': return f.types && !(f.types & T_ERROR);
  default: return true;
  }
}

/* Raw operands that may be errors cost the operation twice, integers beyond the fixnums a
 * conversion with a branch: not where it runs once. */
static bool is_small_enough(const LowOp *op) {
  if (!op->is_once) return true;
  if (op->takes_errors || op->guard || fast_result_rep(op) == REP_WIDE) return false;
  for (size_t i = 0; i < op->count; i++)
    if (fast_operand_rep(op, i) == REP_WIDE) return false;
  return true;
}

/* Errors among the operands are sorted out before the operation, if the row allows that. */
static bool fits(const FastOp *fast, LowOp *op) {
  if (strcmp(fast->prim, op->prim->name) != 0 || strlen(fast->operands) != op->count) return false;
  op->fast = fast;
  op->guard = fast->guard;
  op->takes_errors = false;
  for (size_t i = 0; i < op->count; i++)
    if (isupper(fast->result) && fast_takes_error(op, i) && facts_of_arg(op->args[i]).types & T_ERROR)
      op->takes_errors = true;
  for (size_t i = 0; i < op->count; i++)
    if (!fits_operand(fast->operands[i], facts_of_operand(op, i), op)) return false;
  return fits_result(op) && is_small_enough(op);
}

/* A copy of the first operand leaves the others unread. */
static void drop_operands(LowOp *op) {
  for (size_t i = 1; i < op->count; i++)
    if (op->args[i].kind == ARG_VAR) op->args[i].var->read_count--;
  op->count = 1;
}

/* New vectors that are to hold values: by a function that does not look at them. */
static const char *values_symbol(const LowOp *op) {
  static const char *const rows[][2] = {{"vec", "vk_vec_values"}, {"vec/make", "vk_vec_make_values"},
                                        {"vec/slice", "vk_vec_slice_values"}, {"%list->vec", "vk_list_to_values"},
                                        {"%unpack-vec", "vk_unpack_values"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (!strcmp(rows[i][0], op->prim->name)) return rows[i][1];
  return NULL;
}

static void choose_fast(LowOp *op) {
  if (op->kind == OP_PRIM && op->fast) return;
  if (op->kind != OP_PRIM) return;
  if (op->vector_kind == VECTOR_OF_VALUES) op->symbol = values_symbol(op);
  for (size_t i = 0; i < FAST_COUNT; i++)
    if (fits(&fast_ops[i], op)) {
      if (!strcmp(op->fast->c_name, "vk_copy")) drop_operands(op);
      return;
    }
  op->fast = NULL;
  op->guard = NULL;
  op->takes_errors = false;
}

/* ---- variables ----------------------------------------------------------------------------- */

/* An error that it may hold as well gets a variable of its own, unless it comes from a caller. */
static LowRep candidate(const LowVar *v) {
  if (v->is_box || v->is_raw || (v->is_param && v->facts.types & T_ERROR)) return REP_VALUE;
  return raw_rep(without_error(v->facts));
}

/* First walk: operations are chosen, and variables that they take or give raw become so. */
static void note_op(LowOp *op) {
  choose_fast(op);
  if (!op->fast) return;
  for (size_t i = 0; i < op->count; i++) {
    LowArg a = op->args[i];
    LowRep rep = fast_operand_rep(op, i);
    if (a.kind == ARG_VAR && rep != REP_VALUE && candidate(a.var) != REP_VALUE) a.var->rep = candidate(a.var);
  }
}

static void note_body(LowBody *body) {
  for (LowStmt *s = body->first; s; s = s->next) {
    note_op(&s->op);
    if (s->kind == STMT_SET && low_op_rep(&s->op) != REP_VALUE) s->var->rep = candidate(s->var);
    note_body(&s->body);
    note_body(&s->other);
  }
}

/* Copies carry rawness along: a loop variable to the temporary it comes from, and back. */
static bool spread_body(LowBody *body) {
  bool changed = false;
  for (LowStmt *s = body->first; s; s = s->next) {
    if (s->kind == STMT_SET && s->op.kind == OP_COPY && s->op.args[0].kind == ARG_VAR) {
      LowVar *from = s->op.args[0].var, *to = s->var;
      if (to->rep != REP_VALUE && from->rep == REP_VALUE && candidate(from) == to->rep && from->is_assigned)
        from->rep = to->rep, changed = true;
      if (from->rep != REP_VALUE && to->rep == REP_VALUE && candidate(to) == from->rep)
        to->rep = from->rep, changed = true;
    }
    changed |= spread_body(&s->body);
    changed |= spread_body(&s->other);
  }
  return changed;
}

/* Variables that begin without a value, but are never read then, need not have room for that. */
static void note_unbound_reads(LowBody *body) {
  for (LowStmt *s = body->first; s; s = s->next) {
    for (size_t i = 0; i < s->op.count; i++) {
      LowArg a = s->op.args[i];
      if (a.kind != ARG_VAR) continue;
      uint32_t types = a.facts.types ? a.facts.types : a.var->facts.types;
      a.var->is_read_unbound |= types & T_UNBOUND || (s->kind == STMT_IF && s->test == TEST_UNBOUND);
    }
    note_unbound_reads(&s->body);
    note_unbound_reads(&s->other);
  }
}

static void forget_unbound(LowBody *body) {
  for (LowStmt *s = body->first; s; s = s->next) {
    if (s->var && !s->var->is_read_unbound) s->var->facts.types &= ~(uint32_t)T_UNBOUND;
    forget_unbound(&s->body);
    forget_unbound(&s->other);
  }
}

static void settle_unbound(LowFn *f) {
  note_unbound_reads(&f->body);
  forget_unbound(&f->body);
}

/* ---- functions ----------------------------------------------------------------------------- */

/* A closure is called through the convention of values; without captures a wrapper does that. */
static bool has_own_convention(const LowFn *f) {
  return f->lambda && !(f->is_value && f->captures.count > 0);
}

static LowRep result_candidate(const LowFn *f) {
  if (!has_own_convention(f) || f->may_park || !f->lambda->facts) return REP_VALUE;
  const LambdaFacts *facts = f->lambda->facts;
  return raw_rep((LowFacts){facts->types, facts->lo, facts->hi});
}

static bool tail_calls_agree(const LowFn *f) {
  for (size_t i = 0; i < f->tail_calls.count; i++) {
    const LowStmt *s = f->tail_calls.items[i];
    if (s->op.kind != OP_CALL || s->op.fn->result != f->result) return false;
  }
  return true;
}

/* A function and those it tail-calls give their results alike. */
static void choose_results(LowProgram *low) {
  for (size_t i = 0; i < low->fns.count; i++) low->fns.items[i]->result = result_candidate(low->fns.items[i]);
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < low->fns.count; i++) {
      LowFn *f = low->fns.items[i];
      if (tail_calls_agree(f)) continue;
      changed |= f->result != REP_VALUE;
      f->result = REP_VALUE;
      for (size_t j = 0; j < f->tail_calls.count; j++) { /* what it tail-calls must fit it */
        LowStmt *s = f->tail_calls.items[j];
        if (s->op.kind != OP_CALL || s->op.fn->result == REP_VALUE) continue;
        s->is_tail = false; /* gives no marker: an ordinary call, converted */
      }
      size_t kept = 0;
      for (size_t j = 0; j < f->tail_calls.count; j++)
        if (f->tail_calls.items[j]->is_tail) f->tail_calls.items[kept++] = f->tail_calls.items[j];
      changed |= kept < f->tail_calls.count;
      f->tail_calls.count = kept;
    }
  }
}

/* Floats do not fit the words that a parked call keeps; nor do raw parameters a closure's. */
static void settle_params(LowFn *f, bool is_guarded_target) {
  for (size_t i = 0; i < f->params.count; i++) {
    LowVar *v = f->params.items[i];
    if (!has_own_convention(f) || i >= LOW_REG_ARGS || (is_guarded_target && v->rep == REP_FLOAT)) v->rep = REP_VALUE;
  }
}

static void mark_guarded(const LowBody *body, PtrMap *targets) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    if (s->is_guarded) ptrmap_put(targets, s->op.fn, s->op.fn);
    mark_guarded(&s->body, targets);
    mark_guarded(&s->other, targets);
  }
}

/* ---- statements ---------------------------------------------------------------------------- */

/* raw = several C statements, and what was a tail call before: through a temporary of the operation's own representation. */
static void split_body(LowProgram *low, LowFn *f, LowBody *body) {
  for (LowStmt *s = body->first; s; s = s->next) {
    split_body(low, f, &s->body);
    split_body(low, f, &s->other);
    LowRep own = low_op_rep(&s->op);
    bool is_set = s->kind == STMT_SET && s->var->rep != REP_VALUE && s->var->rep != own;
    bool is_return = s->kind == STMT_RETURN && !s->is_tail;
    if ((!is_set && !is_return) || s->op.fast || low_op_is_expression(&s->op)) continue;
    LowVar *t = low_new_temp(low, f, own, s->op.facts);
    if (own == REP_INT && t->facts.types != T_FIX) t->facts = (LowFacts){T_FIX, FIX_MIN, FIX_MAX}; /* never reached */
    if (own == REP_FLOAT) t->facts = (LowFacts){T_FLOAT, 1, 0};
    t->read_count = 1;
    LowStmt *copy = ARENA_NEW(low->arena, LowStmt);
    *copy = *s;
    copy->op = (LowOp){.kind = OP_COPY, .pos = s->op.pos, .count = 1, .facts = s->op.facts};
    copy->op.args = ARENA_ARRAY(low->arena, LowArg, 1);
    copy->op.args[0] = (LowArg){.kind = ARG_VAR, .var = t, .facts = s->op.facts};
    s->kind = STMT_SET;
    s->var = t;
    s->is_decl = true;
    s->next = copy;
    if (body->last == s) body->last = copy;
    s = copy;
  }
}

/* An operation without checks needs no isolate. */
static bool body_uses_c(const LowBody *body) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    bool is_store = s->kind == STMT_SET_BOX || s->kind == STMT_SET_GLOBAL;
    bool is_bare = s->op.kind == OP_COPY || s->op.kind == OP_UNBOX || (s->op.fast && !s->op.fast->takes);
    if (is_store || !is_bare || body_uses_c(&s->body) || body_uses_c(&s->other)) return true;
  }
  return false;
}

bool low_fn_uses_c(const LowFn *f) { return f->params.count > LOW_REG_ARGS || body_uses_c(&f->body); }

void represent_run(LowProgram *low) {
  PtrMap targets = {.arena = low->arena};
  choose_results(low);
  for (size_t i = 0; i < low->fns.count; i++) settle_unbound(low->fns.items[i]);
  for (size_t i = 0; i < low->tops.count; i++) settle_unbound(low->tops.items[i]);
  for (size_t i = 0; i < low->fns.count; i++) note_body(&low->fns.items[i]->body);
  for (size_t i = 0; i < low->tops.count; i++) note_body(&low->tops.items[i]->body);
  for (size_t i = 0; i < low->fns.count; i++) mark_guarded(&low->fns.items[i]->body, &targets);
  for (size_t i = 0; i < low->fns.count; i++) {
    LowFn *f = low->fns.items[i];
    while (spread_body(&f->body)) continue;
    settle_params(f, ptrmap_get(&targets, f) != NULL);
  }
  for (size_t i = 0; i < low->tops.count; i++)
    while (spread_body(&low->tops.items[i]->body)) continue;
  raw_error_run(low);
  for (size_t i = 0; i < low->fns.count; i++) {
    LowFn *f = low->fns.items[i];
    split_body(low, f, &f->body);
    f->uses_c = low_fn_uses_c(f);
  }
  for (size_t i = 0; i < low->tops.count; i++) {
    LowFn *f = low->tops.items[i];
    split_body(low, f, &f->body);
    f->uses_c = low_fn_uses_c(f);
  }
}
