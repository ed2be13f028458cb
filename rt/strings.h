/* strings.h - making strings, and the growable byte buffer that text is built in. */
#ifndef VK_STRINGS_H
#define VK_STRINGS_H
#include "vk.h"
#include <stdbool.h>
#include <string.h>

#define VK_IS_STRING(v) VK_IS_KIND(v, VK_STRING)

/* A string of these bytes (copied); any byte may occur. */
V vk_string(vk *c, const char *bytes, size_t len);
V vk_string_z(vk *c, const char *text); /* up to the NUL */
/* A string of len bytes that the caller fills in before it allocates anything else. */
VkString *vk_string_new(vk *c, size_t len);

/* The first 16 bytes of a string as two words, zero beyond its end: without branches, for short
 * strings. Strings on the heap and static ones are aligned to 16, so these bytes can be read, on
 * whatever page: what stands behind the string is masked out. */
#ifdef __BYTE_ORDER__
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte is the lowest");
#endif
#define VK_READS_BEYOND __attribute__((no_sanitize("address")))
enum { VK_SHORT_STRING = 16 };
typedef struct VkTwoWords {
  uint64_t low, high;
} VkTwoWords;
static inline VkTwoWords vk_short_mask(size_t len) { /* len <= VK_SHORT_STRING */
  static const uint64_t ones[4] = {~(uint64_t)0, ~(uint64_t)0, 0, 0};
  VkTwoWords mask;
  memcpy(&mask, (const char *)ones + VK_SHORT_STRING - len, sizeof mask);
  return mask;
}
VK_READS_BEYOND static inline bool vk_string_equal(V a, V b) { /* two strings (required) */
  size_t len = VK_STR(a)->len;
  const uint64_t *s = (const uint64_t *)VK_STR(a)->bytes,
                 *t = (const uint64_t *)VK_STR(b)->bytes;
  if (len != VK_STR(b)->len) return false;
  if (len > VK_SHORT_STRING) return !memcmp(s, t, len);
  VkTwoWords mask = vk_short_mask(len);
  return !(((s[0] ^ t[0]) & mask.low) | ((s[1] ^ t[1]) & mask.high));
}
int vk_string_compare(V a, V b); /* bytewise: -1, 0, 1 */

/* Hashes: folded products of 128 bits, as wyhash's. Seed and factor differ from process to process,
 * so that nobody can prepare keys that all collide. The factor alone hashes a word (Knuth, TAOCP
 * 6.4): the multiples of the golden ratio, or of another fraction whose continued fraction has only
 * small terms, lie evenly spread, so the numbers of a range hardly ever meet in a slot. */
extern uint64_t vk_hash_seed, vk_hash_factor;
static inline uint64_t vk_hash_step(uint64_t h, uint64_t word) {
  unsigned __int128 product = (unsigned __int128)(h ^ word) * 0x9E3779B97F4A7C15u;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}
uint64_t vk_bytes_hash(const char *bytes, size_t len);       /* equal bytes hash equally */
VK_READS_BEYOND static inline uint64_t vk_string_hash(V v) { /* not the same as vk_bytes_hash */
  size_t len = VK_STR(v)->len;
  const uint64_t *s = (const uint64_t *)VK_STR(v)->bytes;
  if (len > VK_SHORT_STRING) return vk_bytes_hash(VK_STR(v)->bytes, len);
  VkTwoWords mask = vk_short_mask(len);
  unsigned __int128 product = (unsigned __int128)((s[0] & mask.low) ^ vk_hash_seed) *
                              ((s[1] & mask.high) ^ len ^ vk_hash_factor);
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Bytes being collected, in malloc memory: start with VkBuf b = {0}, or, for text that is short
 * as a rule, with VkBuf b = VK_BUF_ON(array), an array of char that lives as long. Values kept
 * only here are not seen by the collector: it takes bytes, never V. Without memory the program
 * ends. */
typedef struct VkBuf {
  char *data; /* NULL while nothing was put, unless borrowed */
  size_t len, capacity;
  bool is_borrowed; /* data is the array of VK_BUF_ON */
} VkBuf;
#define VK_BUF_ON(array)                                                                       \
  ((VkBuf){.data = (array), .capacity = sizeof(array), .is_borrowed = true})
void vk_buf_grow(VkBuf *b, size_t more); /* makes room for that many further bytes */
void vk_buf_put(VkBuf *b, const char *bytes, size_t len);
void vk_buf_put_z(VkBuf *b, const char *text);
void vk_buf_putf(VkBuf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void vk_buf_fill(VkBuf *b, char byte, size_t times);
static inline void vk_buf_putc(VkBuf *b, char byte) {
  if (b->len == b->capacity) vk_buf_grow(b, 1);
  b->data[b->len++] = byte;
}
void vk_buf_free(VkBuf *b);       /* and empties it */
V vk_buf_string(vk *c, VkBuf *b); /* its bytes as a string; frees it */
const char *vk_buf_z(VkBuf *b);   /* its bytes with a NUL after them, still owned by b */

/* UTF-8: the length in bytes of the character at p, 1 for a byte that starts none. */
size_t vk_utf8_length(const char *p, size_t available);
size_t vk_utf8_encode(char out[4], uint32_t code_point);
#endif
