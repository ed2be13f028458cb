/* heap_alloc.c - slow paths of allocation: the next free run, medium and large objects.
 *
 * A run is a row of free cells in one block. While it is current all its cells count as
 * allocated (and logged; and marked, while marking is under way); heap_retire_runs takes back
 * what was not used. Runs are short (8 KiB, pairs 32) so that zeroing stays in the cache. */
#include "heap_impl.h"
#include "poison.h"
#include "scratch.h"
#include <assert.h>
#include <string.h>

void heap_young_block(VkHeap *h, uint32_t b) {
  if (h->blocks[b].flags & BLOCK_YOUNG) return;
  h->blocks[b].flags |= BLOCK_YOUNG;
  words_push(&h->young_blocks, b);
}

/* ---- runs --------------------------------------------------------------------------------- */

/* The first cell at or after `cell` of which the bit is `value`, or the cell count. */
static uint32_t next_cell(const SizeClass *s, const uint64_t *bits, uint32_t cell, bool value) {
  uint32_t step = s->cell_bytes / GRANULE_BYTES;
  if (step > 1) {
    while (cell < s->cell_count && bit_get(bits, (size_t)cell * step) != value) cell++;
    return cell;
  }
  while (cell < s->cell_count) {
    uint64_t word = (value ? bits[cell / 64] : ~bits[cell / 64]) >> (cell % 64);
    if (word) return cell + (uint32_t)__builtin_ctzll(word);
    cell = (cell / 64 + 1) * 64;
  }
  return s->cell_count;
}

/* Sets or clears the bits of these cells. */
static void fill_cells(const SizeClass *s, uint64_t *bits, uint32_t from, uint32_t to,
                       bool value) {
  uint32_t step = s->cell_bytes / GRANULE_BYTES;
  if (step == 1) {
    bits_fill(bits, from, to, value);
    return;
  }
  for (uint32_t i = from; i < to; i++) {
    if (value)
      bit_set(bits, (size_t)i * step);
    else
      bit_clear(bits, (size_t)i * step);
  }
}

/* Cells [from, to) of a block count as allocated from now on. */
static inline void take_cells(VkHeap *h, const SizeClass *s, uint32_t b, uint32_t from, uint32_t to) {
  uint32_t step = s->cell_bytes / GRANULE_BYTES;
  size_t bytes = (size_t)(to - from) * s->cell_bytes;
  fill_cells(s, block_bits(h->allocs, b), from, to, true);
  bits_fill(block_bits(h->logs, b), (size_t)from * step, (size_t)to * step, true);
  if (h->phase == HEAP_MARKING) {
    fill_cells(s, block_bits(h->marks, b), from, to, true);
    h->live_bytes += bytes;
  }
  heap_young_block(h, b);
  h->budget -= (int64_t)bytes;
}

/* Make cells [from, to) of the current block the run of the class. */
static void begin_run(VkHeap *h, SizeClass *s, uint32_t from, uint32_t to) {
  uint32_t b = s->current;
  size_t bytes = (size_t)(to - from) * s->cell_bytes;
  assert(from < to && to <= s->cell_count);
  assert(s->run->cur == s->run->lim);
  take_cells(h, s, b, from, to);
  char *start = block_start(h, b) + (size_t)from * s->cell_bytes;
  vk_unpoison(start, bytes);
  heap_debug_run_begins(h, s, start, bytes);
  if (s != &h->classes[CLASS_PAIRS] && s < &h->classes[CLASS_MEDIUM] &&
      !(h->blocks[b].flags & BLOCK_ZERO))
    memset(start, 0, bytes); /* I5; medium objects are cleared one by one */
  *s->run = (VkRun){start, start + bytes};
}

/* The next run of the current block, if it has one. */
static bool next_run(VkHeap *h, SizeClass *s) {
  if (s->current == NO_BLOCK) return false;
  const uint64_t *allocs = block_bits(h->allocs, s->current);
  uint32_t most =
      (s == &h->classes[CLASS_PAIRS] ? PAIR_RUN_BYTES_MAX : RUN_BYTES_MAX) / s->cell_bytes;
  if (most == 0 || h->stress) most = 1;
  uint32_t from = next_cell(s, allocs, s->next_cell, false);
  if (from == s->cell_count) {
    s->current = NO_BLOCK;
    return false;
  }
  uint32_t last = from + most < s->cell_count ? from + most : s->cell_count;
  uint32_t to = next_cell(s, allocs, from, true);
  if (to > last) to = last;
  s->next_cell = to;
  begin_run(h, s, from, to);
  return true;
}

