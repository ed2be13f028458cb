/* arena.c - memory that is freed all at once, interned names, pointer maps.
 *
 * Chunks come zeroed (large ones are fresh pages, which cost no memset) and memory
 * is never reused before arena_free, so every allocation is zeroed for free. Under
 * AddressSanitizer the rest of a chunk is poisoned and each allocation ends in a red zone. */
#include "arena.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
enum { RED_ZONE_BYTES = 16 };
#else
#define POISON(p, n) ((void)0)
#define UNPOISON(p, n) ((void)0)
enum { RED_ZONE_BYTES = 0 };
#endif

typedef struct ArenaChunk {
  struct ArenaChunk *next;
  size_t bytes; /* payload */
  _Alignas(16) char data[];
} ArenaChunk;

enum { CHUNK_BYTES_MIN = 32 << 10, CHUNK_BYTES_MAX = 4 << 20, HUGE_PAGE_BYTES = 2 << 20 };

_Noreturn static void out_of_memory(void) {
  fputs("out of memory\n", stderr);
  exit(70);
}

static bool is_mapped(const ArenaChunk *chunk) {
  return sizeof *chunk + chunk->bytes >= HUGE_PAGE_BYTES;
}

/* Large chunks are huge pages: compiling a large program otherwise spends a third of its time in
 * page faults (27,000 of them for 20,000 lines, measured). */
static ArenaChunk *chunk_map(size_t bytes) {
  size_t all = (sizeof(ArenaChunk) + bytes + HUGE_PAGE_BYTES - 1) & ~(size_t)(HUGE_PAGE_BYTES - 1);
  size_t room = all + HUGE_PAGE_BYTES;
  char *p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) out_of_memory();
  size_t before = -(uintptr_t)p & (HUGE_PAGE_BYTES - 1), after = HUGE_PAGE_BYTES - before;
  if (before) munmap(p, before);
  if (after) munmap(p + before + all, after);
  ArenaChunk *chunk = (ArenaChunk *)(p + before);
  madvise(chunk, all, MADV_HUGEPAGE); /* advice only: failing is fine */
  chunk->bytes = all - sizeof *chunk;
  POISON(chunk->data, chunk->bytes);
  return chunk;
}

static ArenaChunk *chunk_new(size_t bytes) {
  if (bytes > SIZE_MAX / 2) out_of_memory();
  if (sizeof(ArenaChunk) + bytes >= HUGE_PAGE_BYTES) return chunk_map(bytes);
  ArenaChunk *chunk = calloc(1, sizeof(ArenaChunk) + bytes);
  if (!chunk) out_of_memory();
  chunk->bytes = bytes;
  POISON(chunk->data, bytes);
  return chunk;
}

/* Each new chunk is twice as large as the last, so that small arenas stay small. */
static size_t next_chunk_bytes(const Arena *a) {
  size_t first = a->first_bytes ? a->first_bytes : CHUNK_BYTES_MIN;
  size_t bytes = a->chunks ? a->chunks->bytes * 2 : first; /* a mapped one may be larger */
  return bytes > CHUNK_BYTES_MAX ? CHUNK_BYTES_MAX : bytes;
}

__attribute__((noinline)) static void *alloc_in_new_chunk(Arena *a, size_t bytes) {
  size_t chunk_bytes = next_chunk_bytes(a);
  if (bytes > chunk_bytes / 4 &&
      a->chunks) { /* large: a chunk of its own, keep the current one */
    ArenaChunk *own = chunk_new(bytes);
    own->next = a->chunks->next;
    a->chunks->next = own;
    return own->data;
  }
  ArenaChunk *chunk = chunk_new(bytes > chunk_bytes ? bytes : chunk_bytes);
  chunk->next = a->chunks;
  a->chunks = chunk;
  a->cur = chunk->data + bytes;
  a->lim = chunk->data + chunk->bytes;
  return chunk->data;
}

void *arena_alloc(Arena *a, size_t bytes) {
  if (bytes > SIZE_MAX / 4) out_of_memory();
  size_t rounded = ((bytes ? bytes : 1) + RED_ZONE_BYTES + 15) & ~(size_t)15;
  void *p;
  if ((size_t)(a->lim - a->cur) >= rounded) {
    p = a->cur;
    a->cur += rounded;
  } else {
    p = alloc_in_new_chunk(a, rounded);
  }
  UNPOISON(p, bytes);
  return p;
}

char *arena_copy(Arena *a, const char *bytes, size_t len) {
  char *copy = arena_alloc(a, len + 1);
  if (len) memcpy(copy, bytes, len);
  return copy;
}

char *arena_printf(Arena *a, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int len = vsnprintf(NULL, 0, format, args);
  assert(len >= 0);
  char *text = arena_alloc(a, (size_t)len + 1);
  vsnprintf(text, (size_t)len + 1, format, again);
  va_end(again);
  va_end(args);
  return text;
}

static void chunk_free(ArenaChunk *chunk) {
  UNPOISON(chunk->data, chunk->bytes);
  if (is_mapped(chunk)) munmap(chunk, sizeof *chunk + chunk->bytes);
  else free(chunk);
}

void arena_free(Arena *a) {
  for (ArenaChunk *chunk = a->chunks, *next; chunk; chunk = next) {
    next = chunk->next;
    chunk_free(chunk);
  }
  *a = (Arena){.first_bytes = a->first_bytes};
}

