/* lower_show.c - low as text (--dump=lower), and the assertions of low.h.
 *
 *   fn fib.3(n.4)  recursive
 *     t1 = prim %lt n.4 2  @3:7
 *     if error t1
 *       return at t1  @3:7
 *     if true t1
 *       return n.4
 *     ... */
#include "flow.h"
#include "lower.h"
#include <string.h>

typedef struct Show {
  LowProgram *low;
  FILE *out;
  const LowFn *fn;
  int depth;
} Show;

/* ---- operands ------------------------------------------------------------------------------ */

static void show_const(Show *s, const LowConst *k) {
  static const char *const open[] = {[LOW_LIST] = "{", [LOW_SEXPR] = "(", [LOW_VECTOR] = "[",
                                     [LOW_MAP] = "#{", [LOW_LITERAL] = "block{"};
  static const char *const close[] = {[LOW_LIST] = "}", [LOW_SEXPR] = ")", [LOW_VECTOR] = "]",
                                      [LOW_MAP] = "}", [LOW_LITERAL] = "}"};
  switch (k->kind) {
  case LOW_INT: fprintf(s->out, "%lld", (long long)k->integer); break;
  case LOW_FLOAT: fprintf(s->out, "%.17g", k->real); break;
  case LOW_STRING: fprintf(s->out, "\"%.*s\"", (int)k->len, k->text); break;
  case LOW_BIG:
  case LOW_SYMBOL: fprintf(s->out, "%.*s", (int)k->len, k->text); break;
  case LOW_NIL: fputs("nil", s->out); break;
  case LOW_FUNCTION: fprintf(s->out, "fn:%s.%u", k->fn->name ? k->fn->name : "", k->fn->id); break;
  case LOW_BUILTIN: fprintf(s->out, "prim:%s", k->prim->name); break;
  default:
    fputs(open[k->kind], s->out);
    for (size_t i = 0; i < k->count; i++) {
      if (i) fputc(' ', s->out);
      show_const(s, k->items[i]);
    }
    fputs(close[k->kind], s->out);
  }
}

static void show_var(Show *s, const LowVar *v) {
  if (v->is_temp) fprintf(s->out, "t%u", v->id);
  else fprintf(s->out, "%s.%u%s", v->name, v->id, v->is_raw ? "'" : "");
}

static void show_args(Show *s, const LowOp *op);

static void show_arg(Show *s, LowArg a) {
  switch (a.kind) {
  case ARG_CONST: show_const(s, a.constant); break;
  case ARG_VAR: show_var(s, a.var); break;
  case ARG_CAPTURE: {
    const Var *v = s->fn->captures.items[a.capture];
    fprintf(s->out, "^%s.%u", v->name, v->id);
    break;
  }
  case ARG_SELF: fputs("self", s->out); break;
  case ARG_UNBOUND: fputs("unbound", s->out); break;
  case ARG_OP:
    fprintf(s->out, "(%s", a.op->prim->name);
    show_args(s, a.op);
    fputc(')', s->out);
    break;
  }
}

static void show_args(Show *s, const LowOp *op) {
  for (size_t i = 0; i < op->count; i++) {
    fputc(' ', s->out);
    show_arg(s, op->args[i]);
  }
}

static void show_place(Show *s, Span at) {
  uint32_t line, column;
  if (at.file == NO_FILE) return;
  diag_line_col(s->low->program->diag, at, &line, &column);
  fprintf(s->out, "  @%u:%u", line, column);
}

static bool has_place(const LowOp *op) {
  switch (op->kind) {
  case OP_GLOBAL: return op->is_checked;
  case OP_PRIM: return op->prim->flags & PRIM_FAILS;
  case OP_NO_GLOBAL:
  case OP_AT:
  case OP_CALL_VALUE: return true;
  default: return false;
  }
}

static void show_stacks(Show *s, const char *word, uint8_t stacks) {
  static const char *const names[] = {"temp", "other", "default"};
  if (stacks) fprintf(s->out, "  %s", word);
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
    if (stacks >> i & 1) fprintf(s->out, " %s", names[i]);
}

