/* heap_roots.c - where tracing starts: registers, stack, scratch, globals, registered slots, the
 * log of old objects stored into; and finalisers, which look at what was not reached.
 *
 * Stack, scratch and the parked call are scanned conservatively: every word that points at or
 * into an allocated object keeps it. What a minor collection or full marking has scanned of scratch, each
 * 32 KiB for itself, refers to what is marked as long as it is not stored into: like old objects it
 * is not looked at again before the next full marking. */
#include "heap_impl.h"
#include "fiber_impl.h"
#include "scratch.h"
#include <assert.h>

/* ---- conservative areas ------------------------------------------------------------------- */

__attribute__((no_sanitize("address"))) static void mark_words(VkHeap *h, const char *low,
                                                               const char *high) {
  const uintptr_t *p = (const uintptr_t *)(((uintptr_t)low + 7) & ~(uintptr_t)7);
  uintptr_t base = (uintptr_t)h->base, bytes = h->committed_granules * GRANULE_BYTES;
  if (heap_sees_frozen(h))
    for (const uintptr_t *q = p; (const char *)(q + 1) <= high; q++) heap_mark_frozen(h, *q);
  for (; (const char *)(p + 1) <= high; p++)
    if (*p - base < bytes) heap_mark_word(h, *p);
}

/* Part of a chunk, each 32 KiB for itself. is_newest: values may yet come behind `high`. */
static size_t mark_windows(VkHeap *h, const char *low, const char *high, bool is_newest) {
  size_t bytes = 0;
  for (const char *end; low < high; low = end) {
    end = (const char *)((uintptr_t)low & -VK_WINDOW_BYTES) + VK_WINDOW_BYTES;
    bool grows = is_newest && end >= high;
    if (end > high) end = high;
    uint8_t *is_clean = scratch_clean_flag(low);
    if (*is_clean && h->phase == HEAP_IDLE) {
      heap_check_clean(h, low, end);
      continue;
    }
    mark_words(h, low, end);
    *is_clean = !grows;
    bytes += (size_t)(end - low);
  }
  return bytes;
}

/* A large object without values is not looked at. */
static const char *first_value(const VkScratchChunk *chunk, const char *low) {
  if (!chunk->large_bytes) return low;
  VkKind kind = VK_HDR_KIND(*(const V *)low);
  bool is_raw = kind == VK_STRING || kind == VK_RAW || kind == VK_BIGINT;
  return is_raw ? low + chunk->large_bytes : low;
}

static size_t mark_scratch(VkHeap *h, const VkFiber *f) {
  size_t bytes = 0;
  const char *low, *high;
  for (int s = 0; s < 2; s++) {
    VkScratchWalk w = {.fiber = f};
    while (vk_scratch_next(h->c, s, &w, &low, &high))
      bytes += mark_windows(h, first_value(w.chunk, low), high, w.chunk == f->scratch[s]);
  }
  return bytes;
}

static void mark_isolate(VkHeap *h) {
  vk *c = h->c;
  size_t n = c->park_n, most = VK_MAX_PARAMS + 1;
  heap_mark_word(h, c->abn);
  heap_mark_word(h, c->park_fn);
  mark_words(h, (char *)c->park_args, (char *)(c->park_args + (n < most ? n : most)));
  mark_words(h, (char *)c->xargs, (char *)(c->xargs + most));
  if (c->park_more) mark_words(h, (char *)c->park_more, (char *)(c->park_more + n));
  size_t globals = c->globals && c->program ? c->program->global_count : 0;
  for (size_t i = 0; i < globals; i++) heap_mark_value(h, c->globals[i]);
  for (size_t i = 0; i < h->roots.count; i++) heap_mark_word(h, *(V *)h->roots.items[i]);
}

/* ---- fibers: see fiber_impl.h ----------------------------------------------------------------- */

static size_t mark_fiber(VkHeap *h, const VkFiber *f, const char *stack_pointer) {
  mark_words(h, stack_pointer, f->stack_base);
  heap_mark_word(h, f->wake_value);
  heap_mark_word(h, f->task.value);
  heap_mark_word(h, f->future);
  return (size_t)(f->stack_base - stack_pointer) + mark_scratch(h, f);
}

