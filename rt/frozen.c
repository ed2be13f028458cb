/* frozen.c - `freeze`, and the memory of segments (contract: frozen.h).
 *
 * A value is marked in place, so that it changes no more whoever else has it, and if it is large a
 * copy of it becomes a segment, which is the result: nobody can tell the two apart. */
#include "frozen.h"
#include "fns.h"
#include "heap_impl.h"
#include "maps.h"
#include "parcel_impl.h"
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ---- units -------------------------------------------------------------------------------- */

enum { UNITS_MIN = 1 << 10, UNITS_MAX = 1 << 20 };
#define NO_UNIT SIZE_MAX

static struct {
  pthread_mutex_t lock;
  bool is_tried;
  size_t unit_count, next; /* next: where to look first */
  uint64_t *taken;         /* a bit per unit */
  uint32_t *starts;        /* per unit taken: the first one of its segment */
} units = {.lock = PTHREAD_MUTEX_INITIALIZER};

static char *unit_address(size_t unit) {
  return (char *)vk_frozen_range.base + (unit << VK_SEGMENT_SHIFT);
}

/* As many addresses as the machine has memory; fewer where the system is short of them. */
static void reserve(void) {
  size_t count = vk_machine_memory() >> VK_SEGMENT_SHIFT;
  if (count > UNITS_MAX) count = UNITS_MAX;
  units.is_tried = true;
  for (; count >= UNITS_MIN; count /= 2) {
    count &= ~(size_t)63;
    size_t bytes = count << VK_SEGMENT_SHIFT;
    char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) continue;
    units.taken = calloc(count / 64, sizeof *units.taken);
    units.starts = calloc(count, sizeof *units.starts);
    if (!units.taken || !units.starts) {
      munmap(p, bytes);
      return;
    }
    units.unit_count = count;
    vk_frozen_range.base = (uintptr_t)p;
    vk_frozen_range.bytes = bytes;
    return;
  }
}

/* The first of `count` free units in a row in [from, to). */
static size_t find_units(size_t count, size_t from, size_t to) {
  size_t run = 0;
  for (size_t i = from; i < to; i++) {
    if (i % 64 == 0 && !~units.taken[i / 64] && to - i >= 64) {
      i += 63;
      run = 0;
      continue;
    }
    run = bit_get(units.taken, i) ? 0 : run + 1;
    if (run == count) return i + 1 - count;
  }
  return NO_UNIT;
}

static size_t take_units(size_t count) {
  pthread_mutex_lock(&units.lock);
  if (!units.is_tried) reserve();
  size_t first = find_units(count, units.next, units.unit_count);
  if (first == NO_UNIT) first = find_units(count, 0, units.unit_count);
  if (first != NO_UNIT) {
    bits_fill(units.taken, first, first + count, true);
    for (size_t i = 0; i < count; i++) units.starts[first + i] = (uint32_t)first;
    units.next = first + count;
  }
  pthread_mutex_unlock(&units.lock);
  return first;
}

/* The pages go back to the system before anybody can take the units. */
static void give_units(size_t first, size_t count) {
  madvise(unit_address(first), count << VK_SEGMENT_SHIFT, MADV_DONTNEED);
  pthread_mutex_lock(&units.lock);
  bits_fill(units.taken, first, first + count, false);
  if (first < units.next) units.next = first;
  pthread_mutex_unlock(&units.lock);
}

/* ---- segments ----------------------------------------------------------------------------- */

/* With the segments that only it kept: a list, as a chain of them may be long. */
static void segment_free(VkSegment *s) {
  s->next = NULL;
  while (s) {
    VkSegment *rest = s->next;
    for (size_t i = 0; i < s->ref_count; i++) {
      VkSegment *r = s->refs[i];
      if (atomic_fetch_sub_explicit(&r->count, 1, memory_order_acq_rel) != 1) continue;
      r->next = rest;
      rest = r;
    }
    free(s->refs);
    give_units(vk_frozen_unit((uintptr_t)s), s->units);
    s = rest;
  }
}