/* What place.c decided. */
static void show_where(Show *s, const LowOp *op) {
  static const char *const names[] = {"heap", "result", "temp", "other"};
  if (op->where != WHERE_HEAP) fprintf(s->out, "  in %s", names[op->where]);
  show_stacks(s, "opens", op->opens);
  show_stacks(s, "resets", (uint8_t)(op->resets | op->closes));
}

static void show_op(Show *s, const LowOp *op) {
  static const char *const names[] = {
      [OP_BOX] = "box",       [OP_UNBOX] = "unbox", [OP_MADE] = "made",
      [OP_GLOBAL] = "global", [OP_AT] = "at",       [OP_NO_GLOBAL] = "no-global",
      [OP_PRIM] = "prim",     [OP_CALL] = "call",   [OP_CALL_VALUE] = "call-value",
      [OP_LIST] = "list",     [OP_CLOSURE] = "closure", [OP_PARTIAL] = "partial",
      [OP_LITERAL] = "literal"};
  if (op->kind == OP_COPY) {
    show_arg(s, op->args[0]);
    if (op->moves_out) fputs("  moves out", s->out);
    return;
  }
  fputs(names[op->kind], s->out);
  if (op->kind == OP_GLOBAL || op->kind == OP_NO_GLOBAL) fprintf(s->out, " %s", op->global->name);
  if (op->kind == OP_PRIM) fprintf(s->out, " %s", op->prim->name);
  if (op->kind == OP_CALL || op->kind == OP_CLOSURE)
    fprintf(s->out, " %s.%u", op->fn->name ? op->fn->name : "", op->fn->id);
  if (op->kind == OP_MADE) fputc(' ', s->out), show_const(s, op->constant);
  show_args(s, op);
  if (has_place(op)) show_place(s, op->pos);
  show_where(s, op);
}

/* ---- statements ---------------------------------------------------------------------------- */

static void show_body(Show *s, const LowBody *body);

static void show_nested(Show *s, const LowBody *body) {
  s->depth++;
  show_body(s, body);
  s->depth--;
}

static void show_start(Show *s) { fprintf(s->out, "%*s", 2 * s->depth, ""); }

static void show_if(Show *s, const LowStmt *stmt) {
  static const char *const tests[] = {"true", "false", "error", "unbound"};
  fprintf(s->out, "if %s", tests[stmt->test]);
  show_args(s, &stmt->op);
  fputc('\n', s->out);
  show_nested(s, &stmt->body);
  if (!stmt->other.first) return;
  show_start(s);
  fputs("else\n", s->out);
  show_nested(s, &stmt->other);
}

static void show_hot(Show *s, const LowHot *hot) {
  show_start(s);
  fprintf(s->out, "hot L%u", hot->label->id);
  for (size_t i = 0; i < hot->parts.count; i++) {
    if (i == hot->tested_count) fputs("  nil", s->out);
    fputc(' ', s->out);
    show_var(s, hot->parts.items[i]);
  }
  fputc('\n', s->out);
  show_body(s, &hot->before);
  show_nested(s, &hot->body);
}

static void show_stmt(Show *s, const LowStmt *stmt) {
  show_start(s);
  switch (stmt->kind) {
  case STMT_DECLARE:
    fputs("declare ", s->out);
    show_var(s, stmt->var);
    break;
  case STMT_SET:
    show_var(s, stmt->var);
    fputs(stmt->is_decl ? " = " : " := ", s->out);
    show_op(s, &stmt->op);
    break;
  case STMT_DO: show_op(s, &stmt->op); break;
  case STMT_SET_BOX:
    fputs("set-box", s->out);
    show_args(s, &stmt->op);
    break;
  case STMT_SET_GLOBAL:
    fprintf(s->out, "set-global %s", stmt->global->name);
    show_args(s, &stmt->op);
    break;
  case STMT_IF: show_if(s, stmt); return;
  case STMT_BLOCK:
  case STMT_LOOP:
    fprintf(s->out, "%s L%u", stmt->kind == STMT_LOOP ? "loop" : "block", stmt->label->id);
    show_stacks(s, "resets", stmt->label->resets);
    show_stacks(s, "numbers", stmt->label->numbers);
    for (unsigned i = 0; stmt->label->numbers && i < stmt->label->kept_count; i++) {
      fputs(i ? " " : "  keeps ", s->out);
      show_var(s, stmt->label->kept[i]);
    }
    fputs(stmt->label->is_calm ? " calm\n" : "\n", s->out);
    show_nested(s, &stmt->body);
    if (stmt->hot) show_hot(s, stmt->hot);
    return;
  case STMT_LEAVE: fprintf(s->out, "leave L%u", stmt->label->id); break;
  case STMT_NEXT:
    fprintf(s->out, "next L%u", stmt->label->id);
    if (stmt->entry) fprintf(s->out, " at L%u", stmt->entry->id);
    if (stmt->label->resets && !(stmt->label->resets & ~stmt->clean)) fputs("  resets nothing", s->out);
    break;
  case STMT_TRY:
    fputs("try ", s->out);
    show_var(s, stmt->var);
    fputs(" := ", s->out);
    show_op(s, &stmt->op);
    fprintf(s->out, " or cold L%u", stmt->label->id);
    break;
  case STMT_COLD: fprintf(s->out, "cold L%u", stmt->label->id); break;
  case STMT_HERE: fprintf(s->out, "here L%u", stmt->label->id); break;
  case STMT_RETURN:
    fputs(stmt->is_guarded ? "return guarded " : stmt->is_tail ? "return tail " : "return ", s->out);
    show_op(s, &stmt->op);
    break;
  }
  fputc('\n', s->out);
}

