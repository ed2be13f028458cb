/* fiber.c - making, switching, waking and ending fibers (contract: fiber.h).
 *
 * The VkFiber stands at the top of its stack, so that one that waits touches one page; where
 * on that page is varied, since equal offsets in many stacks would share few lines of the cache.
 *
 *   stack_limit                          stack_base
 *      | ...   sp | frames, newest first  | VkFiber | colour |
 *
 * A fiber that ends gives its stack back by way of fs->dead: it still runs on it until the
 * next one is switched to. */
#include "fiber_impl.h"
#include "fns.h"
#include "future.h"
#include "heap.h"
#include "scratch.h"
#include "stack.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_THREAD__)
#define HAS_TSAN 1
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#endif
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAS_TSAN 1
#endif
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef HAS_TSAN
#include <sanitizer/tsan_interface.h>
#endif

enum { UNRETURNED_BYTES = 8 << 10 };
enum { COLOURS = 8, COLOUR_BYTES = 128 };
enum { TOP_BYTES = (sizeof(VkFiber) + 63) / 64 * 64 };

/* ---- lists ---------------------------------------------------------------------------------- */

void fiber_mark_dirty(vk *c, VkFiber *f) {
  struct VkFibers *fs = c->fibers;
  bool is_unscanned = vk_fiber_is_unscanned(fs, f);
  if (is_unscanned) heap_scan_fiber(c->heap, f);
  if (f->is_dirty && !is_unscanned) return;
  fiber_list_remove(f);
  fiber_list_add(&fs->dirty, f);
  f->is_dirty = true;
}

void fibers_init(vk *c, struct VkFibers *fs) {
  (void)c;
  fiber_list_init(&fs->dirty);
  fiber_list_init(&fs->clean);
  fiber_list_init(&fs->unscanned);
}

void fiber_adopt(struct VkFibers *fs, VkFiber *f) {
  f->epoch = fs->epoch;
  f->is_dirty = true;
  f->wake_value = f->future = f->task.value = VK_NIL;
  fiber_list_add(&fs->dirty, f);
#ifdef HAS_TSAN
  if (!f->sanitizer) f->sanitizer = __tsan_get_current_fiber();
#endif
}

/* ---- switching ------------------------------------------------------------------------------ */

/* The end of the stack a fiber is on. */
static char *top_of(const VkFiber *f) {
  return (char *)f + TOP_BYTES + f->number % COLOURS * COLOUR_BYTES;
}

static void bury(struct VkFibers *fs) {
  VkFiber *f = fs->dead;
  if (!f) return;
  fs->dead = NULL;
#ifdef HAS_TSAN
  __tsan_destroy_fiber(f->sanitizer);
#endif
#ifdef HAS_ASAN /* the outermost frames never returned */
  __asan_unpoison_memory_region(f->stack_base - UNRETURNED_BYTES, UNRETURNED_BYTES);
#endif
  if (f->is_deep)
    vk_deep_stack_give(&fs->stacks, (VkDeepStack){f->stack_limit, top_of(f)});
  else
    vk_fiber_stack_give(&fs->stacks, f->stack_limit);
}

/* First thing on a stack that is switched to. */
void fiber_arrive(vk *c) {
#ifdef HAS_ASAN
  __sanitizer_finish_switch_fiber(c->fiber->sanitizer, NULL, NULL);
#endif
  bury(c->fibers);
}

