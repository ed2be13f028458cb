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

/* u[0..n] -= digit * v[0..n-1]; gives the borrow out of u[n]. */
static mp_digit subtract_product(mp_digit *u, const mp_digit *v, int n, mp_digit digit) {
  mp_digit carry = 0, borrow = 0;
  for (int i = 0; i < n; i++) {
    unsigned __int128 product = (unsigned __int128)digit * v[i] + carry;
    mp_digit difference = u[i] - ((mp_digit)product & MP_MASK) - borrow;
    carry = (mp_digit)(product >> MP_DIGIT_BIT);
    borrow = difference >> 63;
    u[i] = difference & MP_MASK;
  }
  mp_digit difference = u[n] - carry - borrow;
  u[n] = difference & MP_MASK;
  return difference >> 63;
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

/* Algorithm 1.9: as many digits of the quotient at a time as b has, from the top. */
static mp_err divide_recursive(const mp_int *a, const mp_int *b, mp_int *q, mp_int *r) {
  int n = b->used, m = a->used - n;
  if (m < RECURSIVE_DIGITS || n < RECURSIVE_DIGITS) return divide_by_digits(a, b, q, r);
  if (m <= n) return divide_balanced(a, b, q, r);
  mp_int part, quotient, rest;
  mp_err e = mp_init_multi(&part, &quotient, &rest, NULL);
  if (e != MP_OKAY) return e;
  e = split_at(a, m - m % n, r, &rest);
  mp_zero(q);
  for (int at = m - m % n; e == MP_OKAY; at -= n) {
    e = divide_balanced_or_digits(r, b, &quotient, &part);
    if (e == MP_OKAY) e = mp_lshd(q, n);
    if (e == MP_OKAY) e = mp_add(q, &quotient, q);
    if (at == 0) break;
    (void)at;
  }
  mp_clear_multi(&part, &quotient, &rest, NULL);
  return e;
}
