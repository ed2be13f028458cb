/* cache.c - executables by the hash of what they were made of. */
#include "cache.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CACHE_MB_DEFAULT = 256, KEY_LENGTH = 64, PARTIAL_AGE_SECONDS = 3600 };

/* Makes every missing directory of the path. */
static bool make_directories(char *path) {
  for (char *p = path + 1; *p; p++) {
    if (*p != '/') continue;
    *p = 0;
    bool is_ok = mkdir(path, 0777) == 0 || errno == EEXIST;
    *p = '/';
    if (!is_ok) return false;
  }
  return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* The XDG base directory specification: a relative XDG_CACHE_HOME is ignored. */
static char *cache_dir(void) {
  const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  char *dir = NULL;
  int n = -1;
  if (xdg && *xdg == '/')
    n = asprintf(&dir, "%s/valkc", xdg);
  else if (home && *home == '/')
    n = asprintf(&dir, "%s/.cache/valkc", home);
  if (n < 0) return NULL;
  if (make_directories(dir) && access(dir, W_OK | X_OK) == 0) return dir;
  free(dir);
  return NULL;
}

char *cache_path(const char *key) {
  char *dir = cache_dir(), *path;
  if (!dir) return NULL;
  if (asprintf(&path, "%s/%s", dir, key) < 0) abort();
  free(dir);
  return path;
}

bool cache_has(const char *path) {
  return access(path, X_OK) == 0 && utimensat(AT_FDCWD, path, NULL, 0) == 0;
}

/* ---- trimming ----------------------------------------------------------------------------- */

typedef struct Entry {
  char name[KEY_LENGTH + 1];
  struct timespec used;
  uint64_t bytes;
} Entry;
typedef struct Entries {
  Entry *items;
  size_t count, capacity;
  uint64_t bytes;
} Entries;

static void add_entry(Entries *all, const char *name, const struct stat *info) {
  if (all->count == all->capacity) {
    all->capacity = all->capacity ? all->capacity * 2 : 64;
    all->items = realloc(all->items, all->capacity * sizeof *all->items);
    if (!all->items) abort();
  }
  Entry *e = &all->items[all->count++];
  memcpy(e->name, name, KEY_LENGTH + 1);
  e->used = info->st_mtim;
  e->bytes = (uint64_t)info->st_size;
  all->bytes += e->bytes;
}

/* Only files named by a key are ours to remove, and parts left by a build that was killed. */
static void list_entries(int dir_fd, DIR *dir, Entries *all) {
  for (struct dirent *d; (d = readdir(dir));) {
    struct stat info;
    size_t len = strspn(d->d_name, "0123456789abcdef");
    if (len != KEY_LENGTH || fstatat(dir_fd, d->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    if (d->d_name[len] == 0)
      add_entry(all, d->d_name, &info);
    else if (time(NULL) - info.st_mtim.tv_sec > PARTIAL_AGE_SECONDS)
      unlinkat(dir_fd, d->d_name, 0);
  }
}

static int by_time(const void *a, const void *b) {
  const Entry *x = a, *y = b;
  if (x->used.tv_sec != y->used.tv_sec) return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
  return (x->used.tv_nsec > y->used.tv_nsec) - (x->used.tv_nsec < y->used.tv_nsec);
}

void cache_trim(void) {
  const char *setting = getenv("VALKC_CACHE_MB");
  uint64_t limit = (uint64_t)(setting ? strtoul(setting, NULL, 10) : CACHE_MB_DEFAULT) << 20;
  char *path = cache_dir();
  DIR *dir = path ? opendir(path) : NULL;
  Entries all = {0};
  free(path);
  if (!dir) return;
  list_entries(dirfd(dir), dir, &all);
  if (all.bytes > limit) {
    qsort(all.items, all.count, sizeof *all.items, by_time);
    for (size_t i = 0; i + 1 < all.count && all.bytes > limit / 4 * 3; i++)
      if (unlinkat(dirfd(dir), all.items[i].name, 0) == 0) all.bytes -= all.items[i].bytes;
  }
  free(all.items);
  closedir(dir);
}
