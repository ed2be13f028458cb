/* vectors.c - growable arrays: vectors.h has the layout. */
#include "vectors.h"
#include "fns.h"
#include "heap.h"
#include "limits.h"
#include "lists.h"
#include "scratch.h"
#include <assert.h>
#include <string.h>

enum { CAPACITY_BYTES_MIN = 32 };
#define LENGTH_MAX ((size_t)1 << 40)

/* ---- kinds of elements --------------------------------------------------------------------- */

static inline size_t item_bytes(VkElements kind) { return kind == VK_BYTES ? 1 : 8; }

static inline VkElements kind_for(V item) {
  return VK_IS_BYTE(item) ? VK_BYTES : VK_IS_FLOAT(item) ? VK_FLOATS : VK_VALUES;
}

static VkElements kind_for_all(size_t n, const V *items) {
  if (n == 0) return VK_UNDECIDED;
  VkElements kind = kind_for(items[0]);
  for (size_t i = 1; i < n && kind != VK_VALUES; i++)
    if (kind_for(items[i]) != kind) kind = VK_VALUES;
  return kind;
}

static VkElements kind_for_list(V plain) {
  if (!VK_IS_PAIR(plain)) return VK_UNDECIDED;
  VkElements kind = kind_for(VK_HEAD(plain));
  for (plain = VK_TAIL(plain); VK_IS_PAIR(plain) && kind != VK_VALUES; plain = VK_TAIL(plain))
    if (kind_for(VK_HEAD(plain)) != kind) kind = VK_VALUES;
  return kind;
}

/* ---- stores -------------------------------------------------------------------------------- */

/* What a new vector without elements has if it must hold values. */
static const VkStore no_items VK_ALIGN16 = {.hdr = VK_HDR(VK_STORE, 0, 0)};

V vk_store_new(vk *c, size_t capacity) {
  VkStore *s = vk_new(c, sizeof(VkStore) + capacity * sizeof(V));
  s->hdr = VK_HDR(VK_STORE, 0, 0);
  s->capacity = capacity;
  for (size_t i = 0; i < capacity; i++) s->items[i] = VK_NIL;
  return VK_FROM_OBJ(s);
}

static inline size_t store_bytes(VkElements kind, size_t capacity) {
  return sizeof(VkStore) + (capacity * item_bytes(kind) + 7) / 8 * 8;
}

/* Fresh memory is zero, so values are integers 0 until they are set. */
static V init_store(VkElements kind, size_t capacity, void *memory) {
  if (kind == VK_VALUES) {
    VkStore *s = memory;
    s->hdr = VK_HDR(VK_STORE, 0, 0);
    s->capacity = capacity;
  } else {
    VkRaw *raw = memory;
    raw->hdr = VK_HDR(VK_RAW, 0, 0);
    raw->bytes = store_bytes(kind, capacity) - sizeof(VkRaw);
  }
  return VK_FROM_OBJ(memory);
}

static V new_store(vk *c, VkElements kind, size_t capacity) {
  return init_store(kind, capacity, vk_new(c, store_bytes(kind, capacity)));
}

/* VK_UNBOUND if the heap has no room for it. Where valkc takes that for impossible, the program
 * ends instead. */
static V try_store(vk *c, VkElements kind, size_t capacity) {
  if (capacity <= VK_SURE_LENGTH) return new_store(c, kind, capacity);
  void *memory = vk_try_new_placed(c, store_bytes(kind, capacity), true);
  return memory ? init_store(kind, capacity, memory) : VK_UNBOUND;
}

static inline size_t capacity_of(const VkVector *v) {
  switch ((VkElements)VK_HDR_AUX(v->hdr)) {
  case VK_VALUES: return VK_STOREP(v->store)->capacity;
  case VK_BYTES: return VK_RAWP(v->store)->bytes;
  case VK_FLOATS: return VK_RAWP(v->store)->bytes / sizeof(double);
  case VK_UNDECIDED: break;
  }
  return 0;
}

