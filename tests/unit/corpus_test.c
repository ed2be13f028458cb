/* corpus_test.c - the fuzzers' seeds and past findings through the fuzz targets, without a fuzzer.
 * Runs in the root of the tree. */
#define LLVMFuzzerTestOneInput fuzz_read
#include "../fuzz/fuzz_read.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_front
#include "../fuzz/fuzz_front.c"
#include "check.h"
#include <glob.h>

int fuzz_front(const uint8_t *data, size_t size);

static void run_corpus(const char *pattern, int (*target)(const uint8_t *data, size_t size)) {
  glob_t found;
  Arena arena = {0};
  Diag diag = {.arena = &arena};
  CHECK(glob(pattern, 0, NULL, &found) == 0);
  for (size_t i = 0; i < found.gl_pathc; i++) {
    uint32_t file;
    if (!CHECK(diag_load_source(&diag, found.gl_pathv[i], &file))) continue;
    const Source *s = &diag.sources.items[file];
    fprintf(stderr, "%s\n", s->path); /* the last one named is the one that fails */
    CHECK(target((const uint8_t *)s->text, s->len) == 0);
  }
  globfree(&found);
  arena_free(&arena);
}

int main(void) {
  run_corpus("tests/fuzz/corpus/read/*", fuzz_read);
  run_corpus("tests/fuzz/corpus/front/*", fuzz_front);
  return check_done();
}
