/* emit_where.c - what place.c decided, as C: where things go, marks and resets.
 *
 * A function that takes_where has `res`, the place of its result, and `tmp` and `alt`, the two
 * stacks; in others these are the same ones always. */
#include "emit_parts.h"
#include "place.h"
#include <string.h>

static const char *where_text(const Emit *e, LowWhere where) {
  bool is_told = e->fn->takes_where;
  switch (where) {
  case WHERE_RESULT: return "res";
  case WHERE_TEMP: return is_told ? "tmp" : "VK_ON_SCRATCH_1";
  case WHERE_OTHER: return is_told ? "alt" : "VK_ON_SCRATCH_0";
  case WHERE_HEAP: break;
  }
  return "VK_ON_HEAP";
}

void put_where(Emit *e, LowWhere where) { put(e, "%s", where_text(e, where)); }

static const struct {
  uint8_t bit;
  LowWhere where;
  const char *letter;
} stacks[] = {{RESET_TEMP, WHERE_TEMP, "t"}, {RESET_OTHER, WHERE_OTHER, "o"}, {RESET_DEFAULT, WHERE_HEAP, "d"}};

static const char *stack_text(const Emit *e, size_t i) {
  return stacks[i].bit == RESET_DEFAULT ? "VK_ON_SCRATCH_1" : where_text(e, stacks[i].where);
}

unsigned emit_marks(Emit *e, uint8_t resets) {
  if (!resets) return 0;
  unsigned mark = ++e->mark_count;
  for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++)
    if (resets & stacks[i].bit)
      put_line(e, "char *mark_%u%s = vk_mark(c, %s);", mark, stacks[i].letter, stack_text(e, i));
  return mark;
}

void emit_resets(Emit *e, uint8_t resets, unsigned mark) {
  for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++)
    if (resets & stacks[i].bit) put_line(e, "vk_reset_to(c, %s, mark_%u%s);", stack_text(e, i), mark, stacks[i].letter);
}

/* ---- operations -------------------------------------------------------------------------------- */

bool emit_makes_pair(const LowOp *op) {
  if (op->kind != OP_PRIM || op->where == WHERE_HEAP || op->count != 2) return false;
  return !strcmp(op->prim->name, "cons") || !strcmp(op->prim->name, "%pair") || !strcmp(op->prim->name, "%qq-cons");
}

/* Its C function looks at c->where. */
bool emit_is_told(const LowOp *op) {
  if (op->where == WHERE_HEAP) return false;
  return op->kind == OP_PARTIAL || (op->kind == OP_PRIM && !emit_makes_pair(op));
}

/* Before an operation and behind it; gives the number of the marks. */
unsigned emit_place_begin(Emit *e, const LowOp *op) {
  unsigned mark = emit_marks(e, op->resets);
  if (op->opens) e->opened_mark = emit_marks(e, op->opens);
  if (op->kind == OP_CALL && op->where != WHERE_HEAP && op->fn->takes_where)
    put_line(e, "c->result_where = %s;", where_text(e, op->where));
  if (emit_is_told(op)) put_line(e, "c->where = %s;", where_text(e, op->where));
  return mark;
}

void emit_place_end(Emit *e, const LowOp *op, unsigned mark) {
  if (emit_is_told(op)) put_line(e, "c->where = VK_ON_HEAP;");
  emit_resets(e, op->resets, mark);
  emit_resets(e, op->closes, e->opened_mark);
}

/* ---- loops and functions ------------------------------------------------------------------------- */

/* Jumping from inside `from` to inside `to`, or out of all loops if that is NULL. */
void emit_loop_exits(Emit *e, const LowLabel *from, const LowLabel *to, uint8_t which) {
  for (const LowLabel *l = from; l && l != to; l = l->around) emit_resets(e, l->resets & which, l->mark);
}

static bool needs_exits(const LowLabel *loop) {
  for (const LowLabel *l = loop; l; l = l->around)
    if (l->resets & RESET_OTHER) return true;
  return false;
}

/* The loops around a return have things above the result's part of its stack. */
bool emit_return_resets(const Emit *e) { return needs_exits(e->loop); }

void emit_entry(Emit *e, const LowFn *f) {
  if (f->takes_where) {
    put(e, "  const unsigned res = vk_take_result(c), tmp = VK_TEMPORARIES(res), alt = 3 - tmp;\n");
    put(e, "  (void)res, (void)tmp, (void)alt;\n");
  }
  if (f->has_entry_mark) put(e, "  char *entry = vk_mark(c, %s);\n", where_text(e, WHERE_TEMP));
}

/* Before a tail call: nothing of this call stays, except what the callee's result goes to. */
void emit_before_tail_call(Emit *e, const LowOp *op) {
  emit_loop_exits(e, e->loop, NULL, RESET_OTHER);
  if (op->resets & RESET_TEMP) put_line(e, "vk_reset_to(c, %s, entry);", where_text(e, WHERE_TEMP));
  if (op->kind == OP_CALL && op->where != WHERE_HEAP && op->fn->takes_where)
    put_line(e, "c->result_where = %s;", where_text(e, op->where));
}
