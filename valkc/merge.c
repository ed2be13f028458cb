/* merge.c - functions that tail-call each other in a circle become one C function with jumps.
 *
 * in:    low, all functions lowered, their tail_calls listed
 * out:   for each component of the tail-call graph with several members one function
 * keeps: what is computed, in which order; places, which go by the text, and so traces
 * cost:  linear
 * trust: emit.c prints NEXT with `entry` as a jump behind that block, past the tests that choose it
 *
 * Members keep their text and their variables, so represent.c decides for each as before; nothing is
 * copied. Where one member alone is called from outside, it becomes the function:
 *
 *   fn even?(n)                        fn even?(n)
 *     if n == 0 return 1                 state = 0
 *     return tail odd?(n - 1)            loop L1
 *                                          block L2
 *   fn odd?(m)                               block L3
 *     if m == 0 return 0                       if state == 0 leave L3
 *     return tail even?(n - 1)                 leave L2
 *                                            if n == 0 return 1
 *                                            m := n - 1;  state := 1;  next L1 (at L2)
 *                                          if m == 0 return 0
 *                                          n := m - 1;  state := 0;  next L1 (at L3)
 *
 * With more of them the function takes the state and the parameters of all of these, those that are
 * raw alike in the same place, and is what is called; a member that is a value stays to call it.
 * After: Fluet, Weeks, "Contification Using Dominators", ICFP 2001, for whole components. */
#include "flow_value.h"
#include "lower_parts.h"
#include "passes.h"
#include <string.h>

enum {
  MEMBERS_MAX = 200,
  STATEMENTS_MAX = 8000, /* C compilers take more than linear time for a function */
};

typedef struct Member {
  LowFn *fn;
  LowFn *whole; /* what it is part of */
  unsigned state;
  bool is_entry;   /* called from elsewhere, or a value */
  LowVar **params; /* what jumps to it assign */
  size_t param_count;
  LowBody body;
  LowLabel *entry; /* it begins where this block ends */
  unsigned *slots; /* is_entry, one of several: which parameters of the function are its own */
} Member;

typedef struct Merge {
  Lower *l;
  PtrMap members; /* LowFn -> Member, of components that are merged */
  LowFn *fn;      /* the one function */
  LowLabel *loop;
  LowVar *state;
  Member *all;
  size_t count, entry_count;
} Merge;

/* ---- what is merged ------------------------------------------------------------------------- */

static bool is_mergeable(const Lower *l, const LowFn *f) {
  const char *kept = l->p->kept_function;
  bool is_kept = kept && f->name && !strcmp(f->name, kept);
  return f->lambda && !f->lambda->is_outlined && f->captures.count == 0 && !is_kept;
}

static size_t count_statements(const LowBody *body) {
  size_t count = 0;
  for (const LowStmt *s = body->first; s; s = s->next)
    count += 1 + count_statements(&s->body) + count_statements(&s->other);
  return count;
}

static Member *member_of(const Merge *m, const LowFn *f) { return ptrmap_get(&m->members, f); }

static bool is_jump(const LowStmt *s) {
  return s->kind == STMT_RETURN && s->is_tail && s->op.kind == OP_CALL;
}

/* A call from another component, or one that comes back. */
static void find_entries(Merge *m, const LowFn *f, const LowBody *body) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    Member *callee = s->op.kind == OP_CALL ? member_of(m, s->op.fn) : NULL;
    if (callee && !(is_jump(s) && f->component == s->op.fn->component)) callee->is_entry = true;
    find_entries(m, f, &s->body);
    find_entries(m, f, &s->other);
  }
}

/* ---- members become part of the function ---------------------------------------------------- */

static void own_var(Merge *m, LowVar *v) {
  if (!v || v->fn == m->fn) return;
  v->fn = m->fn;
  if (v->is_temp) v->id = ++m->fn->temp_count;
}

static LowStmt *new_stmt(Merge *m, LowStmtKind kind, Span span) {
  LowStmt *s = ARENA_NEW(m->l->arena, LowStmt);
  s->kind = kind;
  s->span = span;
  return s;
}

