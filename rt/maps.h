/* maps.h - insertion-ordered hash maps for runtime C.
 *
 * After CPython's compact dict: the entries stand in an array in the order they came, a hash
 * index of small integers finds them.
 *
 *   VkMap  hdr | len | used | entries ----> STORE  k1 v1 k2 v2 k3 v3 ...   2 * capacity words
 *                      | last | index ------> RAW    slots, 4 bytes each, 2^bits of them
 *                      | slot_count
 *
 *   slot   0: free; else the lower `bits` bits: entry number, the others: part of the hash
 *
 * A hash has 32 bits; the upper ones number the slot where the search starts, the others are in
 * the slot. At most half of the slots are taken, so `bits` bits suffice for an entry. Putting looks
 * at the entry found last before anything else: to put back what was just got takes no search.
 *
 * A deleted entry has the key VK_UNBOUND and keeps its slot until the next compaction. Maps with
 * room for at most VK_MAP_LINEAR entries, and static ones of any size, have no index (VK_NIL) and
 * are searched in order. Keys are equal by vk_key_equal; a vector or map used as a key is frozen
 * deeply. Hashes depend on addresses: copy a map by vk_map_next and vk_map_put, never its index. */
#ifndef VK_MAPS_H
#define VK_MAPS_H
#include "vk.h"
#include <stdbool.h>

typedef struct VkMap {
  V hdr;         /* flags: VK_FROZEN */
  size_t len;    /* live entries */
  size_t used;   /* entries written, deleted ones included */
  V entries;     /* STORE object, or VK_NIL while the map has never held anything */
  V index;       /* RAW object or VK_NIL */
  uint32_t last; /* a guess: the number of the entry found last, from 1 on */
  uint32_t slot_count;
} VkMap;
enum { VK_MAP_LINEAR = 8 };
#define VK_MAPP(v) ((VkMap *)((v)-5))
#define VK_IS_MAP(v) VK_IS_KIND(v, VK_MAP)

V vk_map_make(vk *c, size_t room);             /* an empty map with room for so many entries */
V vk_map_find(V map, V key);                   /* the value, or VK_UNBOUND */
void vk_map_put(vk *c, V map, V key, V value); /* requires: not frozen; freezes the key */
bool vk_map_delete(vk *c, V map, V key);       /* requires: not frozen; true if it was there */

/* Walks the live entries in insertion order: size_t i = 0; while (vk_map_next(m, &i, &k, &v)).
 * No put or delete during a walk: either may move the entries. */
static inline bool vk_map_next(V map, size_t *i, V *key, V *value) {
  const VkMap *m = VK_MAPP(map);
  while (*i < m->used) {
    const V *entry = &VK_STOREP(m->entries)->items[2 * (*i)++];
    if (entry[0] == VK_UNBOUND) continue;
    *key = entry[0];
    *value = entry[1];
    return true;
  }
  return false;
}

/* Offers the entries whose key may equal one with this hash, one by one: start with *probe = 0
 * and call again for the next; false when there are no more. For equal.c. */
bool vk_map_candidate(V map, uint32_t hash, size_t *probe, size_t *entry);
uint32_t vk_map_hash(V key); /* equal keys hash equally */

/* Makes the index anew: for a map whose keys came to have other addresses. */
void vk_map_reindex(vk *c, V map);

/* As vk_map_put, but leaves the key as it is: for maps that no program sees. */
void vk_map_put_unfrozen(vk *c, V map, V key, V value);

/* Makes v and all vectors and maps reachable through lists, vectors, maps immutable. */
void vk_freeze(V v);
#endif
