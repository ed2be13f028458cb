/* run.c - `valkc run`: the executable from the cache, or made and kept there; then become it. */
#include "run.h"
#include "build.h"
#include "cache.h"
#include "passes.h"
#include "process.h"
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
  char *dir = make_temporary_dir(), *path;
  if (asprintf(&path, "%s/program", dir) < 0) abort();
  int status = build_executable(c, path);
  int fd = status == EXIT_OK ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  remove_tree(dir);
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

int run_program(const Options *options) {
  Compilation c;
  char key[65];
  compilation_init(&c, options, options->args[0]);
  int status = passes_run(&c, PASS_emit);
  if (status != EXIT_OK || c.is_stopped) goto done;
  status = EXIT_PROGRAM;
  if (!keep_c_text(&c) || !build_key(&c, key)) goto done;
  char *path = cache_path(key);
  status = path ? run_cached(&c, path) : run_once(&c);
  free(path);
done:
  compilation_free(&c);
  return status;
}
