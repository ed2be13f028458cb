/* limits.c - sizes from environment, build options and machine (contract: limits.h). */
#include "limits.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool vk_parse_size(const char *text, size_t *bytes) {
  if (!isdigit((unsigned char)*text)) return false;
  char *end;
  errno = 0;
  unsigned long long n = strtoull(text, &end, 10);
  if (errno) return false;
  int shift = 0;
  if (*end) {
    switch (tolower((unsigned char)*end)) {
    case 'k': shift = 10; break;
    case 'm': shift = 20; break;
    case 'g': shift = 30; break;
    default: return false;
    }
    if (end[1]) return false;
  }
  if (n > (SIZE_MAX >> shift)) return false;
  *bytes = (size_t)n << shift;
  return true;
}

const char *vk_setting(const char *name) {
  static enum { UNKNOWN, NONE, SOME } settings;
  if (settings == UNKNOWN) {
    settings = NONE;
    for (char **e = environ; e && *e; e++)
      if (!strncmp(*e, "VALK_", 5)) settings = SOME;
  }
  return settings == SOME ? getenv(name) : NULL;
}

/* A number alone in a file; SIZE_MAX if the file is not there or says "max". */
static size_t read_size_file(const char *path) {
  char text[32];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return SIZE_MAX;
  ssize_t count = read(fd, text, sizeof text - 1);
  close(fd);
  text[count > 0 ? count : 0] = 0;
  text[strcspn(text, "\n")] = 0;
  size_t n;
  return vk_parse_size(text, &n) ? n : SIZE_MAX;
}

size_t vk_machine_memory(void) {
  long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  size_t total = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : (size_t)1 << 30;
  size_t v2 = read_size_file("/sys/fs/cgroup/memory.max");
  size_t v1 = read_size_file("/sys/fs/cgroup/memory/memory.limit_in_bytes");
  if (v2 < total) total = v2;
  if (v1 < total) total = v1;
  return total;
}

bool vk_trace_wanted(const char *topic) {
  const char *list = vk_setting("VALK_TRACE");
  size_t n = strlen(topic);
  while (list && *list) {
    size_t word = strcspn(list, ",");
    if (word == n && !memcmp(list, topic, n)) return true;
    list += word + (list[word] == ',');
  }
  return false;
}

/* One size: `name` in the environment, else the build's, else ours. At least `least`. */
static size_t size_setting(const char *name, uint64_t built, size_t ours, size_t least) {
  const char *text = vk_setting(name);
  if (!text || !*text) return built ? (size_t)built : ours;
  size_t n;
  if (!vk_parse_size(text, &n)) {
    fprintf(stderr, "%s=%s: not a size; write bytes or a suffix, as in 512k, 64m, 2g\n", name,
            text);
    exit(2);
  }
  if (n < least) {
    fprintf(stderr, "%s=%s: too small, the least is %zuk\n", name, text, least >> 10);
    exit(2);
  }
  return n;
}

static unsigned stress_setting(void) {
  const char *text = vk_setting("VALK_GC_STRESS");
  if (!text || !*text) return 0;
  size_t n;
  if (!vk_parse_size(text, &n) || n > 1000000000) {
    fprintf(stderr, "VALK_GC_STRESS=%s: not a number of allocations\n", text);
    exit(2);
  }
  return (unsigned)n;
}

VkLimits vk_limits_read(const VkDefaults *d) {
  static const VkDefaults none;
  if (!d) d = &none;
  return (VkLimits){
      .heap_limit_bytes =
          size_setting("VALK_HEAP_LIMIT", d->heap_limit_bytes, 0, VK_HEAP_LIMIT_MIN),
      .gc_threshold_bytes = size_setting("VALK_GC_THRESHOLD", d->gc_threshold_bytes, 16 << 20,
                                         VK_GC_THRESHOLD_MIN),
      .arena_bytes = size_setting("VALK_ARENA_SIZE", d->arena_bytes, 4 << 20, 0),
      .gc_stress = stress_setting(),
      .trace_gc = vk_trace_wanted("gc"),
  };
}
