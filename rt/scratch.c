/* scratch.c - chunks of the bump stacks (contract: scratch.h). */
#include "scratch.h"
#include "fiber_impl.h"
#include "heap_impl.h"
#include "numbers.h"
#include "poison.h"
#include "strings.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *chunk_data(VkScratchChunk *chunk) { return (char *)(chunk + 1); }
static char *chunk_end(VkScratchChunk *chunk) { return (char *)chunk + chunk->bytes; }

/* ---- growing ------------------------------------------------------------------------------ */

static size_t chunk_count(const VkFiber *f) {
  return (size_t)f->scratch_chunks[0] + f->scratch_chunks[1];
}

/* Whether stack s may have so much more: the fiber as a whole, and s three quarters. The last quarter is for the
 * other stack: what is kept for long on one would else leave no room for what is given back all the time. */
static bool may_have(const vk *c, int s, size_t bytes) {
  size_t arena = c->heap->arena_bytes, own = c->fiber->scratch_chunks[s] * VK_WINDOW_BYTES;
  if (chunk_count(c->fiber) * VK_WINDOW_BYTES + bytes > arena) return false;
  return (!own && bytes == VK_WINDOW_BYTES) || own + bytes <= arena / 4 * 3;
}

static void note_full(vk *c) {
  for (int s = 0; s < 2; s++) c->fiber->scratch_is_full[s] = !may_have(c, s, VK_WINDOW_BYTES);
}

static void put_on_top(vk *c, int s, VkScratchChunk *chunk, size_t bytes, size_t large_bytes) {
  VkFiber *f = c->fiber;
  if (!c->barrier.scratch_bytes) scratch_note_addresses(&c->barrier);
  memset(scratch_clean_flag(chunk), 0, bytes >> VK_SCRATCH_SHIFT);
  vk_unpoison(chunk, sizeof *chunk); /* something else may have been there */
  *chunk = (VkScratchChunk){f->scratch[s], NULL, bytes, large_bytes};
  if (chunk->previous) chunk->previous->top = c->scratch[s].cur;
  f->scratch[s] = chunk;
  f->scratch_chunks[s] += (unsigned)(bytes >> VK_SCRATCH_SHIFT);
  c->scratch[s].cur = chunk_data(chunk);
  c->scratch[s].lim = chunk_end(chunk);
  vk_poison(chunk_data(chunk), (size_t)(chunk_end(chunk) - chunk_data(chunk)));
  note_full(c);
  size_t all = chunk_count(f) * VK_WINDOW_BYTES;
  if (all > f->scratch_bytes_max) f->scratch_bytes_max = all;
}

/* A new chunk on top of stack s, unless the fiber has all it may have. */
static bool push_chunk(vk *c, int s) {
  VkFiber *f = c->fiber;
  if (f->spill[s].is_on || f->scratch_is_full[s]) return false;
  if (!may_have(c, s, VK_WINDOW_BYTES)) { /* not known yet: there is no chunk */
    note_full(c);
    return false;
  }
  VkScratchChunk *chunk = scratch_take_chunk(c->heap->arena_bytes);
  if (!chunk) return false;
  put_on_top(c, s, chunk, VK_WINDOW_BYTES, 0);
  return true;
}

/* One with room for a large object, which is to be the first in it. */
static bool push_large(vk *c, int s, size_t object_bytes) {
  VkFiber *f = c->fiber;
  if (object_bytes > c->heap->arena_bytes) return false;
  size_t bytes = (sizeof(VkScratchChunk) + object_bytes + VK_WINDOW_BYTES - 1) & -VK_WINDOW_BYTES;
  if (f->spill[s].is_on || !may_have(c, s, bytes)) return false;
  VkScratchChunk *chunk = bytes == VK_WINDOW_BYTES ? scratch_take_chunk(c->heap->arena_bytes)
                                                   : scratch_take_large(&f->area[s], bytes, c->heap->arena_bytes);
  if (!chunk) return false;
  put_on_top(c, s, chunk, bytes, object_bytes);
  return true;
}

static bool push_for(vk *c, int s, size_t bytes) {
  return bytes <= VK_SCRATCH_BYTES_MAX ? push_chunk(c, s) : push_large(c, s, bytes);
}

/* ---- spilling ----------------------------------------------------------------------------- */