static LowStmt *copy_stmt(Merge *m, LowVar *v, LowArg a, Span span) {
  LowStmt *s = new_stmt(m, STMT_SET, span);
  s->var = v;
  s->op = low_copy(m->l, a);
  s->op.pos = span;
  s->op.facts = a.facts;
  return s;
}

static LowArg int_arg(Merge *m, int64_t n) {
  Datum d = {.kind = DATUM_INT, .integer = n};
  LowArg a = arg_const(lower_const(m->l, &d));
  a.facts = (LowFacts){T_FIX, n, n};
  return a;
}

/* return tail callee(args) -> the callee's variables := args; state := its; next. A member's arguments
 * never mention the variables of another, and calls of itself are loops already. */
static LowStmt *jump_of(Merge *m, const LowStmt *call, LowStmt ***to) {
  Member *callee = member_of(m, call->op.fn);
  LowStmt *next = new_stmt(m, STMT_NEXT, call->span);
  for (size_t i = 0; i < call->op.count; i++) {
    LowStmt *set = copy_stmt(m, callee->params[i], call->op.args[i], call->span);
    **to = set;
    *to = &set->next;
  }
  LowStmt *state = copy_stmt(m, m->state, int_arg(m, callee->state), call->span);
  **to = state;
  state->next = next;
  next->label = m->loop;
  next->entry = callee->entry;
  m->loop->is_next = true;
  PUSH(m->l->p->arena, m->l->p->inlined,
       ((InlinedCall){call->op.pos, call->op.fn->name, CALL_JUMPED}));
  return next;
}

/* The statements of a member belong to the function; its tail calls of others jump. */
static void take_body(Merge *m, const LowFn *from, LowBody *body) {
  LowStmt **to = &body->first;
  for (LowStmt *s = body->first; s; s = s->next) {
    own_var(m, s->var);
    if (from != m->fn && (s->kind == STMT_BLOCK || s->kind == STMT_LOOP))
      s->label->id = ++m->fn->label_count;
    take_body(m, from, &s->body);
    take_body(m, from, &s->other);
    if (is_jump(s) && member_of(m, s->op.fn) &&
        s->op.fn->component == m->all[0].fn->component) {
      body->last = jump_of(m, s, &to);
      return;
    }
    to = &s->next;
  }
}

/* ---- the function --------------------------------------------------------------------------- */

static void append(LowBody *body, LowStmt *s) {
  if (body->last)
    body->last->next = s;
  else
    body->first = s;
  body->last = s;
}

static void append_body(LowBody *body, const LowBody *more) {
  if (!more->first) return;
  append(body, more->first);
  body->last = more->last;
}

static void append_leave(Merge *m, LowBody *body, LowLabel *label) {
  LowStmt *leave = new_stmt(m, STMT_LEAVE, m->fn->span);
  leave->label = label;
  label->is_left = true;
  append(body, leave);
  body->is_closed = true;
}

static LowArg var_arg(LowVar *v) {
  LowArg a = arg_var(v);
  a.facts = v->facts;
  return a;
}

/* if state == index: what the caller puts there, which must not end in a body that goes on. */
static LowBody *append_state_test(Merge *m, LowBody *body, size_t index) {
  LowVar *is_it = low_new_temp(m->l->low, m->fn, REP_VALUE, (LowFacts){T_FIX, 0, 1});
  LowStmt *set = new_stmt(m, STMT_SET, m->fn->span), *test = new_stmt(m, STMT_IF, m->fn->span);
  set->var = is_it;
  set->is_decl = true;
  set->op = low_op(m->l, OP_PRIM, 2, var_arg(m->state), int_arg(m, (int64_t)index));
  set->op.prim = prim_find("==");
  set->op.facts = is_it->facts;
  test->test = TEST_TRUE;
  test->op = low_copy(m->l, var_arg(is_it));
  append(body, set);
  append(body, test);
  return &test->body;
}

/* Blocks around the tests, a member behind each; the first in the text is innermost. */
static LowBody states(Merge *m) {
  LowBody body = {0};
  for (size_t i = 0; i + 1 < m->count; i++)
    append_leave(m, append_state_test(m, &body, i), m->all[i].entry);
  append_leave(m, &body, m->all[m->count - 1].entry);
  for (size_t i = 0; i < m->count; i++) {
    LowStmt *block = new_stmt(m, STMT_BLOCK, m->all[i].fn->span);
    block->label = m->all[i].entry;
    block->body = body;
    body = (LowBody){0};
    append(&body, block);
    append_body(&body, &m->all[i].body);
    body.is_closed = true;
  }
  return body;
}

