/* emit.c - low to C: prints what lower decided.
 *
 * in:    low.h, after lower_facts
 * out:   one C11 (GNU) file that includes rt/vk.h, without warnings under gcc and clang
 * keeps: one C variable per low variable, one C function per low function
 *
 * The text has, in this order: names of source files, prototypes, descriptions of functions and
 * constants, the table of positions, functions, top-level forms, the table of the program. Code
 * is printed first, so that only the constants and positions it mentions are emitted.
 *
 * A variable that nobody reads is not declared; the operation that gives its value stays. An
 * argument array is in a block of its own that ends before anything else happens: an
 * address-taken local in scope keeps C compilers from making tail calls jumps. */
#include "emit_parts.h"
#include "flow.h"
#include "represent.h"
#include <stdlib.h>
#include <string.h>

/* ---- operations ---------------------------------------------------------------------------- */

/* ", a, b" */
static void put_args(Emit *e, const LowArg *args, size_t count) {
  for (size_t i = 0; i < count; i++) put(e, ", %a", &args[i]);
}

/* A primitive whose operands flow knows: raw operands, no checks. */
/* TinyCC would compute it in long doubles, and round twice: unless an operand comes from memory. */
static bool is_folded_badly(const Emit *e, const LowOp *op) {
  if (!e->p->is_quick || op->count != 2) return false;
  for (size_t i = 0; i < op->count; i++)
    if (op->args[i].kind != ARG_CONST || fast_operand_rep(op, i) != REP_FLOAT) return false;
  return true;
}

void put_fast_call(Emit *e, const LowOp *op) {
  bool is_in_memory = is_folded_badly(e, op);
  put(e, "%s(", op->fast->c_name);
  if (op->fast->takes) put(e, "c");
  for (size_t i = 0; i < op->count; i++) {
    if (i || op->fast->takes) put(e, ", ");
    if (is_in_memory && i == 0) put(e, "*(const double[1]){");
    put_arg_as(e, op->args[i], fast_operand_rep(op, i));
    if (is_in_memory && i == 0) put(e, "}");
  }
  if (op->fast->takes == 1) put(e, ", "), put_pos(e, op);
  put(e, ")");
}

/* The C function that does it, which is declared. */
static const char *use_symbol(Emit *e, const LowOp *op) {
  if (op->symbol) return op->symbol; /* in fast.h */
  emit_use_prim(e, op->prim);
  return op->prim->symbol;
}

/* A primitive with a fast path for the text, called: those that fail put in their place themselves.
 * What runs once, or beside costly work, calls the cold function of that path by another name: C
 * compilers take all code before and behind a call of a cold function for as unlikely, loops too. */
static void put_runtime_call(Emit *e, const LowOp *op) {
  bool fails = op->prim->flags & PRIM_FAILS;
  bool is_likely = fails && (op->is_once || op->is_called) && !e->p->is_quick;
  if (is_likely) e->is_once_used[op->prim - prim_table] = true;
  const char *suffix = is_likely ? "once" : "slow";
  if (fails) put(e, "%s_%s(c", op->symbol ? op->symbol : op->prim->symbol, suffix);
  else put(e, "%s(c", use_symbol(e, op));
  put_args(e, op->args, op->count);
  if (fails) put(e, ", "), put_pos(e, op);
  put(e, ")");
}

bool emit_is_cell(const LowOp *op) { return op->kind == OP_PRIM && !strcmp(op->prim->name, "%cell"); }

static void put_prim_call(Emit *e, const LowOp *op) {
  const Prim *prim = op->prim;
  if (emit_makes_pair(op)) {
    put_pair(e, op);
    return;
  }
  if (op->fast) {
    put_fast_call(e, op);
    return;
  }
  if (prim->flags & PRIM_INLINE && (op->is_once || op->is_called || op->is_rare)) {
    put_runtime_call(e, op);
    return;
  }
  if (emit_is_cell(op)) e->has_cell = true;
  if (emit_is_cell(op) && op->mark) {
    put(e, "vk_cell_in(cell_%u)", op->mark);
    return;
  }
  if (prim->flags & PRIM_INLINE) {
    put(e, "vk_op_%s(c", prim->symbol + 3);
    put_args(e, op->args, op->count);
    put(e, ", ");
    put_pos(e, op);
    put(e, ")");
    return;
  }
  put(e, "%s(c", use_symbol(e, op));
  if (prim->is_argv) put(e, ", 0, NULL"); /* only without arguments: see emit_with_array */
  else put_args(e, op->args, op->count);
  put(e, ")");
}

