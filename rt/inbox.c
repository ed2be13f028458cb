/* inbox.c - posts from other threads to an isolate (contract: sched.h).
 *
 * A stack that producers push to and the isolate takes whole, then reverses: one exchange each.
 * Whoever pushes to an empty one wakes the isolate; the others find that done. Waking
 * goes through a mutex, for the poller dies with the isolate. */
#include "fiber_impl.h"
#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct VkInbox {
  _Atomic(VkPost *) newest; /* or closed_mark */
  _Atomic size_t holders;
  pthread_mutex_t mutex;
  VkPoller *poller; /* under mutex; NULL: the isolate has ended */
};
static VkPost closed_mark;

VkInbox *inbox_new(void) {
  VkInbox *in = calloc(1, sizeof *in);
  if (!in) return NULL;
  atomic_init(&in->newest, NULL);
  atomic_init(&in->holders, 1);
  pthread_mutex_init(&in->mutex, NULL);
  return in;
}

VkInbox *vk_inbox(vk *c) {
  vk_sched_begin(c);
  return vk_inbox_hold(c->fibers->inbox);
}

VkInbox *vk_inbox_hold(VkInbox *in) {
  atomic_fetch_add_explicit(&in->holders, 1, memory_order_relaxed);
  return in;
}

void vk_inbox_release(VkInbox *in) {
  if (atomic_fetch_sub_explicit(&in->holders, 1, memory_order_acq_rel) != 1) return;
  pthread_mutex_destroy(&in->mutex);
  free(in);
}

void inbox_set_poller(VkInbox *in, VkPoller *p) {
  pthread_mutex_lock(&in->mutex);
  in->poller = p;
  pthread_mutex_unlock(&in->mutex);
}

static void wake(VkInbox *in) {
  pthread_mutex_lock(&in->mutex);
  if (in->poller) in->poller->wake(in->poller);
  pthread_mutex_unlock(&in->mutex);
}

bool vk_inbox_post(VkInbox *in, VkPost *m) {
  VkPost *newest = atomic_load_explicit(&in->newest, memory_order_relaxed);
  do {
    if (newest == &closed_mark) return false;
    m->next = newest;
  } while (!atomic_compare_exchange_weak_explicit(&in->newest, &newest, m, memory_order_release,
                                                  memory_order_relaxed));
  if (!newest) wake(in);
  return true;
}

bool inbox_is_empty(const VkInbox *in) {
  return !atomic_load_explicit(&in->newest, memory_order_relaxed);
}

/* From the oldest on. */
static void handle_all(vk *c, VkPost *newest) {
  VkPost *oldest = NULL;
  while (newest) {
    VkPost *next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  while (oldest) {
    VkPost *m = oldest;
    oldest = m->next;
    m->handle(c, m);
  }
}

void inbox_handle(vk *c) {
  VkInbox *in = c->fibers->inbox;
  if (inbox_is_empty(in)) return;
  handle_all(c, atomic_exchange_explicit(&in->newest, NULL, memory_order_acquire));
}

/* What was accepted is still handled. */
void inbox_close(vk *c) {
  VkInbox *in = c->fibers->inbox;
  VkPost *newest = atomic_exchange_explicit(&in->newest, &closed_mark, memory_order_acquire);
  inbox_set_poller(in, NULL);
  handle_all(c, newest);
  vk_inbox_release(in);
}