enum { SWEEP_AT_ONCE = 16 };

/* A block with free cells becomes current: partly used ones first, then free ones. */
static bool next_block(VkHeap *h, SizeClass *s) {
  s->next_cell = 0;
  for (bool more = true; more;) {
    if (s->available != NO_BLOCK) {
      s->current = s->available;
      s->available = h->blocks[s->current].next;
      return true;
    }
    more = heap_sweep_some(h, SWEEP_AT_ONCE);
    if (h->lowest_free < h->frontier) break; /* there may be a free block by now */
  }
  uint32_t b;
  while (!heap_acquire_blocks(h, 1, &b))
    if (!heap_sweep_some(h, SWEEP_AT_ONCE)) return false;
  h->blocks[b].kind = s == &h->classes[CLASS_PAIRS] ? BLOCK_PAIRS : BLOCK_CELLS;
  h->blocks[b].klass = (uint8_t)(s - h->classes);
  s->current = b;
  return true;
}

/* Cells [from, to) of a run are not used. */
static void give_cells_back(VkHeap *h, const SizeClass *s, const char *from, const char *to) {
  size_t offset = (size_t)(from - h->base), bytes = (size_t)(to - from);
  uint32_t b = (uint32_t)(offset >> BLOCK_SHIFT);
  uint32_t first = (uint32_t)(offset % BLOCK_BYTES) / s->cell_bytes;
  uint32_t end = first + (uint32_t)(bytes / s->cell_bytes);
  fill_cells(s, block_bits(h->allocs, b), first, end, false);
  if (h->phase == HEAP_MARKING) {
    fill_cells(s, block_bits(h->marks, b), first, end, false);
    h->live_bytes -= bytes;
  }
  h->budget += (int64_t)bytes;
}

void heap_give_pairs(VkHeap *h, char *from, char *to) {
  if (from == to) return;
  vk_unpoison(from, (size_t)(to - from));
  give_cells_back(h, &h->classes[CLASS_PAIRS], from, to);
}

void heap_retire_runs(VkHeap *h) {
  heap_check_stores(h);
  heap_debug_retired(h);
  vk_scratch_end_spills(h->c);
  for (unsigned k = 0; k < CLASS_COUNT; k++) {
    SizeClass *s = &h->classes[k];
    VkRun *run = s->run;
    s->current = NO_BLOCK;
    if (run->cur == run->lim) continue;
    give_cells_back(h, s, run->cur, run->lim);
    *run = (VkRun){0};
  }
}

uint64_t heap_taken(const VkHeap *h) {
  uint64_t bytes = heap_allocated(h) - vk_scratch_spill_room(h->c);
  for (unsigned k = 0; k < CLASS_COUNT; k++)
    bytes -= (uint64_t)(h->classes[k].run->lim - h->classes[k].run->cur);
  return bytes;
}

/* ---- slow paths --------------------------------------------------------------------------- */

/* Under VALK_GC_STRESS=N every allocation comes here, and every Nth collects; fewer while there
 * is much to look at, or a program with a million objects would never end. */
static void stress(VkHeap *h) {
  enum { MUCH_BYTES = 256 << 10, BYTES_PER_STEP = 1 << 10 };
  size_t bytes = (size_t)h->used_blocks * BLOCK_BYTES + h->root_bytes;
  if (--h->stress_left) return;
  h->stress_left = h->stress + (bytes < MUCH_BYTES ? 0 : (unsigned)(bytes / BYTES_PER_STEP));
  heap_end_cycle(h);
}

static void before_allocation(VkHeap *h) {
  if (VK_UNLIKELY(h->is_suspended)) return;
  if (VK_UNLIKELY(h->stress)) stress(h);
  if (h->budget <= 0) heap_event(h);
}

static bool refill(VkHeap *h, SizeClass *s) {
  before_allocation(h);
  for (unsigned attempt = 0; !next_run(h, s);)
    if (!next_block(h, s) && !heap_emergency(h, BLOCK_BYTES, attempt++)) return false;
  return true;
}