void fiber_switch_to(vk *c, VkFiber *to) {
  struct VkFibers *fs = c->fibers;
  VkFiber *from = c->fiber;
  assert(to != from);
  assert(c->park_fn == 0 && c->park_code == NULL);
  if (VK_UNLIKELY(!from->is_dirty)) fiber_mark_dirty(c, from);
  if (VK_UNLIKELY(vk_fiber_is_unscanned(fs, to))) fiber_mark_dirty(c, to);
  from->scratch_saved[0] = c->scratch[0], from->scratch_saved[1] = c->scratch[1];
  from->tail_limit = c->tail_limit;
  c->scratch[0] = to->scratch_saved[0], c->scratch[1] = to->scratch_saved[1];
  c->full = 0;
  c->tail_limit = to->tail_limit;
  char *stop = c->stop_limit; /* a signal handler may change it meanwhile */
  if (VK_UNLIKELY(stop) && stop != VK_STOP_NOW)
    __atomic_compare_exchange_n(&c->stop_limit, &stop, vk_stop_limit(to), false,
                                __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  c->fiber = to;
  to->state = VK_FIBER_RUNNING;
  fs->stats.switches++;
#ifdef HAS_TSAN
  __tsan_switch_to_fiber(to->sanitizer, 0);
#endif
#ifdef HAS_ASAN
  __sanitizer_start_switch_fiber(fs->dead == from ? NULL : &from->sanitizer, to->stack_limit,
                                 (size_t)(to->stack_base - to->stack_limit));
#endif
  vk_context_switch(&from->sp, to->sp);
  fiber_arrive(c);
}

static void push_ready(struct VkFibers *fs, VkFiber *f) {
  f->state = VK_FIBER_READY;
  f->next_ready = NULL;
  if (fs->first_ready)
    fs->last_ready->next_ready = f;
  else
    fs->first_ready = f;
  fs->last_ready = f;
  fs->ready_count++;
}

VkFiber *fiber_pop_ready(struct VkFibers *fs) {
  VkFiber *f = fs->first_ready;
  if (!f) return NULL;
  fs->first_ready = f->next_ready;
  fs->ready_count--;
  return f;
}

/* May another ready fiber run before the loop looks at timers and I/O? Asked before each switch,
 * the clock now and then. */
static bool turn_goes_on(struct VkFibers *fs) {
  if (!fs->turn_left) return false;
  if (--fs->turn_left % VK_TURN_CHECK) return true;
  return vk_now_ns() < fs->turn_end_ns;
}

/* Who runs next, when the running fiber does not go on. */
static VkFiber *next_fiber(vk *c) {
  struct VkFibers *fs = c->fibers;
  VkFiber *f = fs->first_ready && turn_goes_on(fs) ? fiber_pop_ready(fs) : NULL;
  return f ? f : sched_loop(c);
}

/* ---- waiting -------------------------------------------------------------------------------- */

static V cancelled_error(vk *c) { return vk_errorf(c, VK_SYM(cancelled), "cancelled"); }

V vk_fiber_wait(vk *c, VkWait *w) {
  vk_sched_begin(c);
  VkFiber *f = c->fiber;
  if (f == c->fibers->loop) {
    if (w->undo) w->undo(c, w);
    return vk_errorf(c, VK_SYM(error), "%s: the event loop itself cannot wait", w->what);
  }
  if (f->is_cancelled) {
    f->is_cancelled = false;
    f->work = 0; /* it has been told, and may take its time */
    if (w->undo) w->undo(c, w);
    return cancelled_error(c);
  }
  f->wait = w;
  f->state = VK_FIBER_WAITING;
  f->place = c->place;
  fiber_switch_to(c, next_fiber(c));
  c->place = NULL;
  V value = f->wake_value;
  f->wake_value = VK_NIL;
  return value;
}

void vk_fiber_wake(vk *c, VkFiber *f, V value) {
  assert(f->state == VK_FIBER_WAITING);
  f->wait = NULL;
  f->wake_value = value;
  fiber_mark_dirty(c, f);
  push_ready(c->fibers, f);
}

void vk_fiber_cancel(vk *c, VkFiber *f) {
  if (f->state != VK_FIBER_WAITING) {
    f->is_cancelled = true;
    return;
  }
  if (f->wait->undo) f->wait->undo(c, f->wait);
  f->work = 0;
  vk_fiber_wake(c, f, cancelled_error(c));
}

void vk_fiber_yield(vk *c) {
  if (!c->fibers || c->fiber == c->fibers->loop) return;
  VkFiber *f = c->fiber;
  push_ready(c->fibers, f);
  VkFiber *next = next_fiber(c);
  if (next == f)
    f->state = VK_FIBER_RUNNING;
  else
    fiber_switch_to(c, next);
}

/* ---- the life of a fiber ---------------------------------------------------------------------- */

static _Noreturn void fiber_over(vk *c, V error) {
  struct VkFibers *fs = c->fibers;
  VkFiber *f = c->fiber;
  if (f->task.ended) f->task.ended(c, f->task.arg, error);
  vk_scratch_free(c);
  f->task.value = f->future = f->wake_value = VK_NIL;
  fs->stats.fibers--;
  VkFiber *next = next_fiber(c);
  if (f->is_yellow) vk_fiber_stack_yellow(f->stack_limit, false);
  fiber_mark_dirty(c, f); /* so that the switch does not enter it again */
  fiber_list_remove(f);
  fs->dead = f;
  fiber_switch_to(c, next);
  abort();
}

static void fiber_begin(void *arg) {
  vk *c = arg;
  fiber_arrive(c);
  VkFiber *f = c->fiber;
  c->place = NULL;
  if (f->is_cancelled) fiber_over(c, cancelled_error(c));
  f->is_started = true;
  f->task.entry(c, f->task.arg);
  fiber_over(c, VK_NIL);
}

static void *context_make(char *top, void (*fn)(void *), void *arg) {
  assert((uintptr_t)top % 16 == 0);
#if defined(__x86_64__)
  uint64_t *sp = (uint64_t *)(top - 64);
  sp[0] = (uint64_t)0x037F << 32 | 0x1F80; /* the usual rounding, no traps */
  sp[1] = sp[2] = sp[3] = 0;
  sp[4] = (uintptr_t)arg;
  sp[5] = (uintptr_t)fn;
  sp[6] = 0;
  sp[7] = (uintptr_t)vk_context_begin;
#elif defined(__aarch64__)
  uint64_t *sp = (uint64_t *)(top - 176);
  memset(sp, 0, 176);
  sp[2] = (uintptr_t)fn;
  sp[3] = (uintptr_t)arg;
  sp[13] = (uintptr_t)vk_context_begin;
#endif
  return sp;
}

/* Guarded tail calls park from here on (stack.h): stacks of fibers are small. */
static size_t tail_room(size_t bytes) {
  return bytes / 4 < VK_TAIL_ROOM ? bytes / 4 : VK_TAIL_ROOM;
}

void fiber_make_context(vk *c, VkFiber *f, void (*fn)(void *)) {
  size_t bytes = (size_t)(f->stack_base - f->stack_limit);
  f->tail_limit = f->stack_base - tail_room(bytes);
  f->sp = context_make(f->stack_base, fn, c);
#ifdef HAS_TSAN
  f->sanitizer = __tsan_create_fiber(0);
#endif
}

VkFiber *vk_fiber_start(vk *c, const VkFiberTask *task) {
  vk_sched_begin(c);
  struct VkFibers *fs = c->fibers;
  VkDeepStack deep;
  bool is_deep = task->is_deep && vk_deep_stack_take(&fs->stacks, &deep);
  char *limit = is_deep ? deep.limit : vk_fiber_stack_take(&fs->stacks);
  if (!limit) return NULL;
  uint64_t number = ++fs->last_number;
  char *top = is_deep ? deep.base : limit + vk_fiber_stack_bytes();
  VkFiber *f = (VkFiber *)(top - TOP_BYTES - number % COLOURS * COLOUR_BYTES);
  *f = (VkFiber){.stack_base = (char *)f,
                 .stack_limit = limit,
                 .guard_bytes = is_deep ? (size_t)VK_GUARD_BYTES : VK_FIBER_STACK_GUARD,
                 .is_deep = is_deep,
                 .c_limit = limit + VK_FIBER_C_ROOM,
                 .number = number,
                 .epoch = fs->epoch,
                 .is_dirty = true,
                 .task = *task,
                 .future = VK_NIL,
                 .wake_value = VK_NIL};
  fiber_make_context(c, f, fiber_begin);
  fiber_list_add(&fs->dirty, f);
  fs->stats.spawned++;
  if (++fs->stats.fibers > fs->stats.fibers_max) fs->stats.fibers_max = fs->stats.fibers;
  push_ready(fs, f);
  return f;
}

const char *vk_fiber_stack_setting(const VkFiber *f) {
  bool is_small = f->task.entry && !f->is_deep;
  return is_small ? "VALK_FIBER_STACK sets for fibers" : "VALK_STACK_SIZE sets";
}

V vk_fiber_value(vk *c) { return c->fiber->task.value; }

/* ---- the end without return ------------------------------------------------------------------- */

static void die_on_own_stack(void *arg) {
  vk *c = arg;
  V error = c->fiber->wake_value;
  fiber_over(c, error);
}

void vk_fiber_die(vk *c, V error) {
  VkFiber *f = c->fiber;
  assert(f->task.entry);
  f->wake_value = error;
  memset(c->park_args, 0, sizeof c->park_args);
  c->park_fn = 0, c->park_code = NULL, c->park_n = 0;
  free(c->park_more);
  c->park_more = NULL;
#ifdef HAS_ASAN
  __asan_unpoison_memory_region(f->stack_limit, (size_t)(f->stack_base - f->stack_limit));
#endif
  vk_context_restart(f->stack_base, die_on_own_stack, c);
}

/* ---- spawn ------------------------------------------------------------------------------------ */

static void cancel_spawned(vk *c, VkFuture *future) { vk_fiber_cancel(c, future->data); }
static const VkFutureOwner spawned = {cancel_spawned};

static void run_spawned(vk *c, void *arg) {
  (void)arg;
  VkFiber *f = c->fiber;
  f->wake_value = vk_call(c, f->task.value, 0, NULL);
}

static void end_spawned(vk *c, void *arg, V error) {
  (void)arg;
  VkFiber *f = c->fiber;
  V value = VK_IS_NIL(error) ? f->wake_value : error;
  vk_future_resolve(c, f->future, value);
  if (VK_IS_ABN(value) && !VK_FUT(f->future)->is_seen) fiber_note_lost(c, f->future);
}

V vk_spawn(vk *c, V fn) {
  if (VK_IS_ABN(fn)) return fn;
  V future = vk_future_new(c, &spawned, NULL);
  VkFiberTask task = {.entry = run_spawned, .ended = end_spawned, .value = fn};
  VkFiber *f = vk_fiber_start(c, &task);
  if (!f)
    return vk_errorf(c, VK_SYM(out_of_memory),
                     "no room for the stack of another fiber (%zu are there)",
                     c->fibers->stats.fibers);
  f->future = future;
  VK_FUT(future)->data = f;
  return future;
}

/* ---- the end of the isolate --------------------------------------------------------------------- */

static void drop_list(vk *c, VkFiber *head) {
  struct VkFibers *fs = c->fibers;
  VkFiber *running = c->fiber;
  for (VkFiber *f = head->next, *next; f != head; f = next) {
    next = f->next;
    if (!f->task.entry) continue;
    fiber_list_remove(f);
    c->fiber = f;
    c->scratch[0] = f->scratch_saved[0], c->scratch[1] = f->scratch_saved[1];
    if (f->wait && f->wait->undo) f->wait->undo(c, f->wait);
    vk_scratch_free(c);
    fs->dead = f;
    bury(fs);
  }
  c->fiber = running;
}

void fiber_drop_all(vk *c) {
  struct VkFibers *fs = c->fibers;
  VkScratch scratch[2] = {c->scratch[0], c->scratch[1]};
  assert(!c->fiber->task.entry);
  drop_list(c, &fs->dirty);
  drop_list(c, &fs->clean);
  drop_list(c, &fs->unscanned);
  fs->first_ready = NULL;
  c->scratch[0] = scratch[0], c->scratch[1] = scratch[1];
  vk_fiber_stacks_release(&fs->stacks);
}
