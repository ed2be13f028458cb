/* parcel.c - packing: a structured copy of a value in memory of its own (contract: parcel.h).
 *
 * in:    a value of the running isolate, which does not change meanwhile
 * out:   the parcel; the value is as it was
 * cost:  linear in what is copied
 *
 * The areas are their own work list (Cheney, "A Nonrecursive List Compacting Algorithm", CACM
 * 1970): what is behind `scan` has references of the parcel, what is before it those of the heap.
 *
 * What was copied where: the first few objects are in a table by hash; beyond, those of the heap and in scratch
 * have four bytes per granule, in pages that are made as they are needed, and only those elsewhere
 * (the stack) stay in the table. A hash of everything took 97 ns per pair, most of it for
 * touching new memory; this takes 7.
 *
 * Stores of vectors and maps are copied with their owner, without the room that they have left. */
#include "parcel_impl.h"
#include "heap_impl.h"
#include "maps.h"
#include "scratch.h"
#include "vectors.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct Slot {
  V from, to; /* from: 0 if free */
} Slot;
enum { FEW_SLOTS = 64 };

/* Of heap and scratch, for each granule: offset of its copy / 16 + 1, or 0. */
enum { PAGE_SHIFT = 12, PAGE_ENTRIES = (1 << PAGE_SHIFT) / GRANULE_BYTES, PAGES_AT_ONCE = 64 };
typedef struct PageRow { /* pages that are allocated together */
  struct PageRow *next;
  uint32_t entries[PAGES_AT_ONCE][PAGE_ENTRIES];
} PageRow;

typedef struct Packer {
  vk *c;
  VkParcel *p;
  ParcelUse use;
  ParcelRefusal *refusal;
  bool is_refused;
  Slot *slots;
  size_t slot_count, used_slots;
  uint32_t **pages; /* by address; NULL while the table is enough */
  PageRow *rows;
  size_t row_used; /* pages of the newest row */
  Slot few[FEW_SLOTS];
} Packer;

/* ---- sizes -------------------------------------------------------------------------------- */

static size_t round16(size_t bytes) { return (bytes + 15) & ~(size_t)15; }

static size_t error_bytes(const VkError *e) {
  size_t kept = e->trace_count < VK_TRACE_MAX ? (size_t)e->trace_count : VK_TRACE_MAX;
  return sizeof *e + (kept ? kept : 1) * sizeof e->trace[0];
}

size_t parcel_object_bytes(const V *o) {
  size_t count = VK_HDR_COUNT(*o);
  switch (VK_HDR_KIND(*o)) {
  case VK_STRING: return round16(sizeof(VkString) + (size_t)o[1] + 1);
  case VK_BIGINT: return round16(sizeof(VkBigint) + count * sizeof(uint64_t));
  case VK_CLOSURE: return round16(sizeof(VkClosure) + count * sizeof(V));
  case VK_PAP: return round16(sizeof(VkPap) + count * sizeof(V));
  case VK_BLOCK: return round16(sizeof(VkBlock));
  case VK_VECTOR: return round16(sizeof(VkVector));
  case VK_STORE: return round16(sizeof(VkStore) + (size_t)o[1] * sizeof(V));
  case VK_MAP: return round16(sizeof(VkMap));
  case VK_ERROR: return round16(error_bytes((const VkError *)o));
  case VK_RAW: return round16(sizeof(VkRaw) + (size_t)o[1]);
  case VK_HANDLE: return PARCEL_HANDLE_WORDS * sizeof(V);
  default: return 16; /* float, box, atom, S-expression */
  }
}

/* ---- the parcel --------------------------------------------------------------------------- */

void vk_parcel_free(VkParcel *p) {
  for (size_t i = 0; i < p->segment_count; i++) vk_segment_release(p->segments[i]);
  for (size_t i = 0; i < p->shared_count; i++) p->shared[i].class->release(p->shared[i].object);
  free(p->segments);
  free(p->shared);
  free(p->pairs.bytes);
  free(p->objects.bytes);
  free(p);
}

size_t vk_parcel_bytes(const VkParcel *p) { return p->pairs.used + p->objects.used; }

static void refuse(Packer *k, V value) {
  if (!k->is_refused) k->refusal->value = value;
  k->is_refused = true;
}

