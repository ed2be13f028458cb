/* handle.h - handles: values that stand for something which is not data: a future, a channel, a
 * file, a server.
 *
 *   object of kind VK_HANDLE   | hdr (count) | class | count V fields, traced | anything else |
 *
 * The class says what it is called, <ref:NAME>, and whether it may cross to another isolate. A
 * handle without `share` stays where it was made: sending it is an error of kind :not-sendable,
 * and a global that holds it is, in other isolates, a dead handle of the same name, of which
 * every use is such an error. */
#ifndef VK_HANDLE_H
#define VK_HANDLE_H
#include "vk.h"

typedef struct VkHandleClass {
  const char *name; /* "channel": prints as <ref:channel> */
  /* All three or none. share: in the sending isolate, a counted reference to what the handle stands
   * for. adopt: in the receiving one, a new handle that owns this reference. drop: any thread, the
   * reference is not needed after all. */
  void *(*share)(vk *c, V handle);
  V (*adopt)(vk *c, void *shared);
  void (*drop)(void *shared);
} VkHandleClass;

typedef struct VkHandle {
  V hdr;                      /* VK_HDR(VK_HANDLE, 0, count of fields) */
  const VkHandleClass *class; /* NULL: no program sees it */
  V fields[];
} VkHandle;
#define VK_HANDLEP(v) ((VkHandle *)((v)-5))
#define VK_IS_HANDLE_OF(v, c) (VK_IS_KIND(v, VK_HANDLE) && VK_HANDLEP(v)->class == (c))
#endif
