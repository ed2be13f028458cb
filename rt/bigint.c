/* bigint.c - arithmetic on integers beyond 61 bits: see bigint.h.
 *
 * Sums, differences, small products, shifts and bits are written straight into a new object, which
 * libtommath's functions for them allow because they grow their target only if it is too small.
 * Its other functions exchange or free their target's digits, so they get one in malloc memory.
 * Division is in bigint_divide.c, text in bigint_text.c. */
#include "bigint.h"
#include "heap.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Products whose shorter factor is below this are schoolbook, in place (libtommath starts
 * Karatsuba at about the same size). */
enum { BIG_SMALL = 64, BIG_TRY_BYTES = 1 << 16 };

const mp_int *big_view(BigView *w, V v) {
  if (VK_IS_FIX(v)) {
    int64_t n = VK_INT(v);
    uint64_t magnitude = n < 0 ? -(uint64_t)n : (uint64_t)n;
    w->fix_digits[0] = magnitude & MP_MASK;
    w->fix_digits[1] = magnitude >> MP_DIGIT_BIT;
    w->mp = (mp_int){.used = w->fix_digits[1] ? 2 : magnitude != 0,
                     .alloc = 2,
                     .sign = n < 0 ? MP_NEG : MP_ZPOS,
                     .dp = w->fix_digits};
  } else {
    VkBigint *big = (VkBigint *)VK_OBJ(v);
    int used = (int)VK_HDR_COUNT(big->hdr);
    w->mp = (mp_int){.used = used,
                     .alloc = used,
                     .sign = big->hdr & VK_NEGATIVE ? MP_NEG : MP_ZPOS,
                     .dp = big->digits};
  }
  return &w->mp;
}

V big_too_large(vk *c) {
  return vk_errorf(c, VK_SYM(range), "integer too large: more than %lld bits",
                   (long long)BIG_BITS_MAX);
}

/* ---- making results ---------------------------------------------------------------------- */

/* Zeroed room for that many digits, without a header yet, where c->number_where says or, if they are
 * many, on the heap; NULL if there is no memory. */
static VkBigint *big_room(vk *c, size_t digits) {
  size_t bytes = sizeof(VkBigint) + digits * sizeof(mp_digit);
  __atomic_store_n(&big_put_made, big_put_radix, __ATOMIC_RELAXED); /* isolates: the same one */
  return bytes < BIG_TRY_BYTES ? vk_number_room(c, bytes) : vk_try_new(c, bytes);
}

/* The number of `used` digits as a fixnum, or VK_UNBOUND if it needs a VkBigint. */
static V fixnum_of(const mp_digit *digits, int used, bool is_negative) {
  if (used == 0) return VK_FIX(0);
  if (used == 1) return VK_FIX(is_negative ? -(int64_t)digits[0] : (int64_t)digits[0]);
  if (used == 2 && is_negative && digits[1] == 1 && digits[0] == 0) return VK_FIX(VK_FIX_MIN);
  return VK_UNBOUND;
}

/* Writes the header of big, whose digits are complete; leading zero digits are dropped. */
static V big_finish(vk *c, VkBigint *big, int used, bool is_negative) {
  while (used > 0 && big->digits[used - 1] == 0) used--;
  V fix = fixnum_of(big->digits, used, is_negative);
  if (fix != VK_UNBOUND) return fix;
  if (used > BIG_DIGITS_MAX) return big_too_large(c);
  big->hdr = VK_HDR(VK_BIGINT, 0, used) | (is_negative ? VK_NEGATIVE : 0);
  return VK_FROM_OBJ(big);
}

static V big_copy_digits(vk *c, const mp_int *m) {
  V fix = fixnum_of(m->dp, m->used, m->sign == MP_NEG);
  if (fix != VK_UNBOUND) return fix;
  if (m->used > BIG_DIGITS_MAX) return big_too_large(c);
  VkBigint *big = big_room(c, (size_t)m->used);
  if (!big) return vk_out_of_memory(c, (size_t)m->used * sizeof(mp_digit));
  memcpy(big->digits, m->dp, (size_t)m->used * sizeof(mp_digit));
  return big_finish(c, big, m->used, m->sign == MP_NEG);
}

