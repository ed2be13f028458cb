/* prims.c - the compiler's view of rt/prims.def: the rows as an array, found by name.
 *
 * The hash index is built at the first lookup, once (pthread_once): the run-time evaluator may
 * look names up from several threads. Names of the table are static text, never interned, so
 * prim_find compares bytes. */
#include "core.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define ANY PRIM_ANY
#define PURE PRIM_PURE
#define FAILS PRIM_FAILS
#define ERRS PRIM_ERRS
#define INLINE PRIM_INLINE
#define STORES PRIM_STORES
#define CALLS PRIM_CALLS
#define BLOCKS (PRIM_BLOCKS | PRIM_CALLS)
#define ISOLATES PRIM_ISOLATES
#define INTERNAL PRIM_INTERNAL
#define FRESH PRIM_FRESH
#define NET PRIM_NET

/* A leading % makes a name internal without saying so in the row; a lone % is arithmetic. */
#define FLAGS(name, flags) ((flags) | ((name)[0] == '%' && (name)[1] ? PRIM_INTERNAL : 0))
#define ROW(name, symbol, min, max, binary, signature, flags, doc, is_argv, has_fixed)         \
  {name, #symbol, binary, signature, doc, min, max, FLAGS(name, flags), is_argv, has_fixed},
#define FIX(name, symbol, n, signature, flags, doc)                                            \
  ROW(name, symbol, n, n, NULL, signature, flags, doc, false, false)
#define VAR(name, symbol, min, max, signature, flags, doc)                                     \
  ROW(name, symbol, min, max, NULL, signature, flags, doc, true, false)
#define NARY(name, symbol, min, max, binary, signature, flags, doc)                            \
  ROW(name, symbol, min, max, binary, signature, flags, doc, true, false)
#define OPT(name, symbol, min, max, signature, flags, doc)                                     \
  ROW(name, symbol, min, max, NULL, signature, flags, doc, true, true)

const Prim prim_table[] = {
#include "../rt/prims.def"
};
const size_t prim_count = sizeof prim_table / sizeof *prim_table;

/* Open addressing; a slot holds the index of a row plus one. At most half full. */
enum { INDEX_SLOTS = 2048 };
static uint16_t index_slots[INDEX_SLOTS];
static pthread_once_t index_once = PTHREAD_ONCE_INIT;
_Static_assert(sizeof prim_table / sizeof *prim_table <= INDEX_SLOTS / 2, "grow INDEX_SLOTS");

static uint32_t name_hash(const char *s) { /* FNV-1a */
  uint32_t h = 2166136261u;
  for (; *s; s++) h = (h ^ (unsigned char)*s) * 16777619u;
  return h;
}

/* The slot that holds name, or the free one where it belongs. */
static uint16_t *index_slot(const char *name) {
  uint32_t i = name_hash(name) % INDEX_SLOTS;
  while (index_slots[i] && strcmp(prim_table[index_slots[i] - 1].name, name))
    i = (i + 1) % INDEX_SLOTS;
  return &index_slots[i];
}

static void build_index(void) {
  for (size_t i = 0; i < prim_count; i++) {
    uint16_t *slot = index_slot(prim_table[i].name);
    if (*slot) continue; /* two rows of one name: the unit test reports it */
    *slot = (uint16_t)(i + 1);
  }
}

const Prim *prim_find(const char *name) {
  pthread_once(&index_once, build_index);
  uint16_t row = *index_slot(name);
  return row ? &prim_table[row - 1] : NULL;
}

const Prim *prim_fixed(const Prim *prim, size_t count) {
  char name[64];
  if (!prim->has_fixed) return prim;
  snprintf(name, sizeof name, "%%%s%zu", prim->name, count);
  return prim_find(name);
}
