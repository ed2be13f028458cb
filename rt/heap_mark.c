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
#include "frozen.h"
#include "heap_impl.h"
#include <stdlib.h>

enum {
  TAG_RANGE = 2,
  RANGE_WORDS = 128,      /* traced of an array at once */
  CHAIN_BYTES = 64 << 10, /* followed of a list at once */
  HEADER_BYTES = 32,      /* the work of looking at an object, in bytes of fields */
  QUEUE_LENGTH = 8,
  STACK_ROOM = RANGE_WORDS + QUEUE_LENGTH + 8, /* words */
};

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
    [VK_HANDLE] = {2, 2 | LENGTH_COUNT},   /* hdr class fields... */
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

/* ---- the stack ---------------------------------------------------------------------------- */

/* No room to push the object, or the rest of its fields. */
static VK_COLD void overflow(VkHeap *h, uintptr_t address) {
  uint32_t b = heap_block_of(heap_granule(h, address));
  if (h->blocks[b].kind == BLOCK_LARGE_REST) b = h->blocks[b].head;
  h->blocks[b].flags |= BLOCK_RESCAN;
  h->has_rescan = true;
  h->stats.overflows++;
}

/* An object marked but not traced is counted as live here, as rescan_block does not. */
static VK_COLD void overflow_value(VkHeap *h, V v) {
  h->live_bytes += heap_cell_bytes(h, heap_block_of(heap_granule(h, v)));
  overflow(h, v);
}

/* Room for a step of tracing, or false. */
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

/* What the inner loop needs of the heap, in locals: stores of marks might else change it, as far
 * as a compiler knows. A step of tracing pushes less than STACK_ROOM words unchecked. */
typedef struct Tracer {
  VkHeap *h;
  uintptr_t base;
  size_t granules;
  uintptr_t frozen_base; /* segments: frozen.h; no bytes if they do not matter now */
  size_t frozen_bytes;
  uint64_t *marks;
  uintptr_t *items;
  size_t count, most; /* of the stack; up to most a step has room */
  size_t live_bytes;
} Tracer;

static inline Tracer tracer_begin(VkHeap *h) {
  size_t capacity = h->mark_stack.capacity;
  return (Tracer){.h = h,
                  .base = (uintptr_t)h->base,
                  .granules = h->committed_granules,
                  .frozen_base = vk_frozen_range.base,
                  .frozen_bytes = heap_sees_frozen(h) ? vk_frozen_range.bytes : 0,
                  .marks = h->marks,
                  .items = h->mark_stack.items,
                  .count = h->mark_stack.count,
                  .most = capacity > STACK_ROOM ? capacity - STACK_ROOM : 0,
                  .live_bytes = h->live_bytes};
}

static inline void tracer_end(const Tracer *t) {
  t->h->mark_stack.count = t->count;
  t->h->live_bytes = t->live_bytes;
}

/* ---- marking ------------------------------------------------------------------------------ */

/* Tags of values that may refer to the heap: pair, object, error. */
static inline bool is_reference(V v) { return 0x62u >> (v & 7) & 1; }

/* Whether v refers to the heap and was not marked; it is now. */
static inline bool mark(Tracer *t, V v) {
  size_t granule = (v - t->base) / GRANULE_BYTES;
  if (!is_reference(v)) return false;
  if (granule >= t->granules) {
    if (v - t->frozen_base < t->frozen_bytes) heap_mark_frozen(t->h, v);
    return false;
  }
  uint64_t bit = (uint64_t)1 << (granule % 64), *word = &t->marks[granule / 64];
  if (*word & bit) return false;
  *word |= bit;
  return true;
}

static inline void push(Tracer *t, V v) { t->items[t->count++] = v; }

void heap_mark_value(VkHeap *h, V v) {
  Tracer t = tracer_begin(h);
  if (!mark(&t, v)) return;
  if (has_room(h))
    h->mark_stack.items[h->mark_stack.count++] = v;
  else
    overflow_value(h, v);
}

void heap_mark_word(VkHeap *h, uintptr_t word) {
  V v = heap_find(h, word);
  if (v)
    heap_mark_value(h, v);
  else if (heap_sees_frozen(h))
    heap_mark_frozen(h, word);
}

void heap_mark_fields_within(VkHeap *h, char *low, char *high) {
  size_t granule = heap_granule(h, (uintptr_t)low);
  V *first = (V *)low, *end = (V *)high;
  if (h->blocks[heap_block_of(granule)].kind != BLOCK_PAIRS) {
    V *object = (V *)heap_cell_start(h, granule), *object_first, *object_end;
    heap_fields(object, &object_first, &object_end);
    if (first < object_first) first = object_first;
    if (end > object_end) end = object_end;
  }
  for (; first < end; first++) heap_mark_value(h, *first);
}

/* ---- tracing ------------------------------------------------------------------------------ */

