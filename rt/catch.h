/* catch.h - where a program goes on when the heap's hard limit ends what it was doing.
 *
 * An allocation that the limit denies and that cannot give an error value leaves its C frames, as
 * longjmp does, for the newest catch of the running fiber: `try`, `finally`, or vk_catch_call. Its
 * value there is an error of kind :out-of-memory. A fiber without a catch ends with that error, the main
 * program with a message.
 *
 *   VkCatch of `try`  <-previous-  VkCatch of an inner `try`  <-  c->fiber->caught
 *
 * Frames left so never go on: what they keep outside the heap is lost, and what they change in
 * the heap must be whole whenever they allocate. Scratch is reset to what it was. Setting a catch
 * takes a few stores; nothing else has a cost. */
#ifndef VK_CATCH_H
#define VK_CATCH_H
#include "vk.h"

/* Calls fn(c, arg): its value, or the error that ended it. */
V vk_catch_call(vk *c, V (*fn)(vk *c, void *arg), void *arg);

/* Leaves the running frames for the newest catch of the fiber, or ends the fiber. Returns if there
 * is no catch in the main program. bytes: what was asked for. */
void vk_catch_out_of_memory(vk *c, size_t bytes);
#endif
