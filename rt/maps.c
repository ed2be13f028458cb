/* maps.c - insertion-ordered hash maps: maps.h has the layout. */
#include "maps.h"
#include "fns.h"
#include "equal.h"
#include "lists.h"
#include "vectors.h"
#include "heap.h"
#include <assert.h>

/* A slot of the index: entry number + 1 below, 32 bits of hash above. */
#define SLOT(hash, entry) ((uint64_t)(hash) << 32 | (uint64_t)((entry) + 1))
#define SLOT_HASH(slot) ((uint32_t)((slot) >> 32))
#define SLOT_ENTRY(slot) ((size_t)(uint32_t)(slot)-1)
#define SLOT_DELETED ((uint64_t)0xFFFFFFFFu)
enum { ENTRIES_MIN = 4 };
#define ENTRIES_MAX ((size_t)0xFFFFFFF0u)

static inline uint32_t fold_hash(uint64_t hash) {
  return (uint32_t)((hash * 0x9E3779B97F4A7C15u) >> 32);
}
static inline V *entry_at(const VkMap *m, size_t i) {
  return &VK_STOREP(m->entries)->items[2 * i];
}
static inline size_t room_of(const VkMap *m) {
  return m->entries == VK_NIL ? 0 : VK_STOREP(m->entries)->capacity / 2;
}
static inline VkRaw *index_of(const VkMap *m) { return (VkRaw *)VK_OBJ(m->index); }
static inline size_t mask_of(const VkRaw *index) { return index->bytes / 8 - 1; }

/* ---- finding ----------------------------------------------------------------------------- */

enum { NOT_FOUND = -1 };

/* Requires: a != b, so the same symbol or fixnum is excluded. */
static inline bool same_key(V a, V b) {
  return b != VK_UNBOUND && !VK_IS_FIX2(a, b) && vk_key_equal(a, b);
}

static ptrdiff_t find_linear(const VkMap *m, V key) {
  for (size_t i = 0; i < m->used; i++)
    if (*entry_at(m, i) == key) return (ptrdiff_t)i;
  if (VK_IS_KIND(key, VK_SYMBOL)) return NOT_FOUND;
  for (size_t i = 0; i < m->used; i++)
    if (same_key(key, *entry_at(m, i))) return (ptrdiff_t)i;
  return NOT_FOUND;
}

/* slot: where the entry was found, if it was. */
static ptrdiff_t find_indexed(const VkMap *m, V key, uint32_t hash, size_t *slot) {
  const VkRaw *index = index_of(m);
  size_t mask = mask_of(index);
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    uint64_t s = index->words[i];
    if (s == 0) return NOT_FOUND;
    if (SLOT_HASH(s) != hash || s == SLOT_DELETED) continue;
    V found = *entry_at(m, SLOT_ENTRY(s));
    if (found != key && !same_key(key, found)) continue;
    *slot = i;
    return (ptrdiff_t)SLOT_ENTRY(s);
  }
}

V vk_map_find(V map, V key) {
  const VkMap *m = VK_MAPP(map);
  size_t slot;
  ptrdiff_t i = m->index == VK_NIL ? find_linear(m, key)
                                   : find_indexed(m, key, fold_hash(vk_hash(key)), &slot);
  return i == NOT_FOUND ? VK_UNBOUND : entry_at(m, (size_t)i)[1];
}

bool vk_map_candidate(V map, uint64_t hash64, size_t *probe, size_t *entry) {
  const VkMap *m = VK_MAPP(map);
  if (m->index == VK_NIL) {
    while (*probe < m->used && *entry_at(m, *probe) == VK_UNBOUND) ++*probe;
    if (*probe >= m->used) return false;
    *entry = (*probe)++;
    return true;
  }
  const VkRaw *index = index_of(m);
  uint32_t hash = fold_hash(hash64);
  for (;;) {
    uint64_t s = index->words[(hash + (*probe)++) & mask_of(index)];
    if (s == 0) return false;
    if (SLOT_HASH(s) != hash || s == SLOT_DELETED) continue;
    *entry = SLOT_ENTRY(s);
    return true;
  }
}

/* ---- growing and shrinking ----------------------------------------------------------------- */

static V new_index(vk *c, size_t room) {
  size_t slots = 16;
  while (slots < 2 * room) slots *= 2;
  VkRaw *index = vk_new(c, sizeof *index + slots * 8);
  index->hdr = VK_HDR(VK_RAW, 0, 0);
  index->bytes = slots * 8;
  return VK_FROM_OBJ(index);
}

