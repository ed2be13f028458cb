/* slab.c - lock-free pools (contract: slab.h).
 *
 *   head   version (32 bits) | number of the first free slot + 1 (32 bits), 0: none
 *   next   per slot: number + 1 of the free slot below it
 *   fresh  slots from here on were never taken
 *
 * Links stand beside the slots, not in them: a thread that lost a race reads a link that no
 * longer means anything, which is harmless as its exchange of head will fail. */
#include "slab.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

struct VkSlab {
  _Alignas(64) _Atomic uint64_t head;
  _Alignas(64) _Atomic size_t fresh;
  _Alignas(64) _Atomic size_t used;
  _Atomic size_t used_max;
  _Atomic uint64_t takes, failures;
  char *slots;
  _Atomic uint32_t *next;
  size_t slot_bytes, slot_count;
  const char *name;
  struct VkSlab *other; /* in the list of all pools; constant once published */
};

static _Atomic(VkSlab *) all_slabs;

static void *reserve(size_t bytes) {
  void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return p == MAP_FAILED ? NULL : p;
}

/* Slots aligned to `align`; the ends that stick out are unmapped. */
static char *reserve_slots(size_t bytes, size_t align) {
  char *p = reserve(bytes + align);
  if (!p) return NULL;
  char *start = (char *)(((uintptr_t)p + align - 1) & -(uintptr_t)align);
  if (start > p) munmap(p, (size_t)(start - p));
  if (start < p + align) munmap(start + bytes, (size_t)(p + align - start));
  return start;
}

enum { PAGE = 65536 }; /* a multiple of the page size of every system */

VkSlab *vk_slab_over(const char *name, char *memory, size_t slot_bytes, size_t slot_count) {
  VkSlab *s = aligned_alloc(64, sizeof *s);
  void *next = s ? reserve(slot_count * sizeof(uint32_t)) : NULL;
  if (!next) {
    free(s);
    return NULL;
  }
  /* Large slots are touched in part: huge pages would commit the rest. */
  if (slot_bytes > PAGE) madvise(memory, slot_bytes * slot_count, MADV_NOHUGEPAGE);
  *s = (VkSlab){.slots = memory,
                .next = next,
                .slot_bytes = slot_bytes,
                .slot_count = slot_count,
                .name = name};
  s->other = atomic_load(&all_slabs);
  while (!atomic_compare_exchange_weak(&all_slabs, &s->other, s)) {
  }
  return s;
}

VkSlab *vk_slab_new(const char *name, size_t slot_bytes, size_t slot_count) {
  if (!slot_bytes || !slot_count || slot_count >= UINT32_MAX) return NULL;
  slot_bytes = (slot_bytes + 15) & ~(size_t)15;
  bool is_power = !(slot_bytes & (slot_bytes - 1));
  size_t align = is_power && slot_bytes > PAGE ? slot_bytes : PAGE;
  size_t bytes;
  if (__builtin_mul_overflow(slot_bytes, slot_count, &bytes) || bytes > SIZE_MAX / 4)
    return NULL;
  bytes = (bytes + PAGE - 1) / PAGE * PAGE;
  char *slots = reserve_slots(bytes, align);
  VkSlab *s = slots ? vk_slab_over(name, slots, slot_bytes, slot_count) : NULL;
  if (slots && !s) munmap(slots, bytes);
  return s;
}

static void raise_max(_Atomic size_t *max, size_t value) {
  size_t old = atomic_load_explicit(max, memory_order_relaxed);
  while (old < value && !atomic_compare_exchange_weak_explicit(
                            max, &old, value, memory_order_relaxed, memory_order_relaxed)) {
  }
}

/* Number + 1 of a slot that was given back, or 0. */
static uint32_t pop(VkSlab *s) {
  uint64_t head = atomic_load_explicit(&s->head, memory_order_acquire);
  while ((uint32_t)head) {
    uint32_t next = atomic_load_explicit(&s->next[(uint32_t)head - 1], memory_order_relaxed);
    uint64_t want = ((head >> 32) + 1) << 32 | next;
    if (atomic_compare_exchange_weak_explicit(&s->head, &head, want, memory_order_acquire,
                                              memory_order_acquire))
      return (uint32_t)head;
  }
  return 0;
}

/* Number + 1 of a slot never taken before, or 0. */
static uint32_t take_fresh(VkSlab *s) {
  size_t i = atomic_load_explicit(&s->fresh, memory_order_relaxed);
  while (i < s->slot_count)
    if (atomic_compare_exchange_weak_explicit(&s->fresh, &i, i + 1, memory_order_relaxed,
                                              memory_order_relaxed))
      return (uint32_t)i + 1;
  return 0;
}

void *vk_slab_take(VkSlab *s) {
  uint32_t number = pop(s);
  if (!number) number = take_fresh(s);
  if (!number) {
    atomic_fetch_add_explicit(&s->failures, 1, memory_order_relaxed);
    return NULL;
  }
  atomic_fetch_add_explicit(&s->takes, 1, memory_order_relaxed);
  raise_max(&s->used_max, atomic_fetch_add_explicit(&s->used, 1, memory_order_relaxed) + 1);
  return s->slots + (size_t)(number - 1) * s->slot_bytes;
}

size_t vk_slab_index(const VkSlab *s, const void *slot) {
  return (size_t)((const char *)slot - s->slots) / s->slot_bytes;
}

void vk_slab_give(VkSlab *s, void *slot) {
  uint32_t number = (uint32_t)vk_slab_index(s, slot) + 1;
  atomic_fetch_sub_explicit(&s->used, 1, memory_order_relaxed);
  uint64_t head = atomic_load_explicit(&s->head, memory_order_relaxed), want;
  do {
    atomic_store_explicit(&s->next[number - 1], (uint32_t)head, memory_order_relaxed);
    want = ((head >> 32) + 1) << 32 | number;
  } while (!atomic_compare_exchange_weak_explicit(&s->head, &head, want, memory_order_release,
                                                  memory_order_relaxed));
}

const void *vk_slab_base(const VkSlab *s) { return s->slots; }

bool vk_slab_owns(const VkSlab *s, const void *p) {
  return (size_t)((const char *)p - s->slots) < s->slot_bytes * s->slot_count;
}

VkSlabStats vk_slab_stats(const VkSlab *s) {
  return (VkSlabStats){
      .name = s->name,
      .slot_bytes = s->slot_bytes,
      .slot_count = s->slot_count,
      .used = atomic_load_explicit(&s->used, memory_order_relaxed),
      .used_max = atomic_load_explicit(&s->used_max, memory_order_relaxed),
      .touched = atomic_load_explicit(&s->fresh, memory_order_relaxed),
      .takes = atomic_load_explicit(&s->takes, memory_order_relaxed),
      .failures = atomic_load_explicit(&s->failures, memory_order_relaxed),
  };
}

VkSlab *vk_slab_next(VkSlab *s) { return s ? s->other : atomic_load(&all_slabs); }

bool slab_is_valid(const VkSlab *s) {
  size_t fresh = s->fresh, free_count = 0;
  if (fresh > s->slot_count) return false;
  unsigned char *seen = calloc(fresh + 1, 1);
  uint32_t number = seen ? (uint32_t)s->head : 0;
  bool is_valid = seen != NULL;
  for (; number && is_valid; number = s->next[number - 1]) {
    is_valid = number <= fresh && !seen[number - 1];
    if (is_valid) seen[number - 1] = 1;
    free_count++;
  }
  free(seen);
  return is_valid && free_count + s->used == fresh;
}
