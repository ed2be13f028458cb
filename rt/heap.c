/* heap.c - the heap's address range, its blocks, and creating and freeing it.
 *
 * One reservation without access holds blocks and side metadata; it is made when the first block
 * is needed, so that programs that allocate nothing start sooner, and committed from the start
 * in steps of COMMIT_BLOCKS. Free blocks are found lowest address first, so the heap stays
 * compact and the same few blocks serve as the nursery. */
#include "heap_impl.h"
#include "poison.h"
#include "stack.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- words and bits ----------------------------------------------------------------------- */

void *heap_xrealloc(void *p, size_t bytes) {
  p = realloc(p, bytes);
  if (p) return p;
  fprintf(stderr, "out of memory: the system gives no more, %zu bytes needed\n", bytes);
  exit(1);
}

bool words_push(WordList *l, uintptr_t word) {
  if (l->count == l->capacity) {
    size_t capacity = l->capacity ? 2 * l->capacity : 64;
    l->items = heap_xrealloc(l->items, capacity * sizeof *l->items);
    l->capacity = capacity;
  }
  l->items[l->count++] = word;
  return true;
}

void bits_fill(uint64_t *bits, size_t from, size_t to, bool value) {
  while (from < to) {
    size_t bit = from % 64, n = 64 - bit < to - from ? 64 - bit : to - from;
    uint64_t mask = (n == 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1) << bit;
    if (value)
      bits[from / 64] |= mask;
    else
      bits[from / 64] &= ~mask;
    from += n;
  }
}

/* ---- creation ----------------------------------------------------------------------------- */

static size_t page_round(size_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  return (bytes + page - 1) / page * page;
}

typedef struct Layout { /* byte offsets in the reservation */
  size_t marks, allocs, logs, blocks, free_bits, end;
} Layout;

static Layout layout_for(size_t blocks) {
  size_t bitmap = blocks * BLOCK_BITMAP_WORDS * sizeof(uint64_t);
  Layout l = {.marks = blocks * BLOCK_BYTES};
  l.allocs = l.marks + page_round(bitmap);
  l.logs = l.allocs + page_round(bitmap);
  l.blocks = l.logs + page_round(bitmap);
  l.free_bits = l.blocks + page_round(blocks * sizeof(Block));
  l.end = l.free_bits + page_round(blocks / 8);
  return l;
}

/* Twice the limit, as blocks free but scattered do not serve large objects; less if the system
 * is short of address space (ulimit -v). */
static bool reserve(VkHeap *h, size_t limit_bytes) {
  size_t unit = COMMIT_BLOCKS, most = ((size_t)1 << 42) / BLOCK_BYTES;
  size_t blocks = (limit_bytes / BLOCK_BYTES * 2 + unit) / unit * unit;
  if (blocks > most) blocks = most;
  for (; blocks >= unit; blocks = blocks / 2 / unit * unit) {
    Layout l = layout_for(blocks);
    char *base = mmap(NULL, l.end + BLOCK_BYTES, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) continue;
    char *aligned = (char *)(((uintptr_t)base + BLOCK_BYTES - 1) & -(uintptr_t)BLOCK_BYTES);
    h->base = aligned;
    h->reserved = base;
    h->reserved_bytes = l.end + BLOCK_BYTES;
    h->max_blocks = (uint32_t)blocks;
    h->marks = (uint64_t *)(aligned + l.marks);
    h->allocs = (uint64_t *)(aligned + l.allocs);
    h->logs = (uint64_t *)(aligned + l.logs);
    h->blocks = (Block *)(aligned + l.blocks);
    h->free_bits = (uint64_t *)(aligned + l.free_bits);
    return true;
  }
  return false;
}

static bool commit_part(void *part, size_t from, size_t to) {
  char *p = (char *)part + from / 4096 * 4096;
  size_t bytes = page_round((size_t)((char *)part + to - p));
  return mprotect(p, bytes, PROT_READ | PROT_WRITE) == 0;
}

static bool prepare(VkHeap *h) {
  size_t limit = h->limit_bytes ? h->limit_bytes : vk_heap_share(vk_machine_memory());
  if (!reserve(h, limit)) return false;
  VkBarrier *barrier = &h->c->barrier;
  barrier->base = (uintptr_t)h->base;
  barrier->logged = (const uint8_t *)h->logs;
  barrier->tags = 0x62;
  heap_set_limit(h, limit);
  heap_debug_prepare(h);
  vk_stack_expect_depth(h->c->fiber);
  return true;
}

