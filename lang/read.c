/* read.c - text to data with spans (LANGUAGE.md 1).
 *
 * in:    any bytes
 * out:   the top-level data that were read without a structural error
 * keeps: a datum's span lies within that of the datum around it; maps have an even count,
 *        unless a `,@` element stands among them; depth is at most READ_DEPTH_MAX
 * cost:  linear; each structural error re-reads at most the rest of the text
 *
 * There is no recursion: open brackets and prefixes are frames on a stack of our own, the data
 * read so far inside them lie on a second one.
 *
 * Recovery. Wrong characters and escapes are reported and read over. After a bracket that does
 * not fit, reading goes on at the next bracket in column 1. If the form that went wrong has
 * itself such a bracket inside (a *suspect*: people write `(` in column 1 for top-level forms
 * only), its closing bracket was most likely lost before that, so the error says so and reading
 * goes on there. What is read twice is reported once: errors are news only if they are detected
 * further on than any before; closing brackets without an opening one are not news up to the
 * place where the last structural error was found. */
#include "datum.h"
#include "unicode.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { STRUCTURAL_ERRORS_MAX = 20, ERRORS_MAX = 100 }; /* per source; then reading ends */

typedef enum FrameKind {
  FRAME_CALL,   /* ( */
  FRAME_QUOTED, /* { */
  FRAME_VECTOR, /* [ */
  FRAME_MAP,    /* #{ */
  FRAME_TICK,   /* ' */
  FRAME_QUASI,  /* ` */
  FRAME_UNQUOTE,
  FRAME_SPLICE,
  FRAME_DROP, /* #; */
} FrameKind;

/* clang-format off */
static const struct {
  const char *opening;
  unsigned len;
  char closing; /* 0: a prefix of one datum */
  const char *symbol;
} frame_table[] = {
    [FRAME_CALL] = {"(", 1, ')', NULL},
    [FRAME_QUOTED] = {"{", 1, '}', NULL},
    [FRAME_VECTOR] = {"[", 1, ']', NULL},
    [FRAME_MAP] = {"#{", 2, '}', NULL},
    [FRAME_TICK] = {"'", 1, 0, NULL},
    [FRAME_QUASI] = {"`", 1, 0, "quasiquote"},
    [FRAME_UNQUOTE] = {",", 1, 0, "unquote"},
    [FRAME_SPLICE] = {",@", 2, 0, "unquote-splicing"},
    [FRAME_DROP] = {"#;", 2, 0, NULL},
};
/* clang-format on */

typedef struct Frame {
  FrameKind kind;
  uint32_t start;
  size_t first; /* brackets: where its items begin in pending */
} Frame;

enum { NOWHERE = UINT32_MAX };

typedef struct Reader {
  Arena *arena;
  Arena tmp; /* the stacks */
  Names *names;
  Diag *diag;
  uint32_t file;
  const char *text;
  size_t len, pos;
  VEC(Frame) frames;
  DatumVec pending;
  size_t form_start;    /* the top-level form being read */
  uint32_t suspect;     /* first bracket in column 1 inside it, or NOWHERE */
  size_t suspect_frame; /* the innermost frame around the suspect */
  uint32_t long_string; /* first string of several lines in the form, or NOWHERE */
  const Datum *last;    /* the top-level datum before */
  size_t news_from;     /* errors detected before it were reported already */
  size_t quiet_until;   /* closing brackets too many before it are no news */
  unsigned error_count, structural_count;
  bool has_failed; /* the form cannot be completed; resume says where to go on */
  size_t resume;
  bool ended_inside; /* the first error was the end of the text */
} Reader;

/* ---- characters ---- */

enum { OTHER, BLANK, TOKEN };
/* clang-format off */
static const uint8_t classes[256] = {
    [' '] = BLANK, ['\t'] = BLANK, ['\v'] = BLANK, ['\r'] = BLANK, ['\n'] = BLANK,
    ['0' ... '9'] = TOKEN, ['a' ... 'z'] = TOKEN, ['A' ... 'Z'] = TOKEN,
    ['_'] = TOKEN, ['+'] = TOKEN, ['-'] = TOKEN, ['*'] = TOKEN, ['\\'] = TOKEN, ['/'] = TOKEN,
    ['='] = TOKEN, ['<'] = TOKEN, ['>'] = TOKEN, ['!'] = TOKEN, ['&'] = TOKEN, ['?'] = TOKEN,
    [':'] = TOKEN, ['.'] = TOKEN, ['%'] = TOKEN, ['^'] = TOKEN, ['~'] = TOKEN, ['@'] = TOKEN,
    ['|'] = TOKEN, ['$'] = TOKEN, ['#'] = TOKEN, /* a leading # is seen before this is asked */
};
/* clang-format on */

