/* fiber_test.c - stacks, switching, waiting, timers, hooks, posts from other threads, the ends.
 *
 * Each test has an isolate of its own. `make tsan` runs it under ThreadSanitizer. */
#include "../../rt/errors.h"
#include "../../rt/fiber_impl.h"
#include "../../rt/future.h"
#include "../../rt/heap.h"
#include "../../rt/stack.h"
#include "check.h"
#include <fenv.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const VkProgram program; /* empty */

typedef struct Run {
  vk c VK_ALIGN16;
  VkFiber main;
  void (*test)(vk *c);
} Run;

static void call_test(void *arg) {
  Run *r = arg;
  r->test(&r->c);
  vk_sched_free(&r->c);
}

static void in_isolate(void (*test)(vk *c)) {
  static char stack[512 << 10] VK_ALIGN16;
  Run *r = aligned_alloc(16, (sizeof *r + 15) / 16 * 16);
  memset(r, 0, sizeof *r);
  r->test = test;
  r->c.fiber = &r->main;
  r->c.program = &program;
  r->main.stack_limit = stack;
  r->main.stack_base = stack + sizeof stack;
  VkLimits limits = {
      .heap_limit_bytes = 64 << 20, .gc_threshold_bytes = 1 << 20, .arena_bytes = 1 << 20};
  CHECK(vk_heap_new(&r->c, &limits) != NULL);
  vk_stack_call(&r->main, call_test, r);
  vk_heap_free(&r->c);
  free(r);
}

static VkFiber *start(vk *c, void (*entry)(vk *c, void *arg), void *arg) {
  VkFiberTask task = {.entry = entry, .arg = arg, .value = VK_NIL};
  return vk_fiber_start(c, &task);
}

/* ---- stacks ------------------------------------------------------------------------------------ */

