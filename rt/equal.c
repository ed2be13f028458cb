/* equal.c - structural equality and the hash that agrees with it: equal.h has the contract.
 *
 * Equality is one loop over an explicit stack of frames, one for each list, vector or map being
 * compared. A frame keeps its place, so a list of a million elements is one frame and a list
 * nested a million deep is a million of them.
 *
 * Cycles (a vector that contains itself) and heavy sharing: once the stack has been deep or many
 * frames were pushed, each pair of objects is entered in a set, and a pair met again counts as
 * equal: if it is not, the first meeting finds that out and the whole answer is no. This is
 * bisimulation, as in Adams and Dybvig, "Efficient Nondestructive Equality Checking for Trees
 * and Graphs", ICFP 2008; theirs uses union-find and counts steps in the same two phases.
 *
 * Maps: each entry of one is looked up in the other by hash. If the keys need comparing in depth
 * the map's frame waits as a probe, and a difference below it means only "try the next
 * candidate": what was entered in the set since is forgotten. */
#include "equal.h"
#include "fns.h"
#include "lists.h"
#include "maps.h"
#include "numbers.h"
#include "strings.h"
#include "vectors.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the set of visited objects --------------------------------------------------------- */

void *vk_work_grow(void *p, size_t bytes) {
  p = realloc(p, bytes);
  if (p) return p;
  fprintf(stderr, "valk: out of memory\n");
  exit(1);
}

static inline uint64_t mix(uint64_t h, uint64_t x) {
  h = (h ^ x) * 0x9E3779B97F4A7C15u;
  return h ^ h >> 32;
}

static uint32_t *seen_slot(VkSeen *s, V a, V b) {
  size_t i = mix(mix(0, a), b) & (s->slot_count - 1);
  for (;; i = (i + 1) & (s->slot_count - 1)) {
    uint32_t n = s->slots[i];
    if (n == 0 || (s->entries[n - 1][0] == a && s->entries[n - 1][1] == b)) return &s->slots[i];
  }
}

static void seen_rebuild(VkSeen *s) {
  memset(s->slots, 0, s->slot_count * sizeof *s->slots);
  for (size_t i = 0; i < s->count; i++)
    *seen_slot(s, s->entries[i][0], s->entries[i][1]) = (uint32_t)i + 1;
}

bool vk_seen_add(VkSeen *s, V a, V b) {
  if (2 * s->count >= s->slot_count) { /* at most half full */
    s->slot_count = s->slot_count ? 2 * s->slot_count : 64;
    s->slots = vk_work_grow(s->slots, s->slot_count * sizeof *s->slots);
    s->entries = vk_work_grow(s->entries, s->slot_count / 2 * sizeof *s->entries);
    seen_rebuild(s);
  }
  uint32_t *slot = seen_slot(s, a, b);
  if (*slot) return false;
  s->entries[s->count][0] = a;
  s->entries[s->count][1] = b;
  *slot = (uint32_t)++s->count;
  return true;
}

void vk_seen_truncate(VkSeen *s, size_t count) {
  if (count >= s->count) return;
  s->count = count;
  seen_rebuild(s);
}

void vk_seen_free(VkSeen *s) {
  free(s->entries);
  free(s->slots);
  *s = (VkSeen){0};
}

/* ---- equality ---------------------------------------------------------------------------- */

typedef enum Answer { NO, YES, DEEP } Answer;

typedef struct Frame {
  V a, b;           /* pairs still to compare, vectors or maps */
  size_t i;         /* vector: next element; map: next entry of a */
  size_t probe;     /* map: see vk_map_candidate */
  size_t candidate; /* map: entry of b whose key is being compared */
  size_t seen_mark; /* map: what the set held before that */
  bool is_key;      /* nan equals nan */
  bool is_probing;  /* map: a frame above compares keys */
} Frame;

