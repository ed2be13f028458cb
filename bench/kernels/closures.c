#include <stdio.h>
#include <stdlib.h>
struct fn { long (*code)(struct fn *, long); long n; struct fn *f, *g; };
struct cell { struct fn *f; struct cell *next; };
static long add(struct fn *self, long x) { return x + self->n; }
static long scale(struct fn *self, long x) { return x * self->n % 1000003; }
static long choose(struct fn *self, long x) {
  struct fn *f = x % 2 ? self->f : self->g;
  return f->code(f, x);
}
static struct fn *make(long (*code)(struct fn *, long), long n, struct fn *f, struct fn *g) {
  struct fn *fn = malloc(sizeof *fn);
  fn->code = code; fn->n = n; fn->f = f; fn->g = g;
  return fn;
}
int main(void) {
  struct cell *steps = 0, **end = &steps;
  for (long i = 0; i < 100; i++) {
    struct cell *c = malloc(sizeof *c);
    c->f = i % 3 == 0 ? make(add, i, 0, 0)
         : i % 3 == 1 ? make(scale, i + 2, 0, 0)
         : make(choose, 0, make(add, 1, 0, 0), make(scale, 3, 0, 0));
    c->next = 0;
    *end = c;
    end = &c->next;
  }
  long s = 0;
  for (long i = 0; i < 200000; i++) {
    long x = i;
    for (struct cell *c = steps; c; c = c->next) x = c->f->code(c->f, x);
    s = (s + x) % 1000000007;
  }
  printf("%ld\n", s);
  return 0;
}
