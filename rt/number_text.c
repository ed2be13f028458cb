/* number_text.c - numbers from text, by the reader's grammar (LANGUAGE.md 1), and to text.
 *
 *   number  = [+-] (digits | "0x" hex | "0b" bits | float) | "+inf.0" | "-inf.0" | "+nan.0"
 *   float   = (digits "." [digits] | "." digits | digits) [("e" | "E") [+-] digits]
 *             with a point or an exponent
 *   digits  = a run of digits, with "_" between two digits */
#include "bigint.h"
#include "float_text.h"
#include "fns.h"
#include "print.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Scan {
  const char *p, *end;
  char *digits; /* what was read so far, without underscores */
  size_t count;
} Scan;

static bool is_digit(char ch, unsigned radix) {
  unsigned lower = (unsigned char)ch | 32;
  if (ch >= '0' && ch <= '9') return (unsigned)(ch - '0') < radix;
  return lower >= 'a' && lower <= 'z' && lower - 'a' + 10 < radix;
}

static char peek(const Scan *s) { return s->p < s->end ? *s->p : 0; }

static bool accept(Scan *s, char ch) {
  if (peek(s) != ch || s->p == s->end) return false;
  s->digits[s->count++] = *s->p++;
  return true;
}

/* A run of digits, kept; false if there is none. An underscore not between two is left. */
static bool accept_digits(Scan *s, unsigned radix) {
  size_t before = s->count;
  while (s->p < s->end) {
    bool is_gap = *s->p == '_' && s->count > before && s->p + 1 < s->end;
    if (is_gap && is_digit(s->p[1], radix)) s->p++;
    if (!is_digit(*s->p, radix)) break;
    s->digits[s->count++] = *s->p++;
  }
  return s->count > before;
}

/* What follows "0x" or "0b". */
static V scan_radix(vk *c, Scan *s, bool is_negative, unsigned radix) {
  s->p += 2;
  size_t start = s->count;
  if (!accept_digits(s, radix) || s->p < s->end) return VK_UNBOUND;
  return big_from_digits(c, is_negative, s->digits + start, s->count - start, radix);
}

static V scan_decimal(vk *c, Scan *s, bool is_negative, size_t start) {
  bool has_whole = accept_digits(s, 10);
  if (has_whole && s->p == s->end)
    return big_from_digits(c, is_negative, s->digits + start, s->count - start, 10);
  bool has_point = accept(s, '.');
  bool has_fraction = has_point && accept_digits(s, 10);
  if (!has_whole && !has_fraction) return VK_UNBOUND;
  if (peek(s) == 'e' || peek(s) == 'E') {
    accept(s, *s->p);
    if (!accept(s, '-')) accept(s, '+');
    if (!accept_digits(s, 10)) return VK_UNBOUND;
  }
  if (s->p < s->end) return VK_UNBOUND;
  s->digits[s->count] = 0;
  return vk_from_double(c, strtod(s->digits, NULL));
}

static V scan_number(vk *c, Scan *s) {
  bool is_negative = peek(s) == '-';
  if (!accept(s, '-')) accept(s, '+');
  if (s->end - s->p > 2 && s->p[0] == '0' && s->p[1] == 'x')
    return scan_radix(c, s, is_negative, 16);
  if (s->end - s->p > 2 && s->p[0] == '0' && s->p[1] == 'b')
    return scan_radix(c, s, is_negative, 2);
  return scan_decimal(c, s, is_negative, s->count);
}

/* Plain decimal digits, at most 18 (a fixnum), with a minus or not: nearly all there are. */
static bool parse_short(const char *text, size_t len, V *v) {
  const char *p = text, *end = text + len;
  bool is_negative = len > 0 && *p == '-';
  int64_t n = 0;
  p += is_negative;
  if (p == end || end - p > 18) return false;
  for (; p < end; p++) {
    unsigned digit = (unsigned char)*p - (unsigned)'0';
    if (digit > 9) return false;
    n = n * 10 + digit;
  }
  *v = VK_FIX(is_negative ? -n : n);
  return true;
}

