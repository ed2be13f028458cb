/* symbols.c - the runtime's static symbols and the process-wide symbol table.
 *
 * The table is built at its first use from the two lists of static symbols, so a program that
 * makes no symbols at run time has none. Open addressing, linear probing, at most half full;
 * a slot keeps the whole hash, so growing touches no symbol and a probe compares bytes only
 * where hashes agree.
 *
 * Looking up takes no lock: a slot is filled once, its symbol last, and a table that became too
 * small stays where it is (all of them together are as large as the last one). Only who does not
 * find a name takes the lock, and looks again. */
#include "strings.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYM(id, text, is_keyword)                                                              \
  const struct VkSym_##id vk_sym_##id VK_ALIGN16 = {                                           \
      VK_HDR(VK_SYMBOL, 0, 0) | ((is_keyword) ? VK_KEYWORD : 0), sizeof(text) - 1, text};
#include "symbols.def"
#undef SYM

static const void *const runtime_symbols[] = {
#define SYM(id, text, is_keyword) &vk_sym_##id,
#include "symbols.def"
#undef SYM
};
enum { RUNTIME_SYMBOL_COUNT = sizeof runtime_symbols / sizeof *runtime_symbols };

typedef struct Slot {
  _Atomic uint64_t hash;            /* valid once symbol is set */
  _Atomic(const VkSymbol *) symbol; /* NULL: free */
} Slot;
typedef struct Table {
  size_t capacity; /* a power of two */
  Slot slots[];
} Table;

static _Atomic(Table *) current; /* NULL: not built yet */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t symbol_count; /* under the lock */

/* The slot of that name, or the free one where it belongs. */
static Slot *find_slot(Table *t, uint64_t hash, const char *bytes, size_t len) {
  for (size_t i = hash & (t->capacity - 1);; i = (i + 1) & (t->capacity - 1)) {
    Slot *slot = &t->slots[i];
    const VkSymbol *s = atomic_load_explicit(&slot->symbol, memory_order_acquire);
    if (!s) return slot;
    if (atomic_load_explicit(&slot->hash, memory_order_relaxed) == hash && s->len == len &&
        !memcmp(s->bytes, bytes, len))
      return slot;
  }
}

/* The rest up to `lookup` is done under the lock. */
static void fill_slot(Slot *slot, uint64_t hash, const VkSymbol *s) {
  atomic_store_explicit(&slot->hash, hash, memory_order_relaxed);
  atomic_store_explicit(&slot->symbol, s, memory_order_release);
}

static Table *table_new(size_t capacity) {
  Table *t = calloc(1, sizeof *t + capacity * sizeof *t->slots);
  if (t) t->capacity = capacity;
  return t;
}

/* Twice as large, or NULL. */
static Table *table_grow(const Table *old) {
  Table *t = table_new(2 * old->capacity);
  for (size_t i = 0; t && i < old->capacity; i++) {
    const VkSymbol *s = old->slots[i].symbol;
    if (!s) continue;
    size_t k = old->slots[i].hash & (t->capacity - 1);
    while (t->slots[k].symbol) k = (k + 1) & (t->capacity - 1);
    fill_slot(&t->slots[k], old->slots[i].hash, s);
  }
  if (t) atomic_store_explicit(&current, t, memory_order_release);
  return t;
}

/* Two static objects of one name would make equal symbols differ: a bug of the emitter. */
static void add_static(Table *t, const VkSymbol *s) {
  uint64_t hash = vk_bytes_hash(s->bytes, s->len);
  Slot *slot = find_slot(t, hash, s->bytes, s->len);
  if (slot->symbol) {
    fprintf(stderr, "valk: internal error: two static symbols are called %s\n", s->bytes);
    abort();
  }
  fill_slot(slot, hash, s);
  symbol_count++;
}

static Table *table_build(const VkProgram *program) {
  size_t total = RUNTIME_SYMBOL_COUNT + (program ? program->symbol_count : 0);
  size_t capacity = 256;
  while (capacity < 4 * total) capacity *= 2;
  Table *t = table_new(capacity);
  if (!t) return NULL;
  for (size_t i = 0; i < RUNTIME_SYMBOL_COUNT; i++) add_static(t, runtime_symbols[i]);
  for (size_t i = 0; program && i < program->symbol_count; i++)
    add_static(t, program->symbols[i]);
  atomic_store_explicit(&current, t, memory_order_release);
  return t;
}

static VkSymbol *symbol_new(const char *bytes, size_t len) {
  VkSymbol *s = malloc(sizeof *s + len + 1);
  if (!s) return NULL;
  s->hdr = VK_HDR(VK_SYMBOL, 0, 0) | (len > 1 && bytes[0] == ':' ? VK_KEYWORD : 0);
  s->len = len;
  memcpy(s->bytes, bytes, len);
  s->bytes[len] = 0;
  return s;
}

/* The symbol, made if `may_add`; NULL if it is not there, or there is no room. */
static const VkSymbol *lookup_locked(const VkProgram *program, uint64_t hash, const char *bytes,
                                     size_t len, bool may_add) {
  Table *t = atomic_load_explicit(&current, memory_order_relaxed);
  if (!t && !(t = table_build(program))) return NULL;
  Slot *slot = find_slot(t, hash, bytes, len);
  if (slot->symbol || !may_add) return slot->symbol;
  if (symbol_count >= VK_SYMBOL_COUNT_MAX) return NULL;
  if (2 * (symbol_count + 1) > t->capacity) {
    if (!(t = table_grow(t))) return NULL;
    slot = find_slot(t, hash, bytes, len);
  }
  VkSymbol *made = symbol_new(bytes, len);
  if (!made) return NULL;
  fill_slot(slot, hash, made);
  symbol_count++;
  return made;
}

static const VkSymbol *lookup(vk *c, const char *bytes, size_t len, bool may_add) {
  uint64_t hash = vk_bytes_hash(bytes, len);
  Table *t = atomic_load_explicit(&current, memory_order_acquire);
  const VkSymbol *s = t ? find_slot(t, hash, bytes, len)->symbol : NULL;
  if (s) return s;
  pthread_mutex_lock(&lock);
  s = lookup_locked(c->program, hash, bytes, len, may_add);
  pthread_mutex_unlock(&lock);
  return s;
}

V vk_intern(vk *c, const char *bytes, size_t len) {
  if (len > VK_SYMBOL_BYTES_MAX)
    return vk_errorf(c, VK_SYM(range), "a symbol's name has at most %d bytes, got %zu",
                     VK_SYMBOL_BYTES_MAX, len);
  const VkSymbol *s = lookup(c, bytes, len, true);
  if (!s) return vk_errorf(c, VK_SYM(out_of_memory), "no room for another symbol");
  return VK_FROM_OBJ(s);
}

V vk_symbol_find(vk *c, const char *bytes, size_t len) {
  const VkSymbol *s = lookup(c, bytes, len, false);
  return s ? VK_FROM_OBJ(s) : VK_UNBOUND;
}