static VK_COLD bool grow(Packer *k, ParcelArea *a, size_t bytes) {
  size_t capacity = a->capacity ? a->capacity : 256;
  while (capacity - a->used < bytes && capacity <= SIZE_MAX / 4) capacity *= 2;
  char *moved = capacity / 16 < UINT32_MAX ? realloc(a->bytes, capacity) : NULL;
  if (!moved) {
    refuse(k, VK_NIL);
    return false;
  }
  a->bytes = moved;
  a->capacity = capacity;
  return true;
}

/* Room at the end of an area, a multiple of 16; NULL without memory. */
static inline void *take(Packer *k, ParcelArea *a, size_t bytes) {
  if (VK_UNLIKELY(a->capacity - a->used < bytes) && !grow(k, a, bytes)) return NULL;
  char *at = a->bytes + a->used;
  a->used += bytes;
  return at;
}

/* Room for one more item in a malloc array, which may move. */
static bool room_for_one(Packer *k, void **items, size_t count, size_t *room, size_t bytes) {
  if (count < *room) return true;
  size_t wanted = *room ? 2 * *room : 8;
  void *moved = realloc(*items, wanted * bytes);
  if (!moved) {
    refuse(k, VK_NIL);
    return false;
  }
  *items = moved;
  *room = wanted;
  return true;
}

/* ---- what was copied ---------------------------------------------------------------------- */

static inline Slot *slot_of(const Packer *k, V v) {
  size_t granule = v >> 4, mask = k->slot_count - 1;
  for (size_t i = (granule + (granule >> 12) * 0x9E3779B1u) & mask;; i = (i + 1) & mask)
    if (k->slots[i].from == v || !k->slots[i].from) return &k->slots[i];
}

static VK_COLD bool grow_slots(Packer *k) {
  Slot *old = k->slots;
  size_t old_count = k->slot_count;
  Slot *slots = calloc(4 * old_count, sizeof *slots);
  if (!slots) {
    refuse(k, VK_NIL);
    return false;
  }
  k->slots = slots;
  k->slot_count = 4 * old_count;
  for (size_t i = 0; i < old_count; i++)
    if (old[i].from) *slot_of(k, old[i].from) = old[i];
  if (old != k->few) free(old);
  return true;
}

static inline bool is_in_heap(const Packer *k, V v) {
  return v - k->c->barrier.base < k->c->barrier.bytes;
}

static inline bool is_in_scratch(const Packer *k, V v) {
  return v - k->c->barrier.scratch_base < k->c->barrier.scratch_bytes;
}

/* Pages of the heap come first, those of scratch behind them. */
static inline size_t page_number(const Packer *k, V v) {
  const VkBarrier *b = &k->c->barrier;
  if (VK_LIKELY(is_in_heap(k, v))) return (v - b->base) >> PAGE_SHIFT;
  return (b->bytes >> PAGE_SHIFT) + ((v - b->scratch_base) >> PAGE_SHIFT);
}

static VK_COLD uint32_t *page_new(Packer *k, size_t number) {
  if (!k->rows || k->row_used == PAGES_AT_ONCE) {
    PageRow *row = calloc(1, sizeof *row);
    if (!row) {
      refuse(k, VK_NIL);
      return NULL;
    }
    row->next = k->rows;
    k->rows = row;
    k->row_used = 0;
  }
  return k->pages[number] = k->rows->entries[k->row_used++];
}

/* Requires: pages, and v in the heap or in scratch, which both begin on a page. */
static inline uint32_t *entry_of(Packer *k, V v) {
  size_t number = page_number(k, v);
  uint32_t *page = k->pages[number];
  if (VK_UNLIKELY(!page) && !(page = page_new(k, number))) return NULL;
  return &page[v / GRANULE_BYTES % PAGE_ENTRIES];
}

static inline void note_entry(uint32_t *entry, V local) {
  *entry = (uint32_t)(parcel_offset(local) / 16) + 1;
}

/* The table is full: what is in the heap or in scratch goes to pages. */
static VK_COLD void use_pages(Packer *k) {
  size_t bytes = k->c->barrier.bytes + k->c->barrier.scratch_bytes; /* both whole pages */
  k->pages = calloc((bytes >> PAGE_SHIFT) + 1, sizeof *k->pages);
  if (!k->pages) {
    refuse(k, VK_NIL);
    return;
  }
  for (size_t i = 0; i < k->slot_count; i++) {
    V from = k->slots[i].from;
    uint32_t *entry = from && (is_in_heap(k, from) || is_in_scratch(k, from)) ? entry_of(k, from) : NULL;
    if (entry) note_entry(entry, k->slots[i].to);
  }
}

