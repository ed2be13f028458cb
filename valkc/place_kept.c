/* place_kept.c - numbers that loops make in each round, and those that they carry round.
 *
 * A loop whose rounds leave one of the stacks as it was may use it for numbers (label->numbers). Rounds do
 * not end by a reset: when 16 KiB have come together, the numbers that go round (label->kept) are moved
 * to the start, the rest is dead (vk_keep_numbers). Leaving the loop resets the stack.
 *
 * That numbers can be moved is because they hold nothing, and because it is known where they are
 * named: in variables of the function that are read in the loop only. What leaves the loop in a copy is copied to
 * the heap if it is in scratch (op->moves_out), once per loop and not per round. So there are no edges in the graph to
 * what is kept, nor from what is moved out. A variable whose value goes elsewhere, into a list or
 * to a function that keeps it, is found when the graph is solved: then it is carried as other values are, on the heap. */
#include "flow.h"
#include "place_parts.h"
#include <string.h>

/* ---- which variables ------------------------------------------------------------------------------ */

typedef struct Carried { /* a variable that holds numbers, perhaps in memory, or errors */
  LowVar *var;
  const LowLabel *declared_in;
  LowLabel *loop; /* assigns it in its rounds, or NULL */
  bool is_begun, is_unfit;
} Carried;

typedef struct Search {
  Place *p;
  PlaceFn *f;
  PtrMap of; /* LowVar -> Carried */
  VEC(Carried *) all;
  bool has_guard; /* running out of memory goes back to before some assignments */
} Search;

static bool is_number(const Place *p, LowFacts facts) {
  return facts.types & (T_BIG | T_FLOAT) && !place_may_be_allocated(p->objects, facts);
}

static bool may_be_kept(const Search *s, const LowVar *v) {
  return v->rep == REP_VALUE && !v->is_box && is_number(s->p, v->facts);
}

static Carried *carried(Search *s, LowVar *v) {
  if (!v || !may_be_kept(s, v)) return NULL;
  Carried *k = ptrmap_get(&s->of, v);
  if (k) return k;
  k = ARENA_NEW(s->p->arena, Carried);
  k->var = v;
  ptrmap_put(&s->of, v, k);
  PUSH(s->p->arena, s->all, k);
  return k;
}

static void note_set(Search *s, const LowStmt *stmt, LowLabel *loop) {
  Carried *k = carried(s, stmt->var);
  if (!k) return;
  if (stmt->is_decl) {
    k->declared_in = loop;
    k->is_begun = true;
  } else if (loop != k->declared_in) {
    if (loop->around != k->declared_in || (k->loop && k->loop != loop)) k->is_unfit = true;
    k->loop = loop;
  }
}

static void find_sets(Search *s, const LowBody *body, LowLabel *loop) {
  for (LowStmt *stmt = body->first; stmt; stmt = stmt->next) {
    const LowOp *op = &stmt->op;
    if (stmt->kind == STMT_DECLARE) {
      Carried *k = carried(s, stmt->var);
      if (k) k->declared_in = loop;
    }
    if (stmt->kind == STMT_SET) note_set(s, stmt, loop);
    if (op->kind == OP_PRIM && !strcmp(op->prim->name, "%guard")) s->has_guard = true;
    for (LowLabel *l = loop; l && place_makes_number(op); l = l->around) l->makes_numbers = true;
    LowLabel *inside = stmt->kind == STMT_LOOP ? stmt->label : loop;
    find_sets(s, &stmt->body, inside);
    find_sets(s, &stmt->other, inside);
  }
}

static bool is_in(const LowLabel *loop, const LowLabel *at) {
  while (at && at != loop) at = at->around;
  return at != NULL;
}

static void note_reads(Search *s, const LowOp *op, const LowLabel *loop) {
  for (size_t i = 0; i < op->count; i++) {
    if (op->args[i].kind == ARG_OP) note_reads(s, op->args[i].op, loop);
    Carried *k = op->args[i].kind == ARG_VAR ? ptrmap_get(&s->of, op->args[i].var) : NULL;
    if (k && !is_in(k->loop, loop)) k->is_unfit = true;
  }
}

static void find_reads(Search *s, const LowBody *body, const LowLabel *loop) {
  for (const LowStmt *stmt = body->first; stmt; stmt = stmt->next) {
    note_reads(s, &stmt->op, loop);
    const LowLabel *inside = stmt->kind == STMT_LOOP ? stmt->label : loop;
    find_reads(s, &stmt->body, inside);
    find_reads(s, &stmt->other, inside);
  }
}

