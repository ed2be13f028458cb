/* csv.c - reads orders from lines of text and sums them up by customer: strings, records, a table. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES = 500, PAGES = 1000, CUSTOMERS = 97 };

typedef struct Order {
  long customer;
  char *item;
  long count, cents;
} Order;

static char *line(long i) {
  char text[64];
  snprintf(text, sizeof text, "%ld,item-%ld,%ld,%ld", i * 7919 % 97, i % 31, 1 + i % 9, 25 * (1 + i * 31 % 40));
  return strdup(text);
}

static char *page(long from) {
  char *lines[LINES];
  size_t length = 0;
  for (long i = 0; i < LINES; i++) length += strlen(lines[i] = line(from + i)) + 1;
  char *text = malloc(length), *p = text;
  for (long i = 0; i < LINES; i++) {
    size_t n = strlen(lines[i]);
    memcpy(p, lines[i], n);
    p += n;
    *p++ = i + 1 < LINES ? '\n' : 0;
    free(lines[i]);
  }
  return text;
}

/* The parts between separators, copied. */
static size_t split(const char *text, char separator, char ***parts) {
  size_t count = 1;
  for (const char *p = text; (p = strchr(p, separator)); p++) count++;
  *parts = malloc(count * sizeof **parts);
  for (size_t i = 0; i < count; i++) {
    const char *end = strchrnul(text, separator);
    (*parts)[i] = strndup(text, (size_t)(end - text));
    text = end + 1;
  }
  return count;
}

static Order order(const char *text) {
  char **fields;
  split(text, ',', &fields);
  Order o = {atol(fields[0]), fields[1], atol(fields[2]), atol(fields[3])};
  free(fields[0]), free(fields[2]), free(fields[3]);
  free(fields);
  return o;
}

static void add_page(long totals[CUSTOMERS], char *text) {
  char **lines;
  size_t count = split(text, '\n', &lines);
  Order *orders = malloc(count * sizeof *orders);
  for (size_t i = 0; i < count; i++) {
    orders[i] = order(lines[i]);
    free(lines[i]);
  }
  for (size_t i = 0; i < count; i++) {
    long total = orders[i].count * orders[i].cents;
    if (total > 500) totals[orders[i].customer] += total;
    free(orders[i].item);
  }
  free(orders);
  free(lines);
  free(text);
}

int main(void) {
  long totals[CUSTOMERS] = {0}, s = 0;
  for (long i = 0; i < PAGES; i++) add_page(totals, page(i * LINES));
  for (int k = 0; k < CUSTOMERS; k++) s = (s * 31 + totals[k]) % 1000003;
  printf("%ld\n", s);
}
