/* fiber_stop.h - ending a fiber that does not wait, from outside.
 *
 * Nothing is compiled into programs for that. A timer of the kernel sends a signal to the
 * thread of the isolate, and its handler makes the running fiber end as a stack overflow does
 * (fiber_fault.c): at once if the program's code runs, else when C returns to it. The fiber
 * ends with an error of kind :cancelled; `finally` does not run, and `try` does not see it. The
 * main program is never ended so. */
#ifndef VK_FIBER_STOP_H
#define VK_FIBER_STOP_H
#include "vk.h"
#include <stdbool.h>
#include <sys/types.h>

typedef struct VkStop { /* all 0 before its first use */
  int timer;            /* the kernel's number */
  bool is_made;
} VkStop;

/* The calling thread, for the next function. */
pid_t vk_stop_thread(void);
/* after_ms from now, and from then on every tenth of a second, until vk_stop_end: if `thread`
 * of this process runs a fiber of which `work` is that number, the fiber ends. Without effect
 * where the kernel has no timers left. */
void vk_stop_begin(VkStop *s, pid_t thread, uint64_t work, unsigned after_ms);
void vk_stop_end(VkStop *s); /* nothing if it has not begun */

/* What computes for cpu_ms at a stretch, without waiting, ends: a fiber of c at one and the
 * same work (VkFiber.work). To be called at least every half second, by what shows that fibers
 * take turns: only when that has not come for a second of computing is there anything to look
 * at. 0: no more. */
typedef struct VkWatch {
  VkStop stop;
  uint64_t switches, work; /* what ran at the last signal */
  unsigned count, limit;   /* signals in a row with the same */
} VkWatch;
void vk_stop_watch(vk *c, unsigned cpu_ms);

/* fiber_fault.c: the running fiber is to end; context: of the signal handler. */
void vk_fiber_condemn(vk *c, void *context);
#endif
