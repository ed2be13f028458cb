/* future.c - futures and promises (contract: future.h). */
#include "future.h"
#include "fns.h"
#include "numbers.h"
#include "sched.h"
#include "system.h"
#include <assert.h>

const VkHandleClass vk_future_class = {.name = "future"};
const VkHandleClass vk_promise_class = {.name = "promise"};

static V new_of(vk *c, const VkHandleClass *class, const VkFutureOwner *owner, void *data) {
  VkFuture *f = vk_new(c, sizeof *f);
  f->hdr = VK_HDR(VK_HANDLE, 0, 1);
  f->class = class;
  f->value = VK_UNBOUND;
  f->owner = owner;
  f->data = data;
  return VK_FROM_OBJ(f);
}

V vk_future_new(vk *c, const VkFutureOwner *owner, void *data) {
  return new_of(c, &vk_future_class, owner, data);
}

/* ---- waiters -------------------------------------------------------------------------------- */

static void link_waiter(VkFuture *f, VkWaiter *w) {
  w->next = NULL;
  w->previous = f->last;
  if (f->last)
    f->last->next = w;
  else
    f->first = w;
  f->last = w;
}

static void unlink_waiter(VkFuture *f, VkWaiter *w) {
  if (w->previous)
    w->previous->next = w->next;
  else
    f->first = w->next;
  if (w->next)
    w->next->previous = w->previous;
  else
    f->last = w->previous;
}

void vk_future_watch(vk *c, V future, VkWaiter *w) {
  VkFuture *f = VK_FUT(future);
  f->is_seen = true;
  if (f->value != VK_UNBOUND)
    w->wake(c, w, f->value);
  else
    link_waiter(f, w);
}

void vk_future_unwatch(vk *c, V future, VkWaiter *w) {
  (void)c;
  VkFuture *f = VK_FUT(future);
  if (f->value == VK_UNBOUND) unlink_waiter(f, w);
}

bool vk_future_resolve(vk *c, V future, V value) {
  VkFuture *f = VK_FUT(future);
  assert(value != VK_MARK && value != VK_UNBOUND);
  if (f->value != VK_UNBOUND) return false;
  vk_write(c, future, &f->value, value);
  f->owner = NULL;
  f->data = NULL;
  while (f->first) {
    VkWaiter *w = f->first;
    unlink_waiter(f, w);
    w->wake(c, w, value);
  }
  return true;
}

/* ---- await ---------------------------------------------------------------------------------- */

typedef struct Await { /* in the frame of vk_future_await */
  VkWait wait;
  VkWaiter waiter;
  VkTimer timer;
  VkFiber *fiber;
  V future;
  int64_t timeout_ns;
} Await;

#define AWAIT_OF(p, field) ((Await *)((char *)(p)-offsetof(Await, field)))

static void on_resolved(vk *c, VkWaiter *w, V value) {
  Await *a = AWAIT_OF(w, waiter);
  vk_timer_stop(c, &a->timer);
  vk_fiber_wake(c, a->fiber, value);
}

static V timeout_error(vk *c, int64_t ns) {
  return vk_errorf(c, VK_SYM(timeout), "await-timeout: not there after %.15g ms",
                   (double)ns / 1e6);
}

static void on_late(vk *c, VkTimer *t) {
  Await *a = AWAIT_OF(t, timer);
  vk_future_unwatch(c, a->future, &a->waiter);
  vk_fiber_wake(c, a->fiber, timeout_error(c, a->timeout_ns));
}

static void on_cancelled(vk *c, VkWait *w) {
  Await *a = AWAIT_OF(w, wait);
  vk_timer_stop(c, &a->timer);
  vk_future_unwatch(c, a->future, &a->waiter);
}

V vk_future_await(vk *c, V future, int64_t timeout_ns) {
  VkFuture *f = VK_FUT(future);
  f->is_seen = true;
  if (f->value != VK_UNBOUND) return f->value;
  if (timeout_ns == 0) return timeout_error(c, 0);
  Await a = {.wait = {timeout_ns < 0 ? "await" : "await-timeout", on_cancelled},
             .waiter = {.wake = on_resolved},
             .timer = {.fire = on_late},
             .fiber = c->fiber,
             .future = future,
             .timeout_ns = timeout_ns};
  link_waiter(f, &a.waiter);
  if (timeout_ns > 0) vk_timer_start(c, &a.timer, timeout_ns);
  return vk_fiber_wait(c, &a.wait);
}

/* ---- primitives ----------------------------------------------------------------------------- */

static V not_a_future(vk *c, const char *who, V got) {
  return vk_arg_error(c, who, 1, got, "a future or promise");
}

V vk_await(vk *c, V f) {
  V value = VK_IS_FUTURE(f) ? vk_future_await(c, f, -1) : not_a_future(c, "await", f);
  c->place = NULL;
  return value;
}

V vk_await_timeout(vk *c, V f, V ms) {
  if (!VK_IS_FUTURE(f)) return not_a_future(c, "await-timeout", f);
  int64_t ns;
  V error = vk_duration(c, "await-timeout", 2, ms, &ns);
  if (!VK_IS_NIL(error)) return error;
  V value = vk_future_await(c, f, ns);
  c->place = NULL;
  return value;
}

V vk_promise(vk *c) { return new_of(c, &vk_promise_class, NULL, NULL); }

V vk_resolve(vk *c, V p, V v) {
  if (!VK_IS_HANDLE_OF(p, &vk_promise_class))
    return vk_arg_error(c, "resolve!", 1, p, "a promise");
  return VK_FIX(vk_future_resolve(c, p, v));
}

V vk_cancel(vk *c, V f) {
  if (!VK_IS_FUTURE(f)) return not_a_future(c, "cancel", f);
  VkFuture *future = VK_FUT(f);
  if (future->value != VK_UNBOUND) return VK_FALSE;
  if (future->owner)
    future->owner->cancel(c, future);
  else
    vk_future_resolve(c, f, vk_errorf(c, VK_SYM(cancelled), "cancelled"));
  return VK_TRUE;
}

V vk_future_p(vk *c, V v) {
  (void)c;
  return VK_FIX(VK_IS_FUTURE(v));
}

V vk_done_p(vk *c, V f) {
  return VK_IS_FUTURE(f) ? VK_FIX(VK_FUT(f)->value != VK_UNBOUND) : not_a_future(c, "done?", f);
}
