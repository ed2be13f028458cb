/* hot.c - loops in two copies: a hot one for rounds without errors, and the cold one for all others.
 *
 * in:    low.h, after place
 * out:   loops with stmt->hot: the same body without what only errors need. It leaves for the cold
 *        body, the one that was there, where something fails: at a COLD to the HERE of that place
 * keeps: what every statement does. The copies share variables (declared before the loop), marks and
 *        cells, and go the same way, so that a jump finds all of it as it would have been
 * cost:  linear; COPIED_MAX statements of a loop, and GROWTH_MAX of the program are there twice; loops that
 *        do something costly in each round (calm.c), and all loops in them, are not copied
 * trust: emit.c prints both and knows nothing of what they mean
 *
 * raw_error.c has a variable beside each raw number that may be an error: the error, or nil. Such a
 * loop tests it round by round, and C compilers, which do not thread jumps through the head of a
 * loop, keep both the test and what it guards in its way:
 *
 *   loop:  if s' is an error, or x' is          enter:  if s' is an error goto cold
 *            y' := the ordinary sum             hot:    if not in range goto here
 *          else                                         x := element
 *            y := s + x;  y' := nil      =>             s := s + x
 *          s := y;  s' := y'                            goto hot
 *          next                                 cold:   the loop on the left; `here` is before
 *                                                       its x' := the error; next: goto enter
 *
 * In the hot copy every such error part is nil: what would make one something else goes to the cold
 * one instead, and comes back with the next round that begins without errors. After: Chambers and
 * Ungar, "Iterative Type Analysis and Extended Message Splitting", PLDI 1990 (a loop for the common
 * types, one for the others). */
#include "hot.h"
#include "flow.h"
#include "represent.h"
#include <string.h>

enum { COPIED_MAX = 500, GROWTH_MAX = 20000 };

typedef struct Hot {
  LowProgram *low;
  LowFn *fn;
  LowConst *nil;
  size_t growth;          /* statements copied in the program */
  LowHot *hot;            /* of the loop at hand */
  PtrMap labels;          /* of its copy, by label */
  PtrMap parts;           /* error parts met */
  VEC(LowVar *) sound;    /* variables of which something is known where the walk is */
  VEC(LowVar *) declared; /* variables of the body, to be declared before the loop */
} Hot;

/* ---- integers that may be large, while they are not ------------------------------------------ */

typedef struct HotOp {
  const char *prim;
  FastOp fast;
  bool is_tried; /* the result may be too large: a STMT_TRY */
  bool divides;
} HotOp;

/* On tagged fixnums, N: not below 0; `try` functions tell whether the result is none. */
static const HotOp hot_ops[] = {
    {"%add", {"", "vk_try_add", "xx", 'v', 0, NULL, false}, true, false},
    {"%sub", {"", "vk_try_sub", "xx", 'v', 0, NULL, false}, true, false},
    {"%mul", {"", "vk_try_mul", "xx", 'v', 0, NULL, false}, true, false},
    {"%div", {"", "vk_nat_div", "NN", 'v', 0, NULL, false}, false, true},
    {"%div", {"", "vk_fix_div", "xx", 'v', 0, NULL, false}, false, true},
    {"%", {"", "vk_nat_rem", "NN", 'v', 0, NULL, false}, false, true},
    {"%", {"", "vk_fix_rem", "xx", 'v', 0, NULL, false}, false, true},
    {"%lt", {"", "vk_fix_lt", "xx", 'b', 0, NULL, false}, false, false},
    {"%gt", {"", "vk_fix_gt", "xx", 'b', 0, NULL, false}, false, false},
    {"%le", {"", "vk_fix_le", "xx", 'b', 0, NULL, false}, false, false},
    {"%ge", {"", "vk_fix_ge", "xx", 'b', 0, NULL, false}, false, false},
    {"==", {"", "vk_same", "xx", 'b', 0, NULL, false}, false, false},
    {"!=", {"", "vk_not_same", "xx", 'b', 0, NULL, false}, false, false},
    {"%bit-and", {"", "vk_int_and", "xx", 'v', 0, NULL, false}, false, false},
    {"%bit-or", {"", "vk_int_or", "xx", 'v', 0, NULL, false}, false, false},
    {"%bit-xor", {"", "vk_int_xor", "xx", 'v', 0, NULL, false}, false, false},
};

