/* fast.h - primitives on operands whose types the compiler has proven (included by vk.h).
 *
 * int64_t operands are integers in fixnum range, untagged; results too, where the compiler proved
 * that they are in range. Rows of valkc/fast_ops.def say what each one requires. */
#ifndef VK_FAST_H
#define VK_FAST_H

/* Integers known to fit 64 bits, but perhaps no fixnum. */
V vk_int_from_i64(vk *c, int64_t n);
int64_t vk_big_to_int64(V v);
static inline V vk_from_int64(vk *c, int64_t n) {
  return VK_LIKELY(n >= VK_FIX_MIN && n <= VK_FIX_MAX) ? VK_FIX(n) : vk_int_from_i64(c, n);
}
static inline int64_t vk_to_int64(V v) { return VK_LIKELY(VK_IS_FIX(v)) ? VK_INT(v) : vk_big_to_int64(v); }

/* Operands may be constants, which C takes for 32 bits. */
#define vk_int_add(a, b) ((int64_t)(a) + (b))
#define vk_int_sub(a, b) ((int64_t)(a) - (b))
#define vk_int_neg(a) (-(int64_t)(a))
#define vk_int_div(a, b) ((int64_t)(a) / (b))
#define vk_int_rem(a, b) ((a) % (b))
/* Of naturals: without the corrections of signed division. */
#define vk_natural_div(a, b) ((int64_t)((uint64_t)(a) / (uint64_t)(b)))
#define vk_natural_rem(a, b) ((int64_t)((uint64_t)(a) % (uint64_t)(b)))
static inline int64_t vk_int_mod(int64_t a, int64_t b) {
  int64_t r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
/* A function: `if (a * b)` would be warned of. */
static inline int64_t vk_int_mul(int64_t a, int64_t b) { return a * b; }
#define vk_int_abs(a) ((a) < 0 ? -(a) : (a))
#define vk_int_and(a, b) ((a) & (b))
#define vk_int_or(a, b) ((a) | (b))
#define vk_int_xor(a, b) ((a) ^ (b))
#define vk_int_lt(a, b) ((int64_t)((a) < (b)))
#define vk_int_gt(a, b) ((int64_t)((a) > (b)))
#define vk_int_le(a, b) ((int64_t)((a) <= (b)))
#define vk_int_ge(a, b) ((int64_t)((a) >= (b)))
#define vk_int_eq(a, b) ((int64_t)((a) == (b)))
#define vk_int_ne(a, b) ((int64_t)((a) != (b)))
#define vk_int_not(a) ((int64_t)((a) == 0))
#define vk_int_same(a) ((int64_t)(a))
#define vk_int_next(a) ((int64_t)(a) + 1)
#define vk_range_from(a, b) ((int64_t)(a))
#define vk_int_to_float(a) ((double)(a))

static inline int64_t vk_int_max(int64_t a, int64_t b) { return a >= b ? a : b; }
static inline int64_t vk_int_min(int64_t a, int64_t b) { return a <= b ? a : b; }
static inline double vk_float_max(double a, double b) { return a >= b ? a : a < b ? b : a + b; } /* nan */
static inline double vk_float_min(double a, double b) { return a <= b ? a : a > b ? b : a + b; }

/* Two fixnums whose sum may not be one: no test of tags. */
static inline V vk_fix_add(vk *c, V a, V b, const VkPos *pos) {
  int64_t r;
  if (VK_LIKELY(!__builtin_add_overflow((int64_t)a, (int64_t)b, &r))) return (V)r;
  return vk_add_slow(c, a, b, pos);
}
static inline V vk_fix_sub(vk *c, V a, V b, const VkPos *pos) {
  int64_t r;
  if (VK_LIKELY(!__builtin_sub_overflow((int64_t)a, (int64_t)b, &r))) return (V)r;
  return vk_sub_slow(c, a, b, pos);
}
static inline V vk_fix_mul(vk *c, V a, V b, const VkPos *pos) {
  int64_t r;
  if (VK_LIKELY(!__builtin_mul_overflow((int64_t)a >> 3, (int64_t)b, &r))) return (V)r;
  return vk_mul_slow(c, a, b, pos);
}

/* The same, raw: 1 if the result is no fixnum. */
#define vk_try_add(a, b, r) VK_ADD_OVERFLOWS((int64_t)(a), (int64_t)(b), (int64_t *)(r))
#define vk_try_sub(a, b, r) VK_SUB_OVERFLOWS((int64_t)(a), (int64_t)(b), (int64_t *)(r))
#define vk_try_mul(a, b, r) VK_MUL_OVERFLOWS((int64_t)(a) >> 3, (int64_t)(b), (int64_t *)(r))
#define vk_try_scale(n, b, r) VK_MUL_OVERFLOWS((int64_t)(n), (int64_t)(b), (int64_t *)(r))
#define vk_nat_div(a, b) VK_FIX((V)(a) / (V)(b))
#define vk_nat_rem(a, b) ((V)(a) % (V)(b))
/* The divisor is neither 0 nor -1. */
#define vk_fix_div(a, b) VK_FIX((int64_t)(a) / (int64_t)(b))
#define vk_fix_rem(a, b) ((V)((int64_t)(a) % (int64_t)(b)))

#define vk_float_add(a, b) ((a) + (b))
/* A function: gcc 12 takes 0.0 - (double)n for -(double)n, which differs for n = 0. */
static inline double vk_float_sub(double a, double b) { return a - b; }
#define vk_float_mul(a, b) ((a) * (b))
#define vk_float_div(a, b) ((a) / (b))
#define vk_float_neg(a) (-(a))
#define vk_float_same(a) (a)
#define vk_float_abs(a) fabs(a)
#define vk_float_sqrt(a) sqrt(a)

/* libm by names of the runtime (math.c). */
double vk_float_exp(double x);
double vk_float_log(double x);
double vk_float_sin(double x);
double vk_float_cos(double x);
double vk_float_tan(double x);
double vk_float_asin(double x);
double vk_float_acos(double x);

#define vk_same(a, b) ((int64_t)((a) == (b)))
#define vk_not_same(a, b) ((int64_t)((a) != (b)))
#define vk_fix_lt(a, b) ((int64_t)((int64_t)(a) < (int64_t)(b)))
#define vk_fix_gt(a, b) ((int64_t)((int64_t)(a) > (int64_t)(b)))
#define vk_fix_le(a, b) ((int64_t)((int64_t)(a) <= (int64_t)(b)))
#define vk_fix_ge(a, b) ((int64_t)((int64_t)(a) >= (int64_t)(b)))
#define vk_is_nil(a) ((int64_t)((a) == VK_NIL))
#define vk_plain_list(a) ((int64_t)(VK_IS_PAIR(a) || (a) == VK_NIL))
#define vk_is_false(a) ((int64_t)VK_IS_FALSE(a))
#define vk_pair_head(a) VK_HEAD(a)
#define vk_pair_tail(a) VK_TAIL(a)
#define vk_pair_second(a) VK_HEAD(VK_TAIL(a))
#define vk_pair_third(a) VK_HEAD(VK_TAIL(VK_TAIL(a)))
#define vk_copy(a) (a)

/* Strings. */
int64_t vk_same_bytes(V a, V b); /* of strings of one length */
static inline int64_t vk_string_same(V a, V b) {
  return VK_STR(a)->len == VK_STR(b)->len && vk_same_bytes(a, b);
}
#define vk_string_differs(a, b) (!vk_string_same(a, b))
#define vk_string_len(a) ((int64_t)VK_STR(a)->len)
#define vk_has_byte(s, i) ((int64_t)((uint64_t)(i) < VK_STR(s)->len))
#define vk_is_byte_at(s, i) ((int64_t)(VK_LIKELY(VK_IS_KIND(s, VK_STRING)) && vk_has_byte(s, i)))
#define vk_byte_ref(s, i) ((int64_t)(unsigned char)VK_STR(s)->bytes[i])

#define vk_vector_len(a) ((int64_t)VK_VEC(a)->len)

/* Vectors. vk_vector_*: of unknown elements; vk_values_*, vk_bytes_*, vk_floats_*: all elements are
 * kept so. get and set test the index, set that the vector is not frozen, and fail with an error;
 * ref and put are for indices proven in range, put for vectors that nothing can freeze. */
#define VK_AT_INDEX(vector, i) VK_ITEM(VK_VEC(vector)->store, VK_FIX(i))
#define VK_HAS_INDEX(vector, i) VK_LIKELY((uint64_t)(i) < VK_VEC(vector)->len)
#define VK_IS_OPEN(vector) VK_LIKELY(!(*VK_OBJ(vector) & VK_FROZEN))

#define vk_has_index(vector, i) ((int64_t)VK_HAS_INDEX(vector, i))
#define vk_values_ref(vector, i) (*VK_AT_INDEX(vector, i))
#define vk_bytes_ref(vector, i) ((int64_t)VK_BYTE_ITEMS(VK_VEC(vector)->store)[i])
#define vk_floats_ref(vector, i) (VK_FLOAT_ITEMS(VK_VEC(vector)->store)[i])

/* The same by the address of the elements and their number, found before a loop (valkc/bases.c). */
#define vk_items_of(vector) ((int64_t)(uintptr_t)VK_ITEM(VK_VEC(vector)->store, 0))
#define vk_is_below(len, i) ((int64_t)VK_LIKELY((uint64_t)(i) < (uint64_t)(len)))
#define vk_bytes_at(items, i) ((int64_t)((int8_t *)(uintptr_t)(items))[i])
#define vk_floats_at(items, i) (((double *)(uintptr_t)(items))[i])
#define vk_values_at(items, i) (((V *)(uintptr_t)(items))[i])
static inline V vk_bytes_at_put(int64_t items, int64_t i, int64_t item) {
  ((int8_t *)(uintptr_t)items)[i] = (int8_t)item;
  return VK_NIL;
}
static inline V vk_floats_at_put(int64_t items, int64_t i, double item) {
  ((double *)(uintptr_t)items)[i] = item;
  return VK_NIL;
}
static inline V vk_values_at_put(int64_t items, int64_t i, V item) {
  ((V *)(uintptr_t)items)[i] = item;
  return VK_NIL;
}

static inline V vk_vector_get(vk *c, V vector, int64_t i, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_VECTOR_OF(vector, VK_VALUES)) && VK_HAS_INDEX(vector, i))
    return vk_values_ref(vector, i);
  return vk_flat_get(c, vector, VK_FIX(i), pos);
}
static inline V vk_values_get(vk *c, V vector, int64_t i, const VkPos *pos) {
  if (VK_HAS_INDEX(vector, i)) return vk_values_ref(vector, i);
  return vk_vec_get_slow(c, vector, VK_FIX(i), pos);
}
static inline V vk_values_put(vk *c, V vector, int64_t i, V item) {
  V store = VK_VEC(vector)->store;
  vk_write(c, store, VK_ITEM(store, VK_FIX(i)), item);
  return VK_NIL;
}
/* Neither the old nor the new element is an address: no barrier. */
static inline V vk_values_put_immediate(V vector, int64_t i, V item) {
  *VK_AT_INDEX(vector, i) = item;
  return VK_NIL;
}
static inline V vk_bytes_put(V vector, int64_t i, int64_t item) {
  VK_BYTE_ITEMS(VK_VEC(vector)->store)[i] = (int8_t)item;
  return VK_NIL;
}
static inline V vk_floats_put(V vector, int64_t i, double item) {
  VK_FLOAT_ITEMS(VK_VEC(vector)->store)[i] = item;
  return VK_NIL;
}