static bool dies_writing(char *p) {
  pid_t child = fork();
  if (!child) {
    signal(SIGSEGV, SIG_DFL);
    *(volatile char *)p = 1;
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status != 0;
}

static void check_stack(VkStackCache *cache) {
  char *limit = vk_fiber_stack_take(cache), *base = limit + vk_fiber_stack_bytes();
  CHECK(limit != NULL);
  memset(limit, 1, (size_t)(base - limit));
  CHECK(dies_writing(limit - 1));
  CHECK(dies_writing(limit - VK_FIBER_STACK_YELLOW));
  CHECK(dies_writing(limit - VK_FIBER_STACK_GUARD));
  CHECK(vk_fiber_stack_yellow(limit, true));
  CHECK(!dies_writing(limit - VK_FIBER_STACK_YELLOW));
  CHECK(dies_writing(limit - VK_FIBER_STACK_YELLOW - 1));
  CHECK(vk_fiber_stack_yellow(limit, false));
  CHECK(dies_writing(limit - 1));
  vk_fiber_stack_give(cache, limit);
  CHECK(vk_fiber_stack_take(cache) == limit); /* the warm one */
  vk_fiber_stack_give(cache, limit);
}

/* More than stay warm: the others come back empty. */
static void check_memory_given_back(VkStackCache *cache) {
  enum { MANY = VK_WARM_STACKS + 50 };
  char *stacks[MANY];
  for (int i = 0; i < MANY; i++) {
    stacks[i] = vk_fiber_stack_take(cache);
    stacks[i][1000] = 7;
  }
  for (int i = 0; i < MANY; i++) vk_fiber_stack_give(cache, stacks[i]);
  size_t empty = 0;
  for (int i = 0; i < MANY; i++) empty += stacks[i][1000] == 0;
  CHECK(empty == 50);
  vk_fiber_stacks_release(cache);
}

static void test_stacks(void) {
  VkStackCache cache = {.count = 0};
  check_stack(&cache);
  check_memory_given_back(&cache);
}

/* mprotect runs out of mappings: no stack then, and no harm. */
static void test_stacks_by_mprotect(void) {
  enum { MANY = 70000 };
  char **stacks = malloc(MANY * sizeof *stacks);
  VkStackCache cache = {.count = 0};
  vk_fiber_stack_use_mprotect();
  size_t count = 0;
  while (count < MANY && (stacks[count] = vk_fiber_stack_take(&cache))) count++;
  CHECK(count > 1000 && count < MANY);
  CHECK(dies_writing(stacks[count - 1] - 1));
  for (size_t i = 0; i < count; i++) vk_fiber_stack_give(&cache, stacks[i]);
  check_stack(&cache);
  vk_fiber_stacks_release(&cache);
  free(stacks);
}

/* ---- switching ----------------------------------------------------------------------------------- */

static double third(double x) { return x / 3; }

/* Keeps much alive in registers over many switches, and its own rounding. */
static void compute(vk *c, void *arg) {
  uint64_t seed = (uintptr_t)arg, a = seed, b = seed * 3, d = seed * 5, e = seed * 7,
           f = seed * 11;
  double x = (double)seed, y = 1;
  int rounding = seed % 2 ? FE_UPWARD : FE_TONEAREST;
  fesetround(rounding);
  double expected = third(x);
  for (int i = 0; i < 1000; i++) {
    vk_fiber_yield(c);
    a += b, b ^= d, d += e, e ^= f, f += a;
    y = y * 1.0000001 + x;
    CHECK(fegetround() == rounding);
    CHECK(third(x) == expected);
  }
  uint64_t a2 = seed, b2 = seed * 3, d2 = seed * 5, e2 = seed * 7, f2 = seed * 11;
  double y2 = 1;
  for (int i = 0; i < 1000; i++) {
    a2 += b2, b2 ^= d2, d2 += e2, e2 ^= f2, f2 += a2;
    y2 = y2 * 1.0000001 + x;
  }
  CHECK(a == a2 && b == b2 && d == d2 && e == e2 && f == f2);
  CHECK(fabs(y - y2) == 0);
}

static void test_switch(vk *c) {
  for (uintptr_t i = 1; i <= 9; i++) CHECK(start(c, compute, (void *)i) != NULL);
  vk_sched_finish(c);
  CHECK(fegetround() == FE_TONEAREST);
  VkSchedStats s = vk_sched_stats(c);
  CHECK(s.spawned == 9 && s.fibers == 0 && s.fibers_max == 9);
  CHECK(s.switches > 9000);
}

/* ---- waiting --------------------------------------------------------------------------------------- */

static VkFiber *waiter;
static V got;
static int undone, ended;
static V ended_with;

static void undo(vk *c, VkWait *w) {
  (void)c, (void)w;
  undone++;
}
static void wait_once(vk *c, void *arg) {
  (void)arg;
  VkWait w = {"test", undo};
  waiter = c->fiber;
  got = vk_fiber_wait(c, &w);
}
static void on_end(vk *c, void *arg, V error) {
  (void)c, (void)arg;
  ended++;
  ended_with = error;
}
static bool is_kind(V error, V kind) { return VK_IS_ABN(error) && VK_ERR(error)->kind == kind; }

static void test_wait(vk *c) {
  start(c, wait_once, NULL);
  vk_fiber_yield(c);
  CHECK(waiter->state == VK_FIBER_WAITING);
  vk_fiber_wake(c, waiter, VK_FIX(5));
  vk_fiber_yield(c);
  CHECK(got == VK_FIX(5) && !undone);
  start(c, wait_once, NULL);
  vk_fiber_yield(c);
  vk_fiber_cancel(c, waiter);
  vk_fiber_yield(c);
  CHECK(is_kind(got, VK_SYM(cancelled)) && undone == 1);
  got = VK_NIL;
  VkFiberTask task = {.entry = wait_once, .ended = on_end, .value = VK_NIL};
  vk_fiber_cancel(c, vk_fiber_start(c, &task)); /* before it began */
  vk_fiber_yield(c);
  CHECK(got == VK_NIL && ended == 1 && is_kind(ended_with, VK_SYM(cancelled)));
}

static void die(vk *c, void *arg) {
  (void)arg;
  char room[10000];
  memset(room, 1, sizeof room);
  vk_fiber_die(c, vk_errorf(c, VK_SYM(error), "%d", room[77]));
}

static void test_die(vk *c) {
  ended = 0;
  for (int i = 0; i < 1000; i++) {
    VkFiberTask task = {.entry = die, .ended = on_end, .value = VK_NIL};
    vk_fiber_start(c, &task);
    vk_fiber_yield(c);
    CHECK(is_kind(ended_with, VK_SYM(error)));
  }
  CHECK(ended == 1000 && vk_sched_stats(c).fibers == 0);
}

/* Nothing can wake: not the end of the process unless it is the program's own isolate. */
static void test_deadlock(vk *c) {
  VkWait w = {"test", undo};
  undone = 0;
  CHECK(is_kind(vk_fiber_wait(c, &w), VK_SYM(deadlock)) && undone == 1);
}

/* ---- timers and hooks -------------------------------------------------------------------------------- */

enum { TIMERS = 200000 };
static VkTimer *timers;
static int64_t last_due;
static uint64_t last_order;
static size_t fired;
static bool is_ordered;

static void fire(vk *c, VkTimer *t) {
  (void)c;
  if (t->due_ns < last_due || (t->due_ns == last_due && t->order < last_order))
    is_ordered = false;
  if (t->due_ns > vk_now_ns()) is_ordered = false;
  last_due = t->due_ns;
  last_order = t->order;
  fired++;
}

static void test_timers(vk *c) {
  timers = calloc(TIMERS, sizeof *timers);
  uint64_t random = 12345;
  is_ordered = true;
  for (size_t i = 0; i < TIMERS; i++) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    timers[i].fire = fire;
    vk_timer_start(c, &timers[i], (int64_t)(random >> 40));
    if (i % 3 == 0) vk_timer_stop(c, &timers[random % (i + 1)]);
    if (i % 5 == 0) vk_timer_start(c, &timers[random % (i + 1)], 1000);
  }
  size_t running = vk_sched_stats(c).timers;
  CHECK(running > TIMERS / 2 && running <= TIMERS);
  fired = 0;
  vk_sched_finish(c);
  CHECK(fired == running && is_ordered);
  CHECK(vk_sched_stats(c).timers == 0);
  vk_timer_stop(c, &timers[0]); /* one that does not run */
  free(timers);
}