/* Sets element i of a store to what fits its kind. */
static inline void store_put(vk *c, VkElements kind, V store, size_t i, V item) {
  assert(kind == VK_VALUES || kind == kind_for(item));
  if (kind == VK_VALUES)
    vk_write(c, store, &VK_STOREP(store)->items[i], item);
  else if (kind == VK_BYTES)
    VK_BYTE_ITEMS(store)[i] = (int8_t)VK_INT(item);
  else
    VK_FLOAT_ITEMS(store)[i] = vk_double(item);
}

/* ---- vectors ------------------------------------------------------------------------------- */

static V new_vector(vk *c, VkElements kind, size_t len, V store) {
  VkVector *v = vk_new(c, sizeof *v);
  v->hdr = VK_HDR(VK_VECTOR, kind, 0);
  v->len = len;
  v->store = store;
  return VK_FROM_OBJ(v);
}

static V new_empty(vk *c, VkElements kind) {
  return new_vector(c, kind, 0, kind == VK_VALUES ? VK_FROM_OBJ(&no_items) : VK_NIL);
}

V vk_vec_new(vk *c, size_t capacity) {
  return new_vector(c, VK_VALUES, 0, vk_store_new(c, capacity));
}

V vk_vec_ref(vk *c, V vector, size_t i) {
  V store = VK_VEC(vector)->store;
  assert(i < VK_VEC(vector)->len);
  switch (VK_ELEMENTS(vector)) {
  case VK_BYTES: return VK_FIX(VK_BYTE_ITEMS(store)[i]);
  case VK_FLOATS: return vk_from_double(c, VK_FLOAT_ITEMS(store)[i]);
  default: return VK_STOREP(store)->items[i];
  }
}

V vk_vec_peek(V vector, size_t i, VkFloat *room) {
  V store = VK_VEC(vector)->store;
  assert(i < VK_VEC(vector)->len);
  if (VK_ELEMENTS(vector) == VK_VALUES) return VK_STOREP(store)->items[i];
  if (VK_ELEMENTS(vector) == VK_BYTES) return VK_FIX(VK_BYTE_ITEMS(store)[i]);
  *room = (VkFloat){VK_HDR(VK_FLOAT, 0, 0), VK_FLOAT_ITEMS(store)[i]};
  return VK_FROM_OBJ(room);
}

static void set_store(vk *c, V vector, VkElements kind, V store) {
  VkVector *v = VK_VEC(vector);
  vk_write(c, vector, &v->store, store);
  v->hdr = (v->hdr & ~VK_HDR(0, 0xFFFF, 0)) | VK_HDR(0, kind, 0);
}

/* The store has room behind it: nothing is copied, and no dead one stays. */
static bool extend(vk *c, VkVector *v, VkElements kind, size_t capacity) {
  size_t bytes = store_bytes(kind, capacity);
  if (!vk_extend_placed(c, VK_OBJ(v->store), store_bytes(kind, capacity_of(v)), bytes)) return false;
  if (kind == VK_VALUES) VK_STOREP(v->store)->capacity = capacity;
  else VK_RAWP(v->store)->bytes = bytes - sizeof(VkRaw);
  return true;
}

/* Room for `capacity` elements, all kept as `kind`, which can hold those it has. */
static void set_capacity(vk *c, V vector, VkElements kind, size_t capacity) {
  VkVector *v = VK_VEC(vector);
  if (kind == VK_ELEMENTS(vector) && v->len > 0 && extend(c, v, kind, capacity)) return;
  V store = new_store(c, kind, capacity);
  vk_note_part(c, vector, store);
  if (kind == VK_ELEMENTS(vector) && v->len > 0) /* young: no barrier */
    memcpy(VK_ITEM(store, 0), VK_ITEM(v->store, 0), v->len * item_bytes(kind));
  else
    for (size_t i = 0; i < v->len; i++) store_put(c, kind, store, i, vk_vec_ref(c, vector, i));
  set_store(c, vector, kind, store);
}

