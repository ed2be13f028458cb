/* emit_split.c - a long text in parts, which C compilers work on at the same time.
 *
 * in:    low, as it will be printed
 * out:   low->part_count; fn->part; fn->is_shared if other parts, or data, name the function
 * keeps: the number of parts depends on the program alone, so the same program gives the same bytes on
 *        every machine
 * cost:  linear
 * trust: build.c compiles part k with -DVK_PART=k; without VK_PART the text is one (rt/vk.h)
 *
 * A part is a run of functions in the order of the text: those that stand together call each other
 * most. What is lost is what a C compiler would inline from one part into another. Part 0 has all data. */
#include "emit_parts.h"

enum {
  WHOLE_MAX = 1600, /* weight of a text that stays whole: larger than any of bench/kernels */
  PART_MAX = 2600,
  PARTS_MAX = 16,
};

/* About proportional to the C compiler's work: what runs once is printed as calls. */
static size_t weight_of(const LowBody *body) {
  size_t weight = 0;
  for (const LowStmt *s = body->first; s; s = s->next)
    weight += (s->op.is_once ? 1 : 2) + weight_of(&s->body) + weight_of(&s->other);
  return weight;
}

static void share_callees(LowFn *f, const LowBody *body) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    if (s->op.kind == OP_CALL && s->op.fn->part != f->part) s->op.fn->is_shared = true;
    share_callees(f, &s->body);
    share_callees(f, &s->other);
  }
}

/* Even, as two processors are the least one finds. */
static unsigned parts_of(size_t weight) {
  size_t pairs = (weight + 2 * PART_MAX - 1) / (2 * PART_MAX);
  if (weight <= WHOLE_MAX) return 1;
  return pairs * 2 < PARTS_MAX ? (unsigned)pairs * 2 : PARTS_MAX;
}

void emit_split(LowProgram *low) {
  VEC(LowFn *) all = {0};
  VEC(size_t) ends = {0}; /* weight up to the middle of each function */
  size_t total = 0;
  for (size_t i = 0; i < low->fns.count + low->tops.count; i++) {
    LowFn *f = i < low->fns.count ? low->fns.items[i] : low->tops.items[i - low->fns.count];
    size_t weight = weight_of(&f->body) + 1;
    PUSH(low->arena, all, f);
    PUSH(low->arena, ends, total + weight / 2);
    total += weight;
  }
  low->part_count = parts_of(total);
  for (size_t i = 0; i < all.count; i++) {
    LowFn *f = all.items[i];
    f->part = (unsigned)(ends.items[i] * low->part_count / total);
    f->is_shared = f->is_value || f->is_recursive || f->call_count > 1 || !f->lambda;
  }
  for (size_t i = 0; i < all.count; i++) share_callees(all.items[i], &all.items[i]->body);
}
