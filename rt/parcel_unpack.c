/* parcel_unpack.c - from a parcel to values of a heap (contract: parcel.h).
 *
 * Two passes, in which nothing is collected: everything is allocated, with references as the parcel
 * says them, and the first word of each object in the parcel becomes its new value; then all
 * references are replaced. */
#include "parcel_impl.h"
#include "heap_impl.h"
#include "maps.h"
#include <stdlib.h>
#include <string.h>

typedef struct Unpacker {
  vk *c;
  const VkParcel *p; /* its areas are changed */
  size_t first;      /* objects before are not made: the table of globals */
} Unpacker;

static inline V resolve(const Unpacker *u, V v) {
  return parcel_is_local(v) ? *parcel_object(u->p, v) : v;
}

/* ---- making ------------------------------------------------------------------------------- */

static V make_object(const Unpacker *u, const V *from, size_t bytes) {
  if (VK_HDR_KIND(*from) == VK_HANDLE) {
    const ParcelShared *s = &u->p->shared[from[2]];
    s->class->retain(s->object);
    return s->class->adopt(u->c, s->object);
  }
  bool is_error = VK_HDR_KIND(*from) == VK_ERROR;
  V *to = vk_heap_object(u->c, bytes);
  memcpy(to, from, bytes);
  return is_error ? VK_FROM_ERR(to) : VK_FROM_OBJ(to);
}

static void make_all(const Unpacker *u) {
  const ParcelArea *pairs = &u->p->pairs, *objects = &u->p->objects;
  for (size_t at = 0; at < pairs->used; at += sizeof(VkPair)) {
    VkPair *from = (VkPair *)(pairs->bytes + at);
    from->head = vk_heap_cons(u->c, from->head, from->tail);
  }
  for (size_t at = u->first, bytes; at < objects->used; at += bytes) {
    V *from = (V *)(objects->bytes + at);
    bytes = parcel_object_bytes(from);
    *from = make_object(u, from, bytes);
  }
}

/* ---- references --------------------------------------------------------------------------- */

static void resolve_object(const Unpacker *u, V *object) {
  V *first, *end;
  heap_fields(object, &first, &end);
  for (; first < end; first++) *first = resolve(u, *first);
}

static void resolve_all(const Unpacker *u) {
  const ParcelArea *pairs = &u->p->pairs, *objects = &u->p->objects;
  for (size_t at = 0; at < pairs->used; at += sizeof(VkPair)) {
    VkPair *made = VK_PAIR(*(V *)(pairs->bytes + at));
    made->head = resolve(u, made->head);
    made->tail = resolve(u, made->tail);
  }
  for (size_t at = u->first, bytes; at < objects->used; at += bytes) {
    V *made = (V *)(*(V *)(objects->bytes + at) & ~(V)7);
    bytes = parcel_object_bytes(made);
    if (VK_HDR_KIND(*made) != VK_HANDLE) resolve_object(u, made);
  }
}

/* When all keys are whole. */
static void reindex_maps(const Unpacker *u) {
  const ParcelArea *objects = &u->p->objects;
  for (size_t at = u->first, bytes; at < objects->used; at += bytes) {
    V v = *(V *)(objects->bytes + at);
    bytes = parcel_object_bytes((V *)(v & ~(V)7));
    if (VK_IS_MAP(v) && VK_MAPP(v)->last == PARCEL_REINDEX) {
      VK_MAPP(v)->last = 0;
      vk_map_reindex(u->c, v);
    }
  }
}

static void hold_segments(vk *c, const VkParcel *p) {
  for (size_t i = 0; i < p->segment_count; i++) {
    vk_segment_retain(p->segments[i]);
    vk_frozen_hold(c, p->segments[i]);
  }
}

static void unpack(const Unpacker *u) {
  hold_segments(u->c, u->p);
  make_all(u);
  resolve_all(u);
  reindex_maps(u);
}

/* ---- the contract ------------------------------------------------------------------------- */

V vk_parcel_unpack(vk *c, VkParcel *p) {
  V root = p->root;
  if (vk_parcel_bytes(p) || p->segment_count) {
    size_t bytes = vk_parcel_bytes(p);
    if (!vk_heap_suspend(c, bytes)) {
      vk_parcel_free(p);
      return vk_out_of_memory(c, bytes);
    }
    Unpacker u = {.c = c, .p = p};
    unpack(&u);
    root = resolve(&u, root);
    vk_heap_resume(c);
  }
  vk_parcel_free(p);
  return root;
}

static bool copy_area(ParcelArea *to, const ParcelArea *from) {
  *to = (ParcelArea){.bytes = malloc(from->used + 1), .used = from->used};
  if (to->bytes && from->used) memcpy(to->bytes, from->bytes, from->used);
  return to->bytes != NULL;
}

bool vk_parcel_unpack_globals(vk *c, const VkParcel *p, V *values, size_t count) {
  VkParcel copy = *p;
  bool has_pairs = copy_area(&copy.pairs, &p->pairs);
  bool has_objects = copy_area(&copy.objects, &p->objects);
  bool is_ok = has_pairs && has_objects && vk_heap_suspend(c, vk_parcel_bytes(p));
  if (is_ok) {
    size_t first = parcel_object_bytes((V *)copy.objects.bytes);
    Unpacker u = {.c = c, .p = &copy, .first = first};
    const V *items = (V *)copy.objects.bytes + 2;
    unpack(&u);
    for (size_t i = 0; i < count; i++) values[i] = resolve(&u, items[i]);
    vk_heap_resume(c);
  }
  free(copy.pairs.bytes);
  free(copy.objects.bytes);
  return is_ok;
}