/* The kind that the vector must have to hold item too. */
static inline VkElements kind_with(V vector, V item) {
  VkElements kind = VK_ELEMENTS(vector);
  if (kind == VK_VALUES) return kind;
  VkElements wanted = kind_for(item);
  return kind == wanted || kind == VK_UNDECIDED ? wanted : VK_VALUES;
}

void vk_vec_put(vk *c, V vector, size_t i, V item) {
  VkElements kind = kind_with(vector, item);
  assert(i < VK_VEC(vector)->len);
  assert(!VK_IS_FROZEN(vector));
  if (kind != VK_ELEMENTS(vector)) set_capacity(c, vector, kind, capacity_of(VK_VEC(vector)));
  store_put(c, kind, VK_VEC(vector)->store, i, item);
}

void vk_vec_append(vk *c, V vector, V item) {
  VkVector *v = VK_VEC(vector);
  VkElements kind = kind_with(vector, item);
  assert(!VK_IS_FROZEN(vector));
  size_t capacity = capacity_of(v);
  bool is_full = v->len == capacity;
  if (is_full) capacity = capacity ? 2 * capacity : CAPACITY_BYTES_MIN / item_bytes(kind);
  if (is_full || kind != VK_ELEMENTS(vector)) set_capacity(c, vector, kind, capacity);
  store_put(c, kind, v->store, v->len, item);
  v->len++;
}

/* ---- from and to other things -------------------------------------------------------------- */

static V vec_from(vk *c, VkElements kind, size_t n, const V *items) {
  if (n == 0) return new_empty(c, kind);
  V store = new_store(c, kind, n);
  if (kind == VK_VALUES)
    memcpy(VK_STOREP(store)->items, items, n * sizeof(V)); /* young */
  else
    for (size_t i = 0; i < n; i++) store_put(c, kind, store, i, items[i]);
  return new_vector(c, kind, n, store);
}

V vk_vec_from(vk *c, size_t n, const V *items) {
  return vec_from(c, kind_for_all(n, items), n, items);
}

static V vec_from_list(vk *c, VkElements kind, V plain) {
  size_t n = vk_list_length(plain), i = 0;
  if (n == 0) return new_empty(c, kind);
  V store = new_store(c, kind, n);
  for (; VK_IS_PAIR(plain); plain = VK_TAIL(plain))
    store_put(c, kind, store, i++, VK_HEAD(plain));
  return new_vector(c, kind, n, store);
}

V vk_vec_from_list(vk *c, V plain) { return vec_from_list(c, kind_for_list(plain), plain); }

V vk_vec_to_list(vk *c, V vector) {
  V list = VK_NIL;
  for (size_t i = VK_VEC(vector)->len; i > 0; i--) {
    V item = vk_vec_ref(c, vector, i - 1);
    list = vk_cons(c, item, list);
  }
  return list;
}

/* ---- primitives ---------------------------------------------------------------------------- */

#define NEED_VECTOR(who, v)                                                                    \
  if (!VK_IS_VECTOR(v)) return vk_arg_error(c, who, 1, v, "a vector")
#define NEED_MUTABLE_VECTOR(who, v)                                                            \
  NEED_VECTOR(who, v);                                                                         \
  if (VK_IS_FROZEN(v)) return vk_errorf(c, VK_SYM(frozen), "%s: the vector is frozen", who)
#define NEED_INTEGER(who, i, v)                                                                \
  if (!VK_IS_FIX(v) && !VK_IS_KIND(v, VK_BIGINT))                                              \
  return vk_arg_error(c, who, i, v, "an integer")

