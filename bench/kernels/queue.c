#include <stdio.h>
#include <stdlib.h>
struct cell { long work; struct cell *next; };
static struct cell *first, **last = &first;
static void put(long work) {
  struct cell *c = malloc(sizeof *c);
  c->work = work;
  c->next = 0;
  *last = c;
  last = &c->next;
}
static long take_oldest(void) {
  struct cell *c = first;
  long work = c->work;
  first = c->next;
  if (!first) last = &first;
  free(c);
  return work;
}
int main(void) {
  for (long i = 0; i < 1000; i++) put(1 + i * 7 % 20);
  long left = 500000, rounds = 0, total = 0, x = 12345;
  while (left) {
    long work = take_oldest() - 1;
    x = (x * 1103515245 + 12345) % 2147483648;
    if (work > 0) {
      put(work);
      rounds++;
    } else {
      put(1 + x / 65536 % 20);
      left--;
      total = (total + rounds + work) % 1000003;
      rounds = 0;
    }
  }
  printf("%ld\n", total);
  return 0;
}
