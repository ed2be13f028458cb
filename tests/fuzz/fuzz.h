/* fuzz.h - what the fuzz targets share: a property that must hold for any input. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define HOLDS(condition) ((condition) ? (void)0 : does_not_hold(__FILE__, __LINE__, #condition))

_Noreturn static void does_not_hold(const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
  abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
#endif
