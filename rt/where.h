/* where.h - the heap or a bump stack: what generated code says where it allocates.
 *
 * Places are VK_ON_HEAP, VK_ON_SCRATCH_0 and VK_ON_SCRATCH_1 (vk.h). A function whose result the
 * caller may want in scratch has the place as its last argument, or begins with vk_take_result; its own
 * temporaries go to VK_TEMPORARIES of that, the other stack. The caller takes marks before calls and resets after them. */
#ifndef VK_WHERE_H
#define VK_WHERE_H
#include "poison.h"
#include "vk.h"

void vk_scratch_reset_slow(vk *c, int s, char *mark);

static inline char *vk_scratch_mark(vk *c, int s) { return c->scratch[s].cur; }

/* Everything allocated on s since the mark dies. Usually the mark is not above cur, and both are in
 * one chunk, or in one 32 KiB of the heap's cells: the second test says both, as a mark at the
 * very end of a chunk is none of the next. */
static inline void vk_scratch_reset(vk *c, int s, char *mark) {
#if !defined(VK_DEBUG) && !defined(VK_HAS_ASAN)
  char *cur = c->scratch[s].cur;
  if (VK_LIKELY((uintptr_t)cur - (uintptr_t)mark <=
                (((uintptr_t)cur - 1) & (((uintptr_t)1 << VK_SCRATCH_SHIFT) - 1)))) {
    c->scratch[s].cur = mark;
    return;
  }
#endif
  vk_scratch_reset_slow(c, s, mark);
}

