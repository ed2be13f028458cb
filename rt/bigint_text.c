/* bigint_text.c - big integers to digits and back, in any radix of 2..36.
 *
 * Both directions work on chunks, the most digits that fit one 60-bit libtommath digit (18
 * decimals): quadratic, with a small constant. Above TEXT_SPLIT chunks the number is halved at
 * a power of the chunk (Knuth, The Art of Computer Programming 2, 4.4), so that the cost is
 * that of division and multiplication instead. */
#include "bigint.h"
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_SPLIT = 40, POWERS_MAX = 32 };

typedef struct Radix {
  unsigned radix;
  unsigned chunk_digits;     /* digits in a chunk */
  mp_digit chunk;            /* radix ^ chunk_digits, below 2^60 */
  mp_int powers[POWERS_MAX]; /* [k]: chunk ^ (TEXT_SPLIT << k) */
  int power_count;
} Radix;

static void must(mp_err e) {
  if (e == MP_OKAY) return;
  fputs("valk: out of memory\n", stderr);
  exit(1);
}

static void radix_init(Radix *r, unsigned radix) {
  *r = (Radix){.radix = radix, .chunk_digits = 1, .chunk = radix};
  while (r->chunk <= MP_MASK / radix) r->chunk *= radix, r->chunk_digits++;
}

static void radix_clear(Radix *r) {
  for (int k = 0; k < r->power_count; k++) mp_clear(&r->powers[k]);
}

/* chunk ^ (TEXT_SPLIT << k), made on demand by squaring. */
static mp_int *radix_power(Radix *r, int k) {
  while (r->power_count <= k) {
    mp_int *p = &r->powers[r->power_count];
    must(mp_init(p));
    if (r->power_count == 0) {
      mp_set(p, r->chunk);
      must(mp_expt_u32(p, TEXT_SPLIT, p));
    } else {
      must(mp_sqr(p - 1, p));
    }
    r->power_count++;
  }
  return &r->powers[k];
}

/* ---- to text ----------------------------------------------------------------------------- */

static char digit_char(unsigned d) { return "0123456789abcdefghijklmnopqrstuvwxyz"[d]; }

/* The digits of n, which it destroys, with zeros in front up to `width`. */
static void put_small(VkBuf *b, Radix *r, mp_int *n, size_t width) {
  size_t most = (size_t)(n->used + 1) * MP_DIGIT_BIT + r->chunk_digits; /* radix 2 */
  char *text = malloc(most), *end = text + most, *p = end;
  if (!text) must(MP_MEM);
  for (int used = n->used; used > 0;) {
    mp_digit chunk = big_divide_digit(n->dp, n->dp, used, r->chunk);
    while (used > 0 && n->dp[used - 1] == 0) used--;
    for (unsigned i = 0; i < r->chunk_digits; i++, chunk /= r->radix)
      *--p = digit_char((unsigned)(chunk % r->radix));
  }
  while (p < end && *p == '0') p++;
  if ((size_t)(end - p) < width) vk_buf_fill(b, '0', width - (size_t)(end - p));
  vk_buf_put(b, p, (size_t)(end - p));
  free(text);
}

/* The same for any n >= 0 below chunk ^ (TEXT_SPLIT << (k + 1)). Recursion: log2 of n. */
static void put_split(VkBuf *b, Radix *r, mp_int *n, int k, size_t width) {
  while (k >= 0 && mp_cmp_mag(n, radix_power(r, k)) == MP_LT && width == 0) k--;
  if (k < 0) {
    put_small(b, r, n, width);
    return;
  }
  mp_int high, low;
  must(mp_init_multi(&high, &low, NULL));
  must(big_divide(n, radix_power(r, k), &high, &low));
  size_t low_width = ((size_t)TEXT_SPLIT << k) * r->chunk_digits;
  put_split(b, r, &high, k - 1, width ? width - low_width : 0);
  put_split(b, r, &low, k - 1, low_width);
  mp_clear_multi(&high, &low, NULL);
}

/* Powers of two: digits are groups of bits. */
static void put_bits(VkBuf *b, const mp_int *m, unsigned bits_per_digit) {
  int64_t bits = mp_count_bits(m);
  int64_t at = (bits + bits_per_digit - 1) / bits_per_digit * bits_per_digit;
  while (at > 0) {
    unsigned digit = 0;
    for (unsigned i = 0; i < bits_per_digit; i++) {
      at--;
      unsigned bit = at < bits ? m->dp[at / MP_DIGIT_BIT] >> (at % MP_DIGIT_BIT) & 1 : 0;
      digit = digit << 1 | bit;
    }
    vk_buf_putc(b, digit_char(digit));
  }
}