enum { INLINE_FRAMES = 8, TRACK_DEPTH = 64, TRACK_PUSHES = 100000 };
typedef struct Compare {
  Frame *frames;
  size_t count, capacity, pushes;
  bool is_tracking;
  VkSeen seen;
  Frame first[INLINE_FRAMES];
} Compare;

static inline bool is_nan(V v) { return VK_IS_KIND(v, VK_FLOAT) && isnan(vk_double(v)); }

static Answer compare_objects(V a, V b) {
  if (!VK_IS_OBJ(b) || VK_KIND(a) != VK_KIND(b)) return NO;
  switch (VK_KIND(a)) {
  case VK_STRING: return vk_string_equal(a, b) ? YES : NO;
  case VK_VECTOR:
    if (VK_VEC(a)->len != VK_VEC(b)->len) return NO;
    return VK_VEC(a)->len ? DEEP : YES;
  case VK_MAP:
    if (VK_MAPP(a)->len != VK_MAPP(b)->len) return NO;
    return VK_MAPP(a)->len ? DEEP : YES;
  default: return NO;
  }
}

/* Decides without looking into lists, vectors and maps; DEEP: the contents decide. Lists are
 * replaced by the nil or pair behind them. */
static Answer compare_shallow(V *a_, V *b_, bool is_key) {
  V a = *a_, b = *b_;
  if (a == b) return !is_key && is_nan(a) ? NO : YES;
  if (VK_IS_FIX2(a, b)) return NO;
  if (vk_is_number(a)) {
    if (!vk_is_number(b)) return NO;
    return vk_num_equal(a, b) || (is_key && is_nan(a) && is_nan(b)) ? YES : NO;
  }
  if (VK_IS_ABN(a)) {
    if (!VK_IS_ABN(b)) return NO;
    return vk_string_equal(VK_ERR(a)->message, VK_ERR(b)->message) ? YES : NO;
  }
  V list = vk_list_of(a);
  if (list == VK_UNBOUND) return VK_IS_OBJ(a) ? compare_objects(a, b) : NO;
  *a_ = list;
  *b_ = vk_list_of(b);
  if (list == *b_) return YES;
  return *b_ == VK_UNBOUND || *b_ == VK_NIL || list == VK_NIL ? NO : DEEP;
}

static Answer push_frame(Compare *c, V a, V b, bool is_key) {
  if (c->count >= TRACK_DEPTH || ++c->pushes > TRACK_PUSHES) c->is_tracking = true;
  if (c->is_tracking && !vk_seen_add(&c->seen, a, b ^ (V)is_key << 63)) return YES;
  if (c->count == c->capacity) {
    bool was_inline = c->frames == c->first;
    c->capacity *= 2;
    c->frames = vk_work_grow(was_inline ? NULL : c->frames, c->capacity * sizeof(Frame));
    if (was_inline) memcpy(c->frames, c->first, sizeof c->first);
  }
  c->frames[c->count++] = (Frame){.a = a, .b = b, .is_key = is_key};
  return DEEP;
}

/* DEEP if a frame was pushed that will decide. */
static inline Answer compare_values(Compare *c, V a, V b, bool is_key) {
  Answer answer = compare_shallow(&a, &b, is_key);
  return answer == DEEP ? push_frame(c, a, b, is_key) : answer;
}

/* The steps below go on with frame f until it needs another frame (DEEP) or ends. */
static Answer step_list(Compare *c, Frame *f) {
  V a = f->a, b = f->b;
  while (a != b && VK_IS_PAIR(a) && VK_IS_PAIR(b)) {
    V x = VK_HEAD(a), y = VK_HEAD(b);
    a = VK_TAIL(a), b = VK_TAIL(b);
    if (x == y && VK_IS_FIX(x)) continue;
    f->a = a, f->b = b; /* before a push moves the frames */
    Answer answer = compare_values(c, x, y, f->is_key);
    if (answer != YES) return answer;
  }
  return a == b ? YES : NO;
}

