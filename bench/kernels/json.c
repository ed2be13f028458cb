#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct value { long n; struct value *first, *next; int is_list; };
static char *text;
static size_t len, capacity;
static void put(const char *s) {
  size_t k = strlen(s);
  while (len + k + 1 > capacity) text = realloc(text, capacity = capacity ? capacity * 2 : 64);
  memcpy(text + len, s, k + 1);
  len += k;
}
static void write_value(long depth, long n) {
  char part[32];
  if (depth == 0) {
    snprintf(part, sizeof part, n % 3 ? "%ld" : "\"word%ld\"", n);
    put(part);
    return;
  }
  put("[");
  for (long i = 0; i < 6; i++) {
    if (i) put(",");
    write_value(depth - 1, n * 6 + i);
  }
  put("]");
}
static struct value *parse(const char **p) {
  struct value *v = calloc(1, sizeof *v);
  if (**p == '[') {
    struct value **end = &v->first;
    v->is_list = 1;
    do {
      ++*p;
      *end = parse(p);
      end = &(*end)->next;
    } while (**p == ',');
    ++*p;
  } else if (**p == '"') {
    while (*++*p != '"') v->n++;
    ++*p;
  } else
    while (**p >= '0' && **p <= '9') v->n = v->n * 10 + (*(*p)++ - '0');
  return v;
}
static long total(struct value *v) { /* and frees it */
  long s = v->n;
  for (struct value *e = v->first, *next; e; e = next) { next = e->next; s += total(e); }
  free(v);
  return s;
}
int main(void) {
  long s = 0;
  write_value(6, 1);
  for (int r = 0; r < 60; r++) {
    const char *p = text;
    s += total(parse(&p));
  }
  printf("%zu %ld\n", len, s);
  return 0;
}
