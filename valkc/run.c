/* run.c - `valkc run`: compile and run in this process; with --cc, by the system's C compiler: the
 * executable from the cache, or made and kept there; then become it. */
#include "run.h"
#include "build.h"
#include "cache.h"
#include "passes.h"
#include "perf_map.h"
#include "process.h"
#include "quick.h"
#include "../rt/stack.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Becomes the program; back with errno if it cannot be started. */
static void become(const char *path, char **args) {
  fflush(stdout);
  execv(path, args);
}

static int cannot_start(const char *path) {
  fprintf(stderr, "valkc: cannot start %s: %s\n", path, strerror(errno));
  return EXIT_PROGRAM;
}

/* Without a cache: the executable is opened, its name removed, and run by its descriptor. */
static int run_once(Compilation *c) {
  interrupts_hold();
  char *dir = make_temporary_dir(), *path;
  if (asprintf(&path, "%s/program", dir) < 0) abort();
  int status = build_executable(c, path);
  int fd = status == EXIT_OK ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  remove_tree(dir);
  interrupts_release();
  if (status != EXIT_OK) return status;
  fflush(stdout);
  if (fd >= 0) fexecve(fd, c->options->args, environ);
  return cannot_start(path);
}

/* Another process may trim the file between our look and the start: then make it once more. */
static int run_cached(Compilation *c, const char *path) {
  char **args = c->options->args;
  for (int attempt = 0; attempt < 2; attempt++) {
    if (!cache_has(path)) {
      int status = build_executable(c, path);
      if (status != EXIT_OK) return status;
      cache_trim();
    }
    become(path, args);
    if (errno != ENOENT) break;
  }
  return cannot_start(path);
}

static bool keep_c_text(Compilation *c) {
  char *path = arena_printf(&c->arena, "%s.c", c->path);
  if (!c->options->keep_c || write_path(path, c->c_text, c->c_len)) return true;
  fprintf(stderr, "valkc: cannot write %s: %s\n", path, strerror(errno));
  return false;
}

static int run_executable(Compilation *c) {
  char key[65];
  if (!build_key(c, key)) return EXIT_PROGRAM;
  char *path = cache_path(key);
  int status = path ? run_cached(c, path) : run_once(c);
  free(path);
  return status;
}

/* ---- in this process ---------------------------------------------------------------------- */

static void note_message(void *to, const char *message) {
  FILE *out = to;
  fprintf(out, "%s\n", message);
}

/* A text that TinyCC does not take is a bug of ours, as in build.c. */
static QuickUnit *compile_unit(Compilation *c) {
  Text messages = {NULL, 0};
  FILE *out = open_memstream(&messages.bytes, &messages.len);
  if (!out) diag_bug(&c->diag, NO_SPAN, "run", "out of memory");
  QuickSource source = {
      .text = c->c_text, .len = c->c_len, .lists_static = c->options->perf_map,
      .report = note_message, .report_to = out};
  double start = now_seconds();
  QuickUnit *unit = quick_compile(&source);
  fclose(out);
  if (!unit) {
    fprintf(stderr, "valkc: bug in the compiler: run: %s: TinyCC rejects its C text\n%s",
            c->path, messages.bytes);
    build_keep_text(c);
  } else if (c->options->verbose) {
    QuickMemory memory = quick_memory_get();
    fprintf(stderr, "tcc       %8.2f ms, %zu KB of code, %zu KB of data\n",
            (now_seconds() - start) * 1e3, memory.code >> 10, memory.data >> 10);
  }
  free(messages.bytes);
  return unit;
}

typedef int (*ProgramMain)(int argc, char **argv);

static ProgramMain compile_program(const Options *options, int *status) {
  Compilation c;
  QuickUnit *unit = NULL;
  compilation_init(&c, options, options->args[0]);
  c.program.is_quick = true;
  *status = passes_run(&c, PASS_emit);
  if (*status == EXIT_OK && !c.is_stopped) {
    unit = keep_c_text(&c) ? compile_unit(&c) : NULL;
    if (!unit) *status = EXIT_COMPILER;
    if (unit && options->perf_map) perf_map_write(unit);
  }
  compilation_free(&c);
  return unit ? (ProgramMain)quick_entry(unit, "main") : NULL;
}

/* Frames of TinyCC's code are two to three times as large as those of the same C optimised. */
enum { STACK_TIMES = 2 };

static int run_here(const Options *options) {
  int status;
  vk_stack_bytes_usual *= STACK_TIMES;
  ProgramMain program = compile_program(options, &status);
  fflush(stdout);
  if (!program) return status;
  exit(program((int)options->arg_count,
               options->args)); /* as a program ends: with its own status */
}

/* ---- the command -------------------------------------------------------------------------- */

/* Options that mean something to the system's C compiler alone ask for it. */
static bool wants_executable(const Options *o) {
  return o->use_cc || o->cc || o->libc || o->sanitize || o->sanitize_threads || o->warn_c || o->debug_info ||
         o->no_pie || o->optimise != OPTIMISE_DEFAULT;
}

int run_program(const Options *options) {
  if (!wants_executable(options)) return run_here(options);
  Compilation c;
  compilation_init(&c, options, options->args[0]);
  int status = passes_run(&c, PASS_emit);
  if (status == EXIT_OK && !c.is_stopped)
    status = keep_c_text(&c) ? run_executable(&c) : EXIT_PROGRAM;
  compilation_free(&c);
  return status;
}