V vk_cons_slow_on(vk *c, unsigned where, V head, V tail);
V vk_cons_checked_on_slow(vk *c, unsigned where, V x, V l, const VkPos *pos) VK_COLD;
static inline V vk_cons_on(vk *c, unsigned where, V head, V tail) {
  VkRun *run = &c->bump[where];
  char *p = run->cur;
  if (VK_UNLIKELY(p == run->lim)) return vk_cons_slow_on(c, where, head, tail);
  run->cur = p + sizeof(VkPair);
  vk_unpoison(p, sizeof(VkPair));
  ((VkPair *)p)->head = head;
  ((VkPair *)p)->tail = tail;
  return VK_FROM_PAIR(p);
}
#define VK_NEEDS_TAIL(l) (VK_IS_PAIR(l) || (l) == VK_NIL)
static inline V vk_op_cons_checked_on(vk *c, unsigned where, V x, V l, const VkPos *pos) {
  return VK_LIKELY(VK_NEEDS_TAIL(l)) ? vk_cons_on(c, where, x, l) : vk_cons_checked_on_slow(c, where, x, l, pos);
}
static inline V vk_op_pair_on(vk *c, unsigned where, V x, V tail, const VkPos *pos) {
  (void)pos;
  return vk_cons_on(c, where, x, tail);
}
static inline V vk_op_qq_cons_on(vk *c, unsigned where, V x, V rest, const VkPos *pos) {
  if (VK_UNLIKELY(VK_IS_ABN(x) || VK_IS_ABN(rest))) return vk_qq_cons_slow(c, x, rest, pos);
  return vk_cons_on(c, where, x, rest);
}
/* n pairs in a row, or NULL: a list of known length needs one test. */
static inline VkPair *vk_cells(vk *c, unsigned where, size_t n) {
#ifdef VK_DEBUG /* what is stored is checked */
  (void)c, (void)where, (void)n;
  return NULL;
#else
  VkRun *run = &c->bump[where];
  char *p = run->cur;
  if (VK_UNLIKELY((size_t)(run->lim - p) < n * sizeof(VkPair))) return NULL;
  run->cur = p + n * sizeof(VkPair);
  vk_unpoison(p, n * sizeof(VkPair));
  return (VkPair *)vk_as_cell(p);
#endif
}
/* As many as there is room for at once, at most *n, which becomes their number; NULL: none. */
static inline VkPair *vk_cells_some(vk *c, unsigned where, size_t *n) {
  size_t room = (size_t)(c->bump[where].lim - c->bump[where].cur) / sizeof(VkPair);
  if (*n > room) *n = room;
  return *n ? vk_cells(c, where, *n) : NULL;
}
V vk_list_slow(vk *c, unsigned where, size_t n, V a, V b, V d, V e) VK_COLD;
static inline V vk_list2(vk *c, unsigned where, V a, V b) {
  VkPair *p = vk_cells(c, where, 2);
  if (VK_UNLIKELY(!p)) return vk_list_slow(c, where, 2, a, b, VK_NIL, VK_NIL);
  p[0].head = a, p[0].tail = VK_FROM_PAIR(p + 1);
  p[1].head = b, p[1].tail = VK_NIL;
  return VK_FROM_PAIR(p);
}
static inline V vk_list3(vk *c, unsigned where, V a, V b, V d) {
  VkPair *p = vk_cells(c, where, 3);
  if (VK_UNLIKELY(!p)) return vk_list_slow(c, where, 3, a, b, d, VK_NIL);
  p[0].head = a, p[0].tail = VK_FROM_PAIR(p + 1);
  p[1].head = b, p[1].tail = VK_FROM_PAIR(p + 2);
  p[2].head = d, p[2].tail = VK_NIL;
  return VK_FROM_PAIR(p);
}
static inline V vk_list4(vk *c, unsigned where, V a, V b, V d, V e) {
  VkPair *p = vk_cells(c, where, 4);
  if (VK_UNLIKELY(!p)) return vk_list_slow(c, where, 4, a, b, d, e);
  p[0].head = a, p[0].tail = VK_FROM_PAIR(p + 1);
  p[1].head = b, p[1].tail = VK_FROM_PAIR(p + 2);
  p[2].head = d, p[2].tail = VK_FROM_PAIR(p + 3);
  p[3].head = e, p[3].tail = VK_NIL;
  return VK_FROM_PAIR(p);
}
V vk_closure_on(vk *c, unsigned where, const VkFn *fn, unsigned arity, size_t captured);
V vk_box_on(vk *c, unsigned where, V value);
static inline char *vk_mark(vk *c, unsigned where) { return c->bump[where].cur; }
/* The mark of a loop's rounds. One of a stack without a chunk would let each round reset the slow way. */
char *vk_first_mark(vk *c, unsigned where) VK_COLD;
static inline char *vk_round_mark(vk *c, unsigned where) {
  char *mark = vk_mark(c, where);
  return VK_LIKELY(mark) ? mark : vk_first_mark(c, where);
}
static inline void vk_reset_to(vk *c, unsigned where, char *mark) {
  vk_scratch_reset(c, (int)where - 1, mark);
}
/* Numbers that a loop makes: since base, which begins as the mark at its start. */
#ifdef VK_DEBUG /* often */
enum { VK_MANY_BYTES = 64 };
#else
enum { VK_MANY_BYTES = 1 << (VK_SCRATCH_SHIFT - 1) };
#endif
#define VK_ARE_MANY(c, where, base) ((size_t)((c)->bump[where].cur - (base)) > VK_MANY_BYTES)
/* Of what is on that stack since the mark, only these numbers stay (others may be among them), and are moved. Gives
 * the next base. */
char *vk_keep_numbers(vk *c, unsigned where, char *mark, size_t count, V *kept) VK_COLD;
static inline void vk_leave_numbers(vk *c, unsigned where, char *mark) {
  if (VK_UNLIKELY(c->bump[where].cur != mark)) vk_scratch_reset_slow(c, (int)where - 1, mark);
}
/* v, or if that is a number in scratch, the same on the heap. */
V vk_number_out_slow(vk *c, V v) VK_COLD;
static inline V vk_number_out(vk *c, V v) { return VK_LIKELY(VK_IS_FIX(v)) ? v : vk_number_out_slow(c, v); }
/* The place to tell runtime C: `where`, unless it is full. */
#define VK_OPEN(c, where) ((unsigned)(where) & ~(c)->full)
/* The place of the result of the function that begins here. */
static inline unsigned vk_take_result(vk *c) {
  unsigned where = c->result_where;
  c->result_where = VK_ON_HEAP;
  return where;
}
/* Where the temporaries of a function go whose result goes to `where`: the other stack. */
#define VK_TEMPORARIES(where) (2u - ((where) >> 1))

#endif