static LowFacts facts_of(const LowArg *a) {
  if (a->kind == ARG_CONST && a->constant->kind == LOW_INT)
    return (LowFacts){T_FIX, a->constant->integer, a->constant->integer};
  if (a->facts.types || a->kind != ARG_VAR) return a->facts;
  return a->var->facts;
}

static bool is_fixnum(const LowArg *a) {
  if (a->kind == ARG_CONST) return a->constant->kind == LOW_INT;
  if (a->kind == ARG_VAR && (a->var->rep == REP_INT || a->var->sound == SOUND_FIX || a->var->is_assumed_fix)) return true;
  return facts_of(a).types == T_FIX;
}

/* An integer of any size, or an error: nearly always a fixnum. */
static bool is_mostly_fixnum(LowFacts f) { return f.types & T_FIX && f.types & T_BIG && !(f.types & ~(uint32_t)(T_INT | T_ERROR)); }

static bool is_candidate(const LowVar *v) {
  return v->rep == REP_VALUE && !v->is_box && !v->is_raw && is_mostly_fixnum(v->facts);
}

static bool may_be_tried(const LowArg *a) {
  return is_fixnum(a) || (a->kind == ARG_VAR && a->var->rep == REP_VALUE && !a->var->is_box && is_mostly_fixnum(facts_of(a)));
}

static bool is_natural(const LowArg *a) {
  LowFacts f = facts_of(a);
  return f.types && f.lo >= 0 && f.hi >= f.lo;
}

static bool is_divisor(const LowArg *a) {
  LowFacts f = facts_of(a);
  return f.types == T_FIX && (f.lo > 0 || f.hi < -1);
}

/* How an operation is done on fixnums, if it is worth while: it has operands that may be others. */
static const HotOp *hot_op(const LowOp *op) {
  bool is_fix_op = op->fast && op->fast->takes == 1 && !strcmp(op->fast->operands, "xx");
  if (op->kind != OP_PRIM || op->count != 2 || (op->fast && !is_fix_op) || op->is_once || op->is_rare) return NULL;
  if (!may_be_tried(&op->args[0]) || !may_be_tried(&op->args[1])) return NULL;
  for (size_t i = 0; i < sizeof hot_ops / sizeof *hot_ops; i++) {
    const HotOp *fast = &hot_ops[i];
    bool needs_naturals = fast->fast.operands[0] == 'N';
    if (strcmp(fast->prim, op->prim->name) != 0) continue;
    if (fast->divides && !is_divisor(&op->args[1])) return NULL;
    if (!needs_naturals || (is_natural(&op->args[0]) && is_natural(&op->args[1]))) return fast;
  }
  return NULL;
}

/* ---- may it be copied? ------------------------------------------------------------------------- */

static bool is_nil_part(const LowArg *a) { return a->kind == ARG_VAR && a->var->is_error_part; }

typedef struct Measure {
  const LowLabel *loop;
  size_t count;
  bool has_tests, has_busy_loop, is_unfit;
} Measure;

/* A frame that a catch returns to is one; a loop whose rounds are of several functions begins in their middle. */
static void measure(Measure *m, const LowBody *body) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    bool is_guard = s->op.kind == OP_PRIM && (!strcmp(s->op.prim->name, "%guard") || !strcmp(s->op.prim->name, "%unguard"));
    m->count++;
    m->is_unfit |= is_guard || (s->entry && s->label == m->loop);
    m->has_busy_loop |= s->kind == STMT_LOOP && !s->label->is_calm;
    m->has_tests |= s->kind == STMT_SET && hot_op(&s->op);
    for (size_t i = 0; i < s->op.count; i++) m->has_tests |= is_nil_part(&s->op.args[i]);
    measure(m, &s->body);
    measure(m, &s->other);
  }
}

