#include <stdio.h>
static long chain_length(long n) {
  long length = 1;
  for (; n != 1; length++) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
  return length;
}
int main(void) {
  long best = 0, start = 0;
  for (long n = 1; n < 1000000; n++) {
    long length = chain_length(n);
    if (length > best) { best = length; start = n; }
  }
  printf("%ld %ld\n", start, best);
  return 0;
}