/* The cells of a spill that no pair is in, or only pairs of what was reset. */
static void end_spill(vk *c, VkFiber *f, int s) {
  VkSpill *spill = &f->spill[s];
  VkScratch *stack = f == c->fiber ? &c->scratch[s] : &f->scratch_saved[s];
  if (spill->start == spill->lim) return;
  heap_give_pairs(c->heap, spill->is_on ? stack->cur : spill->start, spill->lim);
  spill->start = spill->lim = (char *)spill; /* an address that is no cell's and in no chunk */
  if (spill->is_on) *stack = (VkScratch){spill->start, spill->lim};
}

size_t vk_scratch_spill_room(const vk *c) {
  size_t bytes = 0;
  for (int s = 0; s < 2; s++) {
    const VkSpill *spill = &c->fiber->spill[s];
    bytes += (size_t)(spill->lim - (spill->is_on ? c->scratch[s].cur : spill->start));
  }
  return bytes;
}

void vk_scratch_end_spills(vk *c) {
  struct VkFibers *fs = c->fibers;
  for (int s = 0; s < 2; s++) end_spill(c, c->fiber, s);
  if (!fs) return;
  /* Others have cells of this cycle only if they ran in it. */
  for (VkFiber *f = fs->dirty.next; f != &fs->dirty; f = f->next)
    for (int s = 0; s < 2; s++) end_spill(c, f, s);
}

/* Goes on in cells of the heap, unless there is no free block: may collect. */
static bool begin_spill(vk *c, int s) {
#ifdef VK_DEBUG
  return (void)c, (void)s, false;
#else
  VkSpill *spill = &c->fiber->spill[s];
  VkScratchChunk *newest = c->fiber->scratch[s];
  VkRun cells = {spill->start, spill->lim};
  if ((spill->is_on || cells.cur == cells.lim) && !heap_take_pairs(c->heap, &cells)) return false;
  if (!spill->is_on && newest) newest->top = c->scratch[s].cur;
  spill->is_on = true;
  spill->start = cells.cur;
  spill->lim = cells.lim;
  c->scratch[s] = cells;
  return true;
#endif
}

/* The newest chunk, full as it is, is where the stack ends. */
static void stop_spilling(vk *c, int s) {
  VkScratchChunk *newest = c->fiber->scratch[s];
  c->scratch[s] = newest ? (VkScratch){newest->top, chunk_end(newest)} : (VkScratch){0};
  c->fiber->spill[s].is_on = false;
}

/* Whether the mark is in a chunk, below all that was spilled. */
static bool leave_spill(vk *c, int s, char *mark) {
  VkSpill *spill = &c->fiber->spill[s];
  VkScratchChunk *newest = c->fiber->scratch[s];
  char *cur = c->scratch[s].cur, *top = newest ? newest->top : NULL;
  bool is_in_chunk = !mark || vk_scratch_owns(mark - 1);
  if (is_in_chunk && mark != top) {
    stop_spilling(c, s);
    return true;
  }
  if (is_in_chunk || mark < spill->start || mark > cur) mark = spill->start;
  vk_poison(mark, (size_t)(cur - mark));
  c->scratch[s].cur = mark;
  return false;
}

/* ---- where a chunk has no room ------------------------------------------------------------ */

/* Falls through to the heap. */
V vk_scratch_cons_slow(vk *c, int s, V head, V tail) {
  if (push_chunk(c, s) || begin_spill(c, s)) return vk_scratch_cons(c, s, head, tail);
  V pair = vk_heap_cons(c, VK_NIL, VK_NIL);
  heap_debug_own(c->heap, VK_PAIR(pair));
  *VK_PAIR(pair) = (VkPair){head, tail};
  return pair;
}

void *vk_scratch_new_slow(vk *c, int s, size_t bytes) {
  if (push_for(c, s, (bytes + 15) & ~(size_t)15)) return vk_scratch_new(c, s, bytes);
  void *p = vk_heap_object(c, bytes);
  heap_debug_own(c->heap, p);
  return p;
}

/* ---- where a value goes ------------------------------------------------------------------- */

V vk_cons_slow_on(vk *c, unsigned where, V head, V tail) {
  if (VK_LIKELY(where == VK_ON_HEAP)) return vk_heap_cons(c, head, tail);
  return vk_scratch_cons_slow(c, (int)where - 1, head, tail);
}
V vk_cons_placed_slow(vk *c, V head, V tail) {
  return c->where == VK_ON_HEAP ? vk_heap_cons(c, head, tail) : vk_cons_on(c, c->where, head, tail);
}

