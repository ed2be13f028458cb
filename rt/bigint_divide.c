/* bigint_divide.c - quotients and remainders of integers beyond 61 bits.
 *
 * libtommath's own division took 9 ns for each pair of digits; here:
 *   one-digit divisors   one pass;
 *   short operands       Knuth's Algorithm D (The Art of Computer Programming 2, 4.3.1) on the
 *                        C stack;
 *   large ones           RecursiveDivRem (Brent and Zimmermann, Modern Computer Arithmetic,
 *                        algorithms 1.8 and 1.9), whose cost is that of multiplication.
 * Magnitudes are divided; the signs are put on afterwards. */
#include "bigint.h"
#include <string.h>

enum {
  SHORT_DIGITS = 64,     /* operands up to here are divided on the C stack */
  RECURSIVE_DIGITS = 100 /* both quotient and divisor are at least so long */
};

mp_digit big_divide_digit(mp_digit *q, const mp_digit *u, int used, mp_digit divisor) {
  unsigned __int128 rest = 0;
  for (int i = used - 1; i >= 0; i--) {
    rest = rest << MP_DIGIT_BIT | u[i];
    mp_digit digit = (mp_digit)(rest / divisor);
    if (q) q[i] = digit;
    rest -= (unsigned __int128)digit * divisor;
  }
  return (mp_digit)rest;
}

/* ---- Algorithm D ------------------------------------------------------------------------- */

/* u[0..n] -= digit * v[0..n-1]; true if that went below zero. */
static bool subtract_product(mp_digit *u, const mp_digit *v, int n, mp_digit digit) {
  __int128 difference = 0; /* of this place, with what the places below borrow */
  for (int i = 0; i < n; i++) {
    difference += u[i];
    difference -= (__int128)digit * v[i];
    u[i] = (mp_digit)difference & MP_MASK;
    difference >>= MP_DIGIT_BIT;
  }
  difference += u[n];
  u[n] = (mp_digit)difference & MP_MASK;
  return difference < 0;
}

static void add_back(mp_digit *u, const mp_digit *v, int n) {
  mp_digit carry = 0;
  for (int i = 0; i < n; i++) {
    carry += u[i] + v[i];
    u[i] = carry & MP_MASK;
    carry >>= MP_DIGIT_BIT;
  }
  u[n] = (u[n] + carry) & MP_MASK;
}

/* The digit of the quotient from the top three digits of u and two of v: right, or one more. */
static mp_digit guess_digit(const mp_digit *u_top, const mp_digit *v_top) {
  unsigned __int128 high = (unsigned __int128)u_top[0] << MP_DIGIT_BIT | u_top[-1];
  unsigned __int128 guess = high / v_top[0], rest = high % v_top[0];
  while (guess > MP_MASK || guess * v_top[-1] > (rest << MP_DIGIT_BIT | u_top[-2])) {
    guess--;
    rest += v_top[0];
    if (rest > MP_MASK) break;
  }
  return (mp_digit)guess;
}

/* q[0..m] = u / v, leaving the remainder in u[0..n-1]. u has m + n + 1 digits, v has n >= 2 and
 * the top bit of its last one set, and u's last n digits are less than v. q may be NULL. */
static void divide_schoolbook(mp_digit *q, mp_digit *u, int m, const mp_digit *v, int n) {
  for (int j = m; j >= 0; j--) {
    mp_digit digit = guess_digit(u + j + n, v + n - 1);
    if (subtract_product(u + j, v, n, digit)) {
      digit--;
      add_back(u + j, v, n);
    }
    if (q) q[j] = digit;
  }
}

/* out = in << bits, for bits < 60; gives the digit shifted out at the top. */
static mp_digit shift_left(mp_digit *out, const mp_digit *in, int used, int bits) {
  mp_digit carry = 0;
  for (int i = 0; i < used; i++) {
    mp_digit digit = in[i];
    out[i] = (digit << bits & MP_MASK) | carry;
    carry = bits ? digit >> (MP_DIGIT_BIT - bits) : 0;
  }
  return carry;
}

static void shift_right(mp_digit *digits, int used, int bits) {
  if (bits == 0) return;
  for (int i = 0; i < used; i++) {
    mp_digit above = i + 1 < used ? digits[i + 1] : 0;
    digits[i] = digits[i] >> bits | (above << (MP_DIGIT_BIT - bits) & MP_MASK);
  }
}

/* How far b must be shifted for the top bit of its last digit to be set. */
static int normal_shift(const mp_int *b) {
  return __builtin_clzll(b->dp[b->used - 1]) - (64 - MP_DIGIT_BIT);
}

/* ---- large operands ---------------------------------------------------------------------- */

