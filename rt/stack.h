/* stack.h - the stack the program runs on, and what happens when it is used up.
 *
 *   reserved            stack_limit                                  stack_base
 *      | no access (guard) | never touched ...   sp | frames, newest first  |
 *
 * The main stack is reserved whole (VALK_STACK_SIZE, 1 GiB by default) and committed by the
 * kernel page by page as it is touched, so a deep recursion is as cheap as a shallow one and a
 * program that does not recurse pays one system call. Running off the lower end faults in the
 * guard; the handler (fault.c), on a stack of its own, ends the program with :stack-overflow and a trace.
 * `try` does not catch that (LANGUAGE 3): else every call could fail. */
#ifndef VK_STACK_H
#define VK_STACK_H
#include "fiber.h"
#include "vk.h"

/* No frame may be larger: a store below it could jump over the guard. */
enum { VK_GUARD_BYTES = 1 << 20 };
/* How far below the top of a stack guarded tail calls begin to park (DESIGN 3): deeper than
 * this, a compiler that makes them calls and not jumps would otherwise use up the stack. */
enum { VK_TAIL_ROOM = 64 << 10 };

/* The size where VALK_STACK_SIZE does not say: 1 GiB. Whoever runs code with larger frames changes it
 * before vk_main. */
extern size_t vk_stack_bytes_usual;

/* Reserves the main stack: sets f's stack_base and stack_limit. A system that refuses the size
 * gives a smaller one; one that refuses 256 KiB ends the process with a message. */
void vk_stack_init(VkFiber *f);
/* The same for a fiber other than the main program; false if the system refuses. */
bool vk_stack_reserve_deep(VkFiber *f);
/* Gives the memory of all but the uppermost bytes back to the system; nothing runs on it. */
void vk_stack_trim(const VkFiber *f, size_t kept_bytes);
/* Gives it back; nothing runs on it. */
void vk_stack_free(const VkFiber *f);
/* Lets a stack that gets deep have huge pages. Not done at once, as it costs a fiftieth of a small
 * program: the heap does it when it is first used. */
void vk_stack_expect_depth(VkFiber *f);
/* Runs fn(arg) on f's stack and returns when it returns. */
void vk_stack_call(VkFiber *f, void (*fn)(void *), void *arg);
/* Zeroes what is below the caller's frame on f's stack, which is the running one: gaps in later
 * frames show the collector what earlier ones left there. Whole pages go back to the system. */
void vk_stack_wipe(const VkFiber *f);
#endif