void heap_prepare(VkHeap *h) {
  if (h->base || prepare(h)) return;
  fprintf(stderr, "out of memory: the system has no address space for the heap\n");
  exit(1);
}

/* One more step of COMMIT_BLOCKS; false if the reservation or the system is exhausted. */
static bool commit_more(VkHeap *h) {
  size_t from = h->committed_blocks, to = from + COMMIT_BLOCKS;
  if (to > h->max_blocks || !h->commits_left) return false;
  size_t bitmap = BLOCK_BITMAP_WORDS * sizeof(uint64_t), page = (size_t)sysconf(_SC_PAGESIZE);
  size_t table_from = from * sizeof(Block) / page * page;
  size_t free_from = from / 8 / page * page;
  if (!commit_part(h->base, from * BLOCK_BYTES, to * BLOCK_BYTES) ||
      !commit_part(h->marks, from * bitmap, to * bitmap) ||
      !commit_part(h->allocs, from * bitmap, to * bitmap) ||
      !commit_part(h->logs, from * bitmap, to * bitmap) ||
      !commit_part(h->blocks, table_from, to * sizeof(Block)) ||
      !commit_part(h->free_bits, free_from, to / 8))
    return false;
  h->commits_left--;
  bits_fill(h->free_bits, from, to, true);
  h->committed_blocks = (uint32_t)to;
  h->committed_granules = to * BLOCK_GRANULES;
  h->c->barrier.bytes = to * BLOCK_BYTES;
  return true;
}

static const uint16_t medium_per_block[] = {204, 170, 146, 128, 102, 85, 64, 51, 42, 32, 25,
                                            21,  16,  13,  10,  8,   7,  6,  5,  4,  3,  2};
_Static_assert(sizeof medium_per_block / 2 == CLASS_COUNT - CLASS_MEDIUM,
               "one count per class");

static void init_classes(VkHeap *h, vk *c) {
  for (unsigned k = 0; k < CLASS_COUNT; k++) {
    SizeClass *s = &h->classes[k];
    if (k >= CLASS_MEDIUM)
      s->cell_bytes = BLOCK_BYTES / medium_per_block[k - CLASS_MEDIUM] & ~15u;
    else
      s->cell_bytes = k == CLASS_PAIRS ? sizeof(VkPair) : 16 * k;
    s->cell_count = BLOCK_BYTES / s->cell_bytes;
    s->inverse = (uint32_t)((((uint64_t)1 << 32) + s->cell_bytes - 1) / s->cell_bytes);
    s->current = s->available = NO_BLOCK;
    s->run = k == CLASS_PAIRS   ? &c->pairs
             : k < CLASS_MEDIUM ? &c->cells[k]
                                : &h->medium_runs[k - CLASS_MEDIUM];
  }
  unsigned k = CLASS_MEDIUM;
  for (unsigned i = 0; i <= CELL_BYTES_MAX / 64; i++) {
    if (h->classes[k].cell_bytes < 64 * i) k++;
    h->medium_class[i] = (uint8_t)k;
  }
}

/* h is zeroed. Reserves nothing yet. */
static void heap_setup(VkHeap *h, vk *c, const VkLimits *limits) {
  h->c = c;
  h->commits_left = SIZE_MAX;
  h->limit_bytes = limits->heap_limit_bytes;
  h->max_blocks = h->limit_blocks = UINT32_MAX; /* until heap_prepare */
  h->threshold_bytes = limits->gc_threshold_bytes;
  h->arena_bytes = limits->arena_bytes;
  h->stress = h->stress_left = limits->gc_stress;
  h->trace = limits->trace_gc;
  h->mark_stack_max = SIZE_MAX;
  c->heap = h;
  init_classes(h, c);
  heap_plan_full(h);
  heap_plan_cycle(h);
}

VkHeap *vk_heap_new(vk *c, const VkLimits *limits) {
  VkHeap *h = calloc(1, sizeof *h);
  if (!h) return NULL;
  heap_setup(h, c, limits);
  if (prepare(h)) return h;
  vk_heap_free(c);
  return NULL;
}

static VkHeap first_heap;

void vk_heap_init(vk *c, const VkDefaults *defaults) {
  VkLimits limits = vk_limits_read(defaults);
  heap_setup(&first_heap, c, &limits);
}

size_t vk_arena_limit(const vk *c) { return c->heap->arena_bytes; }

void vk_heap_end(vk *c) {
  heap_check_stores(c->heap);
  heap_run_all_finalisers(c->heap);
}

