/* vectors.c - growable arrays: vectors.h has the layout. */
#include "vectors.h"
#include "fns.h"
#include "heap.h"
#include "lists.h"
#include <assert.h>

enum { CAPACITY_MIN = 4 };
#define LENGTH_MAX ((size_t)1 << 40)

/* ---- for runtime C ------------------------------------------------------------------------- */

static V init_store(VkStore *s, size_t capacity) {
  s->hdr = VK_HDR(VK_STORE, 0, 0);
  s->capacity = capacity;
  for (size_t i = 0; i < capacity; i++) s->items[i] = VK_NIL;
  return VK_FROM_OBJ(s);
}

V vk_store_new(vk *c, size_t capacity) {
  return init_store(vk_new(c, sizeof(VkStore) + capacity * sizeof(V)), capacity);
}

static V new_vector(vk *c, size_t len, V store) {
  VkVector *v = vk_new(c, sizeof *v);
  v->hdr = VK_HDR(VK_VECTOR, 0, 0);
  v->len = len;
  v->store = store;
  return VK_FROM_OBJ(v);
}

V vk_vec_new(vk *c, size_t capacity) {
  return new_vector(c, 0, capacity ? vk_store_new(c, capacity) : VK_NIL);
}

V vk_vec_from(vk *c, size_t n, const V *items) {
  if (n == 0) return new_vector(c, 0, VK_NIL);
  V store = vk_store_new(c, n);
  memcpy(VK_STOREP(store)->items, items, n * sizeof(V));
  return new_vector(c, n, store);
}

/* False if the heap has no room for it. */
static bool grow(vk *c, V vector, size_t capacity) {
  VkVector *v = VK_VEC(vector);
  VkStore *s = vk_try_new(c, sizeof(VkStore) + capacity * sizeof(V));
  if (!s) return false;
  V store = init_store(s, capacity);
  if (v->len) memcpy(s->items, VK_STOREP(v->store)->items, v->len * sizeof(V));
  vk_write(c, vector, &v->store, store);
  return true;
}

static bool append(vk *c, V vector, V item) {
  VkVector *v = VK_VEC(vector);
  assert(!VK_IS_FROZEN(vector));
  size_t capacity = v->store == VK_NIL ? 0 : VK_STOREP(v->store)->capacity;
  if (v->len == capacity && !grow(c, vector, capacity ? 2 * capacity : CAPACITY_MIN))
    return false;
  vk_write(c, v->store, &VK_STOREP(v->store)->items[v->len], item);
  v->len++;
  return true;
}

void vk_vec_append(vk *c, V vector, V item) {
  if (append(c, vector, item)) return;
  size_t capacity = 2 * VK_VEC(vector)->len; /* past the limit: this ends the program */
  vk_write(c, vector, &VK_VEC(vector)->store, vk_store_new(c, capacity));
}

V vk_vec_from_list(vk *c, V plain) {
  size_t n = vk_list_length(plain), i = 0;
  V store = n ? vk_store_new(c, n) : VK_NIL;
  for (; VK_IS_PAIR(plain); plain = VK_TAIL(plain))
    VK_STOREP(store)->items[i++] = VK_HEAD(plain);
  return new_vector(c, n, store);
}

