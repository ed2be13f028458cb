/* float_text.c - doubles as the shortest text that reads back equal.
 *
 * Shortest means: of the decimals that round to x, one with the fewest digits, and of these the
 * nearest (as Steele and White, "How to print floating-point numbers accurately", PLDI 1990).
 * Doubles carry 15 digits for certain: at most one decimal of 15 digits or fewer rounds to a
 * given normal double, so the first that does is the answer. Most doubles in practice have few
 * decimals and are found by exact arithmetic; the others by trying 15, 16, 17 digits. */
#include "float_text.h"
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Decimal { /* 0.d1d2d3... * 10^point */
  char digits[24];
  int count;
  int point;
} Decimal;

enum {
  SURE_DIGITS = 15,
  MAX_DIGITS = 17,
  EXACT_POWER = 22 /* 10^22 is the last exact double */
};

static void trim_zeros(Decimal *d) {
  while (d->count > 1 && d->digits[d->count - 1] == '0') d->count--;
}

static void set_whole(Decimal *d, uint64_t n, int decimals) {
  char text[24];
  d->count = snprintf(text, sizeof text, "%llu", (unsigned long long)n);
  memcpy(d->digits, text, (size_t)d->count);
  d->point = d->count - decimals;
  trim_zeros(d);
}

/* x = n / 10^k with n below 10^15: both exact, so the division rounds as reading would. */
static bool find_few_decimals(Decimal *d, double x) {
  double power = 1;
  for (int k = 0; k <= EXACT_POWER; k++, power *= 10) {
    double n = nearbyint(x * power);
    if (n >= 1e15) return false;
    if (n / power != x) continue;
    set_whole(d, (uint64_t)n, k);
    return true;
  }
  return false;
}

/* d = x rounded to `count` digits. */
static void round_to(Decimal *d, double x, int count) {
  char text[40];
  snprintf(text, sizeof text, "%.*e", count - 1, x);
  d->digits[0] = text[0];
  memcpy(d->digits + 1, text + 2, (size_t)count - 1);
  d->count = count;
  d->point = atoi(strchr(text, 'e') + 1) + 1;
}

static bool reads_back(const Decimal *d, double x) {
  char text[48];
  snprintf(text, sizeof text, "0.%.*se%d", d->count, d->digits, d->point);
  return strtod(text, NULL) == x;
}

/* The next decimal above with as many digits; false if it would take one more. */
static bool step_up(Decimal *d) {
  for (int i = d->count - 1; i >= 0; i--) {
    if (d->digits[i]++ != '9') return true;
    d->digits[i] = '0';
  }
  return false;
}

static bool is_power_of_two(double x) {
  int exponent;
  return frexp(x, &exponent) == 0.5;
}

/* x > 0, finite. */
static void find_shortest(Decimal *d, double x) {
  if (x >= 1e-7 && find_few_decimals(d, x)) return;
  int count = x < DBL_MIN * 16 ? 1 : SURE_DIGITS; /* subnormals have fewer sure digits */
  for (; count < MAX_DIGITS; count++) {
    round_to(d, x, count);
    if (reads_back(d, x)) break;
    /* Below a power of two doubles are twice as dense: the nearest decimal may lie there, out
     * of reach, and the one above within (2^-44 is 5.684341886080802e-14). */
    if (is_power_of_two(x) && step_up(d) && reads_back(d, x)) break;
  }
  if (count == MAX_DIGITS) round_to(d, x, count);
  trim_zeros(d);
}

static char *put_plain(char *p, const Decimal *d) {
  if (d->point <= 0) {
    *p++ = '0', *p++ = '.';
    for (int i = d->point; i < 0; i++) *p++ = '0';
    memcpy(p, d->digits, (size_t)d->count);
    return p + d->count;
  }
  for (int i = 0; i < d->point; i++) *p++ = i < d->count ? d->digits[i] : '0';
  *p++ = '.';
  if (d->count <= d->point) *p++ = '0';
  for (int i = d->point; i < d->count; i++) *p++ = d->digits[i];
  return p;
}

static char *put_scientific(char *p, const Decimal *d) {
  *p++ = d->digits[0];
  if (d->count > 1) {
    *p++ = '.';
    memcpy(p, d->digits + 1, (size_t)d->count - 1);
    p += d->count - 1;
  }
  return p + sprintf(p, "e%d", d->point - 1);
}

static size_t put_name(char *out, const char *name) {
  strcpy(out, name);
  return strlen(name);
}

size_t vk_float_text(char out[VK_FLOAT_TEXT_MAX], double x) {
  if (isnan(x)) return put_name(out, "+nan.0");
  if (isinf(x)) return put_name(out, x < 0 ? "-inf.0" : "+inf.0");
  if (x == 0) return put_name(out, signbit(x) ? "-0.0" : "0.0");
  char *p = out;
  Decimal d;
  if (x < 0) *p++ = '-', x = -x;
  find_shortest(&d, x);
  p = x >= 1e-5 && x < 1e16 ? put_plain(p, &d) : put_scientific(p, &d);
  *p = 0;
  return (size_t)(p - out);
}