/* Vectors that keep floats as long as no error was put in. */
#define vk_has_float(vector, i)                                                                \
  ((int64_t)(VK_LIKELY(VK_IS_VECTOR_OF(vector, VK_FLOATS)) && VK_HAS_INDEX(vector, i)))
#define vk_takes_float(vector, i)                                                              \
  ((int64_t)(VK_LIKELY(VK_IS_OPEN_VECTOR_OF(vector, VK_FLOATS)) && VK_HAS_INDEX(vector, i)))

/* Of any value. */
#define vk_is_float_at(v, i) ((int64_t)(VK_LIKELY(VK_IS_OBJ(v)) && vk_has_float(v, i)))
#define vk_may_float_at(v, i) ((int64_t)(VK_LIKELY(VK_IS_OBJ(v)) && vk_takes_float(v, i)))

static inline V vk_vector_set(vk *c, V vector, int64_t i, V item, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_OPEN_VECTOR_OF(vector, VK_VALUES)) && VK_HAS_INDEX(vector, i))
    return vk_values_put(c, vector, i, item);
  return vk_flat_set(c, vector, VK_FIX(i), item, pos);
}
static inline V vk_values_set(vk *c, V vector, int64_t i, V item, const VkPos *pos) {
  if (VK_HAS_INDEX(vector, i) && VK_IS_OPEN(vector)) return vk_values_put(c, vector, i, item);
  return vk_vec_set_slow(c, vector, VK_FIX(i), item, pos);
}
static inline V vk_values_set_immediate(vk *c, V vector, int64_t i, V item, const VkPos *pos) {
  if (VK_HAS_INDEX(vector, i) && VK_IS_OPEN(vector)) return vk_values_put_immediate(vector, i, item);
  return vk_vec_set_slow(c, vector, VK_FIX(i), item, pos);
}
static inline V vk_bytes_set(vk *c, V vector, int64_t i, int64_t item, const VkPos *pos) {
  if (VK_HAS_INDEX(vector, i) && VK_IS_OPEN(vector)) return vk_bytes_put(vector, i, item);
  return vk_vec_set_slow(c, vector, VK_FIX(i), VK_FIX(item), pos);
}
static inline V vk_floats_set(vk *c, V vector, int64_t i, double item, const VkPos *pos) {
  if (VK_HAS_INDEX(vector, i) && VK_IS_OPEN(vector)) return vk_floats_put(vector, i, item);
  return vk_vec_set_slow(c, vector, VK_FIX(i), vk_from_double(c, item), pos);
}

