/* heap_mark.c - finding objects from words, and tracing what they refer to.
 *
 * in:    marks as the phase left them, values to start from by heap_mark_value, heap_mark_word
 * out:   heap_trace done: everything reachable from them is marked
 * keeps: an object is pushed once, when its mark goes from 0 to 1
 *
 * The stack of values to trace is explicit and grows with the work. Where it cannot, the object
 * is left marked but untraced and its block flagged RESCAN: when the stack is empty, all marked
 * objects of such blocks are traced again (marks only increase, so this ends). Arrays are
 * traced in pieces, so a wide one neither floods the stack nor makes a slice long:
 *
 *   stack:  ... value value | end, next + TAG_RANGE | value
 *
 * A short queue between stack and tracing gives prefetches time to arrive (Cher, Hosking,
 * Vitek: "Software Prefetching for Mark-Sweep Garbage Collection", ASPLOS 2004). */
#include "heap_impl.h"
#include <stdlib.h>

enum { TAG_RANGE = 2, RANGE_WORDS = 128, QUEUE_LENGTH = 8, STACK_ROOM = 16 };

/* ---- words to objects --------------------------------------------------------------------- */

char *heap_cell_start(const VkHeap *h, size_t granule) {
  uint32_t b = heap_block_of(granule);
  const Block *block = &h->blocks[b];
  switch ((BlockKind)block->kind) {
  case BLOCK_PAIRS: return heap_address(h, granule);
  case BLOCK_CELLS: {
    const SizeClass *s = &h->classes[block->klass];
    uint64_t offset = granule % BLOCK_GRANULES * GRANULE_BYTES;
    uint64_t cell = offset * s->inverse >> 32;
    return cell < s->cell_count ? block_start(h, b) + cell * s->cell_bytes : NULL;
  }
  case BLOCK_LARGE: return block_start(h, b);
  case BLOCK_LARGE_REST: return block_start(h, block->head);
  case BLOCK_FREE: break;
  }
  return NULL;
}

size_t heap_cell_bytes(const VkHeap *h, uint32_t b) {
  const Block *block = &h->blocks[b];
  return block->kind == BLOCK_LARGE ? block->bytes : h->classes[block->klass].cell_bytes;
}

static inline V value_at(const VkHeap *h, char *cell) {
  if (h->blocks[heap_block_of(heap_granule(h, (uintptr_t)cell))].kind == BLOCK_PAIRS)
    return VK_FROM_PAIR(cell);
  return VK_HDR_KIND(*(V *)cell) == VK_ERROR ? VK_FROM_ERR(cell) : VK_FROM_OBJ(cell);
}

V heap_find(const VkHeap *h, uintptr_t word) {
  size_t granule = heap_granule(h, word);
  if (granule >= h->committed_granules) return 0;
  char *cell = heap_cell_start(h, granule);
  if (!cell) return 0;
  size_t start = heap_granule(h, (uintptr_t)cell);
  bool swept = !(h->blocks[heap_block_of(start)].flags & BLOCK_UNSWEPT);
  return bit_get(swept ? h->allocs : h->marks, start) ? value_at(h, cell) : 0;
}

/* ---- the layout of objects ---------------------------------------------------------------- */

/* Where the V fields of each kind are, in words; they are always neighbours. LENGTH_*: the end
 * depends on the object. */
enum { LENGTH_COUNT = 0x100, LENGTH_CAPACITY = 0x200 };
static const struct {
  uint16_t first, end;
} kind_fields[VK_KIND_COUNT] = {
    [VK_CLOSURE] = {3, 3 | LENGTH_COUNT}, /* hdr code fn captured... */
    [VK_PAP] = {1, 2 | LENGTH_COUNT},     /* hdr fn args... */
    [VK_BOX] = {1, 2},
    [VK_ATOM] = {1, 2},
    [VK_SEXPR] = {1, 2},
    [VK_BLOCK] = {1, 3},
    [VK_VECTOR] = {2, 3},                  /* hdr len store */
    [VK_STORE] = {2, 2 | LENGTH_CAPACITY}, /* hdr capacity items... */
    [VK_MAP] = {3, 5},                     /* hdr len used entries index */
    [VK_ERROR] = {1, 4},                   /* hdr message kind data */
};