static int hook_runs, ready_before_hook;
static VkTurnHook hook;
static void run_hook(vk *c, VkTurnHook *h) {
  hook_runs++;
  if (hook_runs < 3) vk_sched_at_turn_end(c, h);
}
static void set_hook(vk *c, void *arg) {
  (void)arg;
  if (!hook_runs) ready_before_hook++;
  vk_sched_at_turn_end(c, &hook);
  vk_sched_at_turn_end(c, &hook);
}

static void test_hooks(vk *c) {
  hook.run = run_hook;
  for (int i = 0; i < 10; i++) start(c, set_hook, NULL);
  vk_sched_finish(c);
  CHECK(ready_before_hook == 10); /* all who were ready ran first */
  CHECK(hook_runs == 3);
}

/* ---- posts from other threads --------------------------------------------------------------------------- */

enum { THREADS = 4, POSTS = 20000 };
typedef struct Post {
  VkPost base;
  uintptr_t thread, number;
} Post;
typedef struct Poster {
  VkInbox *in;
  uintptr_t number;
  size_t refused;
} Poster;
static uintptr_t next_number[THREADS];
static size_t received;
static bool in_order;

static void receive(vk *c, VkPost *base) {
  Post *p = (Post *)base;
  if (next_number[p->thread]++ != p->number) in_order = false;
  if (++received % POSTS == 0) vk_sched_unexpect(c);
  free(p);
}

static void *post_all(void *arg) {
  Poster *me = arg;
  for (uintptr_t i = 0; i < POSTS; i++) {
    Post *p = malloc(sizeof *p);
    *p = (Post){{NULL, receive}, me->number, i};
    if (!vk_inbox_post(me->in, &p->base)) {
      me->refused++;
      free(p);
    }
    if (i % 1000 == 0) usleep(100); /* lets the isolate fall asleep */
  }
  vk_inbox_release(me->in);
  return NULL;
}

static void test_posts(vk *c) {
  pthread_t threads[THREADS];
  Poster posters[THREADS];
  in_order = true;
  for (uintptr_t i = 0; i < THREADS; i++) {
    posters[i] = (Poster){vk_inbox(c), i, 0};
    vk_sched_expect(c);
    pthread_create(&threads[i], NULL, post_all, &posters[i]);
  }
  vk_sched_finish(c); /* returns when nothing is expected any more */
  CHECK(received == THREADS * POSTS && in_order);
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    CHECK(posters[i].refused == 0);
  }
}

static void drop(vk *c, VkPost *p) {
  (void)c;
  free(p);
}
static void *post_until_refused(void *arg) {
  VkInbox *in = arg;
  size_t accepted = 0;
  for (;; accepted++) {
    VkPost *p = malloc(sizeof *p);
    *p = (VkPost){NULL, drop};
    if (vk_inbox_post(in, p)) continue;
    free(p);
    break;
  }
  vk_inbox_release(in);
  return (void *)accepted;
}

static void leave(vk *c, void *arg) {
  pthread_create(arg, NULL, post_until_refused, vk_inbox(c));
  VkWait w = {"ever", NULL};
  vk_fiber_wait(c, &w);
}

/* An isolate that ends while another thread posts, and while fibers wait: nothing leaks. */
static pthread_t late_poster;
static void test_end(vk *c) {
  for (int i = 0; i < 100; i++) start(c, wait_once, NULL);
  start(c, leave, &late_poster);
  for (int i = 0; i < 100; i++) vk_fiber_yield(c);
}

static void stop(vk *c, VkTimer *t) {
  (void)t;
  vk_sched_stop(c);
}
static void *serve(void *arg) {
  vk *c = arg;
  VkTimer t = {.fire = stop};
  vk_timer_start(c, &t, 20000000);
  CHECK(start(c, compute, (void *)3) != NULL);
  vk_sched_serve(c);
  return NULL;
}
static void test_serve(vk *c) { serve(c); }

int main(void) {
  test_stacks();
  in_isolate(test_switch);
  in_isolate(test_wait);
  in_isolate(test_die);
  in_isolate(test_deadlock);
  in_isolate(test_timers);
  in_isolate(test_hooks);
  in_isolate(test_posts);
  in_isolate(test_end);
  pthread_join(late_poster, NULL);
  in_isolate(test_serve);
  test_stacks_by_mprotect();
  in_isolate(test_switch);
  return check_done();
}