/* The callee's C arguments are self, if it takes one, and at most LOW_REG_ARGS more. */
static size_t register_args(const LowOp *op) {
  size_t self = op->fn->captures.count ? 1 : 0;
  return op->count - self > LOW_REG_ARGS ? LOW_REG_ARGS + self : op->count;
}

static void put_known_args(Emit *e, const LowOp *op) {
  size_t self = op->fn->captures.count ? 1 : 0, count = register_args(op);
  if (self) put(e, ", %a", &op->args[0]);
  for (size_t i = self; i < count; i++) {
    put(e, ", ");
    put_arg_as(e, op->args[i], op->fn->params.items[i - self]->rep);
  }
  if (emit_is_passed_where(op->fn)) put(e, ", "), put_where(e, op->where);
  put(e, ")");
}

static void put_known_call(Emit *e, const LowOp *op) {
  put(e, "%f(c", op->fn);
  put_known_args(e, op);
}

static void put_op(Emit *e, const LowOp *op) {
  const LowArg *args = op->args;
  switch (op->kind) {
  case OP_COPY: put_arg(e, args[0]); break;
  case OP_BOX:
    put(e, op->where == WHERE_HEAP ? "vk_box(c" : "vk_box_on(c, ");
    if (op->where != WHERE_HEAP) put_where(e, op->where);
    if (op->count) put(e, ", %a)", &args[0]);
    else put(e, ", VK_UNBOUND)");
    break;
  case OP_UNBOX: put(e, "VK_BOXP(%a)->value", &args[0]); break;
  case OP_MADE: put_const(e, op->constant); break;
  case OP_GLOBAL:
    if (op->is_checked && (op->is_once || op->is_called)) put(e, "vk_global_slow(c, %d, %p)", op->global->slot, &op->pos);
    else if (op->is_checked) put(e, "vk_global(c, %d, %p)", op->global->slot, &op->pos);
    else put(e, "c->globals[%d]", op->global->slot);
    break;
  case OP_NO_GLOBAL:
    put(e, "vk_unbound_error(c, ");
    put_string(e, op->global->name, strlen(op->global->name));
    put(e, ", %p)", &op->pos);
    break;
  case OP_AT: put(e, "vk_at(c, %a, %p)", &args[0], &op->pos); break;
  case OP_PRIM: put_prim_call(e, op); break;
  case OP_CALL: put_known_call(e, op); break;
  case OP_CALL_VALUE:
    put(e, op->is_once ? "vk_call%z_slow(c" : "vk_call%z(c", op->count - 1);
    put_args(e, args, op->count);
    put(e, ", %p)", &op->pos);
    break;
  case OP_LITERAL: put(e, "vk_block(c, %a, %a)", &args[0], &args[1]); break;
  case OP_PARTIAL:
  case OP_LIST:
  case OP_CLOSURE: diag_bug(e->p->diag, op->pos, "emit", "operation %d is no expression", op->kind);
  }
}

/* ---- var = operation ----------------------------------------------------------------------- */

/* "V x = ", "x = ", or nothing. */
void emit_target(Emit *e, const LowVar *v, bool is_decl) {
  put_line_start(e);
  if (emit_is_read(v)) put(e, is_decl ? "%s%v = " : "%s%v = ", is_decl ? rep_type(v->rep) : "", v);
}

/* The operation as an expression of the wanted representation. */
static void put_op_as(Emit *e, const LowOp *op, LowRep rep) {
  LowRep own = low_op_rep(op);
  if (op->kind == OP_COPY) {
    bool moves_out = op->moves_out && rep == REP_VALUE;
    if (moves_out) put(e, "vk_number_out(c, ");
    put_arg_as(e, op->args[0], rep);
    if (moves_out) put(e, ")");
    return;
  }
  put_convert_begin(e, own, rep);
  put_op(e, op);
  put_convert_end(e, own, rep);
}

bool emit_needs_array(const LowOp *op) {
  if (op->kind == OP_PRIM) return op->prim->is_argv && op->count > 0;
  if (op->kind == OP_LIST) return op->count > (op->is_once ? 1 : LISTS_INLINE);
  return op->kind == OP_PARTIAL || (op->kind == OP_CALL_VALUE && op->count - 1 > LOW_REG_ARGS);
}

/* With its size, without which TinyCC reads it twice. */
static void put_array(Emit *e, const LowArg *args, size_t count) {
  put_line_start(e);
  put(e, "const V args[%z] = {", count);
  for (size_t i = 0; i < count; i++) put(e, i ? ", %a" : "%a", &args[i]);
  put(e, "};\n");
}

