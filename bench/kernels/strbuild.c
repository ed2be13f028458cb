#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void) {
  long s = 0, n = 500000;
  for (int r = 0; r < 4; r++) {
    size_t capacity = 16, len = 0;
    char *text = malloc(capacity);
    for (long i = 0; i < n; i++) {
      char part[24];
      size_t k = (size_t)snprintf(part, sizeof part, "%s%ld", i ? "," : "", i * 7919 % 1000003);
      while (len + k + 1 > capacity) text = realloc(text, capacity *= 2);
      memcpy(text + len, part, k + 1);
      len += k;
    }
    s += (long)len;
    for (char *p = text;; p++) {
      s += strtol(p, &p, 10);
      if (!*p) break;
    }
    free(text);
  }
  printf("%ld\n", s);
  return 0;
}
