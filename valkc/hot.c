/* hot.c - loops in two copies: a hot one for rounds without errors, and the cold one for all others.
 *
 * in:    low.h, after place
 * out:   loops with stmt->hot: the same body without what only errors need. It leaves for the cold
 *        body, the one that was there, where something fails: at a COLD to the HERE of that place
 * keeps: what every statement does. The copies share variables (declared before the loop), marks and
 *        cells, and go the same way, so that a jump finds all of it as it would have been
 * cost:  linear; COPIED_MAX statements of a loop, and GROWTH_MAX of the program are there twice
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
  VEC(LowVar *) sound;    /* variables known to hold no error where the walk is */
  VEC(LowVar *) declared; /* variables of the body, to be declared before the loop */
} Hot;

/* ---- may it be copied? ------------------------------------------------------------------------- */

static bool is_nil_part(const LowArg *a) { return a->kind == ARG_VAR && a->var->is_error_part; }

typedef struct Measure {
  size_t count;
  bool has_tests, is_unfit;
} Measure;

/* A frame that a catch returns to is one; a jump between rounds of several functions has its own way. */
static void measure(Measure *m, const LowBody *body) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    bool is_guard = s->op.kind == OP_PRIM && (!strcmp(s->op.prim->name, "%guard") || !strcmp(s->op.prim->name, "%unguard"));
    m->count++;
    m->is_unfit |= is_guard || s->entry;
    for (size_t i = 0; i < s->op.count; i++) m->has_tests |= is_nil_part(&s->op.args[i]);
    measure(m, &s->body);
    measure(m, &s->other);
  }
}

static bool is_worth_it(const Hot *h, const LowStmt *loop) {
  Measure m = {0};
  measure(&m, &loop->body);
  return loop->label->is_next && m.has_tests && !m.is_unfit && m.count <= COPIED_MAX &&
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
    number_marks(h, &s->body);
    number_marks(h, &s->other);
  }
}

/* ---- what is known -------------------------------------------------------------------------------- */

static void note_sound(Hot *h, LowVar *v, bool is_sound) {
  if (is_sound && !v->is_sound) PUSH(h->low->arena, h->sound, v);
  v->is_sound = is_sound;
}

static void forget_sound(Hot *h, size_t mark) {
  while (h->sound.count > mark) h->sound.items[--h->sound.count]->is_sound = false;
}

/* What a loop assigns need not be in its next round what it was before. */
static void forget_assigned(const LowBody *body) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    if (s->var) s->var->is_sound = false;
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
  if (a->kind == ARG_VAR && (a->var->is_sound || a->var->rep != REP_VALUE)) return false;
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

/* The hot copy goes on in the cold one: before `at`, the first statement of a body or one behind
 * `previous`. */
static void go_cold(Hot *h, LowBody *out, LowBody *cold, LowStmt *previous, Span span) {
  LowStmt *here = ARENA_NEW(h->low->arena, LowStmt);
  here->kind = STMT_HERE;
  here->span = span;
  here->label = new_label(h);
  LowStmt **link = previous ? &previous->next : &cold->first;
  here->next = *link;
  *link = here;
  if (!here->next) cold->last = here;
  LowStmt jump = {.kind = STMT_COLD, .span = span, .label = here->label};
  append(h, out, &jump);
  out->is_closed = true;
}

static void copy_body(Hot *h, LowBody *in, LowBody *out);

/* What had its value before the loop, and keeps it, need be tested only once. */
static bool is_tested_before(Hot *h, const LowArg *a) {
  LowVar *v = a->var;
  if (a->kind != ARG_VAR || v->is_assigned_in_loop || !(v->is_begun || v->is_param)) return false;
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
    go_cold(h, &copy->body, &s->body, NULL, s->span);
    for (size_t i = 0; i < test.count; i++)
      if (test.args[i].kind == ARG_VAR) note_sound(h, test.args[i].var, true);
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
  LowVar **then = ARENA_ARRAY(h->low->arena, LowVar *, count);
  for (size_t i = 0; i < count; i++) then[i] = h->sound.items[mark + i]->is_sound ? h->sound.items[mark + i] : NULL;
  forget_sound(h, mark);
  copy_body(h, &s->other, &copy->other);
  if (!copy->body.is_closed) forget_sound(h, mark);
  if (copy->other.is_closed)
    for (size_t i = 0; i < count; i++)
      if (then[i]) note_sound(h, then[i], true);
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
static bool copy_set(Hot *h, LowStmt *s, LowBody *out) {
  LowVar *v = s->var;
  bool is_copy = s->op.kind == OP_COPY;
  if (v->is_error_part) note_part(h, v);
  if (v->is_error_part && is_copy && is_nil_part(&s->op.args[0])) {
    note_part(h, s->op.args[0].var);
    return false;
  }
  if (v->is_error_part && is_copy && s->op.args[0].kind == ARG_CONST) return false; /* nil */
  if (v->is_error_part || (is_rare(&s->op) && !is_copy)) return true;
  LowStmt *copy = append(h, out, s);
  copy_operands(h, &copy->op);
  bool is_sound = is_copy ? !may_be_error(&s->op.args[0]) : s->op.facts.types && !(s->op.facts.types & T_ERROR);
  note_sound(h, v, is_sound && v->rep == REP_VALUE);
  return false;
}

static void declare(Hot *h, LowVar *v) { PUSH(h->low->arena, h->declared, v); }

/* A copy of one statement; true if it only is reached when something fails. */
static bool copy_stmt(Hot *h, LowStmt *s, LowBody *out) {
  switch (s->kind) {
  case STMT_DECLARE: return false;
  case STMT_SET: return copy_set(h, s, out);
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
    if (copy_stmt(h, s, out)) go_cold(h, out, in, previous, s->span);
    if (out->is_closed) return;
    previous = s;
  }
}

/* ---- loops ---------------------------------------------------------------------------------------------- */

static void note_assigned(const LowBody *body, bool is_assigned) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    if (s->var) s->var->is_assigned_in_loop = is_assigned;
    note_assigned(&s->body, is_assigned);
    note_assigned(&s->other, is_assigned);
  }
}

/* Parts that have a value before the loop decide which copy a round begins in. */
static void sort_parts(Hot *h) {
  LowHot *hot = h->hot;
  for (size_t i = 0; i < hot->parts.count; i++) {
    LowVar *v = hot->parts.items[i];
    if (!v->is_begun && !v->is_param) continue;
    hot->parts.items[i] = hot->parts.items[hot->tested_count];
    hot->parts.items[hot->tested_count++] = v;
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
  copy_body(h, &loop->body, &h->hot->body);
  note_assigned(&loop->body, false);
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
  for (size_t i = 0; i < low->fns.count; i++) visit_fn(&h, low->fns.items[i]);
  for (size_t i = 0; i < low->tops.count; i++) visit_fn(&h, low->tops.items[i]);
}
