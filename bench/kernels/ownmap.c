#include <stdio.h>
#include <stdlib.h>
typedef struct Cell { long head; struct Cell *tail; } Cell;
static Cell *cons(long x, Cell *l) { Cell *c = malloc(sizeof *c); c->head = x; c->tail = l; return c; }
static Cell *range(long n) { Cell *l = NULL; while (n-- > 0) l = cons(n, l); return l; }
static Cell *scaled(Cell *l, long k, long n) { return l ? cons(l->head * k + n, scaled(l->tail, k, n)) : NULL; }
static Cell *kept(Cell *l) { return !l ? NULL : l->head % 3 ? cons(l->head, kept(l->tail)) : kept(l->tail); }
static long sum(Cell *l) { long s = 0; for (; l; l = l->tail) s += l->head; return s; }
static void drop(Cell *l) { while (l) { Cell *n = l->tail; free(l); l = n; } }
int main(void) {
  long k = 5, s = 0;
  for (long n = 4000; n > 0; n--) {
    Cell *a = range(1000), *b = scaled(a, k, n), *c = kept(b);
    s = (s + sum(c)) % 1000003;
    k = (k + 7) % 13;
    drop(a), drop(b), drop(c);
  }
  double t = 0;
  for (long i = 0; i < 1000; i++) t += (double)i * 0.5;
  printf("%ld %.1f\n", s, t);
}
