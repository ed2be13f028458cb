/* scratch_space.c - chunks and areas of scratch (contract: scratch_space.h). */
#include "scratch_space.h"
#include "slab.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

/* In one process: 2 GiB of addresses each for chunks and for areas, touched as used. */
enum { CHUNK_COUNT = 1 << 16, AREAS_SHIFT = 31, AREA_COUNT_MAX = 1 << 12 };
#define CHUNKS_BYTES ((size_t)CHUNK_COUNT << VK_SCRATCH_SHIFT)
#define AREAS_BYTES ((size_t)1 << AREAS_SHIFT)
#define SPACE_BYTES (CHUNKS_BYTES + AREAS_BYTES)
/* The pages of an area stay with it if it is one of the first, or has few. */
enum { AREAS_KEPT = 16, AREA_BYTES_KEPT = 256 << 10 };

typedef struct Space {
  char *base;
  uint8_t *clean;
  VkSlab *chunks, *areas;
  size_t area_bytes;
} Space;
static _Atomic(Space *) space;

/* A power of two, so that at least two are there. */
static size_t area_bytes_for(size_t arena_bytes) {
  size_t bytes = AREAS_BYTES / AREA_COUNT_MAX;
  while (bytes < arena_bytes && bytes < AREAS_BYTES / 2) bytes *= 2;
  return bytes;
}

static Space *make_space(size_t arena_bytes) {
  size_t flags = SPACE_BYTES >> VK_SCRATCH_SHIFT, all = SPACE_BYTES + VK_WINDOW_BYTES + flags;
  Space *s = malloc(sizeof *s);
  char *p = s ? mmap(NULL, all, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
              : MAP_FAILED;
  if (p == MAP_FAILED) {
    free(s);
    return NULL;
  }
  s->base =
      (char *)(((uintptr_t)p + VK_WINDOW_BYTES - 1) >> VK_SCRATCH_SHIFT << VK_SCRATCH_SHIFT);
  s->clean = (uint8_t *)s->base + SPACE_BYTES;
  s->area_bytes = area_bytes_for(arena_bytes);
  s->chunks = vk_slab_over("scratch", s->base, VK_WINDOW_BYTES, CHUNK_COUNT);
  s->areas = vk_slab_over("scratch areas", s->base + CHUNKS_BYTES, s->area_bytes,
                          AREAS_BYTES / s->area_bytes);
  return s->chunks && s->areas ? s : NULL;
}

static Space *get_space(size_t arena_bytes) {
  Space *s = atomic_load_explicit(&space, memory_order_acquire), *expected = NULL;
  if (s) return s;
  s = make_space(arena_bytes);
  if (!s || atomic_compare_exchange_strong(&space, &expected, s)) return s;
  return expected; /* another thread was first; what was just made stays unused and untouched */
}

static inline Space *the_space(void) {
  return atomic_load_explicit(&space, memory_order_relaxed);
}

VkScratchChunk *scratch_take_chunk(size_t arena_bytes) {
  Space *s = get_space(arena_bytes);
  return s ? vk_slab_take(s->chunks) : NULL;
}

void scratch_give_chunk(VkScratchChunk *chunk) { vk_slab_give(the_space()->chunks, chunk); }

VkScratchChunk *scratch_take_large(VkScratchArea *a, size_t bytes, size_t arena_bytes) {
  Space *s = get_space(arena_bytes);
  if (!s || bytes > s->area_bytes) return NULL;
  if (!a->base) {
    a->base = a->top = a->touched = vk_slab_take(s->areas);
    if (!a->base) return NULL;
  }
  if (s->area_bytes - (size_t)(a->top - a->base) < bytes) return NULL;
  VkScratchChunk *chunk = (VkScratchChunk *)a->top;
  a->top += bytes;
  if (a->top > a->touched) a->touched = a->top;
  return chunk;
}

void scratch_give_large(VkScratchArea *a, VkScratchChunk *newest) {
  Space *s = the_space();
  size_t touched = (size_t)(a->touched - a->base);
  a->top = (char *)newest;
  if (a->top != a->base) return;
  if (touched > AREA_BYTES_KEPT && vk_slab_index(s->areas, a->base) >= AREAS_KEPT)
    madvise(a->base, touched, MADV_DONTNEED);
  vk_slab_give(s->areas, a->base);
  *a = (VkScratchArea){0};
}

void scratch_note_addresses(VkBarrier *b) {
  const Space *s = the_space();
  b->scratch_base = (uintptr_t)s->base;
  b->scratch_bytes = SPACE_BYTES;
  b->scratch_clean = s->clean;
}

bool scratch_owns(const void *p) {
  const Space *s = the_space();
  return s && (size_t)((const char *)p - s->base) < SPACE_BYTES;
}

uint8_t *scratch_clean_flag(const void *p) {
  const Space *s = the_space();
  return &s->clean[(size_t)((const char *)p - s->base) >> VK_SCRATCH_SHIFT];
}
