/* scratch.c - chunks of the bump stacks (contract: scratch.h). */
#include "scratch.h"
#include "heap_impl.h"
#include "poison.h"
#include "slab.h"
#include "strings.h"
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

/* ---- growing ------------------------------------------------------------------------------ */

static size_t chunk_count(const VkFiber *f) {
  return (size_t)f->scratch_chunks[0] + f->scratch_chunks[1];
}

/* The fiber has all the scratch it may have, or stack s its three quarters. The last quarter is for the other stack: what is kept for long on one would else leave
 * no room for what is given back all the time. */
static bool is_full(const vk *c, int s) {
  size_t arena = c->heap->arena_bytes, own = c->fiber->scratch_chunks[s];
  return (chunk_count(c->fiber) + 1) * VK_SCRATCH_CHUNK_BYTES > arena ||
         (own && (own + 1) * VK_SCRATCH_CHUNK_BYTES > arena / 4 * 3);
}

static void note_full(vk *c) {
  for (int s = 0; s < 2; s++) c->fiber->scratch_is_full[s] = is_full(c, s);
}

/* A new chunk on top of stack s, unless the fiber has all it may have. */
static bool push_chunk(vk *c, int s) {
  VkFiber *f = c->fiber;
  if (is_full(c, s)) {
    note_full(c);
    return false;
  }
  VkSlab *slab = chunk_slab();
  VkScratchChunk *chunk = slab ? vk_slab_take(slab) : NULL;
  if (!chunk) return false;
  chunk->previous = f->scratch[s];
  if (chunk->previous) chunk->previous->top = c->scratch[s].cur;
  f->scratch[s] = chunk;
  f->scratch_chunks[s]++;
  c->scratch[s].cur = chunk_data(chunk);
  c->scratch[s].lim = chunk_end(chunk);
  vk_poison(chunk_data(chunk), (size_t)(chunk_end(chunk) - chunk_data(chunk)));
  note_full(c);
  size_t bytes = chunk_count(f) * VK_SCRATCH_CHUNK_BYTES;
  if (bytes > f->scratch_bytes_max) f->scratch_bytes_max = bytes;
  return true;
}

/* Falls through to the heap. */
V vk_scratch_cons_slow(vk *c, int s, V head, V tail) {
  if (push_chunk(c, s)) return vk_scratch_cons(c, s, head, tail);
  V pair = vk_heap_cons(c, VK_NIL, VK_NIL);
  heap_debug_own(c->heap, VK_PAIR(pair));
  *VK_PAIR(pair) = (VkPair){head, tail};
  return pair;
}

void *vk_scratch_new_slow(vk *c, int s, size_t bytes) {
  if (bytes <= VK_SCRATCH_BYTES_MAX && push_chunk(c, s)) return vk_scratch_new(c, s, bytes);
  void *p = vk_heap_object(c, bytes);
  heap_debug_own(c->heap, p);
  return p;
}

/* ---- where a value goes ------------------------------------------------------------------- */

V vk_cons_slow_on(vk *c, unsigned where, V head, V tail) {
#ifndef VK_DEBUG
  /* Once it is full, this is the usual path. */
  if (VK_LIKELY(where == VK_ON_HEAP || c->fiber->scratch_is_full[where - 1]))
    return vk_heap_cons(c, head, tail);
#else
  if (where == VK_ON_HEAP) return vk_heap_cons(c, head, tail);
#endif
  return vk_scratch_cons_slow(c, (int)where - 1, head, tail);
}
V vk_cons_placed(vk *c, V head, V tail) { return vk_cons_on(c, c->where, head, tail); }

static void *new_on(vk *c, unsigned where, size_t bytes) {
  if (where == VK_ON_HEAP) return vk_heap_object(c, bytes);
  return vk_scratch_new(c, (int)where - 1, bytes);
}
void *vk_new_placed(vk *c, size_t bytes) {
  VkScratch *stack = &c->scratch[c->where - 1];
  size_t rounded = (bytes + 15) & ~(size_t)15;
  if ((size_t)(stack->lim - stack->cur) < rounded &&
      (bytes > VK_SCRATCH_BYTES_MAX || !push_chunk(c, (int)c->where - 1))) {
    void *object = vk_heap_object(c, bytes);
    heap_debug_own(c->heap, object);
    return object;
  }
  char *p = stack->cur;
  stack->cur = p + rounded;
  vk_unpoison(p, rounded);
  for (uint64_t *w = (uint64_t *)p, *end = w + rounded / 8; w < end; w += 2) w[0] = w[1] = 0;
  return p;
}

