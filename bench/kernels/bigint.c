/* plain C: numbers as arrays of base 10^18 digits, least significant first */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define BASE 1000000000000000000ul
enum { MAX = 2000 };
struct big { long n; unsigned long d[MAX]; };
static void multiply(struct big *a, unsigned long k) {
  unsigned __int128 carry = 0;
  for (long i = 0; i < a->n; i++) {
    carry += (unsigned __int128)a->d[i] * k;
    a->d[i] = (unsigned long)(carry % BASE);
    carry /= BASE;
  }
  if (carry) a->d[a->n++] = (unsigned long)carry;
}
static void add(struct big *a, const struct big *b) { /* b >= a */
  unsigned long carry = 0;
  for (long i = 0; i < b->n; i++) {
    unsigned long s = (i < a->n ? a->d[i] : 0) + b->d[i] + carry;
    carry = s >= BASE;
    a->d[i] = carry ? s - BASE : s;
  }
  a->n = b->n;
  if (carry) a->d[a->n++] = carry;
}
static long digit_sum(const struct big *a) {
  long s = 0;
  for (long i = 0; i < a->n; i++)
    for (unsigned long d = a->d[i]; d; d /= 10) s += (long)(d % 10);
  return s;
}
int main(void) {
  struct big *f = calloc(1, sizeof *f), *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
  f->n = 1; f->d[0] = 1;
  for (unsigned long i = 2; i <= 5000; i++) multiply(f, i);
  a->n = 0; b->n = 1; b->d[0] = 1;
  for (long i = 0; i < 50000; i++) { add(a, b); struct big *t = a; a = b; b = t; }
  printf("%ld %ld\n", digit_sum(f), digit_sum(a));
  return 0;
}