static void show_body(Show *s, const LowBody *body) {
  for (const LowStmt *stmt = body->first; stmt; stmt = stmt->next) show_stmt(s, stmt);
}

static void show_fn(Show *s, const LowFn *f) {
  s->fn = f;
  s->depth = 1;
  if (f->lambda) fprintf(s->out, "fn %s.%u(", f->name ? f->name : "", f->id);
  else fprintf(s->out, "top %u(", f->id);
  for (size_t i = 0; i < f->params.count; i++) {
    if (i) fputc(' ', s->out);
    if (f->has_rest && i + 1 == f->params.count) fputs("& ", s->out);
    show_var(s, f->params.items[i]);
  }
  fputc(')', s->out);
  for (size_t i = 0; i < f->captures.count; i++)
    fprintf(s->out, " ^%s.%u", f->captures.items[i]->name, f->captures.items[i]->id);
  fprintf(s->out, "%s%s%s\n", f->is_recursive ? "  recursive" : "", f->may_park ? "  may-park" : "",
          f->is_calm ? "  calm" : "");
  show_body(s, &f->body);
}

void lower_dump(LowProgram *low, FILE *out) {
  Show s = {.low = low, .out = out};
  for (size_t i = 0; i < low->fns.count; i++) show_fn(&s, low->fns.items[i]);
  for (size_t i = 0; i < low->tops.count; i++) show_fn(&s, low->tops.items[i]);
}

/* ---- checking ------------------------------------------------------------------------------ */

typedef struct Check {
  LowProgram *low;
  LowFn *fn;
  PtrMap declared; /* variable -> itself */
  PtrMap open;     /* label of a BLOCK or LOOP around -> its statement's kind plus one */
  PtrMap heres;    /* label of a HERE -> itself */
} Check;

