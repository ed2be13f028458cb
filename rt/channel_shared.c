/* channel_shared.c - channels that several isolates hold.
 *
 * A channel becomes shared when it is first sent to another isolate, and stays so. What it holds
 * are parcels then: each value is copied on its way, also within one isolate. Buffer, order and closing
 * are those of channel.c, under a mutex that nobody holds while packing or waiting.
 *
 * Who waits has a SharedWait in the channel's lists. Whoever serves it takes it out and posts it
 * to the inbox of its isolate, where the fiber is woken on the loop's stack:
 *
 *   LISTED  in a list                    -- served --> POSTED    its isolate will handle it
 *     \-- cancelled: taken out, freed      POSTED, cancelled --> fiber NULL: a receiver's parcel
 *                                                                goes back to the front
 *
 * Waiting for other isolates is no deadlock: it keeps the program alive (vk_sched_expect). */
#include "channel_impl.h"
#include "fault_code.h"
#include "heap.h"
#include "parcel.h"
#include "sched.h"
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Item { /* of the buffer: NULL parcels do not occur */
  struct Item *next;
  VkParcel *parcel;
} Item;

typedef enum WaitResult { GOT, CLOSED } WaitResult;
typedef struct SharedWait {
  VkPost post;
  struct SharedWait *next, *previous;
  struct SharedChannel *channel; /* counted */
  VkInbox *inbox;                /* of the isolate that waits; counted */
  VkFiber *fiber;                /* NULL: cancelled while posted */
  VkChannelWait *local;
  VkParcel *parcel; /* a sender's until it is served, a receiver's from then on */
  WaitResult result;
  bool is_sender, is_listed;
} SharedWait;

typedef struct WaitList {
  SharedWait *first, *last;
} WaitList;

typedef struct SharedChannel {
  _Atomic size_t holders;
  pthread_mutex_t mutex; /* of all below */
  size_t capacity, count;
  Item *first, *last;
  WaitList senders, receivers;
  bool is_closed;
} SharedChannel;

static void *need(size_t bytes) {
  void *p = calloc(1, bytes);
  if (p) return p;
  fputs("out of memory: no room for a channel between isolates\n", stderr);
  exit(1);
}

/* ---- lists: under the mutex ------------------------------------------------------------------- */

static void list_wait(SharedWait *w) {
  WaitList *l = w->is_sender ? &w->channel->senders : &w->channel->receivers;
  w->next = NULL;
  w->previous = l->last;
  if (l->last)
    l->last->next = w;
  else
    l->first = w;
  l->last = w;
  w->is_listed = true;
}

static void unlist_wait(SharedWait *w) {
  WaitList *l = w->is_sender ? &w->channel->senders : &w->channel->receivers;
  if (w->previous)
    w->previous->next = w->next;
  else
    l->first = w->next;
  if (w->next)
    w->next->previous = w->previous;
  else
    l->last = w->previous;
  w->is_listed = false;
}

static void append(SharedChannel *s, VkParcel *parcel) {
  Item *i = need(sizeof *i);
  i->parcel = parcel;
  if (s->last)
    s->last->next = i;
  else
    s->first = i;
  s->last = i;
  s->count++;
}

static void put_first(SharedChannel *s, VkParcel *parcel) {
  Item *i = need(sizeof *i);
  *i = (Item){s->first, parcel};
  s->first = i;
  if (!s->last) s->last = i;
  s->count++;
}

static VkParcel *take_first(SharedChannel *s) {
  Item *i = s->first;
  VkParcel *parcel = i->parcel;
  s->first = i->next;
  if (!s->first) s->last = NULL;
  s->count--;
  free(i);
  return parcel;
}

/* ---- waiting and being served ------------------------------------------------------------------ */

static void wait_free(SharedWait *w) {
  if (w->parcel) vk_parcel_free(w->parcel);
  channel_release(w->channel);
  vk_inbox_release(w->inbox);
  free(w);
}

static void handle_served(vk *c, VkPost *post);

/* Takes w out, for it to be woken with the result. False: its isolate has ended. Under the mutex. */
static bool serve(SharedWait *w, WaitResult result) {
  unlist_wait(w);
  w->result = result;
  return vk_inbox_post(w->inbox, &w->post);
}

