/* fragment.c - fragment.valk with malloc and free. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
enum { BATCH = 20000, ROUNDS = 120 };
typedef struct Text {
  struct Text *next;
  long length;
  char *bytes;
} Text;
static Text *text(long length, Text *next) {
  Text *t = malloc(sizeof *t);
  t->next = next;
  t->length = length;
  t->bytes = malloc((size_t)length + 1);
  memset(t->bytes, 'x', (size_t)length);
  t->bytes[length] = 0;
  return t;
}
/* Keeps one in ten, frees the others; gives the last link. */
static Text **thin(Text **l) {
  for (long i = 0; *l; i++) {
    Text *t = *l;
    if (i % 10 == 0) {
      l = &t->next;
      continue;
    }
    *l = t->next;
    free(t->bytes);
    free(t);
  }
  return l;
}
static long total(const Text *l) {
  long s = 0;
  for (; l; l = l->next) s += l->length;
  return s;
}
int main(void) {
  Text *kept = NULL;
  long s = 0;
  for (long i = 0; i < ROUNDS; i++) {
    Text *made = NULL;
    long size = 16 + 24 * (i * 7 % 30), x = 1 + i;
    for (long n = BATCH; n > 0; n--, x = (x * 1103515245 + 12345) % 2147483648)
      made = text(size + x / 64 % size, made);
    s = (s + total(made) + total(kept)) % 1000003;
    Text **end = thin(&kept);
    thin(&made);
    *end = made;
  }
  printf("%ld\n", s);
  return 0;
}
