/* scratch.c - chunks of the bump stacks (contract: scratch.h). */
#include "scratch.h"
#include "heap.h"
#include "slab.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Chunks in one process: 2 GiB of addresses, touched as used. */
enum { CHUNK_COUNT = 1 << 16 };
static _Atomic(VkSlab *) chunks;

static VkSlab *chunk_slab(void) {
  VkSlab *s = atomic_load_explicit(&chunks, memory_order_acquire), *expected = NULL;
  if (s) return s;
  s = vk_slab_new("scratch", VK_SCRATCH_CHUNK_BYTES, CHUNK_COUNT);
  if (!s || atomic_compare_exchange_strong(&chunks, &expected, s)) return s;
  return expected; /* another thread was first; the pool just made stays unused and untouched */
}

static char *chunk_data(VkScratchChunk *chunk) { return (char *)(chunk + 1); }
static char *chunk_end(VkScratchChunk *chunk) { return (char *)chunk + VK_SCRATCH_CHUNK_BYTES; }

static void poison(char *from, char *to) {
#ifdef VK_DEBUG
  memset(from, 0xDB, (size_t)(to - from)); /* a tail of tag 3: no reference */
#else
  (void)from, (void)to;
#endif
}

/* ---- growing ------------------------------------------------------------------------------ */

/* A new chunk on top of stack s, unless the fiber has all it may have. */
static bool push_chunk(vk *c, int s) {
  VkFiber *f = c->fiber;
  if ((size_t)(f->scratch_chunks + 1) * VK_SCRATCH_CHUNK_BYTES > vk_arena_limit(c))
    return false;
  VkSlab *slab = chunk_slab();
  VkScratchChunk *chunk = slab ? vk_slab_take(slab) : NULL;
  if (!chunk) return false;
  chunk->previous = f->scratch[s];
  if (chunk->previous) chunk->previous->top = c->scratch[s].cur;
  f->scratch[s] = chunk;
  f->scratch_chunks++;
  c->scratch[s].cur = chunk_data(chunk);
  c->scratch[s].lim = chunk_end(chunk);
  size_t bytes = (size_t)f->scratch_chunks * VK_SCRATCH_CHUNK_BYTES;
  if (bytes > f->scratch_bytes_max) f->scratch_bytes_max = bytes;
  return true;
}

/* Falls through to the heap, past the check that vk_cons makes in debug builds. */
V vk_scratch_cons_slow(vk *c, int s, V head, V tail) {
  if (push_chunk(c, s)) return vk_scratch_cons(c, s, head, tail);
  if (c->pairs.cur == c->pairs.lim) return vk_cons_slow(c, head, tail);
  VkPair *p = (VkPair *)c->pairs.cur;
  c->pairs.cur += sizeof *p;
  *p = (VkPair){head, tail};
  return VK_FROM_PAIR(p);
}

void *vk_scratch_new_slow(vk *c, int s, size_t bytes) {
  if (bytes <= VK_SCRATCH_BYTES_MAX && push_chunk(c, s)) return vk_scratch_new(c, s, bytes);
  return vk_new(c, bytes);
}

/* ---- reset -------------------------------------------------------------------------------- */

static void pop_chunk(vk *c, int s) {
  VkFiber *f = c->fiber;
  VkScratchChunk *chunk = f->scratch[s];
  poison(chunk_data(chunk), c->scratch[s].cur);
  f->scratch[s] = chunk->previous;
  f->scratch_chunks--;
  c->scratch[s].cur = chunk->previous ? chunk->previous->top : NULL;
  c->scratch[s].lim = chunk->previous ? chunk_end(chunk->previous) : NULL;
  vk_slab_give(atomic_load_explicit(&chunks, memory_order_relaxed), chunk);
}

/* A mark of NULL was taken before the first chunk: that one is kept, empty. */
void vk_scratch_reset_slow(vk *c, int s, char *mark) {
  VkFiber *f = c->fiber;
  if (!f->scratch[s]) return;
  while (f->scratch[s]->previous && ((uintptr_t)mark - 1) >> VK_SCRATCH_SHIFT !=
                                        (uintptr_t)f->scratch[s] >> VK_SCRATCH_SHIFT)
    pop_chunk(c, s);
  if (!mark) mark = chunk_data(f->scratch[s]);
  poison(mark, c->scratch[s].cur);
  c->scratch[s].cur = mark;
}

void vk_scratch_free(vk *c) {
  for (int s = 0; s < 2; s++)
    while (c->fiber->scratch[s]) pop_chunk(c, s);
}

/* ---- looking ------------------------------------------------------------------------------ */

bool vk_scratch_next(vk *c, int s, VkScratchWalk *w, const char **low, const char **high) {
  bool is_newest = !w->is_started;
  w->chunk = is_newest ? c->fiber->scratch[s] : w->chunk->previous;
  w->is_started = true;
  if (!w->chunk) return false;
  *low = chunk_data(w->chunk);
  *high = is_newest ? c->scratch[s].cur : w->chunk->top;
  return true;
}

size_t vk_scratch_used(vk *c) {
  size_t bytes = 0;
  const char *low, *high;
  for (int s = 0; s < 2; s++) {
    VkScratchWalk w = {0};
    while (vk_scratch_next(c, s, &w, &low, &high)) bytes += (size_t)(high - low);
  }
  return bytes;
}

bool vk_scratch_owns(const void *p) {
  VkSlab *s = atomic_load_explicit(&chunks, memory_order_relaxed);
  return s && vk_slab_owns(s, p);
}

bool scratch_is_valid(vk *c) {
  size_t count = 0;
  for (int s = 0; s < 2; s++) {
    VkScratchWalk w = {0};
    const char *low, *high;
    for (; vk_scratch_next(c, s, &w, &low, &high); count++) {
      if (!vk_scratch_owns(w.chunk)) return false;
      if (high < low || high > chunk_end(w.chunk)) return false;
    }
    VkScratchChunk *newest = c->fiber->scratch[s];
    if (c->scratch[s].lim != (newest ? chunk_end(newest) : NULL)) return false;
  }
  return count == c->fiber->scratch_chunks;
}

#ifdef VK_DEBUG
/* owner: VK_NIL for a new pair. Region-owned objects may point into scratch; a pair that fell
 * through has no header to say so, and is not stored into by what places on scratch. */
void vk_check_store(vk *c, V owner, V v) {
  (void)c;
  if (!(VK_IS_PAIR(v) || VK_IS_OBJ(v) || VK_TAG_ABN == (v & 7))) return;
  if (!vk_scratch_owns((void *)(v & ~(V)7))) return;
  if (owner != VK_NIL) {
    V *object = (V *)(owner & ~(V)7);
    if ((uintptr_t)object - c->barrier.base >= c->barrier.bytes) return;
    if (!VK_IS_PAIR(owner) && *object & VK_REGION) return;
  }
  fprintf(stderr, "a scratch value %#llx is stored on the heap\n", (unsigned long long)v);
  abort();
}
#endif
