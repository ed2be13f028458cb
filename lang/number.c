/* number.c - the numbers of Valk's grammar (LANGUAGE.md 1).
 *
 *     integer  [+-]? ( digits | 0x hex-digits | 0b binary-digits )
 *     float    [+-]? ( digits . [digits] | . digits | digits ) [ e [+-]? digits ]
 *              with a point or an exponent; +inf.0 -inf.0 +nan.0
 *
 * Digits may have single underscores between them. A token that does not parse wholly is a
 * symbol, so nothing here is an error. */
#include "datum.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c, unsigned base) {
  if (base == 16)
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  return c >= '0' && c < '0' + (char)base;
}

static unsigned digit_value(char c) {
  return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 32) - 'a') + 10;
}

/* Past digits with single underscores between them; p itself if there is no digit. */
static const char *skip_digits(const char *p, const char *end, unsigned base) {
  if (p == end || !is_digit(*p, base)) return p;
  for (p++; p < end; p++)
    if (!is_digit(*p, base) &&
        !(*p == '_' && p + 1 < end && p[-1] != '_' && is_digit(p[1], base)))
      break;
  return p;
}

/* The decimal text of an integer of base 16 or 2: base 10^9 digits, least first. */
static char *decimal_text(Arena *a, bool is_negative, const char *p, const char *end,
                          unsigned base) {
  const uint32_t billion = 1000000000;
  Arena tmp = {0};
  size_t capacity = (size_t)(end - p) / 7 + 2, count = 0; /* 7 hex digits are below 10^9 */
  uint32_t *digits = ARENA_ARRAY(&tmp, uint32_t, capacity);
  while (p < end) {
    uint64_t carry = 0, scale = 1;
    for (; p < end && scale < 1 << 24; p++) {
      if (*p == '_') continue;
      carry = carry * base + digit_value(*p);
      scale *= base;
    }
    for (size_t i = 0; i < count; i++) {
      carry += digits[i] * scale;
      digits[i] = (uint32_t)(carry % billion);
      carry /= billion;
    }
    for (; carry; carry /= billion) digits[count++] = (uint32_t)(carry % billion);
    assert(count <= capacity);
  }
  char *text = arena_alloc(a, count * 9 + 2), *out = text;
  if (is_negative) *out++ = '-';
  out += sprintf(out, "%u", count ? digits[count - 1] : 0);
  while (count > 1) out += sprintf(out, "%09u", digits[--count - 1]);
  arena_free(&tmp);
  return text;
}

/* Decimal digits without underscores and leading zeros. */
static char *plain_digits(Arena *a, bool is_negative, const char *p, const char *end) {
  char *text = arena_alloc(a, (size_t)(end - p) + 2), *out = text;
  if (is_negative) *out++ = '-';
  while (p < end && (*p == '0' || *p == '_')) p++;
  for (; p < end; p++)
    if (*p != '_') *out++ = *p;
  return text;
}

static Datum *new_integer(Arena *a, Span span, bool is_negative, const char *p, const char *end,
                          unsigned base) {
  uint64_t magnitude = 0, limit = (uint64_t)INT64_MAX + is_negative;
  bool fits = true;
  for (const char *q = p; fits && q < end; q++)
    if (*q != '_')
      fits = !__builtin_mul_overflow(magnitude, (uint64_t)base, &magnitude) &&
             !__builtin_add_overflow(magnitude, (uint64_t)digit_value(*q), &magnitude) &&
             magnitude <= limit;
  Datum *d = datum_new(a, fits ? DATUM_INT : DATUM_BIG, span);
  if (fits) {
    d->integer = (int64_t)(is_negative ? 0 - magnitude : magnitude);
    return d;
  }
  d->text = base == 10 ? plain_digits(a, is_negative, p, end)
                       : decimal_text(a, is_negative, p, end, base);
  d->len = strlen(d->text);
  return d;
}

static Datum *new_float(Arena *a, Span span, const char *p, size_t len) {
  char small[64], *text = len < sizeof small ? small : arena_alloc(a, len + 1), *out = text;
  for (const char *end = p + len; p < end; p++)
    if (*p != '_') *out++ = *p;
  *out = 0;
  Datum *d = datum_new(a, DATUM_FLOAT, span);
  d->real = strtod(text, NULL);
  return d;
}

/* [digits] [. [digits]] [e [sign] digits] with at least one digit before the exponent, and a
 * point or an exponent: true if that is all of the text. */
static bool is_float(const char *p, const char *end) {
  const char *point = skip_digits(p, end, 10), *after = point;
  bool has_digits = point > p, has_mark = false;
  if (after < end && *after == '.') {
    const char *fraction = after + 1;
    after = skip_digits(fraction, end, 10);
    has_digits |= after > fraction;
    has_mark = true;
  }
  if (has_digits && after < end && (*after | 32) == 'e') {
    const char *exponent = after + 1;
    if (exponent < end && (*exponent == '+' || *exponent == '-')) exponent++;
    after = skip_digits(exponent, end, 10);
    if (after == exponent) return false;
    has_mark = true;
  }
  return has_digits && has_mark && after == end;
}

static Datum *special_float(Arena *a, Span span, const char *token, size_t len) {
  static const struct {
    const char *text;
    double value;
  } specials[] = {
      {"+inf.0", __builtin_inf()}, {"-inf.0", -__builtin_inf()}, {"+nan.0", __builtin_nan("")}};
  for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
    if (len != 6 || memcmp(token, specials[i].text, 6) != 0) continue;
    Datum *d = datum_new(a, DATUM_FLOAT, span);
    d->real = specials[i].value;
    return d;
  }
  return NULL;
}

Datum *read_number(Arena *a, Span span, const char *token, size_t len) {
  const char *p = token, *end = token + len;
  bool has_sign = len && (*p == '+' || *p == '-'), is_negative = has_sign && *p == '-';
  p += has_sign;
  if (p == end || !((*p >= '0' && *p <= '9') || *p == '.'))
    return has_sign ? special_float(a, span, token, len) : NULL;
  unsigned base = 10;
  if (end - p > 2 && *p == '0' && (p[1] == 'x' || p[1] == 'b')) {
    base = p[1] == 'x' ? 16 : 2;
    p += 2;
  }
  const char *after = skip_digits(p, end, base);
  if (after == end && after > p) return new_integer(a, span, is_negative, p, end, base);
  return base == 10 && is_float(p, end) ? new_float(a, span, token, len) : NULL;
}