static void put_magnitude(VkBuf *b, const mp_int *m, unsigned radix) {
  if ((radix & (radix - 1)) == 0) {
    put_bits(b, m, (unsigned)__builtin_ctz(radix));
    return;
  }
  Radix r;
  mp_int n;
  radix_init(&r, radix);
  must(mp_init_copy(&n, m));
  n.sign = MP_ZPOS;
  int k = -1;
  /* A chunk has at least 56 of the 60 bits of a digit. */
  while (k + 1 < POWERS_MAX && (TEXT_SPLIT << (k + 1)) < n.used + n.used / 8 + 1) k++;
  put_split(b, &r, &n, k, 0);
  mp_clear(&n);
  radix_clear(&r);
}

/* A constant divisor is a multiplication to the C compiler: decimals apart. */
static void put_fixnum(VkBuf *b, int64_t n, unsigned radix) {
  char text[64], *end = text + sizeof text, *p = end;
  uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;
  if (radix == 10) {
    do *--p = (char)('0' + rest % 10);
    while (rest /= 10);
  } else {
    do *--p = digit_char((unsigned)(rest % radix));
    while (rest /= radix);
  }
  if (n < 0) *--p = '-';
  vk_buf_put(b, p, (size_t)(end - p));
}

void big_put_radix(VkBuf *b, V v, unsigned radix) {
  if (VK_IS_FIX(v)) {
    put_fixnum(b, VK_INT(v), radix);
    return;
  }
  BigView w;
  const mp_int *m = big_view(&w, v);
  if (m->sign == MP_NEG) vk_buf_putc(b, '-');
  put_magnitude(b, m, radix);
}

/* ---- from text --------------------------------------------------------------------------- */

static unsigned digit_value(char ch) {
  if (ch <= '9') return (unsigned)(ch - '0');
  return (unsigned)((ch | 32) - 'a') + 10;
}

static mp_digit chunk_value(const Radix *r, const char *p, size_t len) {
  mp_digit n = 0;
  for (size_t i = 0; i < len; i++) n = n * r->radix + digit_value(p[i]);
  return n;
}

/* n = the digits at p: one multiplication by a chunk after the other. */
static mp_err get_small(const Radix *r, mp_int *n, const char *p, size_t len) {
  mp_err e = MP_OKAY;
  size_t first = len % r->chunk_digits;
  mp_set(n, chunk_value(r, p, first));
  for (size_t at = first; at < len && e == MP_OKAY; at += r->chunk_digits) {
    e = mp_mul_d(n, r->chunk, n);
    if (e == MP_OKAY) e = mp_add_d(n, chunk_value(r, p + at, r->chunk_digits), n);
  }
  return e;
}

static mp_err get_split(Radix *r, mp_int *n, const char *p, size_t len) {
  int k = -1;
  while (k + 1 < POWERS_MAX && ((size_t)TEXT_SPLIT << (k + 1)) * r->chunk_digits < len) k++;
  if (k < 0) return get_small(r, n, p, len);
  size_t low_len = ((size_t)TEXT_SPLIT << k) * r->chunk_digits;
  mp_int high;
  mp_err e = mp_init(&high);
  if (e != MP_OKAY) return e;
  e = get_split(r, &high, p, len - low_len);
  if (e == MP_OKAY) e = mp_mul(&high, radix_power(r, k), &high);
  if (e == MP_OKAY) e = get_split(r, n, p + len - low_len, low_len);
  if (e == MP_OKAY) e = mp_add(&high, n, n);
  mp_clear(&high);
  return e;
}

V big_from_digits(vk *c, bool is_negative, const char *digits, size_t len, unsigned radix) {
  while (len > 0 && *digits == '0') digits++, len--;
  int bits_per_digit = 31 - __builtin_clz(radix); /* at least so many */
  if (len > (size_t)(BIG_BITS_MAX / bits_per_digit)) return big_too_large(c);
  Radix r;
  mp_int n;
  mp_err e = mp_init(&n);
  if (e != MP_OKAY) return vk_errorf(c, VK_SYM(out_of_memory), "out of memory");
  radix_init(&r, radix);
  e = get_split(&r, &n, digits, len);
  if (is_negative && n.used) n.sign = MP_NEG;
  radix_clear(&r);
  return big_take(c, e, &n);
}