/* v, which is nowhere yet, was copied. */
static inline void note(Packer *k, V v, V local) {
  *slot_of(k, v) = (Slot){v, local};
  if (VK_LIKELY(++k->used_slots * 2 <= k->slot_count)) return;
  if (!k->pages) use_pages(k);
  grow_slots(k);
}

static void forget_all(Packer *k) {
  if (k->slots != k->few) free(k->slots);
  free(k->pages);
  while (k->rows) {
    PageRow *next = k->rows->next;
    free(k->rows);
    k->rows = next;
  }
}

/* ---- objects ------------------------------------------------------------------------------ */

/* A parcel's segments are few: most values with frozen parts have one. */
static V segment_ref(Packer *k, V v) {
  VkParcel *p = k->p;
  VkSegment *s = vk_segment_of(v);
  for (size_t i = p->segment_count; i-- > 0;)
    if (p->segments[i] == s) return v;
  if (!room_for_one(k, (void **)&p->segments, p->segment_count, &p->segment_room, sizeof s))
    return VK_NIL;
  vk_segment_retain(s);
  p->segments[p->segment_count++] = s;
  return v;
}

static V elsewhere(vk *c, V self, size_t n, const V *args) {
  (void)self, (void)n, (void)args;
  return vk_errorf(c, VK_SYM(not_sendable),
                   "a function made by eval stays in the isolate that made it");
}
static const VkFn elsewhere_fn = {
    .name = "elsewhere", .code = (void *)elsewhere, .max = VK_ANY, .conv = VK_CONV_ARGV};
static const VkClosure elsewhere_function VK_ALIGN16 = {
    .hdr = VK_HDR(VK_CLOSURE, VK_ANY, 0), .code = (void *)elsewhere, .fn = &elsewhere_fn};
const VkHandleClass vk_handle_elsewhere = {.name = "elsewhere"};
static const VkHandle elsewhere_handle VK_ALIGN16 = {.hdr = VK_HDR(VK_HANDLE, 0, 0),
                                                     .class = &vk_handle_elsewhere};

static V refused(Packer *k, V v) {
  if (k->use != PARCEL_GLOBALS) {
    refuse(k, v);
    return VK_NIL;
  }
  return VK_IS_KIND(v, VK_CLOSURE) ? VK_FROM_OBJ(&elsewhere_function)
                                   : VK_FROM_OBJ(&elsewhere_handle);
}

static bool is_refused_kind(const Packer *k, V v) {
  switch (VK_KIND(v)) {
  case VK_ATOM: return k->use != PARCEL_GLOBALS;
  case VK_BOX: return k->use == PARCEL_FREEZE;
  case VK_HANDLE: {
    const VkHandleClass *class = VK_HANDLEP(v)->class;
    return k->use == PARCEL_FREEZE || !class || !class->share;
  }
  case VK_CLOSURE:
    if (VK_CLO(v)->fn->origin != VK_EVALUATED) return false;
    k->refusal->must_stay = true;
    return k->use != PARCEL_FREEZE && k->use != PARCEL_STAY;
  default: return false;
  }
}

/* The local reference to what starts at `to` in an area. */
static inline V local_ref(const ParcelArea *a, const void *to, unsigned tag) {
  return (size_t)((const char *)to - a->bytes) + tag + PARCEL_LOCAL;
}

static V copy_handle(Packer *k, V v) {
  VkParcel *p = k->p;
  V *to = take(k, &p->objects, PARCEL_HANDLE_WORDS * sizeof(V));
  if (!to || !room_for_one(k, (void **)&p->shared, p->shared_count, &p->shared_room,
                           sizeof *p->shared))
    return VK_NIL;
  const VkHandleClass *class = VK_HANDLEP(v)->class;
  void *object = class->share(v);
  class->retain(object);
  to[0] = VK_HDR(VK_HANDLE, 0, 0);
  to[1] = (V)(uintptr_t) class;
  to[2] = p->shared_count;
  to[3] = 0;
  p->shared[p->shared_count++] = (ParcelShared){class, object};
  return local_ref(&p->objects, to, VK_TAG_OBJ);
}

