/* maps.c - insertion-ordered hash maps: maps.h has the layout. */
#include "maps.h"
#include "fns.h"
#include "equal.h"
#include "lists.h"
#include "vectors.h"
#include "scratch.h"
#include "strings.h"
#include <assert.h>

enum { ENTRIES_MIN = 4, SLOTS_MIN = 16, SLOT_FREE = 0, FEW_ENTRIES = 1 << 12 };
#define ENTRIES_MAX ((size_t)1 << 29) /* so that growing leaves at most 2^31 slots */
#define INLINE                                                                                 \
  static inline __attribute__((always_inline)) /* made anew for each class of keys */

static inline V *entry_at(const VkMap *m, size_t i) {
  return &VK_STOREP(m->entries)->items[2 * i];
}
/* Entries found are numbered from 1 on; 0: none. */
static inline V *entry_of(const VkMap *m, uint32_t number) { return entry_at(m, number - 1); }
static inline size_t room_of(const VkMap *m) {
  return m->entries == VK_NIL ? 0 : VK_STOREP(m->entries)->capacity / 2;
}
static inline uint32_t *slots_of(const VkMap *m) {
  return (uint32_t *)VK_RAWP(m->index)->words;
}

/* ---- keys ---------------------------------------------------------------------------------- */

typedef enum KeyClass { KEY_FIX, KEY_STRING, KEY_SYMBOL, KEY_OTHER } KeyClass;
static inline KeyClass class_of(V key) {
  if (VK_IS_FIX(key)) return KEY_FIX;
  if (!VK_IS_OBJ(key)) return KEY_OTHER;
  VkKind kind = VK_HDR_KIND(*VK_OBJ(key));
  return kind == VK_STRING ? KEY_STRING : kind == VK_SYMBOL ? KEY_SYMBOL : KEY_OTHER;
}

static inline uint32_t hash_word(V v) { return (uint32_t)(v * vk_hash_factor >> 32); }

/* An integer and the float equal to it must hash alike. */
static uint32_t hash_other(V key) {
  if (VK_IS_FLOAT(key)) {
    double x = vk_double(key);
    if (x >= (double)VK_FIX_MIN && x < -(double)VK_FIX_MIN && x == (double)(int64_t)x)
      return hash_word(VK_FIX((int64_t)x));
  }
  return hash_word(vk_hash(key));
}

static inline uint32_t hash_of(V key, KeyClass class) {
  switch (class) {
  case KEY_FIX:
  case KEY_SYMBOL: return hash_word(key);
  case KEY_STRING: return (uint32_t)(vk_string_hash(key) >> 32);
  case KEY_OTHER: break;
  }
  return hash_other(key);
}

uint32_t vk_map_hash(V key) { return hash_of(key, class_of(key)); }

/* Whether the key `found` of an entry, dead ones included, is this key. */
INLINE bool is_key(V key, KeyClass class, V found) {
  if (found == key) return true;
  switch (class) {
  case KEY_SYMBOL: return false;
  case KEY_STRING: return VK_IS_KIND(found, VK_STRING) && vk_string_equal(key, found);
  case KEY_FIX: return !VK_IS_FIX(found) && found != VK_UNBOUND && vk_key_equal(key, found);
  case KEY_OTHER: break;
  }
  return found != VK_UNBOUND && vk_key_equal(key, found);
}

/* ---- finding ----------------------------------------------------------------------------- */

static __attribute__((noinline)) uint32_t search_in_order(const VkMap *m, V key) {
  KeyClass class = class_of(key);
  for (size_t i = 0; i < m->used; i++)
    if (*entry_at(m, i) == key) return (uint32_t)i + 1;
  for (size_t i = 0; class != KEY_SYMBOL && i < m->used; i++)
    if (is_key(key, class, *entry_at(m, i))) return (uint32_t)i + 1;
  return 0;
}

/* Requires: an index. TRY_ANY: an integer may be equal to the key found, which is none. */
#define TRY_ANY UINT32_MAX
INLINE uint32_t search(const VkMap *m, V key, KeyClass class, uint32_t hash) {
  const uint32_t *slots = slots_of(m);
  uint64_t start = (uint64_t)hash * m->slot_count; /* as two words: first slot, tag */
  for (uint32_t i = (uint32_t)(start >> 32);; i = (i + 1) & (m->slot_count - 1)) {
    uint32_t slot = slots[i], number = slot ^ (uint32_t)start;
    if (slot == SLOT_FREE) return 0;
    if (number >= m->slot_count) continue;
    V found = *entry_of(m, number);
    if (found == key) return number;
    if (class == KEY_FIX && VK_UNLIKELY(!VK_IS_FIX(found))) return TRY_ANY;
    if (class != KEY_FIX && is_key(key, class, found)) return number;
  }
}

