#include <math.h>
#include <stdio.h>
#include <stdlib.h>
static double run(long n, long x) {
  double **a = malloc(n * sizeof *a), *b = malloc(n * 8), *v = malloc(n * 8);
  for (long i = 0; i < n; i++) {
    a[i] = malloc(n * 8);
    for (long j = 0; j < n; j++) {
      x = (x * 1103515245 + 12345) % 2147483648;
      a[i][j] = (double)(x % 2000 - 1000) / 100.0;
    }
  }
  for (long i = 0; i < n; i++)
    b[i] = 1;
  for (long k = 0; k < n; k++) {
    long p = k;
    for (long i = k; i < n; i++)
      if (fabs(a[i][k]) > fabs(a[p][k]))
        p = i;
    double *t = a[k];
    a[k] = a[p];
    a[p] = t;
    double u = b[k];
    b[k] = b[p];
    b[p] = u;
    for (long i = k + 1; i < n; i++) {
      double f = a[i][k] / a[k][k];
      a[i][k] = f;
      for (long j = k + 1; j < n; j++)
        a[i][j] -= f * a[k][j];
    }
  }
  for (long i = 0; i < n; i++) {
    double s = b[i];
    for (long j = 0; j < i; j++)
      s -= a[i][j] * v[j];
    v[i] = s;
  }
  for (long k = 0; k < n; k++) {
    long i = n - k - 1;
    double s = v[i];
    for (long j = i + 1; j < n; j++)
      s -= a[i][j] * v[j];
    v[i] = s / a[i][i];
  }
  double s = 0;
  for (long i = 0; i < n; i++)
    s += v[i];
  for (long i = 0; i < n; i++)
    free(a[i]);
  free(a);
  free(b);
  free(v);
  return s;
}
int main(void) {
  double s = 0;
  for (long i = 0; i < 6; i++)
    s += run(300, i + 42);
  printf("%.6f\n", s);
}