static unsigned class_at(const Reader *r, size_t pos) {
  return classes[(unsigned char)r->text[pos]];
}

/* The byte at pos, 0 at the end (a NUL in the text is no special character either). */
static char byte_at(const Reader *r, size_t pos) { return pos < r->len ? r->text[pos] : 0; }

static Span span_of(const Reader *r, size_t start, size_t end) {
  return (Span){r->file, (uint32_t)start, (uint32_t)end};
}

static bool starts_line(const Reader *r, size_t pos) {
  return pos == 0 || r->text[pos - 1] == '\n';
}

/* ---- errors ---- */

/* Whether an error detected at this offset is to be reported: nobody saw it on an earlier way
 * through the text, and there were not too many. */
static bool is_news(Reader *r, size_t detected) {
  if (detected < r->news_from || r->error_count >= ERRORS_MAX) return false;
  r->news_from = detected + 1;
  r->error_count++;
  return true;
}

/* The form cannot be completed: read on at resume, which is beyond its start. */
static void fail(Reader *r, size_t resume) {
  assert(resume > r->form_start);
  if (r->quiet_until < r->pos) r->quiet_until = r->pos;
  r->has_failed = true;
  r->resume = resume;
  r->structural_count++;
}

/* The next bracket in column 1 after pos, or the end. */
static size_t next_line_bracket(const Reader *r, size_t pos) {
  const char *end = r->text + r->len, *p = r->text + pos;
  while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
    p++;
    if (p < end && (*p == '(' || *p == '{' || *p == '[')) return (size_t)(p - r->text);
  }
  return r->len;
}

/* What people paste or cannot see, by name. */
static const char *hint_for(uint32_t code) {
  static const struct {
    uint32_t code;
    const char *hint;
  } hints[] = {
      {0, ", a NUL"},
      {0x0C, ", a form feed"},
      {0x1B, ", an escape"},
      {0xA0, ", a no-break space"},
      {0x200B, ", a zero width space"},
      {0x2013, ", a dash; did you mean `-`?"},
      {0x2014, ", a dash; did you mean `-`?"},
      {0x2018, ", a typographic quote; did you mean `'`?"},
      {0x2019, ", a typographic quote; did you mean `'`?"},
      {0x201C, ", a typographic quote; did you mean `\"`?"},
      {0x201D, ", a typographic quote; did you mean `\"`?"},
      {0x2026, "; did you mean `...`?"},
      {0x2212, ", a minus sign; did you mean `-`?"},
      {0x3000, ", an ideographic space"},
      {0xFEFF, ", a byte order mark"},
  };
  for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
    if (hints[i].code == code) return hints[i].hint;
  return "";
}

/* "`x` (U+0078)", without the character itself if it does not show. */
static const char *describe(Reader *r, size_t pos) {
  unsigned len;
  uint32_t code = utf8_decode(r->text + pos, r->text + r->len, &len);
  if (code == UTF8_BAD)
    return arena_printf(&r->tmp, "byte 0x%02X, which is not UTF-8",
                        (unsigned char)r->text[pos]);
  if (code <= 0x20 || (code >= 0x7F && code <= 0xA0) || !unicode_width(code) ||
      (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) ||
      code == 0x3000)
    return arena_printf(&r->tmp, "U+%04X%s", code, hint_for(code));
  return arena_printf(&r->tmp, "`%.*s` (U+%04X%s)", (int)len, r->text + pos, code,
                      hint_for(code));
}

/* ---- blanks and comments ---- */

/* Past a nested comment at pos; false at the end of the text. */
static bool skip_block_comment(Reader *r) {
  size_t depth = 0, p = r->pos;
  for (; p + 1 < r->len; p++) {
    if (r->text[p] == '#' && r->text[p + 1] == '|') {
      depth++;
      p++;
    } else if (r->text[p] == '|' && r->text[p + 1] == '#') {
      p++;
      if (--depth == 0) {
        r->pos = p + 1;
        return true;
      }
    }
  }
  size_t start = r->pos;
  r->pos = r->len;
  r->ended_inside |= !r->error_count;
  if (is_news(r, r->len))
    diag_error(r->diag, span_of(r, start, start + 2),
               "this block comment is not closed by `|#`");
  fail(r, r->len);
  return false;
}