V big_from_parts(vk *c, const mp_digit *digits, int used, bool is_negative) {
  while (used > 0 && digits[used - 1] == 0) used--;
  mp_int m = {
      .used = used, .alloc = used, .sign = is_negative ? MP_NEG : MP_ZPOS, .dp = (mp_digit *)digits};
  return big_copy_digits(c, &m);
}

V big_take(vk *c, mp_err e, mp_int *r) {
  V v;
  if (e == MP_OKAY)
    v = big_copy_digits(c, r);
  else if (e == MP_MEM)
    v = vk_out_of_memory(c, (size_t)r->used * sizeof(mp_digit));
  else
    v = big_too_large(c);
  mp_clear(r);
  return v;
}

V big_from_i128(vk *c, __int128 n) {
  bool is_negative = n < 0;
  unsigned __int128 rest = is_negative ? -(unsigned __int128)n : (unsigned __int128)n;
  mp_digit digits[3];
  int used = 0;
  for (; rest; rest >>= MP_DIGIT_BIT) digits[used++] = (mp_digit)(rest & MP_MASK);
  mp_int m = {.used = used, .alloc = 3, .sign = is_negative ? MP_NEG : MP_ZPOS, .dp = digits};
  return big_copy_digits(c, &m);
}

/* ---- sums and products ------------------------------------------------------------------- */

V big_in_place(vk *c, V a, V b, BigInPlace *op) {
  BigView wa, wb;
  const mp_int *x = big_view(&wa, a), *y = big_view(&wb, b);
  int room = (x->used > y->used ? x->used : y->used) + 1;
  VkBigint *big = big_room(c, (size_t)room);
  if (!big) return vk_out_of_memory(c, (size_t)room * sizeof(mp_digit));
  mp_int target = {.used = 0, .alloc = room, .sign = MP_ZPOS, .dp = big->digits};
  mp_err e = op(x, y, &target);
  if (e != MP_OKAY || target.dp != big->digits) abort();
  return big_finish(c, big, target.used, target.sign == MP_NEG);
}

V big_shift_in_place(vk *c, V a, int bits, int room, BigShift *op) {
  BigView wa;
  const mp_int *x = big_view(&wa, a);
  room += x->used + 1;
  VkBigint *big = big_room(c, (size_t)room);
  if (!big) return vk_out_of_memory(c, (size_t)room * sizeof(mp_digit));
  mp_int target = {.used = 0, .alloc = room, .sign = MP_ZPOS, .dp = big->digits};
  mp_err e = op(x, bits, &target);
  if (e != MP_OKAY || target.dp != big->digits) abort();
  return big_finish(c, big, target.used, target.sign == MP_NEG);
}

V big_add(vk *c, V a, V b) { return big_in_place(c, a, b, mp_add); }
V big_sub(vk *c, V a, V b) { return big_in_place(c, a, b, mp_sub); }

/* out += x * y; out: x->used + y->used zeroed digits. */
static void multiply_schoolbook(mp_digit *out, const mp_int *x, const mp_int *y) {
  for (int i = 0; i < x->used; i++) {
    mp_digit carry = 0;
    for (int j = 0; j < y->used; j++) {
      unsigned __int128 t = (unsigned __int128)x->dp[i] * y->dp[j] + out[i + j] + carry;
      out[i + j] = (mp_digit)t & MP_MASK;
      carry = (mp_digit)(t >> MP_DIGIT_BIT);
    }
    out[i + y->used] = carry;
  }
}

static V multiply_large(vk *c, const mp_int *x, const mp_int *y) {
  mp_int r;
  mp_err e = mp_init_size(&r, x->used + y->used + 1);
  if (e == MP_OKAY) e = x->dp == y->dp ? mp_sqr(x, &r) : mp_mul(x, y, &r);
  return big_take(c, e, &r);
}

V big_mul(vk *c, V a, V b) {
  BigView wa, wb;
  const mp_int *x = big_view(&wa, a), *y = big_view(&wb, b);
  if (x->used > y->used) {
    const mp_int *swap = x;
    x = y, y = swap;
  }
  int used = x->used + y->used;
  if (used > BIG_DIGITS_MAX + 1) return big_too_large(c);
  if (x->used >= BIG_SMALL) return multiply_large(c, x, y);
  VkBigint *big = big_room(c, (size_t)used);
  if (!big) return vk_out_of_memory(c, (size_t)used * sizeof(mp_digit));
  multiply_schoolbook(big->digits, x, y);
  return big_finish(c, big, used, x->sign != y->sign);
}