void heap_fields(V *object, V **first, V **end) {
  unsigned kind = (unsigned)VK_HDR_KIND(*object);
  unsigned last = kind < VK_KIND_COUNT ? kind_fields[kind].end : 0;
  size_t n = last & 0xFF;
  if (last & LENGTH_COUNT) n += VK_HDR_COUNT(*object);
  if (last & LENGTH_CAPACITY) n += object[1];
  *first = object + (kind < VK_KIND_COUNT ? kind_fields[kind].first : 0);
  *end = object + n;
}

/* ---- marking ------------------------------------------------------------------------------ */

/* No room to push the object, or the rest of its fields. */
static VK_COLD void overflow(VkHeap *h, size_t granule) {
  uint32_t b = heap_block_of(granule);
  if (h->blocks[b].kind == BLOCK_LARGE_REST) b = h->blocks[b].head;
  h->blocks[b].flags |= BLOCK_RESCAN;
  h->has_rescan = true;
  h->stats.overflows++;
}

/* Room for STACK_ROOM more words, or false. */
static VK_COLD bool grow_stack(VkHeap *h) {
  WordList *l = &h->mark_stack;
  size_t capacity = l->capacity ? 2 * l->capacity : 4096;
  if (capacity > h->mark_stack_max) capacity = h->mark_stack_max;
  if (capacity < l->count + STACK_ROOM) return false;
  uintptr_t *items = realloc(l->items, capacity * sizeof *items);
  if (!items) return false;
  l->items = items;
  l->capacity = capacity;
  return true;
}

static inline bool has_room(VkHeap *h) {
  return VK_LIKELY(h->mark_stack.count + STACK_ROOM <= h->mark_stack.capacity) || grow_stack(h);
}

/* Tags of values that may refer to the heap: pair, object, error. */
static inline bool is_reference(V v) { return 0x62u >> (v & 7) & 1; }

static inline void mark_granule(VkHeap *h, size_t granule, V v) {
  uint64_t bit = (uint64_t)1 << (granule % 64), *word = &h->marks[granule / 64];
  if (*word & bit) return;
  *word |= bit;
  if (has_room(h)) {
    h->mark_stack.items[h->mark_stack.count++] = v;
    return;
  }
  h->live_bytes += heap_cell_bytes(h, heap_block_of(granule)); /* rescan will not count it */
  overflow(h, granule);
}

static inline void mark_value(VkHeap *h, V v) {
  size_t granule = heap_granule(h, v);
  if (is_reference(v) && granule < h->committed_granules) mark_granule(h, granule, v);
}

void heap_mark_value(VkHeap *h, V v) { mark_value(h, v); }

void heap_mark_word(VkHeap *h, uintptr_t word) {
  V v = heap_find(h, word);
  if (v) mark_granule(h, heap_granule(h, v), v);
}

void heap_mark_fields_within(VkHeap *h, char *low, char *high) {
  size_t granule = heap_granule(h, (uintptr_t)low);
  uint32_t b = heap_block_of(granule);
  V *first = (V *)low, *end = (V *)high;
  if (h->blocks[b].kind != BLOCK_PAIRS) {
    V *object = (V *)heap_cell_start(h, granule), *object_first, *object_end;
    heap_fields(object, &object_first, &object_end);
    if (first < object_first) first = object_first;
    if (end > object_end) end = object_end;
  }
  for (; first < end; first++) mark_value(h, *first);
}

/* ---- tracing ------------------------------------------------------------------------------ */

