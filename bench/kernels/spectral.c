#include <math.h>
#include <stdio.h>
#include <stdlib.h>
static double entry(long i, long j) {
  long d = i + j;
  return 1.0 / (double)(d * (d + 1) / 2 + i + 1);
}
static void times(long n, const double *v, double *out) {
  for (long i = 0; i < n; i++) {
    double s = 0;
    for (long j = 0; j < n; j++) s += entry(i, j) * v[j];
    out[i] = s;
  }
}
static void times_transposed(long n, const double *v, double *out) {
  for (long i = 0; i < n; i++) {
    double s = 0;
    for (long j = 0; j < n; j++) s += entry(j, i) * v[j];
    out[i] = s;
  }
}
int main(void) {
  enum { N = 1000 };
  double *u = malloc(N * sizeof *u), *v = malloc(N * sizeof *v), *t = malloc(N * sizeof *t);
  for (long i = 0; i < N; i++) u[i] = 1;
  for (int i = 0; i < 10; i++) {
    times(N, u, t);
    times_transposed(N, t, v);
    times(N, v, t);
    times_transposed(N, t, u);
  }
  double uv = 0, vv = 0;
  for (long i = 0; i < N; i++) { uv += u[i] * v[i]; vv += v[i] * v[i]; }
  printf("%.9f\n", sqrt(uv / vv));
  return 0;
}
