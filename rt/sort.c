/* sort.c - the natural order of whole lists: (sort l) and sort-by. Stable, O(n log n).
 *
 * The cells of the result are made first and hold the elements while these are put in order in an
 * array outside the heap. Nothing is allocated in the heap in between but the error that ends it. An item of the array has a
 * digest, a number that orders items as far as it goes:
 *
 *   all keys fixnums   the number              says it all: radix sort
 *   all keys floats    the bits, made to order says it all: radix sort
 *   all keys strings   the first eight bytes   the same: compare the strings; merge sort
 *   others             0                       vk_order; merge sort
 *
 * Functions that the program gives to sort are called by the library (std/sorting.valk). */
#include "equal.h"
#include "fns.h"
#include "lists.h"
#include "numbers.h"
#include "strings.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct Item {
  uint64_t digest;
  V value;
} Item;

typedef enum KeyKind { KEY_FIXNUMS, KEY_FLOATS, KEY_STRINGS, KEY_OTHERS } KeyKind;

typedef struct Sort {
  vk *c;
  Item *items, *room;
  size_t count;
  KeyKind kind;
  bool is_by_head; /* values are lists {key element} */
  V error;         /* of the first two keys without an order; VK_NIL: none yet */
} Sort;

static V key_of(const Sort *s, V value) { return s->is_by_head ? VK_HEAD(value) : value; }

/* ---- digests ------------------------------------------------------------------------------ */

static KeyKind kind_of(V key) {
  if (VK_IS_FIX(key)) return KEY_FIXNUMS;
  if (VK_IS_FLOAT(key)) return KEY_FLOATS;
  return VK_IS_KIND(key, VK_STRING) ? KEY_STRINGS : KEY_OTHERS;
}

