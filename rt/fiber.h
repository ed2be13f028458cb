/* fiber.h - fibers: C stacks that take turns on the thread of one isolate.
 *
 * c->fiber is the running one. The main program is a fiber on the main stack (stack.h); others
 * have stacks from a slab (fiber_stack.h), with a guard below. A fiber runs until it waits: there is
 * no preemption, so what happens between two waits is atomic for the isolate. While a fiber
 * does not run its callee-saved registers are on its stack, and `sp` points at them; the
 * collector scans [sp, stack_base) conservatively, and its scratch.
 *
 *   new -> READY -> RUNNING -- vk_fiber_wait --> WAITING -- vk_fiber_wake --> READY -> ...
 *                      \-- entry returns, vk_fiber_die --> gone, its stack reused
 *
 * Everything here is for the isolate's own thread; others use the inbox of sched.h. */
#ifndef VK_FIBER_H
#define VK_FIBER_H
#include "vk.h"
#include <stdbool.h>

typedef enum VkFiberState {
  VK_FIBER_RUNNING, /* c->fiber */
  VK_FIBER_READY,   /* in the run queue */
  VK_FIBER_WAITING, /* in vk_fiber_wait */
} VkFiberState;

/* What a fiber waits for: in the frame that calls vk_fiber_wait, first in a larger structure if
 * whoever wakes needs more. */
typedef struct VkWait {
  const char *what; /* for people: "await", "recv"; static */
  /* Cancelled, or the fiber dies: unlink from whoever would wake it. NULL: nobody knows of it. */
  void (*undo)(vk *c, struct VkWait *w);
} VkWait;

/* What a fiber does: copied by vk_fiber_start. */
typedef struct VkFiberTask {
  void (*entry)(vk *c, void *arg); /* on the fiber's stack; may wait */
  /* If not NULL: the fiber is over, in every case. error: nil, or why entry did not return
   * (:stack-overflow), or did not begin (:cancelled). On the fiber's stack; must not wait. */
  void (*ended)(vk *c, void *arg, V error);
  void *arg;
  V value; /* a root until the fiber is over: vk_fiber_value */
  bool is_deep; /* on a stack as deep as the main program's, unless there are many such already */
} VkFiberTask;

/* Cells of the heap that a stack of scratch goes on in when it is full: scratch.h. */
typedef struct VkSpill {
  char *start, *lim; /* of the cells; the same: none at present */
  bool is_on;        /* the stack is in them */
} VkSpill;

/* Where the large objects of a stack of scratch are, one behind the other: scratch_space.h */
typedef struct VkScratchArea {
  char *base, *top, *touched; /* NULL: there are none */
} VkScratchArea;

typedef struct VkFiber {
  char *stack_base;   /* highest address of the stack, exclusive: it grows down from here */
  char *stack_limit;  /* lowest address that may be used */
  size_t guard_bytes; /* below it */
  char *c_limit;      /* lower down, runtime C that recurses must not begin; NULL: no matter */
  struct VkScratchChunk *scratch[2]; /* newest chunks of the two bump stacks: see scratch.h */
  unsigned scratch_chunks[2];        /* in each, of 32 KiB; a larger one counts as so many */
  VkScratchArea area[2];
  VkSpill spill[2];
  bool scratch_is_full[2];           /* it may have no more of them */
  size_t scratch_bytes_max;          /* in chunks, at any time */
  struct VkCatch *caught;            /* where to go on when memory runs out, or NULL: catch.h */

  /* Of a fiber that does not run; the running one's are in c. */
  void *sp;
  VkScratch scratch_saved[2];
  char *tail_limit;
  const VkPos *place; /* where it waits, in the source; or NULL */

  uint8_t state;     /* VkFiberState */
  bool is_cancelled; /* and not told yet: at its next wait */
  bool is_started;   /* entry was called */
  bool is_dirty;     /* in the list of dirty fibers: fiber_impl.h */
  bool is_deep;      /* its stack is a deep one */
  bool is_yellow;    /* C code used up the stack: it ends when that code returns */
  bool is_condemned; /* ended from outside: fiber_stop.h */
  uint64_t work;     /* by which that may be asked for, 0: not at all */
  uint32_t epoch;
  uint64_t number;                 /* in order of creation; the main program is 1, the loop 0 */
  VkWait *wait;                    /* WAITING: for this */
  V wake_value;                    /* what vk_fiber_wait gives */
  VkFiberTask task;                /* all 0: the main program, the loop */
  V future;                        /* of vk_spawn, else nil */
  struct VkFiber *next, *previous; /* in its list */
  struct VkFiber *next_ready;
  void *sanitizer; /* TSan's fiber, or ASan's fake stack */
} VkFiber;

/* Where evaluated code on f's stack is to stop (eval_stop.c): before its end, by a reserve for the
 * deepest C code of the runtime, but at most a quarter. */
static inline char *vk_stop_limit(const VkFiber *f) {
  size_t all = (size_t)(f->stack_base - f->stack_limit), reserve = (size_t)1 << 20;
  return f->stack_limit + (all / 4 < reserve ? all / 4 : reserve);
}

/* ---- making ------------------------------------------------------------------------------- */

/* A new fiber that calls fn, a function of no arguments. The result is a future of its value, or
 * an error (:out-of-memory) if there is no stack for it. It runs once the running fiber waits. A
 * stack overflow in it makes its future a :stack-overflow error. */
V vk_spawn(vk *c, V fn);
/* A new fiber without a future, for C: NULL if there is no stack for it. */
VkFiber *vk_fiber_start(vk *c, const VkFiberTask *task);
/* For messages: what sets how deep the fiber's stack is. */
const char *vk_fiber_stack_setting(const VkFiber *f);
/* The value of the running fiber's task. */
V vk_fiber_value(vk *c);

/* ---- waiting ------------------------------------------------------------------------------ */

/* Suspends the running fiber; other fibers and the event loop run. Gives what it was woken with, or
 * after vk_fiber_cancel an error of kind :cancelled (w->undo was then called). Not on the
 * loop's stack, and nothing may be parked (DESIGN 3). */
V vk_fiber_wait(vk *c, VkWait *w);
/* f, which waits, becomes ready: behind those that are ready already. */
void vk_fiber_wake(vk *c, VkFiber *f, V value);
/* Ends f's wait with an error of kind :cancelled. If it does not wait it gets that at its next
 * wait; if it never ran, it does not run. Delivered once: what cleans up may wait. */
void vk_fiber_cancel(vk *c, VkFiber *f);
/* Lets the other ready fibers run. */
void vk_fiber_yield(vk *c);

/* ---- the end of a fiber that does not return ------------------------------------------------ */

/* The running fiber is over, with that error. Nothing on its stack is returned to. For the main
 * program: reports the error, exit status 1. */
_Noreturn void vk_fiber_die(vk *c, V error);
/* The same with a :stack-overflow error. */
_Noreturn void vk_fiber_overflow(vk *c);

/* C code of the runtime that recurses calls this first, where it may be abandoned: the fiber ends
 * unless VK_FIBER_C_ROOM is left. Other C code that gets into the guard goes on in its yellow part,
 * and the fiber ends when that returns to the program's code (fault.c). */
enum { VK_FIBER_C_ROOM = 16 << 10 };
#define VK_FIBER_CHECK(c)                                                                      \
  do {                                                                                         \
    if (VK_UNLIKELY((char *)__builtin_frame_address(0) < (c)->fiber->c_limit))                 \
      vk_fiber_overflow(c);                                                                    \
  } while (0)
#endif
