/* bigint.h - integers beyond 61 bits, on libtommath: internal to the number files.
 *
 * A VkBigint holds its digits (60 bits each) inline in the collected heap. For an operation it
 * is seen in place as a read-only mp_int whose dp points at them, so operands are never copied
 * and nothing needs a finaliser. Sums, small products, shifts and bits are computed straight into a new
 * VkBigint; the rest in malloc memory by libtommath, then copied once.
 *
 * Every V that comes back is normalised (a fixnum if it fits) or an error value: :range past
 * BIG_DIGITS_MAX, :out-of-memory. */
#ifndef VK_BIGINT_H
#define VK_BIGINT_H
#include "numbers.h"
#include "strings.h"
#include <tommath.h>

_Static_assert(MP_DIGIT_BIT == 60, "VkBigint holds 60-bit digits");
enum {
  BIG_DIGITS_MAX = 0xFFFFFF
}; /* the header's count has 24 bits: about 3 * 10^8 decimals */
#define BIG_BITS_MAX ((int64_t)BIG_DIGITS_MAX * MP_DIGIT_BIT)

/* An integer seen as an mp_int, valid as long as the view and v live. Never clear, grow or
 * write it. Not copyable: a fixnum's digits are inside. */
typedef struct BigView {
  mp_int mp;
  mp_digit fix_digits[2];
} BigView;
const mp_int *big_view(BigView *w, V v); /* requires: an integer */

/* What libtommath does with the digits of a new number as target, which it must not exchange: it needs at
 * most one more than the longer operand. Shifts: room for so many more than a has, and one. */
typedef mp_err BigInPlace(const mp_int *, const mp_int *, mp_int *);
V big_in_place(vk *c, V a, V b, BigInPlace *op);
typedef mp_err BigShift(const mp_int *, int, mp_int *);
V big_shift_in_place(vk *c, V a, int bits, int room, BigShift *op);

/* Takes over the mp_int r that an operation of outcome e wrote, and clears it. */
V big_take(vk *c, mp_err e, mp_int *r);
V big_too_large(vk *c);
V big_from_i128(vk *c, __int128 n);
/* The number of these digits, which are copied; leading zeros are dropped. */
V big_from_parts(vk *c, const mp_digit *digits, int used, bool is_negative);

/* Integers in any form; at least one is big in practice, or the caller's fast path failed. */
V big_add(vk *c, V a, V b);
V big_sub(vk *c, V a, V b);
V big_mul(vk *c, V a, V b);
V big_quotient(vk *c, V a, V b);  /* toward zero; requires b != 0, here and below */
V big_remainder(vk *c, V a, V b); /* sign of the dividend */
V big_modulo(vk *c, V a, V b);    /* sign of the divisor */

/* Quotient and remainder of magnitudes, into initialised mp_ints; not aliased, b != 0. */
mp_err big_divide(const mp_int *a, const mp_int *b, mp_int *q, mp_int *r);
/* q = u / divisor (q may be u, or NULL); gives the remainder. */
mp_digit big_divide_digit(mp_digit *q, const mp_digit *u, int used, mp_digit divisor);

int big_compare(V a, V b);
int big_sign(V v); /* -1, 0, 1 of any integer */

double big_to_double(V big);        /* nearest, ties to even; requires a VkBigint */
double big_log(V big);              /* natural logarithm of |big|, also beyond double range */
V big_from_double(vk *c, double x); /* requires: finite, no fraction */
int big_compare_double(V big, double x); /* exact; requires: not nan */

/* Appends v in a radix of 2..36, lower case. */
void big_put_radix(VkBuf *b, V v, unsigned radix);
/* The same in decimal, for printing any value: does not bring LibTomMath with it. */
void big_show(VkBuf *b, V v);
typedef void BigPut(VkBuf *b, V v, unsigned radix);
extern BigPut *big_put_made; /* set where big integers are made; atomic */
/* digits: of that radix, no sign, no underscores, at least one. */
V big_from_digits(vk *c, bool is_negative, const char *digits, size_t len, unsigned radix);
#endif
