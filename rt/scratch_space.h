/* scratch_space.h - the addresses of scratch, for scratch.c and the collector: one reservation for all threads.
 *
 *   | chunks of 32 KiB | areas, each for the large objects of one stack | a byte per 32 KiB: is it clean |
 *
 * Chunks and areas come from slabs. In an area chunks of any multiple of 32 KiB follow each other as
 * they are made, and are given back from the end, as the stack they belong to. */
#ifndef VK_SCRATCH_SPACE_H
#define VK_SCRATCH_SPACE_H
#include "fiber.h"
#include "vk.h"
#include <stdbool.h>

#define VK_WINDOW_BYTES ((size_t)1 << VK_SCRATCH_SHIFT)

typedef struct VkScratchChunk {
  struct VkScratchChunk *previous;
  char *top;          /* where data ended when the next chunk was begun, or spilling */
  size_t bytes;       /* of all of it: a multiple of 32 KiB, more than that in an area */
  size_t large_bytes; /* of the large object it begins with, or 0 */
} VkScratchChunk;

/* The first time, of the process: areas have room for arena_bytes. NULL: there is no memory. */
VkScratchChunk *scratch_take_chunk(size_t arena_bytes);
void scratch_give_chunk(VkScratchChunk *chunk);
/* Takes an area for `a` if it has none. NULL: there is none, or no room in it. */
VkScratchChunk *scratch_take_large(VkScratchArea *a, size_t bytes, size_t arena_bytes);
void scratch_give_large(VkScratchArea *a, VkScratchChunk *newest);

/* Once there is a chunk: what the barrier must know. */
void scratch_note_addresses(VkBarrier *b);
bool scratch_owns(const void *p);
/* Of the 32 KiB that p is in: what it refers to is marked, so only full marking looks at it. */
uint8_t *scratch_clean_flag(const void *p);
#endif
