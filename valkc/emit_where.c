/* emit_where.c - what place.c decided, as C: where things go, marks and resets; pairs, lists, closures.
 *
 * A function that takes_where has `res`, the place of its result, by an argument or from c->result_where, and `tmp` and `alt`, the two
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

static unsigned put_marks(Emit *e, uint8_t resets, unsigned shared, const char *taken_by) {
  if (!resets) return 0;
  unsigned mark = shared ? shared : ++e->mark_count;
  for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++)
    if (resets & stacks[i].bit)
      put_line(e, "%smark_%u%s = %s(c, %s);", shared ? "" : "char *", mark, stacks[i].letter, taken_by, stack_text(e, i));
  return mark;
}

static unsigned emit_marks(Emit *e, uint8_t resets, unsigned shared) { return put_marks(e, resets, shared, "vk_mark"); }
unsigned emit_round_marks(Emit *e, uint8_t resets, unsigned shared) { return put_marks(e, resets, shared, "vk_round_mark"); }

static void declare_marks(Emit *e, uint8_t resets, unsigned mark) {
  for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++)
    if (resets & stacks[i].bit) put_line(e, "char *mark_%u%s;", mark, stacks[i].letter);
}

void emit_shared_marks(Emit *e, const LowBody *body) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    const LowOp *op = &s->op;
    if (op->mark && emit_is_cell(op)) put_line(e, "VkPair cell_%u;", op->mark);
    else if (op->mark && !s->is_tail) declare_marks(e, op->resets, op->mark); /* of tail calls: the entry mark */
    if (op->open_mark) declare_marks(e, op->opens, op->open_mark);
    if (s->kind == STMT_LOOP && s->label->shared_mark) declare_marks(e, s->label->resets, s->label->shared_mark);
    if (s->kind == STMT_LOOP && s->label->shared_numbers)
      put_line(e, "char *mark_%un, *mark_%ub;", s->label->shared_numbers, s->label->shared_numbers);
    emit_shared_marks(e, &s->body);
    emit_shared_marks(e, &s->other);
  }
}

/* By a call, where that is enough. */
static void emit_resets_seldom(Emit *e, uint8_t resets, unsigned mark) {
  for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++)
    if (resets & stacks[i].bit)
      put_line(e, "vk_scratch_reset_slow(c, %s - 1, mark_%u%s);", stack_text(e, i), mark, stacks[i].letter);
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

/* Its C function looks at c->where, or at c->number_where. */
bool emit_is_told(const LowOp *op) {
  if (op->where == WHERE_HEAP) return false;
  if (op->makes_number) return !(op->prim->flags & PRIM_INLINE);
  if (op->kind == OP_LIST) return emit_needs_array(op);
  return op->kind == OP_PARTIAL || (op->kind == OP_PRIM && !emit_makes_pair(op));
}

/* The place of an operation, with where it makes a number. */
void put_pos(Emit *e, const LowOp *op) {
  if (op->makes_number) put(e, "VK_POS_ON(%p, %s)", &op->pos, where_text(e, op->where));
  else put(e, "%p", &op->pos);
}

void emit_tell(Emit *e, const LowOp *op) {
  if (!emit_is_told(op)) return;
  put_line(e, "c->%s = VK_OPEN(c, %s);", op->makes_number ? "number_where" : "where", where_text(e, op->where));
}

void emit_untell(Emit *e, const LowOp *op) {
  if (emit_is_told(op)) put_line(e, "c->%s = VK_ON_HEAP;", op->makes_number ? "number_where" : "where");
}

/* Told where its result goes by its last C argument; else by c->result_where, for what has no register left. */
bool emit_is_passed_where(const LowFn *f) {
  return f->takes_where && f->params.count + (f->captures.count ? 1 : 0) <= LOW_REG_ARGS;
}

/* Who calls it by its address says in c->result_where. */
bool emit_has_entry(const LowFn *f) {
  return emit_is_passed_where(f) && ((f->is_value && f->captures.count) || f->is_parked);
}

