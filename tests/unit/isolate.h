/* isolate.h - an isolate of a test's own, with limits that a test reaches soon. The stack is the
 * test's: main calls isolate_main first. */
#ifndef TESTS_UNIT_ISOLATE_H
#define TESTS_UNIT_ISOLATE_H
#include "../../rt/heap.h"
#include "check.h"
#include <stdlib.h>

static vk isolate;
static VkFiber fiber;

#define isolate_main() (fiber.stack_base = (char *)__builtin_frame_address(0))

/* 64 MB of heap unless `limits` says more exactly; what is 0 there is the usual of tests. */
static inline vk *isolate_begin(VkLimits limits) {
  vk *c = &isolate;
  if (!limits.heap_limit_bytes) limits.heap_limit_bytes = 64 << 20;
  if (!limits.gc_threshold_bytes) limits.gc_threshold_bytes = 1 << 20;
  memset(c, 0, sizeof *c);
  c->fiber = &fiber;
  if (!vk_heap_new(c, &limits)) abort();
  return c;
}

static inline void isolate_end(vk *c) {
  CHECK(heap_is_valid(c->heap));
  vk_heap_free(c);
}
#endif
