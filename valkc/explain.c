/* explain.c - `valkc explain --calls`: calls and loops as they were compiled.
 *
 * in:  low after represent; the inlined calls that simplify noted
 * out: lines "FILE:LINE:COL: what", sorted by place; library text is left out */
#include "explain.h"
#include "flow.h"
#include "represent.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef struct Remark {
  Span at;
  const char *text;
} Remark;
typedef VEC(Remark) RemarkVec;

typedef struct Explain {
  LowProgram *low;
  Program *p;
  Arena *arena;
  RemarkVec remarks;
  LowFn *fn;
} Explain;

static void remark(Explain *x, Span at, const char *text) {
  if (at.file == NO_FILE || x->p->diag->sources.items[at.file].is_library) return;
  PUSH(x->arena, x->remarks, ((Remark){at, text}));
}

/* ---- calls --------------------------------------------------------------------------------- */

static const char *fn_title(Explain *x, const LowFn *f) {
  return f->name ? arena_printf(x->arena, "`%s`", f->name) : "a function without a name";
}

/* What the text calls: a state of a function of several. */
static const LowFn *callee_of(const LowOp *op) {
  return op->fn->takes_state ? op->fn->states[op->args[0].constant->integer] : op->fn;
}

static const char *why_unknown(const LowOp *op) {
  LowFacts f = op->args[0].facts;
  if (!f.types) return "its function was not followed";
  if (f.types & ~(uint32_t)(T_FUN | T_ERROR)) return "what is called may be no function";
  if (f.types & T_ERROR) return "what is called may be an error";
  return "several functions, or some that the compiler cannot see, may be called here";
}

/* Why its code is not where the call is. */
static const char *why_not_inlined(Explain *x, const LowFn *f) {
  if (f->lambda && f->lambda->is_outlined) return "; what may run out of memory stays a function";
  if (f->state_count) return "; it is one with those it tail-calls, which lead back to it";
  if (f->is_recursive) return "; it leads back to itself";
  if (f->call_count < 2) return "";
  return arena_printf(x->arena, "; too large for its %u places", f->call_count);
}

static void explain_unknown(Explain *x, const LowOp *op, const char *tail) {
  LowArg head = op->args[0];
  bool has_name = head.kind == ARG_VAR && !head.var->is_temp && *head.var->name;
  const char *name = has_name ? arena_printf(x->arena, " of `%s`", head.var->name) : "";
  remark(x, op->pos, arena_printf(x->arena, "call%s: unknown%s; %s", name, tail, why_unknown(op)));
}

static void explain_op(Explain *x, const LowStmt *s) {
  const LowOp *op = &s->op;
  const char *tail = s->is_guarded ? ", in a cycle of tail calls (guarded jump)" : s->is_tail ? ", a jump" : "";
  if (op->kind == OP_CALL)
    remark(x, op->pos, arena_printf(x->arena, "call of %s: direct%s%s", fn_title(x, callee_of(op)), tail,
                                    why_not_inlined(x, op->fn)));
  else if (op->kind == OP_CALL_VALUE)
    explain_unknown(x, op, tail);
  else if (op->kind == OP_PARTIAL)
    remark(x, op->pos, "call: fewer arguments than needed, makes a function");
}

/* ---- loops --------------------------------------------------------------------------------- */

static bool is_within(const LowOp *op, uint32_t types) {
  for (size_t i = 0; i < op->count; i++) {
    LowArg a = op->args[i];
    uint32_t known = a.facts.types ? a.facts.types : a.kind == ARG_VAR ? a.var->facts.types : 0;
    bool is_int = a.kind == ARG_CONST && a.constant->kind == LOW_INT;
    if (!is_int && (!known || known & ~types)) return false;
  }
  return true;
}

/* What an operation on any values finds out first. */
static const char *why_checked(const LowOp *op) {
  if (is_within(op, T_FIX)) return "overflow";
  if (is_within(op, T_INT)) return "size (perhaps a big integer)";
  if (is_within(op, T_FIX | T_BIG | T_FLOAT)) return "kind of number";
  return "types";
}

/* What an operation still checks at run time, or NULL. */
static const char *remaining_check(const LowOp *op) {
  if (op->kind != OP_PRIM) return NULL;
  if (!op->fast) return op->prim->flags & PRIM_INLINE && op->prim->flags & PRIM_FAILS ? why_checked(op) : NULL;
  if (!strncmp(op->fast->c_name, "vk_has_", 7)) return "bounds";
  if (op->fast->takes != 1) return NULL;
  if (!strcmp(op->prim->name, "vec/push!")) return "room";
  return strstr(op->fast->c_name, "vk_fix") ? "overflow" : "bounds";
}

