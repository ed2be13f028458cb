#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static char *rt(long n, long x) {
  char *s = malloc(n + 1);
  s[n] = 0;
  for (long i = 0; i < n; i++) {
    x = (x * 1103515245 + 12345) % 2147483648;
    s[n - 1 - i] = "abcdefgh"[(x / 65536) % 8];
  }
  return s;
}
int main(void) {
  char *a = rt(4000, 1), *b = rt(4000, 2);
  long n = strlen(a), m = strlen(b), *p = malloc((m + 1) * 8),
       *c = malloc((m + 1) * 8);
  for (long j = 0; j <= m; j++)
    p[j] = j;
  for (long i = 1; i <= n; i++) {
    c[0] = i;
    for (long j = 1; j <= m; j++) {
      long cost = a[i - 1] == b[j - 1] ? 0 : 1, x = p[j] + 1, y = c[j - 1] + 1,
           z = p[j - 1] + cost;
      if (y < x)
        x = y;
      if (z < x)
        x = z;
      c[j] = x;
    }
    for (long j = 0; j <= m; j++)
      p[j] = c[j];
  }
  printf("%ld\n", p[m]);
}
