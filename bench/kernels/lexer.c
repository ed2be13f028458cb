#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static const char *piece = "let total_1 = price * 12.50 ; the sum\n  print \"total: \" "
                           "total_1\nif x9 < 1000 { y = \"a \\\" b\" }\n";
static unsigned char *text;
static long size;
static int letter(int c) { return (c >= 97 && c <= 122) || c == 95; }
static int digit(int c) { return c >= 48 && c <= 57; }
static long lex(int state, long i, long sum) {
  switch (state) {
  case 0: goto between;
  case 1: goto comment;
  default: goto quoted;
  }
between:
  for (; i < size; i++) {
    int c = text[i];
    if (letter(c)) {
      i++;
      goto word;
    }
    if (digit(c)) {
      i++;
      goto number;
    }
    if (c == 34) {
      i++;
      goto quoted;
    }
    if (c == 59) {
      i++;
      goto comment;
    }
  }
  return sum;
word:
  while (i < size && (letter(text[i]) || digit(text[i]))) i++;
  sum += 1;
  goto between;
number:
  while (i < size && digit(text[i])) i++;
  if (i < size && text[i] == 46) {
    i++;
    goto fraction;
  }
  sum += 10;
  goto between;
fraction:
  while (i < size && digit(text[i])) i++;
  sum += 100;
  goto between;
quoted:
  for (; i < size; i++) {
    if (text[i] == 34) {
      i++;
      sum += 1000;
      goto between;
    }
    if (text[i] == 92) {
      i++;
      goto escaped;
    }
  }
  goto between;
escaped:
  if (i >= size) goto between;
  i++;
  sum += 7;
  goto quoted;
comment:
  for (; i < size; i++) {
    if (text[i] == 10) {
      i++;
      sum += 3;
      goto between;
    }
    sum += 1;
  }
  goto between;
}
int main(void) {
  long n = (long)strlen(piece);
  text = malloc(n * 1000 + 1);
  for (int k = 0; k < 1000; k++) memcpy(text + k * n, piece, n);
  size = n * 1000;
  long sum = 0;
  for (long k = 500; k > 0; k--)
    sum = (sum + lex(0, k, 0) + lex(1, k, 0) + lex(2, k, 0)) % 1000003;
  printf("%ld\n", sum);
  return 0;
}