static uint64_t digest_of_float(double x) {
  if (x != x) return UINT64_MAX; /* nan comes last */
  uint64_t bits;
  x += 0.0; /* no negative zero: it equals zero */
  memcpy(&bits, &x, sizeof bits);
  return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static uint64_t digest_of_string(V key) {
  uint64_t bytes = 0;
  size_t length = VK_STR(key)->len;
  memcpy(&bytes, VK_STR(key)->bytes, length < sizeof bytes ? length : sizeof bytes);
  return __builtin_bswap64(bytes);
}

static uint64_t digest_of(KeyKind kind, V key) {
  switch (kind) {
  case KEY_FIXNUMS: return (uint64_t)VK_INT(key) ^ (uint64_t)1 << 63;
  case KEY_FLOATS: return digest_of_float(vk_double(key));
  case KEY_STRINGS: return digest_of_string(key);
  default: return 0;
  }
}

static void fill(Sort *s, V plain) {
  s->kind = kind_of(key_of(s, VK_HEAD(plain)));
  for (V p = plain; VK_IS_PAIR(p); p = VK_TAIL(p))
    if (kind_of(key_of(s, VK_HEAD(p))) != s->kind) s->kind = KEY_OTHERS;
  Item *item = s->items;
  for (V p = plain; VK_IS_PAIR(p); p = VK_TAIL(p), item++)
    *item = (Item){digest_of(s->kind, key_of(s, VK_HEAD(p))), VK_HEAD(p)};
}

/* ---- merge sort --------------------------------------------------------------------------- */

static bool is_before_by_key(Sort *s, const Item *a, const Item *b) {
  V x = key_of(s, a->value), y = key_of(s, b->value);
  if (s->kind == KEY_STRINGS) return vk_string_compare(x, y) < 0;
  if (s->error != VK_NIL) return false;
  V order = vk_order(s->c, x, y);
  if (VK_IS_ABN(order))
    s->error = order; /* from now on nothing is compared: values may be gone */
  return order == VK_FIX(-1);
}

static inline bool is_before(Sort *s, const Item *a, const Item *b) {
  if (a->digest != b->digest) return a->digest < b->digest;
  return s->kind > KEY_FLOATS && is_before_by_key(s, a, b);
}

static bool is_sorted(Sort *s) {
  for (size_t i = 1; i < s->count; i++)
    if (is_before(s, &s->items[i], &s->items[i - 1])) return false;
  return true;
}

enum { RUN = 8 }; /* items sorted by insertion before the first merge */

static void sort_by_insertion(Sort *s, size_t low, size_t high) {
  for (size_t i = low + 1; i < high; i++) {
    Item item = s->items[i];
    size_t to = i;
    for (; to > low && is_before(s, &item, &s->items[to - 1]); to--)
      s->items[to] = s->items[to - 1];
    s->items[to] = item;
  }
}

/* items[low, middle) and [middle, high) into room[low, high). */
static void merge(Sort *s, size_t low, size_t middle, size_t high) {
  const Item *a = s->items + low, *a_end = s->items + middle, *b = a_end,
             *b_end = s->items + high;
  Item *to = s->room + low;
  while (a < a_end && b < b_end) *to++ = is_before(s, b, a) ? *b++ : *a++;
  memcpy(to, a, (size_t)(a_end - a) * sizeof *a);
  memcpy(to + (a_end - a), b, (size_t)(b_end - b) * sizeof *b);
}

static void swap_room(Sort *s) {
  Item *items = s->items;
  s->items = s->room;
  s->room = items;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static void merge_sort(Sort *s) {
  for (size_t low = 0; low < s->count; low += RUN)
    sort_by_insertion(s, low, least(low + RUN, s->count));
  for (size_t width = RUN; width < s->count; width *= 2, swap_room(s))
    for (size_t low = 0; low < s->count; low += 2 * width)
      merge(s, low, least(low + width, s->count), least(low + 2 * width, s->count));
}

/* ---- radix sort --------------------------------------------------------------------------- */

enum { DIGIT_BITS = 8, DIGITS = 64 / DIGIT_BITS, BUCKETS = 1 << DIGIT_BITS };
enum { RADIX_LEAST = 256 }; /* items for which counting 8 x 256 buckets pays */

static size_t digit_of(const Item *item, int digit) {
  return item->digest >> (digit * DIGIT_BITS) & (BUCKETS - 1);
}

/* Least significant digit first; digits that are the same in all items cost nothing. */
static void radix_sort(Sort *s) {
  size_t counts[DIGITS][BUCKETS] = {0};
  for (size_t i = 0; i < s->count; i++)
    for (int digit = 0; digit < DIGITS; digit++) counts[digit][digit_of(&s->items[i], digit)]++;
  for (int digit = 0; digit < DIGITS; digit++) {
    size_t *starts = counts[digit], start = 0;
    if (starts[digit_of(&s->items[0], digit)] == s->count) continue;
    for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
      size_t count = starts[bucket];
      starts[bucket] = start;
      start += count;
    }
    for (size_t i = 0; i < s->count; i++)
      s->room[starts[digit_of(&s->items[i], digit)]++] = s->items[i];
    swap_room(s);
  }
}

/* ---- the two primitives ------------------------------------------------------------------- */

static void sort_items(Sort *s) {
  if (is_sorted(s)) return;
  if (s->kind <= KEY_FLOATS && s->count >= RADIX_LEAST)
    radix_sort(s);
  else
    merge_sort(s);
}

static V element_of(const Sort *s, V value) {
  return s->is_by_head ? VK_HEAD(VK_TAIL(value)) : value;
}

/* The elements of `plain` in fresh cells, in order. */
static V sorted(vk *c, V plain, bool is_by_head) {
  if (!VK_IS_PAIR(plain)) return plain; /* nil, or an error */
  Sort s = {.c = c, .is_by_head = is_by_head, .error = VK_NIL};
  VkListBuilder cells = VK_LIST_BUILDER;
  for (V p = plain; VK_IS_PAIR(p); p = VK_TAIL(p), s.count++)
    vk_list_add(c, &cells, element_of(&s, VK_HEAD(p)));
  Item *array = vk_work_grow(NULL, 2 * s.count * sizeof *array);
  s.items = array;
  s.room = array + s.count;
  fill(&s, plain);
  sort_items(&s);
  const Item *item = s.items;
  if (s.error == VK_NIL)
    for (V p = cells.first; VK_IS_PAIR(p); p = VK_TAIL(p), item++)
      vk_write(c, p, &VK_HEAD(p), element_of(&s, item->value));
  free(array);
  return s.error == VK_NIL ? cells.first : s.error;
}

V vk_sort_values(vk *c, V plain) { return sorted(c, plain, false); }
V vk_sort_by_head(vk *c, V pairs) { return sorted(c, pairs, true); }
