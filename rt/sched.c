/* sched.c - the event loop of an isolate (contract: sched.h).
 *
 * The loop is a fiber that is never in the run queue: who waits switches to it when no other
 * fiber is ready, or the turn is over. It looks around and switches to the first ready one. */
#include "fiber_impl.h"
#include "fns.h"
#include "future.h"
#include "heap.h"
#include "out.h"
#include "process.h"
#include "stack.h"
#include "errors.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static const int64_t turn_ns_max = 500000; /* looked at after every VK_TURN_CHECK switches */
enum { LOOP_STACK_BYTES = 1 << 20, LOOP_GUARD_BYTES = 64 << 10 };

static _Noreturn void no_memory(const char *what) {
  fprintf(stderr, "out of memory: %s\n", what);
  exit(1);
}

/* ---- the built-in poller ------------------------------------------------------------------------ */

#define FIBERS_OF(p) ((struct VkFibers *)((char *)(p)-offsetof(struct VkFibers, sleeper)))

static struct timespec time_after(int64_t ns) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  int64_t sum = t.tv_nsec + ns % 1000000000;
  t.tv_sec += (time_t)(ns / 1000000000 + sum / 1000000000);
  t.tv_nsec = (long)(sum % 1000000000);
  return t;
}

static void sleeper_poll(VkPoller *p, vk *c, int64_t timeout_ns) {
  struct VkFibers *fs = FIBERS_OF(p);
  (void)c;
  if (!timeout_ns) return;
  struct timespec until = time_after(timeout_ns > 0 ? timeout_ns : 0);
  pthread_mutex_lock(&fs->sleep_mutex);
  int status = 0;
  while (!fs->is_woken && status != ETIMEDOUT)
    status = timeout_ns < 0 ? pthread_cond_wait(&fs->sleep_cond, &fs->sleep_mutex)
                            : pthread_cond_timedwait(&fs->sleep_cond, &fs->sleep_mutex, &until);
  fs->is_woken = false;
  pthread_mutex_unlock(&fs->sleep_mutex);
}

static void sleeper_wake(VkPoller *p) {
  struct VkFibers *fs = FIBERS_OF(p);
  pthread_mutex_lock(&fs->sleep_mutex);
  fs->is_woken = true;
  pthread_cond_signal(&fs->sleep_cond);
  pthread_mutex_unlock(&fs->sleep_mutex);
}

static bool sleeper_is_active(VkPoller *p, vk *c) {
  (void)p, (void)c;
  return false;
}

static void sleeper_init(struct VkFibers *fs) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&fs->sleep_cond, &attributes);
  pthread_condattr_destroy(&attributes);
  pthread_mutex_init(&fs->sleep_mutex, NULL);
  fs->sleeper = (VkPoller){sleeper_poll, sleeper_wake, sleeper_is_active, NULL};
}

void vk_sched_set_poller(vk *c, VkPoller *p) {
  vk_sched_begin(c);
  struct VkFibers *fs = c->fibers;
  assert(fs->poller == &fs->sleeper);
  fs->poller = p;
  inbox_set_poller(fs->inbox, p);
}

/* ---- beginning ------------------------------------------------------------------------------------ */

void vk_sched_begin(vk *c) {
  if (c->fibers) return;
  struct VkFibers *fs = calloc(1, sizeof *fs);
  if (!fs || !(fs->inbox = inbox_new())) no_memory("no room for the scheduler");
  fibers_init(c, fs);
  sleeper_init(fs);
  fs->poller = &fs->sleeper;
  inbox_set_poller(fs->inbox, fs->poller);
  for (size_t i = 0; i < VK_LOST_MAX; i++) {
    fs->lost[i] = VK_NIL;
    vk_root_add(c, &fs->lost[i]);
  }
  fs->main = c->fiber;
  fs->main->number = fs->last_number = 1;
  fiber_adopt(fs, fs->main);
  c->fibers = fs;
}

void vk_sched_expect(vk *c) {
  vk_sched_begin(c);
  c->fibers->expected++;
}

void vk_sched_unexpect(vk *c) {
  assert(c->fibers->expected > 0);
  c->fibers->expected--;
}