bool heap_take_pairs(VkHeap *h, VkRun *cells) {
  const SizeClass *s = &h->classes[CLASS_PAIRS];
  uint32_t b;
  if (h->stress) return false; /* each pair is to come by refill */
  before_allocation(h);
  while (h->lowest_free >= h->frontier && heap_sweep_some(h, SWEEP_AT_ONCE)) {
  }
  if (!heap_acquire_blocks(h, 1, &b)) return false;
  h->blocks[b].kind = BLOCK_PAIRS;
  h->blocks[b].klass = CLASS_PAIRS;
  take_cells(h, s, b, 1, s->cell_count); /* cur - 1 is never in the block before: vk_scratch_reset */
  *cells = (VkRun){block_start(h, b) + s->cell_bytes, block_start(h, b) + BLOCK_BYTES};
  return true;
}

V vk_cons_slow(vk *c, V head, V tail) {
  if (!refill(c->heap, &c->heap->classes[CLASS_PAIRS]))
    heap_out_of_memory(c->heap, sizeof(VkPair));
  char *p = c->pairs.cur;
  c->pairs.cur = p + sizeof(VkPair);
  *(VkPair *)p = (VkPair){head, tail};
  return VK_FROM_PAIR(p);
}

static void *small_new(VkHeap *h, unsigned k) {
  SizeClass *s = &h->classes[k];
  if (!refill(h, s)) return NULL;
  char *p = s->run->cur;
  s->run->cur = p + s->cell_bytes;
  return p;
}

static void *medium_new(VkHeap *h, size_t bytes) {
  SizeClass *s = &h->classes[h->medium_class[(bytes + 63) / 64]];
  if (s->run->cur == s->run->lim && !refill(h, s)) return NULL;
  char *p = s->run->cur;
  s->run->cur = p + s->cell_bytes;
  return memset(p, 0, (bytes + 15) & ~(size_t)15);
}

/* Clear blocks that are not known to be zero. */
static void clear_blocks(VkHeap *h, uint32_t first, uint32_t count, size_t bytes) {
  for (uint32_t i = 0; i < count; i++) {
    if (h->blocks[first + i].flags & BLOCK_ZERO) continue;
    size_t from = (size_t)i * BLOCK_BYTES;
    memset(block_start(h, first + i), 0,
           bytes - from < BLOCK_BYTES ? bytes - from : BLOCK_BYTES);
  }
}

static void *large_new(VkHeap *h, size_t bytes) {
  if (bytes > (size_t)1 << 46) return NULL; /* before the arithmetic can overflow */
  bytes = (bytes + 15) & ~(size_t)15;
  uint32_t count = (uint32_t)((bytes + BLOCK_BYTES - 1) / BLOCK_BYTES), first;
  if (h->budget < (int64_t)bytes) heap_end_cycle(h);
  before_allocation(h);
  for (unsigned attempt = 0; !heap_acquire_blocks(h, count, &first);)
    if (!heap_sweep_some(h, UINT32_MAX) && !heap_emergency(h, bytes, attempt++)) return NULL;
  clear_blocks(h, first, count, bytes);
  for (uint32_t i = 0; i < count; i++) {
    h->blocks[first + i].kind = i ? BLOCK_LARGE_REST : BLOCK_LARGE;
    h->blocks[first + i].head = first;
    h->blocks[first + i].flags &= (uint8_t)~BLOCK_ZERO;
  }
  h->blocks[first].count = count;
  h->blocks[first].bytes = bytes;
  size_t granule = (size_t)first * BLOCK_GRANULES;
  bit_set(h->allocs, granule);
  bits_fill(h->logs, granule, granule + bytes / GRANULE_BYTES, true);
  if (h->phase == HEAP_MARKING) {
    bit_set(h->marks, granule);
    h->live_bytes += bytes;
  }
  heap_young_block(h, first);
  heap_debug_large(h, block_start(h, first));
  h->budget -= (int64_t)bytes;
  return block_start(h, first);
}

void *vk_try_new(vk *c, size_t bytes) {
  VkHeap *h = c->heap;
  if (!bytes) bytes = 1;
  unsigned k = (unsigned)((bytes + 15) / 16);
  if (bytes > CELL_BYTES_MAX) return large_new(h, bytes);
  if (k >= VK_CELL_CLASSES) return medium_new(h, bytes);
  if (c->cells[k].cur == c->cells[k].lim) return small_new(h, k);
  char *p = c->cells[k].cur;
  c->cells[k].cur = p + k * 16;
  return p;
}

void *vk_new_slow(vk *c, size_t bytes) {
  void *p = vk_try_new(c, bytes);
  if (!p) heap_out_of_memory(c->heap, bytes);
  return p;
}