static void skip_line(Reader *r) {
  const char *newline = memchr(r->text + r->pos, '\n', r->len - r->pos);
  r->pos = newline ? (size_t)(newline - r->text) : r->len;
}

/* To the next datum, bracket or prefix; false after an error. */
static bool skip_blanks(Reader *r) {
  while (r->pos < r->len) {
    char c = r->text[r->pos];
    if (classes[(unsigned char)c] == BLANK)
      r->pos++;
    else if (c == ';')
      skip_line(r);
    else if (c != '#' || byte_at(r, r->pos + 1) != '|')
      return true;
    else if (!skip_block_comment(r))
      return false;
  }
  return true;
}

/* A byte order mark, then a #! line. */
static void skip_prologue(Reader *r) {
  if (r->len >= 3 && !memcmp(r->text, "\xEF\xBB\xBF", 3)) r->pos = 3;
  if (byte_at(r, r->pos) == '#' && byte_at(r, r->pos + 1) == '!') skip_line(r);
}

/* ---- tokens ---- */

/* Reports what cannot stand in a token and is no blank, bracket or the like; a run of bytes that
 * are not UTF-8 is one error. Gives the offset after it. */
static size_t bad_character(Reader *r, size_t pos) {
  const char *end = r->text + r->len;
  unsigned len;
  uint32_t code = utf8_decode(r->text + pos, end, &len);
  size_t after = pos + len;
  while (code == UTF8_BAD && after < r->len &&
         utf8_decode(r->text + after, end, &len) == UTF8_BAD)
    after++;
  if (is_news(r, pos))
    diag_error(r->diag, span_of(r, pos, after), "unexpected character %s", describe(r, pos));
  return after;
}

/* Past the token at pos. Non-ASCII characters that are not letters are errors but stay in it. */
static size_t skip_token(Reader *r, size_t pos) {
  for (;;) {
    while (pos < r->len && class_at(r, pos) == TOKEN) pos++;
    if (pos >= r->len || !(r->text[pos] & 0x80)) return pos;
    unsigned len;
    uint32_t code = utf8_decode(r->text + pos, r->text + r->len, &len);
    pos = code != UTF8_BAD && unicode_is_letter(code) ? pos + len : bad_character(r, pos);
  }
}

static Datum *read_token(Reader *r) {
  size_t start = r->pos;
  r->pos = skip_token(r, start + 1 - (r->text[start] & 0x80 ? 1 : 0));
  const char *token = r->text + start;
  size_t len = r->pos - start;
  Span span = span_of(r, start, r->pos);
  if (*token <= '9') { /* a number starts with a digit, sign or point */
    Datum *number = read_number(r->arena, span, token, len);
    if (number) return number;
  }
  bool is_keyword = *token == ':' && len > 1;
  Datum *d = datum_new(r->arena, is_keyword ? DATUM_KEYWORD : DATUM_SYMBOL, span);
  d->text = name_of(r->names, token, len);
  d->len = len;
  return d;
}

/* ---- strings ---- */

/* The value of a hexadecimal digit, or -1. */
static int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ? (c | 32) - 'a' + 10 : -1;
}

/* \u{HEX}: p is after the u. Gives the length of the UTF-8 written, 0 if it is wrong. */
static unsigned unicode_escape(Reader *r, size_t start, size_t p, size_t *after, char out[4]) {
  uint32_t code = 0;
  size_t digits = p + 1, q = digits;
  if (byte_at(r, p) == '{')
    for (; hex_value(byte_at(r, q)) >= 0 && q < digits + 6; q++)
      code = code << 4 | (uint32_t)hex_value(r->text[q]);
  if (q == digits || byte_at(r, q) != '}') {
    *after = byte_at(r, p) == '{' ? q : p;
    if (is_news(r, start))
      diag_error(r->diag, span_of(r, start, *after),
                 "`\\u` needs one to six hexadecimal digits in braces, like `\\u{3BB}`");
    return 0;
  }
  *after = q + 1;
  if (code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF)) return utf8_encode(out, code);
  if (is_news(r, start))
    diag_error(r->diag, span_of(r, start, *after), "there is no character U+%04X", code);
  return 0;
}

