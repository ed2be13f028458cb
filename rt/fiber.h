/* fiber.h - what the runtime knows of the C stack code runs on, and of the scratch it owns.
 *
 * One VkFiber per C stack; the main program is one. c->fiber is the running one. The collector
 * scans [stack pointer, stack_base) of the running fiber, conservatively. */
#ifndef VK_FIBER_H
#define VK_FIBER_H
#include <stddef.h>

typedef struct VkFiber {
  char *stack_base;  /* highest address of the stack, exclusive: it grows down from here */
  char *stack_limit; /* lowest address that may be used (guard below) */
  struct VkScratchChunk *scratch[2]; /* newest chunks of the two bump stacks: see scratch.h */
  unsigned scratch_chunks;           /* in both */
  size_t scratch_bytes_max;          /* in chunks, at any time */
} VkFiber;
#endif