size_t heap_scan_fiber(VkHeap *h, VkFiber *f) {
  assert(f != h->c->fiber);
  f->epoch = h->c->fibers->epoch;
  return mark_fiber(h, f, f->sp);
}

/* What they refer to is old from now on. */
void heap_clean_fibers(VkHeap *h) {
  struct VkFibers *fs = h->c->fibers;
  if (!fs) return;
  for (VkFiber *f = fs->dirty.next; f != &fs->dirty; f = f->next) f->is_dirty = false;
  fiber_list_move(&fs->dirty, &fs->clean);
}

static size_t mark_dirty_fibers(VkHeap *h) {
  struct VkFibers *fs = h->c->fibers;
  size_t bytes = 0;
  if (!fs) return 0;
  for (VkFiber *f = fs->dirty.next; f != &fs->dirty; f = f->next)
    if (f != h->c->fiber) bytes += heap_scan_fiber(h, f);
  heap_clean_fibers(h);
  return bytes;
}

/* Those that do not run are as they are at the beginning until they do. */
static void put_off_fibers(VkHeap *h) {
  struct VkFibers *fs = h->c->fibers;
  VkFiber *running = h->c->fiber;
  if (!fs) return;
  heap_clean_fibers(h);
  fiber_list_move(&fs->clean, &fs->unscanned);
  running->epoch = ++fs->epoch;
  fiber_list_remove(running);
  fiber_list_add(&fs->clean, running);
}

bool heap_has_unscanned(const VkHeap *h) {
  const struct VkFibers *fs = h->c->fibers;
  return fs && fs->unscanned.next != &fs->unscanned;
}

/* Each is on a page of its own, which is in no cache. */
enum { FIBER_COST_BYTES = 2 << 10 };

size_t heap_scan_next(VkHeap *h) {
  struct VkFibers *fs = h->c->fibers;
  VkFiber *f = fs->unscanned.next;
  fiber_list_remove(f);
  fiber_list_add(&fs->clean, f);
  return heap_scan_fiber(h, f) + FIBER_COST_BYTES;
}

/* Everything from the caller's frames on, and the rest. */
static __attribute__((noinline)) void mark_from(VkHeap *h, const char *stack_pointer) {
  h->root_bytes = mark_fiber(h, h->c->fiber, stack_pointer);
  if (h->phase == HEAP_MARKING)
    put_off_fibers(h);
  else
    h->root_bytes += mark_dirty_fibers(h);
  mark_isolate(h);
}

/* Callee-saved registers go to an array of this frame, which is scanned with the stack. Not by
 * setjmp: glibc's mangles rbp. */
__attribute__((noinline)) void heap_mark_roots(VkHeap *h) {
#if defined(__x86_64__)
  uintptr_t registers[6];
  __asm__ volatile("movq %%rbx, 0(%0)\n\tmovq %%rbp, 8(%0)\n\tmovq %%r12, 16(%0)\n\t"
                   "movq %%r13, 24(%0)\n\tmovq %%r14, 32(%0)\n\tmovq %%r15, 40(%0)"
                   :
                   : "r"(registers)
                   : "memory");
#elif defined(__aarch64__)
  uintptr_t registers[20];
  __asm__ volatile("stp x19, x20, [%0, #0]\n\tstp x21, x22, [%0, #16]\n\t"
                   "stp x23, x24, [%0, #32]\n\tstp x25, x26, [%0, #48]\n\t"
                   "stp x27, x28, [%0, #64]\n\tstr x29, [%0, #80]\n\t"
                   "stp d8, d9, [%0, #96]\n\tstp d10, d11, [%0, #112]\n\t"
                   "stp d12, d13, [%0, #128]\n\tstp d14, d15, [%0, #144]"
                   :
                   : "r"(registers)
                   : "memory");
#else
  uintptr_t registers[1];
  __builtin_unwind_init();
#endif
  mark_from(h, (const char *)registers);
  __asm__ volatile("" : : "r"(registers) : "memory"); /* no tail call: the array stays */
}

/* ---- registered slots --------------------------------------------------------------------- */

void vk_root_add(vk *c, V *slot) { words_push(&c->heap->roots, (uintptr_t)slot); }