void vk_heap_free(vk *c) {
  VkHeap *h = c->heap;
  heap_run_all_finalisers(h);
  heap_drop_frozen(h);
  if (h->base) {
    vk_unpoison(h->base, h->committed_granules * GRANULE_BYTES);
    munmap(h->reserved, h->reserved_bytes);
  }
  free(h->mark_stack.items);
  free(h->log.items);
  free(h->young_blocks.items);
  free(h->roots.items);
  free(h->segments.items);
  free(h->finalisers.items);
  heap_debug_free(h);
  if (h == &first_heap)
    memset(h, 0, sizeof *h);
  else
    free(h);
  c->heap = NULL;
  c->pairs = (VkRun){0};
  memset(c->cells, 0, sizeof c->cells);
  c->barrier = (VkBarrier){0};
}

/* ---- blocks ------------------------------------------------------------------------------- */

/* The lowest `count` free blocks in a row, or NO_BLOCK. */
static uint32_t find_free(VkHeap *h, uint32_t count) {
  uint32_t run = 0;
  for (uint32_t i = h->lowest_free; i < h->committed_blocks;) {
    uint64_t word = h->free_bits[i / 64] >> (i % 64);
    if (!word) { /* skip what is left of this word */
      i = (i / 64 + 1) * 64;
      run = 0;
      continue;
    }
    uint32_t taken = (uint32_t)__builtin_ctzll(word);
    if (taken) {
      i += taken;
      run = 0;
    }
    if (count == 1) return i;
    uint64_t rest = ~(h->free_bits[i / 64] >> (i % 64));
    uint32_t some = rest ? (uint32_t)__builtin_ctzll(rest) : 64;
    if (some > 64 - i % 64) some = 64 - i % 64;
    if (run + some >= count) return i - run;
    run += some;
    i += some;
    if (i % 64) run = 0; /* stopped at a block in use */
  }
  return NO_BLOCK;
}

bool heap_acquire_blocks(VkHeap *h, uint32_t count, uint32_t *first) {
  heap_prepare(h);
  if (count > h->limit_blocks || h->used_blocks > h->limit_blocks - count) return false;
  uint32_t b;
  while ((b = find_free(h, count)) == NO_BLOCK)
    if (!commit_more(h)) return false;
  for (uint32_t i = b; i < b + count; i++) {
    Block *block = &h->blocks[i];
    bit_clear(h->free_bits, i);
    if (block->flags & BLOCK_TOUCHED)
      h->touched_free_blocks--;
    else
      block->flags |= BLOCK_ZERO; /* pages fresh from the system */
    block->flags |= BLOCK_TOUCHED;
    block->used_cells = 0;
  }
  if (h->touched_free_blocks < h->touched_free_low)
    h->touched_free_low = h->touched_free_blocks;
  if (b <= h->lowest_free && h->lowest_free < b + count) h->lowest_free = b + count;
  if (h->frontier < b + count) h->frontier = b + count;
  h->used_blocks += count;
  uint64_t used = (uint64_t)h->used_blocks * BLOCK_BYTES;
  if (used > h->stats.used_bytes_max) h->stats.used_bytes_max = used;
  *first = b;
  vk_unpoison(block_start(h, b), (size_t)count * BLOCK_BYTES);
  return true;
}

void heap_release_block(VkHeap *h, uint32_t b) {
  Block *block = &h->blocks[b];
  block->kind = BLOCK_FREE;
  block->flags &= BLOCK_TOUCHED;
  bit_set(h->free_bits, b);
  h->used_blocks--;
  h->touched_free_blocks++;
  if (b < h->lowest_free) h->lowest_free = b;
}

/* Highest addresses first: they are the last to be used again. */
void heap_give_back(VkHeap *h, uint32_t most) {
  for (uint32_t b = h->frontier; b > 0 && most;) {
    uint32_t end = b;
    while (b > 0 && most && h->blocks[b - 1].kind == BLOCK_FREE &&
           (h->blocks[b - 1].flags & BLOCK_TOUCHED)) {
      h->blocks[--b].flags = 0;
      most--;
    }
    if (b == end) {
      b--;
      continue;
    }
    madvise(block_start(h, b), (size_t)(end - b) * BLOCK_BYTES, MADV_DONTNEED);
    h->touched_free_blocks -= end - b;
    h->stats.released_blocks += end - b;
  }
  if (h->touched_free_low > h->touched_free_blocks)
    h->touched_free_low = h->touched_free_blocks;
}
