/* place_graph.c - the constraints of one function: what flows where, and what must outlive what.
 *
 * Nodes are variables, parameters and results of operations; an edge says that one may be, or be
 * held by, another. Demands go against the edges: what flows into something must live as long.
 * Lists, closures and partial applications do not change once made: for them edges need one
 * direction, but for cells hung on the end of a list that is being built (place_hang). What is stored
 * into a vector, a map or a shared variable is held by all its aliases: that something is stored is noted
 * against the edges, too, up to where it came from, and where it is noted, what it holds has the demands
 * of both ends. */
#include "place_parts.h"
#include <stdarg.h>
#include <string.h>

const uint8_t place_copies[DEPTHS] = {1, 2, 4}; /* is the same value */
const uint8_t place_holds[DEPTHS] = {2, 4, 4};  /* is held by it */
const uint8_t place_reads[DEPTHS] = {0, 1, 6};  /* holds it */
const uint8_t place_shares[DEPTHS] = {0, 2, 4}; /* both hold the same */

/* ---- nodes and demands ---------------------------------------------------------------------- */

bool place_may_be_allocated(const Place *p, LowFacts facts) {
  const uint32_t objects = T_STRING | T_PAIR | T_LISTOBJ | T_FUN | T_VECTOR | T_MAP | T_OTHER;
  const uint32_t types = p->objects ? objects | T_BIG | T_FLOAT : objects;
  return !facts.types || facts.types & types;
}

PlaceNode *place_new_node(Place *p) {
  PlaceNode *n = ARENA_NEW(p->arena, PlaceNode);
  for (unsigned k = 0; k < DEPTHS; k++) n->lives[k] = LIVES_NOWHERE;
  n->depth = p->loop_depth;
  n->fn = p->in;
  n->place = p;
  return n;
}

static PlaceNode *var_node(Place *p, LowVar *v) {
  if (v->node && v->node->place == p) return v->node;
  v->node = NULL;
  if (v->rep != REP_VALUE || (!v->is_box && !place_may_be_allocated(p, v->facts))) return NULL;
  v->node = place_new_node(p);
  v->node->var = v;
  for (unsigned k = 0; k < DEPTHS && !place_is_kept(p, v); k++) v->node->lives[k] = (int8_t)p->loop_depth;
  return v->node;
}

const PlaceReason *place_reason(Place *p, Span at, const char *format, ...) {
  static const PlaceReason for_numbers;
  if (p->objects) return &for_numbers; /* nobody asks */
  PlaceReason *r = ARENA_NEW(p->arena, PlaceReason);
  char text[256];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  r->what = arena_copy(p->arena, text, strlen(text));
  r->at = at.file != NO_FILE ? at : p->stmt ? p->stmt->span : NO_SPAN;
  return r;
}

void place_queue(Place *p, PlaceNode *n) {
  if (n->is_queued) return;
  n->is_queued = true;
  PUSH(p->arena, p->queue, n);
}

PlaceParts place_one_deeper(PlaceParts parts) {
  const PlaceParts first = 0111111111111111111111u, last = first << (DEPTHS - 1);
  return (parts << 1 & ~first) | (parts & last);
}

void place_demand(Place *p, PlaceNode *n, unsigned depth, int lives, PlaceParts parts, uint64_t rounds, PlaceWhy why) {
  bool changed = false;
  if (parts && lives > LIVES_IN_RESULT) lives = LIVES_IN_RESULT;
  for (unsigned k = depth; k < DEPTHS; k++, parts = place_one_deeper(parts)) {
    if (lives < n->lives[k]) {
      n->lives[k] = (int8_t)lives;
      if (lives == LIVES_ON_HEAP) n->why[k] = why;
      changed = true;
    }
    changed |= (parts & ~n->parts[k]) || (rounds & ~n->rounds[k]);
    n->parts[k] |= parts;
    n->rounds[k] |= rounds;
  }
  if (changed) place_queue(p, n);
}