static __attribute__((noinline)) uint32_t search_any(const VkMap *m, V key, uint32_t hash) {
  return search(m, key, KEY_OTHER, hash);
}
static __attribute__((noinline)) uint32_t search_fix(const VkMap *m, V key) {
  uint32_t hash = hash_of(key, KEY_FIX), number = search(m, key, KEY_FIX, hash);
  return number != TRY_ANY ? number : search_any(m, key, hash);
}
static __attribute__((noinline)) uint32_t search_string(const VkMap *m, V key) {
  return search(m, key, KEY_STRING, hash_of(key, KEY_STRING));
}
static __attribute__((noinline)) uint32_t search_symbol(const VkMap *m, V key) {
  return search(m, key, KEY_SYMBOL, hash_of(key, KEY_SYMBOL));
}

static inline uint32_t find(const VkMap *m, V key) {
  if (m->index == VK_NIL) return search_in_order(m, key);
  switch (class_of(key)) {
  case KEY_FIX: return search_fix(m, key);
  case KEY_STRING: return search_string(m, key);
  case KEY_SYMBOL: return search_symbol(m, key);
  case KEY_OTHER: break;
  }
  return search_any(m, key, hash_other(key));
}

/* Frozen maps may be shared by threads, static ones be read only. */
static inline void remember(VkMap *m, uint32_t number) {
  if (!(m->hdr & VK_FROZEN)) m->last = number;
}

/* The entry of the last find, if it still is there, has this key and that is seen at once. */
static inline uint32_t find_last(const VkMap *m, V key) {
  if (m->last - 1u >= m->used) return 0;
  V found = *entry_of(m, m->last);
  if (found == key) return m->last;
  bool are_strings = VK_IS_KIND(key, VK_STRING) && VK_IS_KIND(found, VK_STRING);
  return are_strings && vk_string_equal(key, found) ? m->last : 0;
}

static inline V find_value(VkMap *m, V key) {
  uint32_t number = find(m, key);
  if (!number) return VK_UNBOUND;
  remember(m, number);
  return entry_of(m, number)[1];
}

V vk_map_find(V map, V key) { return find_value(VK_MAPP(map), key); }

bool vk_map_candidate(V map, uint32_t hash, size_t *probe, size_t *entry) {
  const VkMap *m = VK_MAPP(map);
  uint64_t start = (uint64_t)hash * m->slot_count;
  for (;;) {
    size_t i = (*probe)++;
    if (m->index == VK_NIL) {
      if (i >= m->used) return false;
      *entry = i;
    } else {
      uint32_t slot = slots_of(m)[((start >> 32) + i) & (m->slot_count - 1)];
      if (slot == SLOT_FREE) return false;
      if ((slot ^ (uint32_t)start) >= m->slot_count) continue;
      *entry = (slot ^ (uint32_t)start) - 1;
    }
    if (*entry_at(m, *entry) != VK_UNBOUND) return true;
  }
}

/* ---- growing and shrinking ----------------------------------------------------------------- */

static uint32_t slots_for(size_t room) {
  uint32_t count = SLOTS_MIN;
  while (count < (room < FEW_ENTRIES ? 4 : 2) * room) count *= 2;
  return count;
}

/* All free. */
static V new_index(vk *c, uint32_t slot_count) {
  size_t bytes = sizeof(uint32_t) * slot_count;
  VkRaw *index = vk_new(c, sizeof *index + bytes);
  index->hdr = VK_HDR(VK_RAW, 0, 0);
  index->bytes = bytes;
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
    m->slot_count = slots_for(room);
    V index = new_index(c, m->slot_count);
    vk_write(c, map, &m->index, index);
  }
  return map;
}

static void index_add(const VkMap *m, V key, uint32_t number) {
  uint64_t start = (uint64_t)vk_map_hash(key) * m->slot_count;
  uint32_t *slots = slots_of(m), i = (uint32_t)(start >> 32);
  while (slots[i] != SLOT_FREE) i = (i + 1) & (m->slot_count - 1);
  slots[i] = (uint32_t)start | number;
}

/* Gives the map room for `room` >= len entries and drops the dead ones. */
static void resize(vk *c, V map, size_t room) {
  VkMap *m = VK_MAPP(map);
  V index = room > VK_MAP_LINEAR ? new_index(c, slots_for(room)) : VK_NIL;
  V store = vk_store_new(c, 2 * room); /* young until the next allocation: no barrier */
  vk_note_part(c, map, index);
  vk_note_part(c, map, store);
  V *to = VK_STOREP(store)->items;
  for (size_t i = 0; i < m->used; i++) {
    const V *from = entry_at(m, i);
    if (from[0] == VK_UNBOUND) continue;
    *to++ = from[0];
    *to++ = from[1];
  }
  m->used = (size_t)(to - VK_STOREP(store)->items) / 2;
  assert(m->used == m->len);
  vk_write(c, map, &m->entries, store);
  vk_write(c, map, &m->index, index);
  m->slot_count = slots_for(room);
  if (index == VK_NIL) return;
  for (uint32_t n = 1; n <= m->used; n++) index_add(m, *entry_of(m, n), n);
}

