/* prelinked.c - may a program be linked with objects that tools/prelink made of the runtime and the system's
 * libraries?
 *
 * in:    the directory of the runtime's archives; `prelinked` in it has a line `SIZE TIME PATH` for each file of
 *        the system that went into the objects, and for the compiler
 * out:   true only if linking the archives would take the same from the same files
 *
 * A C library that was replaced, say by one without a hole in its security, must get into programs: the
 * objects are then of no use until they are made anew. */
#include "prelinked.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool get_stat(const char *dir, const char *name, struct stat *info) {
  char path[PATH_MAX];
  return snprintf(path, sizeof path, "%s/%s", dir, name) < PATH_MAX && stat(path, info) == 0;
}

static bool is_older(const struct stat *a, const struct stat *b) {
  if (a->st_mtim.tv_sec != b->st_mtim.tv_sec) return a->st_mtim.tv_sec < b->st_mtim.tv_sec;
  return a->st_mtim.tv_nsec < b->st_mtim.tv_nsec;
}

static bool are_newer_than_archives(const char *dir) {
  struct stat base, base_net, runtime, net;
  if (!get_stat(dir, "base.o", &base) || !get_stat(dir, "base-net.o", &base_net)) return false;
  if (!get_stat(dir, "librt.a", &runtime) || !get_stat(dir, "libnet.a", &net)) return false;
  return !is_older(&base, &runtime) && !is_older(&base_net, &runtime) &&
         !is_older(&base_net, &net);
}

/* One line of the list; *has_compiler if it is that file's. */
static bool is_unchanged(const char *line, const char *compiler, bool *has_compiler) {
  long long size, time;
  int path = 0;
  struct stat info;
  if (sscanf(line, "%lld %lld %n", &size, &time, &path) < 2 || !path) return false;
  *has_compiler |= !strcmp(line + path, compiler);
  return stat(line + path, &info) == 0 && info.st_size == size && info.st_mtim.tv_sec == time;
}

static bool is_list_fresh(FILE *list, const char *compiler) {
  char line[PATH_MAX + 64];
  bool has_compiler = false;
  while (fgets(line, sizeof line, list)) {
    line[strcspn(line, "\n")] = 0;
    if (!is_unchanged(line, compiler, &has_compiler)) return false;
  }
  return has_compiler;
}

bool prelinked_is_fresh(const char *dir, const char *compiler) {
  char path[PATH_MAX];
  if (!are_newer_than_archives(dir) ||
      snprintf(path, sizeof path, "%s/prelinked", dir) >= PATH_MAX)
    return false;
  FILE *list = fopen(path, "re");
  if (!list) return false;
  char *real = realpath(compiler, NULL);
  bool is_fresh = real && is_list_fresh(list, real);
  free(real);
  fclose(list);
  return is_fresh;
}