V vk_map_make(vk *c, size_t room) {
  VkMap *m = vk_new(c, sizeof *m);
  m->hdr = VK_HDR(VK_MAP, 0, 0);
  m->entries = m->index = VK_NIL;
  V map = VK_FROM_OBJ(m);
  if (room == 0) return map;
  V store = vk_store_new(c, 2 * room);
  vk_write(c, map, &m->entries, store);
  if (room > VK_MAP_LINEAR) {
    V index = new_index(c, room);
    vk_write(c, map, &m->index, index);
  }
  return map;
}

static void index_add(VkRaw *index, uint32_t hash, size_t entry) {
  size_t mask = mask_of(index), i = hash & mask;
  while (index->words[i]) i = (i + 1) & mask;
  index->words[i] = SLOT(hash, entry);
}

/* Fills a fresh index: from the hashes the old one holds, or anew. Requires: no dead entries
 * if there is an old index. */
static void fill_index(const VkMap *m, VkRaw *index, const VkRaw *old) {
  if (!old) {
    for (size_t i = 0; i < m->used; i++)
      index_add(index, fold_hash(vk_hash(*entry_at(m, i))), i);
    return;
  }
  for (size_t i = 0; i <= mask_of(old); i++)
    if (old->words[i]) index_add(index, SLOT_HASH(old->words[i]), SLOT_ENTRY(old->words[i]));
}

/* Gives the map room for `room` >= len entries and drops the dead ones. */
static void resize(vk *c, V map, size_t room) {
  VkMap *m = VK_MAPP(map);
  bool had_dead = m->len < m->used;
  V store = vk_store_new(c, 2 * room);
  V index = room > VK_MAP_LINEAR ? new_index(c, room) : VK_NIL; /* then the store may be old */
  size_t n = 0;
  for (size_t i = 0; i < m->used; i++) {
    const V *from = entry_at(m, i);
    if (from[0] == VK_UNBOUND) continue;
    vk_write(c, store, &VK_STOREP(store)->items[2 * n], from[0]);
    vk_write(c, store, &VK_STOREP(store)->items[2 * n + 1], from[1]);
    n++;
  }
  assert(n == m->len);
  m->used = n;
  vk_write(c, map, &m->entries, store);
  V old = m->index;
  if (index != VK_NIL)
    fill_index(m, (VkRaw *)VK_OBJ(index), had_dead || old == VK_NIL ? NULL : index_of(m));
  vk_write(c, map, &m->index, index);
}

static size_t room_for(size_t len) {
  size_t room = ENTRIES_MIN;
  while (room < len) room *= 2;
  return room;
}

/* ---- changing ------------------------------------------------------------------------------ */

void vk_map_put_unfrozen(vk *c, V map, V key, V value) {
  VkMap *m = VK_MAPP(map);
  assert(!VK_IS_FROZEN(map));
  bool is_linear = m->index == VK_NIL;
  uint32_t hash = is_linear ? 0 : fold_hash(vk_hash(key));
  size_t slot;
  ptrdiff_t found = is_linear ? find_linear(m, key) : find_indexed(m, key, hash, &slot);
  if (found != NOT_FOUND) {
    vk_write(c, m->entries, entry_at(m, (size_t)found) + 1, value);
    return;
  }
  if (m->used == room_of(m)) {
    resize(c, map, room_for(m->len + m->len / 2 + 1));
    if (is_linear && m->index != VK_NIL) hash = fold_hash(vk_hash(key));
  }
  vk_write(c, m->entries, entry_at(m, m->used), key);
  vk_write(c, m->entries, entry_at(m, m->used) + 1, value);
  if (m->index != VK_NIL) index_add(index_of(m), hash, m->used);
  m->used++;
  m->len++;
}

static inline bool may_be_mutable(V key) {
  return VK_IS_PAIR(key) || (VK_IS_OBJ(key) && VK_KIND(key) >= VK_SEXPR);
}

void vk_map_put(vk *c, V map, V key, V value) {
  if (may_be_mutable(key)) vk_freeze(key);
  vk_map_put_unfrozen(c, map, key, value);
}

bool vk_map_delete(vk *c, V map, V key) {
  VkMap *m = VK_MAPP(map);
  assert(!VK_IS_FROZEN(map));
  size_t slot = 0;
  ptrdiff_t found = m->index == VK_NIL ? find_linear(m, key)
                                       : find_indexed(m, key, fold_hash(vk_hash(key)), &slot);
  if (found == NOT_FOUND) return false;
  V *entry = entry_at(m, (size_t)found);
  vk_write(c, m->entries, entry, VK_UNBOUND);
  vk_write(c, m->entries, entry + 1, VK_NIL);
  if (m->index != VK_NIL) index_of(m)->words[slot] = SLOT_DELETED;
  m->len--;
  if (m->used > VK_MAP_LINEAR && 2 * m->len < m->used)
    resize(c, map, room_for(m->len + m->len / 2));
  return true;
}

