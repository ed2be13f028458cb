/* switch.c - nanoseconds per switch between fibers: the bare one, and by way of the run queue. */
#include "fiber_impl.h"
#include "heap.h"
#include "stack.h"
#include <stdio.h>
#include <time.h>

enum { ROUNDS = 5000000, FIBERS = 1000 };
static vk isolate VK_ALIGN16;
static VkFiber main_fiber;
static VkProgram program;
static void *bare_main, *bare_other;

static void bare_loop(void *arg) {
  (void)arg;
  for (;;) vk_context_switch(&bare_other, bare_main);
}

/* Of this thread: others may run, too. */
static int64_t cpu_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void print_per(const char *what, int64_t start, int64_t count) {
  printf("%-42s %6.1f ns\n", what, (double)(cpu_ns() - start) / (double)count);
}

static void bare(vk *c) {
  VkFiber f = {.stack_limit = vk_fiber_stack_take(&c->fibers->stacks)};
  f.stack_base = f.stack_limit + vk_fiber_stack_bytes();
  fiber_make_context(c, &f, bare_loop);
  bare_other = f.sp;
  int64_t start = cpu_ns();
  for (int i = 0; i < ROUNDS; i++) vk_context_switch(&bare_main, bare_other);
  print_per("switch of context, bare", start, 2 * (int64_t)ROUNDS);
  vk_fiber_stack_give(&c->fibers->stacks, f.stack_limit);
}

static int left;
static void yielder(vk *c, void *arg) {
  (void)arg;
  while (--left > 0) vk_fiber_yield(c);
}

static void yielding(vk *c, int fibers, const char *what) {
  left = ROUNDS;
  VkFiberTask task = {.entry = yielder, .value = VK_NIL};
  for (int i = 0; i < fibers; i++) vk_fiber_start(c, &task);
  int64_t start = cpu_ns();
  vk_sched_finish(c);
  print_per(what, start, ROUNDS);
}

static void nothing(vk *c, void *arg) { (void)c, (void)arg; }

static void starting(vk *c) {
  enum { BATCH = 100 };
  VkFiberTask task = {.entry = nothing, .value = VK_NIL};
  int64_t start = cpu_ns();
  for (int i = 0; i < ROUNDS / 10; i += BATCH) {
    for (int k = 0; k < BATCH; k++) vk_fiber_start(c, &task);
    while (vk_sched_stats(c).fibers) vk_fiber_yield(c);
  }
  print_per("a fiber that does nothing, start to end", start, ROUNDS / 10);
}

static void run(void *arg) {
  vk *c = arg;
  vk_sched_begin(c);
  bare(c);
  yielding(c, 2, "yield, 2 fibers");
  yielding(c, FIBERS, "yield, 1000 fibers");
  starting(c);
}

int main(void) {
  isolate.fiber = &main_fiber;
  isolate.program = &program;
  vk_stack_init(&main_fiber);
  vk_heap_init(&isolate, NULL);
  vk_stack_call(&main_fiber, run, &isolate);
  return 0;
}
