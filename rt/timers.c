/* timers.c - the timers of an isolate: a heap of four children per node (contract: sched.h).
 *
 * Four rather than two: half the levels, and the children share one or two lines of the cache. */
#include "fiber_impl.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t vk_now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool is_before(const VkTimer *a, const VkTimer *b) {
  return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void place(struct VkFibers *fs, size_t i, VkTimer *t) {
  fs->timers[i] = t;
  t->slot = i + 1;
}

static void sift_up(struct VkFibers *fs, size_t i, VkTimer *t) {
  for (; i && is_before(t, fs->timers[(i - 1) / 4]); i = (i - 1) / 4)
    place(fs, i, fs->timers[(i - 1) / 4]);
  place(fs, i, t);
}

static void sift_down(struct VkFibers *fs, size_t i, VkTimer *t) {
  for (;;) {
    size_t first = 4 * i + 1, least = first;
    if (first >= fs->timer_count) break;
    for (size_t k = first + 1; k < first + 4 && k < fs->timer_count; k++)
      if (is_before(fs->timers[k], fs->timers[least])) least = k;
    if (!is_before(fs->timers[least], t)) break;
    place(fs, i, fs->timers[least]);
    i = least;
  }
  place(fs, i, t);
}

void vk_timer_stop(vk *c, VkTimer *t) {
  if (!t->slot) return;
  struct VkFibers *fs = c->fibers;
  size_t i = t->slot - 1;
  assert(i < fs->timer_count && fs->timers[i] == t);
  t->slot = 0;
  VkTimer *last = fs->timers[--fs->timer_count];
  if (last == t) return;
  if (i && is_before(last, fs->timers[(i - 1) / 4]))
    sift_up(fs, i, last);
  else
    sift_down(fs, i, last);
}

static void grow(struct VkFibers *fs) {
  size_t capacity = fs->timer_capacity ? 2 * fs->timer_capacity : 64;
  VkTimer **timers = realloc(fs->timers, capacity * sizeof *timers);
  if (!timers) {
    fprintf(stderr, "out of memory: no room for %zu timers\n", capacity);
    exit(1);
  }
  fs->timers = timers;
  fs->timer_capacity = capacity;
}

void vk_timer_start(vk *c, VkTimer *t, int64_t delay_ns) {
  vk_sched_begin(c);
  struct VkFibers *fs = c->fibers;
  vk_timer_stop(c, t);
  if (fs->timer_count == fs->timer_capacity) grow(fs);
  if (__builtin_add_overflow(vk_now_ns(), delay_ns, &t->due_ns)) t->due_ns = INT64_MAX;
  t->order = fs->timer_order++;
  sift_up(fs, fs->timer_count++, t);
}

int64_t timers_next_ns(const struct VkFibers *fs) {
  if (!fs->timer_count) return -1;
  int64_t ns = fs->timers[0]->due_ns - vk_now_ns();
  return ns > 0 ? ns : 0;
}

/* Those started meanwhile wait for the next turn. */
void timers_fire(vk *c) {
  struct VkFibers *fs = c->fibers;
  if (!fs->timer_count) return;
  int64_t now = vk_now_ns();
  uint64_t order = fs->timer_order;
  while (fs->timer_count) {
    VkTimer *t = fs->timers[0];
    if (t->due_ns > now || t->order >= order) return;
    vk_timer_stop(c, t);
    t->fire(c, t);
  }
}