static bool is_worth_it(const Hot *h, const LowStmt *loop) {
  Measure m = {.loop = loop->label};
  measure(&m, &loop->body);
  bool is_busy = !loop->label->is_calm || m.has_busy_loop;
  return loop->label->is_next && is_busy && m.has_tests && !m.is_unfit && m.count <= COPIED_MAX &&
         h->growth + m.count <= GROWTH_MAX;
}

/* ---- marks and cells: one for both copies ------------------------------------------------------- */

static bool is_cell(const LowOp *op) { return op->kind == OP_PRIM && !strcmp(op->prim->name, "%cell"); }

static void number_marks(Hot *h, LowBody *body) {
  for (LowStmt *s = body->first; s; s = s->next) {
    LowOp *op = &s->op;
    if (op->resets || is_cell(op)) op->mark = ++h->fn->mark_count;
    if (op->opens) op->open_mark = ++h->fn->mark_count;
    if (s->kind == STMT_LOOP && s->label->resets) s->label->shared_mark = ++h->fn->mark_count;
    if (s->kind == STMT_LOOP && s->label->numbers) s->label->shared_numbers = ++h->fn->mark_count;
    number_marks(h, &s->body);
    number_marks(h, &s->other);
  }
}

/* ---- what is known -------------------------------------------------------------------------------- */

static void note_sound(Hot *h, LowVar *v, LowSound sound) {
  if (sound != SOUND_UNKNOWN && v->sound == SOUND_UNKNOWN) PUSH(h->low->arena, h->sound, v);
  v->sound = sound;
}

static void forget_sound(Hot *h, size_t mark) {
  while (h->sound.count > mark) h->sound.items[--h->sound.count]->sound = SOUND_UNKNOWN;
}

/* What a loop assigns need not be in its next round what it was before. */
static void forget_assigned(const LowBody *body) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    if (s->var) s->var->sound = SOUND_UNKNOWN;
    forget_assigned(&s->body);
    forget_assigned(&s->other);
  }
}

static void note_part(Hot *h, LowVar *v) {
  if (!ptrmap_get(&h->parts, v)) {
    ptrmap_put(&h->parts, v, v);
    PUSH(h->low->arena, h->hot->parts, v);
  }
}

static bool may_be_error(const LowArg *a) {
  if (is_nil_part(a) || a->kind == ARG_CONST || a->kind == ARG_SELF || a->kind == ARG_UNBOUND) return false;
  if (a->kind == ARG_VAR && (a->var->sound || a->var->is_assumed_fix || a->var->rep != REP_VALUE)) return false;
  if (a->facts.types) return a->facts.types & T_ERROR;
  return a->kind != ARG_VAR || !a->var->facts.types || a->var->facts.types & T_ERROR;
}

/* Operations on errors, or on what a guard turned away. */
static bool is_rare(const LowOp *op) { return op->is_rare || op->facts.types == T_ERROR || op->kind == OP_AT; }

/* ---- the copy --------------------------------------------------------------------------------------- */

static LowStmt *append(Hot *h, LowBody *out, const LowStmt *model) {
  LowStmt *s = ARENA_NEW(h->low->arena, LowStmt);
  *s = *model;
  s->next = NULL;
  s->body = s->other = (LowBody){0};
  s->is_decl = false;
  *(out->last ? &out->last->next : &out->first) = s;
  out->last = s;
  h->growth++;
  return s;
}

/* Error parts are nil. */
static void copy_operands(Hot *h, LowOp *op) {
  bool has_part = false;
  for (size_t i = 0; i < op->count; i++) has_part |= is_nil_part(&op->args[i]);
  if (!has_part) return;
  LowArg *args = ARENA_ARRAY(h->low->arena, LowArg, op->count);
  for (size_t i = 0; i < op->count; i++) {
    args[i] = op->args[i];
    if (!is_nil_part(&args[i])) continue;
    note_part(h, args[i].var);
    args[i] = (LowArg){.kind = ARG_CONST, .constant = h->nil};
  }
  op->args = args;
}

