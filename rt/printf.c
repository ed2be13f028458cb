/* printf.c - text out: print, println, printf, str, repr.
 *
 *   conversion = "%" {flag} [width] ["." precision] letter;  flag: - + space # 0
 *   width and precision: digits, or * for an integer argument
 *   %d %i %l %ld  integer    %x %X %o  integer in base 16, 8 (negative: with a sign)
 *   %f %F %e %E %g %G  number as a double    %c  code point, or a string of one character
 *   %s  string (precision: at most so many bytes)    %v  any value as print shows it    %%
 *
 * As in C, but integers have any size and nothing is undefined: an unknown conversion, a
 * missing argument or one of the wrong type is an error, and then nothing is printed. Surplus
 * arguments are ignored. */
#include "bigint.h"
#include "fns.h"
#include "heap.h"
#include "out.h"
#include "print.h"
#include "scratch.h"
#include <stdio.h>
#include <string.h>

enum { FORMAT_WIDTH_MAX = 1000000 };

typedef struct Spec {
  bool left, plus, space, alternative, zero;
  int64_t width, precision; /* precision -1: none */
  char letter;
  const char *start;
} Spec;

typedef struct Format {
  vk *c;
  VkBuf *out;
  const char *who;
  const char *p, *end;
  const V *args; /* args[0]: the format */
  size_t count, next;
  V failure; /* VK_NIL while all is well */
} Format;

/* ---- arguments --------------------------------------------------------------------------- */

static void fail_spec(Format *f, const Spec *s, const char *what) {
  if (f->failure != VK_NIL) return;
  f->failure = vk_errorf(f->c, VK_SYM(type), "%s: %.*s %s", f->who, (int)(f->p - s->start),
                         s->start, what);
}

/* The next argument, or VK_UNBOUND after noting the error. */
static V next_argument(Format *f, const Spec *s) {
  if (f->next < f->count) return f->args[f->next++];
  if (f->failure == VK_NIL)
    f->failure = vk_errorf(f->c, VK_SYM(arity), "%s: no argument for %.*s", f->who,
                           (int)(f->p - s->start), s->start);
  return VK_UNBOUND;
}

/* The argument just taken is no `expected`: the error, or the argument if it is one. */
static void wrong_argument(Format *f, const Spec *s, V v, const char *expected) {
  if (v == VK_UNBOUND || f->failure != VK_NIL) return;
  f->failure =
      VK_IS_ABN(v)
          ? v
          : vk_errorf(f->c, VK_SYM(type), "%s: %.*s needs %s as argument %zu, not %s", f->who,
                      (int)(f->p - s->start), s->start, expected, f->next, vk_type_name(v));
}

/* ---- layout ------------------------------------------------------------------------------ */

static void put_padded(Format *f, const Spec *s, const char *text, size_t len) {
  size_t gap = s->width > (int64_t)len ? (size_t)s->width - len : 0;
  if (!s->left) vk_buf_fill(f->out, ' ', gap);
  vk_buf_put(f->out, text, len);
  if (s->left) vk_buf_fill(f->out, ' ', gap);
}

enum { SHORT_INTEGER = 72 }; /* characters that are laid out without malloc */

/* sign or prefix, then zeros, then digits, as C lays integers out. */
static void put_integer(Format *f, const Spec *s, const char *prefix, const VkBuf *digits) {
  size_t len = digits->len, prefix_len = strlen(prefix), zeros = 0;
  if (s->precision > (int64_t)len) zeros = (size_t)s->precision - len;
  bool fills = s->zero && !s->left && s->precision < 0;
  if (fills && s->width > (int64_t)(prefix_len + len))
    zeros = (size_t)s->width - prefix_len - len;
  char room[SHORT_INTEGER];
  VkBuf text = VK_BUF_ON(room);
  vk_buf_put_z(&text, prefix);
  vk_buf_fill(&text, '0', zeros);
  vk_buf_put(&text, digits->data, len);
  put_padded(f, s, text.data, text.len);
  vk_buf_free(&text);
}