/* Declared outside, so that the block with the array can end. */
static void emit_with_array(Emit *e, const LowOp *op, const LowVar *v, bool is_decl) {
  bool is_prim = op->kind == OP_PRIM || op->kind == OP_LIST;
  if (emit_is_read(v) && is_decl) put_line(e, "V %v;", v);
  put_line(e, "{");
  e->depth++;
  put_array(e, op->args + !is_prim, op->count - !is_prim);
  emit_target(e, v, false);
  if (is_prim) {
    put(e, "%s(c, %z, args);\n", op->kind == OP_LIST ? "vk_list_from" : use_symbol(e, op), op->count);
  } else if (op->kind == OP_PARTIAL) {
    put(e, "vk_call_slow(c, %a, %z, args);\n", &op->args[0], op->count - 1);
  } else {
    put(e, "vk_call_at(c, %a, %z, args, %p);\n", &op->args[0], op->count - 1, &op->pos);
  }
  e->depth--;
  put_line(e, "}");
}

/* Arguments beyond the registers; right before the call. */
static void emit_extra_args(Emit *e, const LowOp *op) {
  size_t first = register_args(op);
  for (size_t i = first; i < op->count; i++)
    put_line(e, "c->xargs[%z] = %a;", i - first, &op->args[i]);
}

static void emit_call(Emit *e, const LowOp *op, const LowVar *v, bool is_decl) {
  emit_extra_args(e, op);
  if (op->fn->may_park && !emit_is_read(v)) {
    put_line_start(e);
    put(e, "if (");
    put_known_call(e, op);
    put(e, " == VK_MARK) vk_resume(c);\n");
    return;
  }
  emit_target(e, v, is_decl);
  LowRep wanted = emit_is_read(v) ? v->rep : op->fn->result;
  put_convert_begin(e, op->fn->result, wanted);
  put_known_call(e, op);
  put_convert_end(e, op->fn->result, wanted);
  put(e, ";\n");
  if (op->fn->may_park) put_line(e, "%v = VK_RESUMED(c, %v);", v, v);
}

/* An operation without effect whose result nobody reads. */
static bool is_idle(const LowOp *op) {
  if (op->kind == OP_UNBOX) return false;
  if (op->kind == OP_PRIM && op->fast) return op->fast->takes == 0 && !(op->prim->flags & PRIM_STORES);
  return op->kind == OP_COPY && (op->args[0].kind == ARG_CONST || op->args[0].kind == ARG_UNBOUND);
}

static void emit_expression(Emit *e, const LowOp *op, const LowVar *v, bool is_decl) {
  if (!emit_is_read(v) && is_idle(op)) return;
  emit_target(e, v, is_decl);
  bool is_bare = op->kind == OP_COPY || op->kind == OP_UNBOX || op->kind == OP_GLOBAL;
  bool is_inline = op->kind == OP_PRIM && op->prim->flags & PRIM_INLINE; /* perhaps a macro */
  if (!emit_is_read(v) && (is_bare || op->fast || is_inline)) put(e, "(void)");
  put_op_as(e, op, emit_is_read(v) ? v->rep : low_op_rep(op));
  put(e, ";\n");
}

static bool gets_place(const LowOp *op) {
  if (op->kind != OP_PRIM || op->fast || !(op->prim->flags & PRIM_FAILS) || op->prim->flags & PRIM_INLINE) return false;
  return !op->facts.types || op->facts.types & T_ERROR;
}

static void emit_op(Emit *e, const LowOp *op, const LowVar *v, bool is_decl) {
  unsigned mark = emit_place_begin(e, op), profile = emit_profile_begin(e, op);
  if (op->kind == OP_PRIM && op->prim->flags & PRIM_BLOCKS) put_line(e, "c->place = %p;", &op->pos);
  if (emit_needs_array(op)) emit_with_array(e, op, v, is_decl);
  else if (op->kind == OP_CALL) emit_call(e, op, v, is_decl);
  else if (op->kind == OP_LIST) emit_list(e, op, v, is_decl);
  else if (op->kind == OP_CLOSURE) emit_closure(e, op, v, is_decl);
  else emit_expression(e, op, v, is_decl);
  emit_profile_end(e, op, profile);
  emit_place_end(e, op, mark);
}

/* If it is all that the statement tests, it is a test for errors. */
static bool is_error_test_of(const LowStmt *s, const LowVar *v) {
  if (!s || s->kind != STMT_IF || s->test != TEST_ERROR || s->op.count != 1) return false;
  return s->op.args[0].kind == ARG_VAR && s->op.args[0].var == v && v->rep == REP_VALUE && s->body.first && !s->other.first;
}

