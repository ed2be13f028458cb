/* numbers.c - arithmetic and comparison of integers and floats.
 *
 * Fixnums are done inline (ops.h); here come, in this order, floats, fixnums that overflow, and
 * big integers (bigint.c). An operation on an integer and a float is one on floats; comparisons
 * of the two are exact. */
#include "numbers.h"
#include <assert.h>
#include "bigint.h"
#include "fns.h"
#include "scratch.h"
#include <math.h>

/* ---- where they go ----------------------------------------------------------------------- */

_Static_assert(_Alignof(VkPos) > VK_ON_SCRATCH_1, "a place and where a number goes, in one word");
V vk_number_on(vk *c, VkBinary *op, V a, V b, const VkPos *pos) {
  unsigned where = (unsigned)((uintptr_t)pos & (_Alignof(VkPos) - 1));
  c->number_where = VK_OPEN(c, where);
  V r = op(c, a, b);
  c->number_where = VK_ON_HEAP;
  return VK_UNLIKELY(VK_IS_ABN(r)) ? vk_at(c, r, (const VkPos *)((const char *)pos - where)) : r;
}

/* ---- conversions ------------------------------------------------------------------------- */

static const VkFloat float_inf VK_ALIGN16 = {VK_HDR(VK_FLOAT, 0, 0), HUGE_VAL};
static const VkFloat float_minus_inf VK_ALIGN16 = {VK_HDR(VK_FLOAT, 0, 0), -HUGE_VAL};
static const VkFloat float_nan VK_ALIGN16 = {VK_HDR(VK_FLOAT, 0, 0), NAN};

V vk_float_box(vk *c, double d) {
  if (isnan(d)) return VK_FROM_OBJ(&float_nan);
  if (isinf(d)) return VK_FROM_OBJ(d > 0 ? &float_inf : &float_minus_inf);
  VkFloat *f = vk_number_room(c, sizeof *f);
  f->hdr = VK_HDR(VK_FLOAT, 0, 0);
  f->value = d;
  return VK_FROM_OBJ(f);
}

V vk_int_from_i64(vk *c, int64_t n) {
  return n >= VK_FIX_MIN && n <= VK_FIX_MAX ? VK_FIX(n) : big_from_i128(c, n);
}

V vk_int_from_u64(vk *c, uint64_t n) {
  return n <= (uint64_t)VK_FIX_MAX ? VK_FIX(n) : big_from_i128(c, n);
}

V vk_big_from_decimal(vk *c, const char *text, size_t len) {
  bool is_signed = len > 0 && (*text == '-' || *text == '+');
  return big_from_digits(c, is_signed && *text == '-', text + is_signed, len - is_signed, 10);
}

bool vk_to_i64(V v, int64_t *out) {
  if (VK_IS_FIX(v)) {
    *out = VK_INT(v);
    return true;
  }
  if (!VK_IS_KIND(v, VK_BIGINT)) return false;
  BigView w;
  const mp_int *m = big_view(&w, v);
  if (m->used > 2 || m->dp[1] >> (64 - MP_DIGIT_BIT)) return false;
  uint64_t magnitude = m->dp[1] << MP_DIGIT_BIT | m->dp[0];
  if (magnitude > (uint64_t)INT64_MAX + (m->sign == MP_NEG)) return false;
  *out = (int64_t)(m->sign == MP_NEG ? -magnitude : magnitude);
  return true;
}

double vk_num_to_double(V v) {
  if (VK_IS_FIX(v)) return (double)VK_INT(v);
  return VK_IS_FLOAT(v) ? vk_double(v) : big_to_double(v);
}

V vk_int_from_double(vk *c, double x) {
  x = trunc(x);
  if (x >= -0x1p60 && x < 0x1p60) return VK_FIX((int64_t)x);
  return big_from_double(c, x);
}

/* The error for the first of the two operands that is no number. */
static VK_COLD V operand_error(vk *c, const char *who, V a, V b) {
  return vk_is_number(a) ? vk_arg_error(c, who, 2, b, "a number")
                         : vk_arg_error(c, who, 1, a, "a number");
}

static inline bool are_numbers(V a, V b) { return vk_is_number(a) && vk_is_number(b); }
static inline bool is_any_float(V a, V b) { return VK_IS_FLOAT(a) || VK_IS_FLOAT(b); }

/* ---- sums, differences, products --------------------------------------------------------- */

V vk_add(vk *c, V a, V b) {
  if (VK_IS_FIX2(a, b)) return vk_int_from_i64(c, VK_INT(a) + VK_INT(b));
  if (!are_numbers(a, b)) return operand_error(c, "+", a, b);
  if (is_any_float(a, b)) return vk_from_double(c, vk_num_to_double(a) + vk_num_to_double(b));
  return big_add(c, a, b);
}

