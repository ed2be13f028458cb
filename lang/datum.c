/* datum.c - making, printing and comparing data. Nothing here recurses: data may be nested as
 * deep as memory allows.
 *
 * What datum_print writes reads back as an equal datum (tests/unit/read_test.c checks that by
 * property), as long as symbols have names that the reader could have given them. */
#include "datum.h"
#include "unicode.h"
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(Datum) == 32 || sizeof(void *) != 8,
               "data are the bulk of a compilation");

Datum *datum_new(Arena *a, DatumKind kind, Span span) {
  Datum *d = ARENA_NEW(a, Datum);
  d->kind = kind;
  d->span = span;
  return d;
}

Datum *datum_list(Arena *a, Span span, bool is_quoted, Datum **items, size_t count) {
  Datum *d = datum_new(a, DATUM_LIST, span);
  d->is_quoted = is_quoted;
  d->items = items;
  d->count = count;
  return d;
}

Datum *datum_symbol(Arena *a, Span span, const char *interned) {
  Datum *d = datum_new(a, DATUM_SYMBOL, span);
  d->text = interned;
  d->len = strlen(interned);
  return d;
}

/* ---- floats ---- */

/* The fewest significant digits that read back as x > 0, as digits and a decimal exponent. */
static int shortest_digits(double x, char digits[24], int *exponent_out) {
  char text[40];
  for (int precision = x < 2.3e-308 ? 1 : 15;; precision++) { /* subnormals need few digits */
    snprintf(text, sizeof text, "%.*e", precision - 1, x);
    if (precision >= 17 || strtod(text, NULL) == x) break;
  }
  int count = 0;
  const char *p = text;
  for (; *p != 'e'; p++)
    if (*p != '.') digits[count++] = *p;
  while (count > 1 && digits[count - 1] == '0') count--;
  *exponent_out = atoi(p + 1);
  return count;
}

size_t float_to_text(char out[FLOAT_TEXT_MAX], double x) {
  if (isnan(x)) return (size_t)snprintf(out, FLOAT_TEXT_MAX, "+nan.0");
  if (isinf(x)) return (size_t)snprintf(out, FLOAT_TEXT_MAX, x > 0 ? "+inf.0" : "-inf.0");
  const char *sign = signbit(x) ? "-" : "";
  if (x == 0) return (size_t)snprintf(out, FLOAT_TEXT_MAX, "%s0.0", sign);
  char digits[24];
  int exponent, count = shortest_digits(fabs(x), digits, &exponent);
  const char *zeros = "0000000000000000";
  if (exponent < -5 || exponent >= 16) {
    const char *point = count > 1 ? "." : "";
    return (size_t)snprintf(out, FLOAT_TEXT_MAX, "%s%c%s%.*se%d", sign, digits[0], point,
                            count - 1, digits + 1, exponent);
  }
  if (exponent < 0)
    return (size_t)snprintf(out, FLOAT_TEXT_MAX, "%s0.%.*s%.*s", sign, -exponent - 1, zeros,
                            count, digits);
  int whole = exponent + 1;
  if (count <= whole)
    return (size_t)snprintf(out, FLOAT_TEXT_MAX, "%s%.*s%.*s.0", sign, count, digits,
                            whole - count, zeros);
  return (size_t)snprintf(out, FLOAT_TEXT_MAX, "%s%.*s.%.*s", sign, whole, digits,
                          count - whole, digits + whole);
}

/* ---- printing ---- */

typedef struct Printer {
  void (*put)(void *to, const char *s, size_t n);
  void *to;
} Printer;

static void put(Printer *p, const char *s, size_t n) { p->put(p->to, s, n); }
static void put_c(Printer *p, const char *s) { put(p, s, strlen(s)); }

/* The escape of an ASCII byte in a string, or NULL if it stands for itself. */
static const char *escape_of(unsigned char byte, char hex[5]) {
  switch (byte) {
  case '"': return "\\\"";
  case '\\': return "\\\\";
  case '\n': return "\\n";
  case '\t': return "\\t";
  case '\r': return "\\r";
  default:
    if (byte >= 0x20 && byte != 0x7F) return NULL;
    snprintf(hex, 5, "\\x%02x", byte);
    return hex;
  }
}

/* Text that is UTF-8 stays readable; other bytes and controls are escaped. */
static void print_string(Printer *p, const char *s, size_t len) {
  const char *end = s + len, *done = s;
  put_c(p, "\"");
  while (s < end) {
    unsigned n;
    char hex[5];
    uint32_t code = utf8_decode(s, end, &n);
    const char *escape = NULL;
    if (code < 0x80) {
      escape = escape_of((unsigned char)code, hex);
    } else if (code == UTF8_BAD) {
      snprintf(hex, sizeof hex, "\\x%02x", (unsigned char)*s);
      escape = hex;
    }
    if (escape) {
      put(p, done, (size_t)(s - done));
      put_c(p, escape);
      done = s + n;
    }
    s += n;
  }
  put(p, done, (size_t)(end - done));
  put_c(p, "\"");
}