static V index_error(vk *c, const char *who, V vector, V index) {
  if (!VK_IS_FIX(index))
    return vk_errorf(c, VK_SYM(range), "%s: the index is out of range", who);
  return vk_errorf(c, VK_SYM(range), "%s: index %lld is out of range, the length is %zu", who,
                   (long long)VK_INT(index), VK_VEC(vector)->len);
}
static inline bool is_index(V vector, V i) {
  return VK_IS_FIX(i) && (uint64_t)VK_INT(i) < VK_VEC(vector)->len;
}

V vk_vec(vk *c, size_t n, const V *args) { return vk_vec_from(c, n, args); }
V vk_vec_values(vk *c, size_t n, const V *args) { return vec_from(c, VK_VALUES, n, args); }

/* A store just made: no barrier. */
static void fill(VkElements kind, V store, size_t len, V item) {
  V word = kind == VK_FLOATS ? vk_float_bits(vk_double(item)) : item;
  if (kind == VK_BYTES)
    memset(VK_BYTE_ITEMS(store), (int)VK_INT(item), len);
  else
    for (size_t i = 0; i < len; i++) VK_STOREP(store)->items[i] = word;
}

static V make(vk *c, size_t n, const V *args, bool as_values) {
  NEED_INTEGER("vec/make", 1, args[0]);
  if (!VK_IS_FIX(args[0]) || VK_INT(args[0]) < 0 || (uint64_t)VK_INT(args[0]) > LENGTH_MAX)
    return vk_errorf(c, VK_SYM(range), "vec/make: the length is out of range");
  size_t len = (size_t)VK_INT(args[0]);
  V item = n > 1 ? args[1] : VK_NIL;
  VkElements kind = as_values ? VK_VALUES : kind_for(item);
  if (len == 0) return new_empty(c, as_values ? VK_VALUES : VK_UNDECIDED);
  V store = try_store(c, kind, len);
  if (store == VK_UNBOUND) return vk_out_of_memory(c, store_bytes(kind, len));
  fill(kind, store, len, item);
  return new_vector(c, kind, len, store);
}

V vk_vec_make_n(vk *c, size_t n, const V *args) { return make(c, n, args, false); }
V vk_vec_make_values(vk *c, size_t n, const V *args) { return make(c, n, args, true); }

V vk_vec_get(vk *c, V vector, V i) {
  NEED_VECTOR("vec/get", vector);
  NEED_INTEGER("vec/get", 2, i);
  if (!is_index(vector, i)) return index_error(c, "vec/get", vector, i);
  return vk_vec_ref(c, vector, (size_t)VK_INT(i));
}

V vk_vec_set(vk *c, V vector, V i, V item) {
  NEED_MUTABLE_VECTOR("vec/set!", vector);
  NEED_INTEGER("vec/set!", 2, i);
  if (!is_index(vector, i)) return index_error(c, "vec/set!", vector, i);
  vk_vec_put(c, vector, (size_t)VK_INT(i), item);
  return VK_NIL;
}

V vk_vec_push(vk *c, V vector, V item) {
  NEED_MUTABLE_VECTOR("vec/push!", vector);
  vk_vec_append(c, vector, item);
  return VK_NIL;
}

V vk_vec_pop(vk *c, V vector) {
  NEED_MUTABLE_VECTOR("vec/pop!", vector);
  VkVector *v = VK_VEC(vector);
  if (v->len == 0) return vk_errorf(c, VK_SYM(range), "vec/pop!: the vector is empty");
  V item = vk_vec_ref(c, vector, v->len - 1);
  v->len--;
  if (VK_ELEMENTS(vector) == VK_VALUES)
    vk_write(c, v->store, &VK_STOREP(v->store)->items[v->len], VK_NIL);
  return item;
}

V vk_vec_len(vk *c, V vector) {
  NEED_VECTOR("vec/len", vector);
  return VK_FIX(VK_VEC(vector)->len);
}

/* An integer as a position within [0, len]. */
static size_t clamp(V i, size_t len) {
  if (!VK_IS_FIX(i)) return *VK_OBJ(i) & VK_NEGATIVE ? 0 : len;
  int64_t n = VK_INT(i);
  return n < 0 ? 0 : (uint64_t)n > len ? len : (size_t)n;
}