static inline V vk_values_push(vk *c, V vector, V item, const VkPos *pos) {
  VkVector *v = VK_VEC(vector);
  if (VK_IS_OPEN(vector) && VK_LIKELY(v->len < VK_STOREP(v->store)->capacity)) {
    v->len++;
    return vk_values_put(c, vector, (int64_t)v->len - 1, item);
  }
  return vk_vec_push_slow(c, vector, item, pos);
}
static inline V vk_bytes_push(vk *c, V vector, int64_t item, const VkPos *pos) {
  VkVector *v = VK_VEC(vector);
  if (VK_IS_OPEN(vector) && v->store != VK_NIL && VK_LIKELY(v->len < VK_RAWP(v->store)->bytes))
    return vk_bytes_put(vector, (int64_t)v->len++, item);
  return vk_vec_push_slow(c, vector, VK_FIX(item), pos);
}
static inline V vk_floats_push(vk *c, V vector, double item, const VkPos *pos) {
  VkVector *v = VK_VEC(vector);
  if (VK_IS_OPEN(vector) && v->store != VK_NIL && VK_LIKELY(v->len < VK_RAWP(v->store)->bytes / 8))
    return vk_floats_put(vector, (int64_t)v->len++, item);
  return vk_vec_push_slow(c, vector, vk_from_double(c, item), pos);
}

static inline V vk_any_floats_push(vk *c, V vector, double item, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_VECTOR_OF(vector, VK_FLOATS))) return vk_floats_push(c, vector, item, pos);
  return vk_vec_push_slow(c, vector, vk_from_double(c, item), pos);
}

/* Vectors that flow wants to hold values, whatever the first ones are. */
V vk_vec_values(vk *c, size_t n, const V *args);
V vk_vec_make_values(vk *c, size_t n, const V *args);
V vk_vec_slice_values(vk *c, size_t n, const V *args);
V vk_list_to_values(vk *c, V l);
V vk_unpack_values(vk *c, V l);
#endif