/* \xHH: p is after the x. */
static unsigned byte_escape(Reader *r, size_t start, size_t p, size_t *after, char out[4]) {
  *after = p;
  while (*after < p + 2 && hex_value(byte_at(r, *after)) >= 0) ++*after;
  if (*after == p + 2) {
    out[0] = (char)(hex_value(r->text[p]) << 4 | hex_value(r->text[p + 1]));
    return 1;
  }
  if (is_news(r, start))
    diag_error(r->diag, span_of(r, start, *after), "`\\x` needs two hexadecimal digits");
  return 0;
}

static unsigned unknown_escape(Reader *r, size_t start, size_t *after) {
  unsigned len;
  utf8_decode(r->text + start + 1, r->text + r->len, &len);
  *after = start + 1 + len;
  if (!is_news(r, start)) return 0;
  Span span = span_of(r, start, *after);
  unsigned char c = (unsigned char)r->text[start + 1];
  if (c == '\n' || c == '\r')
    diag_error(r->diag, span, "unknown escape: a backslash at the end of a line");
  else if (c > 0x20 && c < 0x7F)
    diag_error(r->diag, span, "unknown escape `\\%c` in a string", c);
  else
    diag_error(r->diag, span, "unknown escape in a string: a backslash before %s",
               describe(r, start + 1));
  return 0;
}

/* The escape whose backslash is at start: writes its bytes, gives how many. */
static unsigned read_escape(Reader *r, size_t start, size_t *after, char out[4]) {
  static const char simple[256] = {
      ['a'] = '\a', ['b'] = '\b', ['f'] = '\f',  ['n'] = '\n',  ['r'] = '\r',
      ['t'] = '\t', ['v'] = '\v', ['\\'] = '\\', ['\''] = '\'', ['"'] = '"'};
  unsigned char c = (unsigned char)r->text[start + 1];
  *after = start + 2;
  out[0] = simple[c];
  if (simple[c] || c == '0') return 1;
  if (c == 'x') return byte_escape(r, start, start + 2, after, out);
  if (c == 'u') return unicode_escape(r, start, start + 2, after, out);
  return unknown_escape(r, start, after);
}

/* What follows the quote was not looked at yet, so errors there will be news. */
static void unclosed_string(Reader *r, size_t start) {
  size_t from = r->long_string == NOWHERE ? start : r->long_string;
  r->ended_inside |= !r->error_count;
  if (is_news(r, start)) {
    diag_error(r->diag, span_of(r, start, start + 1), "this string is not closed by `\"`");
    if (from != start)
      diag_note(r->diag, span_of(r, from, from + 1),
                "this string goes over several lines: is its closing `\"` missing?");
  }
  fail(r, next_line_bracket(r, from));
}

/* The string whose opening quote is at pos; NULL if it is not closed. */
static Datum *read_string(Reader *r) {
  size_t start = r->pos, body = start + 1, p = body;
  bool has_escapes = false;
  for (; p < r->len && r->text[p] != '"'; p++)
    if (r->text[p] == '\\') {
      has_escapes = true;
      p++;
    }
  if (p >= r->len) {
    unclosed_string(r, start);
    return NULL;
  }
  r->pos = p + 1;
  if (r->long_string == NOWHERE && memchr(r->text + body, '\n', p - body))
    r->long_string = (uint32_t)start;
  Datum *d = datum_new(r->arena, DATUM_STRING, span_of(r, start, r->pos));
  char *out = arena_copy(r->arena, r->text + body, p - body);
  d->text = out;
  d->len = p - body;
  if (!has_escapes) return d;
  for (size_t q = body; q < p;) {
    char bytes[4] = {r->text[q]};
    unsigned len = 1;
    size_t after = q + 1;
    if (bytes[0] == '\\') len = read_escape(r, q, &after, bytes);
    memcpy(out, bytes, len);
    out += len;
    q = after;
  }
  *out = 0;
  d->len = (size_t)(out - d->text);
  return d;
}

/* ---- brackets and prefixes ---- */

static Frame *top_frame(Reader *r) { return &r->frames.items[r->frames.count - 1]; }

static Span opening_span(const Reader *r, const Frame *f) {
  return span_of(r, f->start, f->start + frame_table[f->kind].len);
}

static bool is_prefix(const Frame *f) { return !frame_table[f->kind].closing; }

