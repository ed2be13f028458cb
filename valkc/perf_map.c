/* perf_map.c - names of functions compiled in memory, for perf (contract: perf_map.h).
 *
 * in:    a unit compiled with `lists_static`
 * out:   /tmp/perf-PID.map, where perf looks: a line "START SIZE NAME", in hexadecimal, per function
 * cost:  a sort of the names; nothing if it is not asked for */
#include "perf_map.h"
#include "process.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int by_address(const void *a, const void *b) {
  const QuickSymbol *x = a, *y = b;
  return (x->address > y->address) - (x->address < y->address);
}

/* A function ends where the next begins: TinyCC knows no sizes here. */
static void put_functions(FILE *out, const QuickSymbol *functions, size_t count,
                          const char *end) {
  for (size_t i = 0; i < count; i++) {
    const char *start = functions[i].address;
    const char *next = i + 1 < count ? functions[i + 1].address : end;
    fprintf(out, "%jx %zx %s\n", (uintmax_t)(uintptr_t)start, (size_t)(next - start),
            functions[i].name);
  }
}

void perf_map_write(const QuickUnit *unit) {
  Text text = {NULL, 0};
  size_t count;
  const char *end;
  QuickSymbol *functions = quick_functions(unit, &count, &end);
  FILE *out = open_memstream(&text.bytes, &text.len);
  if (!functions || !out) abort();
  qsort(functions, count, sizeof *functions, by_address);
  put_functions(out, functions, count, end);
  char path[64];
  snprintf(path, sizeof path, "/tmp/perf-%d.map", (int)getpid());
  bool is_ok = fclose(out) == 0 && write_path(path, text.bytes, text.len);
  if (!is_ok) fprintf(stderr, "valkc: cannot write %s: %s\n", path, strerror(errno));
  free(text.bytes);
  free(functions);
}