V vk_sub(vk *c, V a, V b) {
  if (VK_IS_FIX2(a, b)) return vk_int_from_i64(c, VK_INT(a) - VK_INT(b));
  if (!are_numbers(a, b)) return operand_error(c, "-", a, b);
  if (is_any_float(a, b)) return vk_from_double(c, vk_num_to_double(a) - vk_num_to_double(b));
  return big_sub(c, a, b);
}

V vk_mul(vk *c, V a, V b) {
  if (VK_IS_FIX2(a, b)) {
    int64_t r;
    if (!__builtin_mul_overflow(VK_INT(a), (int64_t)b, &r)) return (V)r;
    return big_from_i128(c, (__int128)VK_INT(a) * VK_INT(b));
  }
  if (!are_numbers(a, b)) return operand_error(c, "*", a, b);
  if (is_any_float(a, b)) return vk_from_double(c, vk_num_to_double(a) * vk_num_to_double(b));
  return big_mul(c, a, b);
}

/* ---- quotients --------------------------------------------------------------------------- */

static VK_COLD V zero_division(vk *c) {
  return vk_errorf(c, VK_SYM(zero_division), "Division By Zero");
}

V vk_div(vk *c, V a, V b) {
  if (!are_numbers(a, b)) return operand_error(c, "/", a, b);
  if (is_any_float(a, b)) return vk_from_double(c, vk_num_to_double(a) / vk_num_to_double(b));
  if (b == VK_FIX(0)) return zero_division(c);
  if (VK_IS_FIX2(a, b)) return vk_int_from_i64(c, VK_INT(a) / VK_INT(b));
  return big_quotient(c, a, b);
}

V vk_rem(vk *c, V a, V b) {
  if (!are_numbers(a, b)) return operand_error(c, "%", a, b);
  if (is_any_float(a, b))
    return vk_from_double(c, fmod(vk_num_to_double(a), vk_num_to_double(b)));
  if (b == VK_FIX(0)) return zero_division(c);
  if (VK_IS_FIX2(a, b)) return VK_FIX(VK_INT(a) % VK_INT(b));
  return big_remainder(c, a, b);
}

/* As Python's: a zero result has the divisor's sign too. */
static double float_modulo(double x, double y) {
  double r = fmod(x, y);
  if (r == 0) return copysign(0.0, y);
  return (r < 0) != (y < 0) ? r + y : r;
}

V vk_mod(vk *c, V a, V b) {
  if (!are_numbers(a, b)) return operand_error(c, "mod", a, b);
  if (is_any_float(a, b))
    return vk_from_double(c, float_modulo(vk_num_to_double(a), vk_num_to_double(b)));
  if (b == VK_FIX(0)) return zero_division(c);
  if (!VK_IS_FIX2(a, b)) return big_modulo(c, a, b);
  int64_t n = VK_INT(b), r = VK_INT(a) % n;
  return VK_FIX(r != 0 && (r ^ n) < 0 ? r + n : r);
}

/* ---- comparison -------------------------------------------------------------------------- */

/* An integer against a double: exact, where converting either would lose bits. */
static int compare_int_double(V n, double x) {
  if (isnan(x)) return VK_UNORDERED;
  if (!VK_IS_FIX(n)) return big_compare_double(n, x);
  if (x >= 0x1p60) return -1;
  if (x < -0x1p60) return 1;
  int64_t i = VK_INT(n), whole = (int64_t)x;
  if (i != whole) return i < whole ? -1 : 1;
  double fraction = x - (double)whole;
  return (fraction < 0) - (fraction > 0);
}

int vk_num_compare(V a, V b) {
  if (VK_IS_FIX2(a, b)) return ((int64_t)a > (int64_t)b) - ((int64_t)a < (int64_t)b);
  bool is_a_float = VK_IS_FLOAT(a), is_b_float = VK_IS_FLOAT(b);
  if (is_a_float && is_b_float) {
    double x = vk_double(a), y = vk_double(b);
    return x < y ? -1 : x > y ? 1 : x == y ? 0 : VK_UNORDERED;
  }
  if (is_b_float) return compare_int_double(a, vk_double(b));
  if (!is_a_float) return big_compare(a, b);
  int order = compare_int_double(b, vk_double(a));
  return order == VK_UNORDERED ? order : -order;
}

bool vk_num_equal(V a, V b) { return vk_num_compare(a, b) == 0; }

int vk_num_order(V a, V b) {
  int order = vk_num_compare(a, b);
  if (order != VK_UNORDERED) return order;
  bool is_a_nan = VK_IS_FLOAT(a) && isnan(vk_double(a));
  bool is_b_nan = VK_IS_FLOAT(b) && isnan(vk_double(b));
  return is_a_nan - is_b_nan;
}