static LowLabel *new_label(Hot *h) {
  LowLabel *l = ARENA_NEW(h->low->arena, LowLabel);
  l->id = ++h->fn->label_count;
  return l;
}

static LowLabel *label_of(Hot *h, LowLabel *label) {
  LowLabel *copy = ptrmap_get(&h->labels, label);
  return copy ? copy : label;
}

static LowLabel *copy_label(Hot *h, LowLabel *label) {
  LowLabel *copy = new_label(h);
  unsigned id = copy->id;
  *copy = *label;
  copy->id = id;
  copy->is_left = false;
  if (label->around) copy->around = label_of(h, label->around);
  ptrmap_put(&h->labels, label, copy);
  return copy;
}

/* A place in the cold copy for the hot one to go on at: before the first statement of a body or behind
 * `previous`. */
static LowLabel *here(Hot *h, LowBody *cold, LowStmt *previous, Span span) {
  LowStmt *stmt = ARENA_NEW(h->low->arena, LowStmt);
  stmt->kind = STMT_HERE;
  stmt->span = span;
  stmt->label = new_label(h);
  LowStmt **link = previous ? &previous->next : &cold->first;
  stmt->next = *link;
  *link = stmt;
  if (!stmt->next) cold->last = stmt;
  return stmt->label;
}

static void go_cold(Hot *h, LowBody *out, LowLabel *label, Span span) {
  LowStmt jump = {.kind = STMT_COLD, .span = span, .label = label};
  append(h, out, &jump);
  out->is_closed = true;
}

/* Where the statement at hand stands in the cold copy; its HERE once there is one. */
typedef struct Cold {
  LowBody *body;
  LowStmt *previous, *stmt;
  LowLabel *before;
} Cold;

static LowLabel *before(Hot *h, Cold *c) {
  if (!c->before) c->before = here(h, c->body, c->previous, c->stmt->span);
  return c->before;
}

static void test_fixnum(Hot *h, LowVar *v, LowBody *out, LowLabel *otherwise, Span span) {
  LowStmt test = {.kind = STMT_IF, .test = TEST_NO_FIXNUM, .span = span, .op = {.kind = OP_COPY, .count = 1}};
  test.op.args = ARENA_NEW(h->low->arena, LowArg);
  test.op.args[0] = (LowArg){.kind = ARG_VAR, .var = v};
  LowStmt *copy = append(h, out, &test);
  go_cold(h, &copy->body, otherwise, span);
  note_sound(h, v, SOUND_FIX);
}

/* Of an untagged and a tagged integer, if one is at hand untagged. */
static void choose_product(Hot *h, LowOp *op) {
  static const FastOp scale = {"", "vk_try_scale", "ix", 'v', 0, NULL, false};
  for (size_t i = 0; i < 2; i++) {
    const LowArg *a = &op->args[i];
    if (a->kind != ARG_CONST && (a->kind != ARG_VAR || a->var->rep != REP_INT)) continue;
    LowArg *args = ARENA_ARRAY(h->low->arena, LowArg, 2);
    args[0] = *a;
    args[1] = op->args[1 - i];
    op->args = args;
    op->fast = &scale;
    return;
  }
}

/* The operation of a SET on fixnums. */
static void copy_fixnums(Hot *h, LowStmt *s, LowBody *out, const HotOp *fast, Cold *cold) {
  for (size_t i = 0; i < 2; i++)
    if (!is_fixnum(&s->op.args[i])) test_fixnum(h, s->op.args[i].var, out, before(h, cold), s->span);
  LowStmt *copy = append(h, out, s);
  copy->op.fast = &fast->fast;
  copy->op.makes_number = false;
  if (!strcmp(fast->prim, "%mul")) choose_product(h, &copy->op);
  if (!fast->is_tried) return;
  copy->kind = STMT_TRY;
  copy->label = before(h, cold);
}