/* An error that arises in the primitive gets its place: at once, or where it is tested for next. */
static void emit_set(Emit *e, const LowStmt *s) {
  const LowOp *op = &s->op;
  emit_op(e, op, s->var, s->is_decl);
  if (!gets_place(op) || !emit_is_read(s->var)) return;
  if (is_error_test_of(s->next, s->var)) e->unplaced = op;
  else put_line(e, op->is_once ? "%v = vk_placed(c, %v, %p);" : "%v = VK_AT(c, %v, %p);", s->var, s->var, &op->pos);
}

/* ---- returns ------------------------------------------------------------------------------- */

/* Words in registers only, and nothing on the stack that the callee might use: see VK_JUMP1. */
static bool can_jump(const Emit *e, const LowFn *callee) {
  for (size_t i = 0; i < callee->params.count && i < LOW_REG_ARGS; i++)
    if (callee->params.items[i]->rep == REP_FLOAT) return false;
  return !e->has_cell;
}

/* The same type, and nothing after the call: C compilers make it a jump. Where they do not, the
 * stack grows until the guard parks the call. */
static void emit_tail_call(Emit *e, const LowOp *op, bool is_guarded) {
  emit_extra_args(e, op);
  if (is_guarded) {
    size_t count = register_args(op);
    bool is_passed = emit_is_passed_where(op->fn);
    const char *entry = is_passed ? "__e" : "";
    put_line_start(e);
    put(e, "if (VK_UNLIKELY(VK_TAIL_LOW(c))) return ");
    if (is_passed) put(e, "c->result_where = "), put_where(e, op->where), put(e, ", ");
    if (count <= 4) put(e, "vk_park_code(c, (void *)%f%s, %z", op->fn, entry, count);
    else put(e, "vk_park_code5(c, (void *)%f%s", op->fn, entry);
    for (size_t i = 0; i < count; i++) { /* words: a raw integer is one too */
      size_t self = op->fn->captures.count ? 1 : 0;
      bool is_raw = i >= self && op->fn->params.items[i - self]->rep != REP_VALUE;
      put(e, is_raw ? ", (V)(" : ", ");
      put_arg_as(e, op->args[i], is_raw ? REP_INT : REP_VALUE);
      if (is_raw) put(e, ")");
    }
    for (size_t i = count; i < 4; i++) put(e, ", 0");
    put(e, ");\n");
  }
  put_line_start(e);
  if (can_jump(e, op->fn)) {
    put(e, "VK_JUMP%z(%f, c", (emit_is_passed_where(op->fn) ? 2 : 1) + register_args(op), op->fn);
    put_known_args(e, op);
  } else {
    put(e, "return ");
    put_known_call(e, op);
  }
  put(e, ";\n");
}

static void emit_tail_call_many(Emit *e, const LowOp *op) {
  size_t count = op->count - 1;
  put_line(e, "if (VK_IS_FN(%a, %z) && !VK_TAIL_LOW(c)) {", &op->args[0], count);
  e->depth++;
  for (size_t i = LOW_REG_ARGS; i < count; i++)
    put_line(e, "c->xargs[%z] = %a;", i - LOW_REG_ARGS, &op->args[1 + i]);
  put_line_start(e);
  put(e, e->has_cell ? "return VK_CODE4(%a)(c" : "VK_JUMP6(VK_CODE4(%a), c", &op->args[0]);
  put_args(e, op->args, 1 + LOW_REG_ARGS);
  put(e, ");\n");
  e->depth--;
  put_line(e, "}");
  put_line(e, "{");
  e->depth++;
  put_line(e, "V result;");
  put_line(e, "{");
  e->depth++;
  put_array(e, op->args + 1, count);
  put_line(e, "result = vk_tailn(c, %a, %z, args, %p);", &op->args[0], count, &op->pos);
  e->depth--;
  put_line(e, "}");
  put_line(e, "return result;");
  e->depth--;
  put_line(e, "}");
}

static void emit_tail_call_value(Emit *e, const LowOp *op) {
  size_t count = op->count - 1;
  const LowArg *callee = &op->args[0];
  if (count > LOW_REG_ARGS) {
    emit_tail_call_many(e, op);
    return;
  }
  const LowConst *constant = callee->kind == ARG_CONST ? callee->constant : NULL;
  const char *symbol = constant && constant->kind == LOW_BUILTIN ? low_tail_symbol(constant->prim) : NULL;
  if (symbol) {
    put_line_start(e);
    put(e, "return %s(c", symbol);
    put_args(e, op->args + 1, count);
    put(e, ", %p);\n", &op->pos);
    return;
  }
  if (count == 0) put_line(e, "if (!VK_IS_OBJ_OR_ABN(%a)) return %a;", callee, callee);
  put_line_start(e);
  put(e, "if (VK_IS_FN(%a, %z) && !VK_TAIL_LOW(c)) ", callee, count);
  if (e->has_cell) put(e, "return VK_CODE%z(%a)(c", count, callee);
  else put(e, "VK_JUMP%z(VK_CODE%z(%a), c", count + 2, count, callee);
  put_args(e, op->args, op->count);
  put(e, ");\n");
  put_line_start(e);
  put(e, "return vk_tail%z(c", count);
  put_args(e, op->args, op->count);
  put(e, ", %p);\n", &op->pos);
}

