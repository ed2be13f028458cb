/* fast.h - primitives on operands whose types the compiler has proven (included by vk.h).
 *
 * int64_t operands are integers in fixnum range, untagged; results too, where the compiler proved
 * that they are in range. Rows of valkc/fast_ops.def say what each one requires. */
#ifndef VK_FAST_H
#define VK_FAST_H
#include <math.h>

#define vk_int_add(a, b) ((a) + (b))
#define vk_int_sub(a, b) ((a) - (b))
#define vk_int_mul(a, b) ((a) * (b))
#define vk_int_neg(a) (-(a))
#define vk_int_div(a, b) ((a) / (b))
#define vk_int_rem(a, b) ((a) % (b))
static inline int64_t vk_int_mod(int64_t a, int64_t b) {
  int64_t r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
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
#define vk_int_to_float(a) ((double)(a))

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

#define vk_float_add(a, b) ((a) + (b))
#define vk_float_sub(a, b) ((a) - (b))
#define vk_float_mul(a, b) ((a) * (b))
#define vk_float_div(a, b) ((a) / (b))
#define vk_float_neg(a) (-(a))
#define vk_float_same(a) (a)
#define vk_float_abs(a) fabs(a)
#define vk_float_sqrt(a) sqrt(a)

#define vk_same(a, b) ((int64_t)((a) == (b)))
#define vk_not_same(a, b) ((int64_t)((a) != (b)))
#define vk_is_nil(a) ((int64_t)((a) == VK_NIL))
#define vk_plain_list(a) ((int64_t)(VK_IS_PAIR(a) || (a) == VK_NIL))
#define vk_is_false(a) ((int64_t)VK_IS_FALSE(a))
#define vk_pair_head(a) VK_HEAD(a)
#define vk_pair_tail(a) VK_TAIL(a)
#define vk_copy(a) (a)
#define vk_vector_len(a) ((int64_t)VK_VEC(a)->len)

static inline V vk_vector_get(vk *c, V vector, int64_t i, const VkPos *pos) {
  if (VK_LIKELY((uint64_t)i < VK_VEC(vector)->len)) return *VK_ITEM(VK_VEC(vector)->store, VK_FIX(i));
  return vk_vec_get_slow(c, vector, VK_FIX(i), pos);
}
static inline V vk_vector_set(vk *c, V vector, int64_t i, V item, const VkPos *pos) {
  if (VK_LIKELY((uint64_t)i < VK_VEC(vector)->len && !(*VK_OBJ(vector) & VK_FROZEN))) {
    V store = VK_VEC(vector)->store;
    vk_write(c, store, VK_ITEM(store, VK_FIX(i)), item);
    return VK_NIL;
  }
  return vk_vec_set_slow(c, vector, VK_FIX(i), item, pos);
}
/* Neither the old nor the new element is an address: no barrier. */
static inline V vk_vector_set_immediate(vk *c, V vector, int64_t i, V item, const VkPos *pos) {
  if (VK_LIKELY((uint64_t)i < VK_VEC(vector)->len && !(*VK_OBJ(vector) & VK_FROZEN))) {
    *VK_ITEM(VK_VEC(vector)->store, VK_FIX(i)) = item;
    return VK_NIL;
  }
  return vk_vec_set_slow(c, vector, VK_FIX(i), item, pos);
}
#endif