/* Variables that go round, or come from outside, are fixnums in the hot copy: tested where they get a
 * value. */
static void assume_fixnums(Hot *h, const LowBody *body, bool is_assumed) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    bool is_hot = s->kind == STMT_SET && hot_op(&s->op);
    for (size_t i = 0; is_hot && i < s->op.count; i++) {
      LowVar *v = s->op.args[i].var;
      if (s->op.args[i].kind != ARG_VAR || !is_candidate(v)) continue;
      bool is_from_outside = v->is_begun || v->is_param;
      v->is_assumed_fix = is_assumed && (is_from_outside || v->set_count > 1);
      if (!is_assumed || !is_from_outside) continue;
      v->is_tested_fix = true;
      note_part(h, v);
    }
    assume_fixnums(h, &s->body, is_assumed);
    assume_fixnums(h, &s->other, is_assumed);
  }
}

/* ---- statements -------------------------------------------------------------------------------------- */

static void copy_body(Hot *h, LowBody *in, LowBody *out);

/* What had its value before the loop, and keeps it, need be tested only once. */
static bool is_tested_before(Hot *h, const LowArg *a) {
  LowVar *v = a->var;
  if (a->kind != ARG_VAR || v->set_count > 0 || !(v->is_begun || v->is_param)) return false;
  note_part(h, v);
  return true;
}

/* A test for errors: what is one goes to the cold copy. */
static void copy_error_test(Hot *h, LowStmt *s, LowBody *out) {
  LowOp test = s->op;
  test.args = ARENA_ARRAY(h->low->arena, LowArg, s->op.count);
  test.count = 0;
  for (size_t i = 0; i < s->op.count; i++) {
    const LowArg *a = &s->op.args[i];
    if (is_nil_part(a)) note_part(h, a->var);
    if (may_be_error(a) && !is_tested_before(h, a)) test.args[test.count++] = *a;
  }
  if (test.count) {
    LowStmt *copy = append(h, out, s);
    copy->op = test;
    go_cold(h, &copy->body, here(h, &s->body, NULL, s->span), s->span);
    for (size_t i = 0; i < test.count; i++)
      if (test.args[i].kind == ARG_VAR) note_sound(h, test.args[i].var, SOUND_VALUE);
  }
  copy_body(h, &s->other, out);
}

static void copy_if(Hot *h, LowStmt *s, LowBody *out) {
  if (s->test == TEST_ERROR) {
    copy_error_test(h, s, out);
    return;
  }
  LowStmt *copy = append(h, out, s);
  copy_operands(h, &copy->op);
  size_t mark = h->sound.count;
  copy_body(h, &s->body, &copy->body);
  size_t count = h->sound.count - mark; /* what is known at the end of this branch */
  struct {
    LowVar *var;
    LowSound sound;
  } *then = arena_alloc(h->low->arena, (count + 1) * sizeof *then);
  for (size_t i = 0; i < count; i++) {
    then[i].var = h->sound.items[mark + i];
    then[i].sound = then[i].var->sound;
  }
  forget_sound(h, mark);
  copy_body(h, &s->other, &copy->other);
  if (!copy->body.is_closed) forget_sound(h, mark);
  if (copy->other.is_closed)
    for (size_t i = 0; i < count; i++)
      note_sound(h, then[i].var, then[i].sound);
  out->is_closed = copy->body.is_closed && copy->other.is_closed;
}

static void copy_block(Hot *h, LowStmt *s, LowBody *out) {
  LowStmt *copy = append(h, out, s);
  copy->label = copy_label(h, s->label);
  if (s->kind == STMT_LOOP) forget_assigned(&s->body);
  size_t mark = h->sound.count;
  copy_body(h, &s->body, &copy->body);
  forget_sound(h, mark);
  out->is_closed = copy->body.is_closed && !copy->label->is_left;
}