static Answer step_vector(Compare *c, Frame *f) {
  VkFloat a, b; /* floats push no frames */
  if (VK_ELEMENTS(f->a) == VK_BYTES && VK_ELEMENTS(f->b) == VK_BYTES) {
    V x = VK_VEC(f->a)->store, y = VK_VEC(f->b)->store;
    return memcmp(VK_BYTE_ITEMS(x), VK_BYTE_ITEMS(y), vk_vec_count(f->a)) ? NO : YES;
  }
  while (f->i < VK_VEC(f->a)->len) {
    size_t i = f->i++;
    V x = vk_vec_peek(f->a, i, &a), y = vk_vec_peek(f->b, i, &b);
    Answer answer = compare_values(c, x, y, f->is_key);
    if (answer != YES) return answer;
  }
  return YES;
}

static const V *map_entry(V map, size_t i) {
  return &VK_STOREP(VK_MAPP(map)->entries)->items[2 * i];
}

/* Tries the candidates of b for the key of entry f->i of a. YES: found, f->candidate. */
static Answer probe_key(Compare *c, Frame *f) {
  V key = map_entry(f->a, f->i)[0];
  uint32_t hash = vk_map_hash(key);
  while (vk_map_candidate(f->b, hash, &f->probe, &f->candidate)) {
    f->is_probing = true;
    f->seen_mark = c->seen.count;
    V x = key, y = map_entry(f->b, f->candidate)[0];
    Answer answer = compare_shallow(&x, &y, true);
    if (answer == DEEP) answer = push_frame(c, x, y, true);
    if (answer == DEEP) return DEEP;
    f->is_probing = false;
    if (answer == YES) return YES;
  }
  f->is_probing = false;
  return NO;
}

/* below: what the last frame above gave; NO only if it was a probe for a key. */
static Answer step_map(Compare *c, Frame *f, Answer below) {
  bool has_key = f->is_probing && below == YES;
  if (f->is_probing && below == NO) vk_seen_truncate(&c->seen, f->seen_mark);
  bool go_on = f->is_probing && below == NO;
  f->is_probing = false;
  for (; f->i < VK_MAPP(f->a)->used; go_on = has_key = false) {
    const V *entry = map_entry(f->a, f->i);
    if (entry[0] == VK_UNBOUND) {
      f->i++;
      continue;
    }
    if (!has_key) {
      if (!go_on) f->probe = 0;
      Answer answer = probe_key(c, f);
      if (answer != YES) return answer;
    }
    f->i++;
    Answer answer = compare_values(c, entry[1], map_entry(f->b, f->candidate)[1], f->is_key);
    if (answer != YES) return answer;
  }
  return YES;
}

static bool compare_deep(Compare *c) {
  Answer answer = YES;
  while (c->count) {
    Frame *f = &c->frames[c->count - 1];
    if (answer == NO && !f->is_probing) {
      c->count--;
      continue;
    }
    if (VK_IS_PAIR(f->a) || f->a == VK_NIL)
      answer = step_list(c, f);
    else if (VK_IS_VECTOR(f->a))
      answer = step_vector(c, f);
    else
      answer = step_map(c, f, answer);
    if (answer == DEEP)
      answer = YES;
    else
      c->count--;
  }
  return answer == YES;
}

static VK_COLD bool compare_contents(V a, V b, bool is_key) {
  Compare c;
  c.frames = c.first;
  c.count = c.pushes = 0;
  c.capacity = INLINE_FRAMES;
  c.is_tracking = false;
  c.seen = (VkSeen){0};
  push_frame(&c, a, b, is_key);
  bool is_equal = compare_deep(&c);
  if (c.frames != c.first) free(c.frames);
  vk_seen_free(&c.seen);
  return is_equal;
}

bool vk_equal(V a, V b) {
  Answer answer = compare_shallow(&a, &b, false);
  return answer == DEEP ? compare_contents(a, b, false) : answer == YES;
}

