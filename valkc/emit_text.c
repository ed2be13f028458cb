/* emit_text.c - C text: buffers, a small formatter, and the C names of Valk's things.
 *
 * A name keeps its letters and digits; other characters become words, so that `set-x!` is set_x_x
 * and `1+` is v_1_plus. The id appended to every name makes it unique. */
#include "emit_parts.h"
#include "represent.h"
#include "flow.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_put(Text *t, const char *bytes, size_t len) {
  if (t->capacity - t->len < len) {
    t->capacity = (t->capacity + len) * 2;
    t->bytes = realloc(t->bytes, t->capacity);
    if (!t->bytes) {
      fputs("valkc: out of memory\n", stderr);
      exit(70);
    }
  }
  if (!len) return; /* bytes may be NULL */
  memcpy(t->bytes + t->len, bytes, len);
  t->len += len;
}

void text_free(Text *t) {
  free(t->bytes);
  *t = (Text){0};
}

static void put_bytes(Emit *e, const char *bytes, size_t len) { text_put(e->out, bytes, len); }
static void put_z(Emit *e, const char *s) { put_bytes(e, s, strlen(s)); }

static void put_unsigned(Emit *e, size_t n) {
  char digits[24], *p = digits + sizeof digits;
  do *--p = (char)('0' + n % 10);
  while (n /= 10);
  put_bytes(e, p, (size_t)(digits + sizeof digits - p));
}

static void put_int(Emit *e, int n) {
  if (n < 0) put_z(e, "-");
  put_unsigned(e, n < 0 ? 0 - (size_t)n : (size_t)n);
}

/* ---- names -------------------------------------------------------------------------------- */

static bool is_name_char(unsigned char ch) {
  return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_';
}

static const char *word_of(unsigned char ch) {
  switch (ch) {
  case '-':
  case '/':
  case ':': return "_";
  case '?': return "_p";
  case '!': return "_x";
  case '*': return "_star";
  case '+': return "_plus";
  case '<': return "_lt";
  case '>': return "_gt";
  case '=': return "_eq";
  case '%': return "_pct";
  case '.': return "_dot";
  case '&': return "_and";
  case '^': return "_hat";
  case '~': return "_tilde";
  case '@': return "_at";
  case '|': return "_bar";
  case '$': return "_dollar";
  case '#': return "_hash";
  case '\\': return "_lambda";
  default: return NULL;
  }
}

void put_in_comment(Emit *e, const char *text) {
  for (; *text; text++) put_bytes(e, *text == '*' ? "." : text, 1);
}

enum { MANGLED_MAX = 48 }; /* characters of a name that are kept */

void put_mangled(Emit *e, const char *name) {
  static const char hex[] = "0123456789ABCDEF";
  for (size_t i = 0; name[i] && i < MANGLED_MAX; i++) {
    unsigned char ch = (unsigned char)name[i];
    const char *word = word_of(ch);
    if (is_name_char(ch)) put_bytes(e, &name[i], 1);
    else if (word) put_z(e, word);
    else put_bytes(e, (char[]){'x', hex[ch >> 4], hex[ch & 15]}, 3);
  }
}

/* A variable's name goes first in its C name, which must begin with a letter. */
/* Constants and functions have names of these kinds and a number of their own: str_3. */
static bool is_taken(const char *name) {
  static const char *const kinds[] = {"big", "block", "file", "float", "fn", "fun", "list", "make", "map", "pf", "pw", "sexpr",
                                      "store", "str", "sym", "vec"};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    size_t n = strlen(kinds[i]);
    if (!strncmp(name, kinds[i], n) && !is_name_char((unsigned char)name[n])) return true;
    if (!strncmp(name, kinds[i], n) && name[n] == '_') return true;
  }
  return false;
}

static void put_var_name(Emit *e, const char *name) {
  unsigned char first = (unsigned char)name[0];
  bool is_letter = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
  if (!is_letter) put_z(e, "v");
  if ((!is_letter && is_name_char(first)) || is_taken(name)) put_z(e, is_letter ? "v_" : "_");
  put_mangled(e, name);
}