V vk_parse_number(vk *c, const char *text, size_t len) {
  V short_number;
  if (parse_short(text, len, &short_number)) return short_number;
  if (len == 6 && !memcmp(text, "+inf.0", 6)) return vk_float_box(c, HUGE_VAL);
  if (len == 6 && !memcmp(text, "-inf.0", 6)) return vk_float_box(c, -HUGE_VAL);
  if (len == 6 && !memcmp(text, "+nan.0", 6)) return vk_float_box(c, NAN);
  char small[128];
  char *digits = len < sizeof small ? small : malloc(len + 1);
  if (!digits) return vk_errorf(c, VK_SYM(out_of_memory), "out of memory");
  Scan s = {.p = text, .end = text + len, .digits = digits};
  V v = len == 0 ? VK_UNBOUND : scan_number(c, &s);
  if (digits != small) free(digits);
  return v;
}

/* ---- primitives -------------------------------------------------------------------------- */

static VK_COLD V no_number(vk *c, const char *who, V text, const char *what) {
  VkBuf b = {0};
  size_t len = VK_STR(text)->len;
  vk_buf_putf(&b, "%s: not %s: ", who, what);
  vk_show_string(&b, VK_STR(text)->bytes, len < 100 ? len : 100);
  if (len >= 100) vk_buf_put_z(&b, "...");
  return vk_error(c, VK_SYM(syntax), vk_buf_string(c, &b), VK_NIL);
}

V vk_str_to_num(vk *c, V text) {
  if (!VK_IS_STRING(text)) return vk_arg_error(c, "str->num", 1, text, "a string");
  V v = vk_parse_number(c, VK_STR(text)->bytes, VK_STR(text)->len);
  return v == VK_UNBOUND ? no_number(c, "str->num", text, "a number") : v;
}

V vk_str_to_int(vk *c, V text) {
  if (!VK_IS_STRING(text)) return vk_arg_error(c, "str/->int", 1, text, "a string");
  V v = vk_parse_number(c, VK_STR(text)->bytes, VK_STR(text)->len);
  return VK_IS_ABN(v) || VK_IS_INT(v) ? v : no_number(c, "str/->int", text, "an integer");
}

V vk_str_to_float(vk *c, V text) {
  if (!VK_IS_STRING(text)) return vk_arg_error(c, "str/->float", 1, text, "a string");
  V v = vk_parse_number(c, VK_STR(text)->bytes, VK_STR(text)->len);
  if (VK_IS_ABN(v) || VK_IS_FLOAT(v)) return v;
  if (v == VK_UNBOUND) return no_number(c, "str/->float", text, "a number");
  return vk_from_double(c, vk_num_to_double(v));
}

V vk_num_to_str_n(vk *c, size_t n, const V *args) {
  V v = args[0], radix = n > 1 ? args[1] : VK_FIX(10);
  if (!vk_is_number(v)) return vk_arg_error(c, "num->str", 1, v, "a number");
  if (!VK_IS_INT(radix)) return vk_arg_error(c, "num->str", 2, radix, "an integer");
  if (!VK_IS_FIX(radix) || radix < VK_FIX(2) || radix > VK_FIX(36))
    return vk_errorf(c, VK_SYM(range), "num->str: the radix must be 2 to 36");
  if (VK_IS_FLOAT(v) && radix != VK_FIX(10))
    return vk_errorf(c, VK_SYM(type), "num->str: a float has no radix but 10");
  char line[64];
  VkBuf b = VK_BUF_ON(line);
  if (VK_IS_FLOAT(v))
    vk_show(&b, v, false);
  else
    big_put_radix(&b, v, (unsigned)VK_INT(radix));
  return vk_buf_string(c, &b);
}
