/* handle.h - handles: values that stand for something which is not data: a file, a server, a
 * connection.
 *
 *   object of kind VK_HANDLE   | hdr (count) | class | count V fields, traced | anything else |
 *
 * The class says what it is called, <ref:NAME>, and whether it may cross to another isolate. A
 * handle without `share` stays where it was made: sending it is an error of kind :not-sendable,
 * and a global that holds it is, in other isolates, a handle of class vk_handle_elsewhere. */
#ifndef VK_HANDLE_H
#define VK_HANDLE_H
#include "vk.h"

typedef struct VkHandleClass {
  const char *name; /* "channel": prints as <ref:channel> */
  /* All four or none. share: what the handle stands for, an object that counts its references.
   * adopt: a new handle in c's heap, which takes over one reference. */
  void *(*share)(V handle);
  void (*retain)(void *shared);  /* any thread */
  void (*release)(void *shared); /* any thread */
  V (*adopt)(vk *c, void *shared);
} VkHandleClass;

typedef struct VkHandle {
  V hdr;                      /* VK_HDR(VK_HANDLE, 0, count of fields) */
  const VkHandleClass *class; /* NULL: no program sees it */
  V fields[];
} VkHandle;
#define VK_HANDLEP(v) ((VkHandle *)((v)-5))
#define VK_IS_HANDLE_OF(v, c) (VK_IS_KIND(v, VK_HANDLE) && VK_HANDLEP(v)->class == (c))

extern const VkHandleClass vk_handle_elsewhere;
#endif