V vk_vec_to_list(vk *c, V vector) {
  V list = VK_NIL;
  for (size_t i = VK_VEC(vector)->len; i > 0; i--)
    list = vk_cons(c, vk_vec_at(vector, i - 1), list);
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

V vk_vec_make_n(vk *c, size_t n, const V *args) {
  NEED_INTEGER("vec/make", 1, args[0]);
  if (!VK_IS_FIX(args[0]) || VK_INT(args[0]) < 0 || (uint64_t)VK_INT(args[0]) > LENGTH_MAX)
    return vk_errorf(c, VK_SYM(range), "vec/make: the length is out of range");
  size_t len = (size_t)VK_INT(args[0]), bytes = sizeof(VkStore) + len * sizeof(V);
  V item = n > 1 ? args[1] : VK_NIL;
  if (len == 0) return new_vector(c, 0, VK_NIL);
  VkStore *s = vk_try_new(c, bytes);
  if (!s) return vk_out_of_memory(c, bytes);
  V store = init_store(s, len);
  for (size_t i = 0; i < len; i++) s->items[i] = item;
  return new_vector(c, len, store);
}

V vk_vec_get(vk *c, V vector, V i) {
  NEED_VECTOR("vec/get", vector);
  NEED_INTEGER("vec/get", 2, i);
  if (!is_index(vector, i)) return index_error(c, "vec/get", vector, i);
  return vk_vec_at(vector, (size_t)VK_INT(i));
}

V vk_vec_set(vk *c, V vector, V i, V item) {
  NEED_MUTABLE_VECTOR("vec/set!", vector);
  NEED_INTEGER("vec/set!", 2, i);
  if (!is_index(vector, i)) return index_error(c, "vec/set!", vector, i);
  V store = VK_VEC(vector)->store;
  vk_write(c, store, &VK_STOREP(store)->items[VK_INT(i)], item);
  return VK_NIL;
}

V vk_vec_push(vk *c, V vector, V item) {
  NEED_MUTABLE_VECTOR("vec/push!", vector);
  if (append(c, vector, item)) return VK_NIL;
  return vk_out_of_memory(c, 2 * VK_VEC(vector)->len * sizeof(V));
}

V vk_vec_pop(vk *c, V vector) {
  NEED_MUTABLE_VECTOR("vec/pop!", vector);
  VkVector *v = VK_VEC(vector);
  if (v->len == 0) return vk_errorf(c, VK_SYM(range), "vec/pop!: the vector is empty");
  V *slot = &VK_STOREP(v->store)->items[--v->len];
  V item = *slot;
  vk_write(c, v->store, slot, VK_NIL);
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

V vk_vec_slice_n(vk *c, size_t n, const V *args) {
  V vector = args[0];
  NEED_VECTOR("vec/slice", vector);
  NEED_INTEGER("vec/slice", 2, args[1]);
  if (n > 2) NEED_INTEGER("vec/slice", 3, args[2]);
  size_t len = VK_VEC(vector)->len;
  size_t from = clamp(args[1], len), to = n > 2 ? clamp(args[2], len) : len;
  if (from >= to) return new_vector(c, 0, VK_NIL);
  V store = vk_store_new(c, to - from);
  memcpy(VK_STOREP(store)->items, &VK_STOREP(VK_VEC(vector)->store)->items[from],
         (to - from) * sizeof(V));
  return new_vector(c, to - from, store);
}

V vk_vec_list(vk *c, V vector) {
  NEED_VECTOR("vec/->list", vector);
  return vk_vec_to_list(c, vector);
}

V vk_vec_p(vk *c, V v) {
  (void)c;
  return VK_FIX(VK_IS_VECTOR(v));
}

/* (%list->vec l) */
V vk_list_to_vec(vk *c, V l) {
  V plain = vk_list_of(l);
  if (plain == VK_UNBOUND) return vk_arg_error(c, "vec", 1, l, "a list");
  return vk_vec_from_list(c, plain);
}

/* ---- slow paths of ops.h ------------------------------------------------------------------- */

V vk_vec_get_slow(vk *c, V vector, V i, const VkPos *pos) {
  V r = vk_vec_get(c, vector, i);
  return VK_AT(c, r, pos);
}
V vk_vec_set_slow(vk *c, V vector, V i, V item, const VkPos *pos) {
  V r = vk_vec_set(c, vector, i, item);
  return VK_AT(c, r, pos);
}
V vk_vec_len_slow(vk *c, V vector, const VkPos *pos) {
  V r = vk_vec_len(c, vector);
  return VK_AT(c, r, pos);
}
