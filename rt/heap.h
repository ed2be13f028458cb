/* heap.h - the garbage-collected heap of one isolate: public contract.
 *
 * Values made by vk_cons and vk_new (alloc.h) live here until nothing reaches them. Objects
 * never move. Reached means: from registers and the C stack of the running fiber (any word that
 * points at or into an allocated object), c->globals, the parked call, scratch, registered
 * roots, or another reached object. A heap is used by one thread at a time. */
#ifndef VK_HEAP_H
#define VK_HEAP_H
#include "fiber.h"
#include "limits.h"
#include "vk.h"
#include <stdbool.h>
#include <stdio.h>

typedef struct VkHeap VkHeap;

/* Give isolate c (zeroed, with c->fiber set to a fiber whose stack_base is set) an empty heap:
 * sets c->heap. NULL if the system has no memory. */
VkHeap *vk_heap_new(vk *c, const VkLimits *limits);
/* The same for the process's first isolate, with vk_limits_read(defaults). Its address space is
 * reserved when it is first used; if there is none, that is a message and exit status 1. */
void vk_heap_init(vk *c, const VkDefaults *defaults);
/* Run every finaliser still pending: for the end of the process, whose memory goes with it. */
void vk_heap_end(vk *c);
/* The same, then give all memory back. c->heap becomes NULL. */
void vk_heap_free(vk *c);

/* A C variable outside the stack that may hold a heap value, until removed. */
void vk_root_add(vk *c, V *slot);
void vk_root_remove(vk *c, V *slot);

/* As vk_new, but NULL when the hard limit would be passed: for sizes the program chose, so that
 * the caller can give the error vk_out_of_memory instead of ending the fiber or the program. */
void *vk_try_new(vk *c, size_t bytes);
V vk_out_of_memory(vk *c, size_t bytes); /* an error of kind :out-of-memory */

/* For who can stop the program: when the hard limit is reached, on_use is called, in the middle of an
 * allocation, and the limit is a 16th higher until vk_heap_restore_limit. Beyond that the process
 * ends as without. on_use must not allocate. */
void vk_heap_have_reserve(vk *c, void (*on_use)(vk *c));
void vk_heap_restore_limit(vk *c); /* collects if the reserve was in use */

/* Call fn(object) once, some time after `object` (a heap value of kind VK_HANDLE) is unreachable,
 * or at vk_heap_free. Plain C: it must not allocate from the heap or keep the object. */
void vk_finalise(vk *c, V object, void (*fn)(void *object));

/* Until vk_heap_resume nothing is collected, so that a lot of objects can be made that refer to
 * each other and that nothing else refers to yet. Makes sure, by collecting before, that there is
 * room for `bytes`; false if there is none: then nothing is suspended. */
bool vk_heap_suspend(vk *c, size_t bytes);
void vk_heap_resume(vk *c);

/* So many bytes elsewhere go with a new object, by its finaliser: collections come as if they were of
 * the heap. */
void vk_heap_external(vk *c, size_t bytes);

/* Collect everything unreachable now; gives bytes freed. */
size_t vk_collect(vk *c);
size_t vk_heap_used(vk *c);         /* bytes of live and not yet collected objects */
/* Less than an eighth of the limit is free, rubbish not yet collected counted as used. */
bool vk_heap_is_tight(vk *c);
size_t vk_arena_limit(const vk *c); /* most bytes of scratch per fiber */

/* Everything below holds of the heap: for tests and VALK_GC_STRESS. Explains on stderr. */
bool heap_is_valid(VkHeap *h);
#endif
