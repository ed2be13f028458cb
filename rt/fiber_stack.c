/* fiber_stack.c - stacks of fibers (contract: fiber_stack.h). */
#include "fiber_stack.h"
#include "stack.h"
#include "limits.h"
#include "slab.h"
#include "stack.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL /* Linux 6.13 */
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

static const size_t stack_bytes_least = 32 << 10, stack_bytes_most = (size_t)1 << 30;
enum { MAIN_STACK_SHARE = 4096 }; /* of 1 GiB: 256 KB */
/* Guards by mprotect, two of the process's 65,530 mappings each; the rest needs some, too. */
enum { SPLITS_MOST = 28000 };
/* Regions are reserved as they are needed: emulated kernels take their time for large ones. */
enum { REGIONS_MOST = 64, REGION_SLOTS = 1 << 14, REGION_SLOTS_LEAST = 64 };

typedef struct Region {
  VkSlab *slots;
  unsigned char is_guarded[REGION_SLOTS]; /* each written by who has taken the slot */
} Region;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static size_t stack_bytes;
static pthread_mutex_t growing = PTHREAD_MUTEX_INITIALIZER;
static Region *regions[REGIONS_MOST]; /* constant once counted */
static _Atomic size_t region_count;
static _Atomic bool uses_mprotect;
static _Atomic size_t split_count; /* guards made so */

/* ---- the region -------------------------------------------------------------------------- */

unsigned vk_fiber_stack_times = 1;

/* More where frames are larger: the evaluator's, TinyCC's, AddressSanitizer's. */
static size_t default_bytes(void) {
  size_t bytes = vk_stack_bytes_usual / MAIN_STACK_SHARE * vk_fiber_stack_times;
#if defined(__SANITIZE_ADDRESS__)
  bytes *= 4;
#endif
  return bytes;
}

static void bad_size(const char *text, const char *why) {
  fprintf(stderr, "VALK_FIBER_STACK=%s: %s\n", text, why);
  exit(2);
}

static size_t bytes_wanted(void) {
  const char *text = vk_setting("VALK_FIBER_STACK");
  size_t bytes;
  if (!text || !*text) return default_bytes();
  if (!vk_parse_size(text, &bytes))
    bad_size(text, "not a size; write bytes or a suffix, as in 64k, 1m");
  if (bytes < stack_bytes_least) bad_size(text, "too small, the least is 32k");
  if (bytes > stack_bytes_most) bad_size(text, "too large, the most is 1g");
  return bytes;
}

static void begin(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  stack_bytes = (bytes_wanted() + page - 1) / page * page;
}

/* With fewer slots if the system is short of addresses (ulimit -v). NULL: not even those. */
static Region *region_new(void) {
  Region *r = calloc(1, sizeof *r);
  size_t count = REGION_SLOTS;
  for (; r && !r->slots && count >= REGION_SLOTS_LEAST; count /= 2)
    r->slots = vk_slab_new("fiber stacks", VK_FIBER_STACK_GUARD + stack_bytes, count);
  if (r && r->slots) return r;
  free(r);
  return NULL;
}

/* Unless another thread did since there were `count`. */
static bool grow(size_t count) {
  pthread_mutex_lock(&growing);
  bool is_there = atomic_load(&region_count) > count;
  if (!is_there && count < REGIONS_MOST && (regions[count] = region_new())) {
    atomic_store(&region_count, count + 1);
    is_there = true;
  }
  pthread_mutex_unlock(&growing);
  return is_there;
}

static Region *region_of(const char *slot) {
  size_t i = 0;
  while (!vk_slab_owns(regions[i]->slots, slot)) i++;
  return regions[i];
}

size_t vk_fiber_stack_bytes(void) {
  pthread_once(&once, begin);
  return stack_bytes;
}

/* ---- guards ------------------------------------------------------------------------------- */

/* An emulated kernel may take any advice and do nothing. Asking for a file by that name tells: it
 * cannot be read, or it is the empty name. */
static bool cannot_be_read(const char *p) { return access(p, F_OK) == -1 && errno == EFAULT; }

