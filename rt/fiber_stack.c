/* fiber_stack.c - stacks of fibers (contract: fiber_stack.h). */
#include "fiber_stack.h"
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
/* At most so many; halved until the system has addresses for them. */
enum { SLOTS_MOST = 1 << 20, SLOTS_LEAST = 64 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static size_t stack_bytes;
static VkSlab *slots;
static unsigned char *is_guarded; /* by slot; each written by who has taken it */
static _Atomic bool uses_mprotect;
static _Atomic size_t split_count; /* guards made so */

/* ---- the region -------------------------------------------------------------------------- */

/* More where frames are larger: the evaluator's, TinyCC's, AddressSanitizer's. */
static size_t default_bytes(void) {
  size_t bytes = vk_stack_bytes_usual / MAIN_STACK_SHARE;
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
  size_t page = (size_t)sysconf(_SC_PAGESIZE), count = SLOTS_MOST;
  stack_bytes = (bytes_wanted() + page - 1) / page * page;
  for (; count >= SLOTS_LEAST && !slots; count /= 2)
    slots = vk_slab_new("fiber stacks", VK_FIBER_STACK_GUARD + stack_bytes, count);
  if (!slots) return;
  void *p = mmap(NULL, SLOTS_MOST, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED)
    slots = NULL;
  else
    is_guarded = p;
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
  char *slot = vk_slab_take(slots);
  if (!slot) return NULL;
  size_t index = vk_slab_index(slots, slot);
  if (!is_guarded[index] && !guard_slot(slot)) {
    mprotect(slot, VK_FIBER_STACK_GUARD, PROT_READ | PROT_WRITE);
    vk_slab_give(slots, slot);
    return NULL;
  }
  is_guarded[index] = 1;
  return slot + VK_FIBER_STACK_GUARD;
}

static void give_slot(char *limit) {
  madvise(limit, stack_bytes, MADV_DONTNEED);
  vk_slab_give(slots, limit - VK_FIBER_STACK_GUARD);
}

char *vk_fiber_stack_take(VkStackCache *cache) {
  if (cache->count) return cache->warm[--cache->count];
  pthread_once(&once, begin);
  return slots ? take_slot() : NULL;
}

void vk_fiber_stack_give(VkStackCache *cache, char *limit) {
  if (cache->count < VK_WARM_STACKS)
    cache->warm[cache->count++] = limit;
  else
    give_slot(limit);
}

void vk_fiber_stacks_release(VkStackCache *cache) {
  while (cache->count) give_slot(cache->warm[--cache->count]);
}