/* One row of the four comparisons: `test` of the order of a and b. */
#define COMPARISON(name, who, test)                                                            \
  V vk_##name(vk *c, V a, V b) {                                                               \
    if (!are_numbers(a, b)) return operand_error(c, who, a, b);                                \
    int order = vk_num_compare(a, b);                                                          \
    return VK_FIX(test);                                                                       \
  }                                                                                            \
  V vk_##name##_n(vk *c, size_t n, const V *args) {                                            \
    (void)n;                                                                                   \
    return vk_##name(c, args[0], args[1]);                                                     \
  }
COMPARISON(lt, "<", order == -1)
COMPARISON(gt, ">", order == 1)
COMPARISON(le, "<=", order <= 0)
COMPARISON(ge, ">=", order == 0 || order == 1)

V vk_ord(vk *c, V a, V b) {
  if (VK_IS_STRING(a) && VK_IS_STRING(b)) return VK_FIX(vk_string_compare(a, b));
  if (are_numbers(a, b)) return VK_FIX(vk_num_order(a, b));
  if (VK_IS_STRING(a)) return vk_arg_error(c, "ord", 2, b, "a string, as the first");
  if (vk_is_number(a)) return vk_arg_error(c, "ord", 2, b, "a number, as the first");
  return vk_arg_error(c, "ord", 1, a, "a number or a string");
}

V vk_not(vk *c, V a) {
  (void)c;
  return VK_IS_ABN(a) ? a : VK_FIX(VK_IS_FALSE(a));
}
V vk_not_slow(vk *c, V a, const VkPos *pos) { return VK_AT(c, vk_not(c, a), pos); }

V vk_min(vk *c, V a, V b) {
  if (!are_numbers(a, b)) return operand_error(c, "min", a, b);
  int order = vk_num_compare(a, b);
  if (order == VK_UNORDERED) return vk_from_double(c, NAN);
  return order <= 0 ? a : b;
}

V vk_max(vk *c, V a, V b) {
  if (!are_numbers(a, b)) return operand_error(c, "max", a, b);
  int order = vk_num_compare(a, b);
  if (order == VK_UNORDERED) return vk_from_double(c, NAN);
  return order >= 0 ? a : b;
}

V vk_min_slow(vk *c, V a, V b, const VkPos *pos) {
  V r = vk_min(c, a, b);
  return VK_AT(c, r, pos);
}
V vk_max_slow(vk *c, V a, V b, const VkPos *pos) {
  V r = vk_max(c, a, b);
  return VK_AT(c, r, pos);
}

/* ---- hash -------------------------------------------------------------------------------- */

/* As CPython's: a whole number hashes by its value modulo the prime 2^61 - 1, which a double of
 * any size can compute too, because 2^61 is 1 modulo it. */
#define HASH_PRIME (((uint64_t)1 << 61) - 1)

static uint64_t hash_mix(uint64_t h) { /* the finaliser of MurmurHash3 */
  h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
  h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
  return h ^ h >> 33;
}

static uint64_t rotate61(uint64_t n, unsigned by) { /* n * 2^by modulo the prime; n < 2^61 */
  return by == 0 ? n : (n << by & HASH_PRIME) | n >> (61 - by);
}

static uint64_t residue_double(double magnitude) {
  int exponent;
  uint64_t mantissa = (uint64_t)ldexp(frexp(magnitude, &exponent), 53);
  unsigned by = (unsigned)(((exponent - 53) % 61 + 61) % 61);
  return rotate61(mantissa, by);
}

static uint64_t residue_big(const mp_int *m) {
  uint64_t h = 0;
  for (int i = m->used - 1; i >= 0; i--) {
    h = rotate61(h, MP_DIGIT_BIT) + m->dp[i];
    if (h >= HASH_PRIME) h -= HASH_PRIME;
  }
  return h;
}

static uint64_t hash_whole(uint64_t residue, bool is_negative) {
  return hash_mix(is_negative ? ~residue : residue);
}

uint64_t vk_num_hash(V v) {
  if (VK_IS_FIX(v)) {
    int64_t n = VK_INT(v);
    return hash_whole(n < 0 ? -(uint64_t)n : (uint64_t)n, n < 0);
  }
  if (VK_IS_FLOAT(v)) {
    double x = vk_double(v);
    if (isfinite(x) && x == trunc(x)) return hash_whole(residue_double(fabs(x)), x < 0);
    return hash_mix(vk_float_bits(x)); /* there is only one nan */
  }
  BigView w;
  const mp_int *m = big_view(&w, v);
  return hash_whole(residue_big(m), m->sign == MP_NEG);
}

/* ---- the slow paths of ops.h ------------------------------------------------------------- */