void put_var(Emit *e, const LowVar *v) {
  if (v->is_temp) {
    put_z(e, "t");
    put_unsigned(e, v->id);
    return;
  }
  put_var_name(e, v->name);
  put_z(e, "_");
  put_unsigned(e, v->id);
  if (v->is_raw) put_z(e, "_in");
}

void put_fn_name(Emit *e, const LowFn *f) {
  if (f->lambda) put_mangled(e, f->name ? f->name : "anonymous");
  if (f->lambda) put_z(e, "_");
  put_unsigned(e, f->id);
}

const char *rep_type(LowRep rep) {
  return rep == REP_INT || rep == REP_WIDE ? "int64_t " : rep == REP_FLOAT ? "double " : "V ";
}

static bool is_int_rep(LowRep rep) { return rep == REP_INT || rep == REP_WIDE; }

void put_convert_begin(Emit *e, LowRep from, LowRep to) {
  if (from == to || (is_int_rep(from) && is_int_rep(to))) return;
  if (is_int_rep(from)) {
    put_z(e, to == REP_FLOAT ? "(double)(" : from == REP_INT ? "VK_FIX(" : "vk_from_int64(c, ");
    return;
  }
  if (from == REP_FLOAT) put_z(e, "vk_from_double(c, ");
  else put_z(e, to == REP_INT ? "VK_INT(" : to == REP_WIDE ? "vk_to_int64(" : "vk_double(");
}

void put_convert_end(Emit *e, LowRep from, LowRep to) {
  if (from != to && !(is_int_rep(from) && is_int_rep(to))) put_z(e, ")");
}

/* A number in C whose value is exact: decimal integers, hexadecimal floats. */
static void put_raw_const(Emit *e, const LowConst *k, LowRep rep) {
  char digits[64];
  double real = k->kind == LOW_INT ? (double)k->integer : k->real;
  if (is_int_rep(rep) && k->kind != LOW_INT) snprintf(digits, sizeof digits, "0"); /* never reached */
  else if (is_int_rep(rep)) snprintf(digits, sizeof digits, k->integer < 0 ? "(%lld)" : "%lld", (long long)k->integer);
  else if (isfinite(real)) snprintf(digits, sizeof digits, real < 0 || signbit(real) ? "(%a)" : "%a", real);
  else snprintf(digits, sizeof digits, "%s", isnan(real) ? "__builtin_nan(\"\")" : real < 0 ? "(-__builtin_inf())" : "__builtin_inf()");
  put_z(e, digits);
  if (rep == REP_FLOAT && k->kind == LOW_FLOAT && isfinite(real)) { /* hexadecimal is exact, decimal is read */
    snprintf(digits, sizeof digits, " /* %.17g */", real);
    if (real != (double)(long long)real) put_z(e, digits);
  }
}

void put_arg_as(Emit *e, LowArg a, LowRep rep) {
  bool is_number = a.kind == ARG_CONST && (a.constant->kind == LOW_INT || a.constant->kind == LOW_FLOAT);
  if (a.kind == ARG_CONST && a.constant->kind == LOW_BIG && rep == REP_WIDE) { /* 64 bits, as flow knows */
    errno = 0;
    strtoll(a.constant->text, NULL, 10);
    put(e, "(%sLL)", errno ? "0" : a.constant->text); /* beyond 64 bits: never reached */
    return;
  }
  if (a.kind == ARG_UNBOUND && rep != REP_VALUE) { /* never read so */
    put_z(e, "0");
    return;
  }
  LowRep own = a.kind == ARG_VAR ? a.var->rep : a.kind == ARG_OP ? low_op_rep(a.op) : REP_VALUE;
  if (is_number && rep != REP_VALUE) {
    put_raw_const(e, a.constant, rep);
    return;
  }
  /* a variable known to be a small integer here may be printed where a float is wanted */
  if (own == REP_VALUE && rep == REP_FLOAT && a.facts.types == T_FIX) {
    put_z(e, "(double)VK_INT(");
    put_arg_as(e, a, REP_VALUE);
    put_z(e, ")");
    return;
  }
  put_convert_begin(e, own, rep);
  switch (a.kind) {
  case ARG_CONST: put_const(e, a.constant); break;
  case ARG_VAR: put_var(e, a.var); break;
  case ARG_CAPTURE: put(e, "VK_CAP(self, %u)", a.capture); break;
  case ARG_SELF: put_z(e, "self"); break;
  case ARG_UNBOUND: put_z(e, "VK_UNBOUND"); break;
  case ARG_OP: put_fast_call(e, a.op); break;
  }
  put_convert_end(e, own, rep);
}

