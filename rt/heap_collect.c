/* heap_collect.c - when to collect, and what the phases of a collection are.
 *
 *   IDLE     budget used up -> minor collection; or, if enough became old, start full marking
 *   MARKING  budget used up -> a slice of tracing; when nothing is left, finish -> IDLE
 *
 * A minor collection marks from the roots and the log, adding to the sticky marks, and sweeps
 * the young blocks. Its pause is bounded by sizing the nursery after what survived the last
 * ones, but the nursery is at least four times the roots, so that scanning a deep stack again
 * and again stays a fraction of the work between; down to half of them where much survives, as
 * then tracing that takes longer than the scan.
 *
 * Full marking traces `mark_ratio` bytes per byte allocated, chosen so that it ends before the
 * heap grew by a quarter. */
#include "catch.h"
#include "heap_impl.h"
#include "stack.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  NURSERY_BYTES_MIN = 512 << 10,
  NURSERY_BYTES_START = 1 << 20,
  NURSERY_BYTES_MAX = 4 << 20,
  SURVIVED_MUCH = 768 << 10,   /* about 0.5 ms of tracing: a smaller nursery next time */
  SURVIVED_LITTLE = 192 << 10, /* a larger one */
  SLICE_BYTES = 32 << 10,      /* allocated between two slices of full marking */
  SLICE_TRACE_MAX = 1 << 20,   /* traced in one slice: about a millisecond */
  SMALL_HEAP_BYTES = 1 << 20,  /* marked at once */
  SWEEP_PER_MINOR = 128,       /* blocks */
  RESERVE_BYTES_MIN = 16 << 20, /* free pages kept: a program that swells and shrinks would fault on them */
  GIVE_BACK_MAX = 64,          /* blocks per minor collection */
  KEPT_MOST = 2,
  STRIKES_MAX = 3,
  RESERVE_BLOCKS = 8, /* beyond the limit, for the error that says so */
};

/* ---- statistics --------------------------------------------------------------------------- */

