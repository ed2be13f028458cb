/* home.c - find valkc's own files. */
#include "home.h"
#include "compile.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
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

/* The directory the executable is in; malloc. Without /proc, as it was started. */
static char *executable_dir(void) {
  char exe[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
  if (n > 0)
    exe[n] = 0;
  else if (!realpath((const char *)getauxval(AT_EXECFN), exe))
    return NULL;
  return go_up(exe) ? strdup(exe) : NULL;
}

/* build/valkc, build/asan/valkc and build/TARGET/valkc are in the tree, with the archives for the
 * programs they make beside them; the first two have those in common. */
static bool find_in_tree(Home *h, const char *executable_dir) {
  enum { LEVELS = 3 };
  char *root = strdup(executable_dir);
  char *archive_dir = strdup(executable_dir), *name = strrchr(archive_dir, '/');
  if (name && !strcmp(name, "/asan")) *name = 0;
  bool is_found = has_file(archive_dir, "librt.a");
  for (int level = 1; is_found; level++) {
    is_found = level <= LEVELS && go_up(root);
    if (is_found && has_file(root, "rt/vk.h") && has_file(root, "std/INDEX")) break;
  }
  if (is_found)
    *h = (Home){.root = strdup(root),
                .std_dir = join(root, "std"),
                .include_dir = join(root, "rt"),
                .archive_dir = strdup(archive_dir),
                .asan_dir = join(archive_dir, "asan"),
                .tsan_dir = join(archive_dir, "tsan")};
  free(root);
  free(archive_dir);
  return is_found;
}

static bool find_installed(Home *h, const char *executable_dir) {
  char *prefix = strdup(executable_dir),
       *root = go_up(prefix) ? join(prefix, "lib/valkc") : NULL;
  free(prefix);
  if (!root || !has_file(root, "include/vk.h") || !has_file(root, "std/INDEX")) {
    free(root);
    return false;
  }
  *h = (Home){.root = root,
              .std_dir = join(root, "std"),
              .include_dir = join(root, "include"),
              .archive_dir = root,
              .asan_dir = join(root, "asan"),
              .tsan_dir = join(root, "tsan")};
  return true;
}

const Home *home_get(void) {
  static Home home; /* fixed for the process: found once, then only read */
  if (home.root) return &home;
  char *dir = executable_dir();
  if (!dir || !(find_in_tree(&home, dir) || find_installed(&home, dir))) {
    fprintf(
        stderr,
        "valkc: its library is missing: %s is neither in a source tree that is built nor is\n"
        "  ../lib/valkc beside it\n",
        dir ? dir : "its directory");
    exit(EXIT_PROGRAM);
  }
  free(dir);
  return &home;
}