void vk_map_reindex(vk *c, V map) { resize(c, map, room_of(VK_MAPP(map))); }

static size_t room_for(size_t len) {
  size_t room = ENTRIES_MIN;
  while (room < len) room *= 2;
  return room;
}

/* ---- changing ------------------------------------------------------------------------------ */

/* Requires: the key is not there. */
static void add_entry(vk *c, V map, V key, V value) {
  VkMap *m = VK_MAPP(map);
  if (m->used == room_of(m)) resize(c, map, room_for(m->len + m->len / 2 + 1));
  V *entry = entry_at(m, m->used);
  vk_write(c, m->entries, entry, key);
  vk_write(c, m->entries, entry + 1, value);
  m->used++;
  m->len++;
  m->last = (uint32_t)m->used;
  if (m->index != VK_NIL) index_add(m, key, m->last);
}

static void put(vk *c, V map, V key, V value) {
  VkMap *m = VK_MAPP(map);
  uint32_t number = find(m, key);
  if (number)
    vk_write(c, m->entries, entry_of(m, number) + 1, value);
  else
    add_entry(c, map, key, value);
}

void vk_map_put_unfrozen(vk *c, V map, V key, V value) {
  assert(!VK_IS_FROZEN(map));
  put(c, map, key, value);
}

static inline bool may_be_mutable(V key) {
  return VK_IS_PAIR(key) || (VK_IS_OBJ(key) && VK_KIND(key) >= VK_SEXPR);
}

void vk_map_put(vk *c, V map, V key, V value) {
  assert(!VK_IS_FROZEN(map));
  if (may_be_mutable(key)) vk_freeze(key);
  put(c, map, key, value);
}

bool vk_map_delete(vk *c, V map, V key) {
  VkMap *m = VK_MAPP(map);
  assert(!VK_IS_FROZEN(map));
  uint32_t number = find(m, key);
  if (!number) return false;
  V *entry = entry_of(m, number);
  vk_write(c, m->entries, entry, VK_UNBOUND);
  vk_write(c, m->entries, entry + 1, VK_NIL);
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

static __attribute__((noinline)) V get(vk *c, V map, V key, V otherwise) {
  NEED_MAP("map/get", 1, map);
  V v = find_value(VK_MAPP(map), key);
  return v != VK_UNBOUND ? v : otherwise;
}

/* Integers first, without a call. */
V vk_map_get3(vk *c, V map, V key, V otherwise) {
  if (VK_IS_FIX(key) && VK_IS_MAP(map) && VK_MAPP(map)->index != VK_NIL) {
    VkMap *m = VK_MAPP(map);
    uint32_t number = search(m, key, KEY_FIX, hash_of(key, KEY_FIX));
    if (!number) return otherwise;
    if (number != TRY_ANY) {
      remember(m, number);
      return entry_of(m, number)[1];
    }
  }
  return get(c, map, key, otherwise);
}

V vk_map_get2(vk *c, V map, V key) { return vk_map_get3(c, map, key, VK_NIL); }

V vk_map_get_n(vk *c, size_t n, const V *args) {
  return vk_map_get3(c, args[0], args[1], n > 2 ? args[2] : VK_NIL);
}

/* A string in scratch where the map's other parts go: place.c lets keys be anywhere. */
static V keep_key(vk *c, V key) {
  if (!VK_IS_KIND(key, VK_STRING) || !vk_is_temporary(c, key)) return key;
  return vk_string(c, VK_STR(key)->bytes, VK_STR(key)->len);
}

static __attribute__((noinline)) V put_checked(vk *c, V map, V key, V value) {
  NEED_MUTABLE_MAP("map/put!", map);
  if (VK_MAPP(map)->len >= ENTRIES_MAX)
    return vk_errorf(c, VK_SYM(range), "map/put!: the map is full");
  if (may_be_mutable(key)) vk_freeze(key);
  uint32_t number = find(VK_MAPP(map), key);
  if (number) {
    vk_write(c, VK_MAPP(map)->entries, entry_of(VK_MAPP(map), number) + 1, value);
    return VK_NIL;
  }
  key = keep_key(c, key);
  if (!VK_IS_ABN(key)) add_entry(c, map, key, value);
  return VK_IS_ABN(key) ? key : VK_NIL;
}

V vk_map_put_p(vk *c, V map, V key, V value) {
  if (VK_IS_MAP(map) && !VK_IS_FROZEN(map)) {
    VkMap *m = VK_MAPP(map);
    uint32_t number = find_last(m, key);
    if (number) {
      vk_write(c, m->entries, entry_of(m, number) + 1, value);
      return VK_NIL;
    }
  }
  return put_checked(c, map, key, value);
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
