/* alloc.h - allocation fast paths and the store barrier (included by vk.h).
 *
 * A run of free cells is filled by bumping a pointer; cur and lim meet exactly at its end.
 *
 * The barrier. An object is young until the next collection point, which any allocation or call
 * may be; plain stores initialise it. Every store that may come later goes through vk_write:
 * it logs the granule (16 bytes) of an old object stored into, once per cycle, for the minor
 * collection (a young value may be there) and, while full marking is under way, saves what
 * stood there. `logged` has a bit per granule: set for young cells and for those done. A store
 * into scratch lets the next collection look at the 32 KiB around it again. */
#ifndef VK_ALLOC_H
#define VK_ALLOC_H

enum { VK_SCRATCH_SHIFT = 15 }; /* log2 of the alignment of chunks of scratch: scratch.h */

/* The next run, or a cell of its own: may collect. Never fail to the caller: passing the hard
 * limit ends the fiber with an error, the main program with a message (vk_try_new in heap.h can say no). */
V vk_cons_slow(vk *c, V head, V tail);
void *vk_new_slow(vk *c, size_t bytes);
void vk_write_slow(vk *c, V *slot);
#ifdef VK_DEBUG
void vk_check_store(vk *c, V owner, V v); /* heap_debug.c: the heap must not point into scratch */
#define VK_CHECK_STORE(c, owner, v) vk_check_store(c, owner, v)
#define VK_CHECKS_STORES 1
#else
#define VK_CHECKS_STORES 0
#define VK_CHECK_STORE(c, owner, v) ((void)0)
#endif

/* What tags say, said to the C compiler: it then drops tests of them. */
#if defined __GNUC__ && !defined __TINYC__
static inline char *vk_as_cell(char *p) { return __builtin_assume_aligned(p, 16); }
static inline V vk_as_pair(V v) { return VK_FROM_PAIR(vk_as_cell((char *)v - 1)); }
#else
#define vk_as_cell(p) (p)
#define vk_as_pair(v) (v)
#endif

/* A new pair on the heap. Requires: tail is nil or a pair. */
static inline V vk_heap_cons(vk *c, V head, V tail) {
  char *p = vk_as_cell(c->pairs.cur);
  VK_CHECK_STORE(c, VK_NIL, head);
  VK_CHECK_STORE(c, VK_NIL, tail);
  if (VK_UNLIKELY(p == c->pairs.lim)) return vk_as_pair(vk_cons_slow(c, head, tail));
  c->pairs.cur = p + sizeof(VkPair);
  ((VkPair *)p)->head = head;
  ((VkPair *)p)->tail = tail;
  return VK_FROM_PAIR(p);
}

/* A zeroed object of `bytes` (rounded up to 16): the caller writes header and fields
 * before anything else may allocate; until then plain stores initialise it. */
static inline void *vk_heap_object(vk *c, size_t bytes) {
  size_t k = (bytes + 15) / 16;
  if (k < VK_CELL_CLASSES) {
    char *p = c->cells[k].cur;
    if (VK_LIKELY(p != c->cells[k].lim)) {
      c->cells[k].cur = p + k * 16;
      return p;
    }
  }
  return vk_new_slow(c, bytes);
}

/* Runtime C allocates where it is told (c->where, vk.h); generated code says where in each place,
 * and means the heap by these. */
#ifdef VK_RUNTIME
#include "poison.h"
void *vk_new_placed(vk *c, size_t bytes); /* scratch.c */
V vk_cons_placed_slow(vk *c, V head, V tail);
static inline V vk_cons(vk *c, V head, V tail) {
  VkRun *run = &c->bump[c->where];
  char *p = vk_as_cell(run->cur);
  if (VK_CHECKS_STORES || VK_UNLIKELY(p == run->lim)) return vk_as_pair(vk_cons_placed_slow(c, head, tail));
  run->cur = p + sizeof(VkPair);
  vk_unpoison(p, sizeof(VkPair));
  ((VkPair *)p)->head = head;
  ((VkPair *)p)->tail = tail;
  return VK_FROM_PAIR(p);
}
static inline void *vk_new(vk *c, size_t bytes) {
  if (VK_UNLIKELY(c->where != VK_ON_HEAP)) return vk_new_placed(c, bytes);
  return vk_heap_object(c, bytes);
}
#else
static inline V vk_cons(vk *c, V head, V tail) { return vk_heap_cons(c, head, tail); }
static inline void *vk_new(vk *c, size_t bytes) { return vk_heap_object(c, bytes); }
#endif

/* Store v into a field of an object that may be old. owner: the tagged value of the object, on
 * the heap or not. */
static inline void vk_write(vk *c, V owner, V *slot, V v) {
  (void)owner;
  VK_CHECK_STORE(c, owner, v);
  if (c->barrier.tags >> (v & 7) & 1) {
    size_t offset = (uintptr_t)slot - c->barrier.base;
    if (offset < c->barrier.bytes) {
      if (!(c->barrier.logged[offset >> 7] >> (offset >> 4 & 7) & 1)) vk_write_slow(c, slot);
    } else if ((offset = (uintptr_t)slot - c->barrier.scratch_base) < c->barrier.scratch_bytes) {
      c->barrier.scratch_clean[offset >> VK_SCRATCH_SHIFT] = 0;
    }
  }
  *slot = v;
}
#endif
