/* mem_picture.c - (mem/stats): memory as text for a terminal of 80 columns.
 *
 *   heap     [########............]   12.1 MiB of   30.5 MiB in use; limit 20.9 GiB
 *   class    bytes    blocks     cells      used */
#include "fns.h"
#include "heap_impl.h"
#include "scratch.h"
#include "slab.h"
#include "strings.h"
#include <math.h>

enum { BAR_WIDTH = 24 };

typedef struct SizeText {
  char text[16];
} SizeText;

static SizeText size_text(uint64_t bytes) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  SizeText s;
  double n = (double)bytes;
  unsigned u = 0;
  for (; n >= 1024 && u < 4; u++) n /= 1024;
  snprintf(s.text, sizeof s.text, u ? "%.1f %s" : "%.0f %s", n, units[u]);
  return s;
}

static void put_bar(VkBuf *b, double part) {
  int filled = (int)ceil((part > 1 ? 1 : part) * BAR_WIDTH);
  vk_buf_putc(b, '[');
  vk_buf_fill(b, '#', (size_t)filled);
  vk_buf_fill(b, '.', (size_t)(BAR_WIDTH - filled));
  vk_buf_putc(b, ']');
}

/* name [####....] 1.2 MiB of 4.0 MiB */
static void put_tier(VkBuf *b, const char *name, uint64_t used, uint64_t of) {
  vk_buf_putf(b, "%-10s ", name);
  put_bar(b, of ? (double)used / (double)of : 0);
  vk_buf_putf(b, " %10s of %10s", size_text(used).text, size_text(of).text);
}

static void put_heap(vk *c, VkBuf *b) {
  VkHeap *h = c->heap;
  heap_prepare(h);
  uint64_t used = (uint64_t)h->used_blocks * BLOCK_BYTES;
  put_tier(b, "heap", vk_heap_used(c), used);
  vk_buf_putf(b, " in blocks, at most %s\n", size_text(h->stats.used_bytes_max).text);
  put_tier(b, "limit", used, (uint64_t)h->limit_blocks * BLOCK_BYTES);
  vk_buf_put_z(b, " allowed\n");
  put_tier(b, "nursery", (uint64_t)((int64_t)h->cycle_bytes - h->budget), h->cycle_bytes);
  vk_buf_put_z(b,
               h->phase == HEAP_MARKING ? " to the next slice\n" : " to the next collection\n");
  put_tier(b, "scratch", vk_scratch_used(c), vk_arena_limit(c));
  vk_buf_putf(b, " a fiber, at most %s\n", size_text(c->fiber->scratch_bytes_max).text);
}

static void put_slabs(VkBuf *b) {
  for (VkSlab *slab = NULL; (slab = vk_slab_next(slab));) {
    VkSlabStats s = vk_slab_stats(slab);
    vk_buf_putf(b, "%-10s ", s.name);
    put_bar(b, (double)s.used / (double)s.slot_count);
    vk_buf_putf(b, " %10zu of %10zu slots of %s, at most %zu\n", s.used, s.slot_count,
                size_text(s.slot_bytes).text, s.used_max);
  }
}

typedef struct ClassUse {
  uint64_t blocks, cells, bytes;
} ClassUse;

/* Cells in use as of the last sweep of each block. */
static void put_classes(const VkHeap *h, VkBuf *b) {
  ClassUse use[CLASS_COUNT] = {{0}}, large = {0};
  for (uint32_t i = 0; i < h->frontier; i++) {
    const Block *block = &h->blocks[i];
    if (block->kind == BLOCK_LARGE) {
      large.blocks += block->count;
      large.cells++;
      large.bytes += block->bytes;
    } else if (block->kind == BLOCK_PAIRS || block->kind == BLOCK_CELLS) {
      use[block->klass].blocks++;
      use[block->klass].cells += block->used_cells;
    }
  }
  vk_buf_putf(b, "\n%-10s %24s  %9s %12s\n", "cells of", "full when last swept", "blocks",
              "objects");
  for (unsigned k = 0; k < CLASS_COUNT; k++) {
    if (!use[k].blocks) continue;
    const SizeClass *s = &h->classes[k];
    if (k == CLASS_PAIRS)
      vk_buf_putf(b, "%-10s ", "pairs");
    else
      vk_buf_putf(b, "%-10s ", size_text(s->cell_bytes).text);
    put_bar(b, (double)use[k].cells / (double)(use[k].blocks * s->cell_count));
    vk_buf_putf(b, " %9llu %12llu\n", (unsigned long long)use[k].blocks,
                (unsigned long long)use[k].cells);
  }
  if (!large.blocks) return;
  vk_buf_putf(b, "%-10s ", "large");
  put_bar(b, (double)large.bytes / (double)(large.blocks * BLOCK_BYTES));
  vk_buf_putf(b, " %9llu %12llu\n", (unsigned long long)large.blocks,
              (unsigned long long)large.cells);
}

static double ms(uint64_t ns) { return (double)ns / 1e6; }

static void put_pauses(const VkHeap *h, VkBuf *b) {
  const HeapStats *s = &h->stats;
  vk_buf_putf(b, "\n%-10s %8s %9s %9s %9s %11s\n", "pauses, ms", "count", "p50", "p99", "max",
              "total");
  for (unsigned e = 0; e < EVENT_COUNT; e++) {
    const PauseStats *p = &s->pauses[e];
    if (!p->count) continue;
    vk_buf_putf(b, "%-10s %8llu %9.3f %9.3f %9.3f %11.1f\n", heap_event_names[e],
                (unsigned long long)p->count, ms(heap_pause_quantile(p, 0.5)),
                ms(heap_pause_quantile(p, 0.99)), ms(p->max_ns), ms(p->total_ns));
  }
  uint64_t count = s->all_pauses.count, first = count > PAUSES_KEPT ? count - PAUSES_KEPT : 0;
  for (uint64_t i = first; i < count; i++) {
    const Pause *p = &s->last_pauses[i % PAUSES_KEPT];
    vk_buf_putf(b, "%s%s %.3f", i == first ? "last: " : ", ", heap_event_names[p->event],
                ms(p->ns));
  }
  if (count) vk_buf_putc(b, '\n');
}

V vk_mem_stats(vk *c) {
  VkBuf b = {0};
  put_heap(c, &b);
  put_slabs(&b);
  put_classes(c->heap, &b);
  put_pauses(c->heap, &b);
  if (b.len && b.data[b.len - 1] == '\n') b.len--; /* print adds one */
  return vk_buf_string(c, &b);
}
