/* future.h - futures, promises and channels: handles.
 *
 * A future is resolved once, with a value or an error, which all who await it get, then or later. A
 * promise is a future that the program resolves. Neither can be sent to another isolate: a task
 * in the pool resolves its future by a post to the inbox (sched.h). A channel can: it is then the
 * same channel there, and what goes through it is copied.
 *
 * Who waits is served in the order of coming, and runs after the fiber that woke it waits. */
#ifndef VK_FUTURE_H
#define VK_FUTURE_H
#include "fiber.h"
#include "handle.h"

/* One that waits for a future: linked into it until it is resolved. In its owner's memory. */
typedef struct VkWaiter {
  struct VkWaiter *next, *previous;
  /* Unlinked already. On whatever stack resolves: must not wait. */
  void (*wake)(vk *c, struct VkWaiter *w, V value);
} VkWaiter;

extern const VkHandleClass vk_future_class, vk_promise_class, vk_channel_class;

struct VkFuture;
typedef struct VkFutureOwner { /* static: who computes the value */
  /* (cancel f): stop the computation. May resolve the future, now or later, or do nothing. */
  void (*cancel)(vk *c, struct VkFuture *f);
} VkFutureOwner;
typedef struct VkFuture {
  V hdr;
  const VkHandleClass *class; /* vk_future_class or vk_promise_class */
  V value;                    /* VK_UNBOUND until resolved */
  VkWaiter *first, *last;     /* who waits, in order */
  const VkFutureOwner *owner; /* NULL, once resolved too: cancelling resolves with :cancelled */
  void *data;                 /* the owner's */
  bool is_seen;               /* awaited or watched: an error in it is not lost */
} VkFuture;
#define VK_IS_FUTURE(v)                                                                        \
  (VK_IS_HANDLE_OF(v, &vk_future_class) || VK_IS_HANDLE_OF(v, &vk_promise_class))
#define VK_FUT(v) ((VkFuture *)VK_OBJ(v))

V vk_future_new(vk *c, const VkFutureOwner *owner, void *data);
/* False: it was resolved before. value may be an error. */
bool vk_future_resolve(vk *c, V future, V value);
/* w->wake is called once, at once if it is resolved. Whoever watches keeps the future reachable. */
void vk_future_watch(vk *c, V future, VkWaiter *w);
void vk_future_unwatch(vk *c, V future, VkWaiter *w);
/* Suspends this fiber until it is resolved: gives the value or error. timeout_ns >= 0: at most so
 * long, then an error of kind :timeout; the computation goes on. Cancelled: :cancelled. */
V vk_future_await(vk *c, V future, int64_t timeout_ns);

typedef struct VkChannel {
  V hdr;
  const VkHandleClass *class;
  V items;         /* nil, or a STORE used as a ring that grows up to the capacity */
  size_t capacity; /* 0: each send meets its recv */
  size_t start, count;
  struct VkChannelWait *senders, *senders_last;     /* count = capacity */
  struct VkChannelWait *receivers, *receivers_last; /* count = 0 */
  bool is_closed;
  struct SharedChannel
      *shared; /* not NULL: it is where several isolates meet, all else is unused */
} VkChannel;
#define VK_IS_CHANNEL(v) VK_IS_HANDLE_OF(v, &vk_channel_class)
#define VK_CHAN(v) ((VkChannel *)VK_OBJ(v))
#endif
