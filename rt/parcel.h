/* parcel.h - values on their way from one isolate to another.
 *
 * Packing makes a structured copy in memory of its own; unpacking copies that into the receiver's
 * heap and frees it. Neither recurses, both are linear. What was shared stays shared, cycles stay
 * cycles. Symbols, static data and frozen segments (frozen.h) are not copied; the parcel counts the
 * segments it refers to.
 *
 * Atoms, futures and other handles are not sendable (channels are: handle.h says how), nor are
 * functions made by `eval`: that is an error of kind :not-sendable which says what stands where. */
#ifndef VK_PARCEL_H
#define VK_PARCEL_H
#include "vk.h"

typedef struct VkParcel VkParcel;

/* A copy of v, the caller's; NULL and the error in *error if v cannot be sent or there is no
 * memory. v may be an error value: its trace goes with it. Allocates from the heap for *error only. */
VkParcel *vk_parcel_pack(vk *c, V v, V *error);
/* The value, in c's heap; frees the parcel. If the heap has no room: an error of kind
 * :out-of-memory. */
V vk_parcel_unpack(vk *c, VkParcel *p);
/* Frees a parcel that nobody wants. Any thread. */
void vk_parcel_free(VkParcel *p);
size_t vk_parcel_bytes(const VkParcel *p);

/* The snapshot (isolate.h): the values of a table, VK_UNBOUND among them. What cannot be sent is
 * replaced by something of its type that says so when used; atoms are copied. NULL: no memory. */
VkParcel *vk_parcel_pack_globals(vk *c, const V *values, size_t count);
/* Unpacks a copy, into values[count]; the parcel stays as it is. Any thread, several at a time.
 * False: no memory. */
bool vk_parcel_unpack_globals(vk *c, const VkParcel *p, V *values, size_t count);
#endif
