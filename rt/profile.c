/* profile.c - bytes by site of allocation (contract: profile.h). */
#include "profile.h"
#include "heap_impl.h"
#include "process.h"
#include "scratch.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct Site {
  uint64_t heap, scratch, count;
} Site;
static Site *sites;
static size_t site_count;
static VkTaken counted;

static VkTaken taken(vk *c) {
  return (VkTaken){heap_taken(c->heap) - counted.heap, vk_scratch_used(c) - counted.scratch};
}

VkTaken vk_profile_begin(vk *c) { return taken(c); }

static bool make_room(size_t site) {
  if (site < site_count) return true;
  size_t count = site < 512 ? 1024 : 2 * site;
  Site *more = realloc(sites, count * sizeof *more);
  if (!more) return false;
  for (size_t i = site_count; i < count; i++) more[i] = (Site){0};
  sites = more;
  site_count = count;
  return true;
}

/* Less than before: what was counted within, or a function called there, was reset. */
static uint64_t since(uint64_t before, uint64_t now) {
  return (int64_t)(now - before) > 0 ? now - before : 0;
}

void vk_profile_end(vk *c, VkTaken before, unsigned site) {
  VkTaken now = taken(c);
  uint64_t heap = since(before.heap, now.heap), scratch = since(before.scratch, now.scratch);
  if (!make_room(site)) return;
  sites[site].heap += heap;
  sites[site].scratch += scratch;
  sites[site].count++;
  counted.heap += heap;
  counted.scratch += scratch;
}

void vk_profile_write(void) {
  const char *path = vk_setting("VALK_PROFILE");
  FILE *out = path ? fopen(path, "w") : NULL;
  if (!out) return;
  uint64_t all = heap_taken(vk_process.first->heap);
  if (make_room(0)) sites[0].heap = since(counted.heap, all);
  for (size_t i = 0; i < site_count; i++) {
    const Site *s = &sites[i];
    if (s->count || s->heap)
      fprintf(out, "%zu %llu %llu %llu\n", i, (unsigned long long)s->heap, (unsigned long long)s->scratch,
              (unsigned long long)s->count);
  }
  fclose(out);
}