V vk_closure_on(vk *c, unsigned where, const VkFn *fn, unsigned arity, size_t captured) {
  VkClosure *p = new_on(c, where, sizeof *p + captured * sizeof(V));
  p->hdr = VK_HDR(VK_CLOSURE, arity, captured);
  p->code = fn->code;
  p->fn = fn;
  return VK_FROM_OBJ(p);
}

V vk_box_on(vk *c, unsigned where, V value) {
  VkBox *p = new_on(c, where, sizeof *p);
  p->hdr = VK_HDR(VK_BOX, 0, 0);
  p->value = value;
  return VK_FROM_OBJ(p);
}

/* ---- reset -------------------------------------------------------------------------------- */

static void pop_chunk(vk *c, int s) {
  VkFiber *f = c->fiber;
  VkScratchChunk *chunk = f->scratch[s];
  vk_poison(chunk_data(chunk), (size_t)(c->scratch[s].cur - chunk_data(chunk)));
  f->scratch[s] = chunk->previous;
  f->scratch_chunks[s]--;
  note_full(c);
  c->scratch[s].cur = chunk->previous ? chunk->previous->top : NULL;
  c->scratch[s].lim = chunk->previous ? chunk_end(chunk->previous) : NULL;
  vk_slab_give(atomic_load_explicit(&chunks, memory_order_relaxed), chunk);
}

/* A mark of NULL was taken before the first chunk: that one is kept, empty. */
void vk_scratch_reset_slow(vk *c, int s, char *mark) {
  VkFiber *f = c->fiber;
  if (!f->scratch[s]) return;
  heap_check_stores(c->heap);
  while (f->scratch[s]->previous && ((uintptr_t)mark - 1) >> VK_SCRATCH_SHIFT !=
                                        (uintptr_t)f->scratch[s] >> VK_SCRATCH_SHIFT)
    pop_chunk(c, s);
  if (!mark) mark = chunk_data(f->scratch[s]);
  vk_poison(mark, (size_t)(c->scratch[s].cur - mark));
  c->scratch[s].cur = mark;
}

void vk_scratch_free(vk *c) {
  for (int s = 0; s < 2; s++)
    while (c->fiber->scratch[s]) pop_chunk(c, s);
}

V vk_keep_string(vk *c, V v) {
  if (!VK_IS_KIND(v, VK_STRING)) return v;
  const void *address = (const void *)(v & ~(V)7);
  if (!vk_scratch_owns(address) && !heap_debug_is_owned(c->heap, address)) return v;
  unsigned where = c->where;
  c->where = VK_ON_HEAP;
  v = vk_string(c, VK_STR(v)->bytes, VK_STR(v)->len);
  c->where = where;
  return v;
}

/* ---- looking ------------------------------------------------------------------------------ */

bool vk_scratch_next(vk *c, int s, VkScratchWalk *w, const char **low, const char **high) {
  bool is_newest = !w->is_started, is_running = w->fiber == c->fiber;
  w->chunk = is_newest ? w->fiber->scratch[s] : w->chunk->previous;
  w->is_started = true;
  if (!w->chunk) return false;
  *low = chunk_data(w->chunk);
  const VkScratch *top = is_running ? &c->scratch[s] : &w->fiber->scratch_saved[s];
  *high = is_newest ? top->cur : w->chunk->top;
  return true;
}

size_t vk_scratch_used(vk *c) {
  size_t bytes = 0;
  const char *low, *high;
  for (int s = 0; s < 2; s++) {
    VkScratchWalk w = {.fiber = c->fiber};
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
    VkScratchWalk w = {.fiber = c->fiber};
    const char *low, *high;
    for (; vk_scratch_next(c, s, &w, &low, &high); count++) {
      if (!vk_scratch_owns(w.chunk)) return false;
      if (high < low || high > chunk_end(w.chunk)) return false;
    }
    VkScratchChunk *newest = c->fiber->scratch[s];
    if (c->scratch[s].lim != (newest ? chunk_end(newest) : NULL)) return false;
  }
  return count == chunk_count(c->fiber);
}
