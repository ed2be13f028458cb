/* fuse.c - operations into the one statement that uses their result.
 *
 * in:    low.h, after represent
 * out:   operands of kind ARG_OP; statements that gave temporaries read once are gone, and those
 *        that only gave a variable that nobody reads
 * keeps: the order of effects: only operations that have none and cannot fail move, and only into
 *        the next statement, past nothing
 * cost:  linear
 *
 * `t1 = a < b; if (t1)` becomes `if (a < b)`. A C compiler with an optimiser does so anyway; TinyCC
 * keeps each variable in memory and a truth value as a number (nqueens 1.3x faster), and people
 * read less. */
#include "fuse.h"
#include "represent.h"
#include <string.h>

/* Reads and computes, nothing else: an operation on operands whose types are proven. */
static bool is_pure(const LowOp *op) {
  return op->kind == OP_PRIM && op->fast && op->fast->takes == 0 &&
         !(op->prim->flags & PRIM_STORES);
}

/* The operation whose operands may be operations: C evaluates each of them once. */
static bool takes_operations(const LowStmt *s) {
  const LowOp *op = &s->op;
  if (s->kind == STMT_IF) return s->test == TEST_TRUE || s->test == TEST_FALSE;
  if (s->kind == STMT_SET_GLOBAL) return true;
  if (s->kind != STMT_SET && s->kind != STMT_DO && s->kind != STMT_RETURN) return false;
  if (op->kind == OP_CALL) return !s->is_tail;
  return op->kind == OP_COPY || is_pure(op);
}

static LowArg *find_use(const LowOp *op, const LowVar *v) {
  for (size_t i = 0; i < op->count; i++) {
    LowArg *a = &op->args[i];
    if (a->kind == ARG_VAR && a->var == v) return a;
    LowArg *inner = a->kind == ARG_OP ? find_use(a->op, v) : NULL;
    if (inner) return inner;
  }
  return NULL;
}

/* A truth value is tested as it is; any other operand is converted where it stands. */
static bool fits(const LowStmt *user, const LowVar *v) {
  return user->kind != STMT_IF || v->rep == REP_INT || v->rep == REP_WIDE;
}

static bool fuse(const LowStmt *s, LowStmt *user) {
  const LowVar *v = s->var;
  if (s->kind != STMT_SET || !s->is_decl || !v || !v->is_temp || v->read_count != 1 ||
      !is_pure(&s->op))
    return false;
  LowRep own = low_op_rep(&s->op);
  if (own != v->rep && !(own == REP_VALUE && v->rep == REP_INT)) return false;
  if (!takes_operations(user) || !fits(user, v)) return false;
  LowArg *use = find_use(&user->op, v);
  if (!use) return false;
  use->kind = ARG_OP;
  use->op = &s->op;
  return true;
}

/* ---- comparisons of tagged integers ---------------------------------------------------------- */