static void tell_result(Emit *e, const LowOp *op) {
  if (op->kind != OP_CALL || op->where == WHERE_HEAP || !op->fn->takes_where || emit_is_passed_where(op->fn)) return;
  put_line(e, "c->result_where = %s;", where_text(e, op->where));
}

/* Before an operation and behind it; gives the number of the marks. */
unsigned emit_place_begin(Emit *e, const LowOp *op) {
  unsigned mark = emit_marks(e, op->resets, op->mark);
  if (op->opens) e->opened_mark = emit_marks(e, op->opens, op->open_mark);
  tell_result(e, op);
  emit_tell(e, op);
  return mark;
}

void emit_place_end(Emit *e, const LowOp *op, unsigned mark) {
  emit_untell(e, op);
  void (*reset)(Emit *, uint8_t, unsigned) = op->is_once ? emit_resets_seldom : emit_resets;
  reset(e, op->resets, mark);
  reset(e, op->closes, e->opened_mark);
}

/* Around an operation whose bytes are counted. */
unsigned emit_profile_begin(Emit *e, const LowOp *op) {
  if (!op->site) return 0;
  unsigned number = ++e->mark_count;
  put_line(e, "const VkTaken taken_%u = vk_profile_begin(c);", number);
  return number;
}

void emit_profile_end(Emit *e, const LowOp *op, unsigned number) {
  if (op->site) put_line(e, "vk_profile_end(c, taken_%u, %u);", number, op->site);
}

/* ---- lists and closures ------------------------------------------------------------------------ */

/* A pair in scratch: as the operation is otherwise, with the place after c. */
void put_pair(Emit *e, const LowOp *op) {
  if (op->fast) put(e, "vk_cons_on(c, ");
  else put(e, "vk_op_%s_on(c, ", op->prim->symbol + 3);
  put_where(e, op->where);
  put(e, ", %a, %a", &op->args[0], &op->args[1]);
  if (!op->fast) put(e, ", %p", &op->pos);
  put(e, ")");
}

/* One pair, or two to LISTS_INLINE in a row; longer ones are made by way of an array. */
void emit_list(Emit *e, const LowOp *op, const LowVar *v, bool is_decl) {
  for (size_t i = 0; !emit_is_read(v) && i < op->count; i++)
    if (op->args[i].kind == ARG_VAR) put_line(e, "(void)%v;", op->args[i].var);
  if (!emit_is_read(v)) return;
  emit_target(e, v, is_decl);
  if (op->count == 0) {
    put(e, "VK_NIL;\n");
    return;
  }
  if (op->count > 1) put(e, "vk_list%z(c, ", op->count);
  else put(e, op->where == WHERE_HEAP ? "vk_cons(c" : "vk_cons_on(c, ");
  if (op->count > 1 || op->where != WHERE_HEAP) put_where(e, op->where);
  for (size_t i = 0; i < op->count; i++) put(e, ", %a", &op->args[i]);
  put(e, op->count == 1 ? ", VK_NIL);\n" : ");\n");
}

void emit_closure(Emit *e, const LowOp *op, const LowVar *v, bool is_decl) {
  const LowFn *f = op->fn;
  emit_target(e, v, is_decl);
  put(e, op->where == WHERE_HEAP ? "vk_closure(c, " : "vk_closure_on(c, ");
  if (op->where != WHERE_HEAP) put_where(e, op->where), put(e, ", ");
  put(e, "&fn_%n, ", f);
  if (f->has_rest) put(e, "VK_ANY");
  else put(e, "%u", f->required);
  put(e, ", %z);\n", op->count);
  for (size_t i = 0; emit_is_read(v) && i < op->count; i++)
    put_line(e, "VK_CAP(%v, %z) = %a;", v, i, &op->args[i]);
}

/* ---- loops and functions ------------------------------------------------------------------------- */