/* Gives the parcel to the first receiver there is. Under the mutex. */
static bool hand_over(SharedChannel *s, VkParcel *parcel) {
  while (s->receivers.first) {
    SharedWait *w = s->receivers.first;
    w->parcel = parcel;
    if (serve(w, GOT)) return true;
    w->parcel = NULL; /* an isolate cancels what waits when it ends: it is past that */
    wait_free(w);
  }
  return false;
}

/* Room in the buffer goes to the first sender. Under the mutex. */
static void admit_sender(SharedChannel *s) {
  while (s->senders.first && s->count < s->capacity) {
    SharedWait *w = s->senders.first;
    append(s, w->parcel);
    w->parcel = NULL;
    if (!serve(w, GOT)) wait_free(w);
  }
}

static void give_back(SharedChannel *s, VkParcel *parcel) {
  pthread_mutex_lock(&s->mutex);
  if (!hand_over(s, parcel)) put_first(s, parcel);
  pthread_mutex_unlock(&s->mutex);
}

/* In the isolate that waited, on the loop's stack. */
static void handle_served(vk *c, VkPost *post) {
  SharedWait *w = (SharedWait *)post;
  vk_sched_unexpect(c);
  VkParcel *parcel = w->parcel;
  w->parcel = NULL;
  if (!w->fiber) {
    if (parcel) give_back(w->channel, parcel);
    wait_free(w);
    return;
  }
  V value = VK_NIL;
  if (parcel) value = vk_parcel_unpack(c, parcel);
  if (w->is_sender && w->result == CLOSED) value = channel_closed_error(c);
  w->local->shared = NULL;
  vk_fiber_wake(c, w->fiber, value);
  wait_free(w);
}

/* Cancelled: the fiber's frame goes. */
void channel_shared_undo(vk *c, VkChannelWait *local) {
  SharedWait *w = local->shared;
  SharedChannel *s = w->channel;
  pthread_mutex_lock(&s->mutex);
  bool is_listed = w->is_listed;
  if (is_listed) unlist_wait(w);
  w->fiber = NULL; /* if it was posted: handle_served runs on this thread, later */
  pthread_mutex_unlock(&s->mutex);
  local->shared = NULL;
  if (!is_listed) return;
  vk_sched_unexpect(c);
  wait_free(w);
}

/* Under the mutex. */
static void list_new_wait(vk *c, SharedChannel *s, VkChannelWait *local, VkParcel *parcel) {
  SharedWait *w = need(sizeof *w);
  channel_retain(s);
  *w = (SharedWait){.post = {NULL, handle_served},
                    .channel = s,
                    .inbox = vk_inbox(c),
                    .fiber = local->fiber,
                    .local = local,
                    .parcel = parcel,
                    .is_sender = local->is_sender};
  local->shared = w;
  list_wait(w);
  vk_sched_expect(c);
}

static void undo(vk *c, VkWait *w) { channel_shared_undo(c, (VkChannelWait *)w); }

/* Under the mutex, which it unlocks. */
static V park(vk *c, V channel, VkParcel *parcel, bool is_sender) {
  SharedChannel *s = VK_CHAN(channel)->shared;
  VkChannelWait local = {.wait = {is_sender ? "send" : "recv", undo},
                         .fiber = c->fiber,
                         .channel = channel,
                         .value = VK_NIL,
                         .is_sender = is_sender};
  list_new_wait(c, s, &local, parcel);
  pthread_mutex_unlock(&s->mutex);
  return vk_fiber_wait(c, &local.wait);
}

/* ---- operations ------------------------------------------------------------------------------------ */

V channel_shared_send(vk *c, V channel, V value) {
  SharedChannel *s = VK_CHAN(channel)->shared;
  V error = VK_NIL;
  VkParcel *parcel = vk_parcel_pack(c, value, &error);
  if (!parcel) return error;
  pthread_mutex_lock(&s->mutex);
  if (!s->is_closed && !hand_over(s, parcel)) {
    if (s->count >= s->capacity) return park(c, channel, parcel, true);
    append(s, parcel);
  } else if (s->is_closed) {
    pthread_mutex_unlock(&s->mutex);
    vk_parcel_free(parcel);
    return channel_closed_error(c);
  }
  pthread_mutex_unlock(&s->mutex);
  return VK_NIL;
}