/* Opens a bracket or notes a prefix; false if it is nested too deep. */
static bool push_frame(Reader *r, FrameKind kind) {
  size_t start = r->pos;
  r->pos += frame_table[kind].len;
  if (r->frames.count >= READ_DEPTH_MAX) {
    if (is_news(r, start))
      diag_error(r->diag, span_of(r, start, r->pos), "nested deeper than %d brackets",
                 READ_DEPTH_MAX);
    fail(r, next_line_bracket(r, start));
    return false;
  }
  if (r->frames.count && r->suspect == NOWHERE && starts_line(r, start) &&
      frame_table[kind].closing) {
    r->suspect = (uint32_t)start;
    r->suspect_frame = r->frames.count - 1;
  }
  PUSH(&r->tmp, r->frames, ((Frame){kind, (uint32_t)start, r->pending.count}));
  return true;
}

static void pop_frame(Reader *r) {
  r->frames.count--;
  if (r->suspect != NOWHERE && r->suspect_frame >= r->frames.count)
    r->suspect = NOWHERE; /* what was open around it is closed: nothing was lost before it */
}

static void lonely_prefix(Reader *r, const Frame *f) {
  const char *opening = frame_table[f->kind].opening;
  if (is_news(r, r->pos))
    diag_error(r->diag, opening_span(r, f), "nothing follows this `%s`", opening);
}

static bool is_splice(const Datum *d, const char *symbol) {
  return d->kind == DATUM_LIST && !d->is_quoted && d->count == 2 &&
         d->items[0]->kind == DATUM_SYMBOL && d->items[0]->text == symbol;
}

/* Every key has a value, unless a `,@` leaves the number open. */
static void check_map(Reader *r, Datum *d, size_t detected) {
  if (d->count % 2 == 0) return;
  const char *symbol = name_c(r->names, "unquote-splicing");
  for (size_t i = 0; i < d->count; i++)
    if (is_splice(d->items[i], symbol)) return;
  if (is_news(r, detected)) {
    diag_error(r->diag, d->items[d->count - 1]->span, "this key of a map has no value");
    diag_note(r->diag, span_of(r, d->span.start, d->span.start + 2), "the map begins here");
  }
  d->count--;
}

static Datum *close_bracket(Reader *r) {
  const Frame f = *top_frame(r);
  DatumKind kind = f.kind == FRAME_VECTOR ? DATUM_VECTOR
                   : f.kind == FRAME_MAP  ? DATUM_MAP
                                          : DATUM_LIST;
  Datum *d = datum_new(r->arena, kind, span_of(r, f.start, r->pos + 1));
  d->is_quoted = f.kind == FRAME_QUOTED;
  d->count = r->pending.count - f.first;
  d->items = ARENA_ARRAY(r->arena, Datum *, d->count);
  if (d->count) memcpy(d->items, r->pending.items + f.first, d->count * sizeof(Datum *));
  r->pending.count = f.first;
  if (kind == DATUM_MAP) check_map(r, d, r->pos);
  r->pos++;
  pop_frame(r);
  return d;
}

static void stray_closing(Reader *r, char closing) {
  if (r->pos >= r->quiet_until && is_news(r, r->pos)) {
    diag_error(r->diag, span_of(r, r->pos, r->pos + 1), "unexpected `%c`: no bracket is open",
               closing);
    if (r->last && r->last->kind >= DATUM_LIST)
      diag_note(r->diag, r->last->span, "the form that begins here is complete already");
  }
  fail(r, next_line_bracket(r, r->pos));
}

static void mismatched_closing(Reader *r, char closing) {
  const Frame *f = top_frame(r);
  const char *opening = frame_table[f->kind].opening;
  if (is_news(r, r->pos)) {
    diag_error(r->diag, span_of(r, r->pos, r->pos + 1), "mismatched `%c`: expected `%c`",
               closing, frame_table[f->kind].closing);
    diag_note(r->diag, opening_span(r, f), "to close this `%s`", opening);
  }
  fail(r, r->suspect != NOWHERE ? r->suspect : next_line_bracket(r, r->pos));
}

/* A closing bracket: the datum it completes, or NULL after an error. */
static Datum *read_closing(Reader *r) {
  char closing = r->text[r->pos];
  while (r->frames.count && is_prefix(top_frame(r))) {
    lonely_prefix(r, top_frame(r));
    pop_frame(r);
  }
  if (!r->frames.count)
    stray_closing(r, closing);
  else if (frame_table[top_frame(r)->kind].closing != closing)
    mismatched_closing(r, closing);
  else
    return close_bracket(r);
  return NULL;
}