void place_heap(Place *p, PlaceNode *n, unsigned depth, const PlaceReason *reason) {
  if (n) place_demand(p, n, depth, LIVES_ON_HEAP, 0, 0, (PlaceWhy){.reason = reason});
}

PlaceEdge *place_flow(Place *p, PlaceNode *from, PlaceNode *to, const uint8_t into[DEPTHS], uint64_t rounds) {
  if (!from || !to || (from == to && into[0] & 1)) return NULL;
  PlaceEdge *e = ARENA_NEW(p->arena, PlaceEdge);
  *e = (PlaceEdge){.from = from, .to = to, .rounds = rounds, .next = to->from, .next_to = from->to};
  memcpy(e->into, into, sizeof e->into);
  to->from = from->to = e;
  place_queue(p, to);
  return e;
}

/* ---- what changes ---------------------------------------------------------------------------- */

void place_note_stored(Place *p, PlaceNode *n, unsigned depth, uint8_t how) {
  if (!(how & ~n->stored[depth])) return;
  n->stored[depth] |= how;
  place_queue(p, n);
  if (n->foreign) place_heap(p, n, place_deeper(depth), n->foreign);
}

void place_store(Place *p, PlaceNode *n, PlaceNode *x, bool adds, const PlaceReason *reason) {
  if (!n) place_heap(p, x, 0, reason);
  if (!n) return;
  place_note_stored(p, n, 0, adds ? STORED : STORED | REPLACED);
  PlaceEdge *e = place_flow(p, x, n, place_holds, 0);
  if (e) e->reason = reason;
  if (!e || adds) return;
  e->may_replace = true;
  e->loop = p->loop;
  e->again = p->stmt->rounds_after;
}

/* What is stored later is not all that there is then: nothing in a loop only adds to it. */
void place_drop(Place *p, PlaceNode *n) {
  if (n) place_demand(p, n, 1, LIVES_NOWHERE, 0, ALL_ROUNDS, (PlaceWhy){0});
}

PlaceNode *place_foreign(Place *p, const PlaceReason *reason) {
  PlaceNode *n = place_new_node(p);
  n->foreign = reason;
  PUSH(p->arena, p->in->foreign_nodes, n);
  return n;
}

/* ---- solving --------------------------------------------------------------------------------- */

enum { CHAIN_MAX = 6, ASKED_MAX = 4 };

/* How many loops are around where n was made, in the same round of each: 0 if that is not plain. */
static unsigned made_within(const PlaceNode *n) {
  for (unsigned steps = 0; n && steps < CHAIN_MAX && n->var && !n->is_param && n->defs.count == 1; steps++) {
    const LowOp *op = n->defs.items[0];
    if (op->kind == OP_PRIM && op->prim->flags & PRIM_FRESH) return n->depth;
    if (op->kind != OP_COPY || op->args[0].kind != ARG_VAR) return 0;
    const PlaceNode *from = op->args[0].var->node;
    if (!from || from->depth < n->depth) return 0;
    n = from;
  }
  return 0;
}

/* Dead states must not pile up: what a round stores into something older, in the place of what was
 * there, is carried round. */
static uint64_t carried(const PlaceEdge *e, unsigned depth) {
  uint64_t rounds = e->rounds;
  unsigned within = e->loop && e->into[0] == place_holds[0] ? made_within(e->to) : 0;
  for (const PlaceLoop *l = e->loop; l && l->depth > within && (int)l->depth > e->to->lives[depth]; l = l->outer)
    rounds |= l->bit & e->again;
  if (e->is_in_cycle && place_is_in_params(e->to->parts[depth])) rounds |= (uint64_t)1 << LOOP_TAIL_CALLS;
  return rounds;
}

/* The same object is at depth k of one end and j of the other, and is changed: so what it holds is the same. */
static void spread_back(Place *p, const PlaceEdge *e, unsigned k, unsigned j) {
  const PlaceNode *from = e->from;
  k = place_deeper(k);
  j = place_deeper(j);
  place_demand(p, e->to, j, from->lives[k], from->parts[k], from->rounds[k], (PlaceWhy){.via = e->from, .via_depth = k});
  place_note_stored(p, e->to, j, from->stored[k]);
}

