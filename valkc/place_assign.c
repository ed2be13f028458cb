/* place_assign.c - from lifetimes to stacks: which of the two, and what is reset when.
 *
 * A function's temporaries are on TEMP, the stack its result is not on; what a loop makes for one
 * round is on the stack that has nothing from it which outlives the round, so each round can end by
 * resetting that stack. If both have such things, the round's own go to the heap. After a call the
 * caller resets the stack that the callee's temporaries were on. */
#include "place_parts.h"

/* ---- how long ------------------------------------------------------------------------------- */

int place_lives_at(const PlaceSite *s, uint8_t depths) {
  int lives = s->loop ? (int)s->loop->depth : LIVES_IN_FUNCTION;
  if (s->is_fixed) return LIVES_ON_HEAP;
  for (unsigned k = 0; k < DEPTHS; k++) {
    if (!(depths >> k & 1)) continue;
    if (s->node->rounds[k] & s->rounds) return LIVES_ON_HEAP;
    if (s->node->lives[k] < lives) lives = s->node->lives[k];
  }
  return lives;
}

int place_lives(const PlaceSite *s) { return place_lives_at(s, s->fresh); }

unsigned place_first_fresh(const PlaceSite *s) {
  unsigned k = 0;
  while (k < DEPTHS && !(s->fresh >> k & 1)) k++;
  return k;
}

/* On the heap with all that it holds; false if that was so already. */
static bool force(Place *p, PlaceSite *s, const char *why) {
  unsigned k = place_first_fresh(s);
  unsigned on_heap = k; /* what is new and deeper may be there already: that is the reason then */
  while (on_heap < DEPTHS && !((s->fresh >> on_heap & 1) && s->node->lives[on_heap] == LIVES_ON_HEAP)) on_heap++;
  if (on_heap == k || k == DEPTHS) return false;
  p->stmt = s->stmt;
  if (on_heap < DEPTHS) place_demand(p, s->node, k, LIVES_ON_HEAP, 0, 0, s->node->why[on_heap]);
  else place_heap(p, s->node, k, place_reason(p, s->op->pos, "%s", why));
  return true;
}

/* ---- stacks ----------------------------------------------------------------------------------- */

const PlaceLoop *place_loop_at(const PlaceLoop *l, unsigned depth) {
  while (l && l->depth > depth) l = l->outer;
  return l;
}

/* RESET_TEMP or RESET_OTHER: the stack of what lives so long, seen from inside loop l. */
static uint8_t stack_of(const PlaceLoop *l, int lives) {
  if (lives == LIVES_IN_RESULT) return RESET_OTHER;
  if (lives <= LIVES_IN_FUNCTION) return RESET_TEMP;
  return place_loop_at(l, (unsigned)lives)->stack;
}

static void choose_stacks(PlaceFn *f) {
  unsigned deepest = 0;
  for (size_t i = 0; i < f->loops.count; i++) {
    f->loops.items[i]->survivors = 0;
    if (f->loops.items[i]->depth > deepest) deepest = f->loops.items[i]->depth;
  }
  for (unsigned depth = 1; depth <= deepest; depth++) {
    for (size_t i = 0; i < f->sites.count; i++) {
      const PlaceSite *s = &f->sites.items[i];
      PlaceLoop *l = (PlaceLoop *)place_loop_at(s->loop, depth);
      if (!s->fresh || !l || l->depth != depth || !(s->stmt->resets_after & l->bit)) continue;
      int lives = place_lives(s);
      if (lives != LIVES_ON_HEAP && lives < (int)depth) l->survivors |= stack_of(l, lives);
    }
    for (size_t i = 0; i < f->loops.count; i++) {
      PlaceLoop *l = f->loops.items[i];
      if (l->depth != depth) continue;
      l->is_full = l->survivors == (RESET_TEMP | RESET_OTHER);
      l->stack = l->survivors & RESET_TEMP ? RESET_OTHER : RESET_TEMP;
    }
  }
}

/* A tail call makes what it makes where this function's result goes. What must be elsewhere, as it is
 * stored into an argument, is on the heap if the result is. */
static bool settle_tail(Place *p, PlaceFn *f, PlaceSite *s, int lives) {
  if (!s->callee || !s->stmt->is_tail || !place_is_in_params(s->callee->fresh) || f->ends_unknown) return false;
  if (lives == LIVES_IN_RESULT) return false;
  f->ends_unknown = true;
  force(p, s, "stored by a function called last");
  return true;
}