/* `x is (quasiquote x), and so on. */
static Datum *wrap(Reader *r, const Frame *f, Datum *d) {
  const char *symbol = frame_table[f->kind].symbol;
  Span span = span_of(r, f->start, d->span.end);
  size_t count = symbol ? 2 : 1;
  Datum **items = ARENA_ARRAY(r->arena, Datum *, count);
  items[count - 1] = d;
  if (symbol) items[0] = datum_symbol(r->arena, opening_span(r, f), name_c(r->names, symbol));
  Datum *list = datum_list(r->arena, span, !symbol, items, count);
  list->is_tick = !symbol;
  return list;
}

/* Applies the prefixes before a complete datum; NULL if one of them drops it. */
static Datum *apply_prefixes(Reader *r, Datum *d) {
  while (d && r->frames.count && is_prefix(top_frame(r))) {
    const Frame *f = top_frame(r);
    d = f->kind == FRAME_DROP ? NULL : wrap(r, f, d);
    pop_frame(r);
  }
  return d;
}

/* ---- forms ---- */

/* # at the start of a datum. */
static Datum *read_hash(Reader *r) {
  char next = byte_at(r, r->pos + 1);
  if (next == '{' || next == ';') {
    push_frame(r, next == '{' ? FRAME_MAP : FRAME_DROP);
    return NULL;
  }
  if (is_news(r, r->pos))
    diag_error(r->diag, span_of(r, r->pos, r->pos + 1),
               "`#` must be followed by `{`, `|` or `;`, or stand inside a name");
  return read_token(r);
}

/* One step: an atom or a bracket closed gives a datum; anything else gives NULL. */
static Datum *read_step(Reader *r) {
  switch (r->text[r->pos]) {
  case '(': push_frame(r, FRAME_CALL); return NULL;
  case '{': push_frame(r, FRAME_QUOTED); return NULL;
  case '[': push_frame(r, FRAME_VECTOR); return NULL;
  case '\'': push_frame(r, FRAME_TICK); return NULL;
  case '`': push_frame(r, FRAME_QUASI); return NULL;
  case ',':
    push_frame(r, byte_at(r, r->pos + 1) == '@' ? FRAME_SPLICE : FRAME_UNQUOTE);
    return NULL;
  case ')':
  case '}':
  case ']': return read_closing(r);
  case '"': return read_string(r);
  case '#': return read_hash(r);
  default: break;
  }
  if (class_at(r, r->pos) == TOKEN || r->text[r->pos] & 0x80) return read_token(r);
  r->pos = bad_character(r, r->pos);
  return NULL;
}

/* The error at a bracket or prefix that is still open at the end of the text. */
static void report_unclosed(Reader *r, const Frame *f) {
  const char *opening = frame_table[f->kind].opening;
  size_t form = r->frames.items[0].start;
  diag_error(r->diag, opening_span(r, f), "unclosed `%s`: no `%c` before the end of the text",
             opening, frame_table[f->kind].closing);
  if (r->suspect != NOWHERE)
    diag_note(r->diag, span_of(r, r->suspect, r->suspect + 1),
              "it is probably missing before this form, which begins in column 1");
  if (f->start != form)
    diag_note(r->diag, span_of(r, form, form + 1), "in the form that begins here");
}

/* The end of the text inside a form. What is open around the suspect is to blame, and reported
 * once, as the suspect and what follows is read again as a form of its own. */
static void unclosed_form(Reader *r) {
  size_t count = r->suspect != NOWHERE ? r->suspect_frame + 1 : r->frames.count;
  while (count > 1 && is_prefix(&r->frames.items[count - 1])) count--;
  const Frame *f = &r->frames.items[count - 1];
  r->ended_inside |= !r->error_count;
  if (is_prefix(f))
    lonely_prefix(r, f);
  else if (r->error_count++ < ERRORS_MAX)
    report_unclosed(r, f);
  r->news_from = r->len + 1;
  fail(r, r->suspect != NOWHERE ? r->suspect : r->len);
}