/* A local reference, or what stands for v instead. */
static V copy_object(Packer *k, V v) {
  const V *from = (const V *)(v & ~(V)7);
  if (is_refused_kind(k, v)) return refused(k, v);
  if (VK_IS_KIND(v, VK_HANDLE)) return copy_handle(k, v);
  size_t bytes = parcel_object_bytes(from);
  V *to = take(k, &k->p->objects, bytes);
  if (!to) return VK_NIL;
  memcpy(to, from, bytes);
  VkKind kind = VK_HDR_KIND(*to);
  if (k->use == PARCEL_FREEZE && (kind == VK_VECTOR || kind == VK_MAP || kind == VK_ERROR))
    *to |= VK_FROZEN;
  return local_ref(&k->p->objects, to, v & 7);
}

static inline V copy_pair(Packer *k, V v) {
  VkPair *to = take(k, &k->p->pairs, sizeof *to);
  if (!to) return VK_NIL;
  *to = *VK_PAIR(v);
  return local_ref(&k->p->pairs, to, VK_TAG_PAIR);
}

/* Whether an object outside the heap is this isolate's all the same: in scratch or on a stack. */
static bool is_temporary(vk *c, uintptr_t address) {
  return vk_scratch_owns((void *)address) ||
         address - (uintptr_t)c->fiber->stack_limit <
             (uintptr_t)(c->fiber->stack_base - c->fiber->stack_limit);
}

/* An object of the heap or in scratch, when there are pages. */
static inline V pack_by_page(Packer *k, V v) {
  uint32_t *entry = entry_of(k, v);
  if (!entry) return VK_NIL;
  if (*entry) return ((V)(*entry - 1) * 16 + (v & 7)) | PARCEL_LOCAL;
  V copy = VK_IS_PAIR(v) ? copy_pair(k, v) : copy_object(k, v);
  if (parcel_is_local(copy)) note_entry(entry, copy);
  return copy;
}

/* v as the parcel says it. */
static inline V pack_ref(Packer *k, V v) {
  if (!parcel_is_reference(v)) return v;
  bool has_page = is_in_heap(k, v) || is_in_scratch(k, v);
  if (VK_UNLIKELY(!has_page)) {
    if (vk_is_in_segment(v)) return segment_ref(k, v);
    if (!is_temporary(k->c, v & ~(V)7)) return v;
  } else if (k->pages) {
    return pack_by_page(k, v);
  }
  Slot *slot = slot_of(k, v);
  if (slot->from) return slot->to;
  V copy = VK_IS_PAIR(v) ? copy_pair(k, v) : copy_object(k, v);
  if (parcel_is_local(copy)) note(k, v, copy);
  return copy;
}

/* ---- stores ------------------------------------------------------------------------------- */

static bool is_copied(const Packer *k, V v) {
  uintptr_t address = v & ~(V)7;
  return VK_IS_OBJ(v) &&
         (address - k->c->barrier.base < k->c->barrier.bytes || is_temporary(k->c, address));
}

/* A STORE with the first `bytes` of its items, or a RAW of its words. */
static V copy_store(Packer *k, V store, size_t bytes) {
  size_t room = (bytes + 7) & ~(size_t)7;
  const V *from = VK_OBJ(store);
  V *to = take(k, &k->p->objects, round16(2 * sizeof(V) + room));
  if (!to) return VK_NIL;
  to[0] = *from;
  to[1] = VK_HDR_KIND(*from) == VK_RAW ? room : room / sizeof(V);
  to[1 + room / 8] = room ? 0 : to[1]; /* the rest of the last word */
  memcpy(to + 2, from + 2, bytes);
  return local_ref(&k->p->objects, to, VK_TAG_OBJ);
}

static size_t element_bytes(VkElements e) { return e == VK_BYTES ? 1 : 8; }

static void scan_vector(Packer *k, size_t at) {
  const VkVector *v = (const VkVector *)(k->p->objects.bytes + at);
  size_t bytes = v->len * element_bytes((VkElements)VK_HDR_AUX(v->hdr));
  V store = is_copied(k, v->store) ? copy_store(k, v->store, bytes) : pack_ref(k, v->store);
  ((VkVector *)(k->p->objects.bytes + at))->store = store;
}

/* Whether the places of all keys in an index are the same in every heap. */
static bool are_hashes_portable(const VkMap *m) {
  for (size_t i = 0; i < m->used; i++) {
    V key = VK_STOREP(m->entries)->items[2 * i];
    bool is_plain =
        !parcel_is_reference(key) || VK_IS_KIND(key, VK_STRING) || VK_IS_KIND(key, VK_SYMBOL);
    if (!is_plain) return false;
  }
  return true;
}

