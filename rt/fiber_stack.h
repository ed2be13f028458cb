/* fiber_stack.h - stacks of fibers: slots of large regions, each with a guard below.
 *
 *   slot   | red 64 KB | yellow 64 KB | stack, VALK_FIBER_STACK bytes (256 KB) ...     |
 *          | no access               | stack_limit                        stack_base  |
 *
 * Addresses cost nothing until they are touched: a fiber that waits has one or two pages. 256 KB
 * rather than the 64 of the design let a recursion go four times as deep, and cost 40 MB of page
 * tables more for 100,000 fibers. Guards do not split the mapping where the kernel knows
 * MADV_GUARD_INSTALL (Linux 6.13); elsewhere they are made by mprotect, and after 28,000 there are
 * no more stacks: the rest of the process needs mappings, too.
 *
 * The slots are the process's; each isolate keeps some stacks of its own warm. Memory of those
 * beyond goes back to the system. */
#ifndef VK_FIBER_STACK_H
#define VK_FIBER_STACK_H
#include <stdbool.h>
#include <stddef.h>

enum { VK_FIBER_STACK_RED = 64 << 10, VK_FIBER_STACK_YELLOW = 64 << 10 };
enum { VK_FIBER_STACK_GUARD = VK_FIBER_STACK_RED + VK_FIBER_STACK_YELLOW };

/* Bytes of a stack, the same for all: from VALK_FIBER_STACK at the first use. */
size_t vk_fiber_stack_bytes(void);
/* How many times as large they are without that setting; of use before the first fiber. */
extern unsigned vk_fiber_stack_times;
/* A call in the evaluator takes some 400 bytes, compiled ones 50 to 150. */
enum { VK_FIBER_STACK_EVALUATOR = 4 };

enum { VK_WARM_STACKS = 256 };
/* Deep ones of an isolate: at most so many at once, and kept when nobody has them. */
enum { VK_DEEP_STACKS = 64, VK_DEEP_KEPT = 2 };
typedef struct VkDeepStack {
  char *limit, *base; /* of the whole */
} VkDeepStack;
typedef struct VkStackCache { /* of an isolate; zeroed at first */
  char *warm[VK_WARM_STACKS];
  size_t count;
  VkDeepStack deep[VK_DEEP_KEPT];
  size_t deep_count, deep_used;
} VkStackCache;

/* The stack_limit of a stack, contents undefined; NULL if there is no more memory or addresses. */
char *vk_fiber_stack_take(VkStackCache *cache);
void vk_fiber_stack_give(VkStackCache *cache, char *limit);
/* One as deep as the main program's, with VK_GUARD_BYTES below: reserved by itself, so only for
 * some fibers. False: there is none to be had. */
bool vk_deep_stack_take(VkStackCache *cache, VkDeepStack *s);
void vk_deep_stack_give(VkStackCache *cache, VkDeepStack s);
void vk_fiber_stacks_release(VkStackCache *cache); /* the isolate ends */
/* Makes the yellow part usable, or no longer. From a signal handler, too. */
bool vk_fiber_stack_yellow(char *limit, bool is_usable);

/* For tests: guards are made by mprotect from now on. */
void vk_fiber_stack_use_mprotect(void);
#endif