/* The next top-level datum; NULL at the end or, with has_failed, after a structural error. */
static Datum *read_top(Reader *r) {
  r->frames.count = r->pending.count = 0;
  r->suspect = r->long_string = NOWHERE;
  r->has_failed = false;
  r->form_start = r->pos;
  while (skip_blanks(r) && r->pos < r->len && r->error_count < ERRORS_MAX) {
    if (!r->frames.count) r->form_start = r->pos;
    Datum *d = apply_prefixes(r, read_step(r));
    if (r->has_failed) return NULL;
    if (!d) continue;
    if (!r->frames.count) {
      r->last = d;
      return d;
    }
    PUSH(&r->tmp, r->pending, d);
  }
  if (!r->has_failed && r->frames.count && r->error_count < ERRORS_MAX) unclosed_form(r);
  return NULL;
}

static Reader new_reader(Arena *a, Names *names, Diag *diag, uint32_t file, uint32_t start) {
  const Source *s = &diag->sources.items[file];
  Reader r = {.arena = a, .names = names, .diag = diag, .file = file};
  r.text = s->text;
  r.len = s->len;
  skip_prologue(&r);
  if (start > r.pos) r.pos = start;
  return r;
}

DatumVec read_source(Arena *a, Names *names, Diag *diag, uint32_t file) {
  return read_source_from(a, names, diag, file, 0);
}

DatumVec read_source_from(Arena *a, Names *names, Diag *diag, uint32_t file, uint32_t start) {
  DatumVec all = {0};
  Reader r = new_reader(a, names, diag, file, start);
  for (;;) {
    Datum *d = read_top(&r);
    if (d) {
      PUSH(a, all, d);
      continue;
    }
    if (!r.has_failed || r.structural_count >= STRUCTURAL_ERRORS_MAX) break;
    r.pos = r.resume;
    r.last = NULL;
  }
  arena_free(&r.tmp);
  return all;
}

Datum *read_one(Arena *a, Names *names, Diag *diag, uint32_t file) {
  return read_one_at(a, names, diag, file, 0);
}

Datum *read_one_at(Arena *a, Names *names, Diag *diag, uint32_t file, uint32_t start) {
  Reader r = new_reader(a, names, diag, file, start);
  Datum *d = read_top(&r);
  arena_free(&r.tmp);
  return r.error_count ? NULL : d;
}

bool read_is_incomplete(const char *text, size_t len) {
  Arena arena = {0};
  Names names = {.arena = &arena};
  Diag diag = {.arena = &arena};
  uint32_t file = diag_add_source(&diag, "", text, len);
  Reader r = new_reader(&arena, &names, &diag, file, 0);
  while (read_top(&r) && !r.error_count) continue;
  arena_free(&r.tmp);
  arena_free(&arena);
  return r.ended_inside;
}

/* ---- documentation ---- */

/* The start of the line before the one that starts at line (which is not the first). */
static const char *line_before(const char *text, const char *line) {
  for (line--; line > text && line[-1] != '\n';) line--;
  return line;
}

static const char *skip_line_blanks(const char *p, const char *end) {
  while (p < end && *p != '\n' && classes[(unsigned char)*p] == BLANK) p++;
  return p;
}

/* Appends the text of a comment line, without semicolons, one blank after them and blanks at its
 * end; gives the end of what it wrote. */
static char *append_doc_line(char *out, const char *p, const char *end) {
  while (p < end && *p == ';') p++;
  if (p < end && *p == ' ') p++;
  while (end > p && classes[(unsigned char)end[-1]] == BLANK) end--;
  memcpy(out, p, (size_t)(end - p));
  return out + (end - p);
}

const char *read_doc_above(Arena *a, Diag *diag, Span span) {
  if (span.file >= diag->sources.count) return NULL;
  const Source *s = &diag->sources.items[span.file];
  const char *text = s->text, *start = text + (span.start < s->len ? span.start : s->len);
  const char *line = start;
  while (line > text && line[-1] != '\n') line--;
  if (skip_line_blanks(line, start) != start) return NULL;
  const char *first = line;
  while (first > text) {
    const char *before = line_before(text, first), *p = skip_line_blanks(before, first);
    if (p == first || *p != ';') break;
    first = before;
  }
  if (first == line) return NULL;
  char *doc = arena_alloc(a, (size_t)(line - first) + 1), *out = doc;
  while (first < line) {
    const char *newline = memchr(first, '\n', (size_t)(line - first));
    if (out > doc) *out++ = '\n';
    out = append_doc_line(out, skip_line_blanks(first, newline), newline);
    first = newline + 1;
  }
  *out = 0;
  return out > doc ? doc : NULL;
}
