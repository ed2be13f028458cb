/* place.c - where each allocation lives: in scratch, with the caller's choice, or on the heap.
 *
 * in:    low.h, after fuse
 * out:   op->where of every operation that allocates, op->resets of calls, label->resets of loops,
 *        takes_where and has_entry_mark of functions; the statements are unchanged
 * keeps: demands only grow toward the heap, so the work-list ends
 * cost:  near linear in statements: a function is looked at again when a callee's facts grew
 * trust: emit.c allocates where it is told; nothing checks it in release builds, every store is
 *        checked in debug builds (rt/heap_debug.c)
 *
 * Method: escape analysis in the manner of Choi et al., "Escape Analysis for Java", OOPSLA 1999,
 * and Blanchet's for ML and Java: a graph per function, whose facts about parameters and result
 * are instantiated at each call (so calls of one function do not spoil each other), solved callees
 * first. The lifetimes that it tells apart are regions (Tofte, Talpin 1997): the rounds of the loops
 * around, the call of the function, its result (which the caller places: there are two stacks, and
 * the caller resets), the heap. docs/internals/placement.md has the whole story. */
#include "place.h"
#include "place_parts.h"

static void enqueue(Place *p, PlaceFn *f) {
  if (f->is_queued) return;
  f->is_queued = true;
  PUSH(p->arena, p->work, f);
}

/* ---- calls: what is known of the callee ------------------------------------------------------- */

/* Something new in f's result may hold what is at depth j there. */
static bool is_under_fresh(const PlaceFn *f, uint8_t in_result) {
  for (unsigned fresh = 0; fresh < DEPTHS; fresh++)
    if (f->fresh >> fresh & 1 && in_result >> (fresh + 1)) return true;
  return f->fresh >> (DEPTHS - 1) & 1 && in_result >> (DEPTHS - 1) & 1;
}

/* Called as a value, the callee makes its result on the heap. */
static void use_as_value(Place *p, PlaceCall *call, PlaceNode *arg, PlaceNode *param) {
  for (unsigned k = 0; k < DEPTHS; k++)
    if (is_under_fresh(call->callee, param->in_result[k])) place_heap(p, arg, k, call->reason);
}

static void use_param(Place *p, PlaceCall *call, size_t i) {
  PlaceNode *arg = call->args[i], *param = call->callee->params[i];
  if (!arg || !param) return;
  for (unsigned k = 0; k < DEPTHS; k++)
    if (param->lives[k] == LIVES_ON_HEAP)
      place_demand(p, arg, k, LIVES_ON_HEAP, 0, 0, (PlaceWhy){call->reason, param, k});
  if (!call->is_call) {
    use_as_value(p, call, arg, param);
    return;
  }
  PlaceEdge *e = call->edges[i];
  bool grew = false;
  for (unsigned k = 0; k < DEPTHS; k++) {
    grew |= param->in_result[k] & ~e->into[k];
    e->into[k] |= param->in_result[k];
  }
  if (grew && !call->result->is_queued) {
    call->result->is_queued = true;
    PUSH(p->arena, p->queue, call->result);
  }
}

static void use_callees(Place *p, PlaceFn *f) {
  for (size_t i = 0; i < f->calls.count; i++) {
    PlaceCall *call = &f->calls.items[i];
    for (size_t j = 0; j <= call->callee->param_count; j++) use_param(p, call, j);
  }
  for (size_t i = 0; i < f->sites.count; i++) {
    PlaceSite *s = &f->sites.items[i];
    if (!s->callee) continue;
    s->fresh = s->callee->fresh;
    s->numbers = s->callee->numbers;
    if (s->stmt->is_tail && s->callee->ends_unknown) f->ends_unknown = true;
  }
}

/* ---- functions -------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t n) { return (h ^ n) * 0x9e3779b97f4a7c15u ^ h >> 29; }

/* All that callers look at. */
static uint64_t summary_of(const PlaceFn *f) {
  uint64_t h = mix(f->fresh | f->numbers << DEPTHS, f->ends_unknown);
  for (size_t i = 0; i <= f->param_count; i++)
    for (unsigned k = 0; f->params[i] && k < DEPTHS; k++)
      h = mix(h, (uint64_t)(f->params[i]->lives[k] == LIVES_ON_HEAP) << 8 | f->params[i]->in_result[k]);
  return h;
}

static void find_fresh(PlaceFn *f) {
  for (size_t i = 0; i < f->sites.count; i++) {
    const PlaceSite *s = &f->sites.items[i];
    if (!s->fresh || place_lives(s) != LIVES_IN_RESULT) continue;
    for (unsigned k = 0; k < DEPTHS; k++)
      if (s->fresh >> k & 1) f->fresh |= s->node->in_result[k];
  }
}

static void solve_fn(Place *p, PlaceFn *f) {
  use_callees(p, f);
  place_solve(p);
  if (p->objects) {
    place_find_numbers(f);
  } else {
    while (place_settle(p, f)) place_solve(p);
    find_fresh(f);
  }
  uint64_t summary = summary_of(f);
  if (summary == f->summary) return;
  f->summary = summary;
  for (size_t i = 0; i < f->users.count; i++) enqueue(p, f->users.items[i]);
}

typedef struct Visit {
  PlaceFn *fn;
  size_t call;
} Visit;

/* Callees first: by an explicit stack, as chains of calls can be long. */
static void enqueue_callees_first(Place *p) {
  PtrMap seen = {.arena = p->arena};
  VEC(Visit) stack = {0};
  for (size_t i = 0; i < p->all.count; i++) {
    if (ptrmap_get(&seen, p->all.items[i])) continue;
    ptrmap_put(&seen, p->all.items[i], p);
    PUSH(p->arena, stack, ((Visit){p->all.items[i], 0}));
    while (stack.count) {
      Visit *top = &stack.items[stack.count - 1];
      if (top->call == top->fn->calls.count) {
        enqueue(p, top->fn);
        stack.count--;
        continue;
      }
      PlaceFn *callee = top->fn->calls.items[top->call++].callee;
      if (ptrmap_get(&seen, callee)) continue;
      ptrmap_put(&seen, callee, p);
      PUSH(p->arena, stack, ((Visit){callee, 0}));
    }
  }
}

Place *place_analyse(LowProgram *low, Place *objects) {
  Place *p = ARENA_NEW(low->arena, Place);
  p->low = low;
  p->objects = objects;
  p->arena = p->fns.arena = low->arena;
  for (size_t i = 0; i < low->fns.count; i++) place_read_fn(p, place_fn(p, low->fns.items[i]));
  for (size_t i = 0; i < low->tops.count; i++) place_read_fn(p, place_fn(p, low->tops.items[i]));
  for (size_t i = 0; objects && i < p->all.count; i++) place_pin_objects(p, p->all.items[i]);
  enqueue_callees_first(p);
  for (size_t done = 0; done < p->work.count; done++) {
    PlaceFn *f = p->work.items[done];
    f->is_queued = false;
    solve_fn(p, f);
  }
  return p;
}

void place_run(LowProgram *low) {
  low->placement = place_analyse(low, NULL);
  place_assign(low->placement);
  place_assign_numbers(place_analyse(low, low->placement));
  place_find_clean_rounds(low);
}