/* ---- conversions ------------------------------------------------------------------------- */

static void convert_integer(Format *f, const Spec *s) {
  V v = next_argument(f, s);
  if (!VK_IS_INT(v)) {
    wrong_argument(f, s, v, "an integer");
    return;
  }
  bool is_hex = s->letter == 'x' || s->letter == 'X';
  char room[SHORT_INTEGER];
  VkBuf digits = VK_BUF_ON(room);
  big_put_radix(&digits, v, is_hex ? 16 : s->letter == 'o' ? 8 : 10);
  bool is_negative = digits.data[0] == '-';
  if (is_negative) memmove(digits.data, digits.data + 1, --digits.len);
  if (v == VK_FIX(0) && s->precision == 0) digits.len = 0;
  if (s->letter == 'X')
    for (size_t i = 0; i < digits.len; i++)
      if (digits.data[i] >= 'a') digits.data[i] -= 'a' - 'A';
  char prefix[4] = "", *p = prefix;
  if (is_negative)
    *p++ = '-';
  else if (s->plus)
    *p++ = '+';
  else if (s->space)
    *p++ = ' ';
  if (s->alternative && s->letter == 'o') *p++ = '0';
  if (s->alternative && is_hex && v != VK_FIX(0)) *p++ = '0', *p++ = s->letter;
  put_integer(f, s, prefix, &digits);
  vk_buf_free(&digits);
}

/* The bytes that it takes; all of them are there if it is less than room. */
static size_t print_float(Format *f, size_t room, const char *format, const Spec *s, double x) {
  int len =
      snprintf(f->out->data + f->out->len, room, format, (int)s->width, (int)s->precision, x);
  return len > 0 ? (size_t)len : 0;
}

enum { SHORT_FLOAT = 64 }; /* bytes that most take at most */
static void convert_float(Format *f, const Spec *s) {
  V v = next_argument(f, s);
  if (!vk_is_number(v)) {
    wrong_argument(f, s, v, "a number");
    return;
  }
  char format[16], *p = format;
  *p++ = '%';
  if (s->left) *p++ = '-';
  if (s->plus) *p++ = '+';
  if (s->space) *p++ = ' ';
  if (s->alternative) *p++ = '#';
  if (s->zero) *p++ = '0';
  *p++ = '*', *p++ = '.', *p++ = '*', *p++ = s->letter, *p = 0;
  double x = vk_num_to_double(v);
  vk_buf_grow(f->out, SHORT_FLOAT);
  size_t room = f->out->capacity - f->out->len;
  size_t len = print_float(f, room, format, s, x);
  if (len >= room) {
    vk_buf_grow(f->out, len + 1);
    print_float(f, len + 1, format, s, x);
  }
  f->out->len += len;
}

static void convert_string(Format *f, const Spec *s) {
  V v = next_argument(f, s);
  if (!VK_IS_STRING(v)) {
    wrong_argument(f, s, v, "a string");
    return;
  }
  size_t len = VK_STR(v)->len;
  if (s->precision >= 0 && (size_t)s->precision < len) len = (size_t)s->precision;
  put_padded(f, s, VK_STR(v)->bytes, len);
}

static void convert_any(Format *f, const Spec *s) {
  V v = next_argument(f, s);
  if (v == VK_UNBOUND) return;
  char room[256];
  VkBuf text = VK_BUF_ON(room);
  vk_show(&text, v, false);
  size_t len = text.len;
  if (s->precision >= 0 && (size_t)s->precision < len) len = (size_t)s->precision;
  put_padded(f, s, text.data, len);
  vk_buf_free(&text);
}

static void convert_char(Format *f, const Spec *s) {
  V v = next_argument(f, s);
  char text[4];
  if (VK_IS_STRING(v) && VK_STR(v)->len > 0 &&
      vk_utf8_length(VK_STR(v)->bytes, VK_STR(v)->len) == VK_STR(v)->len) {
    put_padded(f, s, VK_STR(v)->bytes, VK_STR(v)->len);
  } else if (VK_IS_FIX(v) && v <= VK_FIX(0x10FFFF)) {
    put_padded(f, s, text, vk_utf8_encode(text, (uint32_t)VK_INT(v)));
  } else {
    wrong_argument(f, s, v, "a code point or a string of one character");
  }
}

