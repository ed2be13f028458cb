/* bits.c - bit operations: integers of any size as infinite two's complement. */
#include "bigint.h"
#include "fns.h"

/* name(a, b), its slow path in ops.h, and name over any number of arguments. */
#define BIT_OPERATION(name, who, op, on_digits)                                                \
  V vk_bit_##name(vk *c, V a, V b) {                                                           \
    if (VK_IS_FIX2(a, b)) return a op b;                                                       \
    if (!VK_IS_INT(a)) return vk_arg_error(c, who, 1, a, "an integer");                        \
    if (!VK_IS_INT(b)) return vk_arg_error(c, who, 2, b, "an integer");                        \
    return big_in_place(c, a, b, on_digits);                                                   \
  }                                                                                            \
  V vk_bit_##name##_slow(vk *c, V a, V b, const VkPos *pos) {                                  \
    return vk_number_on(c, vk_bit_##name, a, b, pos);                                          \
  }                                                                                            \
  V vk_bit_##name##_n(vk *c, size_t n, const V *args) {                                        \
    for (size_t i = 0; i < n; i++)                                                             \
      if (!VK_IS_INT(args[i])) return vk_arg_error(c, who, (int)i + 1, args[i], "an integer"); \
    V r = args[0];                                                                             \
    for (size_t i = 1; i < n && !VK_IS_ABN(r); i++) r = vk_bit_##name(c, r, args[i]);          \
    return r;                                                                                  \
  }
BIT_OPERATION(and, "bit/and", &, mp_and)
BIT_OPERATION(or, "bit/or", |, mp_or)
BIT_OPERATION(xor, "bit/xor", ^, mp_xor)

V vk_bit_not(vk *c, V a) { /* -1 - a */
  if (VK_IS_FIX(a)) return VK_FIX(~VK_INT(a));
  if (!VK_IS_INT(a)) return vk_arg_error(c, "bit/not", 1, a, "an integer");
  return big_sub(c, VK_FIX(-1), a);
}

/* ---- shifts ------------------------------------------------------------------------------ */

/* VK_NIL if a and n are an integer and a count of bits, else the error. */
static V check_shift(vk *c, const char *who, V a, V n) {
  if (!VK_IS_INT(a)) return vk_arg_error(c, who, 1, a, "an integer");
  if (!VK_IS_INT(n)) return vk_arg_error(c, who, 2, n, "an integer");
  if (big_sign(n) >= 0) return VK_NIL;
  return vk_errorf(c, VK_SYM(range), "%s: the number of bits is negative", who);
}

V vk_bit_shl(vk *c, V a, V n) {
  V failure = check_shift(c, "bit/shl", a, n);
  if (failure != VK_NIL) return failure;
  if (a == VK_FIX(0) || (n == VK_FIX(0) && VK_IS_FIX(a))) return a;
  if (!VK_IS_FIX(n) || VK_INT(n) > BIG_BITS_MAX) return big_too_large(c);
  int bits = (int)VK_INT(n);
  return big_shift_in_place(c, a, bits, bits / MP_DIGIT_BIT + 1, mp_mul_2d);
}

V vk_bit_shr(vk *c, V a, V n) {
  V failure = check_shift(c, "bit/shr", a, n);
  if (failure != VK_NIL) return failure;
  V all_gone = VK_FIX(big_sign(a) < 0 ? -1 : 0);
  if (!VK_IS_FIX(n) || VK_INT(n) > BIG_BITS_MAX + MP_DIGIT_BIT) return all_gone;
  if (VK_IS_FIX(a)) return VK_INT(n) > 60 ? all_gone : VK_FIX(VK_INT(a) >> VK_INT(n));
  return big_shift_in_place(c, a, (int)VK_INT(n), 0, mp_signed_rsh);
}

V vk_bit_shl_slow(vk *c, V a, V n, const VkPos *pos) {
  return vk_number_on(c, vk_bit_shl, a, n, pos);
}

V vk_bit_shr_slow(vk *c, V a, V n, const VkPos *pos) {
  return vk_number_on(c, vk_bit_shr, a, n, pos);
}
