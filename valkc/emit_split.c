/* emit_split.c - a long text in parts, which C compilers work on at the same time.
 *
 * in:    low, as it will be printed
 * out:   low->part_count, first_calm, first_once; fn->part; fn->is_shared if other parts, or data, name the function
 * keeps: the number of parts depends on the program alone, so the same program gives the same bytes on
 *        every machine
 * cost:  linear
 * trust: build.c compiles part k with -DVK_PART=k; without VK_PART the text is one (rt/vk.h)
 *
 * A part is a run of functions in the order of the text: those that stand together call each other
 * most. What is lost is what a C compiler would inline from one part into another. Calm functions, and
 * those without loops that run once, are in parts of their own, the last ones, which build.c has
 * compiled with less optimisation. Part 0 has all data. */
#include "emit_parts.h"

enum {
  WHOLE_MAX = 1600, /* weight of a text that stays whole: larger than any of bench/kernels */
  BUSY_MAX = 1600, CALM_MAX = 2600, ONCE_MAX = 4000, /* of a part */
  PARTS_MAX = 16,
};

typedef struct Group { /* functions that share parts */
  VEC(LowFn *) fns;
  VEC(size_t) middles; /* weight up to the middle of each */
  size_t weight;
} Group;

/* About proportional to the C compiler's work, which is less for what is printed as a call. */
static size_t weight_of(const LowBody *body) {
  size_t weight = 0;
  for (const LowStmt *s = body->first; s; s = s->next)
    weight += (s->op.is_once || s->op.is_called ? 1 : 2) + weight_of(&s->body) + weight_of(&s->other);
  return weight;
}

static void add_to(Arena *a, Group *g, LowFn *f) {
  size_t weight = weight_of(&f->body) + 1;
  PUSH(a, g->fns, f);
  PUSH(a, g->middles, g->weight + weight / 2);
  g->weight += weight;
}

static void spread(Group *g, unsigned first, unsigned count) {
  for (size_t i = 0; i < g->fns.count; i++)
    g->fns.items[i]->part = first + (unsigned)(g->middles.items[i] * count / g->weight);
}

static unsigned parts_for(const Group *g, size_t weight) {
  size_t count = (g->weight + weight - 1) / weight;
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

enum { BUSY, CALM, ONCE, GROUPS };

static Group *group_of(Group groups[GROUPS], const LowFn *f) {
  return &groups[f->is_once ? ONCE : f->is_calm ? CALM : BUSY];
}

void emit_split(LowProgram *low) {
  Group groups[GROUPS] = {0};
  for (size_t i = 0; i < low->fns.count; i++)
    add_to(low->arena, group_of(groups, low->fns.items[i]), low->fns.items[i]);
  for (size_t i = 0; i < low->tops.count; i++)
    add_to(low->arena, group_of(groups, low->tops.items[i]), low->tops.items[i]);
  if (groups[BUSY].weight + groups[CALM].weight + groups[ONCE].weight <= WHOLE_MAX) return;
  low->first_calm = parts_for(&groups[BUSY], BUSY_MAX);
  low->first_once = low->first_calm + parts_for(&groups[CALM], CALM_MAX);
  low->part_count = low->first_once + parts_for(&groups[ONCE], ONCE_MAX);
  spread(&groups[BUSY], 0, low->first_calm);
  spread(&groups[CALM], low->first_calm, low->first_once - low->first_calm);
  spread(&groups[ONCE], low->first_once, low->part_count - low->first_once);
  for (size_t i = 0; i < GROUPS; i++) share(&groups[i]);
}
