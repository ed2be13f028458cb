/* heap_frozen.c - which frozen segments an isolate holds (contract: frozen.h).
 *
 * segment_states has a byte per unit of all segments. Full marking turns HELD into SEEN where a
 * pointer leads; at its end what a seen segment refers to counts as seen, what is not seen is
 * given up, and SEEN becomes HELD. What comes to be held while marking is under way is SEEN. */
#include "frozen.h"
#include "heap_impl.h"
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef enum SegmentState { SEGMENT_FOREIGN, SEGMENT_HELD, SEGMENT_SEEN } SegmentState;

struct VkFrozenRange vk_frozen_range;

void vk_segment_retain(VkSegment *s) {
  atomic_fetch_add_explicit(&s->count, 1, memory_order_relaxed);
}

void vk_segment_release(VkSegment *s) {
  if (atomic_fetch_sub_explicit(&s->count, 1, memory_order_acq_rel) == 1) s->free(s);
}

static uint8_t *states_of(VkHeap *h, const VkSegment *s) {
  return h->segment_states + vk_frozen_unit((uintptr_t)s);
}

static void set_state(VkHeap *h, const VkSegment *s, SegmentState state) {
  memset(states_of(h, s), (int)state, s->units);
}

/* ---- holding ------------------------------------------------------------------------------ */

static void prepare_states(VkHeap *h) {
  size_t units = vk_frozen_range.bytes >> VK_SEGMENT_SHIFT;
  void *p = mmap(NULL, units, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) heap_out_of_memory(h, units);
  h->segment_states = p;
}

static bool is_held(VkHeap *h, const VkSegment *s) {
  return *states_of(h, s) != SEGMENT_FOREIGN;
}

/* Much came to be held: what was given up meanwhile should be found. */
static void expect_full(VkHeap *h) {
  size_t kept = h->segment_bytes - h->segment_new_bytes;
  size_t most = h->threshold_bytes > kept ? h->threshold_bytes : kept;
  if (h->segment_new_bytes <= most || h->phase == HEAP_MARKING) return;
  h->wants_full = true;
  heap_end_cycle(h);
}

static void hold_one(VkHeap *h, VkSegment *s) {
  set_state(h, s, h->phase == HEAP_MARKING ? SEGMENT_SEEN : SEGMENT_HELD);
  words_push(&h->segments, (uintptr_t)s);
  h->segment_bytes += s->bytes;
  h->segment_new_bytes += s->bytes;
}

void vk_frozen_hold(vk *c, VkSegment *s) {
  VkHeap *h = c->heap;
  if (!h->segment_states) prepare_states(h);
  if (is_held(h, s)) {
    if (h->phase == HEAP_MARKING) heap_mark_frozen(h, (uintptr_t)s);
    vk_segment_release(s);
    return;
  }
  size_t next = h->segments.count;
  hold_one(h, s);
  for (; next < h->segments.count; next++) { /* and what it refers to */
    VkSegment *held = (VkSegment *)h->segments.items[next];
    for (size_t i = 0; i < held->ref_count; i++) {
      if (is_held(h, held->refs[i])) continue;
      vk_segment_retain(held->refs[i]);
      hold_one(h, held->refs[i]);
    }
  }
  expect_full(h);
}

/* ---- collections -------------------------------------------------------------------------- */

void heap_mark_frozen(VkHeap *h, uintptr_t address) {
  size_t offset = address - vk_frozen_range.base;
  if (offset >= vk_frozen_range.bytes) return;
  uint8_t *state = &h->segment_states[offset >> VK_SEGMENT_SHIFT];
  if (*state == SEGMENT_HELD) *state = SEGMENT_SEEN;
}

static bool is_seen(VkHeap *h, const VkSegment *s) {
  return memchr(states_of(h, s), SEGMENT_SEEN, s->units) != NULL;
}

static void see_refs(VkHeap *h) {
  WordList work = {0};
  for (size_t i = 0; i < h->segments.count; i++)
    if (is_seen(h, (VkSegment *)h->segments.items[i])) words_push(&work, h->segments.items[i]);
  while (work.count) {
    VkSegment *s = (VkSegment *)work.items[--work.count];
    for (size_t i = 0; i < s->ref_count; i++) {
      assert(is_held(h, s->refs[i]));
      if (is_seen(h, s->refs[i])) continue;
      *states_of(h, s->refs[i]) = SEGMENT_SEEN;
      words_push(&work, (uintptr_t)s->refs[i]);
    }
  }
  free(work.items);
}

void heap_sweep_frozen(VkHeap *h) {
  WordList *l = &h->segments;
  size_t kept = 0, bytes = 0;
  see_refs(h);
  for (size_t i = 0; i < l->count; i++) {
    VkSegment *s = (VkSegment *)l->items[i];
    bool stays = is_seen(h, s);
    set_state(h, s, stays ? SEGMENT_HELD : SEGMENT_FOREIGN);
    if (stays) {
      bytes += s->bytes;
      l->items[kept++] = (uintptr_t)s;
    } else {
      vk_segment_release(s);
    }
  }
  l->count = kept;
  h->segment_bytes = bytes;
  h->segment_new_bytes = 0;
  h->wants_full = false;
}

void heap_drop_frozen(VkHeap *h) {
  for (size_t i = 0; i < h->segments.count; i++)
    vk_segment_release((VkSegment *)h->segments.items[i]);
  h->segments.count = 0;
  if (h->segment_states) munmap(h->segment_states, vk_frozen_range.bytes >> VK_SEGMENT_SHIFT);
  h->segment_states = NULL;
}
