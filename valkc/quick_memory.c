/* quick_memory.c - the reserve of pages for code (contract: quick_memory.h).
 *
 * One range of addresses, reserved at the first use without access; a bit per page says whether
 * it is taken. Code and data of a unit are next to each other, since TinyCC reaches one from
 * the other by 32-bit displacements. */
#include "quick_memory.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGES_MAX = 1 << 16 };

static struct {
  char *base;  /* NULL: not reserved yet */
  size_t next; /* page to look at first */
  uint64_t taken[PAGES_MAX / 64];
  QuickMemory used;
} reserve;

size_t quick_page_bytes(void) {
  static size_t bytes;
  if (!bytes) bytes = (size_t)sysconf(_SC_PAGESIZE);
  return bytes;
}

static size_t pages_of(size_t bytes) {
  return (bytes + quick_page_bytes() - 1) / quick_page_bytes();
}

static bool reserve_init(void) {
  if (reserve.base) return true;
  size_t bytes = PAGES_MAX * quick_page_bytes();
  void *p = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return false;
  reserve.base = p;
  reserve.used.reserved = bytes;
  return true;
}

static bool is_taken(size_t page) { return reserve.taken[page / 64] >> page % 64 & 1; }

static void mark(size_t first, size_t count, bool taken) {
  for (size_t i = first; i < first + count; i++) {
    uint64_t bit = (uint64_t)1 << i % 64;
    if (taken)
      reserve.taken[i / 64] |= bit;
    else
      reserve.taken[i / 64] &= ~bit;
  }
}

/* The first of `count` free pages at or after `from`; PAGES_MAX if there are none. */
static size_t find_free(size_t from, size_t count) {
  size_t run = 0;
  for (size_t i = from; i < PAGES_MAX; i++) {
    run = is_taken(i) ? 0 : run + 1;
    if (run == count) return i + 1 - count;
  }
  return PAGES_MAX;
}

/* x86: INT3. ARM64: BRK #0. Elsewhere zero, which no processor runs through. */
static void fill_with_traps(void *p, size_t bytes) {
#if defined(__x86_64__)
  memset(p, 0xCC, bytes);
#elif defined(__aarch64__)
  uint32_t *word = p;
  for (size_t i = 0; i < bytes / sizeof *word; i++) word[i] = 0xD4200000;
#else
  memset(p, 0, bytes);
#endif
}

void *quick_memory_take(size_t bytes) {
  size_t count = pages_of(bytes);
  if (count == 0 || count > PAGES_MAX || !reserve_init()) return NULL;
  size_t first = find_free(reserve.next, count);
  if (first == PAGES_MAX) first = find_free(0, count);
  if (first == PAGES_MAX) return NULL;
  void *p = reserve.base + first * quick_page_bytes();
  if (mprotect(p, count * quick_page_bytes(), PROT_READ | PROT_WRITE)) return NULL;
  fill_with_traps(p, count * quick_page_bytes());
  mark(first, count, true);
  reserve.next = first + count;
  reserve.used.in_use += count * quick_page_bytes();
  if (reserve.used.in_use > reserve.used.in_use_max)
    reserve.used.in_use_max = reserve.used.in_use;
  return p;
}

bool quick_memory_seal(void *pages, size_t code_bytes, size_t bytes) {
  char *p = pages;
  size_t data_bytes = pages_of(bytes) * quick_page_bytes() - code_bytes;
  if (code_bytes && mprotect(p, code_bytes, PROT_READ | PROT_EXEC)) return false;
  if (data_bytes && mprotect(p + code_bytes, data_bytes, PROT_READ)) return false;
  __builtin___clear_cache(p, p + code_bytes);
  reserve.used.code += code_bytes;
  reserve.used.data += data_bytes;
  return true;
}

void quick_memory_free(void *pages, size_t bytes) {
  size_t count = pages_of(bytes), all = count * quick_page_bytes();
  madvise(pages, all, MADV_DONTNEED);
  mprotect(pages, all, PROT_NONE);
  size_t first = (size_t)((char *)pages - reserve.base) / quick_page_bytes();
  mark(first, count, false);
  if (first < reserve.next) reserve.next = first;
  reserve.used.in_use -= all;
}

void quick_memory_free_sealed(void *pages, size_t code_bytes, size_t bytes) {
  reserve.used.code -= code_bytes;
  reserve.used.data -= pages_of(bytes) * quick_page_bytes() - code_bytes;
  quick_memory_free(pages, bytes);
}

QuickMemory quick_memory_get(void) { return reserve.used; }