/* Traces [first, end), putting off what is beyond RANGE_WORDS; gives bytes looked at. */
static size_t trace_fields(Tracer *t, V *first, V *end) {
  if (end - first > RANGE_WORDS) {
    push(t, (uintptr_t)end);
    end = first + RANGE_WORDS;
    push(t, (uintptr_t)end + TAG_RANGE);
  }
  for (V *p = first; p < end; p++)
    if (mark(t, *p)) push(t, *p);
  return (size_t)((char *)end - (char *)first);
}

static size_t trace_object(Tracer *t, V v) {
  V *first, *end;
  t->live_bytes += heap_cell_bytes(t->h, heap_block_of((v - t->base) / GRANULE_BYTES));
  heap_fields((V *)(v & ~(V)7), &first, &end);
  if (first >= end) return HEADER_BYTES;
  return trace_fields(t, first, end) + HEADER_BYTES;
}

/* A list whose elements need no tracing is followed to its end, or for CHAIN_BYTES; so is any in
 * a minor collection, where it is in the cache. Else the tail is pushed, to be prefetched. */
static inline size_t trace_pairs(Tracer *t, V v, bool is_cached) {
  size_t bytes = 0;
  for (;;) {
    V head = VK_HEAD(v), tail = VK_TAIL(v);
    bytes += sizeof(VkPair);
    bool must_follow = mark(t, head);
    if (must_follow) push(t, head);
    if (!mark(t, tail)) break;
    if (!VK_IS_PAIR(tail) || (must_follow && !is_cached) || bytes >= CHAIN_BYTES ||
        t->count >= t->most) {
      push(t, tail);
      break;
    }
    v = tail;
  }
  t->live_bytes += bytes;
  return bytes;
}

static void rescan_cell(VkHeap *h, char *cell, void *to) {
  (void)to;
  if (!bit_get(h->marks, heap_granule(h, (uintptr_t)cell))) return;
  V v = value_at(h, cell), *first = (V *)cell, *end = first + 2;
  if (!VK_IS_PAIR(v)) heap_fields(first, &first, &end);
  for (; first < end; first++) heap_mark_value(h, *first);
}

/* Takes up one block on which the stack overflowed. */
static VK_COLD bool rescan_block(VkHeap *h) {
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

bool heap_trace_done(const VkHeap *h) {
  return !h->mark_stack.count && !h->has_rescan && !heap_has_unscanned(h);
}

typedef struct Queue {
  V items[QUEUE_LENGTH];
  unsigned head, length;
} Queue;

/* Fill the queue from the stack, up to a range of an array: that is traced at once. */
static inline size_t fill_queue(Tracer *t, Queue *q) {
  while (q->length < QUEUE_LENGTH && t->count) {
    V v = t->items[--t->count];
    if (VK_UNLIKELY((v & 7) == TAG_RANGE))
      return trace_fields(t, (V *)(v - TAG_RANGE), (V *)t->items[--t->count]);
    __builtin_prefetch((void *)v);
    q->items[(q->head + q->length++) % QUEUE_LENGTH] = v;
  }
  return 0;
}

/* No room for a step, and the stack cannot grow: what is on top waits for a rescan. */
static VK_COLD void shed(VkHeap *h) {
  WordList *l = &h->mark_stack;
  for (unsigned i = 0; i < QUEUE_LENGTH && l->count; i++) {
    V v = l->items[--l->count];
    if ((v & 7) != TAG_RANGE) {
      overflow_value(h, v);
      continue;
    }
    l->count--;
    overflow(h, v - TAG_RANGE);
  }
}

size_t heap_trace(VkHeap *h, size_t budget) {
  Tracer t = tracer_begin(h);
  Queue q = {.length = 0};
  size_t done = 0;
  bool is_cached = h->phase == HEAP_IDLE;
  while (done < budget) {
    if (VK_UNLIKELY(t.count > t.most)) {
      tracer_end(&t);
      if (!grow_stack(h)) shed(h);
      t = tracer_begin(h);
      continue;
    }
    done += fill_queue(&t, &q);
    if (!q.length) {
      if (t.count) continue;
      tracer_end(&t);
      bool has_more = h->has_rescan && rescan_block(h);
      if (!has_more && heap_has_unscanned(h)) {
        done += heap_scan_next(h);
        has_more = true;
      }
      t = tracer_begin(h);
      if (!has_more) break;
      continue;
    }
    if (t.count > t.most) continue; /* a range took the room */
    V v = q.items[q.head];
    q.head = (q.head + 1) % QUEUE_LENGTH;
    q.length--;
    done += VK_IS_PAIR(v) ? trace_pairs(&t, v, is_cached) : trace_object(&t, v);
  }
  while (q.length--) push(&t, q.items[q.head++ % QUEUE_LENGTH]);
  tracer_end(&t);
  return done;
}