bool place_settle(Place *p, PlaceFn *f) {
  bool forced = false;
  for (size_t i = 0; i < f->sites.count; i++) {
    PlaceSite *s = &f->sites.items[i];
    if (!s->fresh) continue;
    int lives = place_lives(s);
    if (lives == LIVES_ON_HEAP) forced |= force(p, s, "carried from one round to the next");
    if (lives == LIVES_IN_RESULT && f->ends_unknown)
      forced |= force(p, s, "part of the result of a function that may end in a call of an unknown one");
    forced |= settle_tail(p, f, s, lives);
  }
  if (forced) return true;
  choose_stacks(f);
  for (size_t i = 0; i < f->sites.count; i++) {
    PlaceSite *s = &f->sites.items[i];
    int lives = s->fresh ? place_lives(s) : LIVES_ON_HEAP;
    if (lives > LIVES_IN_FUNCTION && place_loop_at(s->loop, (unsigned)lives)->is_full)
      forced |= force(p, s, "for one round of a loop that builds up two things");
  }
  return forced;
}

/* ---- functions ---------------------------------------------------------------------------------- */

static LowWhere where_of(const PlaceSite *s) {
  int lives = place_lives(s);
  if (!s->fresh || lives == LIVES_ON_HEAP) return WHERE_HEAP;
  if (lives == LIVES_IN_RESULT) return WHERE_RESULT;
  return stack_of(s->loop, lives) == RESET_TEMP ? WHERE_TEMP : WHERE_OTHER;
}

/* What a round makes for the result before it returns may be on the stack that the rounds reset: then returns
 * do not, and what else is on it stays as long as the result. */
static void keep_at_returns(PlaceFn *f, const PlaceSite *s) {
  f->low->takes_where = true;
  for (const PlaceLoop *l = s->loop; l; l = l->outer)
    if (!(s->stmt->resets_after & l->bit)) l->label->is_kept_at_return = true;
}

/* Stacks that nothing made in a loop's rounds is on; what is made on a way out counts here. */
static void note_free(PlaceFn *f) {
  for (size_t i = 0; i < f->loops.count; i++)
    f->loops.items[i]->label->free = (RESET_TEMP | RESET_OTHER) & (uint8_t)~f->loops.items[i]->label->resets;
  for (size_t i = 0; i < f->sites.count; i++) {
    const PlaceSite *s = &f->sites.items[i];
    int lives = s->fresh ? place_lives(s) : LIVES_ON_HEAP;
    for (const PlaceLoop *l = s->loop; l && lives != LIVES_ON_HEAP; l = l->outer)
      if (lives < (int)l->depth) l->label->free &= (uint8_t)~stack_of(l, lives);
  }
}

static void assign_fn(PlaceFn *f) {
  choose_stacks(f);
  for (size_t i = 0; i < f->sites.count; i++) {
    PlaceSite *s = &f->sites.items[i];
    s->op->where = where_of(s);
    if (s->op->where == WHERE_RESULT) keep_at_returns(f, s);
    if (s->op->where != WHERE_TEMP && s->op->where != WHERE_OTHER) continue;
    int lives = place_lives(s);
    if (lives > LIVES_IN_FUNCTION) {
      const PlaceLoop *l = place_loop_at(s->loop, (unsigned)lives);
      l->label->resets |= l->stack;
    }
    if (s->op->where == WHERE_TEMP) f->is_dirty = true;
  }
  note_free(f);
}

/* Tail calls hand the place of the result on, and leave what they leave to the same caller. */
static bool spread_tails(Place *p) {
  bool changed = false;
  for (size_t i = 0; i < p->all.count; i++) {
    PlaceFn *f = p->all.items[i];
    bool was_dirty = f->is_dirty, took = f->low->takes_where;
    if (f->ends_unknown && p->is_dirty_unknown) f->is_dirty = true;
    for (size_t j = 0; j < f->sites.count; j++) {
      PlaceSite *s = &f->sites.items[j];
      if (!s->callee || !s->stmt->is_tail) continue;
      PlaceFn *g = s->callee;
      if (g->is_dirty) f->is_dirty = true;
      if (g->low->takes_where && !f->ends_unknown) f->low->takes_where = true;
      if (f->low->takes_where && g->is_dirty && !g->low->takes_where && !g->ends_unknown)
        changed = g->low->takes_where = true;
    }
    changed |= was_dirty != f->is_dirty || took != f->low->takes_where;
  }
  return changed;
}

static uint8_t resets_of_call(const PlaceSite *s) {
  const PlaceFn *g = s->callee;
  if (!g->is_dirty) return 0;
  if (!g->low->takes_where || s->op->where == WHERE_HEAP) return RESET_DEFAULT;
  return s->op->where == WHERE_OTHER ? RESET_TEMP : s->op->where == WHERE_TEMP ? RESET_OTHER : RESET_TEMP;
}

