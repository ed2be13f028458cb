/* diag.h - source files, spans, and messages to the user about their program.
 *
 *   app.valk:12:3: error: `fold` takes 3 arguments, got 4
 *      12 |   (fold + 0 xs ys)
 *         |   ^~~~~~~~~~~~~~~~
 *   app.valk:3:1: note: `fold` is defined here
 *
 * Columns count code points from 1. Diagnostics are collected and printed in source order by
 * diag_flush; a note belongs to the error or warning before it. */
#ifndef LANG_DIAG_H
#define LANG_DIAG_H
#include "arena.h"
#include <stdio.h>

typedef struct Span { /* bytes [start, end) of sources.items[file] */
  uint32_t file, start, end;
} Span;
#define NO_FILE UINT32_MAX
#define NO_SPAN ((Span){NO_FILE, 0, 0}) /* made by the compiler; prints no location */

typedef struct Source {
  const char *path;
  const char *name; /* as shown to the user, and in programs: the path, or std/FILE wherever std is */
  const char *text; /* NUL after it; may contain NULs */
  size_t len;
  uint32_t *line_starts; /* made on demand */
  size_t line_count, line_capacity;
  bool is_library; /* std: internal names are visible, warnings are bugs */
} Source;

typedef struct Diagnostic {
  enum { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE } level;
  Span span;
  const char *message;
} Diagnostic;

typedef struct Diag {
  Arena *arena;
  VEC(Source) sources;
  VEC(Diagnostic) messages;
  size_t error_count, warning_count;
  bool use_colour; /* set by the driver when stderr is a terminal */
} Diag;

/* path is copied, text is not: it must live as long as d. */
uint32_t diag_add_source(Diag *d, const char *path, const char *text, size_t len);
/* The text has grown: `text`, of len bytes, begins with what it was, and takes its place. */
void diag_extend_source(Diag *d, uint32_t file, const char *text, size_t len);
/* Reads a whole file; false with errno set if it cannot be read. */
bool diag_load_source(Diag *d, const char *path, uint32_t *file_out);
/* The same of an open file or pipe, which is closed. */
bool diag_load_descriptor(Diag *d, const char *path, int fd, uint32_t *file_out);
void diag_error(Diag *d, Span at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void diag_warning(Diag *d, Span at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void diag_note(Diag *d, Span at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Prints to stderr in source order (stable) and forgets the messages, not their counts. At most
 * DIAG_SHOWN_MAX errors and as many warnings are shown, then how many more there were. */
enum { DIAG_SHOWN_MAX = 50 };
void diag_flush(Diag *d);
void diag_flush_to(Diag *d, FILE *to);
/* The line where a span begins, and the caret under it, as messages have them. */
void diag_show_place(Diag *d, Span at, FILE *to);
void diag_line_col(Diag *d, Span at, uint32_t *line, uint32_t *col); /* 1-based */
const char *diag_path(Diag *d, Span at);
/* The candidate nearest to name by edit distance, or NULL if none is near: start with {.name = n},
 * consider each candidate, read best. Near: at most max(1, length / 3) edits, fewer than length;
 * of equally near ones the first in strcmp's order, whatever order they come in. */
typedef struct DiagNearest {
  const char *name, *best;
  unsigned best_distance;
} DiagNearest;
void diag_consider(DiagNearest *n, const char *candidate);

/* A bug of ours: names the pass and the span, exit 70. Never for mistakes of the user. */
_Noreturn void diag_bug(Diag *d, Span at, const char *pass, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
#endif