static void scan_map(Packer *k, size_t at) {
  VkMap *m = (VkMap *)(k->p->objects.bytes + at);
  V entries = m->entries, index = m->index;
  m->last = 0;
  if (!is_copied(k, entries)) {
    entries = pack_ref(k, entries);
    index = pack_ref(k, index);
  } else {
    if (index != VK_NIL && !are_hashes_portable(m)) {
      m->last = PARCEL_REINDEX;
      k->refusal->must_stay = true;
      index = VK_NIL;
    }
    entries = copy_store(k, entries, 2 * sizeof(V) * m->used);
    index = pack_ref(k, index);
  }
  m = (VkMap *)(k->p->objects.bytes + at);
  m->entries = entries;
  m->index = index;
}

/* ---- scanning ----------------------------------------------------------------------------- */

/* The keeper of an evaluated function (eval.h) matters only where its code does. */
static void scan_fields(Packer *k, size_t at) {
  V *object = (V *)(k->p->objects.bytes + at), *first, *end;
  heap_fields(object, &first, &end);
  bool is_evaluated =
      VK_HDR_KIND(*object) == VK_CLOSURE && ((VkClosure *)object)->fn->origin == VK_EVALUATED;
  if (is_evaluated && first < end) {
    if (k->use != PARCEL_STAY) *first = VK_NIL;
    first++;
  }
  size_t from = (size_t)((char *)first - k->p->objects.bytes), count = (size_t)(end - first);
  for (size_t i = 0; i < count; i++) {
    V v = pack_ref(k, ((V *)(k->p->objects.bytes + from))[i]);
    ((V *)(k->p->objects.bytes + from))[i] = v;
  }
}

static void scan_object(Packer *k, size_t at) {
  switch (VK_HDR_KIND(*(V *)(k->p->objects.bytes + at))) {
  case VK_VECTOR: scan_vector(k, at); break;
  case VK_MAP: scan_map(k, at); break;
  case VK_HANDLE: break;
  default: scan_fields(k, at); break;
  }
}

static void scan_all(Packer *k) {
  VkParcel *p = k->p;
  size_t pair = 0, object = 0;
  while (!k->is_refused && (pair < p->pairs.used || object < p->objects.used)) {
    for (; pair < p->pairs.used && !k->is_refused; pair += sizeof(VkPair)) {
      VkPair was = *(VkPair *)(p->pairs.bytes + pair);
      V head = pack_ref(k, was.head), tail = pack_ref(k, was.tail);
      *(VkPair *)(p->pairs.bytes + pair) = (VkPair){head, tail};
    }
    for (; object < p->objects.used && pair == p->pairs.used && !k->is_refused;) {
      size_t bytes = parcel_object_bytes((V *)(p->objects.bytes + object));
      scan_object(k, object);
      object += bytes;
    }
  }
}

/* ---- packing ------------------------------------------------------------------------------ */

static void add_roots(Packer *k, const V *values, size_t count) {
  V *store = take(k, &k->p->objects, round16((2 + count) * sizeof(V)));
  if (!store) return;
  store[0] = VK_HDR(VK_STORE, 0, 0);
  store[1] = count;
  if (count) memcpy(store + 2, values, count * sizeof(V));
}

VkParcel *parcel_pack(vk *c, const V *values, size_t count, ParcelUse use, ParcelRefusal *r) {
  *r = (ParcelRefusal){.value = VK_NIL};
  Packer k = {.c = c, .use = use, .refusal = r, .slots = k.few, .slot_count = FEW_SLOTS};
  k.p = calloc(1, sizeof *k.p);
  if (!k.p) return NULL;
  if (use == PARCEL_GLOBALS)
    add_roots(&k, values, count);
  else
    k.p->root = pack_ref(&k, *values);
  scan_all(&k);
  forget_all(&k);
  if (!k.is_refused) return k.p;
  vk_parcel_free(k.p);
  return NULL;
}

VkParcel *vk_parcel_pack(vk *c, V v, V *error) {
  ParcelRefusal r;
  VkParcel *p = parcel_pack(c, &v, 1, PARCEL_SEND, &r);
  if (p) return p;
  *error = r.value == VK_NIL ? vk_errorf(c, VK_SYM(out_of_memory),
                                         "out of memory: no room for a copy to send")
                             : parcel_refusal_error(c, v, r.value, PARCEL_SEND);
  return NULL;
}

VkParcel *vk_parcel_pack_globals(vk *c, const V *values, size_t count) {
  ParcelRefusal r;
  return parcel_pack(c, values, count, PARCEL_GLOBALS, &r);
}