void vk_root_remove(vk *c, V *slot) {
  WordList *l = &c->heap->roots;
  for (size_t i = l->count; i-- > 0;) {
    if (l->items[i] != (uintptr_t)slot) continue;
    l->items[i] = l->items[--l->count];
    return;
  }
}

/* ---- the log ------------------------------------------------------------------------------ */

enum { LOG_CARD = 1, LOG_LENGTH_MAX = 1 << 15 };

/* The part of an object that is logged with the granule at `low`. */
static char *logged_end(const VkHeap *h, char *low, bool is_card) {
  if (!is_card) return low + GRANULE_BYTES;
  size_t granule = heap_granule(h, (uintptr_t)low);
  char *cell = heap_cell_start(h, granule);
  char *end = cell + heap_cell_bytes(h, heap_block_of(heap_granule(h, (uintptr_t)cell)));
  char *card_end = h->base + (granule / CARD_GRANULES + 1) * CARD_BYTES;
  return card_end < end ? card_end : end;
}

static void set_logged(VkHeap *h, char *low, char *high, bool value) {
  bits_fill(h->logs, heap_granule(h, (uintptr_t)low), heap_granule(h, (uintptr_t)high), value);
}

/* A cycle that stores much should end early: the next collection goes through the log. */
static void bound_log(VkHeap *h) {
  if (h->log.count < LOG_LENGTH_MAX || h->phase == HEAP_MARKING) return;
  heap_end_cycle(h);
}

void vk_write_slow(vk *c, V *slot) {
  VkHeap *h = c->heap;
  size_t granule = heap_granule(h, (uintptr_t)slot);
  char *low = heap_address(h, granule), *cell = heap_cell_start(h, granule);
  bool is_card =
      heap_cell_bytes(h, heap_block_of(heap_granule(h, (uintptr_t)cell))) > CARD_BYTES;
  if (is_card) {
    low = h->base + granule / CARD_GRANULES * CARD_BYTES;
    if (low < cell) low = cell;
  }
  char *high = logged_end(h, low, is_card);
  if (h->phase == HEAP_MARKING) heap_mark_fields_within(h, low, high); /* as in the snapshot */
  set_logged(h, low, high, true);
  words_push(&h->log, (uintptr_t)low | (is_card ? LOG_CARD : 0));
  bound_log(h);
}

void heap_mark_logged(VkHeap *h) {
  for (size_t i = 0; i < h->log.count; i++) {
    char *low = (char *)(h->log.items[i] & ~(uintptr_t)LOG_CARD);
    heap_mark_fields_within(h, low, logged_end(h, low, h->log.items[i] & LOG_CARD));
  }
}

void heap_clear_log(VkHeap *h) {
  for (size_t i = 0; i < h->log.count; i++) {
    char *low = (char *)(h->log.items[i] & ~(uintptr_t)LOG_CARD);
    set_logged(h, low, logged_end(h, low, h->log.items[i] & LOG_CARD), false);
  }
  h->log.count = 0;
}

/* ---- finalisers --------------------------------------------------------------------------- */

void vk_finalise(vk *c, V object, void (*fn)(void *)) {
  FinaliserList *l = &c->heap->finalisers;
  if (l->count == l->capacity) {
    l->capacity = l->capacity ? 2 * l->capacity : 16;
    l->items = heap_xrealloc(l->items, l->capacity * sizeof *l->items);
  }
  l->items[l->count++] = (Finaliser){object, fn};
}

/* After tracing, before anything is swept: unreached objects are still whole. */
void heap_run_finalisers(VkHeap *h, bool young_only) {
  FinaliserList *l = &h->finalisers;
  size_t kept = young_only ? l->young : 0;
  for (size_t i = kept; i < l->count; i++) {
    Finaliser f = l->items[i];
    if (heap_is_marked(h, f.object)) {
      l->items[kept++] = f;
      continue;
    }
    f.fn(VK_OBJ(f.object));
    h->stats.finalised++;
  }
  l->count = l->young = kept;
}

void heap_run_all_finalisers(VkHeap *h) {
  FinaliserList *l = &h->finalisers;
  for (size_t i = 0; i < l->count; i++) l->items[i].fn(VK_OBJ(l->items[i].object));
  h->stats.finalised += l->count;
  l->count = l->young = 0;
}
