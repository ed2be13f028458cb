/* open addressing with doubling, as a C programmer would write it */
#include <stdio.h>
#include <stdlib.h>
struct slot { long key, count; };
static struct slot *table;
static unsigned long capacity = 16, used;
static struct slot *find(struct slot *t, unsigned long cap, long key) {
  unsigned long i = (unsigned long)key * 0x9E3779B97F4A7C15ul >> 20 & (cap - 1);
  while (t[i].count && t[i].key != key) i = (i + 1) & (cap - 1);
  return &t[i];
}
static void grow(void) {
  struct slot *bigger = calloc(capacity * 2, sizeof *bigger);
  for (unsigned long i = 0; i < capacity; i++)
    if (table[i].count) *find(bigger, capacity * 2, table[i].key) = table[i];
  free(table);
  table = bigger;
  capacity *= 2;
}
int main(void) {
  table = calloc(capacity, sizeof *table);
  long x = 42;
  for (long i = 0; i < 6000000; i++) {
    x = (x * 1103515245 + 12345) % 2147483648;
    long key = x / 1024 % 50021;
    struct slot *s = find(table, capacity, key);
    if (!s->count) {
      if (++used * 4 > capacity * 3) { grow(); s = find(table, capacity, key); }
      s->key = key;
    }
    s->count++;
  }
  long most = 0;
  for (unsigned long i = 0; i < capacity; i++)
    if (table[i].count > most) most = table[i].count;
  printf("%lu %ld\n", used, most);
  return 0;
}
