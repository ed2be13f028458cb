/* math.c - elementary functions, rounding, powers, divisors. */
#include "bigint.h"
#include "fns.h"
#include <math.h>

/* ---- functions of doubles ---------------------------------------------------------------- */

/* As IEEE and C's libm: outside their domain they give nan, never an error. */
#define RAW_FUNCTION(name)                                                                      \
  double vk_float_##name(double x) { return name(x); }
RAW_FUNCTION(exp)
RAW_FUNCTION(log)
RAW_FUNCTION(sin)
RAW_FUNCTION(cos)
RAW_FUNCTION(tan)
RAW_FUNCTION(asin)
RAW_FUNCTION(acos)

#define FLOAT_FUNCTION(name, fn)                                                               \
  V vk_##name(vk *c, V v) {                                                                    \
    if (!vk_is_number(v)) return vk_arg_error(c, #name, 1, v, "a number");                     \
    return vk_from_double(c, fn(vk_num_to_double(v)));                                         \
  }
FLOAT_FUNCTION(sqrt, sqrt)
FLOAT_FUNCTION(exp, exp)
FLOAT_FUNCTION(sin, sin)
FLOAT_FUNCTION(cos, cos)
FLOAT_FUNCTION(tan, tan)
FLOAT_FUNCTION(asin, asin)
FLOAT_FUNCTION(acos, acos)

V vk_log(vk *c, V v) {
  if (!vk_is_number(v)) return vk_arg_error(c, "log", 1, v, "a number");
  if (VK_IS_KIND(v, VK_BIGINT) && big_sign(v) > 0) return vk_from_double(c, big_log(v));
  return vk_from_double(c, log(vk_num_to_double(v)));
}

V vk_atan_n(vk *c, size_t n, const V *args) {
  for (size_t i = 0; i < n; i++)
    if (!vk_is_number(args[i])) return vk_arg_error(c, "atan", (int)i + 1, args[i], "a number");
  double y = vk_num_to_double(args[0]);
  return vk_from_double(c, n == 1 ? atan(y) : atan2(y, vk_num_to_double(args[1])));
}

V vk_abs(vk *c, V v) {
  if (VK_IS_FIX(v)) return vk_int_from_i64(c, VK_INT(v) < 0 ? -VK_INT(v) : VK_INT(v));
  if (VK_IS_FLOAT(v)) return vk_from_double(c, fabs(vk_double(v)));
  if (VK_IS_KIND(v, VK_BIGINT)) return big_sign(v) < 0 ? big_sub(c, VK_FIX(0), v) : v;
  return vk_arg_error(c, "abs", 1, v, "a number");
}

V vk_float(vk *c, V v) {
  if (!vk_is_number(v)) return vk_arg_error(c, "float", 1, v, "a number");
  return VK_IS_FLOAT(v) ? v : vk_from_double(c, vk_num_to_double(v));
}

/* ---- to integers ------------------------------------------------------------------------- */

static V to_integer(vk *c, const char *who, V v, double (*round_it)(double)) {
  if (VK_IS_INT(v)) return v;
  if (!VK_IS_FLOAT(v)) return vk_arg_error(c, who, 1, v, "a number");
  double x = vk_double(v);
  if (isfinite(x)) return vk_int_from_double(c, round_it(x));
  return vk_errorf(c, VK_SYM(range), "%s: %s is no integer", who,
                   isnan(x) ? "+nan.0"
                   : x > 0  ? "+inf.0"
                            : "-inf.0");
}

V vk_floor(vk *c, V v) { return to_integer(c, "floor", v, floor); }
V vk_ceil(vk *c, V v) { return to_integer(c, "ceil", v, ceil); }
V vk_round(vk *c, V v) { return to_integer(c, "round", v, nearbyint); } /* half to even */
V vk_trunc(vk *c, V v) { return to_integer(c, "trunc", v, trunc); }
V vk_int(vk *c, V v) { return to_integer(c, "int", v, trunc); }

/* ---- powers ------------------------------------------------------------------------------ */

/* Integer base, |base| >= 2, exponent >= 1. The size is bounded before work starts: the result
 * has more than (bits - 1) * exponent bits. */
static V integer_power(vk *c, V base, uint64_t exponent) {
  BigView w;
  const mp_int *b = big_view(&w, base);
  uint64_t bits = (uint64_t)mp_count_bits(b);
  if (exponent > UINT32_MAX || (bits - 1) * exponent > (uint64_t)BIG_BITS_MAX)
    return big_too_large(c);
  mp_int r;
  mp_err e = mp_init(&r);
  if (e == MP_OKAY) e = mp_expt_u32(b, (uint32_t)exponent, &r);
  return big_take(c, e, &r);
}

static V power_of_integers(vk *c, V base, V exponent) {
  if (exponent == VK_FIX(0) || base == VK_FIX(1)) return VK_FIX(1);
  if ((exponent == VK_FIX(1) && VK_IS_FIX(base)) || base == VK_FIX(0)) return base;
  if (base == VK_FIX(-1)) {
    BigView w;
    return mp_isodd(big_view(&w, exponent)) ? base : VK_FIX(1);
  }
  return VK_IS_FIX(exponent) ? integer_power(c, base, (uint64_t)VK_INT(exponent))
                             : big_too_large(c);
}

V vk_pow(vk *c, V base, V exponent) {
  if (!vk_is_number(base)) return vk_arg_error(c, "pow", 1, base, "a number");
  if (!vk_is_number(exponent)) return vk_arg_error(c, "pow", 2, exponent, "a number");
  if (VK_IS_INT(base) && VK_IS_INT(exponent) && big_sign(exponent) >= 0)
    return power_of_integers(c, base, exponent);
  return vk_from_double(c, pow(vk_num_to_double(base), vk_num_to_double(exponent)));
}

/* ---- divisors ---------------------------------------------------------------------------- */

static V gcd_fixnums(vk *c, int64_t a, int64_t b) {
  while (b != 0) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return vk_int_from_i64(c, a < 0 ? -a : a);
}

V vk_gcd(vk *c, V a, V b) {
  if (VK_IS_FIX2(a, b)) return gcd_fixnums(c, VK_INT(a), VK_INT(b));
  if (!VK_IS_INT(a)) return vk_arg_error(c, "gcd", 1, a, "an integer");
  if (!VK_IS_INT(b)) return vk_arg_error(c, "gcd", 2, b, "an integer");
  BigView wa, wb;
  mp_int r;
  mp_err e = mp_init(&r);
  if (e == MP_OKAY) e = mp_gcd(big_view(&wa, a), big_view(&wb, b), &r);
  return big_take(c, e, &r);
}

V vk_gcd_n(vk *c, size_t n, const V *args) {
  for (size_t i = 0; i < n; i++)
    if (!VK_IS_INT(args[i])) return vk_arg_error(c, "gcd", (int)i + 1, args[i], "an integer");
  V r = VK_FIX(0);
  for (size_t i = 0; i < n && !VK_IS_ABN(r); i++) r = vk_gcd(c, r, args[i]);
  return r;
}