/* Keeps the first chunk, unless it is a large one. */
void arena_reset(Arena *a) {
  ArenaChunk *first = a->chunks;
  if (!first) return;
  bool is_only = !first->next;
  for (ArenaChunk *next; (next = first->next); first = next) chunk_free(first);
  a->chunks = first;
  if (is_mapped(first)) {
    arena_free(a);
    return;
  }
  UNPOISON(first->data, first->bytes);
  memset(first->data, 0, is_only ? (size_t)(a->cur - first->data) : first->bytes);
  POISON(first->data, first->bytes);
  a->cur = first->data;
  a->lim = first->data + first->bytes;
}

void vec_grow(Arena *a, void **items, size_t *capacity, size_t item_bytes) {
  size_t grown = *capacity ? *capacity * 2 : 4;
  if (grown > SIZE_MAX / 4 / item_bytes) out_of_memory();
  void *fresh = arena_alloc(a, grown * item_bytes);
  if (*capacity) memcpy(fresh, *items, *capacity * item_bytes);
  *items = fresh;
  *capacity = grown;
}

/* ---- names ---- */

typedef struct NameSlot {
  const char *text; /* NULL: free */
  uint32_t hash;
  uint32_t len;
} NameSlot;

/* Multiply-and-fold over 8 bytes at a time (after Wang Yi's wyhash), quick on short names. */
static uint64_t fold_multiply(uint64_t a, uint64_t b) {
  unsigned __int128 product = (unsigned __int128)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Up to 8 bytes as a number; overlapping reads, as a memcpy of unknown length is a call. */
static uint64_t short_word(const char *p, size_t len) {
  if (len >= 4) {
    uint32_t low, high;
    memcpy(&low, p, 4);
    memcpy(&high, p + len - 4, 4);
    return (uint64_t)high << 32 | low;
  }
  const unsigned char *s = (const unsigned char *)p;
  return (uint64_t)s[0] << 16 | (uint64_t)s[len / 2] << 8 | s[len - 1];
}

static uint32_t hash_bytes(const char *p, size_t len) { /* len > 0 */
  const uint64_t k0 = 0xa0761d6478bd642fu, k1 = 0xe7037ed1a0b428dbu;
  uint64_t h = len * k1 ^ k0, word;
  for (; len > 8; p += 8, len -= 8) {
    memcpy(&word, p, 8);
    h = fold_multiply(h ^ word, k1);
  }
  h = fold_multiply(h ^ short_word(p, len), k0);
  return (uint32_t)(h ^ h >> 32);
}

static void names_grow(Names *n) {
  size_t capacity = n->capacity ? n->capacity * 2 : 512;
  NameSlot *slots = ARENA_ARRAY(n->arena, NameSlot, capacity);
  for (size_t i = 0; i < n->capacity; i++) {
    if (!n->slots[i].text) continue;
    size_t at = n->slots[i].hash & (capacity - 1);
    while (slots[at].text) at = (at + 1) & (capacity - 1);
    slots[at] = n->slots[i];
  }
  n->slots = slots;
  n->capacity = capacity;
}

const char *name_of(Names *n, const char *bytes, size_t len) {
  assert(len <= UINT32_MAX);
  if (n->count * 2 >= n->capacity) names_grow(n);
  uint32_t hash = len ? hash_bytes(bytes, len) : 0;
  size_t mask = n->capacity - 1, at = hash & mask;
  for (; n->slots[at].text; at = (at + 1) & mask) {
    const NameSlot *slot = &n->slots[at];
    if (slot->hash == hash && slot->len == len && (!len || !memcmp(slot->text, bytes, len)))
      return slot->text;
  }
  n->slots[at] = (NameSlot){arena_copy(n->arena, bytes, len), hash, (uint32_t)len};
  n->count++;
  return n->slots[at].text;
}

const char *name_c(Names *n, const char *text) { return name_of(n, text, strlen(text)); }

void names_each(const Names *n, void (*visit)(void *to, const char *name), void *to) {
  for (size_t i = 0; i < n->capacity; i++)
    if (n->slots[i].text) visit(to, n->slots[i].text);
}

/* ---- pointer maps ---- */

static size_t hash_pointer(const void *key) {
  uint64_t h = (uint64_t)(uintptr_t)key * 0x9e3779b97f4a7c15u;
  return (size_t)(h >> 32 ^ h >> 15);
}

/* The slot that holds key, or the free one where it belongs. */
static size_t ptrmap_slot(const PtrMap *m, const void *key) {
  size_t mask = m->capacity - 1, at = hash_pointer(key) & mask;
  while (m->keys[at] && m->keys[at] != key) at = (at + 1) & mask;
  return at;
}

static void ptrmap_grow(PtrMap *m) {
  PtrMap grown = {.arena = m->arena, .capacity = m->capacity ? m->capacity * 2 : 16};
  grown.keys = ARENA_ARRAY(m->arena, const void *, grown.capacity);
  grown.values = ARENA_ARRAY(m->arena, void *, grown.capacity);
  for (size_t i = 0; i < m->capacity; i++) {
    if (!m->keys[i]) continue;
    size_t at = ptrmap_slot(&grown, m->keys[i]);
    grown.keys[at] = m->keys[i];
    grown.values[at] = m->values[i];
  }
  grown.count = m->count;
  *m = grown;
}

void *ptrmap_get(const PtrMap *m, const void *key) {
  if (!m->count || !key) return NULL;
  size_t at = ptrmap_slot(m, key);
  return m->keys[at] ? m->values[at] : NULL;
}

void ptrmap_put(PtrMap *m, const void *key, void *value) {
  assert(key);
  if (m->count * 2 >= m->capacity) ptrmap_grow(m);
  size_t at = ptrmap_slot(m, key);
  if (!m->keys[at]) {
    m->keys[at] = key;
    m->count++;
  }
  m->values[at] = value;
}
