/* perf_map.c - names of functions compiled in memory, for perf (contract: perf_map.h).
 *
 * in:    a unit compiled with `lists_static`
 * out:   /tmp/perf-PID.map, where perf looks: a line "START SIZE NAME", in hexadecimal, per function
 * cost:  a sort of the names; nothing if it is not asked for */
#include "perf_map.h"
#include <errno.h>
#include <fcntl.h>
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

/* A new file, whatever stands there: in /tmp others may have put a link under that name. */
static FILE *new_file(const char *path) {
  if (unlink(path) != 0 && errno != ENOENT) return NULL;
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  return fd < 0 ? NULL : fdopen(fd, "w");
}

void perf_map_write(const QuickUnit *unit) {
  size_t count;
  const char *end;
  char path[64];
  QuickSymbol *functions = quick_functions(unit, &count, &end);
  if (!functions) abort();
  qsort(functions, count, sizeof *functions, by_address);
  snprintf(path, sizeof path, "/tmp/perf-%d.map", (int)getpid());
  FILE *out = new_file(path);
  if (out) put_functions(out, functions, count, end);
  if (!out || fclose(out) != 0)
    fprintf(stderr, "valkc: cannot write %s: %s\n", path, strerror(errno));
  free(functions);
}