static void print_atom(Printer *p, const Datum *d) {
  char text[FLOAT_TEXT_MAX];
  switch (d->kind) {
  case DATUM_INT:
    put(p, text, (size_t)snprintf(text, sizeof text, "%" PRId64, d->integer));
    break;
  case DATUM_FLOAT: put(p, text, float_to_text(text, d->real)); break;
  case DATUM_STRING: print_string(p, d->text, d->len); break;
  case DATUM_VALUE: put_c(p, "<value>"); break;
  default: put(p, d->text, d->len); break;
  }
}

static bool has_items(const Datum *d) { return d->kind >= DATUM_LIST; }

static bool is_written_with_tick(const Datum *d) { return d->is_tick && d->count == 1; }

static const char *opening(const Datum *d) {
  if (d->kind == DATUM_VECTOR) return "[";
  if (d->kind == DATUM_MAP) return "#{";
  return is_written_with_tick(d) ? "'" : d->is_quoted ? "{" : "(";
}

static const char *closing(const Datum *d) {
  if (d->kind == DATUM_VECTOR) return "]";
  if (d->kind == DATUM_MAP) return "}";
  return is_written_with_tick(d) ? "" : d->is_quoted ? "}" : ")";
}

typedef struct PrintFrame {
  const Datum *datum;
  size_t next;
} PrintFrame;

void datum_print(const Datum *d, void (*put_bytes)(void *to, const char *s, size_t n),
                 void *to) {
  Printer p = {put_bytes, to};
  Arena tmp = {0};
  VEC(PrintFrame) stack = {0};
  for (;;) {
    if (has_items(d)) {
      put_c(&p, opening(d));
      PUSH(&tmp, stack, ((PrintFrame){d, 0}));
    } else {
      print_atom(&p, d);
    }
    while (stack.count) { /* close what is complete */
      const PrintFrame *top = &stack.items[stack.count - 1];
      if (top->next < top->datum->count) break;
      put_c(&p, closing(top->datum));
      stack.count--;
    }
    if (!stack.count) break;
    PrintFrame *top = &stack.items[stack.count - 1];
    if (top->next) put_c(&p, " ");
    d = top->datum->items[top->next++];
  }
  arena_free(&tmp);
}

typedef struct Text {
  Arena arena;
  VEC(char) bytes;
} Text;

static void put_to_text(void *to, const char *s, size_t n) {
  Text *text = to;
  for (size_t i = 0; i < n; i++) PUSH(&text->arena, text->bytes, s[i]);
}

char *datum_to_string(Arena *a, const Datum *d) {
  Text text = {0};
  datum_print(d, put_to_text, &text);
  char *string = arena_copy(a, text.bytes.items, text.bytes.count);
  arena_free(&text.arena);
  return string;
}

/* ---- comparing ---- */

static bool floats_equal(double x, double y) {
  if (isnan(x) || isnan(y)) return isnan(x) && isnan(y);
  return x == y && signbit(x) == signbit(y);
}

/* Everything but the items. */
static bool heads_equal(const Datum *a, const Datum *b) {
  if (a->kind != b->kind) return false;
  switch (a->kind) {
  case DATUM_INT: return a->integer == b->integer;
  case DATUM_FLOAT: return floats_equal(a->real, b->real);
  case DATUM_VALUE: return a->word == b->word;
  case DATUM_LIST:
  case DATUM_VECTOR:
  case DATUM_MAP:
    if (a->count != b->count) return false;
    return !a->count || (a->is_quoted == b->is_quoted && a->is_tick == b->is_tick);
  default: return a->len == b->len && !memcmp(a->text, b->text, a->len);
  }
}

typedef struct Pairing {
  const Datum *a, *b;
} Pairing;

bool datum_equal(const Datum *a, const Datum *b) {
  Arena tmp = {0};
  VEC(Pairing) stack = {0};
  bool is_equal = heads_equal(a, b);
  if (is_equal && has_items(a)) PUSH(&tmp, stack, ((Pairing){a, b}));
  while (is_equal && stack.count) {
    Pairing top = stack.items[--stack.count];
    for (size_t i = 0; is_equal && i < top.a->count; i++) {
      const Datum *x = top.a->items[i], *y = top.b->items[i];
      is_equal = heads_equal(x, y);
      if (is_equal && has_items(x) && x->count) PUSH(&tmp, stack, ((Pairing){x, y}));
    }
  }
  arena_free(&tmp);
  return is_equal;
}
