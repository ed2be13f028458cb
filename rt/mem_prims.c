/* mem_prims.c - mem/...: sizes and counters of this isolate's memory, as integers and lists. */
#include "fns.h"
#include "heap_impl.h"
#include "lists.h"
#include "numbers.h"
#include "scratch.h"
#include "slab.h"
#include "strings.h"
#include <string.h>

static V bytes_value(vk *c, uint64_t bytes) {
  return vk_int_from_i64(c, bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes);
}

/* A size the program gives: a fixnum of at least `least` and at most `most`. */
static bool is_size(V v, size_t least, size_t most) {
  return VK_IS_FIX(v) && VK_INT(v) >= (int64_t)least && (uint64_t)VK_INT(v) <= most;
}

/* ---- scratch ------------------------------------------------------------------------------ */

V vk_mem_arena_usage(vk *c) { return bytes_value(c, vk_scratch_used(c)); }
V vk_mem_arena_capacity(vk *c) { return bytes_value(c, vk_arena_limit(c)); }
V vk_mem_arena_high_water(vk *c) { return bytes_value(c, c->fiber->scratch_bytes_max); }

/* ---- heap --------------------------------------------------------------------------------- */

V vk_mem_heap_usage(vk *c) { return bytes_value(c, vk_heap_used(c)); }

V vk_mem_heap_hard_limit(vk *c) {
  heap_prepare(c->heap);
  return bytes_value(c, (uint64_t)c->heap->limit_blocks * BLOCK_BYTES);
}

V vk_mem_heap_set_hard_limit(vk *c, V n) {
  VkHeap *h = c->heap;
  V old = vk_mem_heap_hard_limit(c);
  size_t most = (size_t)h->max_blocks * BLOCK_BYTES;
  if (!VK_IS_INT(n)) return vk_arg_error(c, "mem/heap/set-hard-limit", 1, n, "an integer");
  if (!is_size(n, VK_HEAP_LIMIT_MIN, most))
    return vk_errorf(c, VK_SYM(range), "mem/heap/set-hard-limit: not between %d and %zu",
                     VK_HEAP_LIMIT_MIN, most);
  heap_set_limit(h, (size_t)VK_INT(n));
  return old;
}

/* ---- collections -------------------------------------------------------------------------- */

V vk_mem_gc_collect(vk *c) { return bytes_value(c, vk_collect(c)); }
V vk_mem_gc_threshold(vk *c) { return bytes_value(c, c->heap->threshold_bytes); }

V vk_mem_gc_set_threshold(vk *c, V n) {
  V old = vk_mem_gc_threshold(c);
  if (!VK_IS_INT(n)) return vk_arg_error(c, "mem/gc/set-threshold", 1, n, "an integer");
  if (!is_size(n, VK_GC_THRESHOLD_MIN, (size_t)1 << 48))
    return vk_errorf(c, VK_SYM(range), "mem/gc/set-threshold: less than %d, or too much",
                     VK_GC_THRESHOLD_MIN);
  heap_set_threshold(c->heap, (size_t)VK_INT(n));
  return old;
}

V vk_mem_gc_usage(vk *c) {
  return bytes_value(c, heap_allocated(c->heap) - c->heap->full_allocated);
}

static void add_count(vk *c, VkListBuilder *b, const char *key, uint64_t count) {
  vk_list_add(c, b, vk_intern(c, key, strlen(key)));
  vk_list_add(c, b, bytes_value(c, count));
}

V vk_mem_gc_stats(vk *c) {
  const VkHeap *h = c->heap;
  HeapStats s = h->stats; /* as it was: making the list allocates, and may collect */
  uint64_t allocated = heap_allocated(h), live = h->live_bytes;
  uint64_t used = (uint64_t)h->used_blocks * BLOCK_BYTES;
  const PauseStats *p = &s.all_pauses;
  VkListBuilder b = VK_LIST_BUILDER;
  add_count(c, &b, ":minor", s.pauses[EVENT_MINOR].count);
  add_count(c, &b, ":full", s.full_count);
  add_count(c, &b, ":slices", s.pauses[EVENT_SLICE].count);
  add_count(c, &b, ":pauses", p->count);
  add_count(c, &b, ":pause-p50", heap_pause_quantile(p, 0.5) / 1000);
  add_count(c, &b, ":pause-p99", heap_pause_quantile(p, 0.99) / 1000);
  add_count(c, &b, ":pause-max", p->max_ns / 1000);
  add_count(c, &b, ":pause-total", p->total_ns / 1000);
  add_count(c, &b, ":allocated", allocated);
  add_count(c, &b, ":live", live);
  add_count(c, &b, ":used", used);
  add_count(c, &b, ":used-max", s.used_bytes_max);
  add_count(c, &b, ":given-back", s.released_blocks * BLOCK_BYTES);
  uint64_t seen = s.minor_seen_bytes;
  add_count(c, &b, ":survival", seen ? s.minor_kept_bytes * 100 / seen : 0);
  add_count(c, &b, ":finalised", s.finalised);
  return vk_list_end(c, &b, VK_NIL);
}

V vk_mem_checkpoint_stats(vk *c) {
  HeapStats s = c->heap->stats;
  VkListBuilder b = VK_LIST_BUILDER;
  vk_list_add(c, &b, bytes_value(c, s.minor_kept_count));
  vk_list_add(c, &b, bytes_value(c, s.minor_kept_bytes));
  vk_list_add(c, &b, bytes_value(c, s.pauses[EVENT_MINOR].count));
  vk_list_add(c, &b, bytes_value(c, s.logged_count));
  return vk_list_end(c, &b, VK_NIL);
}

/* ---- slabs -------------------------------------------------------------------------------- */

V vk_mem_slabs(vk *c) {
  VkListBuilder all = VK_LIST_BUILDER;
  for (VkSlab *slab = NULL; (slab = vk_slab_next(slab));) {
    VkSlabStats s = vk_slab_stats(slab);
    VkListBuilder b = VK_LIST_BUILDER;
    vk_list_add(c, &b, vk_string_z(c, s.name));
    vk_list_add(c, &b, bytes_value(c, s.slot_bytes));
    vk_list_add(c, &b, bytes_value(c, s.slot_count));
    vk_list_add(c, &b, bytes_value(c, s.used));
    vk_list_add(c, &b, bytes_value(c, s.used_max));
    vk_list_add(c, &all, vk_list_end(c, &b, VK_NIL));
  }
  return vk_list_end(c, &all, VK_NIL);
}