/* What stands between the value and the return. */
static void emit_return_later(Emit *e, const LowOp *op) {
  put_line(e, "{");
  e->depth++;
  emit_tell(e, op);
  unsigned profile = emit_profile_begin(e, op);
  put_line_start(e);
  put(e, "%sresult = ", rep_type(e->fn->result));
  put_op_as(e, op, e->fn->result);
  put(e, ";\n");
  emit_profile_end(e, op, profile);
  emit_untell(e, op);
  emit_return_exits(e);
  put_line(e, "return result;");
  e->depth--;
  put_line(e, "}");
}

static void emit_return(Emit *e, const LowStmt *s) {
  e->has_return = true;
  if (s->is_tail) emit_before_tail_call(e, &s->op);
  if (s->is_tail && s->op.kind == OP_CALL) {
    emit_tail_call(e, &s->op, s->is_guarded);
  } else if (s->is_tail) {
    emit_tail_call_value(e, &s->op);
  } else if (emit_is_told(&s->op) || s->op.site || emit_return_resets(e)) {
    emit_return_later(e, &s->op);
  } else {
    put_line_start(e);
    put(e, "return ");
    put_op_as(e, &s->op, e->fn->result);
    put(e, ";\n");
  }
}

/* ---- control ------------------------------------------------------------------------------- */

static void emit_body(Emit *e, const LowBody *body);

static void put_error_test(Emit *e, const LowArg *a) {
  bool is_part = a->kind == ARG_VAR && a->var->is_error_part; /* or nil */
  put(e, is_part ? "%a != VK_NIL" : "VK_IS_ABN(%a)", a);
}

static void put_test(Emit *e, const LowStmt *s) {
  const LowArg *a = &s->op.args[0];
  bool is_truth = s->test == TEST_TRUE || s->test == TEST_FALSE;
  if (is_truth && a->kind == ARG_OP) {
    put(e, s->test == TEST_TRUE ? "if (" : "if (!");
    put_arg_as(e, *a, low_op_rep(a->op) == REP_WIDE ? REP_WIDE : REP_INT);
    put(e, ")");
    return;
  }
  if (is_truth && a->kind == ARG_VAR && (a->var->rep == REP_INT || a->var->rep == REP_WIDE)) {
    put(e, s->test == TEST_TRUE ? "if (%v)" : "if (!%v)", a->var);
    return;
  }
  switch (s->test) {
  case TEST_TRUE: put(e, "if (!VK_IS_FALSE(%a))", a); break;
  case TEST_FALSE: put(e, "if (VK_IS_FALSE(%a))", a); break;
  case TEST_ERROR:
    put(e, "if (VK_UNLIKELY(");
    for (size_t i = 0; i < s->op.count; i++) {
      if (i) put(e, " || ");
      put_error_test(e, &a[i]);
    }
    put(e, "))");
    break;
  case TEST_NO_FIXNUM: put(e, "if (VK_UNLIKELY(!VK_IS_FIX(%a)))", a); break;
  case TEST_UNBOUND: put(e, "if (VK_UNLIKELY(%a == VK_UNBOUND))", a); break;
  }
}

/* The frequent `if (..) return ..;` on one line. */
static bool is_short_return(const Emit *e, const LowBody *body) {
  const LowStmt *s = body->first;
  if (!s || s->next || s->kind != STMT_RETURN || s->is_tail) return false;
  return !emit_is_told(&s->op) && !s->op.site && !emit_return_resets(e);
}

/* The test for an error that has no place yet. */
static void emit_if_unplaced(Emit *e, const LowStmt *s, const Span *pos) {
  const LowVar *v = s->op.args[0].var;
  const LowStmt *first = s->body.first;
  put_line_start(e);
  put_test(e, s);
  bool is_passed = first->op.count == 1 && first->op.args[0].kind == ARG_VAR && first->op.args[0].var == v;
  if (is_short_return(e, &s->body) && is_passed && first->op.kind == OP_COPY && e->fn->result == REP_VALUE) {
    e->has_return = true;
    put(e, " return vk_at(c, %v, %p);\n", v, pos);
  } else {
    put(e, " {\n");
    e->depth++;
    put_line(e, "%v = vk_at(c, %v, %p);", v, v, pos);
    emit_body(e, &s->body);
    e->depth--;
    put_line(e, "}");
  }
}

