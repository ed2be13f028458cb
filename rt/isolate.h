/* isolate.h - isolates: threads that each run Valk code in a context of their own.
 *
 * An isolate has its own `vk`: heap, scratch, fibers, event loop, globals, evaluator. Nothing
 * mutable is shared; values cross as messages (parcel.h). The workers of the pool (pool.h) and of
 * a server are isolates.
 *
 * Globals: the process takes one snapshot of them, at the first `future` or `listen`, and each
 * isolate starts with a copy of it. An atom among them is an atom of the isolate's own; a channel
 * is the same channel; other handles are dead (handle.h). A `def` in the first isolate after the
 * snapshot draws one warning on stderr. */
#ifndef VK_ISOLATE_H
#define VK_ISOLATE_H
#include "vk.h"
#include <stdbool.h>

/* Takes the snapshot, from the isolate that calls first; later calls do nothing. Any isolate. */
void vk_globals_share(vk *c);

typedef struct VkIsolate VkIsolate;
typedef struct VkIsolateSpec {
  const char *name; /* of the thread, at most 15 bytes */
  /* The isolate's whole life: on its own main stack, as deep as the program's, with c ready to run
   * Valk code. When it returns, the isolate is taken down and its thread ends. */
  void (*run)(vk *c, void *arg);
  void *arg;
} VkIsolateSpec;

/* Starts an isolate; requires vk_globals_share before. NULL if the system gives no thread or no
 * memory. It is released by vk_isolate_join, once, which waits for the end of its thread. */
VkIsolate *vk_isolate_start(vk *from, const VkIsolateSpec *spec);
void vk_isolate_join(VkIsolate *i);

/* How many isolates there are besides the first. The process may then not run exit handlers. */
size_t vk_isolate_count(void);
#endif