/* Two immediate floats that give one first: the commonest case that is not inline. */
#define SLOW_FLOAT(name, x, y, result)                                                         \
  V vk_##name##_slow(vk *c, V a, V b, const VkPos *pos) {                                      \
    if (VK_LIKELY(VK_IS_IMM_FLOAT(a) && VK_IS_IMM_FLOAT(b))) {                                 \
      double x = vk_imm_double(a), y = vk_imm_double(b);                                       \
      V r = vk_immediate(result);                                                              \
      if (VK_LIKELY(VK_IS_IMM_FLOAT(r))) return r;                                             \
    }                                                                                          \
    return vk_number_on(c, vk_##name, a, b, pos);                                              \
  }
SLOW_FLOAT(add, x, y, x + y)
SLOW_FLOAT(sub, x, y, x - y)
SLOW_FLOAT(mul, x, y, x *y)
SLOW_FLOAT(div, x, y, x / y)

#define SLOW_COMPARISON(name, test)                                                            \
  V vk_##name##_slow(vk *c, V a, V b, const VkPos *pos) {                                      \
    if (VK_LIKELY(VK_IS_IMM_FLOAT(a) && VK_IS_IMM_FLOAT(b)))                                   \
      return VK_FIX(vk_imm_double(a) test vk_imm_double(b));                                   \
    V r = vk_##name(c, a, b);                                                                  \
    return VK_AT(c, r, pos);                                                                   \
  }
SLOW_COMPARISON(lt, <)
SLOW_COMPARISON(gt, >)
SLOW_COMPARISON(le, <=)
SLOW_COMPARISON(ge, >=)

V vk_rem_slow(vk *c, V a, V b, const VkPos *pos) { return vk_number_on(c, vk_rem, a, b, pos); }
V vk_mod_slow(vk *c, V a, V b, const VkPos *pos) { return vk_number_on(c, vk_mod, a, b, pos); }

/* ---- any number of arguments ------------------------------------------------------------- */

/* args[0] op args[1] ...; at least one. The arguments are checked before any work is done. */
static V fold(vk *c, const char *who, VkBinary *op, size_t n, const V *args) {
  for (size_t i = 0; i < n; i++)
    if (!vk_is_number(args[i])) return vk_arg_error(c, who, (int)i + 1, args[i], "a number");
  V r = args[0];
  for (size_t i = 1; i < n && !VK_IS_ABN(r); i++) r = op(c, r, args[i]);
  return r;
}

static V needs_arguments(vk *c, const char *who) {
  return vk_errorf(c, VK_SYM(arity), "%s: needs at least one argument", who);
}

V vk_add_n(vk *c, size_t n, const V *args) {
  return n == 0 ? VK_FIX(0) : fold(c, "+", vk_add, n, args);
}

V vk_mul_n(vk *c, size_t n, const V *args) {
  return n == 0 ? VK_FIX(1) : fold(c, "*", vk_mul, n, args);
}

/* 0 - x would turn -(0.0) into 0.0. */
static V negate(vk *c, V x) {
  return VK_IS_FLOAT(x) ? vk_from_double(c, -vk_double(x)) : vk_sub(c, VK_FIX(0), x);
}

V vk_neg(vk *c, V x) {
  return vk_is_number(x) ? negate(c, x) : vk_arg_error(c, "-", 1, x, "a number");
}
static V neg_first(vk *c, V x, V unused) {
  (void)unused;
  return vk_neg(c, x);
}
V vk_neg_slow(vk *c, V x, const VkPos *pos) { return vk_number_on(c, neg_first, x, x, pos); }

V vk_sub_n(vk *c, size_t n, const V *args) {
  if (n == 0) return needs_arguments(c, "-");
  if (n == 1) return vk_neg(c, args[0]);
  return fold(c, "-", vk_sub, n, args);
}

V vk_div_n(vk *c, size_t n, const V *args) {
  if (n == 0) return needs_arguments(c, "/");
  if (n == 1 && vk_is_number(args[0])) return vk_div(c, VK_FIX(1), args[0]);
  return fold(c, "/", vk_div, n, args);
}

V vk_min_n(vk *c, size_t n, const V *args) { return fold(c, "min", vk_min, n, args); }
V vk_max_n(vk *c, size_t n, const V *args) { return fold(c, "max", vk_max, n, args); }

/* ---- type predicates --------------------------------------------------------------------- */

V vk_int_p(vk *c, V v) {
  (void)c;
  return VK_FIX(VK_IS_INT(v));
}

V vk_float_p(vk *c, V v) {
  (void)c;
  return VK_FIX(VK_IS_FLOAT(v));
}

V vk_number_p(vk *c, V v) {
  (void)c;
  return VK_FIX(vk_is_number(v));
}

/* Requires: a big integer of 64 bits, as the compiler has proven. */
int64_t vk_big_to_int64(V v) {
  int64_t n = 0;
  bool fits = vk_to_i64(v, &n);
  assert(fits);
  return n;
}
