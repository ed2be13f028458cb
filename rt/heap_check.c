/* heap_check.c - is the heap what heap_impl.h says? And what is in it?
 *
 * heap_is_valid looks at everything: tests and VALK_GC_STRESS in debug builds call it after each
 * collection, when runs are retired and (unless marking is under way) all young objects gone. */
#include "heap_impl.h"
#include <stdlib.h>

typedef struct Check {
  bool is_valid;
  size_t live_bytes;
} Check;

#define EXPECT(condition, ...)                                                                 \
  do {                                                                                         \
    if (!(condition)) {                                                                        \
      fprintf(stderr, "heap: " __VA_ARGS__);                                                   \
      fprintf(stderr, " (%s)\n", #condition);                                                  \
      check->is_valid = false;                                                                 \
    }                                                                                          \
  } while (0)

/* Just after a collection that is complete. */
static bool heap_is_at_rest(const VkHeap *h) {
  return h->phase == HEAP_IDLE && !h->young_blocks.count && !h->log.count;
}

/* ---- blocks ------------------------------------------------------------------------------- */

static bool bits_are_zero(const uint64_t *bits) {
  for (unsigned i = 0; i < BLOCK_BITMAP_WORDS; i++)
    if (bits[i]) return false;
  return true;
}

static void check_bitmaps(VkHeap *h, uint32_t b, Check *check) {
  const Block *block = &h->blocks[b];
  const uint64_t *marks = block_bits(h->marks, b), *allocs = block_bits(h->allocs, b);
  bool is_swept = !(block->flags & BLOCK_UNSWEPT);
  for (unsigned i = 0; i < BLOCK_BITMAP_WORDS && is_swept; i++) {
    EXPECT(!(marks[i] & ~allocs[i]), "block %u: marked but not allocated", b);
    if (heap_is_at_rest(h)) EXPECT(marks[i] == allocs[i], "block %u: young cells left", b);
  }
  if (heap_is_at_rest(h))
    EXPECT(bits_are_zero(block_bits(h->logs, b)), "block %u: log bits left", b);
}

static void check_block(VkHeap *h, uint32_t b, Check *check) {
  const Block *block = &h->blocks[b];
  bool is_free = bit_get(h->free_bits, b);
  EXPECT(is_free == (block->kind == BLOCK_FREE), "block %u: kind %u", b, block->kind);
  EXPECT(!is_free || b >= h->lowest_free, "block %u is free, the lowest %u", b, h->lowest_free);
  switch ((BlockKind)block->kind) {
  case BLOCK_FREE:
    EXPECT(bits_are_zero(block_bits(h->marks, b)), "free block %u has marks", b);
    EXPECT(bits_are_zero(block_bits(h->allocs, b)), "free block %u has cells", b);
    break;
  case BLOCK_PAIRS:
    EXPECT(block->klass == CLASS_PAIRS, "block %u: class %u", b, block->klass);
    break;
  case BLOCK_CELLS:
    EXPECT(block->klass > 0 && block->klass < CLASS_COUNT, "block %u", b);
    break;
  case BLOCK_LARGE:
    EXPECT(block->bytes > CELL_BYTES_MAX, "block %u: %zu bytes", b, block->bytes);
    EXPECT((block->bytes + BLOCK_BYTES - 1) / BLOCK_BYTES == block->count, "block %u", b);
    for (uint32_t i = 1; i < block->count; i++)
      EXPECT(h->blocks[b + i].kind == BLOCK_LARGE_REST && h->blocks[b + i].head == b,
             "block %u", b + i);
    break;
  case BLOCK_LARGE_REST:
    EXPECT(h->blocks[block->head].kind == BLOCK_LARGE, "block %u", b);
    break;
  }
  EXPECT(!(block->flags & BLOCK_YOUNG) || h->young_blocks.count, "block %u is still young", b);
  check_bitmaps(h, b, check);
}

static void check_counts(VkHeap *h, Check *check) {
  uint32_t used = 0, touched = 0;
  for (uint32_t b = 0; b < h->committed_blocks; b++) {
    used += h->blocks[b].kind != BLOCK_FREE;
    touched += h->blocks[b].kind == BLOCK_FREE && h->blocks[b].flags & BLOCK_TOUCHED;
    EXPECT(b < h->frontier || h->blocks[b].kind == BLOCK_FREE, "block %u beyond the frontier",
           b);
  }
  EXPECT(used == h->used_blocks, "%u blocks in use, counted as %u", used, h->used_blocks);
  EXPECT(touched == h->touched_free_blocks, "%u touched, not %u", touched,
         h->touched_free_blocks);
}

static void check_lists(VkHeap *h, Check *check) {
  uint32_t seen = 0;
  for (unsigned k = 0; k < CLASS_COUNT; k++) {
    for (uint32_t b = h->classes[k].available; b != NO_BLOCK && seen <= h->frontier; seen++) {
      const Block *block = &h->blocks[b];
      EXPECT(block->klass == k, "block %u in the list of class %u", b, k);
      EXPECT(block->kind == BLOCK_PAIRS || block->kind == BLOCK_CELLS, "block %u available", b);
      EXPECT(!(block->flags & BLOCK_UNSWEPT), "block %u available but not swept", b);
      b = block->next;
    }
  }
  EXPECT(seen <= h->frontier, "an available list has a loop");
}

/* ---- objects ------------------------------------------------------------------------------ */

static void check_field(VkHeap *h, V owner, V v, Check *check) {
  if (!(0x62u >> (v & 7) & 1)) return;
  size_t granule = heap_granule(h, v);
  if (granule >= h->committed_granules) return;
  V found = heap_find(h, v);
  EXPECT(found, "%#llx refers to %#llx, nothing is there", (unsigned long long)owner,
         (unsigned long long)v);
  EXPECT(!found || found == v, "%#llx refers to %#llx, there is %#llx",
         (unsigned long long)owner, (unsigned long long)v, (unsigned long long)found);
  if (heap_is_at_rest(h)) /* I2; the log is empty */
    EXPECT(heap_is_marked(h, v), "%#llx refers to %#llx, which is not marked",
           (unsigned long long)owner, (unsigned long long)v);
}

static void check_cell(VkHeap *h, char *cell, void *to) {
  Check *check = to;
  V *first = (V *)cell, *end = first + 2, owner = (V)(uintptr_t)cell;
  uint32_t b = heap_block_of(heap_granule(h, owner));
  EXPECT(heap_cell_start(h, heap_granule(h, owner)) == cell, "%p is inside a cell",
         (void *)cell);
  if (!bit_get(h->marks, heap_granule(h, owner))) return;
  check->live_bytes += heap_cell_bytes(h, b);
  if (h->blocks[b].kind != BLOCK_PAIRS) {
    VkKind kind = VK_HDR_KIND(*first);
    /* No kind: given up before its header was written, as when a sum turned out small. */
    EXPECT(kind < VK_KIND_COUNT, "%p has kind %d", (void *)cell, (int)kind);
    heap_fields(first, &first, &end);
    EXPECT((char *)end <= cell + heap_cell_bytes(h, b), "%p: fields beyond its cell",
           (void *)cell);
  }
  for (; first < end && check->is_valid; first++) check_field(h, owner, *first, check);
}

bool heap_is_valid(VkHeap *h) {
  Check state = {.is_valid = true}, *check = &state;
  check_counts(h, check);
  check_lists(h, check);
  bool is_at_rest = heap_is_at_rest(h);
  for (uint32_t b = 0; b < h->frontier && check->is_valid; b++) {
    check_block(h, b, check);
    if (is_at_rest) heap_each_cell(h, b, check_cell, check);
  }
  if (is_at_rest && check->is_valid)
    EXPECT(check->live_bytes == h->live_bytes, "%zu bytes marked, counted as %zu",
           check->live_bytes, h->live_bytes);
  return check->is_valid;
}

/* ---- consumers ---------------------------------------------------------------------------- */

typedef struct Consumers {
  size_t bytes[VK_KIND_COUNT], count[VK_KIND_COUNT]; /* [0]: pairs */
} Consumers;

static const char *const kind_names[VK_KIND_COUNT] = {"pairs",
#define K(name) #name,
                                                      VK_KINDS(K)
#undef K
};

static void count_cell(VkHeap *h, char *cell, void *to) {
  Consumers *all = to;
  uint32_t b = heap_block_of(heap_granule(h, (uintptr_t)cell));
  unsigned kind = h->blocks[b].kind == BLOCK_PAIRS ? 0 : (unsigned)VK_HDR_KIND(*(V *)cell);
  if (h->blocks[b].kind != BLOCK_PAIRS && !kind) return; /* the rest of a run */
  if (kind >= VK_KIND_COUNT) return;
  all->bytes[kind] += heap_cell_bytes(h, b);
  all->count[kind]++;
}

void heap_print_consumers(VkHeap *h, FILE *to) {
  Consumers all = {0};
  heap_retire_runs(h);
  for (uint32_t b = 0; b < h->frontier; b++) heap_each_cell(h, b, count_cell, &all);
  fprintf(to, "%14s %14s  what\n", "bytes", "objects");
  for (unsigned shown = 0; shown < 6; shown++) {
    unsigned best = 0;
    for (unsigned k = 1; k < VK_KIND_COUNT; k++)
      if (all.bytes[k] > all.bytes[best]) best = k;
    if (!all.bytes[best]) break;
    fprintf(to, "%14zu %14zu  %s\n", all.bytes[best], all.count[best], kind_names[best]);
    all.bytes[best] = 0;
  }
}