/* Flat elements are copied as they are, values become flat if they can. */
static V copy_slice(vk *c, V vector, size_t from, size_t len, bool as_values) {
  VkElements kind = VK_ELEMENTS(vector);
  if (len == 0) return new_empty(c, as_values ? VK_VALUES : VK_UNDECIDED);
  if (as_values)
    kind = VK_VALUES;
  else if (kind == VK_VALUES)
    kind = kind_for_all(len, &VK_STOREP(VK_VEC(vector)->store)->items[from]);
  V store = new_store(c, kind, len);
  if (kind == VK_ELEMENTS(vector)) {
    size_t size = item_bytes(kind);
    memcpy(VK_ITEM(store, 0), VK_ITEM(VK_VEC(vector)->store, from * size),
           len * size); /* young */
  } else {
    for (size_t i = 0; i < len; i++)
      store_put(c, kind, store, i, vk_vec_ref(c, vector, from + i));
  }
  return new_vector(c, kind, len, store);
}

static V slice(vk *c, size_t n, const V *args, bool as_values) {
  V vector = args[0];
  NEED_VECTOR("vec/slice", vector);
  NEED_INTEGER("vec/slice", 2, args[1]);
  if (n > 2) NEED_INTEGER("vec/slice", 3, args[2]);
  size_t len = VK_VEC(vector)->len;
  size_t from = clamp(args[1], len), to = n > 2 ? clamp(args[2], len) : len;
  return copy_slice(c, vector, from, from < to ? to - from : 0, as_values);
}

V vk_vec_slice_n(vk *c, size_t n, const V *args) { return slice(c, n, args, false); }
V vk_vec_slice_values(vk *c, size_t n, const V *args) { return slice(c, n, args, true); }

V vk_vec_list(vk *c, V vector) {
  NEED_VECTOR("vec/->list", vector);
  return vk_vec_to_list(c, vector);
}

V vk_vec_p(vk *c, V v) {
  (void)c;
  return VK_FIX(VK_IS_VECTOR(v));
}

static V list_vec(vk *c, V l, const char *who, int index, bool as_values) {
  V plain = vk_list_of(l);
  if (plain == VK_UNBOUND) return vk_arg_error(c, who, index, l, "a list");
  return vec_from_list(c, as_values ? VK_VALUES : kind_for_list(plain), plain);
}

/* (%list->vec l) and (%unpack-vec l) */
V vk_list_to_vec(vk *c, V l) { return list_vec(c, l, "vec", 1, false); }
V vk_list_to_values(vk *c, V l) { return list_vec(c, l, "vec", 1, true); }
V vk_unpack_vec(vk *c, V l) { return list_vec(c, l, "unpack", 2, false); }
V vk_unpack_values(vk *c, V l) { return list_vec(c, l, "unpack", 2, true); }

/* ---- slow paths of ops.h ------------------------------------------------------------------- */

V vk_vec_get_slow(vk *c, V vector, V i, const VkPos *pos) {
  V r = vk_vec_get(c, vector, i);
  return VK_AT(c, r, pos);
}
V vk_vec_set_slow(vk *c, V vector, V i, V item, const VkPos *pos) {
  V r = vk_vec_set(c, vector, i, item);
  return VK_AT(c, r, pos);
}
V vk_vec_pop_slow(vk *c, V vector, const VkPos *pos) {
  V r = vk_vec_pop(c, vector);
  return VK_AT(c, r, pos);
}
V vk_vec_push_slow(vk *c, V vector, V item, const VkPos *pos) {
  V r = vk_vec_push(c, vector, item);
  return VK_AT(c, r, pos);
}
V vk_vec_len_slow(vk *c, V vector, const VkPos *pos) {
  V r = vk_vec_len(c, vector);
  return VK_AT(c, r, pos);
}