V vk_list_slow(vk *c, unsigned where, size_t n, V a, V b, V d, V e) {
  const V items[] = {a, b, d, e};
  V list = VK_NIL;
  while (n-- > 0)
    list = where == VK_ON_HEAP ? vk_heap_cons(c, items[n], list) : vk_cons_on(c, where, items[n], list);
  return list;
}

static void *new_on(vk *c, unsigned where, size_t bytes) {
  if (where == VK_ON_HEAP) return vk_heap_object(c, bytes);
  return vk_scratch_new(c, (int)where - 1, bytes);
}
/* A debug build notes what belongs to a region, and so has to be asked each time. */
static void note_no_room(vk *c) {
#ifndef VK_DEBUG
  c->full |= c->where;
#else
  (void)c;
#endif
}

/* NULL: it has no room. Not zeroed. */
static char *take_placed(vk *c, size_t rounded) {
  int s = (int)c->where - 1;
  VkScratch *stack = &c->scratch[s];
  bool has_room = (size_t)(stack->lim - stack->cur) >= rounded && !vk_scratch_spills(c, s);
  if (!has_room && !push_for(c, s, rounded)) {
    if (rounded <= VK_SCRATCH_BYTES_MAX) note_no_room(c);
    return NULL;
  }
  char *p = stack->cur;
  stack->cur = p + rounded;
  vk_unpoison(p, rounded);
  return p;
}

static void clear(char *p, size_t bytes) {
  if (bytes > VK_SCRATCH_BYTES_MAX / 8) {
    memset(p, 0, bytes);
    return;
  }
  for (uint64_t *w = (uint64_t *)p, *end = w + bytes / 8; w < end; w += 2) w[0] = w[1] = 0;
}

void *vk_new_placed(vk *c, size_t bytes) {
  size_t rounded = (bytes + 15) & ~(size_t)15;
  char *p = take_placed(c, rounded);
  if (!p) {
    p = vk_heap_object(c, bytes);
    heap_debug_own(c->heap, p);
  } else {
    clear(p, rounded);
  }
  return p;
}

bool vk_extend_placed(vk *c, void *object, size_t bytes, size_t wanted) {
  if (c->where == VK_ON_HEAP || wanted > VK_SCRATCH_BYTES_MAX) return false;
  int s = (int)c->where - 1;
  VkScratch *stack = &c->scratch[s];
  size_t old = (bytes + 15) & ~(size_t)15, more = ((wanted + 15) & ~(size_t)15) - old;
  if ((char *)object + old != stack->cur || vk_scratch_spills(c, s)) return false;
  if ((size_t)(stack->lim - stack->cur) < more) return false;
  vk_unpoison(stack->cur, more);
  clear(stack->cur, more);
  stack->cur += more;
  return true;
}

void *vk_try_new_placed(vk *c, size_t bytes, bool is_zeroed) {
  if (c->where == VK_ON_HEAP || bytes > c->heap->arena_bytes) return vk_try_new(c, bytes);
  size_t rounded = (bytes + 15) & ~(size_t)15;
  char *p = take_placed(c, rounded);
  if (!p) {
    p = vk_try_new(c, bytes);
    if (p) heap_debug_own(c->heap, p);
  } else if (is_zeroed) {
    clear(p, rounded);
  }
  return p;
}

V vk_closure_on(vk *c, unsigned where, const VkFn *fn, unsigned arity, size_t captured) {
  VkClosure *p = new_on(c, where, sizeof *p + captured * sizeof(V));
  p->hdr = VK_HDR(VK_CLOSURE, arity, captured);
  p->code = fn->code;
  p->fn = fn;
  return VK_FROM_OBJ(p);
}

V vk_box_on(vk *c, unsigned where, V value) {
  VkBox *p = new_on(c, where, sizeof *p);
  p->hdr = VK_HDR(VK_BOX, 0, 0);
  p->value = value;
  return VK_FROM_OBJ(p);
}

/* ---- reset -------------------------------------------------------------------------------- */

