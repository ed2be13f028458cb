/* message.h - values on their way from one isolate to another.
 *
 * Packing makes a structured copy in memory of its own; unpacking copies that into the receiver's
 * heap and frees it. Neither recurses. What was shared stays shared, cycles stay cycles. Symbols,
 * static data and frozen segments (frozen.h) are not copied; the message counts the segments it
 * refers to.
 *
 * Atoms, fibers, futures and other handles are not sendable (channels are: handle.h), nor are
 * functions made by `eval`: that is an error of kind :not-sendable which says what stands where. */
#ifndef VK_MESSAGE_H
#define VK_MESSAGE_H
#include "vk.h"

typedef struct VkMessage VkMessage;

/* A message with a copy of v, the caller's; NULL and the error in *error if v cannot be sent or
 * there is no memory. v may be an error value: its trace goes with it. */
VkMessage *vk_message_pack(vk *c, V v, V *error);
/* The value, in c's heap; frees the message. */
V vk_message_unpack(vk *c, VkMessage *m);
/* Frees a message that nobody wants. Any thread. */
void vk_message_free(VkMessage *m);
size_t vk_message_bytes(const VkMessage *m);
#endif
