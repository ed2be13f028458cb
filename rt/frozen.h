/* frozen.h - segments: deeply immutable values outside all heaps, shared by isolates.
 *
 *   one reservation   | segment | segment ....... | free | segment | ...      units of 64 KiB
 *   one segment       | VkSegment | objects, as in a heap |
 *
 * `freeze` moves a copy of a large value into a segment; it refers only to itself, static data and
 * other segments, which it counts. A segment lives while its count is above zero. An isolate holds
 * each segment it can reach once, however many values point into it: a full collection notes which
 * segments it saw, in a byte per unit of the isolate's own, and gives up the others. Parcels on
 * their way and segments that refer to others hold counts, too.
 *
 * An isolate that holds a segment holds those it refers to as well. So everything that is reached
 * is held, and a word on a stack that looks like an address means nothing unless it points into
 * a segment held. */
#ifndef VK_FROZEN_H
#define VK_FROZEN_H
#include "heap.h"
#include <stdbool.h>

enum { VK_SEGMENT_SHIFT = 16, VK_SEGMENT_UNIT = 1 << VK_SEGMENT_SHIFT };
/* A value smaller than this stays in its heap: to copy it when it crosses costs no more than to
 * count it. */
enum { VK_SEGMENT_BYTES_MIN = 4 << 10 };

typedef struct VkSegment {
  _Atomic uint32_t count;
  uint32_t units;
  struct VkSegment **refs; /* malloc: the segments it refers to, each once and counted */
  size_t ref_count;
  size_t bytes; /* of its objects */
  void (*free)(struct VkSegment *s);
  struct VkSegment *next; /* while it is being freed */
} VkSegment;
enum { VK_SEGMENT_HEADER_BYTES = 64 };
_Static_assert(sizeof(VkSegment) <= VK_SEGMENT_HEADER_BYTES, "objects follow, aligned");

/* The reservation; 0 bytes before the first segment. */
extern struct VkFrozenRange {
  _Atomic uintptr_t base;
  _Atomic size_t bytes;
} vk_frozen_range;
static inline size_t vk_frozen_unit(uintptr_t address) {
  return (address - vk_frozen_range.base) >> VK_SEGMENT_SHIFT;
}
static inline bool vk_is_in_segment(uintptr_t address) {
  return address - vk_frozen_range.base < vk_frozen_range.bytes;
}

/* ---- frozen.c ------------------------------------------------------------------------------- */

/* The segment of a value in one that the caller holds. */
VkSegment *vk_segment_of(V v);
/* A segment with room for so many bytes of objects, count 1, nothing else set; NULL without memory. */
VkSegment *vk_segment_new(size_t bytes);
static inline char *vk_segment_data(VkSegment *s) {
  return (char *)s + VK_SEGMENT_HEADER_BYTES;
}

/* v made immutable: v itself, or the same value in a segment if it is large. An error of kind
 * :not-sendable if it holds what changes by nature: an atom, a handle, a variable that functions
 * assign. */
V vk_freeze_value(vk *c, V v);

/* ---- heap_frozen.c: what an isolate holds --------------------------------------------------- */

void vk_segment_retain(VkSegment *s);
void vk_segment_release(VkSegment *s);
/* c holds s from now on: takes over one count, or gives it back if c held s before. */
void vk_frozen_hold(vk *c, VkSegment *s);
#endif
