/* limits.h - sizes a user can set: environment, build options, defaults. Read once at start.
 *
 * VALK_HEAP_LIMIT    most bytes of heap (default: what the machine or its cgroup allows; the
 *                    cgroup is asked when the heap is first used)
 * VALK_GC_THRESHOLD  least bytes allocated between two full collections (16 MB)
 * VALK_ARENA_SIZE    most bytes of scratch per fiber (4 MB); beyond it, heap
 * VALK_STACK_SIZE    bytes of the main stack (1 GB): read by stack.c
 * VALK_GC_STRESS=N   collect at every Nth slow-path allocation, check the heap in debug builds
 * VALK_TRACE=gc,...  print one line per collection to standard error
 *
 * Sizes take a suffix k, m or g. A bad value is a message and exit status 2. */
#ifndef VK_LIMITS_H
#define VK_LIMITS_H
#include "vk.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VK_HEAP_LIMIT_MIN = 1 << 20, VK_GC_THRESHOLD_MIN = 64 << 10 };
/* A vector of at most so many elements is made, or the program ends: never an error value. */
enum { VK_SURE_LENGTH = 1 << 20 };

typedef struct VkLimits {
  size_t heap_limit_bytes; /* 0: what the machine has, asked when the heap is first used */
  size_t gc_threshold_bytes, arena_bytes;
  unsigned gc_stress; /* 0: off */
  bool trace_gc;
} VkLimits;

/* getenv of a name VALK_..., as they are at the first call: usually there are none, which one look
 * through the environment finds. */
const char *vk_setting(const char *name);
/* "64k" "16m" "2g" "1000" to bytes; false if it is no such text or does not fit. */
bool vk_parse_size(const char *text, size_t *bytes);
/* environment, else defaults (may be NULL), else built in. Ends the process on a bad value. */
VkLimits vk_limits_read(const VkDefaults *defaults);
/* What of so much memory the heap may take by default. */
static inline size_t vk_heap_share(size_t memory_bytes) { return memory_bytes / 10 * 9; }
/* Physical memory, or less where a cgroup says so: reads files, so not at every start. */
size_t vk_machine_memory(void);
/* Whether VALK_TRACE names `topic` in its comma-separated list. */
bool vk_trace_wanted(const char *topic);
#endif