static void pop_chunk(vk *c, int s) {
  VkFiber *f = c->fiber;
  VkScratchChunk *chunk = f->scratch[s], *previous = chunk->previous;
  vk_poison(chunk_data(chunk), (size_t)(c->scratch[s].cur - chunk_data(chunk)));
  f->scratch[s] = previous;
  f->scratch_chunks[s] -= (unsigned)(chunk->bytes >> VK_SCRATCH_SHIFT);
  note_full(c);
  if (previous) *scratch_clean_flag(previous->top - 1) = 0; /* the newest grows */
  c->scratch[s].cur = previous ? previous->top : NULL;
  c->scratch[s].lim = previous ? chunk_end(previous) : NULL;
  if (chunk->bytes == VK_WINDOW_BYTES)
    scratch_give_chunk(chunk);
  else
    scratch_give_large(&f->area[s], chunk);
}

char *vk_first_mark(vk *c, unsigned where) {
  push_chunk(c, (int)where - 1);
  return vk_mark(c, where);
}

static bool is_mark_in(const VkScratchChunk *chunk, const char *mark) {
  return (uintptr_t)mark - 1 - (uintptr_t)chunk < chunk->bytes;
}

/* A mark of NULL was taken before the first chunk: that one is kept, empty, unless it is for a large object. */
void vk_scratch_reset_slow(vk *c, int s, char *mark) {
  VkFiber *f = c->fiber;
  c->full = 0;
  if (f->spill[s].is_on && !leave_spill(c, s, mark)) return;
  heap_check_stores(c->heap);
  for (VkScratchChunk *chunk; (chunk = f->scratch[s]) && !is_mark_in(chunk, mark); pop_chunk(c, s))
    if (!chunk->previous && !chunk->large_bytes) break;
  if (!f->scratch[s]) return;
  if (!mark) mark = chunk_data(f->scratch[s]);
  vk_poison(mark, (size_t)(c->scratch[s].cur - mark));
  c->scratch[s].cur = mark;
}

void vk_scratch_free(vk *c) {
  VkFiber *f = c->fiber;
  for (int s = 0; s < 2; s++) {
    end_spill(c, f, s);
    if (f->spill[s].is_on) stop_spilling(c, s);
    while (f->scratch[s]) pop_chunk(c, s);
    f->spill[s] = (VkSpill){0};
    f->scratch_is_full[s] = false;
  }
}

bool vk_is_temporary(const vk *c, V v) {
  const void *address = (const void *)(v & ~(V)7);
  return 0x62u >> (v & 7) & 1 && (vk_scratch_owns(address) || heap_debug_is_owned(c->heap, address));
}

#ifdef VK_DEBUG
void vk_note_part(vk *c, V whole, V part) {
  const void *address = (const void *)(part & ~(V)7);
  if (part != VK_NIL && vk_is_temporary(c, whole) && !vk_is_temporary(c, part)) heap_debug_own(c->heap, address);
}
#endif

V vk_keep_string(vk *c, V v) {
  if (!VK_IS_KIND(v, VK_STRING) || !vk_is_temporary(c, v)) return v;
  unsigned where = c->where;
  c->where = VK_ON_HEAP;
  v = vk_string(c, VK_STR(v)->bytes, VK_STR(v)->len);
  c->where = where;
  return v;
}

V vk_string_apart(vk *c, V s) {
  return vk_is_temporary(c, s) ? vk_string(c, VK_STR(s)->bytes, VK_STR(s)->len) : s;
}

/* ---- numbers ------------------------------------------------------------------------------ */

/* What makes a large one takes longer than collecting it. On the heap a number belongs to no region: it
 * holds nothing, and who must keep it copies it if it is in scratch. */
void *vk_number_room(vk *c, size_t bytes) {
  if (VK_LIKELY(c->number_where == VK_ON_HEAP) || bytes > VK_SCRATCH_BYTES_MAX) return vk_heap_object(c, bytes);
  size_t rounded = (bytes + 15) & ~(size_t)15;
  unsigned where = c->where;
  c->where = c->number_where;
  char *p = take_placed(c, rounded);
  c->where = where;
  if (!p) return vk_heap_object(c, bytes);
  clear(p, rounded);
  return p;
}

enum { MUCH_BYTES = VK_SCRATCH_CHUNK_BYTES / 8 * 3 };

static size_t number_bytes(V v) {
  if (VK_IS_KIND(v, VK_FLOAT)) return sizeof(VkFloat);
  size_t bytes = sizeof(VkBigint) + VK_HDR_COUNT(*VK_OBJ(v)) * sizeof(uint64_t);
  return (bytes + 15) & ~(size_t)15;
}

static bool is_boxed_number(V v) { return VK_IS_KIND(v, VK_BIGINT) || VK_IS_KIND(v, VK_FLOAT); }

