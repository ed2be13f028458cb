/* eval_stop.c - stopping evaluated code from outside, without losing the state of anything.
 *
 * A function that is about to run, and a loop before its next round, compare their frame with
 * c->stop_limit. That is the end of the stack without a reserve for what primitives need; to stop
 * now, it becomes the end of all addresses. What is stopped gives an error like any other, and since
 * everything that might go on is a call or a round of a loop, the program winds down in the time that
 * it takes to leave the frames there are: no jump out of C code that was at work on something. */
#include "eval.h"
#include "fiber.h"
#include "heap.h"

void eval_stop_now(vk *c) { *(char *volatile *)&c->stop_limit = VK_STOP_NOW; }

/* In the middle of an allocation. */
static void on_low_memory(vk *c) {
  c->eval->stop_reason = STOP_NO_MEMORY;
  eval_stop_now(c);
}

void eval_stop_enable(vk *c) {
  c->stop_limit = vk_stop_limit(c->fiber);
  vk_heap_have_reserve(c, on_low_memory);
}

V eval_stop_over(vk *c) {
  Evaluator *ev = c->eval;
  V stopped = VK_IS_STOPPING(c) ? eval_stopped(c) : VK_NIL; /* a primitive gave up, then the end came */
  c->stop_limit = vk_stop_limit(c->fiber);
  ev->stopped = VK_NIL;
  ev->stop_reason = STOP_INTERRUPTED;
  vk_heap_restore_limit(c);
  return stopped;
}

static V reason(vk *c) {
  switch (c->eval->stop_reason) {
  case STOP_TOO_DEEP:
    return vk_errorf(c, VK_SYM(stack_overflow),
                     "too deep a recursion: it needs more than %zu KB of stack, which %s",
                     (size_t)(c->fiber->stack_base - c->fiber->stack_limit) >> 10, vk_fiber_stack_setting(c->fiber));
  case STOP_NO_MEMORY:
    return vk_errorf(c, VK_SYM(out_of_memory),
                     "out of memory: VALK_HEAP_LIMIT or the machine allows no more");
  case STOP_INTERRUPTED: break;
  }
  return vk_errorf(c, VK_SYM(interrupted), "interrupted");
}

V eval_stopped(vk *c) {
  Evaluator *ev = c->eval;
  if (ev->stopped != VK_NIL) return ev->stopped;
  if (!VK_IS_STOPPING(c)) ev->stop_reason = STOP_TOO_DEEP;
  ev->stopped = reason(c);
  eval_stop_now(c);
  return ev->stopped;
}