/* v gets its value, or this is where an error arises: true. */
static bool copy_set(Hot *h, LowStmt *s, LowBody *out, Cold *cold) {
  LowVar *v = s->var;
  bool is_copy = s->op.kind == OP_COPY;
  if (v->is_error_part) note_part(h, v);
  if (v->is_error_part && is_copy && is_nil_part(&s->op.args[0])) {
    note_part(h, s->op.args[0].var);
    return false;
  }
  if (v->is_error_part && is_copy && s->op.args[0].kind == ARG_CONST) return false; /* nil */
  if (v->is_error_part || (is_rare(&s->op) && !is_copy)) return true;
  const HotOp *fast = hot_op(&s->op);
  LowSound sound = SOUND_FIX;
  if (fast) {
    copy_fixnums(h, s, out, fast, cold);
  } else {
    LowStmt *copy = append(h, out, s);
    copy_operands(h, &copy->op);
    bool is_sound = is_copy ? !may_be_error(&s->op.args[0]) : s->op.facts.types && !(s->op.facts.types & T_ERROR);
    bool is_fix = is_copy ? is_fixnum(&s->op.args[0]) : s->op.facts.types == T_FIX;
    sound = is_fix ? SOUND_FIX : is_sound ? SOUND_VALUE : SOUND_UNKNOWN;
  }
  if (v->rep != REP_VALUE) return false;
  if (v->is_assumed_fix && sound != SOUND_FIX) test_fixnum(h, v, out, here(h, cold->body, s, s->span), s->span);
  note_sound(h, v, v->is_assumed_fix ? SOUND_FIX : sound);
  return false;
}

static void declare(Hot *h, LowVar *v) { PUSH(h->low->arena, h->declared, v); }

/* A copy of one statement; true if it only is reached when something fails. */
static bool copy_stmt(Hot *h, LowStmt *s, LowBody *out, Cold *cold) {
  switch (s->kind) {
  case STMT_DECLARE: return false;
  case STMT_SET: return copy_set(h, s, out, cold);
  case STMT_IF: copy_if(h, s, out); return false;
  case STMT_BLOCK:
  case STMT_LOOP: copy_block(h, s, out); return false;
  case STMT_LEAVE:
  case STMT_NEXT: {
    LowLabel *label = append(h, out, s)->label = label_of(h, s->label);
    if (s->kind == STMT_LEAVE) label->is_left = true;
    out->is_closed = true;
    return false;
  }
  case STMT_DO:
    if (is_rare(&s->op)) return true;
    break;
  case STMT_RETURN: out->is_closed = true; break;
  default: break;
  }
  copy_operands(h, &append(h, out, s)->op);
  return false;
}

/* Variables of the body are declared before the loop; those of parts that the hot copy lacks stay. */
static void copy_body(Hot *h, LowBody *in, LowBody *out) {
  LowStmt *previous = NULL;
  for (LowStmt *s = in->first; s; s = s->next) {
    if (s->kind == STMT_DECLARE || s->is_decl) declare(h, s->var);
    s->is_decl = false;
    if (s->kind == STMT_DECLARE) { /* goes */
      *(previous ? &previous->next : &in->first) = s->next;
      if (in->last == s) in->last = previous;
      continue;
    }
    Cold cold = {.body = in, .previous = previous, .stmt = s};
    if (s->kind == STMT_HERE) { /* behind the statement before */
      previous = s;
      continue;
    }
    if (copy_stmt(h, s, out, &cold)) go_cold(h, out, before(h, &cold), s->span);
    if (out->is_closed) return;
    previous = s;
  }
}

/* ---- loops ---------------------------------------------------------------------------------------------- */

static void note_assigned(const LowBody *body, bool is_in_loop) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    if (s->kind == STMT_SET) s->var->set_count = is_in_loop ? s->var->set_count + 1 : 0;
    note_assigned(&s->body, is_in_loop);
    note_assigned(&s->other, is_in_loop);
  }
}