static inline void push_range(VkHeap *h, V *first, V *end) {
  WordList *l = &h->mark_stack;
  if (!has_room(h)) {
    overflow(h, heap_granule(h, (uintptr_t)first));
    return;
  }
  l->items[l->count++] = (uintptr_t)end;
  l->items[l->count++] = (uintptr_t)first + TAG_RANGE;
}

/* Traces [first, end), putting off what is beyond RANGE_WORDS; gives bytes looked at. */
static size_t trace_fields(VkHeap *h, V *first, V *end) {
  if (end - first > RANGE_WORDS) {
    push_range(h, first + RANGE_WORDS, end);
    end = first + RANGE_WORDS;
  }
  for (V *p = first; p < end; p++) mark_value(h, *p);
  return (size_t)((char *)end - (char *)first);
}

/* Counts the object's bytes as live. */
static size_t trace_object(VkHeap *h, V v) {
  V *object = (V *)(v & ~(V)7), *first, *end;
  if (VK_IS_PAIR(v)) {
    h->live_bytes += sizeof(VkPair);
    mark_value(h, VK_TAIL(v));
    mark_value(h, VK_HEAD(v));
    return sizeof(VkPair);
  }
  uint32_t b = heap_block_of(heap_granule(h, v));
  size_t bytes = heap_cell_bytes(h, b);
  h->live_bytes += bytes;
  heap_fields(object, &first, &end);
  if (first >= end) return 32; /* nothing looked at but the header */
  return trace_fields(h, first, end) + 32;
}

static void rescan_cell(VkHeap *h, char *cell, void *to) {
  (void)to;
  if (!bit_get(h->marks, heap_granule(h, (uintptr_t)cell))) return;
  V v = value_at(h, cell), *first = (V *)cell, *end = first + 2;
  if (!VK_IS_PAIR(v)) heap_fields(first, &first, &end);
  for (; first < end; first++) mark_value(h, *first);
}

/* Takes up one block on which the stack overflowed. */
static bool rescan_block(VkHeap *h) {
  heap_retire_runs(h); /* cells never allocated have marks while marking is under way */
  for (uint32_t b = 0; b < h->frontier; b++) {
    if (!(h->blocks[b].flags & BLOCK_RESCAN)) continue;
    h->blocks[b].flags &= (uint8_t)~BLOCK_RESCAN;
    heap_each_cell(h, b, rescan_cell, NULL);
    return true;
  }
  h->has_rescan = false;
  return false;
}

bool heap_trace_done(const VkHeap *h) { return !h->mark_stack.count && !h->has_rescan; }

typedef struct Queue {
  V items[QUEUE_LENGTH];
  unsigned head, length;
} Queue;

/* Fill the queue from the stack; gives the bytes of ranges met on the way. */
static inline size_t fill_queue(VkHeap *h, Queue *q) {
  WordList *l = &h->mark_stack;
  size_t bytes = 0;
  while (q->length < QUEUE_LENGTH && l->count) {
    V v = l->items[--l->count];
    if (VK_UNLIKELY((v & 7) == TAG_RANGE)) {
      V *end = (V *)l->items[--l->count];
      bytes += trace_fields(h, (V *)(v - TAG_RANGE), end);
      continue;
    }
    __builtin_prefetch((void *)v);
    q->items[(q->head + q->length++) % QUEUE_LENGTH] = v;
  }
  return bytes;
}

size_t heap_trace(VkHeap *h, size_t budget) {
  Queue q = {.length = 0};
  size_t done = 0;
  while (done < budget) {
    done += fill_queue(h, &q);
    if (!q.length) {
      if (h->has_rescan && rescan_block(h)) continue;
      break;
    }
    V v = q.items[q.head];
    q.head = (q.head + 1) % QUEUE_LENGTH;
    q.length--;
    done += trace_object(h, v);
  }
  while (q.length--)
    h->mark_stack.items[h->mark_stack.count++] = q.items[q.head++ % QUEUE_LENGTH];
  return done;
}