static void spread_edge(Place *p, const PlaceEdge *e, bool is_back_only) {
  const PlaceNode *to = e->to;
  for (unsigned k = 0; k < DEPTHS; k++)
    for (unsigned j = 0; j < DEPTHS; j++) {
      if (!(e->into[k] >> j & 1)) continue;
      if (to->stored[j]) spread_back(p, e, k, j);
      if (is_back_only) continue;
      place_demand(p, e->from, k, to->lives[j], to->parts[j], to->rounds[j] | carried(e, j),
                   (PlaceWhy){e->reason, e->to, j});
      place_note_stored(p, e->from, k, to->stored[j]);
    }
}

static bool is_changed(const PlaceNode *n) { return n->stored[0] || n->stored[1] || n->stored[2]; }

static void spread(Place *p, PlaceNode *n) {
  for (const PlaceEdge *e = n->from; e; e = e->next) spread_edge(p, e, false);
  for (const PlaceEdge *e = n->to; e; e = e->next_to)
    if (is_changed(e->to)) spread_edge(p, e, true);
}

void place_solve(Place *p) {
  while (p->queue.count) {
    PlaceNode *n = p->queue.items[--p->queue.count];
    n->is_queued = false;
    spread(p, n);
  }
}

/* ---- operands -------------------------------------------------------------------------------- */

static PlaceNode *self_node(const Place *p) { return p->in->params[p->in->param_count]; }

PlaceNode *place_arg(Place *p, LowArg a) {
  switch (a.kind) {
  case ARG_CONST:
  case ARG_UNBOUND: return NULL;
  case ARG_VAR:
    if (!a.var->is_box && a.facts.types && !place_may_be_allocated(p, a.facts)) return NULL;
    return var_node(p, a.var);
  case ARG_SELF: return self_node(p);
  case ARG_CAPTURE: {
    PlaceNode *n = place_new_node(p);
    place_flow(p, self_node(p), n, place_reads, 0);
    return n;
  }
  case ARG_OP: return place_prim(p, (LowOp *)a.op);
  }
  return NULL;
}

PlaceSite *place_add_site(Place *p, LowOp *op, PlaceNode *n, uint8_t fresh, const char *name) {
  PlaceSite s = {.op = op, .stmt = p->stmt, .node = n, .loop = p->loop, .fresh = fresh, .name = name, .near = p->near,
                 .rounds = p->rounds | 1u << LOOP_TAIL_CALLS};
  op->made = n;
  PUSH(p->arena, p->in->sites, s);
  return &p->in->sites.items[p->in->sites.count - 1];
}

/* ---- operations ------------------------------------------------------------------------------- */

static const char *fn_label(const LowFn *f) { return f->name ? f->name : "\\"; }

static PlaceNode *held_by_new(Place *p, LowOp *op, size_t first, const char *name) {
  PlaceNode *n = place_new_node(p);
  for (size_t i = first; i < op->count; i++) place_flow(p, place_arg(p, op->args[i]), n, place_holds, 0);
  place_add_site(p, op, n, 1, name);
  return n;
}

static PlaceCall *add_call(Place *p, LowOp *op, LowFn *callee, PlaceNode *result, bool is_call) {
  PlaceFn *f = place_fn(p, callee);
  PlaceCall call = {.callee = f, .op = op, .result = result, .is_call = is_call, .loop = p->loop,
                    .again = p->stmt->rounds_after, .is_guarded = p->in->has_guard,
                    .is_in_cycle = callee->is_recursive && p->in->low->is_recursive};
  call.args = ARENA_ARRAY(p->arena, PlaceNode *, f->param_count + 1);
  PUSH(p->arena, p->in->calls, call);
  if (!f->users.count || f->users.items[f->users.count - 1] != p->in) PUSH(p->arena, f->users, p->in);
  return &p->in->calls.items[p->in->calls.count - 1];
}

