#include <stdio.h>
#include <stdlib.h>
typedef struct Int { long head; struct Int *tail; } Int;
typedef struct Float { double head; struct Float *tail; } Float;
static long counts[1000];
static double weights[1000];
static long dot(const long *a, const long *b, long s) { for (int i = 0; i < 1000; i++) s += a[i] * b[i]; return s; }
static double dotf(const double *a, const double *b, double s) { for (int i = 0; i < 1000; i++) s += a[i] * b[i]; return s; }
int main(void) {
  Int *steps = NULL;
  Float *times = NULL;
  for (int i = 999; i >= 0; i--) {
    Int *c = malloc(sizeof *c);
    Float *f = malloc(sizeof *f);
    c->head = i, c->tail = steps, steps = c;
    f->head = 0.25 * i, f->tail = times, times = f;
  }
  for (int i = 0; i < 1000; i++) counts[i] = (long)i * 7919 % 1009, weights[i] = i / 1000.0;
  long best = 0;
  double bestf = 0;
  for (long n = 20000; n > 0; n--) {
    long s = n;
    for (Int *l = steps; l; l = l->tail) s += l->head;
    long x = (dot(counts, counts, n) + s) % 1000003;
    if (best < x) best = x;
  }
  for (long n = 20000; n > 0; n--) {
    double s = 0.5;
    for (Float *l = times; l; l = l->tail) s += l->head;
    double x = dotf(weights, weights, (double)n) + s;
    if (bestf < x) bestf = x;
  }
  printf("%ld %.4f\n", best, bestf);
}
