/* parcel_impl.h - what a parcel looks like, for rt/parcel*.c and frozen.c.
 *
 *   pairs     | head tail | head tail | ...          one malloc block each, objects as in a heap,
 *   objects   | hdr ...   | hdr ...   | ...          one after the other, aligned to 16
 *
 * A reference to something in the parcel is the offset in its area, with the usual tag, which says
 * which area, and the uppermost bit, which no address has. All other values mean what they always
 * mean. So an area may move while it grows, and a parcel can be copied by memcpy. */
#ifndef VK_PARCEL_IMPL_H
#define VK_PARCEL_IMPL_H
#include "frozen.h"
#include "handle.h"
#include "parcel.h"

typedef struct ParcelArea {
  char *bytes;
  size_t used, capacity;
} ParcelArea;

typedef struct ParcelShared { /* what a handle stands for; counted */
  const VkHandleClass *class;
  void *object;
} ParcelShared;

struct VkParcel {
  V root;
  ParcelArea pairs, objects;
  VkSegment **segments; /* counted, each once */
  size_t segment_count, segment_room;
  ParcelShared *shared;
  size_t shared_count, shared_room;
};

typedef enum ParcelUse {
  PARCEL_SEND,
  PARCEL_STAY,    /* to be unpacked at once in the same heap: functions of the evaluator may go */
  PARCEL_GLOBALS, /* nothing is refused */
  PARCEL_FREEZE,  /* vectors, maps, errors get VK_FROZEN */
} ParcelUse;

/* A handle in the objects: hdr, class, number in `shared`. */
enum { PARCEL_HANDLE_WORDS = 4 };
/* VkMap.last of a map whose index does not hold where its keys have other addresses. */
#define PARCEL_REINDEX UINT32_MAX

#define PARCEL_LOCAL ((V)1 << 63)
static inline bool parcel_is_reference(V v) { return 0x62u >> (v & 7) & 1; }
static inline bool parcel_is_local(V v) { return parcel_is_reference(v) && v & PARCEL_LOCAL; }
static inline size_t parcel_offset(V local) { return local & ~(PARCEL_LOCAL | 7); }
static inline V *parcel_object(const VkParcel *p, V local) {
  const ParcelArea *a = (local & 7) == VK_TAG_PAIR ? &p->pairs : &p->objects;
  return (V *)(a->bytes + parcel_offset(local));
}
/* Bytes of an object in the parcel or in a heap, rounded up to 16. */
size_t parcel_object_bytes(const V *object);

/* What cannot be packed: pack gives it, the caller makes an error of it. */
typedef struct ParcelRefusal {
  V value; /* VK_NIL: there is no memory */
  bool
      must_stay; /* FREEZE: it holds a function of the evaluator, or a map that needs another index */
} ParcelRefusal;
/* values[count] as the items of a STORE at the start of the objects, or one value, p->root. */
VkParcel *parcel_pack(vk *c, const V *values, size_t count, ParcelUse use, ParcelRefusal *r);
/* The error: what `culprit` is, and where in root it stands. */
V parcel_refusal_error(vk *c, V root, V culprit, ParcelUse use);
#endif
