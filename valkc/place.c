/* place.c - where each allocation lives: in scratch, with the caller's choice, or on the heap.
 *
 * in:    low.h, after fuse
 * out:   op->where of every operation that allocates, op->resets of calls, label->resets and ->numbers of
 *        loops, stmt->clean, takes_where and has_entry_mark of functions; the statements are unchanged
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
 * the caller resets), the heap. It is done twice: for objects, and then for numbers in the regions that there are
 * (place_number.c). docs/internals/placement.md has the whole story. */
#include "place.h"
#include "place_parts.h"

static void enqueue(Place *p, PlaceFn *f) {
  if (f->is_queued) return;
  f->is_queued = true;
  PUSH(p->arena, p->work, f);
}

/* ---- calls: what is known of the callee ------------------------------------------------------- */

/* Depths of something new of f's that has what is at these parts: one list of cells may be new at its
 * front, and have what was there before as its tail. */
static uint8_t fresh_with(const PlaceFn *f, PlaceParts parts) {
  PlaceParts under = 0;
  for (PlaceParts held = place_one_deeper(f->fresh), more; under != held; held |= more)
    under = held, more = place_one_deeper(held);
  return parts & f->fresh ? ALL_DEPTHS : parts & under ? ALL_DEPTHS & ~1 : 0;
}

/* The edge from `from`, number `source` of the call, to what is in that slot. */
static PlaceEdge *link_of(Place *p, PlaceCall *call, PlaceNode *from, unsigned source, PlaceNode *to, unsigned slot) {
  static const uint8_t nothing[DEPTHS];
  for (PlaceLink *l = call->links; l; l = l->next)
    if (l->source == source && l->slot == slot) return l->edge;
  PlaceEdge *edge = place_flow(p, from, to, nothing, 0);
  if (!edge) return NULL;
  PlaceLink *l = ARENA_NEW(p->arena, PlaceLink);
  *l = (PlaceLink){edge, source, slot, call->links};
  call->links = l;
  return edge;
}

/* The callee may replace what is at these depths of the parameter. */
static bool is_replaced(const PlaceNode *param, unsigned depths) {
  for (unsigned j = 1; j < DEPTHS; j++)
    if (depths >> j & 1 && (param->stored[j - 1] | (j + 1 == DEPTHS ? param->stored[j] : 0)) & REPLACED) return true;
  return false;
}

static void add_link(Place *p, PlaceCall *call, PlaceNode *from, unsigned source, unsigned k, unsigned slot, uint8_t depths) {
  PlaceNode *to = slot == SLOT_RESULT ? call->result : call->args[slot - SLOT_PARAMS];
  PlaceEdge *e = to ? link_of(p, call, from, source, to, slot) : NULL;
  if (!e) return;
  if (slot >= SLOT_PARAMS && !e->may_replace && is_replaced(call->callee->params[slot - SLOT_PARAMS], depths)) {
    e->may_replace = true;
    e->is_in_cycle = call->is_in_cycle;
    e->loop = call->loop;
    e->again = call->again;
    place_queue(p, to);
  }
  if (depths & ~e->into[k]) place_queue(p, to);
  e->into[k] |= depths;
}

/* `from` may be, at depth k, in these parts. */
static void add_links(Place *p, PlaceCall *call, PlaceNode *from, unsigned source, unsigned k, PlaceParts parts) {
  for (unsigned slot = 0; parts; slot++, parts >>= DEPTHS) {
    uint8_t depths = parts & ALL_DEPTHS;
    if (slot >= SLOT_PARAMS && slot - SLOT_PARAMS == source) depths &= (uint8_t)~(1u << k);
    if (depths && (slot >= SLOT_PARAMS || call->is_call)) add_link(p, call, from, source, k, slot, depths);
  }
}

static void add_deep_links(Place *p, PlaceCall *call, PlaceNode *from, unsigned source, PlaceParts parts) {
  for (unsigned k = 0; k < DEPTHS; k++, parts = place_one_deeper(parts)) add_links(p, call, from, source, k, parts);
}