void put_arg(Emit *e, LowArg a) { put_arg_as(e, a, REP_VALUE); }

/* ---- literals ----------------------------------------------------------------------------- */

enum { LITERAL_LINE = 80 };

static void put_string_char(Emit *e, unsigned char ch) {
  if (ch == '"' || ch == '\\' || ch == '?') {
    put_bytes(e, (char[]){'\\', (char)ch}, 2);
  } else if (ch == '\n') {
    put_z(e, "\\n");
  } else if (ch >= ' ' && ch < 127) {
    put_bytes(e, (const char *)&ch, 1);
  } else {
    put_bytes(e, (char[]){'\\', (char)('0' + (ch >> 6)), (char)('0' + (ch >> 3 & 7)), (char)('0' + (ch & 7))}, 4);
  }
}

void put_string(Emit *e, const char *bytes, size_t len) {
  put_z(e, "\"");
  for (size_t i = 0; i < len; i++) {
    if (i && i % LITERAL_LINE == 0) put_z(e, "\"\n    \"");
    put_string_char(e, (unsigned char)bytes[i]);
  }
  put_z(e, "\"");
}

/* ---- formats ------------------------------------------------------------------------------ */

static void put_one(Emit *e, char format, va_list *ap) {
  switch (format) {
  case 's': put_z(e, va_arg(*ap, const char *)); break;
  case 'u': put_unsigned(e, va_arg(*ap, unsigned)); break;
  case 'd': put_int(e, va_arg(*ap, int)); break;
  case 'z': put_unsigned(e, va_arg(*ap, size_t)); break;
  case 'v': put_var(e, va_arg(*ap, const LowVar *)); break;
  case 'a': put_arg(e, *va_arg(*ap, const LowArg *)); break;
  case 'n': put_fn_name(e, va_arg(*ap, const LowFn *)); break;
  case 'f': {
    const LowFn *f = va_arg(*ap, const LowFn *);
    put_z(e, f->lambda ? "f_" : "top_");
    put_fn_name(e, f);
    break;
  }
  case 'k': put_const(e, va_arg(*ap, const LowConst *)); break;
  case 'p': put_place(e, *va_arg(*ap, const Span *)); break;
  case '%': put_z(e, "%"); break;
  default: diag_bug(e->p->diag, NO_SPAN, "emit", "format %%%c", format);
  }
}

static void put_format(Emit *e, const char *format, va_list *ap) {
  for (const char *p = format; *p;) {
    size_t plain = strcspn(p, "%");
    put_bytes(e, p, plain);
    p += plain;
    if (!*p) return;
    put_one(e, p[1], ap);
    p += 2;
  }
}

void put(Emit *e, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  put_format(e, format, &ap);
  va_end(ap);
}

void put_line_start(Emit *e) {
  static const char blanks[] = "                                ";
  size_t indent = e->depth * 2;
  put_bytes(e, blanks, indent < sizeof blanks ? indent : sizeof blanks - 1);
}

void put_line(Emit *e, const char *format, ...) {
  put_line_start(e);
  va_list ap;
  va_start(ap, format);
  put_format(e, format, &ap);
  va_end(ap);
  put_z(e, "\n");
}