/* ---- comparison -------------------------------------------------------------------------- */

int big_compare(V a, V b) {
  BigView wa, wb;
  return mp_cmp(big_view(&wa, a), big_view(&wb, b));
}

int big_sign(V v) {
  if (VK_IS_FIX(v)) return ((int64_t)v > 0) - ((int64_t)v < 0);
  return *VK_OBJ(v) & VK_NEGATIVE ? -1 : 1;
}

/* ---- doubles ----------------------------------------------------------------------------- */

static int bit_length(const mp_int *m) {
  return m->used * MP_DIGIT_BIT - (__builtin_clzll(m->dp[m->used - 1]) - (64 - MP_DIGIT_BIT));
}

/* The top 64 bits of |m|, the lowest set also if any bit below it is: enough for one correct
 * rounding to 53. *exponent: |m| is about the result * 2^*exponent. Requires two digits. */
static uint64_t top_bits(const mp_int *m, int64_t *exponent) {
  int low = bit_length(m) - 64; /* >= -3: the smallest VkBigint has 61 bits */
  *exponent = low;
  int first = low / MP_DIGIT_BIT, shift = low % MP_DIGIT_BIT;
  if (low < 0) return (m->dp[1] << MP_DIGIT_BIT | m->dp[0]) << -low;
  uint64_t bits = m->dp[first] >> shift | m->dp[first + 1] << (MP_DIGIT_BIT - shift);
  int have = 2 * MP_DIGIT_BIT - shift;
  if (have < 64) bits |= m->dp[first + 2] << have;
  bool is_inexact = (m->dp[first] & (((mp_digit)1 << shift) - 1)) != 0;
  for (int i = 0; i < first && !is_inexact; i++) is_inexact = m->dp[i] != 0;
  return bits | is_inexact;
}

double big_to_double(V big) {
  BigView w;
  int64_t exponent;
  const mp_int *m = big_view(&w, big);
  uint64_t bits = top_bits(m, &exponent);
  double x = exponent > DBL_MAX_EXP ? HUGE_VAL : ldexp((double)bits, (int)exponent);
  return m->sign == MP_NEG ? -x : x;
}

double big_log(V big) {
  BigView w;
  int64_t exponent;
  uint64_t bits = top_bits(big_view(&w, big), &exponent);
  return log((double)bits) + (double)exponent * M_LN2;
}

/* The digits of a finite double without fraction; at most 1024 bits. */
enum { DOUBLE_DIGITS = DBL_MAX_EXP / MP_DIGIT_BIT + 2 };
static void double_view(mp_int *m, mp_digit digits[DOUBLE_DIGITS], double x) {
  int exponent;
  uint64_t mantissa = (uint64_t)ldexp(frexp(fabs(x), &exponent), DBL_MANT_DIG);
  exponent -= DBL_MANT_DIG;
  if (exponent < 0) mantissa >>= -exponent < 63 ? -exponent : 63, exponent = 0;
  int first = exponent / MP_DIGIT_BIT, shift = exponent % MP_DIGIT_BIT;
  memset(digits, 0, DOUBLE_DIGITS * sizeof *digits);
  digits[first] = (mantissa << shift) & MP_MASK;
  digits[first + 1] = shift ? mantissa >> (MP_DIGIT_BIT - shift) : 0;
  int used = first + 2;
  while (used > 0 && digits[used - 1] == 0) used--;
  *m = (mp_int){.used = used,
                .alloc = DOUBLE_DIGITS,
                .sign = used && x < 0 ? MP_NEG : MP_ZPOS,
                .dp = digits};
}

V big_from_double(vk *c, double x) {
  mp_int m;
  mp_digit digits[DOUBLE_DIGITS];
  double_view(&m, digits, x);
  return big_copy_digits(c, &m);
}

int big_compare_double(V big, double x) {
  BigView w;
  if (isinf(x)) return x > 0 ? -1 : 1;
  mp_int m;
  mp_digit digits[DOUBLE_DIGITS];
  double_view(&m, digits, x); /* a fraction, where x < 2^53, cannot decide against a VkBigint */
  return mp_cmp(big_view(&w, big), &m);
}