static void use_param(Place *p, PlaceCall *call, size_t i) {
  PlaceNode *arg = call->args[i], *param = call->callee->params[i];
  if (!arg || !param) return;
  for (unsigned k = 0; k < DEPTHS; k++) {
    if (param->lives[k] == LIVES_ON_HEAP)
      place_demand(p, arg, k, LIVES_ON_HEAP, 0, 0, (PlaceWhy){call->reason, param, k});
    if (param->rounds[k] == ALL_ROUNDS) place_demand(p, arg, k, LIVES_NOWHERE, 0, ALL_ROUNDS, (PlaceWhy){0});
    place_note_stored(p, arg, k, param->stored[k]);
    add_links(p, call, arg, (unsigned)i, k, param->parts[k]);
    uint8_t into = fresh_with(call->callee, param->parts[k]);
    if (!into) continue;
    if (!call->is_call) { /* as a value, it makes its result on the heap */
      place_heap(p, arg, k, call->reason);
      continue;
    }
    PlaceEdge *e = link_of(p, call, arg, (unsigned)i, call->made, SLOTS_MAX);
    if (e && into & ~e->into[k]) place_queue(p, call->made);
    if (e) e->into[k] |= into;
  }
}

/* All that may be in arguments of a call of the function as a value: on the heap, from whoever calls. */
static PlaceParts foreign_to_value(const PlaceFn *f, const PlaceCall *call) {
  PlaceParts all = f->foreign | f->fresh;
  for (size_t i = 0; i <= f->param_count; i++)
    for (unsigned k = 0; f->params[i] && !call->args[i] && k < DEPTHS; k++) all |= f->params[i]->parts[k];
  return all;
}

static void use_callee(Place *p, PlaceCall *call) {
  const PlaceFn *g = call->callee;
  unsigned sources = (unsigned)g->param_count + 1;
  for (size_t j = 0; j <= g->param_count; j++) use_param(p, call, j);
  if (call->is_call && g->fresh) add_deep_links(p, call, call->made, sources, g->fresh);
  if (call->number) add_links(p, call, call->number, sources + 2, 0, g->numbers);
  if (call->is_call && call->is_guarded && place_is_in_params(g->fresh | g->numbers)) {
    place_heap(p, call->made, 0, call->reason);
    place_heap(p, call->number, 0, call->reason);
  }
  PlaceParts foreign = call->is_call ? g->foreign : foreign_to_value(g, call);
  if (!foreign) return;
  if (!call->foreign) call->foreign = place_foreign(p, place_reason(p, call->op->pos, "what the function has on the heap"));
  add_deep_links(p, call, call->foreign, sources + 1, foreign);
}

static void use_callees(Place *p, PlaceFn *f) {
  for (size_t i = 0; i < f->calls.count; i++) use_callee(p, &f->calls.items[i]);
  for (size_t i = 0; i < f->sites.count; i++) {
    PlaceSite *s = &f->sites.items[i];
    if (!s->callee) continue;
    s->fresh = s->callee->fresh ? 1 : 0;
    if (s->stmt->is_tail && s->callee->ends_unknown) f->ends_unknown = true;
  }
}

/* ---- functions -------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t n) { return (h ^ n) * 0x9e3779b97f4a7c15u ^ h >> 29; }

/* All that callers look at. */
static uint64_t summary_of(const PlaceFn *f) {
  uint64_t h = mix(mix(mix(f->fresh, f->foreign), f->numbers), f->ends_unknown);
  for (size_t i = 0; i <= f->param_count; i++)
    for (unsigned k = 0; f->params[i] && k < DEPTHS; k++) {
      const PlaceNode *n = f->params[i];
      unsigned flags = (n->lives[k] == LIVES_ON_HEAP) | (n->rounds[k] == ALL_ROUNDS) << 1 | n->stored[k] << 2;
      h = mix(mix(h, n->parts[k]), flags);
    }
  return h;
}

static PlaceParts parts_of(const PlaceNode *n, uint8_t depths) {
  PlaceParts parts = 0;
  for (unsigned k = 0; k < DEPTHS; k++)
    if (depths >> k & 1) parts |= n->parts[k];
  return parts;
}

static void find_fresh(PlaceFn *f) {
  for (size_t i = 0; i < f->foreign_nodes.count; i++) f->foreign |= parts_of(f->foreign_nodes.items[i], ALL_DEPTHS);
  for (size_t i = 0; i < f->sites.count; i++) {
    const PlaceSite *s = &f->sites.items[i];
    int lives = s->fresh ? place_lives(s) : LIVES_IN_FUNCTION;
    if (lives == LIVES_IN_RESULT) f->fresh |= parts_of(s->node, s->fresh);
    if (lives == LIVES_ON_HEAP) f->foreign |= parts_of(s->node, s->fresh);
  }
}

static void solve_fn(Place *p, PlaceFn *f) {
  p->in = f;
  p->stmt = NULL;
  use_callees(p, f);
  place_solve(p);
  if (p->objects) {
    while (place_drop_kept(p, f)) place_solve(p);
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
  for (size_t i = 0; i < p->all.count; i++) place_decide_late(p, p->all.items[i]);
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