static void convert(Format *f, const Spec *s) {
  switch (s->letter) {
  case 'd':
  case 'i':
  case 'x':
  case 'X':
  case 'o': convert_integer(f, s); break;
  case 'f':
  case 'F':
  case 'e':
  case 'E':
  case 'g':
  case 'G': convert_float(f, s); break;
  case 's': convert_string(f, s); break;
  case 'v': convert_any(f, s); break;
  case 'c': convert_char(f, s); break;
  case '%': vk_buf_putc(f->out, '%'); break;
  default: fail_spec(f, s, "is no conversion"); break;
  }
}

/* ---- reading the format ------------------------------------------------------------------ */

static char take(Format *f) { return f->p < f->end ? *f->p++ : 0; }

static bool accept(Format *f, char ch) {
  if (f->p == f->end || *f->p != ch) return false;
  f->p++;
  return true;
}

static bool accept_flag(Format *f, Spec *s) {
  if (accept(f, '-'))
    s->left = true;
  else if (accept(f, '+'))
    s->plus = true;
  else if (accept(f, ' '))
    s->space = true;
  else if (accept(f, '#'))
    s->alternative = true;
  else if (accept(f, '0'))
    s->zero = true;
  else
    return false;
  return true;
}

/* Digits, or * and an argument. */
static int64_t take_size(Format *f, const Spec *s) {
  int64_t n = 0;
  if (accept(f, '*')) {
    V v = next_argument(f, s);
    if (VK_IS_FIX(v))
      n = VK_INT(v);
    else
      wrong_argument(f, s, v, "an integer");
  } else {
    while (f->p < f->end && *f->p >= '0' && *f->p <= '9' && n <= FORMAT_WIDTH_MAX)
      n = n * 10 + (*f->p++ - '0');
  }
  if (n >= -FORMAT_WIDTH_MAX && n <= FORMAT_WIDTH_MAX) return n;
  fail_spec(f, s, "asks for too many characters");
  return 0;
}

static void take_letter(Format *f, Spec *s) {
  if (accept(f, 'l')) {
    accept(f, 'l');
    if (!accept(f, 'd')) accept(f, 'i');
    s->letter = 'd';
  } else {
    s->letter = take(f);
  }
}

static Spec take_spec(Format *f) { /* after the % */
  Spec s = {.precision = -1, .start = f->p - 1};
  while (accept_flag(f, &s)) continue;
  s.width = take_size(f, &s);
  if (s.width < 0) s.left = true, s.width = -s.width;
  if (accept(f, '.')) s.precision = take_size(f, &s);
  if (s.precision < 0) s.precision = -1;
  take_letter(f, &s);
  return s;
}

V vk_format(vk *c, VkBuf *b, const char *who, size_t n, const V *args) {
  if (!VK_IS_STRING(args[0])) return vk_arg_error(c, who, 1, args[0], "a format string");
  const VkString *text = VK_STR(args[0]);
  Format f = {.c = c,
              .out = b,
              .who = who,
              .p = text->bytes,
              .end = text->bytes + text->len,
              .args = args,
              .count = n,
              .next = 1,
              .failure = VK_NIL};
  while (f.p < f.end && f.failure == VK_NIL) {
    const char *percent = memchr(f.p, '%', (size_t)(f.end - f.p));
    vk_buf_put(b, f.p, (size_t)((percent ? percent : f.end) - f.p));
    if (!percent) break;
    f.p = percent + 1;
    Spec s = take_spec(&f);
    if (f.failure == VK_NIL) convert(&f, &s);
  }
  if (f.failure != VK_NIL) vk_buf_free(b);
  return f.failure;
}

/* ---- primitives -------------------------------------------------------------------------- */