static PlaceNode *known_call(Place *p, LowOp *op, LowStmt *tail) {
  PlaceNode *n = place_new_node(p);
  PlaceFn *f = place_fn(p, op->fn);
  size_t self = op->fn->captures.count ? 1 : 0;
  PlaceNode **args = ARENA_ARRAY(p->arena, PlaceNode *, f->param_count + 1);
  for (size_t i = 0; i < op->count; i++) {
    PlaceNode *a = place_arg(p, op->args[i]);
    args[i < self ? f->param_count : i - self] = a;
    if (a && tail)
      place_demand(p, a, 0, LIVES_IN_FUNCTION, 0, tail->is_guarded ? 1u << LOOP_TAIL_CALLS : 0, (PlaceWhy){0});
  }
  PlaceCall *call = add_call(p, op, op->fn, n, true);
  memcpy(call->args, args, (f->param_count + 1) * sizeof *args);
  call->reason = place_reason(p, op->pos, "passed to `%s`", fn_label(op->fn));
  call->made = place_new_node(p);
  PlaceSite *site = place_add_site(p, op, call->made, 0, "result of a call");
  site->callee = f;
  if (p->objects) site->number = call->number = place_new_node(p);
  return n;
}

static PlaceNode *unknown_call(Place *p, LowOp *op, LowStmt *tail) {
  PlaceNode *n = place_foreign(p, place_reason(p, op->pos, "given by a function that is not known here"));
  PlaceNode *callee = place_arg(p, op->args[0]);
  const PlaceReason *reason = place_reason(p, op->pos, "passed to a function that is not known here");
  for (size_t i = 1; i < op->count; i++) place_heap(p, place_arg(p, op->args[i]), 0, reason);
  if (tail) {
    place_heap(p, callee, 0, place_reason(p, op->pos, "called in tail position"));
    p->in->ends_unknown = true;
    return NULL;
  }
  PUSH(p->arena, p->in->unknown_calls, p->stmt);
  place_flow(p, callee, n, place_copies, 0);
  place_flow(p, callee, n, place_reads, 0);
  return n;
}

static PlaceNode *closure(Place *p, LowOp *op) {
  PlaceNode *n = held_by_new(p, op, 0, "function");
  PlaceCall *call = add_call(p, op, op->fn, n, false);
  call->args[call->callee->param_count] = n;
  call->reason = place_reason(p, p->stmt->span, "captured by `%s`", fn_label(op->fn));
  return n;
}

static PlaceNode *partial(Place *p, LowOp *op) {
  LowConst *k = op->args[0].kind == ARG_CONST ? op->args[0].constant : NULL;
  PlaceNode *n = held_by_new(p, op, 0, "partial application");
  if (!k || k->kind != LOW_FUNCTION) {
    const PlaceReason *reason = place_reason(p, op->pos, "held for a function that is not known here");
    for (size_t i = 0; i < op->count; i++) place_heap(p, place_arg(p, op->args[i]), 0, reason);
    return n;
  }
  PlaceCall *call = add_call(p, op, k->fn, n, false);
  for (size_t i = 1; i < op->count; i++) call->args[i - 1] = place_arg(p, op->args[i]);
  call->reason = place_reason(p, op->pos, "held for `%s`", fn_label(k->fn));
  return n;
}

static PlaceNode *literal(Place *p, LowOp *op) {
  PlaceNode *n = held_by_new(p, op, 0, "block");
  place_heap(p, n, 0, place_reason(p, op->pos, "a block, which eval may run anywhere"));
  return n;
}

/* Something that changes. */
static bool may_hold(LowFacts facts) {
  const uint32_t types = T_PAIR | T_LISTOBJ | T_FUN | T_VECTOR | T_MAP | T_OTHER;
  return !facts.types || facts.types & types;
}

