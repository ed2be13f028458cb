#include <stdio.h>
#include <string.h>
static long count_flips(long *v) {
  long flips = 0;
  while (v[0] != 0) {
    for (long i = 0, j = v[0]; i < j; i++, j--) { long x = v[i]; v[i] = v[j]; v[j] = x; }
    flips++;
  }
  return flips;
}
static int next(long *p, long *count, long n) {
  for (long r = 1; r < n; r++) {
    long first = p[0];
    for (long i = 0; i < r; i++) p[i] = p[i + 1];
    p[r] = first;
    if (--count[r] > 0) return 1;
    count[r] = r + 1;
  }
  return 0;
}
int main(void) {
  enum { N = 10 };
  long p[N], v[N], count[N], checksum = 0, most = 0, sign = 1;
  for (long i = 0; i < N; i++) { p[i] = i; count[i] = i + 1; }
  do {
    memcpy(v, p, sizeof v);
    long flips = count_flips(v);
    checksum += sign * flips;
    if (flips > most) most = flips;
    sign = -sign;
  } while (next(p, count, N));
  printf("%ld %ld\n", checksum, most);
  return 0;
}
