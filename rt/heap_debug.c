/* heap_debug.c - debug builds check every store into the heap: nothing there may point at what
 * dies before it, in scratch or on the C stack.
 *
 *   later stores    vk_write and vk_cons, as they happen
 *   first stores    of all other new objects: when the run they are in is used up, at each
 *                   collection and each reset of scratch, and when the program ends
 *   globals, roots  at each collection and reset, and at the end
 *
 * What scratch had no room for is on the heap but belongs to its region all the same: `regions`
 * has a bit for it. Such an object may point into scratch; no other may point at it, or whether a
 * program is right would depend on VALK_ARENA_SIZE. */
#include "heap_impl.h"
#ifdef VK_DEBUG
#include "scratch.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static bool is_in_heap(const VkHeap *h, uintptr_t address) {
  return h->base && heap_granule(h, address) < h->committed_granules;
}

static bool is_region_owned(const VkHeap *h, uintptr_t address) {
  return h->regions && is_in_heap(h, address) && bit_get(h->regions, heap_granule(h, address));
}

static bool is_on_stack(const VkFiber *f, uintptr_t address) {
  return f->stack_limit && address - (uintptr_t)f->stack_limit <
                               (uintptr_t)f->stack_base - (uintptr_t)f->stack_limit;
}

/* Where an object is that dies with a region or a frame; NULL for others. */
static const char *short_lived(const vk *c, uintptr_t address) {
  if (vk_scratch_owns((void *)address)) return "in scratch";
  if (is_on_stack(c->fiber, address)) return "on the stack";
  return is_region_owned(c->heap, address) ? "of scratch (it fell through to the heap)" : NULL;
}

static const char *kind_name(V v) {
  static const char *const names[VK_KIND_COUNT] = {"cell",
#define K(name) #name,
                                                   VK_KINDS(K)
#undef K
  };
  if (VK_IS_PAIR(v)) return "pair";
  unsigned kind = (unsigned)VK_HDR_KIND(*(V *)(v & ~(V)7));
  return kind < VK_KIND_COUNT ? names[kind] : "dead cell";
}

/* owner_kind: what v is stored into. */
static void check_value(const vk *c, const char *owner_kind, uintptr_t owner, V v) {
  if (!(0x62u >> (v & 7) & 1) || v == VK_MARK) return;
  const char *where = short_lived(c, v & ~(V)7);
  if (!where) return;
  fprintf(stderr, "store check: %s at %#llx, which may live longer, refers to %s at %#llx %s\n",
          owner_kind, (unsigned long long)owner, kind_name(v), (unsigned long long)(v & ~(V)7),
          where);
  abort();
}

/* owner: VK_NIL for a new pair. */
void vk_check_store(vk *c, V owner, V v) {
  uintptr_t address = owner & ~(V)7;
  if (owner == VK_NIL)
    check_value(c, "new pair", 0, v);
  else if (!short_lived(c, address))
    check_value(c, kind_name(owner), address, v);
}

/* ---- new objects -------------------------------------------------------------------------- */

static void check_cell(VkHeap *h, V *cell, bool is_pair) {
  V *first = cell, *end = cell + 2;
  if (is_region_owned(h, (uintptr_t)cell)) return;
  if (!is_pair) heap_fields(cell, &first, &end);
  const char *kind = kind_name((V)(uintptr_t)cell + (is_pair ? VK_TAG_PAIR : VK_TAG_OBJ));
  for (; first < end; first++) check_value(h->c, kind, (uintptr_t)cell, *first);
}

static void check_cells(VkHeap *h, unsigned k, const char *end) {
  char *cell = h->unchecked[k];
  for (; cell && cell < end; cell += h->classes[k].cell_bytes)
    check_cell(h, (V *)cell, k == CLASS_PAIRS);
  h->unchecked[k] = cell;
}

void heap_debug_run_begins(VkHeap *h, SizeClass *s, char *start, size_t bytes) {
  unsigned k = (unsigned)(s - h->classes);
  check_cells(h, k, s->run->lim);
  size_t granule = heap_granule(h, (uintptr_t)start);
  bits_fill(h->regions, granule, granule + bytes / GRANULE_BYTES, false);
  h->unchecked[k] = start;
}

void heap_debug_large(VkHeap *h, char *start) {
  bit_clear(h->regions, heap_granule(h, (uintptr_t)start));
  words_push(&h->unchecked_large, (uintptr_t)start);
}

void heap_check_stores(VkHeap *h) {
  vk *c = h->c;
  for (unsigned k = 0; k < CLASS_COUNT; k++) check_cells(h, k, h->classes[k].run->cur);
  while (h->unchecked_large.count)
    check_cell(h, (V *)h->unchecked_large.items[--h->unchecked_large.count], false);
  size_t globals = c->globals && c->program ? c->program->global_count : 0;
  for (size_t i = 0; i < globals; i++)
    check_value(c, "global", (uintptr_t)&c->globals[i], c->globals[i]);
  for (size_t i = 0; i < h->roots.count; i++)
    check_value(c, "root", h->roots.items[i], *(V *)h->roots.items[i]);
}

/* Strings may look like addresses, but hardly of a cell with the same tag. */
void heap_check_clean(VkHeap *h, const char *low, const char *high) {
  for (const V *p = (const V *)low; (const char *)p < high; p++) {
    if (!(0x62u >> (*p & 7) & 1) || heap_find(h, *p) != *p || heap_is_marked(h, *p)) continue;
    fprintf(stderr, "scratch check: %#llx was changed, to a new %s at %#llx, and not noted\n",
            (unsigned long long)(uintptr_t)p, kind_name(*p), (unsigned long long)*p);
    abort();
  }
}

void heap_debug_retired(VkHeap *h) { memset(h->unchecked, 0, sizeof h->unchecked); }

/* ---- what scratch had no room for ---------------------------------------------------------- */

void heap_debug_prepare(VkHeap *h) {
  size_t bytes = (size_t)h->max_blocks * BLOCK_GRANULES / 8;
  void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) {
    fprintf(stderr, "no address space for the store checks of a debug build\n");
    exit(1);
  }
  h->regions = p;
}

void heap_debug_free(VkHeap *h) {
  if (h->regions) munmap(h->regions, (size_t)h->max_blocks * BLOCK_GRANULES / 8);
  free(h->unchecked_large.items);
}

bool heap_debug_is_owned(const VkHeap *h, const void *p) { return is_region_owned(h, (uintptr_t)p); }

void heap_debug_own(VkHeap *h, const void *p) {
  bit_set(h->regions, heap_granule(h, (uintptr_t)p));
}
#endif