/* Not read, but C compilers do not see that: of the representation that the variable will have. */
static LowArg any_value(Merge *m, LowFacts facts) {
  static const Datum zero = {.kind = DATUM_FLOAT, .real = 0};
  uint32_t types = facts.types & ~(uint32_t)T_ERROR;
  if (types == T_FLOAT) return arg_const(lower_const(m->l, &zero));
  bool is_int = types && !(types & ~(uint32_t)T_INT);
  return is_int ? int_arg(m, 0) : arg_const(lower_nil(m->l));
}

static void bind_params(Merge *m, LowBody *body, const Member *member) {
  for (size_t i = 0; i < member->param_count; i++) {
    LowVar *v = member->params[i];
    v->is_assigned = v->may_be_error = true;
    if (v->is_param && member->fn == m->fn) continue;
    v->is_param = false;
    LowStmt *set = copy_stmt(m, v, any_value(m, v->facts), member->fn->span);
    set->is_decl = true;
    append(body, set);
  }
}

/* ---- several entries ------------------------------------------------------------------------ */

/* Values that can share a parameter and stay raw: f, i or, for all others, v. */
static char kind_of(LowFacts f) {
  if (f.types == T_FLOAT) return 'f';
  return f.types == T_FIX ? 'i' : 'v';
}

static LowVar *new_param(Merge *m, const char *name, LowFacts facts) {
  LowVar *v = ARENA_NEW(m->l->arena, LowVar);
  *v = (LowVar){.name = name,
                .id = m->l->p->next_id++,
                .fn = m->fn,
                .facts = facts,
                .is_param = true,
                .may_be_error = true,
                .is_assigned = true}; /* copied at once: as raw as what it goes to */
  PUSH(m->l->arena, m->fn->params, v);
  return v;
}

static LowFacts join_facts(LowFacts a, LowFacts b) {
  if (!a.types || !b.types) return (LowFacts){0};
  if (a.types & T_INT && b.types & T_INT) {
    a.lo = a.lo < b.lo ? a.lo : b.lo;
    a.hi = a.hi > b.hi ? a.hi : b.hi;
  } else if (b.types & T_INT) {
    a.lo = b.lo, a.hi = b.hi;
  }
  a.types |= b.types;
  return a;
}

/* The first parameter of that kind that no other parameter of this member has. */
static unsigned slot_for(Merge *m, const Member *member, size_t taken, LowVar *v) {
  VEC(LowVar *) *params = (void *)&m->fn->params;
  for (unsigned i = 1; i < params->count; i++) {
    bool is_free = kind_of(params->items[i]->facts) == kind_of(v->facts);
    for (size_t j = 0; j < taken; j++) is_free &= member->slots[j] != i;
    if (!is_free) continue;
    params->items[i]->facts = join_facts(params->items[i]->facts, v->facts);
    return i;
  }
  new_param(m, v->name, v->facts);
  return (unsigned)params->count - 1;
}

/* member(args) -> whole(state, args where they belong, others are not read) */
static void call_whole(Merge *m, const Member *member, LowOp *op) {
  LowArg *args = op->args;
  op->fn = member->whole;
  op->count = member->whole->params.count;
  op->args = ARENA_ARRAY(m->l->arena, LowArg, op->count);
  op->args[0] = int_arg(m, member->state);
  for (size_t i = 1; i < op->count; i++)
    op->args[i] = any_value(m, member->whole->params.items[i]->facts);
  for (size_t i = 0; i < member->param_count; i++) op->args[member->slots[i]] = args[i];
}

static void redirect_calls(Merge *m, LowBody *body) {
  for (LowStmt *s = body->first; s; s = s->next) {
    Member *member = s->op.kind == OP_CALL ? member_of(m, s->op.fn) : NULL;
    if (member && member->slots) call_whole(m, member, &s->op);
    redirect_calls(m, &s->body);
    redirect_calls(m, &s->other);
  }
}

