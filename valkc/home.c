/* home.c - find valkc's own files. */
#include "home.h"
#include "compile.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *join(const char *dir, const char *name) {
  char *path;
  if (asprintf(&path, "%s/%s", dir, name) < 0) abort();
  return path;
}

static bool has_file(const char *dir, const char *name) {
  char *path = join(dir, name);
  bool is_there = access(path, R_OK) == 0;
  free(path);
  return is_there;
}

/* The directory above the one the executable is in. */
static char *executable_parent(void) {
  char exe[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
  if (n <= 0) return NULL;
  exe[n] = 0;
  for (int up = 0; up < 2; up++) {
    char *slash = strrchr(exe, '/');
    if (!slash) return NULL;
    *slash = 0;
  }
  return strdup(exe);
}

static bool find_in_tree(Home *h, const char *parent) {
  if (!has_file(parent, "rt/vk.h") || !has_file(parent, "std/INDEX")) return false;
  *h = (Home){.root = strdup(parent),
              .library_dir = join(parent, "std"),
              .include_dir = join(parent, "rt"),
              .archive_dir = join(parent, "build"),
              .asan_dir = join(parent, "build/asan")};
  return true;
}

static bool find_installed(Home *h, const char *parent) {
  char *root = join(parent, "lib/valkc");
  if (!has_file(root, "include/vk.h") || !has_file(root, "std/INDEX")) {
    free(root);
    return false;
  }
  *h = (Home){.root = root,
              .library_dir = join(root, "std"),
              .include_dir = join(root, "include"),
              .archive_dir = root,
              .asan_dir = join(root, "asan")};
  return true;
}

const Home *home_get(void) {
  static Home home; /* fixed for the process: found once, then only read */
  if (home.root) return &home;
  char *parent = executable_parent();
  if (!parent || !(find_in_tree(&home, parent) || find_installed(&home, parent))) {
    fprintf(stderr, "valkc: its library is missing: neither %s/lib/valkc nor %s/std is there\n",
            parent ? parent : "PREFIX", parent ? parent : "the source tree");
    exit(EXIT_PROGRAM);
  }
  free(parent);
  return &home;
}
