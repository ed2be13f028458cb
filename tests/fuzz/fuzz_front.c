/* fuzz_front.c - any bytes through the front end: read, expand, resolve.
 *
 * A libFuzzer target (AFL++ takes it too), built and run by tests/fuzz/run. Beyond not crashing:
 * what comes out without errors passes core_check and can be dumped, and a program that was
 * refused got a message. Run it in the root of the tree, where std/ is, or set VALK_FUZZ_STD. */
#include "expand.h"
#include "resolve.h"
#include "fuzz.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void put_nowhere(void *to, const char *s, size_t n) {
  (void)s;
  *(size_t *)to += n;
}

/* A file that holds the input: expand reads by path. */
static const char *input_path(Arena *a, int fd, const uint8_t *data, size_t size) {
  HOLDS(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
  return arena_printf(a, "/proc/self/fd/%d", fd);
}

static size_t flush_messages(Diag *diag) {
  char *text = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&text, &len);
  diag_flush_to(diag, out);
  fclose(out);
  free(text);
  return len;
}

/* Inputs that load other files would not be cases of their own. */
static bool loads_files(const uint8_t *data, size_t size) {
  return memmem(data, size, "load", 4) || memmem(data, size, "import", 6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static int fd = -1;
  if (fd < 0) fd = memfd_create("input", MFD_CLOEXEC);
  if (loads_files(data, size)) return 0;
  const char *std = getenv("VALK_FUZZ_STD");
  Arena arena = {0};
  Names names = {.arena = &arena};
  Diag diag = {.arena = &arena};
  Program program = {.arena = &arena,
                     .names = &names,
                     .diag = &diag,
                     .global_by_name = {.arena = &arena},
                     .std_dir = std ? std : "std"};
  HOLDS(expand_program(&program, input_path(&arena, fd, data, size)));
  if (diag.error_count == 0) resolve_run(&program);
  if (diag.error_count == 0) {
    core_check(&program, "resolve");
    size_t dumped = 0;
    core_dump(&program, put_nowhere, &dumped);
  }
  size_t shown = flush_messages(&diag);
  HOLDS(diag.error_count == 0 || shown > 0);
  arena_free(&arena);
  return 0;
}
