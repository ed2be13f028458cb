/* lower_facts.c - what is known once every function is lowered.
 *
 * in:  every function lowered, its tail_calls and callees listed
 * out: stmt->is_guarded on tail calls of known functions inside a cycle of the tail-call graph;
 *      fn->may_park, is_recursive, call_count, uses_self, uses_c; var->read_count
 *
 * A tail call that is no part of a cycle adds at most the depth of a directed acyclic graph, so
 * it needs no guard (DESIGN-REVIEW 3). Components: Tarjan, "Depth-first search and linear graph
 * algorithms", 1972, with an explicit stack: a chain of 100,000 functions is possible. */
#include "lower_parts.h"
#include <stdlib.h>

typedef struct Frame {
  LowFn *fn;
  size_t edge;
} Frame;

typedef struct Tarjan {
  Arena *arena;
  bool tail_only;
  unsigned next_index, component_count;
  VEC(LowFn *) stack;
  VEC(Frame) frames;
} Tarjan;

/* The next function that f calls, or NULL after the last. */
static LowFn *next_callee(const Tarjan *t, LowFn *f, size_t *edge) {
  if (!t->tail_only) return *edge < f->callees.count ? f->callees.items[(*edge)++] : NULL;
  while (*edge < f->tail_calls.count) {
    const LowStmt *s = f->tail_calls.items[(*edge)++];
    if (s->op.kind == OP_CALL) return s->op.fn;
  }
  return NULL;
}

static void enter(Tarjan *t, LowFn *f) {
  f->index = f->low_link = ++t->next_index;
  f->is_on_stack = true;
  PUSH(t->arena, t->stack, f);
  PUSH(t->arena, t->frames, ((Frame){f, 0}));
}

/* f is done; if it is the root of a component, everything above it on the stack belongs to it. */
static void leave(Tarjan *t, LowFn *f) {
  t->frames.count--;
  if (t->frames.count) {
    LowFn *caller = t->frames.items[t->frames.count - 1].fn;
    if (f->low_link < caller->low_link) caller->low_link = f->low_link;
  }
  if (f->low_link != f->index) return;
  t->component_count++;
  for (LowFn *member = NULL; member != f;) {
    member = t->stack.items[--t->stack.count];
    member->is_on_stack = false;
    member->component = t->component_count;
  }
}

static void walk_from(Tarjan *t, LowFn *root) {
  enter(t, root);
  while (t->frames.count) {
    Frame *top = &t->frames.items[t->frames.count - 1];
    LowFn *f = top->fn, *callee = next_callee(t, f, &top->edge);
    if (!callee) leave(t, f);
    else if (!callee->index) enter(t, callee);
    else if (callee->is_on_stack && callee->index < f->low_link) f->low_link = callee->index;
  }
}

static void find_components(LowProgram *low, bool tail_only) {
  Tarjan t = {.arena = low->arena, .tail_only = tail_only};
  for (size_t i = 0; i < low->fns.count; i++) low->fns.items[i]->index = 0;
  for (size_t i = 0; i < low->fns.count; i++)
    if (!low->fns.items[i]->index) walk_from(&t, low->fns.items[i]);
}

static void count_calls(LowFn *f) {
  for (size_t i = 0; i < f->callees.count; i++) {
    LowFn *callee = f->callees.items[i];
    callee->call_count++;
    if (f->lambda && callee->component == f->component) f->is_recursive = true;
  }
}

/* True if f itself, whatever its callees do, may return the marker. */
static bool mark_guards(LowFn *f) {
  bool may_park = false;
  for (size_t i = 0; i < f->tail_calls.count; i++) {
    LowStmt *s = f->tail_calls.items[i];
    s->is_guarded = s->op.kind == OP_CALL && s->op.fn->component == f->component;
    if (s->is_guarded) s->op.fn->is_parked = true;
    may_park |= s->is_guarded || s->op.kind == OP_CALL_VALUE;
  }
  return may_park;
}

static bool tail_calls_a_parker(const LowFn *f) {
  for (size_t i = 0; i < f->tail_calls.count; i++) {
    const LowStmt *s = f->tail_calls.items[i];
    if (s->op.kind == OP_CALL && s->op.fn->may_park) return true;
  }
  return false;
}

static int by_component(const void *a, const void *b) {
  unsigned x = (*(LowFn *const *)a)->component, y = (*(LowFn *const *)b)->component;
  if (x == y) x = (*(LowFn *const *)a)->id, y = (*(LowFn *const *)b)->id;
  return (x > y) - (x < y);
}

LowFn **lower_by_component(LowProgram *low) {
  size_t n = low->fns.count;
  LowFn **order = ARENA_ARRAY(low->arena, LowFn *, n);
  find_components(low, true);
  for (size_t i = 0; i < n; i++) order[i] = low->fns.items[i];
  if (n) qsort(order, n, sizeof *order, by_component);
  return order;
}

/* Components are numbered callees first, and within a cycle everyone parks: one pass does. */
static void spread_may_park(LowProgram *low, LowFn **order) {
  for (size_t i = 0; i < low->fns.count; i++)
    if (tail_calls_a_parker(order[i])) order[i]->may_park = true;
}

/* ---- what a function's statements mention --------------------------------------------------- */

static void count_args(LowFn *f, const LowOp *op) {
  for (size_t i = 0; i < op->count; i++) {
    LowArg a = op->args[i];
    if (a.kind == ARG_VAR) a.var->read_count++;
    if (a.kind == ARG_SELF || a.kind == ARG_CAPTURE) f->uses_self = true;
  }
}

static void count_body(LowFn *f, const LowBody *body) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    count_args(f, &s->op);
    bool is_store = s->kind == STMT_SET_BOX || s->kind == STMT_SET_GLOBAL;
    if (is_store || (s->op.kind != OP_COPY && s->op.kind != OP_UNBOX)) f->uses_c = true;
    count_body(f, &s->body);
    count_body(f, &s->other);
  }
}

static void count_fn(LowFn *f) {
  f->uses_c = f->params.count > LOW_REG_ARGS;
  count_body(f, &f->body);
}

void lower_facts(LowProgram *low) {
  find_components(low, false);
  for (size_t i = 0; i < low->fns.count; i++) count_calls(low->fns.items[i]);
  for (size_t i = 0; i < low->tops.count; i++) count_calls(low->tops.items[i]);
  LowFn **order = lower_by_component(low);
  for (size_t i = 0; i < low->fns.count; i++)
    low->fns.items[i]->may_park = mark_guards(low->fns.items[i]);
  spread_may_park(low, order);
  for (size_t i = 0; i < low->fns.count; i++) count_fn(low->fns.items[i]);
  for (size_t i = 0; i < low->tops.count; i++) count_fn(low->tops.items[i]);
}