static void emit_if(Emit *e, const LowStmt *s) {
  const LowOp *unplaced = e->unplaced;
  e->unplaced = NULL;
  if (unplaced) {
    emit_if_unplaced(e, s, &unplaced->pos);
    return;
  }
  put_line_start(e);
  put_test(e, s);
  if (is_short_return(e, &s->body) && !s->other.first) {
    e->has_return = true;
    put(e, " return ");
    put_op_as(e, &s->body.first->op, e->fn->result);
    put(e, ";\n");
    return;
  }
  put(e, " {\n");
  e->depth++;
  emit_body(e, &s->body);
  e->depth--;
  if (s->other.first) {
    put_line(e, "} else {");
    e->depth++;
    emit_body(e, &s->other);
    e->depth--;
  }
  put_line(e, "}");
}

/* Names are unique in a function, so a block needs no braces, only the label behind it. */
static void emit_block(Emit *e, const LowStmt *s) {
  emit_body(e, &s->body);
  if (s->label->is_left) put_line(e, "leave_%u:;", s->label->id);
}

/* Inside, `break` and `continue` mean this loop; labels are for jumps out of inner loops. */
static void emit_rounds(Emit *e, LowLabel *label, const LowBody *body) {
  e->loop = label;
  put_line(e, "for (;;) {");
  e->depth++;
  emit_body(e, body);
  if (!body->is_closed) put_line(e, "break;");
  if (label->needs_next) put_line(e, "next_%u:;", label->id);
  e->depth--;
  put_line(e, "}");
}

/* The copy for rounds without errors, before the other one. */
static void emit_hot(Emit *e, const LowStmt *s) {
  LowHot *hot = s->hot;
  bool is_tested = false;
  hot->label->mark = s->label->mark;
  hot->label->numbers_mark = s->label->numbers_mark;
  emit_shared_marks(e, &s->body);
  put_line(e, "enter_%u:;", hot->enter->id);
  for (size_t i = 0; i < hot->tested_count; i++) {
    if (!emit_is_read(hot->parts.items[i])) continue;
    if (!is_tested) put_line_start(e);
    put(e, is_tested ? " || " : "if (VK_UNLIKELY(");
    LowArg part = {.kind = ARG_VAR, .var = hot->parts.items[i]};
    if (part.var->is_tested_fix) put(e, "!VK_IS_FIX(%a)", &part);
    else put_error_test(e, &part);
    is_tested = true;
  }
  if (is_tested) put(e, ")) goto cold_%u;\n", s->label->id);
  for (size_t i = hot->tested_count; i < hot->parts.count; i++)
    if (emit_is_read(hot->parts.items[i])) put_line(e, "%v = VK_NIL;", hot->parts.items[i]);
  emit_body(e, &hot->before);
  emit_rounds(e, hot->label, &hot->body);
  if (hot->label->needs_leave) put_line(e, "leave_%u:;", hot->label->id);
  put_line(e, "goto leave_%u;", s->label->id);
  s->label->needs_leave = true;
  if (is_tested) put_line(e, "cold_%u: VK_COLD_PATH;", s->label->id);
}

static void emit_loop(Emit *e, const LowStmt *s) {
  const LowLabel *outer = e->loop;
  LowLabel *label = s->label;
  label->mark = emit_round_marks(e, label->resets, label->shared_mark);
  emit_numbers_begin(e, label);
  if (s->hot) emit_hot(e, s);
  emit_rounds(e, label, &s->body);
  if (label->needs_leave) put_line(e, "leave_%u:;", label->id);
  emit_resets(e, label->resets, label->mark);
  emit_numbers_end(e, label);
  e->loop = outer;
}

static void emit_jump(Emit *e, const LowStmt *s) {
  bool is_next = s->kind == STMT_NEXT, is_loop = is_next || s->label->is_loop;
  emit_loop_exits(e, e->loop, is_loop ? s->label : s->label->around);
  if (is_next) emit_resets(e, s->label->resets & (uint8_t)~s->clean, s->label->mark);
  if (is_next) emit_numbers_next(e, s->label);
  if (is_next && s->label->enter) {
    put_line(e, "goto enter_%u;", s->label->enter->id);
    return;
  }
  if (s->entry) {
    put_line(e, "goto leave_%u;", s->entry->id);
    return;
  }
  if (s->label == e->loop) {
    put_line(e, is_next ? "continue;" : "break;");
    return;
  }
  if (is_next) s->label->needs_next = true;
  else s->label->needs_leave = true;
  put_line(e, is_next ? "goto next_%u;" : "goto leave_%u;", s->label->id);
}

