/* strings.c - strings and byte buffers for the runtime, and the string primitives (str/...).
 *
 * Positions are bytes, 0-based. upper, lower and trim know ASCII only. Results are new strings,
 * except where the argument itself is already the answer. */
#define _GNU_SOURCE /* memmem */
#include "strings.h"
#include "fns.h"
#include "heap.h"
#include "lists.h"
#include "numbers.h"
#include "out.h"
#include "scratch.h"
#include "vectors.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* ---- buffers ----------------------------------------------------------------------------- */

static void no_memory(void) {
  static const char message[] = "error: out of memory\n";
  vk_out_flush();
  if (write(STDERR_FILENO, message, sizeof message - 1) < 0) _exit(1);
  exit(1);
}

void vk_buf_grow(VkBuf *b, size_t more) {
  if (b->capacity - b->len >= more) return;
  size_t capacity = b->capacity < 128 ? 128 : b->capacity;
  while (capacity - b->len < more && capacity <= SIZE_MAX / 2) capacity *= 2;
  if (capacity - b->len < more) no_memory();
  char *data = b->is_borrowed ? malloc(capacity) : realloc(b->data, capacity);
  if (!data) no_memory();
  if (b->is_borrowed) memcpy(data, b->data, b->len);
  b->is_borrowed = false;
  b->data = data;
  b->capacity = capacity;
}

void vk_buf_put(VkBuf *b, const char *bytes, size_t len) {
  if (len == 0) return;
  vk_buf_grow(b, len);
  memcpy(b->data + b->len, bytes, len);
  b->len += len;
}

void vk_buf_put_z(VkBuf *b, const char *text) { vk_buf_put(b, text, strlen(text)); }

void vk_buf_putf(VkBuf *b, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int len = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (len > 0) {
    vk_buf_grow(b, (size_t)len + 1);
    vsnprintf(b->data + b->len, (size_t)len + 1, format, again);
    b->len += (size_t)len;
  }
  va_end(again);
}

void vk_buf_fill(VkBuf *b, char byte, size_t times) {
  if (times == 0) return;
  vk_buf_grow(b, times);
  memset(b->data + b->len, byte, times);
  b->len += times;
}

void vk_buf_free(VkBuf *b) {
  if (!b->is_borrowed) free(b->data);
  *b = (VkBuf){0};
}

const char *vk_buf_z(VkBuf *b) {
  vk_buf_grow(b, 1);
  b->data[b->len] = 0;
  return b->data;
}

V vk_buf_string(vk *c, VkBuf *b) {
  V s = vk_string(c, b->data, b->len);
  vk_buf_free(b);
  return s;
}

/* ---- making strings ---------------------------------------------------------------------- */

enum { STRING_TRY_BYTES = 1 << 16 };
#define STRING_BYTES_MAX ((size_t)1 << 46)

static const VkString empty_string VK_ALIGN16 = {
    VK_HDR(VK_STRING, 0, 0), 0, {0}}; /* with its NUL */
#define EMPTY VK_FROM_OBJ(&empty_string)

/* Strings of one byte are there from the start: text taken apart into characters costs cells only. */
typedef struct OneByte {
  uint64_t hdr, len;
  char bytes[VK_SHORT_STRING]; /* as many as vk_string_hash reads */
} OneByte;
_Static_assert(offsetof(OneByte, bytes) == offsetof(VkString, bytes), "the same layout");
#define ONE(byte)                                                                              \
  {                                                                                            \
    VK_HDR(VK_STRING, 0, 0), 1, { (char)(byte) }                                               \
  }
#define FOUR(byte) ONE(byte), ONE((byte) + 1), ONE((byte) + 2), ONE((byte) + 3)
#define SIXTEEN(byte) FOUR(byte), FOUR((byte) + 4), FOUR((byte) + 8), FOUR((byte) + 12)
#define SIXTY_FOUR(byte)                                                                       \
  SIXTEEN(byte), SIXTEEN((byte) + 16), SIXTEEN((byte) + 32), SIXTEEN((byte) + 48)