/* q and r of |a| by |b| in malloc memory, by Algorithm D; b normal, at least two digits. */
static mp_err divide_by_digits(const mp_int *a, const mp_int *b, mp_int *q, mp_int *r) {
  int n = b->used, m = a->used - n;
  if (m < 0) {
    mp_zero(q);
    return mp_copy(a, r);
  }
  mp_err e = mp_grow(q, m + 1);
  if (e == MP_OKAY) e = mp_copy(a, r);
  if (e == MP_OKAY) e = mp_grow(r, a->used + 1);
  if (e != MP_OKAY) return e;
  r->dp[a->used] = 0;
  divide_schoolbook(q->dp, r->dp, m, b->dp, n);
  q->used = m + 1;
  r->used = n;
  q->sign = r->sign = MP_ZPOS;
  mp_clamp(q);
  mp_clamp(r);
  return MP_OKAY;
}

/* high = a / B^k, low = a mod B^k, where B = 2^60. */
static mp_err split_at(const mp_int *a, int k, mp_int *high, mp_int *low) {
  mp_err e = mp_copy(a, high);
  if (e == MP_OKAY) e = mp_mod_2d(a, k * MP_DIGIT_BIT, low);
  mp_rshd(high, k);
  return e;
}

static mp_err divide_recursive(const mp_int *a, const mp_int *b, mp_int *q, mp_int *r);

/* One half of the quotient: with b = b1 * B^k + b0 and a = high * B^k + low,
 *   q, rest = high / b1;  r = rest * B^k + low - q * b0, made non-negative by steps of b. */
static mp_err divide_half(const mp_int *a, const mp_int *b, const mp_int *b1, const mp_int *b0,
                          int k, mp_int *q, mp_int *r) {
  mp_int high, low, product;
  mp_err e = mp_init_multi(&high, &low, &product, NULL);
  if (e != MP_OKAY) return e;
  e = split_at(a, k, &high, &low);
  if (e == MP_OKAY) e = divide_recursive(&high, b1, q, r);
  if (e == MP_OKAY) e = mp_lshd(r, k);
  if (e == MP_OKAY) e = mp_add(r, &low, r);
  if (e == MP_OKAY) e = mp_mul(q, b0, &product);
  if (e == MP_OKAY) e = mp_sub(r, &product, r);
  while (e == MP_OKAY && r->sign == MP_NEG) {
    e = mp_sub_d(q, 1, q);
    if (e == MP_OKAY) e = mp_add(r, b, r);
  }
  mp_clear_multi(&high, &low, &product, NULL);
  return e;
}

/* Algorithm 1.8: a >= 0, b normal, the quotient at most as long as b. The quotient's upper half
 * comes from a / B^k, its lower from what that leaves. Recursion: log2 of the digits. */
static mp_err divide_balanced(const mp_int *a, const mp_int *b, mp_int *q, mp_int *r) {
  int k = (a->used - b->used) / 2;
  mp_int b1, b0, high, low, q1;
  mp_err e = mp_init_multi(&b1, &b0, &high, &low, &q1, NULL);
  if (e != MP_OKAY) return e;
  e = split_at(b, k, &b1, &b0);
  if (e == MP_OKAY) e = split_at(a, k, &high, &low);
  if (e == MP_OKAY) e = divide_half(&high, b, &b1, &b0, k, &q1, r);
  if (e == MP_OKAY) e = mp_lshd(r, k);
  if (e == MP_OKAY) e = mp_add(r, &low, &high);
  if (e == MP_OKAY) e = divide_half(&high, b, &b1, &b0, k, q, r);
  if (e == MP_OKAY) e = mp_lshd(&q1, k);
  if (e == MP_OKAY) e = mp_add(&q1, q, q);
  mp_clear_multi(&b1, &b0, &high, &low, &q1, NULL);
  return e;
}

/* r = r * B^n + the n digits of a from `at`; r < B^n. */
static mp_err take_block(const mp_int *a, int at, int n, mp_int *r) {
  int have = a->used - at < n ? a->used - at : n;
  mp_err e = mp_grow(r, 2 * n);
  if (e != MP_OKAY) return e;
  memmove(r->dp + n, r->dp, (size_t)r->used * sizeof(mp_digit));
  memcpy(r->dp, a->dp + at, (size_t)have * sizeof(mp_digit));
  memset(r->dp + have, 0, (size_t)(n - have) * sizeof(mp_digit));
  r->used += n;
  mp_clamp(r);
  return MP_OKAY;
}

/* Algorithm 1.9: the quotient in blocks as long as b, from the top. */
static mp_err divide_blocks(const mp_int *a, const mp_int *b, mp_int *q, mp_int *r) {
  int n = b->used, blocks = (a->used + n - 1) / n;
  mp_int part, rest;
  mp_err e = mp_init_multi(&part, &rest, NULL);
  if (e != MP_OKAY) return e;
  e = mp_grow(q, blocks * n);
  mp_zero(r);
  for (int i = blocks - 1; i >= 0 && e == MP_OKAY; i--) {
    e = take_block(a, i * n, n, r);
    if (e == MP_OKAY) e = divide_recursive(r, b, &part, &rest);
    if (e != MP_OKAY) break;
    memset(q->dp + i * n, 0, (size_t)n * sizeof(mp_digit));
    memcpy(q->dp + i * n, part.dp, (size_t)part.used * sizeof(mp_digit));
    mp_exch(r, &rest);
  }
  q->used = e == MP_OKAY ? blocks * n : 0;
  q->sign = MP_ZPOS;
  mp_clamp(q);
  mp_clear_multi(&part, &rest, NULL);
  return e;
}

