/* fiber_impl.h - the structures of fibers and scheduler, for rt/fiber*.c, rt/sched*.c, and the
 * collector. */
#ifndef VK_FIBER_IMPL_H
#define VK_FIBER_IMPL_H
#include "fiber_stack.h"
#include "fiber_stop.h"
#include "sched.h"
#include "vk.h"
#include <pthread.h>

/* ---- lists of fibers for the collector -------------------------------------------------------
 * Every fiber is in one of three lists, as what a minor collection and a full marking must know:
 *
 *   dirty      ran, or got a value, since the last collection
 *   clean      the others: all they refer to is old
 *   unscanned  while a full marking is under way: as at its beginning, not yet scanned. A stack
 *              does not change until its fiber runs, so it need not be scanned before
 *
 * A fiber is unscanned if its epoch is not that of the isolate: the flags of the many need
 * not be touched when a marking begins. The running fiber is never unscanned. */

enum { VK_TURN_SWITCHES = 256, VK_TURN_CHECK = 16, VK_LOST_MAX = 16 };

struct VkFibers {
  VkFiber dirty, clean, unscanned; /* sentinels: only next and previous */
  uint32_t epoch;

  VkFiber *main; /* NULL in an isolate that serves */
  VkFiber *loop; /* NULL until it is needed */
  VkFiber loop_fiber;
  char *loop_memory; /* its stack, unless it is the caller's of vk_sched_serve */
  VkFiber *first_ready, *last_ready;
  size_t ready_count;
  VkFiber *dead; /* its stack may be given back once it is left */
  VkStackCache stacks;
  uint64_t last_number;
  VkSchedStats stats;

  /* A turn of the loop */
  unsigned turn_left; /* switches before the loop looks around */
  int64_t turn_end_ns;
  bool is_finishing; /* the main program has run its last form */
  bool is_stopping;  /* vk_sched_stop */
  size_t expected;   /* vk_sched_expect */
  VkTurnHook *hooks;
  bool (*on_still)(vk *c); /* of an isolate that serves, or NULL: see turn() */

  VkTimer **timers; /* a heap of four children, by time, then order */
  size_t timer_count, timer_capacity;
  uint64_t timer_order;

  VkInbox *inbox;
  VkPoller *poller;
  VkPoller sleeper; /* the built-in one */
  pthread_mutex_t sleep_mutex;
  pthread_cond_t sleep_cond;
  bool is_woken; /* under sleep_mutex */

  V lost[VK_LOST_MAX]; /* futures with errors that nobody awaited yet; roots */
  size_t lost_count;
  const VkPos *overflow_places[VK_TRACE_MAX]; /* where the fiber was that is ended */
  size_t overflow_count;
  VkWatch watch;
};

static inline void fiber_list_init(VkFiber *head) { head->next = head->previous = head; }
static inline void fiber_list_add(VkFiber *head, VkFiber *f) {
  f->next = head;
  f->previous = head->previous;
  f->previous->next = head->previous = f;
}
static inline void fiber_list_remove(VkFiber *f) {
  f->next->previous = f->previous;
  f->previous->next = f->next;
}
static inline void fiber_list_move(VkFiber *from, VkFiber *to) { /* all, to its end */
  if (from->next == from) return;
  from->next->previous = to->previous;
  to->previous->next = from->next;
  from->previous->next = to;
  to->previous = from->previous;
  fiber_list_init(from);
}

static inline bool vk_fiber_is_unscanned(const struct VkFibers *fs, const VkFiber *f) {
  return f->epoch != fs->epoch;
}

/* fiber.c */
void fibers_init(vk *c, struct VkFibers *fs);
void fiber_adopt(struct VkFibers *fs, VkFiber *f); /* one with a stack of its own: main, loop */
void fiber_make_context(vk *c, VkFiber *f, void (*fn)(void *c)); /* begins with fiber_arrive */
void fiber_arrive(vk *c);
void fiber_switch_to(vk *c, VkFiber *to);
void fiber_mark_dirty(vk *c, VkFiber *f);
void fiber_drop_all(vk *c); /* the isolate ends: nothing of them runs again */
VkFiber *fiber_pop_ready(struct VkFibers *fs);
void fiber_note_lost(vk *c, V future);

/* sched.c */
VkFiber *sched_loop(vk *c); /* the loop's fiber: made when it is first needed */
void sched_report_lost(vk *c);

/* sched_report.c */
void sched_report_deadlock(vk *c); /* on stderr, where each fiber waits */
V sched_deadlock_error(vk *c);     /* the same as an error */
/* The fiber of the next higher number that waits, or NULL. */
VkFiber *sched_next_waiting(struct VkFibers *fs, uint64_t after);

/* timers.c */
void timers_fire(vk *c);
int64_t
timers_next_ns(const struct VkFibers *fs); /* until the next is due; -1: there is none */

/* inbox.c */
VkInbox *inbox_new(void);
bool inbox_is_empty(const VkInbox *in);
void inbox_handle(vk *c);
void inbox_set_poller(VkInbox *in, VkPoller *p);
void inbox_close(vk *c);

/* switch.S */
void vk_context_switch(void **from, void *to);
void vk_context_begin(void);
_Noreturn void vk_context_restart(void *top, void (*fn)(void *), void *arg);
void vk_context_landing(void);

/* heap_roots.c: f does not run */
size_t heap_scan_fiber(struct VkHeap *h, VkFiber *f);
#endif