/* Through a variable of its own: an operand may be the one that is assigned. */
static void emit_try(Emit *e, const LowStmt *s) {
  if (!emit_is_read(s->var)) return;
  put_line(e, "{");
  e->depth++;
  put_line(e, "V result;");
  put_line_start(e);
  put(e, "if (VK_UNLIKELY(%s(", s->op.fast->c_name);
  for (size_t i = 0; i < s->op.count; i++) {
    put_arg_as(e, s->op.args[i], fast_operand_rep(&s->op, i));
    put(e, ", ");
  }
  put(e, "&result))) goto cold_%u;\n", s->label->id);
  emit_target(e, s->var, false);
  put_convert_begin(e, REP_VALUE, s->var->rep);
  put(e, "result");
  put_convert_end(e, REP_VALUE, s->var->rep);
  put(e, ";\n");
  e->depth--;
  put_line(e, "}");
}

static void emit_declare(Emit *e, const LowVar *v) {
  if (!emit_is_read(v)) return;
  const char *first = !v->is_tested_early ? "" : v->is_error_part ? " = VK_NIL" : " = VK_FIX(0)";
  put_line(e, "%s%v%s;", rep_type(v->rep), v, v->rep == REP_VALUE ? first : "");
}

static void emit_stmt(Emit *e, const LowStmt *s) {
  if (s->kind != STMT_BLOCK && s->kind != STMT_LEAVE && s->kind != STMT_HERE) emit_line_directive(e, s->span);
  switch (s->kind) {
  case STMT_DECLARE:
    emit_declare(e, s->var);
    break;
  case STMT_SET: emit_set(e, s); break;
  case STMT_DO: emit_op(e, &s->op, NULL, false); break;
  case STMT_SET_BOX: put_line(e, "VK_BOX_SET(c, %a, %a);", &s->op.args[0], &s->op.args[1]); break;
  case STMT_SET_GLOBAL: put_line(e, "c->globals[%d] = %a;", s->global->slot, &s->op.args[0]); break;
  case STMT_IF: emit_if(e, s); break;
  case STMT_BLOCK: emit_block(e, s); break;
  case STMT_LOOP: emit_loop(e, s); break;
  case STMT_LEAVE:
  case STMT_NEXT: emit_jump(e, s); break;
  case STMT_TRY: emit_try(e, s); break;
  case STMT_COLD: put_line(e, "goto cold_%u;", s->label->id); break;
  case STMT_HERE: put_line(e, "cold_%u: VK_COLD_PATH;", s->label->id); break;
  case STMT_RETURN: emit_return(e, s); break;
  }
}

static void emit_body(Emit *e, const LowBody *body) {
  for (const LowStmt *s = body->first; s; s = s->next) emit_stmt(e, s);
}

/* ---- functions ----------------------------------------------------------------------------- */

/* What the C function is called with, or "" and its entry, which is not told where the result goes. */
static void put_declarator(Emit *e, const LowFn *f, const char *suffix) {
  bool is_outlined = f->lambda && f->lambda->is_outlined;
  put(e, "%s%s%s%f%s(vk *c", f->is_shared ? "VK_SHARED " : "static ", is_outlined ? "__attribute__((noinline)) " : "",
      rep_type(f->result), f, suffix);
  if (f->captures.count) put(e, ", V self");
  for (size_t i = 0; i < f->params.count && i < LOW_REG_ARGS; i++)
    put(e, ", %s%v", rep_type(f->params.items[i]->rep), f->params.items[i]);
  if (!*suffix && emit_is_passed_where(f)) put(e, ", const unsigned res");
  put(e, ")");
}

static void put_signature(Emit *e, const LowFn *f) { put_declarator(e, f, ""); }

/* What closures with captured values call, and who runs a parked call: the place is in c. */
static void emit_entry_fn(Emit *e, const LowFn *f) {
  put(e, "\n");
  put_declarator(e, f, "__e");
  put(e, " {\n  return %f(c%s", f, f->captures.count ? ", self" : "");
  for (size_t i = 0; i < f->params.count; i++) put(e, ", %v", f->params.items[i]);
  put(e, ", vk_take_result(c));\n}\n");
}

static void emit_params(Emit *e, const LowFn *f) {
  bool may_need_c = f->params.count > LOW_REG_ARGS; /* for parameters, if any of those is read */
  if (!f->uses_c || may_need_c) put(e, "  (void)c;\n");
  if (f->captures.count && !f->uses_self) put(e, "  (void)self;\n");
  for (size_t i = 0; i < f->params.count; i++) {
    const LowVar *v = f->params.items[i];
    if (i < LOW_REG_ARGS && !emit_is_read(v)) put(e, "  (void)%v;\n", v);
    else if (i >= LOW_REG_ARGS && emit_is_read(v)) put(e, "  V %v = c->xargs[%z];\n", v, i - LOW_REG_ARGS);
  }
}