void vk_sched_at_turn_end(vk *c, VkTurnHook *h) {
  vk_sched_begin(c);
  if (h->is_set) return;
  h->is_set = true;
  h->next = c->fibers->hooks;
  c->fibers->hooks = h;
}

/* ---- a turn ----------------------------------------------------------------------------------------- */

static void run_hooks(vk *c) {
  struct VkFibers *fs = c->fibers;
  VkTurnHook *h = fs->hooks;
  fs->hooks = NULL;
  while (h) {
    VkTurnHook *next = h->next;
    h->is_set = false;
    h->run(c, h);
    h = next;
  }
}

static void run_fibers(vk *c) {
  struct VkFibers *fs = c->fibers;
  fs->turn_left = VK_TURN_SWITCHES;
  fs->turn_end_ns = vk_now_ns() + turn_ns_max;
  VkFiber *f = fiber_pop_ready(fs);
  if (f) fiber_switch_to(c, f);
}

void vk_sched_run_ready(vk *c) {
  assert(c->fiber == c->fibers->loop);
  run_fibers(c);
}

static bool has_work(const struct VkFibers *fs) {
  return fs->first_ready || fs->hooks || !inbox_is_empty(fs->inbox);
}

/* Nothing is ready: whether anything can still happen to those that wait. */
static bool can_wake(vk *c) {
  struct VkFibers *fs = c->fibers;
  return fs->timer_count || fs->expected || fs->poller->is_active(fs->poller, c);
}

/* The main fiber waits no longer, for anything. */
static void give_up(vk *c, V error) {
  VkFiber *main = c->fibers->main;
  if (main->wait->undo) main->wait->undo(c, main->wait);
  vk_fiber_wake(c, main, error);
}

/* Everything waits, for nothing. Only the program itself ends by it: other isolates go on with an
 * error, and so does one that is not the process's first, and a session (eval_stop.c). */
static void stand_still(vk *c) {
  struct VkFibers *fs = c->fibers;
  assert(fs->main->state == VK_FIBER_WAITING);
  if (fs->is_finishing) {
    vk_fiber_wake(c, fs->main, VK_NIL);
    return;
  }
  if (c == vk_process.first && !c->stop_limit) {
    sched_report_deadlock(c);
    vk_process_exit(1);
  }
  give_up(c, vk_errorf(c, VK_SYM(deadlock), "deadlock: everything waits, nothing can wake"));
}

/* For how long to look for nothing but what may come. A session is to be stopped by a signal, which wakes
 * nobody. */
enum { SESSION_WAIT_NS = 50000000 };
static int64_t waiting_time(vk *c) {
  int64_t ns = timers_next_ns(c->fibers);
  return c->stop_limit && (ns < 0 || ns > SESSION_WAIT_NS) ? SESSION_WAIT_NS : ns;
}

static void turn(vk *c) {
  struct VkFibers *fs = c->fibers;
  fs->stats.turns++;
  inbox_handle(c);
  timers_fire(c);
  run_fibers(c);
  run_hooks(c);
  if (has_work(fs)) {
    fs->poller->poll(fs->poller, c, 0);
    return;
  }
  if (fs->is_stopping) return;
  if (VK_IS_STOPPING(c) && fs->main && fs->main->state == VK_FIBER_WAITING) {
    give_up(c, vk_errorf(c, VK_SYM(interrupted), "interrupted"));
    return;
  }
  if (!can_wake(c)) {
    if (fs->main) {
      stand_still(c);
      return;
    }
    if (fs->on_still && fs->on_still(c)) return; /* somebody was woken */
  }
  vk_out_flush(); /* who waits wants to see what was printed before */
  fs->poller->poll(fs->poller, c, waiting_time(c));
}

/* ---- the loop's stack --------------------------------------------------------------------------------- */

static void run_loop(vk *c) {
  struct VkFibers *fs = c->fibers;
  while (!fs->is_stopping) turn(c);
}

static void loop_begin(void *arg) {
  fiber_arrive(arg);
  run_loop(arg);
  abort(); /* vk_sched_stop is for vk_sched_serve */
}

