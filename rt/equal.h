/* equal.h - `==`, the hash that agrees with it, and a set of visited objects.
 *
 * vk_equal is LANGUAGE.md 2: numbers by value (1 == 1.0), nan equals nothing, strings, symbols,
 * errors by text, lists (any flavour), vectors and maps by content, all else by identity; an
 * object always equals itself, whatever it contains. vk_key_equal differs in one point: nan
 * equals nan, at any depth. Both take any depth of nesting and end on cyclic data.
 * vk_hash(a) == vk_hash(b) whenever vk_key_equal(a, b). None of these allocates in the heap. */
#ifndef VK_EQUAL_H
#define VK_EQUAL_H
#include "vk.h"
#include <stdbool.h>

bool vk_equal(V a, V b);
bool vk_key_equal(V a, V b);
uint64_t vk_hash(V v);

/* A set of pairs of words, in malloc memory: the objects it names must be reachable elsewhere.
 * Start with VkSeen s = {0}. Out of memory ends the program. */
typedef struct VkSeen {
  V (*entries)[2]; /* in the order they came */
  uint32_t *slots; /* open addressing: entry number + 1, or 0 */
  size_t count, slot_count;
} VkSeen;
bool vk_seen_add(VkSeen *s, V a, V b);          /* false if it is there already */
void vk_seen_truncate(VkSeen *s, size_t count); /* forget all but the first `count` */
void vk_seen_free(VkSeen *s);

/* realloc for such working memory; out of memory ends the program with a message. */
void *vk_work_grow(void *p, size_t bytes);
#endif