/* ---- primitives ---------------------------------------------------------------------------- */

#define NEED_MAP(who, i, v)                                                                    \
  if (!VK_IS_MAP(v)) return vk_arg_error(c, who, i, v, "a map")
#define NEED_MUTABLE_MAP(who, v)                                                               \
  NEED_MAP(who, 1, v);                                                                         \
  if (VK_IS_FROZEN(v)) return vk_errorf(c, VK_SYM(frozen), "%s: the map is frozen", who)

V vk_map_new(vk *c) { return vk_map_make(c, 0); }

V vk_map_of(vk *c, size_t n, const V *args) {
  if (n % 2)
    return vk_errorf(c, VK_SYM(arity),
                     "map/of: keys and values must come in pairs, got %zu "
                     "arguments",
                     n);
  V map = vk_map_make(c, n / 2);
  for (size_t i = 0; i < n; i += 2) vk_map_put(c, map, args[i], args[i + 1]);
  return map;
}

V vk_map_get_n(vk *c, size_t n, const V *args) {
  NEED_MAP("map/get", 1, args[0]);
  V v = vk_map_find(args[0], args[1]);
  if (v != VK_UNBOUND) return v;
  return n > 2 ? args[2] : VK_NIL;
}

V vk_map_put_p(vk *c, V map, V key, V value) {
  NEED_MUTABLE_MAP("map/put!", map);
  if (VK_MAPP(map)->len >= ENTRIES_MAX)
    return vk_errorf(c, VK_SYM(range), "map/put!: the map is full");
  vk_map_put(c, map, key, value);
  return VK_NIL;
}

V vk_map_has(vk *c, V map, V key) {
  NEED_MAP("map/has?", 1, map);
  return VK_FIX(vk_map_find(map, key) != VK_UNBOUND);
}

V vk_map_del_p(vk *c, V map, V key) {
  NEED_MUTABLE_MAP("map/del!", map);
  vk_map_delete(c, map, key);
  return VK_NIL;
}

typedef enum Part { KEYS = 1, VALUES = 2, BOTH = 3 } Part;
static V map_list(vk *c, V map, Part part) {
  VkListBuilder b = VK_LIST_BUILDER;
  size_t i = 0;
  V key, value;
  while (vk_map_next(map, &i, &key, &value)) {
    if (part & KEYS) vk_list_add(c, &b, key);
    if (part & VALUES) vk_list_add(c, &b, value);
  }
  return b.first;
}

V vk_map_keys(vk *c, V map) {
  NEED_MAP("map/keys", 1, map);
  return map_list(c, map, KEYS);
}

V vk_map_vals(vk *c, V map) {
  NEED_MAP("map/vals", 1, map);
  return map_list(c, map, VALUES);
}

V vk_map_len(vk *c, V map) {
  NEED_MAP("map/len", 1, map);
  return VK_FIX(VK_MAPP(map)->len);
}

V vk_map_merge_n(vk *c, size_t n, const V *args) {
  for (size_t i = 0; i < n; i++) NEED_MAP("map/merge", (int)i + 1, args[i]);
  V map = vk_map_make(c, VK_MAPP(args[0])->len);
  for (size_t j = 0; j < n; j++) {
    size_t i = 0;
    V key, value;
    while (vk_map_next(args[j], &i, &key, &value)) vk_map_put(c, map, key, value);
  }
  return map;
}

V vk_map_p(vk *c, V v) {
  (void)c;
  return VK_FIX(VK_IS_MAP(v));
}

/* (%entries m who i): its keys and values in turn, as a list. */
V vk_entries(vk *c, V map, V who, V index) {
  NEED_MAP(VK_STR(who)->bytes, (int)VK_INT(index), map);
  return map_list(c, map, BOTH);
}

/* (%list->map l): a map of k v k v ...: for quasiquoted map literals. */
V vk_list_to_map(vk *c, V l) {
  V p = vk_list_of(l);
  if (p == VK_UNBOUND) return vk_arg_error(c, "map/of", 1, l, "a list");
  V map = vk_map_make(c, 0);
  for (; VK_IS_PAIR(p); p = VK_TAIL(VK_TAIL(p))) {
    if (!VK_IS_PAIR(VK_TAIL(p)))
      return vk_errorf(c, VK_SYM(arity), "map/of: keys and values must come in pairs");
    vk_map_put(c, map, VK_HEAD(p), VK_HEAD(VK_TAIL(p)));
  }
  return map;
}