static void make_loop(vk *c) {
  struct VkFibers *fs = c->fibers;
  size_t all = LOOP_GUARD_BYTES + LOOP_STACK_BYTES;
  char *p = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
  if (p == MAP_FAILED || mprotect(p, LOOP_GUARD_BYTES, PROT_NONE))
    no_memory("no room for the event loop's stack");
  VkFiber *f = &fs->loop_fiber;
  *f = (VkFiber){.stack_base = p + all,
                 .stack_limit = p + LOOP_GUARD_BYTES,
                 .guard_bytes = LOOP_GUARD_BYTES,
                 .state = VK_FIBER_WAITING};
  fs->loop_memory = p;
  fs->loop = f;
  fiber_make_context(c, f, loop_begin);
  fiber_adopt(fs, f);
}

VkFiber *sched_loop(vk *c) {
  if (!c->fibers->loop) make_loop(c);
  return c->fibers->loop;
}

void vk_sched_serve(vk *c) {
  vk_sched_begin(c);
  struct VkFibers *fs = c->fibers;
  assert(!fs->loop || fs->loop == c->fiber);
  fs->main = NULL;
  fs->loop = c->fiber;
  fs->is_stopping = false;
  run_loop(c);
}

void vk_sched_stop(vk *c) {
  vk_sched_begin(c);
  c->fibers->is_stopping = true;
}

/* ---- the end ---------------------------------------------------------------------------------------------- */

void vk_sched_finish(vk *c) {
  struct VkFibers *fs = c->fibers;
  if (!fs) return;
  static const char *const what = "the end";
  VkWait wait = {what, NULL};
  fs->is_finishing = true;
  c->fiber->is_cancelled = false;
  c->place = NULL;
  vk_fiber_wait(c, &wait);
  fs->is_finishing = false;
  sched_report_lost(c);
}

void vk_sched_free(vk *c) {
  struct VkFibers *fs = c->fibers;
  if (!fs) return;
  fiber_drop_all(c); /* what they wait for in other isolates is cancelled */
  inbox_close(c);
  fiber_drop_all(c); /* those that the last posts started */
  if (fs->poller->end) fs->poller->end(fs->poller, c);
  vk_stop_end(&fs->watch.stop);
  for (size_t i = 0; i < VK_LOST_MAX; i++) vk_root_remove(c, &fs->lost[i]);
  if (fs->loop_memory) munmap(fs->loop_memory, LOOP_GUARD_BYTES + LOOP_STACK_BYTES);
  pthread_cond_destroy(&fs->sleep_cond);
  pthread_mutex_destroy(&fs->sleep_mutex);
  free(fs->timers);
  free(fs);
  c->fibers = NULL;
}

VkSchedStats vk_sched_stats(vk *c) {
  if (!c->fibers) return (VkSchedStats){0};
  VkSchedStats stats = c->fibers->stats;
  stats.timers = c->fibers->timer_count;
  return stats;
}

/* ---- sleep -------------------------------------------------------------------------------------------------- */

typedef struct Sleep {
  VkWait wait;
  VkTimer timer;
  VkFiber *fiber;
} Sleep;

static void wake_up(vk *c, VkTimer *t) {
  Sleep *s = (Sleep *)((char *)t - offsetof(Sleep, timer));
  vk_fiber_wake(c, s->fiber, VK_NIL);
}

static void undo_sleep(vk *c, VkWait *w) { vk_timer_stop(c, &((Sleep *)w)->timer); }

V vk_fiber_sleep(vk *c, int64_t ns) {
  Sleep s = {.wait = {"sleep", undo_sleep}, .timer = {.fire = wake_up}, .fiber = c->fiber};
  vk_timer_start(c, &s.timer, ns);
  return vk_fiber_wait(c, &s.wait);
}

bool vk_sched_run_for(vk *c, int64_t ns) {
  if (!c->fibers || (!has_work(c->fibers) && !can_wake(c))) return false;
  vk_fiber_sleep(c, ns); /* cancelled or interrupted: it was shorter */
  return true;
}