/* Parts that have a value before the loop, on some way to it, decide which copy a round begins in. */
static void sort_parts(Hot *h) {
  LowHot *hot = h->hot;
  for (size_t i = 0; i < hot->parts.count; i++) {
    LowVar *v = hot->parts.items[i];
    if (!v->is_begun && !v->is_param) continue;
    hot->parts.items[i] = hot->parts.items[hot->tested_count];
    hot->parts.items[hot->tested_count++] = v;
    v->is_tested_early = true;
  }
}

/* The declarations, before the loop: it becomes what follows the last one. */
static void put_declarations(Hot *h, LowBody *body, LowStmt *loop) {
  for (size_t i = 0; i < h->declared.count; i++) {
    LowStmt *moved = ARENA_NEW(h->low->arena, LowStmt);
    *moved = *loop;
    *loop = (LowStmt){.kind = STMT_DECLARE, .span = moved->span, .var = h->declared.items[i], .next = moved};
    if (body->last == loop) body->last = moved;
    loop = moved;
  }
}

/* Whether it makes no numbers in memory; noted for the loops in it, too. */
static bool note_quiet(LowBody *body) {
  bool is_quiet = true;
  for (LowStmt *s = body->first; s; s = s->next) {
    is_quiet &= !s->op.makes_number;
    bool is_body = note_quiet(&s->body), is_other = note_quiet(&s->other);
    if (s->kind == STMT_LOOP) s->label->is_quiet = is_body;
    is_quiet &= is_body && is_other;
  }
  return is_quiet;
}

static void copy_loop(Hot *h, LowBody *body, LowStmt *loop) {
  h->hot = loop->hot = ARENA_NEW(h->low->arena, LowHot);
  h->labels = h->parts = (PtrMap){.arena = h->low->arena};
  h->declared.count = 0;
  forget_sound(h, 0);
  number_marks(h, &loop->body);
  h->hot->label = copy_label(h, loop->label);
  h->hot->enter = new_label(h);
  loop->label->enter = h->hot->enter;
  note_assigned(&loop->body, true);
  assume_fixnums(h, &loop->body, true);
  copy_body(h, &loop->body, &h->hot->body);
  h->hot->label->is_quiet = note_quiet(&h->hot->body);
  note_assigned(&loop->body, false);
  assume_fixnums(h, &loop->body, false);
  sort_parts(h);
  put_declarations(h, body, loop);
}

static void note_values(const LowBody *body) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    if (s->kind == STMT_SET) s->var->is_begun = true;
    note_values(&s->body);
    note_values(&s->other);
  }
}

static void visit_body(Hot *h, LowBody *body) {
  for (LowStmt *s = body->first; s; s = s->next) {
    if (s->kind == STMT_SET) s->var->is_begun = true;
    if (s->kind == STMT_LOOP && !s->hot && is_worth_it(h, s)) {
      copy_loop(h, body, s);
      if (s->hot) note_values(&s->body);
      continue; /* else s is the first of the declarations: the loop follows, and has its copy */
    }
    if (s->hot) {
      note_values(&s->body);
      continue;
    }
    visit_body(h, &s->body);
    visit_body(h, &s->other);
  }
}

static LowConst *nil_const(LowProgram *low) {
  for (size_t i = 0; i < low->consts.count; i++)
    if (low->consts.items[i]->kind == LOW_NIL) return low->consts.items[i];
  return NULL;
}

static void visit_fn(Hot *h, LowFn *f) {
  if (f->is_once) return;
  h->fn = f;
  visit_body(h, &f->body);
}

void hot_run(LowProgram *low) {
  Hot h = {.low = low, .nil = nil_const(low)};
  if (low->program->is_quick || !h.nil) return; /* TinyCC is to be quick, and threads no jumps */
  /* Where each round does something costly, two copies are twice the C compiler's work for nothing. */
  for (size_t i = 0; i < low->fns.count; i++)
    if (!low->fns.items[i]->is_calm) visit_fn(&h, low->fns.items[i]);
  for (size_t i = 0; i < low->tops.count; i++)
    if (!low->tops.items[i]->is_calm) visit_fn(&h, low->tops.items[i]);
}