static PlaceNode *op_node(Place *p, LowOp *op, LowStmt *tail) {
  PlaceNode *n = NULL;
  switch (op->kind) {
  case OP_COPY: return place_arg(p, op->args[0]);
  case OP_BOX: return held_by_new(p, op, 0, "shared variable");
  case OP_LIST: return held_by_new(p, op, 0, "list");
  case OP_CLOSURE: return closure(p, op);
  case OP_PARTIAL: return partial(p, op);
  case OP_LITERAL: return literal(p, op);
  case OP_PRIM: return place_prim(p, op);
  case OP_UNBOX:
    n = place_new_node(p);
    place_flow(p, place_arg(p, op->args[0]), n, place_reads, 0);
    return n;
  case OP_CALL: n = known_call(p, op, tail); break;
  case OP_CALL_VALUE: n = unknown_call(p, op, tail); break;
  case OP_MADE: return may_hold(op->facts) ? place_foreign(p, place_reason(p, op->pos, "a constant")) : NULL;
  case OP_GLOBAL:
    if (!may_hold(op->facts)) return NULL;
    return place_foreign(p, place_reason(p, op->pos, "held by global `%s`", op->global->name));
  case OP_NO_GLOBAL:
  case OP_AT: return NULL;
  }
  return place_may_be_allocated(p, op->facts) ? n : NULL;
}

/* ---- what goes round in loops ------------------------------------------------------------------- */

typedef struct Crossing { /* a value set in a loop to a variable from outside */
  PlaceNode *var;
  PlaceEdge *edge;
  const LowOp *op;
  uint64_t rounds;
} Crossing;
typedef struct Hanging { /* %set-tail! cell tail */
  LowArg cell;
  PlaceNode *tail;
} Hanging;
typedef struct Late { /* decided when all functions have been read */
  VEC(Crossing) crossings;
  VEC(Hanging) hangings;
} Late;

static bool is_cons(const LowOp *op) {
  return op->kind == OP_PRIM && op->count == 2 &&
         (!strcmp(op->prim->name, "cons") || !strcmp(op->prim->name, "%pair") || !strcmp(op->prim->name, "%qq-cons"));
}

static bool is_join(const LowOp *op) {
  return op->kind == OP_PRIM && op->count && (!strcmp(op->prim->name, "join") || !strcmp(op->prim->name, "append"));
}

static bool builds_op(Place *p, const LowVar *v, const LowOp *op, unsigned steps);

/* An error or a small integer: what v was is dropped, but nothing can be put before it, once and for all. */
static bool ends_building(LowFacts facts) {
  return facts.types && !(facts.types & ~(uint32_t)(T_FIX | T_ERROR));
}

/* a is v, or v with something put before it or hung on it: what was made for it stays in use. */
static bool builds(Place *p, const LowVar *v, LowArg a, unsigned steps) {
  if (ends_building(a.facts)) return true;
  if (a.kind != ARG_VAR || steps == CHAIN_MAX) return false;
  if (a.var == v || (a.var->node && a.var->node->is_hung)) return true;
  if (!a.var->node || a.var->node->is_param || !a.var->node->defs.count) return false;
  for (size_t i = 0; i < a.var->node->defs.count; i++)
    if (!builds_op(p, v, a.var->node->defs.items[i], steps + 1)) return false;
  return true;
}

static bool is_built_up(Place *p, const PlaceNode *n) {
  for (size_t i = n->is_param ? 0 : 1; i < n->defs.count; i++)
    if (!builds_op(p, n->var, n->defs.items[i], 0)) return false;
  return true;
}

/* The result of f is its i-th argument with something put before it. A call of f itself on the way is taken
 * to be so: then all are. */
static bool result_builds(Place *p, PlaceFn *f, size_t i) {
  PlaceNode *param = f->params[i];
  if (f->is_asked) return f->asked == i;
  if (!param || f->hangs || p->asked_count == ASKED_MAX) return false;
  f->is_asked = true;
  f->asked = i;
  p->asked_count++;
  bool is_so = is_built_up(p, param);
  for (size_t j = 0; is_so && j < f->returns.count; j++) is_so = builds_op(p, param->var, f->returns.items[j], 0);
  f->is_asked = false;
  p->asked_count--;
  return is_so;
}

