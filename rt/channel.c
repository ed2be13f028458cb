/* channel.c - channels (contract: future.h); those of several isolates go on to channel_shared.c.
 *
 * Fibers park in order of coming: senders while the buffer is full, receivers while it is empty,
 * so never both. A send hands its value straight to the first receiver; a receive from a full
 * buffer lets the first sender's value in behind. Thus values arrive in the order of the sends. */
#include "channel_impl.h"
#include "fns.h"
#include "vectors.h"
#include <assert.h>

const VkHandleClass vk_channel_class = {.name = "channel",
                                        .share = channel_share,
                                        .retain = channel_retain,
                                        .release = channel_release,
                                        .adopt = channel_adopt};

typedef VkChannelWait Wait;

/* ---- queues of fibers ------------------------------------------------------------------------- */

static void enqueue(Wait **first, Wait **last, Wait *w) {
  w->next = NULL;
  w->previous = *last;
  if (*last)
    (*last)->next = w;
  else
    *first = w;
  *last = w;
}

static void unlink_from(Wait **first, Wait **last, Wait *w) {
  if (w->previous)
    w->previous->next = w->next;
  else
    *first = w->next;
  if (w->next)
    w->next->previous = w->previous;
  else
    *last = w->previous;
}

static void unlink_wait(Wait *w) {
  VkChannel *ch = VK_CHAN(w->channel);
  if (w->is_sender)
    unlink_from(&ch->senders, &ch->senders_last, w);
  else
    unlink_from(&ch->receivers, &ch->receivers_last, w);
}

static void on_cancelled(vk *c, VkWait *w) {
  (void)c;
  unlink_wait((Wait *)w);
}

static V park(vk *c, V channel, V value, bool is_sender) {
  VkChannel *ch = VK_CHAN(channel);
  Wait w = {.wait = {is_sender ? "send" : "recv", on_cancelled},
            .fiber = c->fiber,
            .channel = channel,
            .value = value,
            .is_sender = is_sender};
  if (is_sender)
    enqueue(&ch->senders, &ch->senders_last, &w);
  else
    enqueue(&ch->receivers, &ch->receivers_last, &w);
  return vk_fiber_wait(c, &w.wait);
}

VkChannelWait *channel_pop_waiting(V channel, bool is_sender) {
  VkChannel *ch = VK_CHAN(channel);
  Wait *w = is_sender ? ch->senders : ch->receivers;
  if (w) unlink_wait(w);
  return w;
}

static void wake(vk *c, Wait *w, V value) {
  unlink_wait(w);
  vk_fiber_wake(c, w->fiber, value);
}

/* ---- the buffer ---------------------------------------------------------------------------------- */

enum { FIRST_ITEMS = 8 };

static size_t room(const VkChannel *ch) {
  return ch->items == VK_NIL ? 0 : VK_STOREP(ch->items)->capacity;
}

static V *item(const VkChannel *ch, size_t i) {
  V *items = VK_STOREP(ch->items)->items;
  size_t at = ch->start + i, n = room(ch);
  return &items[at < n ? at : at - n];
}

static void grow(vk *c, V channel) {
  VkChannel *ch = VK_CHAN(channel);
  size_t n = room(ch) ? 2 * room(ch) : FIRST_ITEMS;
  if (n > ch->capacity) n = ch->capacity;
  V items = vk_store_new(c, n);
  for (size_t i = 0; i < ch->count; i++)
    vk_write(c, items, &VK_STOREP(items)->items[i], *item(ch, i));
  ch->start = 0;
  vk_write(c, channel, &ch->items, items);
}

static void put(vk *c, V channel, V value) {
  VkChannel *ch = VK_CHAN(channel);
  assert(ch->count < ch->capacity);
  if (ch->count == room(ch)) grow(c, channel);
  vk_write(c, ch->items, item(ch, ch->count), value);
  ch->count++;
}