static void put_heading(Emit *e, const LowFn *f) {
  uint32_t line, column;
  if (f->span.file == NO_FILE) return;
  diag_line_col(e->p->diag, f->span, &line, &column);
  put(e, "/* %s, ", f->name ? "function" : f->lambda ? "anonymous" : "top level");
  put_in_comment(e, diag_path(e->p->diag, f->span));
  put(e, ":%u */\n", line);
}

static void emit_fn(Emit *e, const LowFn *f) {
  e->fn = (LowFn *)f;
  e->has_cell = false;
  e->mark_count = f->mark_count;
  e->loop = NULL;
  e->file = NO_FILE;
  e->depth = 1;
  put(e, "\n");
  put_heading(e, f);
  emit_line_directive(e, f->span); /* where a debugger stops before the first statement */
  put_signature(e, f);
  put(e, " {\n");
  emit_params(e, f);
  emit_entry(e, f);
  e->has_return = false;
  emit_body(e, &f->body);
  if (!e->has_return) put(e, "  return 0; /* not reached: gcc wants one */\n");
  put(e, "}\n");
}

/* What closures of a function without self call. */
static void emit_wrapper(Emit *e, const LowFn *f) {
  size_t count = f->params.count < LOW_REG_ARGS ? f->params.count : LOW_REG_ARGS;
  put(e, f->is_shared ? "\nVK_SHARED V %f__v(vk *c, V self" : "\nstatic V %f__v(vk *c, V self", f);
  for (size_t i = 0; i < count; i++) put(e, ", V a%z", i);
  put(e, ") {\n  (void)self;\n  ");
  e->has_cell = false;
  bool is_jump = f->result == REP_VALUE && can_jump(e, f);
  if (!is_jump) put(e, "return ");
  put_convert_begin(e, f->result, REP_VALUE);
  bool is_passed = emit_is_passed_where(f);
  if (is_jump) put(e, "VK_JUMP%z(%f, c", count + (is_passed ? 2 : 1), f);
  else put(e, "%f(c", f);
  for (size_t i = 0; i < count; i++) {
    put(e, ", ");
    put_convert_begin(e, REP_VALUE, f->params.items[i]->rep);
    put(e, "a%z", i);
    put_convert_end(e, REP_VALUE, f->params.items[i]->rep);
  }
  put(e, is_passed ? ", vk_take_result(c))" : ")");
  put_convert_end(e, f->result, REP_VALUE);
  put(e, ";\n}\n");
}

void emit_prototype(Emit *e, const LowFn *f) {
  put_signature(e, f);
  put(e, ";\n");
  if (emit_has_entry(f)) put_declarator(e, f, "__e"), put(e, ";\n");
  if (!emit_has_wrapper(f)) return;
  put(e, f->is_shared ? "VK_SHARED V %f__v(vk *c, V self" : "static V %f__v(vk *c, V self", f);
  for (size_t i = 0; i < f->params.count && i < LOW_REG_ARGS; i++) put(e, ", V a%z", i);
  put(e, ");\n");
}

/* Of functions that only their own part sees. */
void emit_own_prototypes(Emit *e, unsigned part) {
  LowProgram *low = e->low;
  for (size_t i = 0; i < low->fns.count; i++)
    if (low->fns.items[i]->part == part && !low->fns.items[i]->is_shared) emit_prototype(e, low->fns.items[i]);
}

static void begin_part(Emit *e, unsigned part) {
  if (e->part == part) return;
  e->part = part;
  put(e, "\n#endif\n#if VK_IS_PART(%u)\n", part);
  if (part) emit_own_prototypes(e, part);
}

static void emit_fn_and_wrapper(Emit *e, const LowFn *f) {
  emit_fn(e, f);
  if (emit_has_entry(f)) emit_entry_fn(e, f);
  if (emit_has_wrapper(f)) emit_wrapper(e, f);
}

/* Ends in part 0, as it begins. */
void emit_code(Emit *e) {
  LowProgram *low = e->low;
  e->out = &e->code;
  for (unsigned part = 0; part == 0 || part < low->part_count; part++) {
    begin_part(e, part);
    for (size_t i = 0; i < low->fns.count; i++)
      if (low->fns.items[i]->part == part) emit_fn_and_wrapper(e, low->fns.items[i]);
    for (size_t i = 0; i < low->tops.count; i++)
      if (low->tops.items[i]->part == part) emit_fn(e, low->tops.items[i]);
  }
  begin_part(e, 0);
}
