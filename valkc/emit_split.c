/* emit_split.c - a long text in parts, which C compilers work on at the same time.
 *
 * in:    low, as it will be printed
 * out:   low->part_count, first_calm, first_once, part_costs; fn->part; fn->is_shared if other parts, or data, name
 *        the function
 * keeps: the number of parts depends on the program and on whether it is -O1, so the same build gives the
 *        same bytes on every machine
 * cost:  linear
 * trust: build.c compiles part k with -DVK_PART=k; without VK_PART the text is one (rt/vk.h)
 *
 * A part is a run of functions in the order of the text: those that stand together call each other
 * most. What is lost is what a C compiler would inline from one part into another. Calm functions, and
 * those without loops that run once, are in parts of their own, the last ones, which build.c has
 * compiled with less optimisation; with -O1 they are compiled alike, and share parts. Part 0 has all data.
 *
 * Each part costs the C compiler 20 ms for itself, so they are few. Of a group that is more than one part, or is
 * large beside the others, there is an even number: two processors work on them for as long. */
#include "emit_parts.h"

enum {
  WHOLE_MAX = 1600, /* weight of a text that stays whole: larger than any of bench/kernels */
  COST_MAX = 10000, /* of a part */
  SMALL = 4,        /* a group of less than this fraction of all is one part */
  PARTS_MAX = 16,   /* of a group */
};

typedef struct Group { /* functions that share parts */
  VEC(LowFn *) fns;
  VEC(size_t) middles; /* cost up to the middle of each */
  size_t cost;
} Group;

/* About proportional to the C compiler's work, which is less for what is printed as a call. */
static size_t weight_of(const LowBody *body) {
  size_t weight = 0;
  for (const LowStmt *s = body->first; s; s = s->next)
    weight += (s->op.is_once || s->op.is_called ? 1 : 2) + weight_of(&s->body) + weight_of(&s->other);
  return weight;
}

static void add_to(Arena *a, Group *g, LowFn *f, size_t cost) {
  PUSH(a, g->fns, f);
  PUSH(a, g->middles, g->cost + cost / 2);
  g->cost += cost;
}

static void spread(Group *g, unsigned first, unsigned count) {
  for (size_t i = 0; i < g->fns.count; i++)
    g->fns.items[i]->part = first + (unsigned)(g->middles.items[i] * count / g->cost);
}

enum { BUSY, CALM, ONCE, GROUPS };
/* Of a unit of weight: optimised, less, and least but with calls of more arguments. */
static const size_t unit_costs[GROUPS] = {[BUSY] = 4, [CALM] = 2, [ONCE] = 5};

/* is_last: nothing is compiled after this group, so two processors should work on it, even if it is small. */
static unsigned parts_for(size_t cost, size_t all, bool is_last) {
  if (cost == 0) return 0;
  if (cost <= COST_MAX / 4) return 1;
  if (!is_last && (cost < all / SMALL ? cost <= COST_MAX : cost <= COST_MAX / 2)) return 1;
  size_t count = 2 * ((cost + 2 * COST_MAX - 1) / (2 * COST_MAX));
  return count < PARTS_MAX ? (unsigned)count : PARTS_MAX;
}

static void share_callees(LowFn *f, const LowBody *body) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    if (s->op.kind == OP_CALL && s->op.fn->part != f->part) s->op.fn->is_shared = true;
    share_callees(f, &s->body);
    share_callees(f, &s->other);
  }
}

static void share(Group *g) {
  for (size_t i = 0; i < g->fns.count; i++) {
    LowFn *f = g->fns.items[i];
    f->is_shared |= f->is_value || f->is_recursive || f->call_count > 1 || !f->lambda || f->lambda->is_outlined;
    share_callees(f, &f->body);
  }
}

static int group_of(const LowFn *f) { return f->is_once ? ONCE : f->is_calm ? CALM : BUSY; }

/* With -O1 what is calm and what runs once is compiled alike: one group, in even parts. Gives the weight of all. */
static size_t group(LowProgram *low, Group groups[GROUPS]) {
  size_t all = 0, count = low->fns.count;
  for (size_t i = 0; i < count + low->tops.count; i++) {
    LowFn *f = i < count ? low->fns.items[i] : low->tops.items[i - count];
    size_t weight = weight_of(&f->body) + 1;
    int own = group_of(f);
    add_to(low->arena, &groups[own == CALM && low->program->is_soon ? ONCE : own], f, weight * unit_costs[own]);
    all += weight;
  }
  return all;
}

void emit_split(LowProgram *low) {
  Group groups[GROUPS] = {0};
  if (group(low, groups) <= WHOLE_MAX) return;
  size_t all = 0;
  for (int i = 0; i < GROUPS; i++) all += groups[i].cost;
  low->part_costs = ARENA_ARRAY(low->arena, size_t, GROUPS * PARTS_MAX);
  unsigned firsts[GROUPS + 1] = {0};
  for (int i = 0; i < GROUPS; i++) {
    unsigned count = parts_for(groups[i].cost, all, low->program->is_soon && i == ONCE);
    spread(&groups[i], firsts[i], count);
    for (unsigned k = 0; k < count; k++) low->part_costs[firsts[i] + k] = groups[i].cost / count;
    firsts[i + 1] = firsts[i] + count;
  }
  low->first_calm = firsts[CALM];
  low->first_once = firsts[ONCE];
  low->part_count = firsts[GROUPS];
  for (size_t i = 0; i < GROUPS; i++) share(&groups[i]);
}
