/* heap_sweep.c - taking back cells that were not marked, block by block.
 *
 * in:    marks complete; runs retired
 * out:   in each block swept: allocs = marks (I1), free cells can be found, empty blocks are free
 *
 * A minor collection sweeps the blocks allocated into since the one before, at once: they are
 * few and in the cache. After full marking all blocks are UNSWEPT; allocation sweeps them as it
 * needs cells, each minor collection some more, and the next full marking what is left. */
#include "heap_impl.h"
#include "poison.h"
#include <assert.h>
#include <string.h>

/* A block joins the available list only if this part of its cells is free: visiting fuller ones
 * costs more time than their space is worth. */
enum { AVAILABLE_PART = 16 };

#if defined(VK_DEBUG) || defined(VK_HAS_ASAN)
static void poison_free_cells(VkHeap *h, uint32_t b) {
  const SizeClass *s = &h->classes[h->blocks[b].klass];
  const uint64_t *allocs = block_bits(h->allocs, b);
  for (uint32_t i = 0; i < s->cell_count; i++) {
    if (bit_get(allocs, (size_t)i * (s->cell_bytes / GRANULE_BYTES))) continue;
    vk_poison(block_start(h, b) + (size_t)i * s->cell_bytes, s->cell_bytes);
  }
}
#else
static void poison_free_cells(VkHeap *h, uint32_t b) { (void)h, (void)b; }
#endif

/* Bits set in 64, by adding neighbours: the baseline instruction set has none that counts. */
static inline unsigned bit_count(uint64_t x) {
  x -= x >> 1 & UINT64_C(0x5555555555555555);
  x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
  x = (x + (x >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
  return (unsigned)(x * UINT64_C(0x0101010101010101) >> 56);
}

static void free_large(VkHeap *h, uint32_t first) {
  bit_clear(h->allocs, (size_t)first * BLOCK_GRANULES);
  for (uint32_t i = 0, count = h->blocks[first].count; i < count; i++)
    heap_release_block(h, first + i);
}

static void sweep_block(VkHeap *h, uint32_t b) {
  Block *block = &h->blocks[b];
  assert(block->kind != BLOCK_FREE && block->kind != BLOCK_LARGE_REST);
  assert(h->phase == HEAP_IDLE);
  block->flags &= (uint8_t) ~(BLOCK_YOUNG | BLOCK_UNSWEPT | BLOCK_ZERO);
  if (block->kind == BLOCK_LARGE) {
    block->used_cells = bit_get(h->marks, (size_t)b * BLOCK_GRANULES);
    if (!block->used_cells) free_large(h, b);
    return;
  }
  uint64_t *marks = block_bits(h->marks, b), *allocs = block_bits(h->allocs, b);
  size_t used = 0;
  for (unsigned i = 0; i < BLOCK_BITMAP_WORDS; i++) {
    allocs[i] = marks[i];
    used += bit_count(marks[i]);
  }
  block->used_cells = used;
  poison_free_cells(h, b);
  SizeClass *s = &h->classes[block->klass];
  if (!used) {
    heap_release_block(h, b);
  } else if (used <= s->cell_count - s->cell_count / AVAILABLE_PART && used < s->cell_count) {
    block->next = s->available;
    s->available = b;
  }
}

/* Stores into what is left of these blocks must be logged from now on. */
static void clear_young_logs(VkHeap *h, uint32_t b) {
  size_t from = (size_t)b * BLOCK_GRANULES, granules = BLOCK_GRANULES;
  if (h->blocks[b].kind == BLOCK_LARGE) granules = h->blocks[b].bytes / GRANULE_BYTES;
  memset(h->logs + from / 64, 0, (granules + 63) / 64 * sizeof(uint64_t));
}

void heap_sweep_young(VkHeap *h) {
  for (size_t i = h->young_blocks.count; i-- > 0;) { /* so that the first is available first */
    uint32_t b = (uint32_t)h->young_blocks.items[i];
    size_t before = h->blocks[b].used_cells;
    clear_young_logs(h, b);
    sweep_block(h, b);
    h->stats.minor_kept_count += h->blocks[b].used_cells - before;
  }
  h->young_blocks.count = 0;
}

void heap_forget_young(VkHeap *h) {
  for (size_t i = 0; i < h->young_blocks.count; i++) {
    uint32_t b = (uint32_t)h->young_blocks.items[i];
    clear_young_logs(h, b);
    h->blocks[b].flags &= (uint8_t) ~(BLOCK_YOUNG | BLOCK_ZERO);
  }
  h->young_blocks.count = 0;
}

void heap_sweep_begin(VkHeap *h) {
  for (unsigned k = 0; k < CLASS_COUNT; k++) h->classes[k].available = NO_BLOCK;
  for (uint32_t b = 0; b < h->frontier; b++) {
    Block *block = &h->blocks[b];
    if (block->kind == BLOCK_PAIRS || block->kind == BLOCK_CELLS || block->kind == BLOCK_LARGE)
      block->flags |= BLOCK_UNSWEPT;
  }
  h->sweep_next = 0;
  h->sweep_end = h->frontier;
}

bool heap_sweep_some(VkHeap *h, uint32_t most) {
  bool any = false;
  while (most && h->sweep_next < h->sweep_end) {
    uint32_t b = h->sweep_next++;
    if (!(h->blocks[b].flags & BLOCK_UNSWEPT)) continue;
    sweep_block(h, b);
    any = true;
    most--;
  }
  return any;
}

/* ---- each cell ---------------------------------------------------------------------------- */

void heap_each_cell(VkHeap *h, uint32_t b, void (*fn)(VkHeap *, char *, void *), void *to) {
  const Block *block = &h->blocks[b];
  const uint64_t *bits = block_bits(block->flags & BLOCK_UNSWEPT ? h->marks : h->allocs, b);
  if (block->kind == BLOCK_FREE || block->kind == BLOCK_LARGE_REST) return;
  for (size_t i = 0; i < BLOCK_BITMAP_WORDS; i++)
    for (uint64_t word = bits[i]; word; word &= word - 1)
      fn(h, block_start(h, b) + (i * 64 + (size_t)__builtin_ctzll(word)) * GRANULE_BYTES, to);
}