/* What is left of a member that is a value: a call of the function. */
static void make_caller(Merge *m, Member *member) {
  LowFn *f = member->fn;
  LowOp op = {.kind = OP_CALL, .fn = f, .pos = f->span, .count = member->param_count};
  op.args = ARENA_ARRAY(m->l->arena, LowArg, op.count);
  f->params.items = ARENA_ARRAY(m->l->arena, LowVar *, op.count);
  for (size_t i = 0; i < op.count; i++) {
    LowVar *v = ARENA_NEW(m->l->arena, LowVar);
    *v = *member->params[i];
    v->fn = f;
    v->is_param = true;
    v->is_assigned = v->is_raw = false;
    f->params.items[i] = v;
    op.args[i] = var_arg(v);
  }
  call_whole(m, member, &op);
  LowStmt *s = new_stmt(m, STMT_RETURN, f->span);
  s->is_tail = true;
  s->op = op;
  f->body = (LowBody){s, s, true};
  f->temp_count = f->label_count = 0;
}

static LowFn *new_function(Merge *m, const LowFn *first) {
  LowFn *f = ARENA_NEW(m->l->arena, LowFn);
  f->lambda = ARENA_NEW(m->l->arena, Lambda);
  *f->lambda = *first->lambda;
  f->lambda->global = NULL;
  f->name = first->name;
  f->id = f->lambda->id = m->l->p->next_id++;
  f->span = first->span;
  f->is_library = first->is_library;
  f->takes_state = true;
  PUSH(m->l->arena, m->l->low->fns, f);
  return f;
}

static void append_arguments(Merge *m, LowBody *body) {
  for (size_t k = 0; k < m->count; k++) {
    Member *member = &m->all[k];
    if (!member->is_entry || !member->param_count) continue;
    LowBody *to = append_state_test(m, body, k);
    for (size_t i = 0; i < member->param_count; i++)
      append(to, copy_stmt(m, member->params[i], var_arg(m->fn->params.items[member->slots[i]]),
                           m->fn->span));
  }
}

static void choose_slots(Merge *m, Member *member) {
  member->slots = ARENA_ARRAY(m->l->arena, unsigned, member->param_count);
  for (size_t i = 0; i < member->param_count; i++)
    member->slots[i] = slot_for(m, member, i, member->params[i]);
}

/* ---- a component ---------------------------------------------------------------------------- */

/* One entry: it is the function. Else all that are call it. */
static LowBody begin_function(Merge *m) {
  LowBody body = {0};
  LowFacts facts = {T_FIX, 0, (int64_t)m->count - 1};
  size_t first = 0;
  while (!m->all[first].is_entry) first++;
  m->fn = m->entry_count == 1 ? m->all[first].fn : new_function(m, m->all[first].fn);
  if (m->entry_count == 1) {
    LowStmt *set = copy_stmt(m, NULL, int_arg(m, (int64_t)first), m->fn->span);
    set->var = m->state = ARENA_NEW(m->l->arena, LowVar);
    *m->state =
        (LowVar){.name = "state", .id = m->l->p->next_id++, .fn = m->fn, .facts = facts};
    set->is_decl = true;
    append(&body, set);
  } else {
    m->state = new_param(m, "state", facts);
    for (size_t i = 0; i < m->count; i++)
      if (m->all[i].is_entry) choose_slots(m, &m->all[i]);
    m->fn->required = (unsigned)m->fn->params.count;
  }
  m->state->is_assigned = true;
  return body;
}

static void merge(Merge *m) {
  LowBody body = begin_function(m);
  m->fn->state_count = (unsigned)m->count;
  m->fn->states = ARENA_ARRAY(m->l->arena, LowFn *, m->count);
  for (size_t i = 0; i < m->count; i++) m->fn->states[i] = m->all[i].fn;
  m->loop = ARENA_NEW(m->l->arena, LowLabel);
  m->loop->id = ++m->fn->label_count;
  for (size_t i = 0; i < m->count; i++) {
    m->all[i].entry = ARENA_NEW(m->l->arena, LowLabel);
    m->all[i].entry->id = ++m->fn->label_count;
  }
  for (size_t i = 0; i < m->count; i++) {
    Member *member = &m->all[i];
    LowFn *from = member->fn;
    member->whole = m->fn;
    for (size_t j = 0; j < member->param_count; j++) own_var(m, member->params[j]);
    take_body(m, from, &from->body);
    member->body = from->body;
    bind_params(m, &body, member);
  }
  if (m->entry_count > 1) append_arguments(m, &body);
  LowStmt *loop = new_stmt(m, STMT_LOOP, m->fn->span);
  loop->label = m->loop;
  loop->body = states(m);
  append(&body, loop);
  body.is_closed = true;
  m->fn->body = body;
}