/* ---- values that the next statement uses up ---------------------------------------------------- */

static bool stores_new(const PlaceFn *f) { return place_is_in_params(f->fresh); }

/* It may store something new, or of one argument, in an argument. */
static bool stores(const PlaceFn *f) {
  for (unsigned i = 0; i <= f->param_count; i++)
    for (unsigned k = 0; f->params[i] && k < DEPTHS; k++) {
      PlaceParts own = SLOT_PARAMS + i < SLOTS_MAX ? place_part(SLOT_PARAMS + i, k) : 0;
      if (place_is_in_params(f->params[i]->parts[k] & ~own)) return true;
    }
  return stores_new(f);
}

static bool is_stored_by(const LowOp *op) {
  return op->kind == OP_PRIM && (op->prim->flags & PRIM_STORES || op->where != WHERE_HEAP);
}

/* (len (make n)): what the first made, of whatever size, is dead behind the second. */
static void close_after_use(Place *p, const PlaceSite *s) {
  LowStmt *user = s->stmt->next;
  if (s->callee && stores_new(s->callee)) return;
  bool is_large = s->callee || (s->op->kind == OP_PRIM && s->op->count != 2);
  if (s->stmt->kind != STMT_SET || !s->stmt->is_decl || &s->stmt->op != s->op || s->stmt->is_tail) return;
  if (!is_large || !user || user->kind != STMT_SET || s->stmt->var->read_count != 1 || s->stmt->var->is_box) return;
  if (user->op.kind == OP_CALL && stores(place_fn(p, user->op.fn))) return;
  if (user->op.kind != OP_CALL && (user->op.kind != OP_PRIM || is_stored_by(&user->op))) return;
  bool is_used = false;
  for (size_t i = 0; i < user->op.count; i++)
    is_used |= user->op.args[i].kind == ARG_VAR && user->op.args[i].var == s->stmt->var;
  const LowVar *result = user->var;
  bool is_scalar = result->rep != REP_VALUE || !place_may_be_allocated(p, user->op.facts);
  if (!is_used || !is_scalar || user->op.closes) return;
  s->op->opens = user->op.closes = s->op->where == WHERE_TEMP ? RESET_TEMP : RESET_OTHER;
}

static void finish_fn(Place *p, PlaceFn *f) {
  bool has_temporaries = false;
  for (size_t i = 0; i < f->sites.count; i++) {
    PlaceSite *s = &f->sites.items[i];
    if (s->op->where == WHERE_TEMP) has_temporaries = true;
    if (s->callee && !s->stmt->is_tail) s->op->resets = resets_of_call(s);
    bool is_temporary = s->op->where == WHERE_TEMP || s->op->where == WHERE_OTHER;
    if (is_temporary && !s->loop) close_after_use(p, s);
    if (s->callee && s->stmt->is_tail) s->op->where = f->low->takes_where ? WHERE_RESULT : WHERE_HEAP;
  }
  for (size_t i = 0; p->is_dirty_unknown && i < f->unknown_calls.count; i++)
    f->unknown_calls.items[i]->op.resets = RESET_DEFAULT;
  for (size_t i = 0; has_temporaries && i < f->low->tail_calls.count; i++) {
    LowStmt *s = f->low->tail_calls.items[i];
    if (!s->is_guarded && s->op.kind != OP_CALL_VALUE) continue;
    s->op.resets = RESET_TEMP;
    f->low->has_entry_mark = true;
  }
}

bool place_is_shown(const PlaceSite *s) { return s->fresh && !s->callee; }

static void number_sites(Place *p) {
  unsigned number = 0;
  for (size_t i = 0; i < p->all.count; i++)
    for (size_t j = 0; j < p->all.items[i]->sites.count; j++) {
      PlaceSite *s = &p->all.items[i]->sites.items[j];
      if (place_is_shown(s)) s->op->site = ++number;
    }
}

void place_assign(Place *p) {
  for (size_t i = 0; i < p->all.count; i++) assign_fn(p->all.items[i]);
  do {
    for (size_t i = 0; i < p->all.count; i++)
      if (p->all.items[i]->low->is_value && p->all.items[i]->is_dirty) p->is_dirty_unknown = true;
  } while (spread_tails(p));
  for (size_t i = 0; i < p->all.count; i++) finish_fn(p, p->all.items[i]);
  if (p->low->program->is_profiled) number_sites(p);
}