V channel_take(vk *c, V channel) {
  VkChannel *ch = VK_CHAN(channel);
  assert(ch->count > 0);
  V *slot = item(ch, 0), value = *slot;
  vk_write(c, ch->items, slot, VK_NIL); /* not kept alive from here */
  ch->start = ch->start + 1 < room(ch) ? ch->start + 1 : 0;
  ch->count--;
  return value;
}

/* ---- primitives ------------------------------------------------------------------------------------ */

static V not_a_channel(vk *c, const char *who, V got) {
  return vk_arg_error(c, who, 1, got, "a channel");
}

V vk_chan(vk *c, size_t n, const V *args) {
  V capacity = n ? args[0] : VK_FIX(0);
  if (!VK_IS_FIX(capacity)) return vk_arg_error(c, "chan", 1, capacity, "an integer");
  if (VK_INT(capacity) < 0)
    return vk_errorf(c, VK_SYM(range), "chan: the capacity must not be below 0");
  VkChannel *ch = vk_new(c, sizeof *ch);
  ch->hdr = VK_HDR(VK_HANDLE, 0, 1);
  ch->class = &vk_channel_class;
  ch->items = VK_NIL;
  ch->capacity = (size_t)VK_INT(capacity);
  return VK_FROM_OBJ(ch);
}

V channel_closed_error(vk *c) {
  return vk_errorf(c, VK_SYM(closed), "send: the channel is closed");
}

static V send_to(vk *c, V channel, V v) {
  VkChannel *ch = VK_CHAN(channel);
  if (ch->shared) return channel_shared_send(c, channel, v);
  if (ch->is_closed) return channel_closed_error(c);
  if (ch->receivers) {
    wake(c, ch->receivers, v);
    return VK_NIL;
  }
  if (ch->count == ch->capacity) return park(c, channel, v, true);
  put(c, channel, v);
  return VK_NIL;
}

V vk_send(vk *c, V channel, V v) {
  if (!VK_IS_CHANNEL(channel)) return not_a_channel(c, "send", channel);
  V result = send_to(c, channel, v);
  c->place = NULL;
  return result;
}

/* The first sender's value goes into the buffer, or if it has none, out. */
static V receive(vk *c, V channel) {
  VkChannel *ch = VK_CHAN(channel);
  if (ch->shared) return channel_shared_receive(c, channel);
  Wait *sender = ch->senders;
  if (!ch->count && !sender) return ch->is_closed ? VK_NIL : park(c, channel, VK_NIL, false);
  V value = ch->count ? channel_take(c, channel) : sender->value;
  if (!sender) return value;
  if (ch->capacity) put(c, channel, sender->value);
  wake(c, sender, VK_NIL);
  return value;
}

V vk_recv(vk *c, V channel) {
  if (!VK_IS_CHANNEL(channel)) return not_a_channel(c, "recv", channel);
  V value = receive(c, channel);
  c->place = NULL;
  return value;
}

V vk_close(vk *c, V channel) {
  if (!VK_IS_CHANNEL(channel)) return not_a_channel(c, "close", channel);
  VkChannel *ch = VK_CHAN(channel);
  if (ch->shared) channel_shared_close(ch->shared);
  ch->is_closed = true;
  while (ch->receivers) wake(c, ch->receivers, VK_NIL);
  while (ch->senders) wake(c, ch->senders, channel_closed_error(c));
  return VK_NIL;
}

V vk_closed_p(vk *c, V channel) {
  if (!VK_IS_CHANNEL(channel)) return not_a_channel(c, "closed?", channel);
  const VkChannel *ch = VK_CHAN(channel);
  if (ch->shared) return VK_FIX(channel_shared_is_done(ch->shared));
  return VK_FIX(ch->is_closed && !ch->count);
}

V vk_chan_p(vk *c, V v) {
  (void)c;
  return VK_FIX(VK_IS_CHANNEL(v));
}
