#include <stdio.h>
#include <stdlib.h>
static double **make(long n) {
  double **m = malloc(n * sizeof *m);
  for (long i = 0; i < n; i++) m[i] = malloc(n * sizeof **m);
  return m;
}
int main(void) {
  long n = 400;
  double **a = make(n), **b = make(n), **c = make(n);
  for (long i = 0; i < n; i++)
    for (long j = 0; j < n; j++) {
      a[i][j] = (double)(i - j) / (double)n;
      b[i][j] = (double)(i + j) / (double)n;
    }
  for (long i = 0; i < n; i++)
    for (long j = 0; j < n; j++) {
      double s = 0;
      for (long k = 0; k < n; k++) s += a[i][k] * b[k][j];
      c[i][j] = s;
    }
  printf("%.6f %.6f\n", c[0][0], c[n / 2][n / 3]);
  return 0;
}
