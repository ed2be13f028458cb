/* slab.h - pools of slots of one size, for threads: connections, buffers, stacks, scratch chunks.
 *
 * Taking and giving is lock-free: a Treiber stack of slot numbers (Treiber 1986) with a version
 * tag beside the head, so that a slot that went and came back in between is noticed (ABA). The
 * slots' memory is reserved at once and touched as it is first taken. */
#ifndef VK_SLAB_H
#define VK_SLAB_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct VkSlab VkSlab;
typedef struct VkSlabStats {
  const char *name;
  size_t slot_bytes, slot_count;
  size_t used, used_max; /* slots taken now, and at most at any time */
  size_t touched;        /* slots taken at least once */
  uint64_t takes, failures;
} VkSlabStats;

/* A pool that lives until the process ends. name: static. Slots of a power of two bytes are
 * aligned to their size, others to 16. NULL if the system gives no memory. */
VkSlab *vk_slab_new(const char *name, size_t slot_bytes, size_t slot_count);
/* The same over memory that is there; slot_bytes is a multiple of 16. */
VkSlab *vk_slab_over(const char *name, char *memory, size_t slot_bytes, size_t slot_count);
void *vk_slab_take(VkSlab *s); /* contents undefined; NULL if all are taken */
void vk_slab_give(VkSlab *s, void *slot);
const void *vk_slab_base(const VkSlab *s); /* slots follow each other from here */
bool vk_slab_owns(const VkSlab *s, const void *p);
size_t vk_slab_index(const VkSlab *s, const void *slot); /* below slot_count */

VkSlabStats vk_slab_stats(const VkSlab *s);
VkSlab *vk_slab_next(VkSlab *s); /* the pools of the process: NULL gives the first */
/* The free list holds each slot at most once and no taken one. No other thread may use it. */
bool slab_is_valid(const VkSlab *s);
#endif
