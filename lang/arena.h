/* arena.h - memory that is freed all at once, and names that compare by pointer.
 *
 * Every datum, core node and table of a compilation lives in one arena. Passes never free.
 * Running out of memory ends the process with a message, exit 70. */
#ifndef LANG_ARENA_H
#define LANG_ARENA_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Arena {
  struct ArenaChunk *chunks; /* newest first */
  char *cur, *lim;
  size_t first_bytes; /* of the first chunk; 0: as for a compilation */
} Arena;

void *arena_alloc(Arena *a, size_t bytes); /* zeroed, 16-byte aligned; never NULL */
char *arena_copy(Arena *a, const char *bytes, size_t len); /* NUL added */
char *arena_printf(Arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void arena_free(Arena *a); /* a is empty again */
void arena_reset(Arena *a); /* the same, but some memory stays for the next use */
#define ARENA_NEW(a, T) ((T *)arena_alloc((a), sizeof(T)))
#define ARENA_ARRAY(a, T, n) ((T *)arena_alloc((a), sizeof(T) * (n)))

/* A growing array in an arena: PUSH(arena, vec, item); vec.items, vec.count. */
#define VEC(T)                                                                                 \
  struct {                                                                                     \
    T *items;                                                                                  \
    size_t count, capacity;                                                                    \
  }
void vec_grow(Arena *a, void **items, size_t *capacity, size_t item_bytes);
#define PUSH(a, v, item)                                                                       \
  ((v).count == (v).capacity                                                                   \
       ? vec_grow((a), (void **)&(v).items, &(v).capacity, sizeof *(v).items)                  \
       : (void)0,                                                                              \
   (void)((v).items[(v).count++] = (item)))

/* Interned text: equal spellings are one pointer, so names compare with ==. */
typedef struct Names {
  Arena *arena;
  struct NameSlot *slots;
  size_t count, capacity;
} Names;
const char *name_of(Names *n, const char *bytes, size_t len);
const char *name_c(Names *n, const char *text);
void names_each(const Names *n, void (*visit)(void *to, const char *name), void *to);

/* Pointer-keyed hash map (keys are interned names or nodes). */
typedef struct PtrMap {
  Arena *arena;
  const void **keys;
  void **values;
  size_t count, capacity;
} PtrMap;
void *ptrmap_get(const PtrMap *m, const void *key); /* NULL if absent */
void ptrmap_put(PtrMap *m, const void *key, void *value);
#endif