static mp_err divide_recursive(const mp_int *a, const mp_int *b, mp_int *q, mp_int *r) {
  int n = b->used, m = a->used - n;
  if (m < RECURSIVE_DIGITS || n < RECURSIVE_DIGITS) return divide_by_digits(a, b, q, r);
  return m <= n ? divide_balanced(a, b, q, r) : divide_blocks(a, b, q, r);
}

/* ---- entries ----------------------------------------------------------------------------- */

static mp_err divide_by_digit(const mp_int *a, mp_digit divisor, mp_int *q, mp_int *r) {
  mp_err e = mp_copy(a, q);
  if (e != MP_OKAY) return e;
  mp_set(r, big_divide_digit(q->dp, q->dp, q->used, divisor));
  q->sign = MP_ZPOS;
  mp_clamp(q);
  return MP_OKAY;
}

mp_err big_divide(const mp_int *a, const mp_int *b, mp_int *q, mp_int *r) {
  if (b->used == 1) return divide_by_digit(a, b->dp[0], q, r);
  int shift = normal_shift(b);
  mp_int u, v;
  mp_err e = mp_init_multi(&u, &v, NULL);
  if (e != MP_OKAY) return e;
  e = mp_mul_2d(a, shift, &u);
  if (e == MP_OKAY) e = mp_mul_2d(b, shift, &v);
  u.sign = v.sign = MP_ZPOS;
  if (e == MP_OKAY) e = divide_recursive(&u, &v, q, r);
  if (e == MP_OKAY) e = mp_div_2d(r, shift, r, NULL);
  mp_clear_multi(&u, &v, NULL);
  return e;
}

typedef enum Part { QUOTIENT, REMAINDER } Part;

/* Operands of at most SHORT_DIGITS digits, the divisor two or more. */
static V divide_short(vk *c, const mp_int *a, const mp_int *b, Part part) {
  mp_digit u[SHORT_DIGITS + 1], v[SHORT_DIGITS], q[SHORT_DIGITS];
  int n = b->used, m = a->used - n, shift = normal_shift(b);
  u[a->used] = shift_left(u, a->dp, a->used, shift);
  shift_left(v, b->dp, n, shift);
  divide_schoolbook(q, u, m, v, n);
  if (part == QUOTIENT) return big_from_parts(c, q, m + 1, a->sign != b->sign);
  shift_right(u, n, shift);
  return big_from_parts(c, u, n, a->sign == MP_NEG);
}

static V divide_large(vk *c, const mp_int *a, const mp_int *b, Part part) {
  mp_int q, r;
  mp_err e = mp_init_multi(&q, &r, NULL);
  if (e != MP_OKAY) return vk_errorf(c, VK_SYM(out_of_memory), "out of memory");
  e = big_divide(a, b, &q, &r);
  bool is_negative = part == QUOTIENT ? a->sign != b->sign : a->sign == MP_NEG;
  mp_int *wanted = part == QUOTIENT ? &q : &r;
  if (wanted->used) wanted->sign = is_negative ? MP_NEG : MP_ZPOS;
  mp_clear(part == QUOTIENT ? &r : &q);
  return big_take(c, e, wanted);
}

/* Never the dividend itself, which need not live as long as the result. */
static V divide(vk *c, V dividend, V divisor, Part part) {
  BigView wa, wb;
  const mp_int *a = big_view(&wa, dividend), *b = big_view(&wb, divisor);
  if (a->used < b->used && part == QUOTIENT) return VK_FIX(0);
  if (a->used < b->used) return big_from_parts(c, a->dp, a->used, a->sign == MP_NEG);
  if (b->used == 1 && part == REMAINDER) {
    int64_t rest = (int64_t)big_divide_digit(NULL, a->dp, a->used, b->dp[0]);
    return VK_FIX(a->sign == MP_NEG ? -rest : rest);
  }
  if (b->used == 1 && a->used <= SHORT_DIGITS) {
    mp_digit q[SHORT_DIGITS];
    big_divide_digit(q, a->dp, a->used, b->dp[0]);
    return big_from_parts(c, q, a->used, a->sign != b->sign);
  }
  return a->used <= SHORT_DIGITS ? divide_short(c, a, b, part) : divide_large(c, a, b, part);
}

V big_quotient(vk *c, V a, V b) { return divide(c, a, b, QUOTIENT); }
V big_remainder(vk *c, V a, V b) { return divide(c, a, b, REMAINDER); }

V big_modulo(vk *c, V a, V b) {
  V rest = divide(c, a, b, REMAINDER);
  if (VK_IS_ABN(rest) || rest == VK_FIX(0) || big_sign(rest) == big_sign(b)) return rest;
  return vk_add(c, rest, b);
}
