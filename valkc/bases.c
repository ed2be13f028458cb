/* bases.c - where a vector's elements are and how many, found once before a loop.
 *
 * in:    low.h, after hot
 * out:   innermost loops in which no vector grows, shrinks or changes what it keeps: accesses whose
 *        vector is known and the same in each round use an address and a length in variables
 * keeps: what every statement does; the vector stays alive by its elements' address
 * cost:  linear
 *
 * A store of an element might change where the elements are for all a C compiler knows, so it
 * loads that anew in each round. The cold copy of a loop stays as it is: there all may happen. */
#include "bases.h"
#include "flow_value.h"
#include "represent.h"
#include <string.h>

typedef struct Base {
  LowVar *vector, *items, *len; /* items, len: NULL until used */
} Base;

typedef struct Bases {
  LowProgram *low;
  LowFn *fn;
  LowBody *before; /* statements before the loop at hand */
  VEC(Base) bases;
} Bases;

/* ---- may anything change a vector? ------------------------------------------------------------- */

static bool is_harmless(const LowOp *op) {
  static const char *const names[] = {"vk_values_put", "vk_values_get", "vk_values_set", "vk_fix_add", "vk_fix_sub", "vk_fix_mul"};
  if (op->kind == OP_COPY || op->kind == OP_UNBOX) return true;
  if (op->kind != OP_PRIM || !op->fast) return false;
  if (op->fast->takes == 0) return true;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!strcmp(names[i], op->fast->c_name)) return true;
  return false;
}

static bool is_steady(const LowBody *body) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    if (s->kind == STMT_LOOP || s->kind == STMT_HERE) return false;
    if (s->kind == STMT_RETURN) continue; /* no round follows */
    if (!is_harmless(&s->op) || !is_steady(&s->body) || !is_steady(&s->other)) return false;
  }
  return true;
}

static bool assigns(const LowBody *body, const LowVar *v) {
  for (const LowStmt *s = body->first; s; s = s->next)
    if (s->var == v || assigns(&s->body, v) || assigns(&s->other, v)) return true;
  return false;
}

/* ---- variables before the loop ------------------------------------------------------------------- */

static LowVar *found_before(Bases *b, const LowOp *op, const FastOp *how) {
  LowVar *v = low_new_temp(b->low, b->fn, REP_INT, (LowFacts){T_FIX, FIX_MIN, FIX_MAX});
  v->read_count = 1;
  LowStmt *s = ARENA_NEW(b->low->arena, LowStmt);
  s->kind = STMT_SET;
  s->is_decl = true;
  s->span = op->pos;
  s->var = v;
  s->op = (LowOp){.kind = OP_PRIM, .pos = op->pos, .prim = op->prim, .args = op->args, .count = 1,
                  .facts = v->facts, .fast = how};
  *(b->before->last ? &b->before->last->next : &b->before->first) = s;
  b->before->last = s;
  return v;
}

static Base *base_of(Bases *b, LowVar *vector) {
  for (size_t i = 0; i < b->bases.count; i++)
    if (b->bases.items[i].vector == vector) return &b->bases.items[i];
  Base base = {.vector = vector};
  PUSH(b->low->arena, b->bases, base);
  return &b->bases.items[b->bases.count - 1];
}

static LowVar *items_of(Bases *b, const LowOp *op) {
  static const FastOp how = {"", "vk_items_of", "V", 'i', 0, NULL, false};
  Base *base = base_of(b, op->args[0].var);
  if (!base->items) base->items = found_before(b, op, &how);
  return base->items;
}

static LowVar *len_of(Bases *b, const LowOp *op) {
  static const FastOp how = {"", "vk_vector_len", "V", 'i', 0, NULL, false};
  Base *base = base_of(b, op->args[0].var);
  if (!base->len) base->len = found_before(b, op, &how);
  return base->len;
}

/* ---- accesses --------------------------------------------------------------------------------------- */

