/* sched.c - the part of the scheduler (contract: sched.h) that programs without fibers need: what
 * keeps a program alive after its last form is its poller. */
#include "sched.h"

static VkPoller *poller; /* of the only isolate */

void vk_sched_set_poller(vk *c, VkPoller *p) {
  (void)c;
  poller = p;
}

void vk_sched_finish(vk *c) {
  while (poller && poller->is_active(poller, c)) poller->poll(poller, c, -1);
}
