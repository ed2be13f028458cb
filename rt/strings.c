/* strings.c - strings and byte buffers for the runtime, and the string primitives (str/...).
 *
 * Positions are bytes, 0-based. upper, lower and trim know ASCII only. Results are new strings,
 * except where the argument itself is already the answer. */
#define _GNU_SOURCE /* memmem */
#include "strings.h"
#include "fns.h"
#include "heap.h"
#include "lists.h"
#include "out.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

/* NULL if there is no memory for it (long strings only: see vk_try_new). */
static VkString *string_room(vk *c, size_t len) {
  size_t bytes = sizeof(VkString) + len + 1;
  if (len > STRING_BYTES_MAX) return NULL;
  VkString *s = len < STRING_TRY_BYTES ? vk_new(c, bytes) : vk_try_new(c, bytes);
  if (!s) return NULL;
  s->hdr = VK_HDR(VK_STRING, 0, 0);
  s->len = len;
  s->bytes[len] = 0;
  return s;
}

VkString *vk_string_new(vk *c, size_t len) { return string_room(c, len); }

V vk_string(vk *c, const char *bytes, size_t len) {
  if (len == 0) return EMPTY;
  VkString *s = string_room(c, len);
  if (!s) return vk_out_of_memory(c, len);
  memcpy(s->bytes, bytes, len);
  return VK_FROM_OBJ(s);
}

V vk_string_z(vk *c, const char *text) { return vk_string(c, text, strlen(text)); }

int vk_string_compare(V a, V b) {
  const VkString *s = VK_STR(a), *t = VK_STR(b);
  int order = memcmp(s->bytes, t->bytes, s->len < t->len ? s->len : t->len);
  if (order != 0) return order < 0 ? -1 : 1;
  return (s->len > t->len) - (s->len < t->len);
}

/* ---- hash -------------------------------------------------------------------------------- */

uint64_t vk_hash_seed; /* the kernel puts 16 random bytes on the stack of every program */
__attribute__((constructor(201))) static void hash_seed_init(void) {
  const void *random = (const void *)getauxval(AT_RANDOM);
  if (random) memcpy(&vk_hash_seed, random, sizeof vk_hash_seed);
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

V vk_str_slice_n(vk *c, size_t n, const V *args) {
  CHECK_STRING("str/slice", 1, args[0]);
  size_t len = VK_STR(args[0])->len, from, to = len;
  int64_t position;
  if (!get_clamped(args[1], &position))
    return vk_arg_error(c, "str/slice", 2, args[1], "an integer");
  from = clamp(position, len);
  if (n > 2) {
    if (!get_clamped(args[2], &position))
      return vk_arg_error(c, "str/slice", 3, args[2], "an integer");
    to = clamp(position, len);
  }
  if (from == 0 && to == len) return args[0];
  return from < to ? vk_string(c, VK_STR(args[0])->bytes + from, to - from) : EMPTY;
}

V vk_str_split(vk *c, V s, V delimiter) {
  CHECK_STRING("str/split", 1, s);
  CHECK_STRING("str/split", 2, delimiter);
  const VkString *text = VK_STR(s), *cut = VK_STR(delimiter);
  if (cut->len == 0) return vk_errorf(c, VK_SYM(range), "str/split: the delimiter is empty");
  VkListBuilder parts = VK_LIST_BUILDER;
  const char *p = text->bytes, *end = p + text->len, *hit;
  do {
    hit = find_bytes(p, (size_t)(end - p), cut);
    V part = vk_string(c, p, (size_t)((hit ? hit : end) - p));
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
  if (!hit) return s;
  VkBuf b = {0};
  for (; hit; hit = find_bytes(p, (size_t)(end - p), old)) {
    vk_buf_put(&b, p, (size_t)(hit - p));
    vk_buf_put(&b, new->bytes, new->len);
    p = hit + old->len;
  }
  vk_buf_put(&b, p, (size_t)(end - p));
  return vk_buf_string(c, &b);
}

/* The total length of the strings in plain with sep between them, or the error. */
static V join_length(vk *c, V plain, size_t separator, size_t *total) {
  int index = 1;
  *total = 0;
  for (V p = plain; VK_IS_PAIR(p); p = VK_TAIL(p), index++) {
    V v = VK_HEAD(p);
    if (VK_IS_ABN(v)) return v;
    if (!VK_IS_STRING(v))
      return vk_errorf(c, VK_SYM(type),
                       "str/join: element %d of the list must be a string, not %s", index,
                       vk_type_name(v));
    *total += VK_STR(v)->len + (p == plain ? 0 : separator);
  }
  return VK_NIL;
}

V vk_str_join_n(vk *c, size_t n, const V *args) {
  V list = vk_list_of(args[0]), separator = n > 1 ? args[1] : EMPTY;
  if (list == VK_UNBOUND) return vk_arg_error(c, "str/join", 1, args[0], "a list of strings");
  CHECK_STRING("str/join", 2, separator);
  size_t total, gap = VK_STR(separator)->len;
  V failure = join_length(c, list, gap, &total);
  if (failure != VK_NIL) return failure;
  if (total == 0) return EMPTY;
  VkString *s = string_room(c, total);
  if (!s) return vk_out_of_memory(c, total);
  char *out = s->bytes;
  for (V p = list; VK_IS_PAIR(p); p = VK_TAIL(p)) {
    const VkString *part = VK_STR(VK_HEAD(p));
    if (p != list) memcpy(out, VK_STR(separator)->bytes, gap), out += gap;
    memcpy(out, part->bytes, part->len), out += part->len;
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
  if (total <= len) return s;
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
  if ((size_t)(end - p) == VK_STR(s)->len) return s;
  return vk_string(c, p, (size_t)(end - p));
}

/* A copy with the letters from..from+25 moved by `shift`. */
static V shift_case(vk *c, V s, char from, int shift) {
  size_t len = VK_STR(s)->len;
  if (len == 0) return s;
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

V vk_str_find_n(vk *c, size_t n, const V *args) {
  CHECK_STRING("str/find", 1, args[0]);
  CHECK_STRING("str/find", 2, args[1]);
  const VkString *text = VK_STR(args[0]);
  int64_t position = 0;
  if (n > 2 && !get_clamped(args[2], &position))
    return vk_arg_error(c, "str/find", 3, args[2], "an integer");
  if (position > (int64_t)text->len) return VK_NIL;
  size_t from = clamp(position, text->len);
  const char *hit = find_bytes(text->bytes + from, text->len - from, VK_STR(args[1]));
  return hit ? VK_FIX(hit - text->bytes) : VK_NIL;
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