typedef struct Row {
  const char *name;
  FastOp fast;
  bool is_len;
} Row;
static const Row rows[] = {
    {"vk_bytes_ref", {"", "vk_bytes_at", "ik", 'i', 0, NULL, false}, false},
    {"vk_floats_ref", {"", "vk_floats_at", "ik", 'f', 0, NULL, false}, false},
    {"vk_values_ref", {"", "vk_values_at", "ik", 'v', 0, NULL, false}, false},
    {"vk_bytes_put", {"", "vk_bytes_at_put", "ikk", 'v', 0, NULL, false}, false},
    {"vk_floats_put", {"", "vk_floats_at_put", "ikf", 'v', 0, NULL, false}, false},
    {"vk_values_put_immediate", {"", "vk_values_at_put", "ika", 'v', 0, NULL, false}, false},
    {"vk_has_index", {"", "vk_is_below", "ik", 'b', 0, NULL, false}, true},
};

static const Row *row_of(const LowOp *op, const LowBody *loop) {
  const LowArg *a = op->args;
  bool is_vector = op->kind == OP_PRIM && op->fast && op->count > 1 && a->kind == ARG_VAR && !a->var->is_box &&
                   a->var->rep == REP_VALUE && a->var->facts.types == T_VECTOR;
  if (!is_vector || assigns(loop, a->var)) return NULL;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (!strcmp(rows[i].name, op->fast->c_name)) return &rows[i];
  return NULL;
}

/* Operands are copied where they change: the cold copy has the same ones. */
static void use_bases(Bases *b, LowOp *op, const LowBody *loop) {
  const Row *row = row_of(op, loop);
  LowArg *args = ARENA_ARRAY(b->low->arena, LowArg, op->count);
  bool has_changed = row != NULL;
  for (size_t i = 0; i < op->count; i++) {
    args[i] = op->args[i];
    if (args[i].kind != ARG_OP) continue;
    LowOp *inner = ARENA_NEW(b->low->arena, LowOp);
    *inner = *args[i].op;
    use_bases(b, inner, loop);
    args[i].op = inner;
    has_changed = true;
  }
  if (row) {
    LowVar *v = row->is_len ? len_of(b, op) : items_of(b, op);
    args[0] = (LowArg){.kind = ARG_VAR, .var = v, .facts = v->facts};
    op->fast = &row->fast;
  }
  if (has_changed) op->args = args;
}

static void use_in_body(Bases *b, LowBody *body, const LowBody *loop) {
  for (LowStmt *s = body->first; s; s = s->next) {
    if (s->kind != STMT_TRY) use_bases(b, &s->op, loop);
    use_in_body(b, &s->body, loop);
    use_in_body(b, &s->other, loop);
  }
}

/* ---- loops --------------------------------------------------------------------------------------------- */

static void use_in_loop(Bases *b, LowBody *body, LowBody *before) {
  if (!is_steady(body)) return;
  b->before = before;
  b->bases.count = 0;
  use_in_body(b, body, body);
}

static void visit_body(Bases *b, LowBody *body) {
  LowStmt *previous = NULL;
  for (LowStmt *s = body->first; s; previous = s, s = s->next) {
    if (s->hot) {
      visit_body(b, &s->hot->body);
      use_in_loop(b, &s->hot->body, &s->hot->before);
      continue;
    }
    visit_body(b, &s->body);
    visit_body(b, &s->other);
    if (s->kind != STMT_LOOP || !s->label->is_next) continue;
    LowBody before = {0};
    use_in_loop(b, &s->body, &before);
    if (!before.first) continue;
    *(previous ? &previous->next : &body->first) = before.first;
    before.last->next = s;
  }
}

void bases_run(LowProgram *low) {
  Bases b = {.low = low};
  if (low->program->is_quick) return; /* TinyCC keeps every variable in memory */
  for (size_t i = 0; i < low->fns.count; i++) {
    b.fn = low->fns.items[i];
    visit_body(&b, &b.fn->body);
  }
  for (size_t i = 0; i < low->tops.count; i++) {
    b.fn = low->tops.items[i];
    visit_body(&b, &b.fn->body);
  }
}