static const OneByte one_byte_strings[256] VK_ALIGN16 = {SIXTY_FOUR(0), SIXTY_FOUR(64),
                                                         SIXTY_FOUR(128), SIXTY_FOUR(192)};

/* NULL if there is no memory for it (long strings only: see vk_try_new_placed). */
static VkString *string_room(vk *c, size_t len) {
  size_t bytes = sizeof(VkString) + len + 1;
  if (len > STRING_BYTES_MAX) return NULL;
  VkString *s = len < STRING_TRY_BYTES ? vk_new(c, bytes) : vk_try_new_placed(c, bytes, false);
  if (!s) return NULL;
  s->hdr = VK_HDR(VK_STRING, 0, 0);
  s->len = len;
  s->bytes[len] = 0;
  return s;
}

VkString *vk_string_new(vk *c, size_t len) { return string_room(c, len); }

V vk_string(vk *c, const char *bytes, size_t len) {
  if (len == 0) return EMPTY;
  if (len == 1) return VK_FROM_OBJ(&one_byte_strings[(unsigned char)*bytes]);
  VkString *s = string_room(c, len);
  if (!s) return vk_out_of_memory(c, len);
  memcpy(s->bytes, bytes, len);
  return VK_FROM_OBJ(s);
}

V vk_string_z(vk *c, const char *text) { return vk_string(c, text, strlen(text)); }

int64_t vk_same_bytes(V a, V b) { return vk_string_equal(a, b); }

int vk_string_compare(V a, V b) {
  const VkString *s = VK_STR(a), *t = VK_STR(b);
  int order = memcmp(s->bytes, t->bytes, s->len < t->len ? s->len : t->len);
  if (order != 0) return order < 0 ? -1 : 1;
  return (s->len > t->len) - (s->len < t->len);
}

/* ---- hash -------------------------------------------------------------------------------- */

/* The factor: see strings.h. Its terms are 1 or 2, as the bits of the seed say. */
static uint64_t random_factor(uint64_t seed) {
  uint64_t p = 0, q = 1, p_before = 1, q_before = 0; /* p / q is 1/(t + 1/(t + ... */
  for (unsigned i = 0; q < (uint64_t)1 << 60; i++) {
    uint64_t term = 1 + (seed >> i % 64 & 1), p_next = term * p + p_before;
    uint64_t q_next = term * q + q_before;
    p_before = p, q_before = q, p = p_next, q = q_next;
  }
  return (uint64_t)(((unsigned __int128)p << 64) / q) | 1;
}

uint64_t vk_hash_seed, vk_hash_factor;
__attribute__((constructor)) static void hash_init(void) {
  uint64_t words[2] = {0};
  const void *random = (const void *)getauxval(AT_RANDOM); /* 16 bytes, from the kernel */
  if (random) memcpy(words, random, sizeof words);
  vk_hash_seed = words[0];
  vk_hash_factor = random_factor(words[1]);
}

uint64_t vk_bytes_hash(const char *bytes, size_t len) {
  uint64_t h = vk_hash_seed ^ len * 0xA0761D6478BD642Fu, word;
  for (; len >= 8; bytes += 8, len -= 8) {
    memcpy(&word, bytes, 8);
    h = vk_hash_step(h, word);
  }
  word = 0;
  if (len > 0) memcpy(&word, bytes, len);
  return vk_hash_step(vk_hash_step(h, word), 0xE7037ED1A0B428DBu);
}

/* ---- UTF-8 ------------------------------------------------------------------------------- */

