/* channel_impl.h - what channel.c (one isolate) and channel_shared.c (several) share. */
#ifndef VK_CHANNEL_IMPL_H
#define VK_CHANNEL_IMPL_H
#include "future.h"

struct SharedWait;
typedef struct VkChannelWait { /* in the frame of the fiber that waits */
  VkWait wait;
  struct VkChannelWait *next, *previous;
  VkFiber *fiber;
  V channel;
  V value;                   /* a sender's: on its stack, so the collector sees it */
  struct SharedWait *shared; /* NULL: it is in a list of the channel itself */
  bool is_sender;
} VkChannelWait;

/* channel.c */
V channel_closed_error(vk *c);
V channel_take(vk *c, V channel);                              /* requires: not empty */
VkChannelWait *channel_pop_waiting(V channel, bool is_sender); /* or NULL */

/* channel_shared.c */
void *channel_share(V channel);
void channel_retain(void *shared);
void channel_release(void *shared);
V channel_adopt(vk *c, void *shared);
V channel_shared_send(vk *c, V channel, V value);
V channel_shared_receive(vk *c, V channel);
void channel_shared_close(struct SharedChannel *s);
bool channel_shared_is_done(struct SharedChannel *s);
void channel_shared_undo(vk *c, VkChannelWait *w);
#endif