VkSegment *vk_segment_new(size_t bytes) {
  if (bytes > SIZE_MAX / 2) return NULL;
  size_t count = (bytes + VK_SEGMENT_HEADER_BYTES + VK_SEGMENT_UNIT - 1) >> VK_SEGMENT_SHIFT;
  size_t first = count <= UNITS_MAX ? take_units(count) : NO_UNIT;
  if (first == NO_UNIT) return NULL;
  VkSegment *s = (VkSegment *)unit_address(first);
  *s = (VkSegment){.count = 1, .units = (uint32_t)count, .bytes = bytes, .free = segment_free};
  return s;
}

VkSegment *vk_segment_of(V v) {
  size_t unit = vk_frozen_unit(v);
  assert(unit < units.unit_count);
  return (VkSegment *)unit_address(units.starts[unit]);
}

/* ---- from a parcel to a segment ------------------------------------------------------------ */

/* Addresses of what is copied to data: pairs first, then objects. */
static V relocate(const VkParcel *p, const char *data, V v) {
  if (!parcel_is_local(v)) return v;
  const char *area = (v & 7) == VK_TAG_PAIR ? data : data + p->pairs.used;
  return (V)(uintptr_t)(area + parcel_offset(v)) + (v & 7);
}

static void relocate_all(VkParcel *p, const char *data) {
  V *pair = (V *)p->pairs.bytes, *end = (V *)(p->pairs.bytes + p->pairs.used);
  for (; pair < end; pair++) *pair = relocate(p, data, *pair);
  for (size_t at = 0; at < p->objects.used;) {
    V *object = (V *)(p->objects.bytes + at), *first, *last;
    heap_fields(object, &first, &last);
    for (; first < last; first++) *first = relocate(p, data, *first);
    at += parcel_object_bytes(object);
  }
}

/* The value in a segment that c holds; VK_UNBOUND if there is no memory for it. */
static V to_segment(vk *c, VkParcel *p) {
  VkHeap *h = c->heap;
  size_t bytes = vk_parcel_bytes(p);
  heap_prepare(h);
  if (h->segment_bytes + bytes > (size_t)h->limit_blocks * BLOCK_BYTES) return VK_UNBOUND;
  VkSegment *s = vk_segment_new(bytes);
  if (!s) return VK_UNBOUND;
  char *data = vk_segment_data(s);
  V root = relocate(p, data, p->root);
  relocate_all(p, data);
  if (p->pairs.used) memcpy(data, p->pairs.bytes, p->pairs.used);
  if (p->objects.used) memcpy(data + p->pairs.used, p->objects.bytes, p->objects.used);
  s->refs = p->segments;
  s->ref_count = p->segment_count;
  p->segments = NULL;
  p->segment_count = 0;
  vk_frozen_hold(c, s);
  return root;
}

/* ---- freezing ------------------------------------------------------------------------------ */

V vk_freeze_value(vk *c, V v) {
  if (!parcel_is_reference(v) || VK_IS_ABN(v)) return v;
  ParcelRefusal r;
  VkParcel *p = parcel_pack(c, &v, 1, PARCEL_FREEZE, &r);
  if (!p && r.value == VK_NIL) return vk_out_of_memory(c, 0);
  if (!p) return parcel_refusal_error(c, v, r.value, PARCEL_FREEZE);
  if (parcel_is_local(p->root)) vk_freeze(v);
  V frozen = VK_UNBOUND;
  if (!r.must_stay && vk_parcel_bytes(p) >= VK_SEGMENT_BYTES_MIN) frozen = to_segment(c, p);
  vk_parcel_free(p);
  return frozen == VK_UNBOUND ? v : frozen;
}

V vk_freeze_p(vk *c, V v) { return vk_freeze_value(c, v); }
