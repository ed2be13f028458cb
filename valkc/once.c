/* once.c - code that runs only once or a few times is to be small, not fast.
 *
 * in:    low.h, after lower
 * out:   op->is_once on operations outside loops in top-level forms, and in functions called only
 *        from such code; fn->is_once if that is all of them; top-level forms that do nothing are gone
 * keeps: what every operation gives
 * cost:  linear
 * trust: represent gives such operations no raw operands that may be errors; emit calls the
 *        runtime where it would put its fast path into the text
 *
 * A C compiler works on every fast path: in programs of examples and tests two fifths to three
 * quarters of the machine code was for top-level forms. A function runs as often as the code
 * around its calls does, together; one that may be called by others, or by itself, runs often. */
#include "once.h"
#include <string.h>

enum { RUNS_MAX = 8 };

typedef struct Runs { /* of a function */
  size_t calls, calls_seen; /* from everywhere; from code that runs once */
  size_t runs;
} Runs;

typedef struct Once {
  PtrMap runs; /* LowFn * -> Runs * */
  Arena *arena;
  VEC(LowFn *) work; /* functions and forms known to run seldom, not walked yet */
} Once;

static Runs *runs_of(Once *o, LowFn *f) {
  Runs *r = ptrmap_get(&o->runs, f);
  if (r) return r;
  r = ARENA_NEW(o->arena, Runs);
  ptrmap_put(&o->runs, f, r);
  return r;
}

static void count_calls(Once *o, const LowBody *body) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    if (s->op.kind == OP_CALL) runs_of(o, s->op.fn)->calls++;
    count_calls(o, &s->body);
    count_calls(o, &s->other);
  }
}

static void note_call(Once *o, LowFn *callee, size_t runs) {
  Runs *r = runs_of(o, callee);
  r->calls_seen++;
  r->runs += runs;
  bool is_seldom = r->calls_seen == r->calls && r->runs <= RUNS_MAX;
  if (is_seldom && !callee->is_value && !callee->is_recursive) PUSH(o->arena, o->work, callee);
}

/* A cell on the stack is no call, nor can the frame that a catch returns to be another's; a test of
 * a tag is shorter than a call. */
static bool is_small_anyway(const LowOp *op) {
  return op->kind == OP_PRIM && (!strcmp(op->prim->name, "%cell") || !strcmp(op->prim->name, "%guard") || !strcmp(op->prim->name, "error?"));
}

/* False if there is a loop. */
static bool mark_body(Once *o, LowBody *body, size_t runs) {
  bool is_once = true;
  for (LowStmt *s = body->first; s; s = s->next) {
    s->op.is_once = !is_small_anyway(&s->op);
    if (s->op.kind == OP_CALL) note_call(o, s->op.fn, runs);
    is_once &= s->kind != STMT_LOOP;
    if (s->kind == STMT_LOOP) continue;
    is_once &= mark_body(o, &s->body, runs);
    is_once &= mark_body(o, &s->other, runs);
  }
  return is_once;
}

/* What is left of definitions that became static data. */
static bool does_nothing(const LowFn *f) {
  const LowStmt *s = f->body.first;
  bool is_value = s && !s->next && s->kind == STMT_RETURN && s->op.kind == OP_COPY;
  return is_value && s->op.args[0].kind == ARG_CONST && !s->op.args[0].constant->is_dynamic;
}

static void drop_idle_forms(LowProgram *low) {
  size_t kept = 0;
  for (size_t i = 0; i < low->tops.count; i++)
    if (!does_nothing(low->tops.items[i])) low->tops.items[kept++] = low->tops.items[i];
  low->tops.count = kept;
}

void once_run(LowProgram *low) {
  Once o = {.runs.arena = low->arena, .arena = low->arena};
  drop_idle_forms(low);
  for (size_t i = 0; i < low->fns.count; i++) count_calls(&o, &low->fns.items[i]->body);
  for (size_t i = 0; i < low->tops.count; i++) count_calls(&o, &low->tops.items[i]->body);
  for (size_t i = 0; i < low->tops.count; i++) low->tops.items[i]->is_once = mark_body(&o, &low->tops.items[i]->body, 1);
  for (size_t i = 0; i < o.work.count; i++) {
    LowFn *f = o.work.items[i];
    f->is_once = mark_body(&o, &f->body, runs_of(&o, f)->runs);
  }
}
