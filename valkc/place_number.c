/* place_number.c - big integers and boxed floats: where they go when all else is decided.
 *
 * Nearly every `+` might make a number that needs memory, and hardly any does. So numbers are passive:
 * they go to scratch where a region that ends when they may is there for other values anyway; no call gets
 * marks or a place for its result because of them. Only loops may have a stack for them alone
 * (place_kept.c), as a round's end costs three instructions, and none where flow's integers are small. Their graph is a second run of place_graph.c, in which
 * values that are always numbers are nodes, too. What the first run decided stays, and is what this
 * one starts from: what is held by something on the heap is there.
 *
 * A number holds nothing. So the heap is right for it wherever it is doubtful whether a region is there,
 * and this is decided for each one by itself. The result of a call is told one place for all its parts: if, for
 * some caller, numbers in it must live longer than that, the callee leaves them on the heap. */
#include "flow.h"
#include "place_parts.h"

/* What the first run left on the heap, what it holds must be there as well. */
void place_pin_objects(Place *p, PlaceFn *f) {
  for (size_t i = 0; i < f->sites.count; i++) {
    PlaceSite *s = &f->sites.items[i];
    if (s->callee) s->fresh = s->callee->fresh ? 1 : 0;
    if (s->fresh && s->op->where == WHERE_HEAP) place_heap(p, s->node, place_first_fresh(s), NULL);
  }
}

/* Where in f's result and in its arguments there may be numbers that it made. */
void place_find_numbers(PlaceFn *f) {
  for (size_t i = 0; i < f->sites.count; i++) {
    const PlaceSite *s = &f->sites.items[i];
    if (s->is_number) f->numbers |= s->node->parts[0];
    else if (s->callee && s->callee->numbers) f->numbers |= s->number->parts[0];
  }
}

/* ---- regions ---------------------------------------------------------------------------------- */

static uint8_t stack_of(LowWhere where) { return where == WHERE_TEMP ? RESET_TEMP : RESET_OTHER; }

/* How long what is put on that stack there stays: the first loop around that resets it, else the call, or
 * what the caller wants the result for. */
static int region_at(const PlaceLoop *l, LowWhere where) {
  while (l && !((l->label->resets | l->label->numbers) & stack_of(where))) l = l->outer;
  if (l) return (int)l->depth;
  return where == WHERE_TEMP ? LIVES_IN_FUNCTION : LIVES_IN_RESULT;
}

/* Nothing of a cycle of tail calls would stay on f's stack of temporaries. */
static bool gives_back(const PlaceFn *f) {
  bool has_temporaries = false, has_cycles = false;
  for (size_t i = 0; i < f->objects->sites.count; i++)
    has_temporaries |= f->objects->sites.items[i].op->where == WHERE_TEMP;
  for (size_t i = 0; i < f->low->tail_calls.count; i++)
    has_cycles |= f->low->tail_calls.items[i]->is_guarded || f->low->tail_calls.items[i]->op.kind == OP_CALL_VALUE;
  return has_temporaries || !has_cycles;
}

/* For what dies with a round of l. */
static LowWhere where_in_round(const LowLabel *l) {
  uint8_t stack = l->numbers ? l->numbers : l->resets;
  return stack & RESET_TEMP ? WHERE_TEMP : WHERE_OTHER;
}

/* The stack for what lives so long, if there is a region that ends just then. */
static LowWhere where_of(const PlaceFn *f, const PlaceSite *s, bool has_call_region) {
  int lives = place_lives_at(s, 1);
  LowWhere where = WHERE_HEAP;
  if (lives > LIVES_IN_FUNCTION)
    where = where_in_round(place_loop_at(s->loop, (unsigned)lives)->label);
  else if (lives == LIVES_IN_FUNCTION && has_call_region)
    where = WHERE_TEMP;
  else if (lives == LIVES_IN_RESULT && f->low->takes_where && !f->ends_unknown && !f->is_out_of_result)
    where = WHERE_RESULT;
  return where != WHERE_HEAP && region_at(s->loop, where) == lives ? where : WHERE_HEAP;
}

/* ---- results of calls ---------------------------------------------------------------------------- */

/* Numbers that the callee makes for its result may go where the call says that this goes. */
static bool suits(const PlaceFn *f, const PlaceSite *s) {
  LowWhere where = s->op->where;
  if (where == WHERE_HEAP || !s->callee->low->takes_where) return true;
  PlaceSite made = *s;
  made.node = s->number;
  int lives = place_lives_at(&made, 1);
  if (where == WHERE_RESULT) return lives != LIVES_ON_HEAP && !f->is_out_of_result;
  bool is_kept = s->number->kept & 1; /* only what is on the stack for numbers is moved */
  return region_at(s->loop, where) <= lives && !s->op->opens && !is_kept;
}

static void find_misfits(Place *p) {
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < p->all.count; i++) {
      PlaceFn *f = p->all.items[i];
      for (size_t j = 0; j < f->sites.count; j++) {
        PlaceSite *s = &f->sites.items[j];
        if (!s->callee || !s->callee->numbers || s->callee->is_out_of_result || suits(f, s)) continue;
        changed = s->callee->is_out_of_result = true;
      }
    }
  }
}

void place_assign_numbers(Place *p) {
  for (size_t i = 0; i < p->all.count; i++) place_open_rounds(p, p->all.items[i]);
  find_misfits(p);
  for (size_t i = 0; i < p->all.count; i++) {
    const PlaceFn *f = p->all.items[i];
    bool has_call_region = !f->low->lambda || (f->objects->is_dirty && gives_back(f));
    for (size_t j = 0; j < f->sites.count; j++) {
      const PlaceSite *s = &f->sites.items[j];
      if (!s->is_number || s->op->opens || s->op->closes) continue;
      s->op->where = where_of(f, s, has_call_region);
      s->op->makes_number = s->op->where != WHERE_HEAP;
    }
  }
}