/* The next parcel, NULL if there is none. Under the mutex. */
static VkParcel *take(SharedChannel *s) {
  VkParcel *parcel = NULL;
  if (s->count) {
    parcel = take_first(s);
    admit_sender(s);
  } else if (s->senders.first) { /* capacity 0 */
    SharedWait *w = s->senders.first;
    parcel = w->parcel;
    w->parcel = NULL;
    if (!serve(w, GOT)) wait_free(w);
  }
  return parcel;
}

V channel_shared_receive(vk *c, V channel) {
  SharedChannel *s = VK_CHAN(channel)->shared;
  pthread_mutex_lock(&s->mutex);
  VkParcel *parcel = take(s);
  if (!parcel && !s->is_closed) return park(c, channel, NULL, false);
  pthread_mutex_unlock(&s->mutex);
  return parcel ? vk_parcel_unpack(c, parcel) : VK_NIL;
}

void channel_shared_close(SharedChannel *s) {
  pthread_mutex_lock(&s->mutex);
  s->is_closed = true;
  while (s->receivers.first) {
    SharedWait *w = s->receivers.first;
    if (!serve(w, CLOSED)) wait_free(w);
  }
  while (s->senders.first) {
    SharedWait *w = s->senders.first;
    vk_parcel_free(w->parcel);
    w->parcel = NULL;
    if (!serve(w, CLOSED)) wait_free(w);
  }
  pthread_mutex_unlock(&s->mutex);
}

bool channel_shared_is_done(SharedChannel *s) {
  pthread_mutex_lock(&s->mutex);
  bool is_done = s->is_closed && !s->count;
  pthread_mutex_unlock(&s->mutex);
  return is_done;
}

/* ---- sharing ----------------------------------------------------------------------------------------- */

void channel_retain(void *shared) {
  atomic_fetch_add_explicit(&((SharedChannel *)shared)->holders, 1, memory_order_relaxed);
}

void channel_release(void *shared) {
  SharedChannel *s = shared;
  if (atomic_fetch_sub_explicit(&s->holders, 1, memory_order_acq_rel) != 1) return;
  assert(!s->senders.first && !s->receivers.first); /* they hold it */
  while (s->count) vk_parcel_free(take_first(s));
  pthread_mutex_destroy(&s->mutex);
  free(s);
}

static void release_handle(void *handle) { channel_release(((VkChannel *)handle)->shared); }

/* What cannot be sent is found out by who receives it. */
static VkParcel *pack(vk *c, V value) {
  V error = VK_NIL;
  VkParcel *parcel = vk_parcel_pack(c, value, &error);
  if (!parcel) parcel = vk_parcel_pack(c, error, &error);
  if (!parcel) need(SIZE_MAX / 2); /* no memory */
  return parcel;
}

/* Those who wait for the channel of one isolate from now on wait for the shared one. */
static void move_waiting(vk *c, V channel, bool is_sender) {
  SharedChannel *s = VK_CHAN(channel)->shared;
  VkChannelWait *w;
  while ((w = channel_pop_waiting(channel, is_sender))) {
    w->wait.undo = undo;
    VkParcel *parcel = is_sender ? pack(c, w->value) : NULL;
    list_new_wait(c, s, w, parcel);
  }
}

void *channel_share(V channel) {
  VkChannel *ch = VK_CHAN(channel);
  if (ch->shared) return ch->shared;
  vk *c = vk_fault_isolate();
  SharedChannel *s = need(sizeof *s);
  atomic_init(&s->holders, 1);
  pthread_mutex_init(&s->mutex, NULL);
  s->capacity = ch->capacity;
  s->is_closed = ch->is_closed;
  ch->shared = s; /* before its values are packed: it may be among them */
  while (ch->count) append(s, pack(c, channel_take(c, channel)));
  ch->items = VK_NIL;
  move_waiting(c, channel, true);
  move_waiting(c, channel, false);
  vk_finalise(c, channel, release_handle);
  return s;
}

V channel_adopt(vk *c, void *shared) {
  VkChannel *ch = vk_new(c, sizeof *ch);
  ch->hdr = VK_HDR(VK_HANDLE, 0, 1);
  ch->class = &vk_channel_class;
  ch->items = VK_NIL;
  ch->shared = shared;
  V channel = VK_FROM_OBJ(ch);
  vk_finalise(c, channel, release_handle);
  return channel;
}