static bool guard(char *low, size_t bytes) {
  if (!atomic_load_explicit(&uses_mprotect, memory_order_relaxed)) {
    static _Atomic bool is_proven;
    if (!madvise(low, bytes, MADV_GUARD_INSTALL) && (is_proven || cannot_be_read(low))) {
      is_proven = true;
      return true;
    }
    atomic_store_explicit(&uses_mprotect, true, memory_order_relaxed);
  }
  return !mprotect(low, bytes, PROT_NONE);
}

bool vk_fiber_stack_yellow(char *limit, bool is_usable) {
  char *low = limit - VK_FIBER_STACK_YELLOW;
  if (!is_usable) return guard(low, VK_FIBER_STACK_YELLOW);
  /* Whichever way it was guarded: the other does nothing. */
  madvise(low, VK_FIBER_STACK_YELLOW, MADV_GUARD_REMOVE);
  return !mprotect(low, VK_FIBER_STACK_YELLOW, PROT_READ | PROT_WRITE);
}

void vk_fiber_stack_use_mprotect(void) { atomic_store(&uses_mprotect, true); }

/* ---- taking and giving ---------------------------------------------------------------------- */

/* The first guard of a slot, which stays. */
static bool guard_slot(char *slot) {
  if (!guard(slot, VK_FIBER_STACK_GUARD)) return false;
  if (!atomic_load_explicit(&uses_mprotect, memory_order_relaxed)) return true;
  return atomic_fetch_add_explicit(&split_count, 1, memory_order_relaxed) < SPLITS_MOST;
}

static char *take_slot(void) {
  size_t i = 0;
  char *slot = NULL;
  for (; !slot; i++) {
    if (i == atomic_load_explicit(&region_count, memory_order_acquire) && !grow(i)) return NULL;
    slot = vk_slab_take(regions[i]->slots);
  }
  Region *r = regions[i - 1];
  size_t index = vk_slab_index(r->slots, slot);
  if (!r->is_guarded[index] && !guard_slot(slot)) {
    mprotect(slot, VK_FIBER_STACK_GUARD, PROT_READ | PROT_WRITE);
    vk_slab_give(r->slots, slot);
    return NULL;
  }
  r->is_guarded[index] = 1;
  return slot + VK_FIBER_STACK_GUARD;
}

static void give_slot(char *limit) {
  char *slot = limit - VK_FIBER_STACK_GUARD;
  madvise(limit, stack_bytes, MADV_DONTNEED);
  vk_slab_give(region_of(slot)->slots, slot);
}

char *vk_fiber_stack_take(VkStackCache *cache) {
  if (cache->count) return cache->warm[--cache->count];
  pthread_once(&once, begin);
  return take_slot();
}

void vk_fiber_stack_give(VkStackCache *cache, char *limit) {
  if (cache->count < VK_WARM_STACKS)
    cache->warm[cache->count++] = limit;
  else
    give_slot(limit);
}

/* What a usual task touches stays. */
static const size_t deep_bytes_kept = 256 << 10;

bool vk_deep_stack_take(VkStackCache *cache, VkDeepStack *s) {
  if (cache->deep_used == VK_DEEP_STACKS) return false;
  VkFiber f;
  if (cache->deep_count)
    *s = cache->deep[--cache->deep_count];
  else if (vk_stack_reserve_deep(&f))
    *s = (VkDeepStack){f.stack_limit, f.stack_base};
  else
    return false;
  cache->deep_used++;
  return true;
}

void vk_deep_stack_give(VkStackCache *cache, VkDeepStack s) {
  const VkFiber f = {.stack_limit = s.limit, .stack_base = s.base};
  cache->deep_used--;
  if (cache->deep_count == VK_DEEP_KEPT) {
    vk_stack_free(&f);
    return;
  }
  vk_stack_trim(&f, deep_bytes_kept);
  cache->deep[cache->deep_count++] = s;
}

void vk_fiber_stacks_release(VkStackCache *cache) {
  while (cache->deep_count) {
    VkDeepStack s = cache->deep[--cache->deep_count];
    const VkFiber f = {.stack_limit = s.limit, .stack_base = s.base};
    vk_stack_free(&f);
  }
  while (cache->count) give_slot(cache->warm[--cache->count]);
}
