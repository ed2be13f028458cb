/* cache.c - cache.valk with malloc and free. */
#include <stdio.h>
#include <stdlib.h>
enum { SIZE = 100000, STEPS = 3000000 };
typedef struct Cell {
  long value;
  struct Cell *next;
} Cell;
static Cell *cons(long value, Cell *next) {
  Cell *c = malloc(sizeof *c);
  c->value = value;
  c->next = next;
  return c;
}
static Cell *entry(long k) {
  Cell *l = NULL;
  for (long i = 7; i >= 0; i--) l = cons(k + i, l);
  return cons(k, l);
}
static void drop(Cell *l) {
  while (l) {
    Cell *next = l->next;
    free(l);
    l = next;
  }
}
static Cell *twice(const Cell *l) {
  Cell *first = NULL, **last = &first;
  for (; l; l = l->next, last = &(*last)->next) *last = cons(2 * l->value, NULL);
  return first;
}
static Cell *cache[SIZE];
static long place(long x) { return x / 16 % SIZE; }
int main(void) {
  long x = 42, s = 0;
  for (long i = 0; i < SIZE; i++) cache[i] = entry(i);
  for (long i = 0; i < STEPS; i++) {
    long y = (x * 1103515245 + 12345) % 2147483648, length = 0;
    drop(cache[place(x)]);
    cache[place(x)] = entry(y % 1000);
    Cell *l = twice(cache[place(y)]);
    for (Cell *p = l; p; p = p->next) length++;
    drop(l);
    s = (s + length + cache[place(y)]->value) % 1000003;
    x = y;
  }
  printf("%ld\n", s);
  return 0;
}