static V print_buffer(VkBuf *b) {
  vk_out(b->data, b->len);
  vk_buf_free(b);
  return VK_NIL;
}

enum { LINE_BYTES = 512 }; /* longer text goes to malloc memory */

V vk_print_n(vk *c, size_t n, const V *args) {
  (void)c;
  char line[LINE_BYTES];
  VkBuf b = VK_BUF_ON(line);
  for (size_t i = 0; i < n; i++) {
    if (i > 0) vk_buf_putc(&b, ' ');
    vk_show(&b, args[i], false);
  }
  vk_buf_putc(&b, '\n');
  return print_buffer(&b);
}

V vk_printf_n(vk *c, size_t n, const V *args) {
  char line[LINE_BYTES];
  VkBuf b = VK_BUF_ON(line);
  V failure = vk_format(c, &b, "printf", n, args);
  return failure == VK_NIL ? print_buffer(&b) : failure;
}

V vk_println_n(vk *c, size_t n, const V *args) {
  char line[LINE_BYTES];
  VkBuf b = VK_BUF_ON(line);
  V failure = n > 0 ? vk_format(c, &b, "println", n, args) : VK_NIL;
  if (failure != VK_NIL) return failure;
  vk_buf_putc(&b, '\n');
  return print_buffer(&b);
}

/* The decimal digits of a fixnum end at `end`; their start. */
static char *put_fix(char *end, V fix) {
  int64_t n = VK_INT(fix);
  uint64_t left = n < 0 ? -(uint64_t)n : (uint64_t)n;
  do *--end = (char)('0' + left % 10);
  while (left /= 10);
  if (n < 0) *--end = '-';
  return end;
}

enum { FIX_TEXT_MAX = 20, FEW_NUMBERS = 8 };
typedef struct Piece {
  const char *text;
  size_t len;
} Piece;

/* The usual case, without a buffer: strings, and a few fixnums, whose digits come into *numbers.
 * False: some other value is there. */
static bool get_pieces(size_t n, const V *args, Piece *pieces, char (*numbers)[FIX_TEXT_MAX]) {
  for (size_t i = 0; i < n; i++) {
    if (VK_IS_FIX(args[i])) {
      char *end = numbers[i] + FIX_TEXT_MAX, *start = put_fix(end, args[i]);
      pieces[i] = (Piece){start, (size_t)(end - start)};
    } else if (VK_IS_STRING(args[i])) {
      pieces[i] = (Piece){VK_STR(args[i])->bytes, VK_STR(args[i])->len};
    } else {
      return false;
    }
  }
  return true;
}

static V join_pieces(vk *c, size_t n, const Piece *pieces) {
  size_t total = 0;
  for (size_t i = 0; i < n; i++) total += pieces[i].len;
  if (total == 0) return vk_string(c, "", 0);
  VkString *s = vk_string_new(c, total);
  if (!s) return vk_out_of_memory(c, total);
  char *out = s->bytes;
  for (size_t i = 0; i < n; out += pieces[i].len, i++)
    memcpy(out, pieces[i].text, pieces[i].len);
  return VK_FROM_OBJ(s);
}

V vk_str_n(vk *c, size_t n, const V *args) {
  if (n == 1 && VK_IS_STRING(args[0])) return vk_string_apart(c, args[0]);
  if (n <= FEW_NUMBERS) {
    Piece pieces[FEW_NUMBERS];
    char numbers[FEW_NUMBERS][FIX_TEXT_MAX];
    if (get_pieces(n, args, pieces, numbers)) return join_pieces(c, n, pieces);
  }
  char line[LINE_BYTES];
  VkBuf b = VK_BUF_ON(line);
  for (size_t i = 0; i < n; i++) vk_show(&b, args[i], false);
  return vk_buf_string(c, &b);
}

V vk_repr(vk *c, V v) {
  char line[LINE_BYTES];
  VkBuf b = VK_BUF_ON(line);
  vk_show(&b, v, true);
  return vk_buf_string(c, &b);
}