static bool builds_op(Place *p, const LowVar *v, const LowOp *op, unsigned steps) {
  if (op->kind == OP_COPY) return builds(p, v, op->args[0], steps);
  if (is_cons(op) || is_join(op)) return builds(p, v, op->args[op->count - 1], steps);
  if (op->kind != OP_CALL || steps == CHAIN_MAX) return false;
  size_t self = op->fn->captures.count ? 1 : 0;
  for (size_t i = self; i < op->count; i++)
    if (builds(p, v, op->args[i], steps + 1) && result_builds(p, place_fn(p, op->fn), i - self)) return true;
  return false;
}

/* tail becomes part of every list whose last cell may be in v. */
static void hang(Place *p, LowVar *v, PlaceNode *tail, unsigned steps, const PlaceReason *elsewhere) {
  PlaceNode *n = v->node;
  if (!n) return;
  place_flow(p, tail, n, place_copies, 0);
  if (n->is_param || steps == CHAIN_MAX) {
    place_heap(p, tail, 0, elsewhere);
    if (n->is_param) return;
  }
  for (size_t i = 0; i < n->defs.count && steps < CHAIN_MAX; i++) {
    const LowOp *op = n->defs.items[i];
    if (op->kind == OP_COPY && op->args[0].kind == ARG_VAR) {
      if (op->args[0].var->node != tail && op->args[0].var != v) hang(p, op->args[0].var, tail, steps + 1, elsewhere);
    } else if (is_cons(op)) {
      place_flow(p, tail, op->made, place_copies, 0);
    } else if (op->kind != OP_PRIM || strcmp(op->prim->name, "%cell") != 0) {
      place_heap(p, tail, 0, elsewhere);
    }
  }
}

void place_decide_late(Place *p, PlaceFn *f) {
  Late *late = f->late;
  const PlaceReason *elsewhere = place_reason(p, NO_SPAN, "hung on a list made elsewhere");
  for (size_t i = 0; i < late->hangings.count; i++) {
    Hanging h = late->hangings.items[i];
    if (h.cell.kind == ARG_VAR) hang(p, h.cell.var, h.tail, 0, elsewhere);
    else place_heap(p, h.tail, 0, elsewhere);
  }
  for (size_t i = 0; i < late->crossings.count; i++) {
    Crossing c = late->crossings.items[i];
    if (!is_built_up(p, c.var)) c.edge->rounds = c.rounds;
    place_queue(p, c.var);
  }
}

void place_hang(Place *p, LowArg cell, LowArg tail) {
  PlaceNode *n = place_arg(p, tail);
  if (!n) return;
  n->is_hung = true;
  p->in->hangs = true;
  Hanging h = {cell, n};
  PUSH(p->arena, p->in->late->hangings, h);
}

/* ---- statements ------------------------------------------------------------------------------- */

/* What may follow a statement, a bit for each loop: another round of it; that or its end without leaving the
 * function, where its stack is reset too. */
typedef struct After {
  uint64_t rounds, resets;
} After;

static After either(After a, After b) { return (After){a.rounds | b.rounds, a.resets | b.resets}; }

