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

/* Takes the last component off the path; false if none is left. */
static bool go_up(char *path) {
  char *slash = strrchr(path, '/');
  if (!slash) return false;
  *slash = 0;
  return true;
}

/* The directory above the one the executable is in; malloc. */
static char *executable_parent(void) {
  char exe[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
  if (n <= 0) return NULL;
  exe[n] = 0;
  return go_up(exe) && go_up(exe) ? strdup(exe) : NULL;
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

/* build/valkc and build/asan/valkc are in the tree. */
static bool find(Home *h, char *parent) {
  return find_in_tree(h, parent) || find_installed(h, parent) ||
         (go_up(parent) && find_in_tree(h, parent));
}

const Home *home_get(void) {
  static Home home; /* fixed for the process: found once, then only read */
  if (home.root) return &home;
  char *parent = executable_parent();
  if (!parent || !find(&home, parent)) {
    fprintf(stderr, "valkc: its library is missing: neither %s/lib/valkc nor %s/std is there\n",
            parent ? parent : "PREFIX", parent ? parent : "the source tree");
    exit(EXIT_PROGRAM);
  }
  free(parent);
  return &home;
}
