#include <stdio.h>
#include <stdlib.h>
static long part(long *v, long lo, long hi) {
  long p = v[(lo + hi) / 2], i = lo, j = hi;
  for (;;) {
    while (v[i] < p)
      i++;
    while (v[j] > p)
      j--;
    if (i >= j)
      return j;
    long t = v[i];
    v[i] = v[j];
    v[j] = t;
    i++;
    j--;
  }
}
static void qs(long *v, long lo, long hi) {
  if (lo < hi) {
    long p = part(v, lo, hi);
    qs(v, lo, p);
    qs(v, p + 1, hi);
  }
}
int main(void) {
  long n = 2000000, *v = malloc(n * 8), x = 42;
  for (long i = 0; i < n; i++) {
    x = (x * 1103515245 + 12345) % 2147483648;
    v[i] = x / 16;
  }
  qs(v, 0, n - 1);
  printf("%ld %ld %ld\n", v[0], v[1000000], v[1999999]);
}