/* From the end to the start. around: the loops that body is in. */
static After find_after(Place *p, LowBody *body, After after, uint64_t around) {
  const uint64_t shared = (uint64_t)1 << LOOPS_MAX;
  VEC(LowStmt *) all = {0};
  for (LowStmt *s = body->first; s; s = s->next) PUSH(p->arena, all, s);
  for (size_t i = all.count; i-- > 0;) {
    LowStmt *s = all.items[i];
    LowLabel *label = s->label;
    if (s->kind == STMT_RETURN) after = (After){0};
    s->rounds_after = after.rounds;
    s->resets_after = after.resets;
    switch (s->kind) {
    case STMT_NEXT: after = (After){label->rounds_next, label->resets_next}; break;
    case STMT_LEAVE:
      after = (After){label->rounds_after, label->resets_after | (around & (~label->loops_around | shared))};
      break;
    case STMT_IF: after = either(find_after(p, &s->body, after, around), find_after(p, &s->other, after, around)); break;
    case STMT_LOOP: {
      unsigned number = ++p->in->loop_count < LOOPS_MAX ? p->in->loop_count : LOOPS_MAX;
      uint64_t bit = label->loop_bit = (uint64_t)1 << number;
      label->loops_around = around;
      label->rounds_after = after.rounds;
      label->resets_after = after.resets;
      label->rounds_next = after.rounds | bit;
      label->resets_next = after.resets | bit;
      after.resets |= bit;
      after = find_after(p, &s->body, after, around | bit);
      break;
    }
    case STMT_BLOCK:
      label->loops_around = around;
      label->rounds_after = after.rounds;
      label->resets_after = after.resets;
      after = find_after(p, &s->body, after, around);
      break;
    default: break;
    }
  }
  return after;
}

static void read_body(Place *p, LowBody *body, const LowVar *failed);

/* Of an error, which is on the heap and ends what was built up, whatever its variable is elsewhere. */
static bool is_failure(const LowOp *op, const LowVar *failed) {
  return op->kind == OP_AT || (failed && op->kind == OP_COPY && op->args[0].kind == ARG_VAR && op->args[0].var == failed);
}

static void read_set(Place *p, LowStmt *s, const LowVar *failed) {
  if (is_failure(&s->op, failed)) return;
  PlaceNode *n = op_node(p, &s->op, NULL);
  PlaceNode *v = s->var ? var_node(p, s->var) : NULL;
  if (!v) return;
  PUSH(p->arena, v->defs, &s->op);
  if (!n || n == v) return;
  uint64_t crossed = 0;
  for (PlaceLoop *l = p->loop; l && l->depth > v->depth; l = l->outer) crossed |= l->bit;
  if (crossed && place_cuts(p, s, n, v, crossed & s->rounds_after)) return;
  PlaceEdge *edge = place_flow(p, n, v, place_copies, 0);
  Crossing c = {v, edge, &s->op, crossed & s->rounds_after};
  if (c.rounds) PUSH(p->arena, p->in->late->crossings, c);
}

static void read_loop(Place *p, LowStmt *s) {
  PlaceLoop *l = ARENA_NEW(p->arena, PlaceLoop);
  uint64_t outer_rounds = p->rounds;
  *l = (PlaceLoop){.outer = p->loop, .depth = ++p->loop_depth, .bit = s->label->loop_bit, .label = s->label};
  s->label->is_loop = true;
  s->label->around = p->loop ? p->loop->label : NULL;
  PUSH(p->arena, p->in->loops, l);
  p->loop = l;
  p->rounds |= l->bit;
  read_body(p, &s->body, NULL);
  p->loop = l->outer;
  p->rounds = outer_rounds;
  p->loop_depth--;
}

static void read_return(Place *p, LowStmt *s, const LowVar *failed) {
  if (is_failure(&s->op, failed)) return;
  PlaceNode *n = op_node(p, &s->op, s->is_tail ? s : NULL);
  PUSH(p->arena, p->in->returns, &s->op);
  if (p->in->low->result == REP_VALUE && place_moves_out(p, s)) return;
  place_flow(p, n, p->in->result, place_copies, 0);
}

static bool is_user_text(const Place *p, Span at) {
  return at.file != NO_FILE && !p->low->program->diag->sources.items[at.file].is_library;
}