/* Equal and in order tagged as untagged: `head(l) == n << 3` shifts what a loop can keep shifted. */
static const FastOp *tagged(const FastOp *fast) {
  static const FastOp rows[] = {
    {"vk_int_eq", "vk_same", "xx", 'b', 0, NULL, false},   {"vk_int_ne", "vk_not_same", "xx", 'b', 0, NULL, false},
    {"vk_int_lt", "vk_fix_lt", "xx", 'b', 0, NULL, false}, {"vk_int_gt", "vk_fix_gt", "xx", 'b', 0, NULL, false},
    {"vk_int_le", "vk_fix_le", "xx", 'b', 0, NULL, false}, {"vk_int_ge", "vk_fix_ge", "xx", 'b', 0, NULL, false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (!strcmp(rows[i].prim, fast->c_name)) return &rows[i];
  return NULL;
}

static bool is_tagged(LowArg a) {
  return a.kind == ARG_OP ? low_op_rep(a.op) == REP_VALUE : a.kind == ARG_VAR && a.var->rep == REP_VALUE;
}

/* Some operand is a value, and all are fixnums. */
static void compare_tagged(LowOp *op) {
  const FastOp *fast = op->kind == OP_PRIM && op->fast ? tagged(op->fast) : NULL;
  if (!fast || op->takes_errors || strcmp(op->fast->operands, "ii") != 0) return;
  for (size_t i = 0; i < op->count; i++)
    if (fast_operand_rep(op, i) != REP_INT) return;
  if (is_tagged(op->args[0]) || is_tagged(op->args[1])) op->fast = fast;
}

/* Statements before the current one are kept on a stack: one that moves makes the one before it
 * the neighbour. */
static void fuse_body(LowProgram *low, LowBody *body) {
  VEC(LowStmt *) kept = {0};
  for (LowStmt *s = body->first; s; s = s->next) {
    fuse_body(low, &s->body);
    fuse_body(low, &s->other);
    while (kept.count && fuse(kept.items[kept.count - 1], s)) kept.count--;
    compare_tagged(&s->op);
    PUSH(low->arena, kept, s);
  }
  if (!kept.count) return;
  body->first = kept.items[0];
  body->last = kept.items[kept.count - 1];
  for (size_t i = 0; i < kept.count; i++)
    kept.items[i]->next = i + 1 < kept.count ? kept.items[i + 1] : NULL;
}

/* ---- statements for nothing ------------------------------------------------------------------ */

/* Makes something new and cannot fail. */
static bool is_allocation(const LowOp *op) {
  const unsigned effects = PRIM_FAILS | PRIM_STORES | PRIM_CALLS;
  if (op->kind == OP_LIST || op->kind == OP_CLOSURE || op->kind == OP_BOX) return true;
  return op->kind == OP_PRIM && op->prim->flags & PRIM_FRESH && !(op->prim->flags & effects);
}

static bool is_for_nothing(const LowStmt *s) {
  if (s->kind != STMT_SET || s->var->read_count > 0) return false;
  return s->op.kind == OP_COPY || is_allocation(&s->op) || is_pure(&s->op);
}

static void forget_reads(const LowOp *op) {
  for (size_t i = 0; i < op->count; i++)
    if (op->args[i].kind == ARG_VAR) op->args[i].var->read_count--;
}

/* From the end, so that what only these read goes too. */
static bool drop_unread(LowProgram *low, LowBody *body) {
  VEC(LowStmt *) all = {0};
  bool changed = false;
  for (LowStmt *s = body->first; s; s = s->next) PUSH(low->arena, all, s);
  body->first = body->last = NULL;
  for (size_t i = all.count; i-- > 0;) {
    LowStmt *s = all.items[i];
    changed |= drop_unread(low, &s->other);
    changed |= drop_unread(low, &s->body);
    if (is_for_nothing(s)) {
      forget_reads(&s->op);
      changed = true;
      continue;
    }
    if (s->kind == STMT_SET && s->var->read_count == 0) { /* its declaration may be gone */
      s->kind = STMT_DO;
      s->var = NULL;
      s->is_decl = false;
    }
    s->next = body->first;
    body->first = s;
    if (!body->last) body->last = s;
  }
  return changed;
}

static bool uses_self(const LowBody *body) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    for (size_t i = 0; i < s->op.count; i++)
      if (s->op.args[i].kind == ARG_SELF || s->op.args[i].kind == ARG_CAPTURE) return true;
    if (uses_self(&s->body) || uses_self(&s->other)) return true;
  }
  return false;
}

static void fuse_fn(LowProgram *low, LowFn *f) {
  while (drop_unread(low, &f->body)) continue; /* again for what loops carry round */
  f->uses_c = low_fn_uses_c(f);
  f->uses_self = uses_self(&f->body);
  fuse_body(low, &f->body);
}

void fuse_run(LowProgram *low) {
  for (size_t i = 0; i < low->fns.count; i++) fuse_fn(low, low->fns.items[i]);
  for (size_t i = 0; i < low->tops.count; i++) fuse_fn(low, low->tops.items[i]);
}