static V copy_to_heap(vk *c, V number) {
  size_t bytes = number_bytes(number);
  void *p = vk_heap_object(c, bytes);
  memcpy(p, VK_OBJ(number), bytes);
  return VK_FROM_OBJ(p);
}

V vk_number_out_slow(vk *c, V v) {
  return is_boxed_number(v) && vk_scratch_owns(VK_OBJ(v)) ? copy_to_heap(c, v) : v;
}

/* Which of kept are numbers from `start` on, by address, each once; in all their bytes. */
static size_t find_numbers(size_t count, const V *kept, const char *start, const char *end, V *found, size_t *bytes) {
  size_t n = 0;
  *bytes = 0;
  for (size_t i = 0; i < count; i++) {
    V v = kept[i];
    if (!is_boxed_number(v) || (char *)VK_OBJ(v) < start || (char *)VK_OBJ(v) >= end) continue;
    size_t at = n;
    while (at > 0 && found[at - 1] > v) at--;
    if (at > 0 && found[at - 1] == v) continue;
    memmove(&found[at + 1], &found[at], (n - at) * sizeof *found);
    found[at] = v;
    n++;
    *bytes += number_bytes(v);
  }
  return n;
}

static void replace(size_t count, V *kept, V old, V new) {
  for (size_t i = 0; i < count; i++)
    if (kept[i] == old) kept[i] = new;
}

/* In the newest chunk: what numbers in those before it take is given back with them. If it is much that
 * stays, moving it again and again would cost more than the heap. */
char *vk_keep_numbers(vk *c, unsigned where, char *mark, size_t count, V *kept) {
  int s = (int)where - 1;
  VkScratchChunk *chunk = c->fiber->scratch[s];
  if (!chunk || vk_scratch_spills(c, s)) return c->scratch[s].cur;
  heap_check_stores(c->heap);
  char *end = c->scratch[s].cur, *start = chunk_data(chunk), *to;
  if (mark > start && mark <= end) start = mark;
  size_t bytes;
  V found[count + 1];
  size_t n = find_numbers(count, kept, start, end, found, &bytes);
  bool is_much = bytes > MUCH_BYTES;
  to = start;
  for (size_t i = 0; i < n; i++) {
    size_t size = number_bytes(found[i]);
    V moved = is_much ? copy_to_heap(c, found[i]) : VK_FROM_OBJ(to);
    if (!is_much) memmove(to, VK_OBJ(found[i]), size);
    replace(count, kept, found[i], moved);
    if (!is_much) to += size;
  }
  vk_poison(to, (size_t)(end - to));
  return c->scratch[s].cur = to;
}

/* ---- looking ------------------------------------------------------------------------------ */

bool vk_scratch_next(vk *c, int s, VkScratchWalk *w, const char **low, const char **high) {
  bool is_newest = !w->is_started, is_running = w->fiber == c->fiber;
  w->chunk = is_newest ? w->fiber->scratch[s] : w->chunk->previous;
  w->is_started = true;
  if (!w->chunk) return false;
  *low = chunk_data(w->chunk);
  const VkScratch *top = is_running ? &c->scratch[s] : &w->fiber->scratch_saved[s];
  *high = is_newest && !w->fiber->spill[s].is_on ? top->cur : w->chunk->top;
  return true;
}

size_t vk_scratch_used(vk *c) {
  size_t bytes = 0;
  const char *low, *high;
  for (int s = 0; s < 2; s++) {
    VkScratchWalk w = {.fiber = c->fiber};
    while (vk_scratch_next(c, s, &w, &low, &high)) bytes += (size_t)(high - low);
  }
  return bytes;
}

bool scratch_is_valid(vk *c) {
  size_t count = 0;
  for (int s = 0; s < 2; s++) {
    VkScratchWalk w = {.fiber = c->fiber};
    const char *low, *high;
    for (; vk_scratch_next(c, s, &w, &low, &high); count += w.chunk->bytes >> VK_SCRATCH_SHIFT) {
      if (!vk_scratch_owns(w.chunk)) return false;
      if (high < low || high > chunk_end(w.chunk)) return false;
    }
    VkScratchChunk *newest = c->fiber->scratch[s];
    const VkSpill *spill = &c->fiber->spill[s];
    if (c->scratch[s].lim != (spill->is_on ? spill->lim : newest ? chunk_end(newest) : NULL)) return false;
  }
  return count == chunk_count(c->fiber);
}