/* failed: the variable that this is the first thing done with after it was found to be an error, or NULL. */
static void read_stmt(Place *p, LowStmt *s, const LowVar *failed) {
  p->stmt = s;
  if (is_user_text(p, s->op.pos)) p->near = s->op.pos;
  else if (is_user_text(p, s->span)) p->near = s->span;
  switch (s->kind) {
  case STMT_DECLARE: var_node(p, s->var); break;
  case STMT_SET:
  case STMT_DO: read_set(p, s, failed); break;
  case STMT_SET_BOX:
    place_store(p, place_arg(p, s->op.args[0]), place_arg(p, s->op.args[1]), false,
                place_reason(p, s->span, "assigned to a variable that functions share"));
    break;
  case STMT_SET_GLOBAL:
    place_heap(p, place_arg(p, s->op.args[0]), 0, place_reason(p, s->span, "stored in global `%s`", s->global->name));
    break;
  case STMT_IF:
    read_body(p, &s->body, s->test == TEST_ERROR && s->op.count == 1 ? s->op.args[0].var : NULL);
    read_body(p, &s->other, NULL);
    break;
  case STMT_BLOCK:
    s->label->around = p->loop ? p->loop->label : NULL;
    read_body(p, &s->body, NULL);
    break;
  case STMT_LOOP: read_loop(p, s); break;
  case STMT_RETURN: read_return(p, s, failed); break;
  case STMT_TRY: /* later: hot.c */
  case STMT_COLD:
  case STMT_HERE:
  case STMT_LEAVE:
  case STMT_NEXT: break;
  }
}

static void read_body(Place *p, LowBody *body, const LowVar *failed) {
  for (LowStmt *s = body->first; s; s = s->next, failed = NULL) read_stmt(p, s, failed);
}

/* ---- functions --------------------------------------------------------------------------------- */

PlaceFn *place_fn(Place *p, LowFn *low) {
  PlaceFn *f = ptrmap_get(&p->fns, low);
  if (f) return f;
  f = ARENA_NEW(p->arena, PlaceFn);
  f->low = low;
  f->param_count = low->params.count;
  f->params = ARENA_ARRAY(p->arena, PlaceNode *, f->param_count + 1);
  ptrmap_put(&p->fns, low, f);
  PUSH(p->arena, p->all, f);
  if (!p->objects) return f;
  f->objects = ptrmap_get(&p->objects->fns, low);
  f->fresh = f->objects->fresh;
  f->foreign = f->objects->foreign;
  f->ends_unknown = f->objects->ends_unknown;
  return f;
}

/* Who calls it may have it anywhere; the number of slots is limited. */
static void init_param(Place *p, PlaceNode *n, size_t i) {
  static const PlaceReason anywhere = {"a parameter of a function that is called as a value", {.file = NO_FILE}};
  unsigned slot = SLOT_PARAMS + (unsigned)i;
  if (p->in->low->is_value || slot >= SLOTS_MAX) n->foreign = &anywhere;
  for (unsigned k = 1; k < DEPTHS && slot < SLOTS_MAX; k++) n->parts[k] = place_part(slot, k);
}

void place_read_fn(Place *p, PlaceFn *f) {
  p->in = f;
  f->late = ARENA_NEW(p->arena, Late);
  p->stmt = NULL;
  p->near = f->low->span;
  if (p->objects) place_find_kept(p, f);
  for (size_t i = 0; i < f->param_count; i++) {
    f->params[i] = var_node(p, f->low->params.items[i]);
    if (!f->params[i]) continue;
    f->params[i]->is_param = true;
    init_param(p, f->params[i], i);
  }
  f->params[f->param_count] = place_new_node(p);
  init_param(p, f->params[f->param_count], f->param_count);
  f->result = place_new_node(p);
  for (unsigned k = 0; k < DEPTHS; k++) {
    f->result->lives[k] = f->low->lambda ? LIVES_IN_RESULT : LIVES_IN_FUNCTION;
    f->result->parts[k] = f->low->lambda ? place_part(SLOT_RESULT, k) : 0;
  }
  find_after(p, &f->low->body, (After){0}, 0);
  read_body(p, &f->low->body, NULL);
}
