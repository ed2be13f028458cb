/* place_rounds.c - ways through a round of a loop on which nothing is put on the stack that the round resets.
 *
 * in:    op->where, op->resets, label->resets, all final
 * out:   stmt->clean of every NEXT
 * cost:  linear in statements, times the depth of loops
 *
 * Along each way two bits are carried for each loop around: what was put on TEMP and on OTHER since its round
 * began. Bits are only added, but for the loop's own where its round begins, so a loop is gone through
 * once, beginning with all that its body may put there. Behind what resets a stack its bits stay. */
#include "place_parts.h"

enum { DEPTH_MAX = 31, STACKS = RESET_TEMP | RESET_OTHER };

typedef struct Rounds {
  unsigned depth; /* of the innermost loop around; 0: none */
} Rounds;

/* These stacks, for all loops around. */
static uint64_t since_all_began(const Rounds *r, uint8_t stacks) {
  uint64_t bits = 0;
  for (unsigned d = 1; d <= r->depth && d <= DEPTH_MAX; d++) bits |= (uint64_t)stacks << 2 * d;
  return bits;
}

static uint64_t own_bits(unsigned depth) { return depth <= DEPTH_MAX ? (uint64_t)STACKS << 2 * depth : 0; }

static uint8_t put_by(const LowOp *op) {
  uint8_t stacks = op->where == WHERE_TEMP ? RESET_TEMP : op->where == WHERE_OTHER ? RESET_OTHER : 0;
  if (op->where == WHERE_RESULT || (op->kind == OP_PRIM && op->prim->flags & PRIM_CALLS)) stacks = STACKS;
  for (size_t i = 0; i < op->count; i++)
    if (op->args[i].kind == ARG_OP) stacks |= put_by(op->args[i].op);
  return stacks;
}

static bool has_op(const LowStmt *s) {
  return s->kind != STMT_DECLARE && s->kind != STMT_BLOCK && s->kind != STMT_LOOP && s->kind != STMT_LEAVE && s->kind != STMT_NEXT;
}

static uint8_t put_in(const LowBody *body) {
  uint8_t stacks = 0;
  for (const LowStmt *s = body->first; s && stacks != STACKS; s = s->next) {
    if (has_op(s)) stacks |= put_by(&s->op);
    stacks |= put_in(&s->body) | put_in(&s->other);
  }
  return stacks;
}

static uint64_t go_through(Rounds *r, LowBody *body, uint64_t put);

static uint64_t go_through_loop(Rounds *r, LowStmt *s, uint64_t put) {
  put |= since_all_began(r, put_in(&s->body));
  unsigned depth = s->label->depth = ++r->depth;
  put = go_through(r, &s->body, put & ~own_bits(depth));
  r->depth--;
  return put & ~own_bits(depth);
}

static uint64_t go_through_stmt(Rounds *r, LowStmt *s, uint64_t put) {
  if (has_op(s)) put |= since_all_began(r, put_by(&s->op));
  switch (s->kind) {
  case STMT_IF: {
    uint64_t other = go_through(r, &s->other, put);
    return other | go_through(r, &s->body, put);
  }
  case STMT_BLOCK:
    s->label->put = 0;
    put = go_through(r, &s->body, put);
    return put | s->label->put;
  case STMT_LOOP:
    s->label->put = 0;
    put = go_through_loop(r, s, put);
    return put | s->label->put;
  case STMT_LEAVE: s->label->put |= put; return 0;
  case STMT_NEXT:
    if (s->label->depth <= DEPTH_MAX) s->clean = STACKS & ~(put >> 2 * s->label->depth);
    return 0;
  case STMT_RETURN: return 0;
  default: return put;
  }
}

/* What is put where: behind the body, if its end is reached. */
static uint64_t go_through(Rounds *r, LowBody *body, uint64_t put) {
  for (LowStmt *s = body->first; s; s = s->next) put = go_through_stmt(r, s, put);
  return put;
}

void place_find_clean_rounds(LowProgram *low) {
  Rounds r = {0};
  for (size_t i = 0; i < low->fns.count; i++) go_through(&r, &low->fns.items[i]->body, 0);
  for (size_t i = 0; i < low->tops.count; i++) go_through(&r, &low->tops.items[i]->body, 0);
}
