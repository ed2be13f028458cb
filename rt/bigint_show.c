/* bigint_show.c - integers as decimal text, for what prints any value (contract: bigint.h).
 *
 * A program that prints does not yet compute with big integers, and should not be linked with
 * LibTomMath for it: the fast conversion is known here only by a pointer, which whoever makes a
 * big integer at run time sets. Without it, what is shown is a literal of the program: its size is
 * bounded by the source, and repeated division will do. */
#include "bigint.h"
#include <stdlib.h>
#include <string.h>

BigPut *big_put_made;

enum { DIGIT_BITS = 60, CHUNK_DIGITS = 18 };
static const uint64_t chunk = 1000000000000000000; /* 10^CHUNK_DIGITS, below 2^DIGIT_BITS */

/* n /= chunk; gives the remainder. */
static uint64_t divide_by_chunk(uint64_t *digits, size_t count) {
  unsigned __int128 rest = 0;
  for (size_t i = count; i-- > 0;) {
    rest = rest << DIGIT_BITS | digits[i];
    digits[i] = (uint64_t)(rest / chunk);
    rest %= chunk;
  }
  return (uint64_t)rest;
}

/* Writes n before end, with leading zeros up to `width`; gives where it begins. */
static char *put_before(char *end, uint64_t n, int width) {
  for (; n || width > 0; n /= 10, width--) *--end = (char)('0' + n % 10);
  return end;
}

static void show_literal(VkBuf *b, const VkBigint *big) {
  size_t count = VK_HDR_COUNT(big->hdr), room = count * (CHUNK_DIGITS + 1) + 2;
  uint64_t *digits = malloc(count * sizeof *digits);
  char *text = malloc(room), *end = text + room, *p = end;
  if (!digits || !text) abort();
  memcpy(digits, big->digits, count * sizeof *digits);
  while (count > 0) {
    uint64_t low = divide_by_chunk(digits, count);
    while (count > 0 && digits[count - 1] == 0) count--;
    p = put_before(p, low, count > 0 ? CHUNK_DIGITS : 0);
  }
  if (big->hdr & VK_NEGATIVE) *--p = '-';
  vk_buf_put(b, p, (size_t)(end - p));
  free(digits);
  free(text);
}

void big_show(VkBuf *b, V v) {
  char text[24], *end = text + sizeof text, *p;
  if (VK_IS_FIX(v)) {
    int64_t n = VK_INT(v);
    p = put_before(end, n < 0 ? -(uint64_t)n : (uint64_t)n, 1);
    if (n < 0) *--p = '-';
    vk_buf_put(b, p, (size_t)(end - p));
    return;
  }
  BigPut *put_made = __atomic_load_n(&big_put_made, __ATOMIC_RELAXED);
  if (put_made)
    put_made(b, v, 10);
  else
    show_literal(b, (const VkBigint *)VK_OBJ(v));
}
