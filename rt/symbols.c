/* symbols.c - the runtime's static symbols and the process-wide symbol table.
 *
 * The table is built at its first use from the two lists of static symbols, so a program that
 * makes no symbols at run time has none. Open addressing, linear probing, at most half full;
 * a slot keeps the whole hash, so growing touches no symbol and a probe compares bytes only
 * where hashes agree. One mutex guards everything below; symbols themselves are immutable, so
 * using them needs no lock. */
#include "strings.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

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
  uint64_t hash;
  const VkSymbol *symbol; /* NULL: free */
} Slot;

static struct {
  pthread_mutex_t lock;
  Slot *slots; /* NULL: not built yet */
  size_t capacity, count;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The slot of that name, or the free one where it belongs. */
static Slot *find_slot(Slot *slots, size_t capacity, uint64_t hash, const char *bytes,
                       size_t len) {
  for (size_t i = hash & (capacity - 1);; i = (i + 1) & (capacity - 1)) {
    const VkSymbol *s = slots[i].symbol;
    if (!s) return &slots[i];
    if (slots[i].hash == hash && s->len == len && !memcmp(s->bytes, bytes, len))
      return &slots[i];
  }
}

static bool table_grow(size_t capacity) {
  Slot *slots = calloc(capacity, sizeof *slots);
  if (!slots) return false;
  for (size_t i = 0; i < table.capacity; i++) {
    Slot old = table.slots[i];
    if (!old.symbol) continue;
    size_t k = old.hash & (capacity - 1);
    while (slots[k].symbol) k = (k + 1) & (capacity - 1);
    slots[k] = old;
  }
  free(table.slots);
  table.slots = slots;
  table.capacity = capacity;
  return true;
}

/* Two static objects of one name would make equal symbols differ: a bug of the emitter. */
static void add_static(const VkSymbol *s) {
  uint64_t hash = vk_bytes_hash(s->bytes, s->len);
  Slot *slot = find_slot(table.slots, table.capacity, hash, s->bytes, s->len);
  if (slot->symbol) {
    fprintf(stderr, "valk: internal error: two static symbols are called %s\n", s->bytes);
    abort();
  }
  *slot = (Slot){hash, s};
  table.count++;
}

static bool table_build(const VkProgram *program) {
  size_t total = RUNTIME_SYMBOL_COUNT + (program ? program->symbol_count : 0);
  size_t capacity = 256;
  while (capacity < 4 * total) capacity *= 2;
  if (!table_grow(capacity)) return false;
  for (size_t i = 0; i < RUNTIME_SYMBOL_COUNT; i++) add_static(runtime_symbols[i]);
  for (size_t i = 0; program && i < program->symbol_count; i++) add_static(program->symbols[i]);
  return true;
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
static const VkSymbol *lookup(const VkProgram *program, const char *bytes, size_t len,
                              bool may_add) {
  uint64_t hash = vk_bytes_hash(bytes, len);
  if (!table.slots && !table_build(program)) return NULL;
  Slot *slot = find_slot(table.slots, table.capacity, hash, bytes, len);
  if (slot->symbol || !may_add) return slot->symbol;
  if (table.count >= VK_SYMBOL_COUNT_MAX) return NULL;
  if (2 * (table.count + 1) > table.capacity) {
    if (!table_grow(2 * table.capacity)) return NULL;
    slot = find_slot(table.slots, table.capacity, hash, bytes, len);
  }
  VkSymbol *made = symbol_new(bytes, len);
  if (!made) return NULL;
  *slot = (Slot){hash, made};
  table.count++;
  return made;
}

static const VkSymbol *locked_lookup(vk *c, const char *bytes, size_t len, bool may_add) {
  pthread_mutex_lock(&table.lock);
  const VkSymbol *s = lookup(c->program, bytes, len, may_add);
  pthread_mutex_unlock(&table.lock);
  return s;
}

V vk_intern(vk *c, const char *bytes, size_t len) {
  if (len > VK_SYMBOL_BYTES_MAX)
    return vk_errorf(c, VK_SYM(range), "a symbol's name has at most %d bytes, got %zu",
                     VK_SYMBOL_BYTES_MAX, len);
  const VkSymbol *s = locked_lookup(c, bytes, len, true);
  if (!s) return vk_errorf(c, VK_SYM(out_of_memory), "no room for another symbol");
  return VK_FROM_OBJ(s);
}

V vk_symbol_find(vk *c, const char *bytes, size_t len) {
  const VkSymbol *s = locked_lookup(c, bytes, len, false);
  return s ? VK_FROM_OBJ(s) : VK_UNBOUND;
}