/* As it is written: `+` for %add. */
static const char *written_name(const Prim *prim) {
  static const char *const rows[][2] = {
      {"%neg", "-"},           {"%rem", "%"},           {"%map/get2", "map/get"}, {"%map/get3", "map/get"},
      {"%range-more", "range"}, {"%range-head", "range"}, {"%range-next", "range"},
      {"%items", "the list"},  {"%pair", "cons"},       {"%bit-and", "bit/and"},  {"%bit-or", "bit/or"},
      {"%bit-xor", "bit/xor"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (!strcmp(rows[i][0], prim->name)) return rows[i][1];
  for (size_t i = 0; i < prim_count && *prim->name == '%'; i++)
    if (prim_table[i].binary && !strcmp(prim_table[i].binary, prim->name)) return prim_table[i].name;
  return prim->name;
}

typedef struct Checks {
  Explain *x;
  const char *list;
  unsigned count;
} Checks;

static void collect_checks(Checks *c, const LowBody *body) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    const char *check = remaining_check(&s->op);
    if (check && s->op.pos.file != NO_FILE) {
      uint32_t line, col;
      diag_line_col(c->x->p->diag, s->op.pos, &line, &col);
      const char *what = arena_printf(c->x->arena, " of `%s` at %u:%u", written_name(s->op.prim), line, col);
      if (!strstr(c->list, what)) /* once, though its rare path is another operation */
        c->list = arena_printf(c->x->arena, "%s%s%s%s", c->list, c->count++ ? ", " : "", check, what);
    }
    if (s->kind == STMT_LOOP) continue; /* an inner loop speaks for itself */
    bool is_cold = s->kind == STMT_IF && s->test == TEST_ERROR; /* its body: an error is on its way */
    if (!is_cold) collect_checks(c, &s->body);
    collect_checks(c, &s->other);
  }
}

static void explain_body(Explain *x, const LowBody *body) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    explain_op(x, s);
    if (s->kind == STMT_LOOP && s->label->is_next) {
      Checks c = {x, "", 0};
      collect_checks(&c, &s->body);
      remark(x, s->span, c.count ? arena_printf(x->arena, "loop: checks %s", c.list) : "loop: no check remains");
    }
    explain_body(x, &s->body);
    explain_body(x, &s->other);
  }
}

/* ---- the program --------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b) {
  const Remark *x = a, *y = b;
  if (x->at.file != y->at.file) return x->at.file < y->at.file ? -1 : 1;
  if (x->at.start != y->at.start) return x->at.start < y->at.start ? -1 : 1;
  return strcmp(x->text, y->text);
}

/* Of code that stands at several places: the same, or without a reason. */
static bool says_less(const Remark *x, const Remark *y) {
  return x->at.file == y->at.file && x->at.start == y->at.start && !strncmp(x->text, y->text, strlen(x->text));
}

void explain_calls(LowProgram *low, FILE *out) {
  static const char *const how[] = {
      [CALL_COPIED] = "inlined",
      [CALL_MOVED] = "its only call, the code is moved here",
      [CALL_SPECIALISED] = "made anew for the function it is given",
      [CALL_JUMPED] = "a jump; functions that tail-call each other are one",
  };
  Explain x = {.low = low, .p = low->program, .arena = low->arena};
  for (size_t i = 0; i < x.p->inlined.count; i++) {
    InlinedCall call = x.p->inlined.items[i];
    remark(&x, call.at, arena_printf(x.arena, "call of `%s`: %s", call.name ? call.name : "\\", how[call.how]));
  }
  for (size_t i = 0; i < low->fns.count; i++) explain_body(&x, &low->fns.items[i]->body);
  for (size_t i = 0; i < low->tops.count; i++) explain_body(&x, &low->tops.items[i]->body);
  if (x.remarks.count) qsort(x.remarks.items, x.remarks.count, sizeof *x.remarks.items, by_place);
  for (size_t i = 0; i < x.remarks.count; i++) {
    Remark r = x.remarks.items[i];
    if (i + 1 < x.remarks.count && says_less(&r, &x.remarks.items[i + 1])) continue;
    uint32_t line, col;
    diag_line_col(x.p->diag, r.at, &line, &col);
    fprintf(out, "%s:%u:%u: %s\n", diag_path(x.p->diag, r.at), line, col, r.text);
  }
}