static const char *numbers_text(const Emit *e, const LowLabel *l) {
  return where_text(e, l->numbers == RESET_TEMP ? WHERE_TEMP : WHERE_OTHER);
}

void emit_numbers_begin(Emit *e, LowLabel *l) {
  if (!l->numbers) return;
  unsigned mark = l->numbers_mark = l->shared_numbers ? l->shared_numbers : ++e->mark_count;
  put_line(e, "%smark_%un = vk_mark(c, %s)%s", l->shared_numbers ? "" : "char *", mark, numbers_text(e, l),
           l->shared_numbers ? ";" : ",");
  put_line(e, "%smark_%ub = mark_%un;", l->shared_numbers ? "" : "     *", mark, mark);
}

/* At the end of a round: those that go round are moved together when there is much else. */
void emit_numbers_next(Emit *e, const LowLabel *l) {
  if (!l->numbers || l->is_quiet) return;
  unsigned mark = l->numbers_mark;
  size_t count = 0;
  put_line(e, "if (VK_UNLIKELY(VK_ARE_MANY(c, %s, mark_%ub))) {", numbers_text(e, l), mark);
  e->depth++;
  put_line_start(e);
  for (size_t i = 0; i < l->kept_count; i++)
    if (emit_is_read(l->kept[i])) put(e, count++ ? ", %v" : "V kept[] = {%v", l->kept[i]);
  if (count) put(e, "};\n"), put_line_start(e);
  put(e, "mark_%ub = vk_keep_numbers(c, %s, mark_%un, %z, %s);\n", mark, numbers_text(e, l), mark, count, count ? "kept" : "NULL");
  count = 0;
  for (size_t i = 0; i < l->kept_count; i++)
    if (emit_is_read(l->kept[i])) put_line(e, "%v = kept[%z];", l->kept[i], count++);
  e->depth--;
  put_line(e, "}");
}

void emit_numbers_end(Emit *e, const LowLabel *l) {
  if (l->numbers) put_line(e, "vk_leave_numbers(c, %s, mark_%un);", numbers_text(e, l), l->numbers_mark);
}

/* Jumping from inside `from` to inside `to`. */
void emit_loop_exits(Emit *e, const LowLabel *from, const LowLabel *to) {
  for (const LowLabel *l = from; l && l != to; l = l->around) {
    emit_resets(e, l->resets, l->mark);
    emit_numbers_end(e, l);
  }
}

/* On a way out of the function: the stack of temporaries is the caller's to reset. */
static uint8_t resets_at_return(const LowLabel *l) { return l->is_kept_at_return ? 0 : l->resets & RESET_OTHER; }

void emit_return_exits(Emit *e) {
  for (const LowLabel *l = e->loop; l; l = l->around) {
    emit_resets(e, resets_at_return(l), l->mark);
    emit_numbers_end(e, l);
  }
}

static bool needs_exits(const LowLabel *loop) {
  for (const LowLabel *l = loop; l; l = l->around)
    if (resets_at_return(l) || l->numbers) return true;
  return false;
}

/* The loops around a return have things above the result's part of its stack. */
bool emit_return_resets(const Emit *e) { return needs_exits(e->loop); }

void emit_entry(Emit *e, const LowFn *f) {
  if (f->takes_where) {
    put(e, "  const unsigned %stmp = VK_TEMPORARIES(res), alt = 3 - tmp;\n",
        emit_is_passed_where(f) ? "" : "res = vk_take_result(c), ");
    put(e, "  (void)res, (void)tmp, (void)alt;\n");
  }
  if (f->has_entry_mark) put(e, "  char *entry = vk_mark(c, %s);\n", where_text(e, WHERE_TEMP));
}

/* Before a tail call: nothing of this call stays, except what the callee's result goes to. */
void emit_before_tail_call(Emit *e, const LowOp *op) {
  emit_return_exits(e);
  if (op->resets & RESET_TEMP) put_line(e, "vk_reset_to(c, %s, entry);", where_text(e, WHERE_TEMP));
  tell_result(e, op);
}