/* ---- the program ---------------------------------------------------------------------------- */

/* Function i of fns, which are in the order of components, and those that follow of its own. */
static size_t component_size(LowFn **fns, size_t i, size_t count) {
  size_t size = 1;
  while (i + size < count && fns[i + size]->component == fns[i]->component) size++;
  return size;
}

static bool is_worth_merging(const Lower *l, LowFn **fns, size_t count) {
  size_t statements = 0;
  if (count < 2 || count > MEMBERS_MAX) return false;
  for (size_t i = 0; i < count; i++) {
    if (!is_mergeable(l, fns[i])) return false;
    statements += count_statements(&fns[i]->body);
  }
  return statements <= STATEMENTS_MAX;
}

static void add_member(Merge *m, LowFn *f, Member *member) {
  member->fn = f;
  member->is_entry = f->is_value;
  member->params = f->params.items;
  member->param_count = f->params.count;
  ptrmap_put(&m->members, f, member);
}

static void merge_component(Merge *m, Member *all, size_t count) {
  m->all = all;
  m->count = count;
  m->entry_count = 0;
  for (size_t i = 0; i < count; i++) {
    all[i].state = (unsigned)i;
    m->entry_count += all[i].is_entry;
  }
  merge(m);
}

/* Functions that are other ones now are gone, but for values. */
static void drop_members(Merge *m) {
  LowProgram *low = m->l->low;
  size_t kept = 0;
  for (size_t i = 0; i < low->fns.count; i++) {
    LowFn *f = low->fns.items[i];
    Member *member = member_of(m, f);
    bool is_gone = member && member->whole != f && !f->is_value;
    if (member && member->whole != f && f->is_value) make_caller(m, member);
    if (!is_gone) low->fns.items[kept++] = f;
  }
  low->fns.count = kept;
}

static void note_calls(LowProgram *low, LowFn *f, LowBody *body) {
  for (LowStmt *s = body->first; s; s = s->next) {
    if (s->op.kind == OP_CALL) PUSH(low->arena, f->callees, s->op.fn);
    if (s->kind == STMT_RETURN && s->is_tail) PUSH(low->arena, f->tail_calls, s);
    note_calls(low, f, &s->body);
    note_calls(low, f, &s->other);
  }
}

static void update(Merge *m, LowFn *f) {
  redirect_calls(m, &f->body);
  f->callees.count = f->tail_calls.count = 0;
  note_calls(m->l->low, f, &f->body);
}

void merge_run(Lower *l) {
  LowProgram *low = l->low;
  Merge m = {.l = l, .members.arena = l->arena};
  size_t count = low->fns.count;
  LowFn **fns = lower_by_component(low);
  Member *all = ARENA_ARRAY(l->arena, Member, count);
  for (size_t i = 0, size; i < count; i += size) {
    size = component_size(fns, i, count);
    if (!is_worth_merging(l, fns + i, size)) continue;
    for (size_t j = i; j < i + size; j++) add_member(&m, fns[j], &all[j]);
  }
  if (!m.members.count) return;
  for (size_t i = 0; i < count; i++) find_entries(&m, fns[i], &fns[i]->body);
  for (size_t i = 0; i < low->tops.count; i++)
    find_entries(&m, low->tops.items[i], &low->tops.items[i]->body);
  for (size_t i = 0; i < count; i += component_size(fns, i, count))
    if (all[i].fn) merge_component(&m, all + i, component_size(fns, i, count));
  drop_members(&m);
  for (size_t i = 0; i < low->fns.count; i++) update(&m, low->fns.items[i]);
  for (size_t i = 0; i < low->tops.count; i++) update(&m, low->tops.items[i]);
}