void place_find_kept(Place *p, PlaceFn *f) {
  Search s = {.p = p, .f = f, .of.arena = p->arena};
  for (size_t i = 0; i < f->low->params.count; i++) {
    Carried *k = carried(&s, f->low->params.items[i]);
    if (k) k->is_begun = true;
  }
  find_sets(&s, &f->low->body, NULL);
  find_reads(&s, &f->low->body, NULL);
  f->has_guard |= s.has_guard;
  f->is_passive = s.has_guard || f->low->is_recursive;
  for (size_t i = 0; i < s.all.count && !f->is_passive; i++) {
    const Carried *k = s.all.items[i];
    LowLabel *l = k->loop;
    if (!l || k->is_unfit || !k->is_begun || !l->is_next || !l->makes_numbers || !l->free) continue;
    k->var->kept_in = l;
    PUSH(p->arena, f->kept, k->var);
  }
}

bool place_is_kept(const Place *p, const LowVar *v) { return p->objects && v->kept_in; }

/* ---- edges that are not there ------------------------------------------------------------------------ */

/* The statement copies a number out of the loop around it. */
bool place_moves_out(Place *p, LowStmt *s) {
  if (!p->objects || !p->loop || !p->loop->label->makes_numbers || s->op.kind != OP_COPY) return false;
  if (s->rounds_after & p->loop->bit || p->in->is_passive) return false;
  const LowArg *a = &s->op.args[0];
  if (a->kind != ARG_VAR || a->var->rep != REP_VALUE || a->var->is_box) return false;
  if (!is_number(p, a->facts.types ? a->facts : a->var->facts)) return false;
  return s->op.moves_out = true;
}

/* What flows from one into the other by this need not live any longer. rounds: of loops around the
 * assignment and not the variable, others of which may follow. */
bool place_cuts(Place *p, LowStmt *s, PlaceNode *from, PlaceNode *to, uint64_t rounds) {
  const LowVar *v = to->var;
  if (!p->objects || v->is_box || v->rep != REP_VALUE) return false;
  if (!v->kept_in || !p->loop || p->loop->label != v->kept_in) return place_moves_out(p, s);
  PlaceCut cut = {from, to, rounds};
  PUSH(p->arena, p->in->cuts, cut);
  return true;
}

/* Variables whose values the loop's rounds do not bound: whether there were any. */
bool place_drop_kept(Place *p, PlaceFn *f) {
  bool dropped = false;
  for (size_t i = 0; i < f->kept.count; i++) {
    LowVar *v = f->kept.items[i];
    PlaceNode *n = v->node;
    if (!v->kept_in || !n || n->place != p) continue;
    if (n->lives[0] > (int)n->depth && !n->parts[0] && !n->rounds[0]) continue;
    dropped = true;
    v->kept_in = NULL;
    place_demand(p, n, 0, (int)n->depth, 0, 0, (PlaceWhy){0});
    for (size_t j = 0; j < f->cuts.count; j++)
      if (f->cuts.items[j].to == n) place_flow(p, f->cuts.items[j].from, n, place_copies, f->cuts.items[j].rounds);
  }
  return dropped;
}

/* ---- stacks ------------------------------------------------------------------------------------------ */

static void mark_kept(PlaceNode *n, uint8_t depths) {
  if (!(depths & ~n->kept)) return;
  n->kept |= depths;
  for (const PlaceEdge *e = n->from; e; e = e->next) {
    uint8_t into = 0;
    for (unsigned k = 0; k < DEPTHS; k++)
      if (e->into[k] & n->kept) into |= (uint8_t)(1u << k);
    if (into) mark_kept(e->from, into);
  }
}

static void list_kept(PlaceFn *f, LowLabel *l, Arena *arena) {
  l->kept_count = 0;
  for (size_t i = 0; i < f->kept.count; i++) l->kept_count += f->kept.items[i]->kept_in == l;
  if (l->kept_count) l->kept = ARENA_ARRAY(arena, LowVar *, l->kept_count);
  l->kept_count = 0;
  for (size_t i = 0; i < f->kept.count; i++)
    if (f->kept.items[i]->kept_in == l) l->kept[l->kept_count++] = f->kept.items[i];
}

/* Loops get a stack for numbers where some are made that die with a round, and the round has no reset or may
 * not have one, because of what goes round. Not in recursive functions: their loops are many and short, and
 * each would take a mark. */
void place_open_rounds(Place *p, PlaceFn *f) {
  for (size_t i = 0; i < f->cuts.count; i++)
    if (f->cuts.items[i].to->var->kept_in) mark_kept(f->cuts.items[i].from, 1);
  for (size_t i = 0; i < f->loops.count; i++) list_kept(f, f->loops.items[i]->label, p->arena);
  for (size_t i = 0; i < f->sites.count && !f->is_passive; i++) {
    const PlaceSite *s = &f->sites.items[i];
    int lives = s->is_number ? place_lives_at(s, 1) : LIVES_ON_HEAP;
    if (lives <= LIVES_IN_FUNCTION || s->op->opens || s->op->closes) continue;
    LowLabel *l = place_loop_at(s->loop, (unsigned)lives)->label;
    if (l->free && l->is_next && (l->kept_count || !l->resets)) l->numbers = l->free & RESET_TEMP ? RESET_TEMP : RESET_OTHER;
  }
}
