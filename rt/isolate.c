/* isolate.c - threads that run Valk code (contract: isolate.h).
 *
 * The snapshot of the globals is a parcel, which every new isolate unpacks a copy of, and the
 * tables of the program as they were then: an evaluator lets its own grow. */
#include "isolate.h"
#include "fault.h"
#include "heap.h"
#include "out.h"
#include "parcel.h"
#include "process.h"
#include "scratch.h"
#include "stack.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct VkIsolate {
  pthread_t thread;
  VkIsolateSpec spec;
  vk *c; /* the thread's own */
  VkFiber fiber;
};

static struct {
  pthread_mutex_t lock;
  bool is_taken, has_warned;
  const vk *owner; /* who took the snapshot */
  V *values;       /* its globals then, as words that are only compared */
  VkProgram program;
  VkParcel *globals;
} snapshot = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Noreturn void no_memory(void) {
  fputs("valk: no memory for another isolate\n", stderr);
  vk_process_exit(1);
}

/* ---- the snapshot ------------------------------------------------------------------------- */

static void *copy_words(const void *words, size_t count) {
  void *copy = malloc((count + 1) * sizeof(V));
  if (!copy) no_memory();
  if (count) memcpy(copy, words, count * sizeof(V));
  return copy;
}

static void take_snapshot(vk *c) {
  size_t count = c->program->global_count;
  snapshot.owner = c;
  snapshot.values = copy_words(c->globals, count);
  snapshot.program = *c->program;
  snapshot.program.global_names = copy_words(c->program->global_names, count);
  snapshot.globals = vk_parcel_pack_globals(c, c->globals, count);
  if (!snapshot.globals) no_memory();
  snapshot.is_taken = true;
}

/* A global that the program sees and that had another value then; NULL if there is none. */
static const char *redefined(const vk *c) {
  const VkProgram *p = &snapshot.program;
  if (!p->global_count || !memcmp(c->globals, snapshot.values, p->global_count * sizeof(V)))
    return NULL;
  for (size_t i = 0; i < p->global_count; i++) {
    const char *name = p->global_names[i];
    bool is_own = name && name[0] != '%' && snapshot.values[i] != VK_UNBOUND;
    if (is_own && c->globals[i] != snapshot.values[i]) return name;
  }
  return NULL;
}

static void warn_once(const vk *c) {
  const char *name = snapshot.has_warned || c != snapshot.owner ? NULL : redefined(c);
  if (!name) return;
  snapshot.has_warned = true;
  vk_out_flush();
  fprintf(stderr,
          "warning: `%s` was defined anew after the first `future` or `listen`: other isolates "
          "keep the value it had then\n",
          name);
}

void vk_globals_share(vk *c) {
  pthread_mutex_lock(&snapshot.lock);
  if (snapshot.is_taken)
    warn_once(c);
  else
    take_snapshot(c);
  pthread_mutex_unlock(&snapshot.lock);
}

/* ---- the life of an isolate --------------------------------------------------------------- */

static bool prepare(vk *c) {
  VkLimits limits = vk_limits_read(snapshot.program.defaults);
  size_t count = snapshot.program.global_count;
  if (!vk_heap_new(c, &limits)) return false;
  V *globals = copy_words(snapshot.values, count);
  for (size_t i = 0; i < count; i++) globals[i] = VK_UNBOUND;
  c->globals = globals;
  return vk_parcel_unpack_globals(c, snapshot.globals, globals, count);
}

static void run(void *to) {
  VkIsolate *i = to;
  i->c->tail_limit = i->fiber.stack_base - VK_TAIL_ROOM;
  i->spec.run(i->c, i->spec.arg);
}

/* Of programs with fibers. */
void vk_sched_free(vk *c) __attribute__((weak));

static void take_down(VkIsolate *i) {
  vk *c = i->c;
  if (c->fibers) vk_sched_free(c);
  vk_scratch_free(c);
  vk_heap_free(c);
  free(c->globals);
  vk_stack_free(&i->fiber);
  vk_fault_end();
  free(c);
}

static void *thread_main(void *to) {
  VkIsolate *i = to;
  size_t bytes = (sizeof(vk) + 63) & ~(size_t)63;
  vk *c = aligned_alloc(64, bytes);
  if (!c) no_memory();
  memset(c, 0, bytes);
  i->c = c;
  c->isolate = i;
  c->program = &snapshot.program;
  c->fiber = &i->fiber;
  vk_stack_init(&i->fiber);
  if (!prepare(c)) no_memory();
  vk_fault_init(c);
  vk_stack_call(&i->fiber, run, i);
  take_down(i);
  atomic_fetch_sub(&vk_process.thread_count, 1);
  return NULL;
}

VkIsolate *vk_isolate_start(vk *from, const VkIsolateSpec *spec) {
  (void)from;
  VkIsolate *i = calloc(1, sizeof *i);
  if (!i) return NULL;
  i->spec = *spec;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  /* The program's code runs on a stack of its own; this one serves the C library. */
  pthread_attr_setstacksize(&attributes, 256 << 10);
  atomic_fetch_add(&vk_process.thread_count, 1);
  int failure = pthread_create(&i->thread, &attributes, thread_main, i);
  pthread_attr_destroy(&attributes);
  if (failure) {
    atomic_fetch_sub(&vk_process.thread_count, 1);
    free(i);
    return NULL;
  }
#ifdef __GLIBC__
  pthread_setname_np(i->thread, spec->name);
#endif
  return i;
}

void vk_isolate_join(VkIsolate *i) {
  pthread_join(i->thread, NULL);
  free(i);
}

size_t vk_isolate_count(void) { return atomic_load(&vk_process.thread_count); }