bool vk_key_equal(V a, V b) {
  Answer answer = compare_shallow(&a, &b, true);
  return answer == DEEP ? compare_contents(a, b, true) : answer == YES;
}

/* ---- hash --------------------------------------------------------------------------------
 * Looks at HASH_NODES elements and HASH_DEPTH levels at most, in an order that equal values
 * share; this bounds the recursion and ends cycles. The entries of a map have no such order:
 * they are summed, each value within a small budget of its own.                            */

enum { HASH_DEPTH = 32, HASH_NODES = 1 << 16, HASH_MAP_VALUE_NODES = 16 };
enum { SALT_LIST = 1, SALT_VECTOR, SALT_MAP, SALT_OBJECT };

static uint64_t hash_value(V v, unsigned depth, unsigned *nodes);

static uint64_t hash_list(V list, unsigned depth, unsigned *nodes) {
  uint64_t h = mix(SALT_LIST, list == VK_NIL);
  if (depth == 0) return h;
  for (; VK_IS_PAIR(list) && *nodes; list = VK_TAIL(list)) {
    --*nodes;
    h = mix(h, hash_value(VK_HEAD(list), depth - 1, nodes));
  }
  return h;
}

static uint64_t hash_vector(V vector, unsigned depth, unsigned *nodes) {
  size_t len = VK_VEC(vector)->len;
  uint64_t h = mix(SALT_VECTOR, len);
  if (depth == 0) return h;
  for (size_t i = 0; i < len && *nodes; i++) {
    --*nodes;
    VkFloat room;
    h = mix(h, hash_value(vk_vec_peek(vector, i, &room), depth - 1, nodes));
  }
  return h;
}

static uint64_t hash_map(V map, unsigned depth, unsigned *nodes) {
  size_t len = VK_MAPP(map)->len, i = 0;
  uint64_t sum = 0;
  V key, value;
  if (depth == 0 || len > *nodes) return mix(SALT_MAP, len);
  *nodes -= (unsigned)len;
  unsigned each = *nodes / 4 < HASH_MAP_VALUE_NODES ? *nodes / 4 : HASH_MAP_VALUE_NODES;
  while (vk_map_next(map, &i, &key, &value)) {
    unsigned key_nodes = each, value_nodes = each;
    uint64_t h = hash_value(key, depth - 1, &key_nodes);
    sum += mix(h, hash_value(value, depth - 1, &value_nodes));
  }
  return mix(mix(SALT_MAP, len), sum);
}

static uint64_t hash_value(V v, unsigned depth, unsigned *nodes) {
  if (vk_is_number(v)) return vk_num_hash(v);
  if (VK_IS_ABN(v)) return vk_string_hash(VK_ERR(v)->message);
  V list = vk_list_of(v);
  if (list != VK_UNBOUND) return hash_list(list, depth, nodes);
  switch (VK_KIND(v)) {
  case VK_STRING: return vk_string_hash(v);
  case VK_VECTOR: return hash_vector(v, depth, nodes);
  case VK_MAP: return hash_map(v, depth, nodes);
  default: return mix(SALT_OBJECT, v);
  }
}

uint64_t vk_hash(V v) {
  unsigned nodes = HASH_NODES;
  return hash_value(v, HASH_DEPTH, &nodes);
}

/* ---- primitives --------------------------------------------------------------------------- */

V vk_eq(vk *c, V a, V b) {
  (void)c;
  if (VK_IS_KIND(a, VK_STRING) && VK_IS_KIND(b, VK_STRING))
    return VK_FIX(vk_string_equal(a, b));
  return VK_FIX(vk_equal(a, b));
}

V vk_ne(vk *c, V a, V b) {
  (void)c;
  if (VK_IS_KIND(a, VK_STRING) && VK_IS_KIND(b, VK_STRING))
    return VK_FIX(!vk_string_equal(a, b));
  return VK_FIX(!vk_equal(a, b));
}