#define REQUIRE(condition)                                                                    \
  do {                                                                                        \
    if (!(condition))                                                                         \
      diag_bug(c->low->program->diag, at, "lower", "in `%s`: not so: %s",                     \
               c->fn->name ? c->fn->name : "?", #condition);                                  \
  } while (0)

static void check_op(Check *c, const LowOp *op, Span at);

static void check_arg(Check *c, LowArg a, Span at) {
  switch (a.kind) {
  case ARG_CONST: REQUIRE(a.constant && !a.constant->is_dynamic); break;
  case ARG_VAR:
    REQUIRE(a.var->fn == c->fn);
    REQUIRE(a.var->rep != REP_INT || a.var->facts.types == T_FIX);
    REQUIRE(a.var->rep != REP_FLOAT || a.var->facts.types == T_FLOAT);
    REQUIRE(ptrmap_get(&c->declared, a.var));
    break;
  case ARG_CAPTURE: REQUIRE(a.capture < c->fn->captures.count); break;
  case ARG_SELF: REQUIRE(c->fn->captures.count > 0); break;
  case ARG_UNBOUND: break;
  case ARG_OP: check_op(c, a.op, at); break;
  }
}

static void check_op(Check *c, const LowOp *op, Span at) {
  for (size_t i = 0; i < op->count; i++) check_arg(c, op->args[i], at);
  switch (op->kind) {
  case OP_PRIM:
    REQUIRE(op->fast || op->count >= op->prim->min);
    REQUIRE(op->prim->max == PRIM_ANY || op->count <= op->prim->max);
    break;
  case OP_CALL:
    REQUIRE(op->count == op->fn->params.count + (op->fn->captures.count > 0));
    REQUIRE(op->fn->params.count == op->fn->required + op->fn->has_rest);
    break;
  case OP_CLOSURE: REQUIRE(op->count == op->fn->captures.count && op->count > 0); break;
  case OP_CALL_VALUE:
  case OP_PARTIAL: REQUIRE(op->count > 0); break;
  default: break;
  }
}

static void check_body(Check *c, const LowBody *body);

static void check_target(Check *c, const LowStmt *s) {
  Span at = s->span;
  bool is_declared = ptrmap_get(&c->declared, s->var);
  REQUIRE(s->var->fn == c->fn);
  if (s->kind == STMT_SET && !s->is_decl) REQUIRE(is_declared);
  else REQUIRE(!is_declared);
  ptrmap_put(&c->declared, s->var, s->var);
}

static void check_return(Check *c, const LowStmt *s) {
  Span at = s->span;
  bool is_call = s->op.kind == OP_CALL || s->op.kind == OP_CALL_VALUE;
  if (s->is_tail) REQUIRE(is_call && c->fn->lambda);
  else REQUIRE(low_op_is_expression(&s->op));
  if (s->is_tail) REQUIRE(c->fn->may_park || (s->op.kind == OP_CALL && !s->op.fn->may_park));
}

static void check_stmt(Check *c, const LowStmt *s) {
  Span at = s->span;
  if (s->kind == STMT_SET || s->kind == STMT_IF || s->kind == STMT_RETURN || s->op.count)
    check_op(c, &s->op, at);
  if (s->kind == STMT_DECLARE || s->kind == STMT_SET) check_target(c, s);
  if (s->kind == STMT_RETURN) check_return(c, s);
  if (s->kind == STMT_HERE) ptrmap_put(&c->heres, s->label, s->label);
  if (s->kind == STMT_COLD || s->kind == STMT_TRY) REQUIRE(ptrmap_get(&c->heres, s->label));
  void *open = ptrmap_get(&c->open, s->label);
  if (s->kind == STMT_LEAVE) REQUIRE(open);
  if (s->kind == STMT_NEXT) REQUIRE(open == (void *)(STMT_LOOP + (uintptr_t)1));
  if (s->kind == STMT_BLOCK || s->kind == STMT_LOOP) {
    REQUIRE(!open);
    ptrmap_put(&c->open, s->label, (void *)(s->kind + (uintptr_t)1));
  }
  check_body(c, &s->body);
  check_body(c, &s->other);
  if (s->hot) {
    ptrmap_put(&c->open, s->hot->label, (void *)(STMT_LOOP + (uintptr_t)1));
    check_body(c, &s->hot->before);
    check_body(c, &s->hot->body);
  }
  if (s->kind == STMT_BLOCK || s->kind == STMT_LOOP) ptrmap_put(&c->open, s->label, NULL);
}

static void check_body(Check *c, const LowBody *body) {
  const LowStmt *last = NULL;
  for (const LowStmt *s = body->first; s; last = s, s = s->next) check_stmt(c, s);
  Span at = last ? last->span : NO_SPAN;
  REQUIRE(last == body->last);
}

static void check_fn(Check *c, LowFn *f) {
  Span at = f->span;
  c->fn = f;
  c->declared = c->open = c->heres = (PtrMap){.arena = c->low->arena};
  for (size_t i = 0; i < f->params.count; i++)
    ptrmap_put(&c->declared, f->params.items[i], f->params.items[i]);
  check_body(c, &f->body);
  REQUIRE(f->body.is_closed);
}

void lower_check(LowProgram *low) {
  Check c = {.low = low};
  for (size_t i = 0; i < low->fns.count; i++) check_fn(&c, low->fns.items[i]);
  for (size_t i = 0; i < low->tops.count; i++) check_fn(&c, low->tops.items[i]);
}
