/* datum.h - what the reader gives: data with source spans. */
#ifndef LANG_DATUM_H
#define LANG_DATUM_H
#include "diag.h"

typedef enum DatumKind {
  DATUM_INT,     /* integer: fits int64_t */
  DATUM_BIG,     /* text: canonical decimal digits, '-' first if negative */
  DATUM_FLOAT,   /* real */
  DATUM_STRING,  /* text: bytes after escapes */
  DATUM_SYMBOL,  /* text: interned name */
  DATUM_KEYWORD, /* text: interned name with its ':' */
  DATUM_VALUE,   /* word: a value of the run time that has no text; only the evaluator makes them */
  DATUM_LIST,    /* items; quoted: {..} or 'x, else (..) */
  DATUM_VECTOR,  /* items of [..] */
  DATUM_MAP,     /* items of #{..}: key, value, key, value */
} DatumKind;

typedef struct Datum Datum;
struct Datum { /* 32 bytes */
  DatumKind kind : 8;
  bool is_quoted; /* LIST: written {..} or with a tick; an empty list is nil either way */
  bool is_tick;   /* LIST: written 'x */
  Span span;
  union {
    int64_t integer;
    double real;
    uint64_t word;
    struct {
      const char *text;
      size_t len;
    };
    struct {
      Datum **items;
      size_t count;
    };
  };
};

typedef VEC(Datum *) DatumVec;

Datum *datum_new(Arena *a, DatumKind kind, Span span);
Datum *datum_list(Arena *a, Span span, bool is_quoted, Datum **items, size_t count);
Datum *datum_symbol(Arena *a, Span span, const char *interned);
/* Appends the text of d as the reader would read it back. */
void datum_print(const Datum *d, void (*put)(void *to, const char *s, size_t n), void *to);
char *datum_to_string(Arena *a, const Datum *d);
/* The same data, written the same way: kinds, contents, flags (() and {} are the same; a NaN is
 * the same as a NaN, -0.0 is not the same as 0.0). Spans do not matter. */
bool datum_equal(const Datum *a, const Datum *b);
/* Shortest text that reads back as the same float, LANGUAGE.md 2; NUL added. */
enum { FLOAT_TEXT_MAX = 40 };
size_t float_to_text(char out[FLOAT_TEXT_MAX], double x);

/* Reads every datum of a source. Errors go to diag, reading goes on at the next top-level form
 * that starts in column 1, so that one run reports several; the data read are kept. Bracket
 * depth is limited to READ_DEPTH_MAX (an error beyond). Never crashes on any bytes. */
enum { READ_DEPTH_MAX = 10000 };
DatumVec read_source(Arena *a, Names *names, Diag *diag, uint32_t file);
/* The same of the text from a byte on. */
DatumVec read_source_from(Arena *a, Names *names, Diag *diag, uint32_t file, uint32_t start);
/* Reads the first datum of text; NULL at the end of text or after an error in diag. */
Datum *read_one(Arena *a, Names *names, Diag *diag, uint32_t file);
/* The same from a byte of the text on. */
Datum *read_one_at(Arena *a, Names *names, Diag *diag, uint32_t file, uint32_t start);
/* True if text, right so far, ends inside an open bracket, string or block comment, or after a
 * prefix that waits for its datum (the REPL reads on). */
bool read_is_incomplete(const char *text, size_t len);
/* The number a whole token stands for (LANGUAGE.md 1) as DATUM_INT, BIG or FLOAT; NULL if the
 * token is a symbol. */
Datum *read_number(Arena *a, Span span, const char *token, size_t len);
/* The `;` comment lines directly above the line where the datum at span starts, without their
 * semicolons and one blank, joined by newlines; NULL if there are none, or if something else
 * stands before the datum on its line. */
const char *read_doc_above(Arena *a, Diag *diag, Span span);
#endif
