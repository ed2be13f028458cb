/* sched.h - the scheduler of one isolate: ready fibers, timers, posts from other threads, and
 * the poller, which waits for the world outside.
 *
 * It is made at its first use; programs without fibers do not link it. One turn of the loop:
 *
 *   posts -> due timers -> ready fibers, each until it waits (bounded) -> turn hooks -> poll
 *
 * A fiber that waits switches straight to the next ready one. The loop has a stack of its own
 * (1 MB; vk_sched_serve: the caller's), on which handlers of posts, timers, hooks and all that a
 * poller calls run: they may allocate, call Valk, wake and start fibers, but not wait.
 *
 * The end. A program ends when its last form has run and nothing more can happen: no fiber is
 * ready, no timer runs, nothing is expected from outside. Fibers that then still wait for each
 * other are dropped. If that happens while the main program itself waits it is a deadlock: a report
 * with the place where each fiber waits, exit status 1. An error at top level and `exit` end the
 * program at once. */
#ifndef VK_SCHED_H
#define VK_SCHED_H
#include "fiber.h"

/* Makes c's scheduler unless it has one; each function here that needs one does. Too little
 * memory: a message and exit status 1. */
void vk_sched_begin(vk *c);

/* ---- timers ---------------------------------------------------------------------------------- */

typedef struct VkTimer { /* in its owner's memory, zero before the first start */
  int64_t due_ns;        /* on the clock of vk_now_ns */
  size_t slot;           /* place in the heap of timers + 1; 0: not running */
  uint64_t order;        /* among those due at the same time */
  void (*fire)(vk *c, struct VkTimer *t); /* on the loop's stack; not running: may be started */
} VkTimer;
int64_t vk_now_ns(void); /* never goes back */
/* To fire once, delay_ns from now or soon after. One that is running is moved. Those due at the
 * same time fire in the order they were started. A running timer keeps the program alive. */
void vk_timer_start(vk *c, VkTimer *t, int64_t delay_ns);
void vk_timer_stop(vk *c, VkTimer *t); /* nothing if it is not running */

/* ---- posts from other threads --------------------------------------------------------------- */

typedef struct VkPost {
  struct VkPost *next;
  /* On the isolate's thread and the loop's stack; m is the handler's from then on. */
  void (*handle)(vk *c, struct VkPost *m);
} VkPost;
typedef struct VkInbox VkInbox;      /* counted: may outlive its isolate */
VkInbox *vk_inbox(vk *c);            /* of this isolate, held once more; on its thread */
VkInbox *vk_inbox_hold(VkInbox *in); /* once more; any thread that holds it */
void vk_inbox_release(VkInbox *in);  /* any thread */
/* From any thread that holds it: lock-free; wakes the isolate if it sleeps. Posts of one
 * thread arrive in order. False: the isolate has ended, m remains the caller's. */
bool vk_inbox_post(VkInbox *in, VkPost *m);

/* Something outside, a task in the pool or the like, may yet post: keeps the program alive and
 * is no deadlock. In pairs, on the isolate's thread. */
void vk_sched_expect(vk *c);
void vk_sched_unexpect(vk *c);

/* ---- hooks --------------------------------------------------------------------------------------- */

/* Called once, on the loop's stack, when the ready fibers of this turn ran, before the poller
 * looks at I/O: the place to write out what they produced. */
typedef struct VkTurnHook {
  struct VkTurnHook *next;
  bool is_set;
  void (*run)(vk *c, struct VkTurnHook *h); /* may set itself and others again: next turn */
} VkTurnHook;
void vk_sched_at_turn_end(vk *c, VkTurnHook *h); /* nothing if it is set */

/* ---- the poller ------------------------------------------------------------------------------------ */

/* The built-in one only sleeps; net has one that runs a libuv loop. */
typedef struct VkPoller {
  /* Handles what is there; if nothing is, waits until something is or wake is called, at most
   * timeout_ns (negative: without end; 0: not at all). On the loop's stack. */
  void (*poll)(struct VkPoller *p, vk *c, int64_t timeout_ns);
  void (*wake)(struct VkPoller *p); /* any thread: ends the poll under way, or the next */
  bool (*is_active)(struct VkPoller *p,
                    vk *c);               /* sockets and the like keep the program alive */
  void (*end)(struct VkPoller *p, vk *c); /* the isolate ends; may be NULL */
} VkPoller;
/* At most once per isolate, on its thread. */
void vk_sched_set_poller(vk *c, VkPoller *p);
/* For a poller: the ready fibers run now, each until it waits, but no longer than in a turn. What
 * they did can then be looked at while its memory is warm. */
void vk_sched_run_ready(vk *c);

/* ---- running --------------------------------------------------------------------------------------- */

/* For a thread that has no main program: runs the loop on the calling stack, which c->fiber
 * describes, until vk_sched_stop (from a handler, timer, hook or fiber of this isolate). */
void vk_sched_serve(vk *c);
void vk_sched_stop(vk *c);
/* The main program has run its last form: returns when nothing more can happen. Errors of spawned
 * fibers that nobody awaited are then warned of. */
void vk_sched_finish(vk *c);
/* From the main program, which has something else to wait for: lets others run for so long. False,
 * at once, if nothing can happen. */
bool vk_sched_run_for(vk *c, int64_t ns);
/* Drops all fibers, ends the poller, refuses further posts. Before vk_heap_free, not on a
 * fiber's stack. */
void vk_sched_free(vk *c);

typedef struct VkSchedStats {
  size_t fibers, fibers_max; /* not counting main program and loop */
  size_t timers;
  uint64_t spawned, switches, turns;
} VkSchedStats;
VkSchedStats vk_sched_stats(vk *c);
#endif