#ifndef HEAP_CLOCK /* on a busy machine CLOCK_THREAD_CPUTIME_ID shows what we did, not what others did */
#define HEAP_CLOCK CLOCK_MONOTONIC
#endif

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(HEAP_CLOCK, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static unsigned pause_bucket(uint64_t ns) {
  if (ns < 4) return (unsigned)ns;
  unsigned log = 63 - (unsigned)__builtin_clzll(ns);
  unsigned bucket = log * 4 + (unsigned)(ns >> (log - 2) & 3);
  return bucket < PAUSE_BUCKETS ? bucket : PAUSE_BUCKETS - 1;
}

static void count_pause(PauseStats *s, uint64_t ns) {
  s->count++;
  s->total_ns += ns;
  s->last_ns = ns;
  if (ns > s->max_ns) s->max_ns = ns;
  s->buckets[pause_bucket(ns)]++;
}

uint64_t heap_pause_quantile(const PauseStats *s, double part) {
  uint64_t want = (uint64_t)(part * (double)s->count), seen = 0;
  for (unsigned i = 0; i < PAUSE_BUCKETS; i++) {
    seen += s->buckets[i];
    if (seen <= want) continue;
    if (i < 8) return i;
    uint64_t upper = ((uint64_t)(i % 4) + 5) << (i / 4 - 2); /* of the bucket, exclusive */
    return upper < s->max_ns ? upper : s->max_ns;
  }
  return s->max_ns;
}

static size_t cycle_allocated(const VkHeap *h) {
  return (size_t)((int64_t)h->cycle_bytes - h->budget);
}

uint64_t heap_allocated(const VkHeap *h) {
  return h->stats.allocated_bytes + cycle_allocated(h);
}

/* While marking, live_bytes is only what was found so far. */
static size_t used_bytes(const VkHeap *h) {
  if (h->phase == HEAP_MARKING)
    return h->marking_base_bytes + (size_t)(heap_allocated(h) - h->marking_base_allocated);
  return h->live_bytes + cycle_allocated(h);
}

const char *const heap_event_names[EVENT_COUNT] = {"minor", "start", "slice", "full"};

static double ms(uint64_t ns) { return (double)ns / 1e6; }

/* One line per collection; for a full one in slices when it ends: their number, sum and longest. */
static void trace_event(VkHeap *h, HeapEvent e, uint64_t ns, size_t allocated,
                        size_t survived) {
  bool is_start = e == EVENT_START || e == EVENT_FULL;
  h->marking_pauses = is_start ? 1 : h->marking_pauses + 1;
  h->marking_ns = is_start ? ns : h->marking_ns + ns;
  h->marking_ns_max = is_start || ns > h->marking_ns_max ? ns : h->marking_ns_max;
  if (h->phase == HEAP_MARKING) return;
  if (e == EVENT_MINOR)
    fprintf(stderr, "gc minor %llu: %.3f ms, %zuk allocated, %zuk survived",
            (unsigned long long)h->stats.pauses[e].count, ms(ns), allocated >> 10,
            survived >> 10);
  else
    fprintf(stderr, "gc full %llu: %.3f ms in %u pauses of at most %.3f",
            (unsigned long long)h->stats.full_count, ms(h->marking_ns), h->marking_pauses,
            ms(h->marking_ns_max));
  fprintf(stderr, ", %zuk live, %uk in use, next full at %zuk\n", h->live_bytes >> 10,
          h->used_blocks * (BLOCK_BYTES >> 10), h->full_trigger_bytes >> 10);
}

/* ---- planning ----------------------------------------------------------------------------- */

void heap_plan_cycle(VkHeap *h) {
  h->stats.allocated_bytes += cycle_allocated(h);
  if (!h->nursery_bytes) h->nursery_bytes = NURSERY_BYTES_START;
  size_t for_roots = h->root_bytes / 2 * (h->nursery_bytes / NURSERY_BYTES_MIN);
  size_t size = h->nursery_bytes > for_roots ? h->nursery_bytes : for_roots;
  h->cycle_bytes = h->phase == HEAP_MARKING ? SLICE_BYTES : size;
  h->budget = (int64_t)h->cycle_bytes;
  h->touched_free_low = h->touched_free_blocks;
}

static void size_nursery(VkHeap *h, size_t survived) {
  if (survived > SURVIVED_MUCH) h->nursery_bytes /= 2;
  if (survived < SURVIVED_LITTLE) h->nursery_bytes *= 2;
  if (h->nursery_bytes < NURSERY_BYTES_MIN) h->nursery_bytes = NURSERY_BYTES_MIN;
  if (h->nursery_bytes > NURSERY_BYTES_MAX) h->nursery_bytes = NURSERY_BYTES_MAX;
}

/* When the next full marking may start: the heap has doubled, less near the hard limit. */
static void plan_from(VkHeap *h, size_t live) {
  size_t limit = (size_t)h->limit_blocks * BLOCK_BYTES;
  size_t growth = live > h->threshold_bytes / 4 ? live : h->threshold_bytes / 4;
  size_t room = limit > live ? (limit - live) / 2 : 0;
  h->full_trigger_bytes = live + (growth < room ? growth : room);
  h->full_after_bytes = h->threshold_bytes < room ? h->threshold_bytes : room;
}

void heap_plan_full(VkHeap *h) {
  h->full_live_bytes = h->live_bytes;
  h->full_allocated = heap_allocated(h);
  plan_from(h, h->full_live_bytes);
}

/* Both take effect at once, as if they had been so since the last full collection. */
void heap_set_threshold(VkHeap *h, size_t bytes) {
  h->threshold_bytes = bytes;
  plan_from(h, h->full_live_bytes);
}

void heap_set_limit(VkHeap *h, size_t bytes) {
  size_t blocks = bytes / BLOCK_BYTES;
  h->limit_blocks = blocks < h->max_blocks ? (uint32_t)blocks : h->max_blocks;
  plan_from(h, h->full_live_bytes);
}

/* ---- the phases --------------------------------------------------------------------------- */

/* Pages that were free throughout the cycle, less a reserve, go back to the system. */
static void give_back(VkHeap *h, uint32_t most) {
  size_t kept = 2 * h->nursery_bytes + h->live_bytes / 8;
  size_t reserve = (kept > RESERVE_BYTES_MIN ? kept : RESERVE_BYTES_MIN) / BLOCK_BYTES;
  if (h->touched_free_low <= reserve) return;
  size_t excess = h->touched_free_low - reserve;
  heap_give_back(h, excess < most ? (uint32_t)excess : most);
}

static size_t minor(VkHeap *h) {
  size_t before = h->live_bytes;
  heap_retire_runs(h);
  size_t allocated = cycle_allocated(h);
  size_t logged = h->log.count;
  heap_mark_logged(h);
  heap_mark_roots(h);
  heap_trace(h, SIZE_MAX);
  heap_run_finalisers(h, true);
  heap_clear_log(h);
  heap_sweep_young(h);
  heap_sweep_some(h, SWEEP_PER_MINOR);
  give_back(h, GIVE_BACK_MAX);
  size_t survived = h->live_bytes - before;
  h->stats.logged_count += logged;
  h->stats.minor_seen_bytes += allocated;
  h->stats.minor_kept_bytes += survived;
  size_nursery(h, survived);
  h->kept_most = survived > allocated / 4 * 3 ? h->kept_most + 1 : 0;
  return survived;
}

/* Requires: IDLE. The snapshot: what the roots reach now will be marked. */
static void start_marking(VkHeap *h) {
  heap_retire_runs(h);
  heap_sweep_some(h, UINT32_MAX);
  heap_clear_log(h);
  heap_forget_young(h);
  h->marking_base_bytes = h->live_bytes + cycle_allocated(h);
  h->marking_base_allocated = heap_allocated(h);
  size_t headroom = h->marking_base_bytes / 4;
  if (headroom < h->threshold_bytes / 4) headroom = h->threshold_bytes / 4;
  h->mark_ratio = 4 + 2 * h->marking_base_bytes / (headroom + 1);
  if (h->marks) /* the range is reserved at first use */
    memset(h->marks, 0, (size_t)h->frontier * BLOCK_BITMAP_WORDS * sizeof *h->marks);
  h->live_bytes = 0;
  h->mark_debt = 0;
  h->phase = HEAP_MARKING;
  h->c->barrier.tags = 0xFF;
  heap_mark_roots(h);
}

/* Requires: MARKING and heap_trace_done. */
static void finish_marking(VkHeap *h) {
  heap_retire_runs(h);
  heap_clean_fibers(h);
  heap_run_finalisers(h, false);
  heap_sweep_frozen(h);
  heap_clear_log(h);
  heap_forget_young(h);
  heap_sweep_begin(h);
  h->phase = HEAP_IDLE;
  h->kept_most = 0;
  h->c->barrier.tags = 0x62;
  h->stats.full_count++;
  heap_plan_full(h);
}

static void slice(VkHeap *h) {
  h->mark_debt += cycle_allocated(h) * h->mark_ratio;
  size_t quota = h->mark_debt < SLICE_TRACE_MAX ? h->mark_debt : SLICE_TRACE_MAX;
  size_t done = heap_trace(h, quota);
  h->mark_debt -= done < h->mark_debt ? done : h->mark_debt;
  if (heap_trace_done(h)) finish_marking(h);
}

static void full(VkHeap *h) {
  if (h->phase == HEAP_MARKING) { /* of an older snapshot */
    heap_trace(h, SIZE_MAX);
    finish_marking(h);
  }
  start_marking(h);
  heap_trace(h, SIZE_MAX);
  finish_marking(h);
  heap_sweep_some(h, UINT32_MAX);
}

/* ---- events ------------------------------------------------------------------------------- */

static void run_event(VkHeap *h, HeapEvent e) {
  uint64_t start = now_ns();
  size_t survived = 0, allocated = cycle_allocated(h);
  assert(!h->is_collecting); /* a finaliser allocated */
  h->is_collecting = true;
  switch (e) {
  case EVENT_MINOR: survived = minor(h); break;
  case EVENT_START:
    start_marking(h);
    if (h->marking_base_bytes <= SMALL_HEAP_BYTES) {
      heap_trace(h, SIZE_MAX);
      finish_marking(h);
    }
    break;
  case EVENT_SLICE: slice(h); break;
  case EVENT_FULL: full(h); break;
  case EVENT_COUNT: break;
  }
  heap_plan_cycle(h);
  h->is_collecting = false;
  uint64_t ns = now_ns() - start;
  count_pause(&h->stats.pauses[e], ns);
  h->stats.last_pauses[h->stats.all_pauses.count % PAUSES_KEPT] = (Pause){ns, e};
  count_pause(&h->stats.all_pauses, ns);
  if (h->trace) trace_event(h, e, ns, allocated, survived);
#ifdef VK_DEBUG
  if (h->stress && !heap_is_valid(h)) abort();
#endif
}

/* Under stress each kind of event takes its turn, whatever was allocated. */
static HeapEvent stress_event(VkHeap *h) {
  unsigned turn = h->stress_turn++ % 8;
  if (h->phase == HEAP_MARKING) {
    h->mark_debt += turn * 512; /* slow enough that stores happen meanwhile */
    return EVENT_SLICE;
  }
  return turn == 5 ? EVENT_START : EVENT_MINOR;
}

static uint64_t since_full(const VkHeap *h) { return heap_allocated(h) - h->full_allocated; }

/* While a program builds what it keeps, minor collections only cost: after KEPT_MOST of them
 * freed next to nothing there are no more until the next full marking. */
static void skip_minor(VkHeap *h) {
  h->cycle_bytes += h->nursery_bytes;
  h->budget += (int64_t)h->nursery_bytes;
}

void heap_event(VkHeap *h) {
  bool skips = h->kept_most >= KEPT_MOST && !h->stress;
  size_t old = h->live_bytes + (skips ? cycle_allocated(h) : 0);
  size_t after = skips ? h->full_after_bytes / 2 : h->full_after_bytes;
  if (h->stress)
    run_event(h, stress_event(h));
  else if (h->phase == HEAP_MARKING)
    run_event(h, EVENT_SLICE);
  else if ((old >= h->full_trigger_bytes && since_full(h) >= after) || h->wants_full)
    run_event(h, EVENT_START);
  else if (skips)
    skip_minor(h);
  else
    run_event(h, EVENT_MINOR);
}

void heap_collect_full(VkHeap *h) { run_event(h, EVENT_FULL); }

void vk_heap_external(vk *c, size_t bytes) { c->heap->budget -= (int64_t)bytes; }

size_t vk_collect(vk *c) {
  size_t before = used_bytes(c->heap);
  vk_stack_wipe(c->fiber);
  heap_collect_full(c->heap);
  c->heap->touched_free_low = c->heap->touched_free_blocks; /* asked for, so at once */
  give_back(c->heap, UINT32_MAX);
  size_t after = used_bytes(c->heap);
  return before > after ? before - after : 0;
}

size_t vk_heap_used(vk *c) { return used_bytes(c->heap); }

bool vk_heap_is_tight(vk *c) {
  const VkHeap *h = c->heap;
  return h->used_blocks > h->limit_blocks - h->limit_blocks / 8;
}

/* ---- the hard limit ----------------------------------------------------------------------- */

static bool use_reserve(VkHeap *h) {
  if (!h->on_reserve || h->limit_of_program || h->c->fiber->caught) return false;
  h->limit_of_program = h->limit_blocks;
  heap_set_limit(h, (size_t)(h->limit_blocks + h->limit_blocks / 16) * BLOCK_BYTES);
  h->on_reserve(h->c);
  return true;
}

void vk_heap_have_reserve(vk *c, void (*on_use)(vk *c)) { c->heap->on_reserve = on_use; }

void vk_heap_restore_limit(vk *c) {
  VkHeap *h = c->heap;
  if (!h->limit_of_program) return;
  heap_collect_full(h);
  heap_set_limit(h, (size_t)h->limit_of_program * BLOCK_BYTES);
  h->limit_of_program = h->strikes = 0;
}

/* A collection that frees little lets the program go on for little: after STRIKES_MAX of them in
 * a row that left less than a 64th of the limit, it ends rather than collect without end. */
bool heap_emergency(VkHeap *h, size_t bytes, unsigned attempt) {
  size_t limit = (size_t)h->limit_blocks * BLOCK_BYTES;
  if (bytes > limit || h->is_suspended) return false;
  if (attempt) return bytes <= BLOCK_BYTES && use_reserve(h);
  heap_collect_full(h);
  if (bytes > BLOCK_BYTES) return true; /* if it fails the program goes on without */
  bool leaves_much = h->live_bytes + limit / 64 < limit;
  h->strikes = leaves_much ? 0 : h->strikes + 1;
  return h->strikes <= STRIKES_MAX || use_reserve(h);
}

bool vk_heap_suspend(vk *c, size_t bytes) {
  VkHeap *h = c->heap;
  assert(!h->is_suspended);
  heap_prepare(h);
  size_t blocks = bytes / BLOCK_BYTES + bytes / BLOCK_BYTES / 8 + 2;
  if (blocks > h->limit_blocks - h->used_blocks && bytes >= BLOCK_BYTES) heap_collect_full(h);
  if (blocks > h->limit_blocks - h->used_blocks && bytes >= BLOCK_BYTES) return false;
  h->is_suspended = true;
  return true;
}

void vk_heap_resume(vk *c) { c->heap->is_suspended = false; }

void heap_refuse(VkHeap *h, size_t bytes) {
  h->refused_bytes = bytes;
  h->refused_at_bytes = used_bytes(h);
}

static V refusal(VkHeap *h) {
  return vk_errorf(h->c, VK_SYM(out_of_memory),
                   "out of memory: %zu bytes asked for, %zu in use; the limit is %zu", h->refused_bytes,
                   h->refused_at_bytes, (size_t)h->limit_blocks * BLOCK_BYTES);
}

V vk_out_of_memory(vk *c, size_t bytes) {
  heap_refuse(c->heap, bytes);
  return refusal(c->heap);
}

/* What the frames held is garbage now. If it is too little, the error itself has a reserve. */
V heap_out_of_memory_error(VkHeap *h) {
  heap_collect_full(h);
  uint32_t limit = h->limit_blocks;
  h->limit_blocks += RESERVE_BLOCKS;
  V err = refusal(h);
  h->limit_blocks = limit;
  return err;
}

/* Flushes what the program printed; absent where the heap is tested alone. */
void vk_process_exit(int status) __attribute__((weak));

void heap_out_of_memory(VkHeap *h, size_t bytes) {
  h->is_suspended = false;
  vk_catch_out_of_memory(h->c, bytes);
  fprintf(stderr,
          "out of memory: %zu bytes asked for; the heap has %zuk of the %zuk that "
          "VALK_HEAP_LIMIT or the machine allows\n",
          bytes, (size_t)h->used_blocks * BLOCK_BYTES >> 10,
          (size_t)h->limit_blocks * BLOCK_BYTES >> 10);
  heap_print_consumers(h, stderr);
  if (vk_process_exit) vk_process_exit(1);
  exit(1);
}