size_t vk_utf8_length(const char *p, size_t available) {
  unsigned char lead = (unsigned char)*p;
  size_t len = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1;
  if (len == 1 || len > available) return 1;
  for (size_t i = 1; i < len; i++)
    if (((unsigned char)p[i] & 0xC0) != 0x80) return 1;
  unsigned char second = (unsigned char)p[1];
  bool is_bad = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
                (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
  return is_bad ? 1 : len;
}

size_t vk_utf8_encode(char out[4], uint32_t code) {
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (size_t i = len - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
  out[0] = (char)(leads[len] | code);
  return len;
}

/* ---- arguments --------------------------------------------------------------------------- */

#define CHECK_STRING(who, index, v)                                                            \
  if (!VK_IS_STRING(v)) return vk_arg_error(c, who, index, v, "a string")

/* An integer argument as a position: what does not fit is clamped, far outside any string. */
static bool get_clamped(V v, int64_t *out) {
  if (VK_IS_FIX(v))
    *out = VK_INT(v);
  else if (VK_IS_KIND(v, VK_BIGINT))
    *out = *VK_OBJ(v) & VK_NEGATIVE ? VK_FIX_MIN : VK_FIX_MAX;
  else
    return false;
  return true;
}

static size_t clamp(int64_t n, size_t most) {
  return n < 0 ? 0 : (uint64_t)n > most ? most : (size_t)n;
}

static const char *find_bytes(const char *p, size_t len, const VkString *what) {
  if (what->len == 1) return memchr(p, what->bytes[0], len);
  return what->len == 0 ? p : memmem(p, len, what->bytes, what->len);
}

/* ---- making and cutting ------------------------------------------------------------------ */

/* n copies of the bytes. */
static V repeated(vk *c, const char *who, const char *bytes, size_t len, V times) {
  int64_t n;
  if (!get_clamped(times, &n)) return vk_arg_error(c, who, 2, times, "an integer");
  if (n < 0) return vk_errorf(c, VK_SYM(range), "%s: the count is negative", who);
  size_t total;
  if (__builtin_mul_overflow(len, (size_t)n, &total)) return vk_out_of_memory(c, SIZE_MAX);
  if (total == 0) return EMPTY;
  VkString *s = string_room(c, total);
  if (!s) return vk_out_of_memory(c, total);
  if (len == 1)
    memset(s->bytes, *bytes, total);
  else
    for (size_t at = 0; at < total; at += len) memcpy(s->bytes + at, bytes, len);
  return VK_FROM_OBJ(s);
}

V vk_make_string(vk *c, V times, V what) {
  if (!VK_IS_FIX(times) && !VK_IS_KIND(times, VK_BIGINT))
    return vk_arg_error(c, "make-string", 1, times, "an integer");
  if (VK_IS_STRING(what))
    return repeated(c, "make-string", VK_STR(what)->bytes, VK_STR(what)->len, times);
  if (!VK_IS_FIX(what)) return vk_arg_error(c, "make-string", 2, what, "a string or a byte");
  if (VK_INT(what) < 0 || VK_INT(what) > 255)
    return vk_errorf(c, VK_SYM(range), "make-string: %lld is no byte", (long long)VK_INT(what));
  char byte = (char)VK_INT(what);
  return repeated(c, "make-string", &byte, 1, times);
}

V vk_str_repeat(vk *c, V s, V times) {
  CHECK_STRING("str/repeat", 1, s);
  return repeated(c, "str/repeat", VK_STR(s)->bytes, VK_STR(s)->len, times);
}

/* to: VK_UNBOUND if not given. */
static V slice(vk *c, V s, V from, V to) {
  int64_t position;
  CHECK_STRING("str/slice", 1, s);
  if (!get_clamped(from, &position)) return vk_arg_error(c, "str/slice", 2, from, "an integer");
  size_t len = VK_STR(s)->len, start = clamp(position, len), end = len;
  if (to != VK_UNBOUND) {
    if (!get_clamped(to, &position)) return vk_arg_error(c, "str/slice", 3, to, "an integer");
    end = clamp(position, len);
  }
  if (start == 0 && end == len) return vk_string_apart(c, s);
  return start < end ? vk_string(c, VK_STR(s)->bytes + start, end - start) : EMPTY;
}

V vk_str_slice2(vk *c, V s, V from) { return slice(c, s, from, VK_UNBOUND); }
V vk_str_slice3(vk *c, V s, V from, V to) { return slice(c, s, from, to); }
V vk_str_slice_n(vk *c, size_t n, const V *args) {
  return slice(c, args[0], args[1], n > 2 ? args[2] : VK_UNBOUND);
}

/* Bit 8 * i + 7 is set where byte i of word is `byte` (exactly: Warren, Hacker's Delight, 6-1). */
static inline uint64_t bytes_equal(uint64_t word, char byte) {
  const uint64_t low7 = 0x7F7F7F7F7F7F7F7Fu;
  uint64_t x = word ^ (unsigned char)byte * 0x0101010101010101u;
  return ~(((x & low7) + low7) | x | low7);
}

enum { CHUNK = 64 };
/* Bit i is set where p[i] is `byte`, i < len <= CHUNK. p is aligned to words: the last one may
 * be read whole (strings.h). */
VK_READS_BEYOND static uint64_t find_all(const char *p, size_t len, char byte) {
  uint64_t found = 0;
  for (size_t i = 0; i < len; i += 8) /* the product gathers 8 bits from 8 bytes */
    found |= ((bytes_equal(*(const uint64_t *)(p + i), byte) >> 7) * 0x0102040810204080u >> 56)
             << i;
  return len < CHUNK ? found & (((uint64_t)1 << len) - 1) : found;
}

enum { SHORT_STRING = 15 }; /* bytes and the NUL are one move of 16 */

/* The bytes at p as a string; p + 16 <= limit may be read. */
static inline V short_string(vk *c, const char *p, size_t len, const char *limit) {
  if (len == 0) return EMPTY;
  if (len > SHORT_STRING || (size_t)(limit - p) < 16) return vk_string(c, p, len);
  VkString *s = vk_new(c, sizeof(VkString) + 16);
  s->hdr = VK_HDR(VK_STRING, 0, 0);
  s->len = len;
  memcpy(s->bytes, p, 16);
  s->bytes[len] = 0;
  return VK_FROM_OBJ(s);
}

/* From the end to the start, so that each pair is made when its tail is known. */
static V split_at_byte(vk *c, V s, char byte) {
  const char *bytes = VK_STR(s)->bytes, *limit = bytes + VK_STR(s)->len, *end = limit;
  V parts = VK_NIL;
  for (size_t len = VK_STR(s)->len; len > 0;) {
    size_t at = (len - 1) / CHUNK * CHUNK;
    uint64_t hits = find_all(bytes + at, len - at, byte);
    while (hits) {
      unsigned last = 63 - (unsigned)__builtin_clzll(hits);
      const char *hit = bytes + at + last;
      V part = short_string(c, hit + 1, (size_t)(end - hit - 1), limit);
      if (VK_IS_ABN(part)) return part;
      parts = vk_cons(c, part, parts);
      end = hit;
      hits ^= (uint64_t)1 << last;
    }
    len = at;
  }
  V first = vk_string(c, bytes, (size_t)(end - bytes));
  return VK_IS_ABN(first) ? first : vk_cons(c, first, parts);
}

V vk_str_split(vk *c, V s, V delimiter) {
  CHECK_STRING("str/split", 1, s);
  CHECK_STRING("str/split", 2, delimiter);
  const VkString *text = VK_STR(s), *cut = VK_STR(delimiter);
  if (cut->len == 0) return vk_errorf(c, VK_SYM(range), "str/split: the delimiter is empty");
  if (cut->len == 1) return split_at_byte(c, s, cut->bytes[0]);
  VkListBuilder parts = VK_LIST_BUILDER;
  const char *p = text->bytes, *end = p + text->len, *hit;
  do {
    hit = find_bytes(p, (size_t)(end - p), cut);
    V part = short_string(c, p, (size_t)((hit ? hit : end) - p), end);
    if (VK_IS_ABN(part)) return part;
    vk_list_add(c, &parts, part);
    if (hit) p = hit + cut->len;
  } while (hit);
  return vk_list_end(c, &parts, VK_NIL);
}

V vk_str_replace(vk *c, V s, V from, V to) {
  CHECK_STRING("str/replace", 1, s);
  CHECK_STRING("str/replace", 2, from);
  CHECK_STRING("str/replace", 3, to);
  const VkString *text = VK_STR(s), *old = VK_STR(from), *new = VK_STR(to);
  if (old->len == 0) return vk_errorf(c, VK_SYM(range), "str/replace: nothing to look for");
  const char *p = text->bytes, *end = p + text->len, *hit = find_bytes(p, text->len, old);
  if (!hit) return vk_string_apart(c, s);
  VkBuf b = {0};
  for (; hit; hit = find_bytes(p, (size_t)(end - p), old)) {
    vk_buf_put(&b, p, (size_t)(hit - p));
    vk_buf_put(&b, new->bytes, new->len);
    p = hit + old->len;
  }
  vk_buf_put(&b, p, (size_t)(end - p));
  return vk_buf_string(c, &b);
}

/* ---- from elements ----------------------------------------------------------------------- */

/* What is left of a list or vector; nothing may be stored into that meanwhile. */
typedef struct Items {
  V list; /* nil or a pair */
  V vector;
  size_t at, count; /* of a vector */
} Items;

static bool get_items(V v, Items *items) {
  *items = (Items){.list = VK_NIL, .vector = v};
  if (VK_IS_VECTOR(v))
    items->count = vk_vec_count(v);
  else
    items->list = vk_list_of(v);
  return items->list != VK_UNBOUND;
}

static inline bool next_item(vk *c, Items *items, V *v) {
  if (VK_IS_PAIR(items->list)) {
    *v = VK_HEAD(items->list);
    items->list = VK_TAIL(items->list);
    return true;
  }
  if (items->at == items->count) return false;
  *v = vk_vec_ref(c, items->vector, items->at++);
  return true;
}

/* Of element `index`, from 1 on. */
static V element_error(vk *c, const char *who, size_t index, V got, const char *expected) {
  if (VK_IS_ABN(got)) return got;
  return vk_errorf(c, VK_SYM(type), "%s: element %zu must be %s, got %s", who, index, expected,
                   vk_type_name(got));
}

/* The number of elements and the sum of their lengths, or the error. */
static V measure(vk *c, Items items, size_t *count, size_t *bytes) {
  V part;
  *count = *bytes = 0;
  while (next_item(c, &items, &part)) {
    ++*count;
    if (!VK_IS_STRING(part)) return element_error(c, "str/join", *count, part, "a string");
    *bytes += VK_STR(part)->len;
  }
  return VK_NIL;
}

/* Appends a string. Most are short: they are moved whole, with what follows them in their 16
 * bytes, if there is room before the limit; what comes next goes over the rest. */
VK_READS_BEYOND static inline char *add_string(char *out, const char *limit,
                                               const VkString *s) {
  if (s->len <= 16 && limit - out >= 16)
    memcpy(out, s->bytes, 16);
  else
    memcpy(out, s->bytes, s->len);
  return out + s->len;
}

V vk_str_join_n(vk *c, size_t n, const V *args) {
  Items items;
  V separator = n > 1 ? args[1] : EMPTY, part;
  if (!get_items(args[0], &items))
    return vk_arg_error(c, "str/join", 1, args[0], "a list or vector of strings");
  CHECK_STRING("str/join", 2, separator);
  size_t count, total, gap = VK_STR(separator)->len;
  V failure = measure(c, items, &count, &total);
  if (failure != VK_NIL) return failure;
  if (count > 1) total += gap * (count - 1);
  if (total == 0) return EMPTY;
  VkString *s = string_room(c, total);
  if (!s) return vk_out_of_memory(c, total);
  char *out = s->bytes, *limit = s->bytes + total;
  for (size_t i = 0; next_item(c, &items, &part); i++) {
    if (gap && i) out = add_string(out, limit, VK_STR(separator));
    out = add_string(out, limit, VK_STR(part));
  }
  assert(out == limit);
  return VK_FROM_OBJ(s);
}

static V byte_error(vk *c, size_t index, V got) {
  if (!VK_IS_INT(got)) return element_error(c, "str/from-bytes", index, got, "a byte");
  return vk_errorf(c, VK_SYM(range), "str/from-bytes: element %zu is no byte, 0 to 255", index);
}

static size_t item_count(const Items *items) {
  return VK_IS_PAIR(items->list) ? vk_list_length(items->list) : items->count;
}

static bool is_ascii(const char *p, size_t len) {
  uint64_t word, all = 0;
  size_t i = 0;
  for (; i + 8 <= len; i += 8) {
    memcpy(&word, p + i, 8);
    all |= word;
  }
  for (; i < len; i++) all |= (unsigned char)p[i];
  return !(all & 0x8080808080808080u);
}

/* A vector of bytes, -128 to 127, is right unless one is below 0: then the loop says which. */
V vk_str_from_bytes(vk *c, V bytes) {
  Items items;
  V byte;
  if (!get_items(bytes, &items))
    return vk_arg_error(c, "str/from-bytes", 1, bytes, "a list or vector of bytes");
  size_t len = item_count(&items);
  if (len == 0) return EMPTY;
  VkString *s = string_room(c, len);
  if (!s) return vk_out_of_memory(c, len);
  if (VK_IS_VECTOR(bytes) && VK_ELEMENTS(bytes) == VK_BYTES) {
    memcpy(s->bytes, VK_BYTE_ITEMS(VK_VEC(bytes)->store), len);
    if (is_ascii(s->bytes, len)) return VK_FROM_OBJ(s);
  }
  for (size_t i = 0; next_item(c, &items, &byte); i++) {
    if (byte > VK_FIX(255) || !VK_IS_FIX(byte)) return byte_error(c, i + 1, byte);
    s->bytes[i] = (char)VK_INT(byte);
  }
  return VK_FROM_OBJ(s);
}

/* (str/pad s width [fill]): to the width in bytes, at the end; a negative one: at the start. */
V vk_str_pad_n(vk *c, size_t n, const V *args) {
  V s = args[0], fill = n > 2 ? args[2] : VK_UNBOUND;
  int64_t width;
  CHECK_STRING("str/pad", 1, s);
  if (!get_clamped(args[1], &width))
    return vk_arg_error(c, "str/pad", 2, args[1], "an integer");
  if (n > 2) CHECK_STRING("str/pad", 3, fill);
  if (n > 2 && VK_STR(fill)->len == 0)
    return vk_errorf(c, VK_SYM(range), "str/pad: the fill is empty");
  size_t len = VK_STR(s)->len, total = (size_t)(width < 0 ? -width : width);
  if (total <= len) return vk_string_apart(c, s);
  VkString *padded = string_room(c, total);
  if (!padded) return vk_out_of_memory(c, total);
  const char *pattern = n > 2 ? VK_STR(fill)->bytes : " ";
  size_t step = n > 2 ? VK_STR(fill)->len : 1;
  char *gap = padded->bytes + (width < 0 ? 0 : len);
  memcpy(padded->bytes + (width < 0 ? total - len : 0), VK_STR(s)->bytes, len);
  for (size_t i = 0; i < total - len; i++) gap[i] = pattern[i % step];
  return VK_FROM_OBJ(padded);
}

static bool is_blank(char ch) { return ch == ' ' || (ch >= '\t' && ch <= '\r'); }

V vk_str_trim(vk *c, V s) {
  CHECK_STRING("str/trim", 1, s);
  const char *p = VK_STR(s)->bytes, *end = p + VK_STR(s)->len;
  while (p < end && is_blank(*p)) p++;
  while (p < end && is_blank(end[-1])) end--;
  if ((size_t)(end - p) == VK_STR(s)->len) return vk_string_apart(c, s);
  return vk_string(c, p, (size_t)(end - p));
}

/* A copy with the letters from..from+25 moved by `shift`. */
static V shift_case(vk *c, V s, char from, int shift) {
  size_t len = VK_STR(s)->len;
  if (len == 0) return EMPTY;
  VkString *copy = string_room(c, len);
  if (!copy) return vk_out_of_memory(c, len);
  for (size_t i = 0; i < len; i++) {
    char ch = VK_STR(s)->bytes[i];
    copy->bytes[i] = (char)(ch >= from && ch <= from + 25 ? ch + shift : ch);
  }
  return VK_FROM_OBJ(copy);
}

V vk_str_upper(vk *c, V s) {
  CHECK_STRING("str/upper", 1, s);
  return shift_case(c, s, 'a', 'A' - 'a');
}

V vk_str_lower(vk *c, V s) {
  CHECK_STRING("str/lower", 1, s);
  return shift_case(c, s, 'A', 'a' - 'A');
}

/* ---- asking ------------------------------------------------------------------------------ */

V vk_str_find3(vk *c, V s, V part, V start) {
  int64_t position;
  CHECK_STRING("str/find", 1, s);
  CHECK_STRING("str/find", 2, part);
  if (!get_clamped(start, &position))
    return vk_arg_error(c, "str/find", 3, start, "an integer");
  const VkString *text = VK_STR(s);
  if (position > (int64_t)text->len) return VK_NIL;
  size_t from = clamp(position, text->len);
  const char *hit = find_bytes(text->bytes + from, text->len - from, VK_STR(part));
  return hit ? VK_FIX(hit - text->bytes) : VK_NIL;
}

V vk_str_find2(vk *c, V s, V part) { return vk_str_find3(c, s, part, VK_FIX(0)); }
V vk_str_find_n(vk *c, size_t n, const V *args) {
  return vk_str_find3(c, args[0], args[1], n > 2 ? args[2] : VK_FIX(0));
}

V vk_str_contains(vk *c, V s, V part) {
  CHECK_STRING("str/contains?", 1, s);
  CHECK_STRING("str/contains?", 2, part);
  return VK_FIX(find_bytes(VK_STR(s)->bytes, VK_STR(s)->len, VK_STR(part)) != NULL);
}

V vk_str_starts(vk *c, V s, V part) {
  CHECK_STRING("str/starts?", 1, s);
  CHECK_STRING("str/starts?", 2, part);
  size_t len = VK_STR(part)->len;
  return VK_FIX(len <= VK_STR(s)->len && !memcmp(VK_STR(s)->bytes, VK_STR(part)->bytes, len));
}

V vk_str_ends(vk *c, V s, V part) {
  CHECK_STRING("str/ends?", 1, s);
  CHECK_STRING("str/ends?", 2, part);
  size_t len = VK_STR(part)->len, all = VK_STR(s)->len;
  return VK_FIX(len <= all && !memcmp(VK_STR(s)->bytes + all - len, VK_STR(part)->bytes, len));
}

V vk_str_byte(vk *c, V s, V i) {
  CHECK_STRING("str/byte", 1, s);
  if (!VK_IS_INT(i)) return vk_arg_error(c, "str/byte", 2, i, "an integer");
  if (VK_IS_FIX(i) && (uint64_t)VK_INT(i) < VK_STR(s)->len)
    return VK_FIX((unsigned char)VK_STR(s)->bytes[VK_INT(i)]);
  if (!VK_IS_FIX(i))
    return vk_errorf(c, VK_SYM(range), "str/byte: the position is out of range");
  return vk_errorf(c, VK_SYM(range),
                   "str/byte: position %lld is out of range, the length is %zu",
                   (long long)VK_INT(i), VK_STR(s)->len);
}
V vk_str_byte_slow(vk *c, V s, V i, const VkPos *pos) {
  V r = vk_str_byte(c, s, i);
  return VK_AT(c, r, pos);
}

V vk_str_bytes(vk *c, V s) {
  CHECK_STRING("str/bytes", 1, s);
  V list = VK_NIL;
  for (size_t i = VK_STR(s)->len; i > 0; i--)
    list = vk_cons(c, VK_FIX((unsigned char)VK_STR(s)->bytes[i - 1]), list);
  return list;
}

V vk_str_chars(vk *c, V s) {
  CHECK_STRING("str/chars", 1, s);
  VkListBuilder chars = VK_LIST_BUILDER;
  size_t all = VK_STR(s)->len, len;
  for (size_t at = 0; at < all; at += len) {
    len = vk_utf8_length(VK_STR(s)->bytes + at, all - at);
    vk_list_add(c, &chars, vk_string(c, VK_STR(s)->bytes + at, len));
  }
  return vk_list_end(c, &chars, VK_NIL);
}

V vk_str_len_chars(vk *c, V s) {
  CHECK_STRING("str/len-chars", 1, s);
  const char *p = VK_STR(s)->bytes, *end = p + VK_STR(s)->len;
  int64_t count = 0;
  for (; p < end; p += vk_utf8_length(p, (size_t)(end - p))) count++;
  return VK_FIX(count);
}
