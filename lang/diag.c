/* diag.c - collects messages about the user's program and prints them with the source line.
 *
 * A message without a place prints as "error: ..."; those come last. Source lines are shown with
 * tabs expanded to multiples of 8 and anything a terminal might act on replaced, so that the
 * caret stands where it should; lines wider than WINDOW_COLUMNS are cut around it. */
#include "diag.h"
#include "unicode.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TAB_COLUMNS = 8, WINDOW_COLUMNS = 200, WINDOW_BEFORE_CARET = 100 };

/* ---- sources ---- */

uint32_t diag_add_source(Diag *d, const char *path, const char *text, size_t len) {
  if (len >= UINT32_MAX) diag_bug(d, NO_SPAN, "diag", "%s is too large", path);
  Source source = {.path = arena_copy(d->arena, path, strlen(path)), .len = len};
  source.text = text ? text : "";
  source.name = source.path;
  PUSH(d->arena, d->sources, source);
  return (uint32_t)(d->sources.count - 1);
}

/* Starts of lines in text[from, len), added to those known. */
static void add_lines(Diag *d, Source *s, size_t from) {
  for (const char *p = s->text + from; (p = memchr(p, '\n', s->len - (size_t)(p - s->text)));) {
    if (s->line_count == s->line_capacity)
      vec_grow(d->arena, (void **)&s->line_starts, &s->line_capacity, sizeof *s->line_starts);
    s->line_starts[s->line_count++] = (uint32_t)(++p - s->text);
  }
}

void diag_extend_source(Diag *d, uint32_t file, const char *text, size_t len) {
  Source *s = &d->sources.items[file];
  size_t before = s->len;
  if (len >= UINT32_MAX) diag_bug(d, NO_SPAN, "diag", "%s is too large", s->path);
  s->text = text;
  s->len = len;
  if (s->line_starts) add_lines(d, s, before);
}

/* The rest of a descriptor (a pipe has no size to ask for), or NULL with errno set. */
static char *read_all(int fd, size_t *len_out) {
  size_t len = 0, capacity = 1 << 16;
  char *text = malloc(capacity);
  while (text) {
    ssize_t got = read(fd, text + len, capacity - len);
    if (got == 0) {
      *len_out = len;
      return text;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    len += (size_t)got;
    if (len >= UINT32_MAX) {
      errno = EFBIG;
      break;
    }
    if (len == capacity) {
      char *grown = realloc(text, capacity *= 2);
      if (!grown) break;
      text = grown;
    }
  }
  free(text);
  return NULL;
}

bool diag_load_source(Diag *d, const char *path, uint32_t *file_out) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  return fd >= 0 && diag_load_descriptor(d, path, fd, file_out);
}

bool diag_load_descriptor(Diag *d, const char *path, int fd, uint32_t *file_out) {
  size_t len = 0;
  char *text = read_all(fd, &len);
  int error = errno;
  close(fd);
  errno = error;
  if (!text) return false;
  *file_out = diag_add_source(d, path, arena_copy(d->arena, text, len), len);
  free(text);
  return true;
}

static const Source *source_of(const Diag *d, Span at) {
  return at.file < d->sources.count ? &d->sources.items[at.file] : NULL;
}

static void find_lines(Diag *d, Source *s) {
  size_t count = 1;
  for (const char *p = s->text; (p = memchr(p, '\n', s->len - (size_t)(p - s->text))); p++)
    count++;
  s->line_starts = ARENA_ARRAY(d->arena, uint32_t, count);
  s->line_capacity = count;
  s->line_count = 1;
  add_lines(d, s, 0);
  assert(s->line_count == count);
}

/* Index of the line that holds a byte offset. */
static size_t line_index(Diag *d, Source *s, uint32_t offset) {
  if (!s->line_starts) find_lines(d, s);
  size_t low = 0, high = s->line_count;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (s->line_starts[middle] <= offset)
      low = middle;
    else
      high = middle;
  }
  return low;
}

static size_t clamp(size_t n, size_t limit) { return n < limit ? n : limit; }

void diag_line_col(Diag *d, Span at, uint32_t *line, uint32_t *col) {
  *line = *col = 1;
  Source *s = (Source *)source_of(d, at);
  if (!s) return;
  uint32_t start = (uint32_t)clamp(at.start, s->len);
  size_t index = line_index(d, s, start);
  const char *p = s->text + s->line_starts[index], *end = s->text + start;
  if (index == 0 && end - p >= 3 && !memcmp(p, "\xEF\xBB\xBF", 3))
    p += 3; /* a byte order mark takes no column */
  uint32_t column = 1;
  for (unsigned len; p < end; p += len, column++) utf8_decode(p, s->text + s->len, &len);
  *line = (uint32_t)index + 1;
  *col = column;
}

const char *diag_path(Diag *d, Span at) {
  const Source *s = source_of(d, at);
  return s ? s->name : "";
}

/* ---- collecting ---- */

static const char *format_message(Diag *d, const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  int len = vsnprintf(NULL, 0, format, again);
  va_end(again);
  assert(len >= 0);
  char *text = arena_alloc(d->arena, (size_t)len + 1);
  vsnprintf(text, (size_t)len + 1, format, args);
  return text;
}

static void add(Diag *d, int level, Span at, const char *message) {
  Diagnostic m = {.span = at, .message = message};
  m.level = level;
  PUSH(d->arena, d->messages, m);
}

void diag_error(Diag *d, Span at, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add(d, DIAG_ERROR, at, format_message(d, format, args));
  va_end(args);
  d->error_count++;
}

void diag_warning(Diag *d, Span at, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add(d, DIAG_WARNING, at, format_message(d, format, args));
  va_end(args);
  d->warning_count++;
}

void diag_note(Diag *d, Span at, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add(d, DIAG_NOTE, at, format_message(d, format, args));
  va_end(args);
}

/* ---- printing ---- */

typedef struct Out {
  Arena *arena;
  VEC(char) text;
  bool use_colour;
} Out;

static void put(Out *o, const char *s, size_t len) {
  for (size_t i = 0; i < len; i++) PUSH(o->arena, o->text, s[i]);
}

static void put_text(Out *o, const char *s) { put(o, s, strlen(s)); }

static void put_many(Out *o, char c, size_t count) {
  while (count--) put(o, &c, 1);
}

static void put_colour(Out *o, const char *code) {
  if (o->use_colour) put_text(o, code);
}

static const char *const level_names[] = {"error", "warning", "note"};
static const char *const level_colours[] = {"\033[1;31m", "\033[1;35m", "\033[1;36m"};
static const char bold[] = "\033[1m", plain[] = "\033[0m";

/* One code point of a source line as shown: its bytes and the columns it takes. */
typedef struct Cell {
  const char *shown;
  unsigned len, source_len;
  size_t columns;
} Cell;

static Cell cell_at(const char *p, const char *end, size_t column) {
  Cell cell = {.shown = p};
  uint32_t code = utf8_decode(p, end, &cell.source_len);
  cell.len = cell.source_len;
  if (code == '\t') {
    cell.columns = TAB_COLUMNS - column % TAB_COLUMNS;
    return cell; /* shown as spaces */
  }
  bool is_control = code < 0x20 || (code >= 0x7F && code < 0xA0) || code == UTF8_BAD ||
                    (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
  cell.columns = is_control ? 1 : unicode_width(code);
  if (is_control) {
    cell.shown = "\xEF\xBF\xBD";
    cell.len = 3;
  }
  return cell;
}

static size_t columns_between(const char *p, const char *to, const char *end) {
  size_t column = 0;
  while (p < to) {
    Cell cell = cell_at(p, end, column);
    column += cell.columns;
    p += cell.source_len;
  }
  return column;
}

/* Shows columns [from, to) of a line. */
static void put_columns(Out *o, const char *p, const char *end, size_t from, size_t to) {
  for (size_t column = 0; p < end && column < to;) {
    Cell cell = cell_at(p, end, column);
    size_t after = column + cell.columns;
    if (column < from || *p == '\t')
      put_many(o, ' ', after <= from ? 0 : clamp(after, to) - (column > from ? column : from));
    else
      put(o, cell.shown, cell.len);
    column = after;
    p += cell.source_len;
  }
}

/* The line of a span and under it the caret; of several lines, the first. */
static void put_excerpt(Out *o, Diag *d, const Diagnostic *m) {
  Source *s = &d->sources.items[m->span.file];
  size_t index = line_index(d, s, (uint32_t)clamp(m->span.start, s->len));
  const char *line = s->text + s->line_starts[index];
  const char *end = memchr(line, '\n', s->len - s->line_starts[index]);
  if (!end) end = s->text + s->len;
  if (end > line && end[-1] == '\r') end--;
  if (index == 0 && end - line >= 3 && !memcmp(line, "\xEF\xBB\xBF", 3)) line += 3;
  size_t room = (size_t)(end - s->text);
  const char *start = s->text + clamp(m->span.start, room);
  const char *stop = s->text + clamp(m->span.end, room);
  size_t caret = columns_between(line, start, end);
  size_t caret_end = columns_between(line, stop, end);
  size_t total = columns_between(line, end, end), from = 0, to = total;
  if (total > WINDOW_COLUMNS) {
    from = caret > WINDOW_BEFORE_CARET ? caret - WINDOW_BEFORE_CARET : 0;
    to = clamp(from + WINDOW_COLUMNS, total);
  }
  char gutter[32];
  int gutter_len = snprintf(gutter, sizeof gutter, "%5zu", index + 1);
  put(o, gutter, (size_t)gutter_len);
  put_text(o, total ? " | " : " |");
  put_text(o, from ? "..." : "");
  put_columns(o, line, end, from, to);
  put_text(o, to < total ? "...\n" : "\n");
  put_many(o, ' ', (size_t)gutter_len);
  put_text(o, " | ");
  put_many(o, ' ', caret - from + (from ? 3 : 0));
  put_colour(o, level_colours[m->level]);
  put_text(o, "^");
  size_t underline_end = clamp(caret_end, to);
  put_many(o, '~', underline_end > caret + 1 ? underline_end - caret - 1 : 0);
  put_colour(o, plain);
  put_text(o, "\n");
}

static void put_message(Out *o, Diag *d, const Diagnostic *m) {
  bool has_place = source_of(d, m->span) != NULL;
  put_colour(o, bold);
  if (has_place) {
    uint32_t line, column;
    diag_line_col(d, m->span, &line, &column);
    put_text(o, diag_path(d, m->span));
    char place[32];
    put(o, place, (size_t)snprintf(place, sizeof place, ":%u:%u: ", line, column));
  }
  put_colour(o, plain);
  put_colour(o, level_colours[m->level]);
  put_text(o, level_names[m->level]);
  put_text(o, ": ");
  put_colour(o, plain);
  put_colour(o, m->level == DIAG_NOTE ? "" : bold);
  put_text(o, m->message);
  put_colour(o, plain);
  put_text(o, "\n");
  if (has_place && m->level != DIAG_NOTE) put_excerpt(o, d, m);
}

/* A message and the notes after it. */
typedef struct Group {
  uint32_t file, start;
  size_t first, count;
} Group;

static int compare_groups(const void *left, const void *right) {
  const Group *a = left, *b = right;
  if (a->file != b->file) return a->file < b->file ? -1 : 1;
  if (a->start != b->start) return a->start < b->start ? -1 : 1;
  return a->first < b->first ? -1 : a->first > b->first;
}

static Group *group_messages(const Diag *d, Arena *tmp, size_t *count_out) {
  VEC(Group) groups = {0};
  for (size_t i = 0; i < d->messages.count; i++) {
    const Diagnostic *m = &d->messages.items[i];
    if (m->level == DIAG_NOTE && groups.count)
      groups.items[groups.count - 1].count++;
    else
      PUSH(tmp, groups, ((Group){m->span.file, m->span.start, i, 1}));
  }
  if (groups.count) qsort(groups.items, groups.count, sizeof(Group), compare_groups);
  *count_out = groups.count;
  return groups.items;
}

/* "... and 3 more errors", if not all were shown. */
static void put_rest(Out *o, size_t count, const char *what) {
  if (count <= DIAG_SHOWN_MAX) return;
  size_t more = count - DIAG_SHOWN_MAX;
  put_text(o,
           arena_printf(o->arena, "... and %zu more %s%s\n", more, what, more > 1 ? "s" : ""));
}

void diag_flush_to(Diag *d, FILE *to) {
  Arena tmp = {0};
  Out out = {.arena = &tmp, .use_colour = d->use_colour};
  size_t group_count, counts[3] = {0}; /* by level */
  const Group *groups = group_messages(d, &tmp, &group_count);
  for (size_t i = 0; i < group_count; i++) {
    const Diagnostic *m = &d->messages.items[groups[i].first];
    if (++counts[m->level] > DIAG_SHOWN_MAX) continue;
    for (size_t k = 0; k < groups[i].count; k++) put_message(&out, d, m + k);
  }
  put_rest(&out, counts[DIAG_ERROR], "error");
  put_rest(&out, counts[DIAG_WARNING], "warning");
  if (out.text.count) {
    fflush(stdout);
    fwrite(out.text.items, 1, out.text.count, to);
    fflush(to);
  }
  d->messages.count = 0;
  arena_free(&tmp);
}

void diag_show_place(Diag *d, Span at, FILE *to) {
  Arena tmp = {0};
  Out out = {.arena = &tmp, .use_colour = d->use_colour};
  Diagnostic m = {.level = DIAG_ERROR, .span = at};
  if (source_of(d, at)) put_excerpt(&out, d, &m);
  fwrite(out.text.items, 1, out.text.count, to);
  arena_free(&tmp);
}

void diag_flush(Diag *d) { diag_flush_to(d, stderr); }

_Noreturn void diag_bug(Diag *d, Span at, const char *pass, const char *format, ...) {
  fflush(stdout);
  if (source_of(d, at)) {
    uint32_t line, column;
    diag_line_col(d, at, &line, &column);
    fprintf(stderr, "%s:%u:%u: ", diag_path(d, at), line, column);
  }
  fprintf(stderr, "internal error in %s: ", pass);
  va_list args;
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fputs("\nThis is a bug in valkc, not in your program. Please report it.\n", stderr);
  exit(70);
}

/* ---- the nearest name ---- */

enum { NEAREST_LEN_MAX = 64 };

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

/* Edits (insert, delete, replace, swap neighbours) that turn a into b: optimal string alignment
 * after Damerau (1964), three rows of the table at a time. */
static unsigned edit_distance(const char *a, size_t a_len, const char *b, size_t b_len) {
  unsigned rows[3][NEAREST_LEN_MAX + 1];
  unsigned *before = rows[0], *last = rows[1], *row = rows[2];
  for (unsigned j = 0; j <= b_len; j++) last[j] = before[j] = j;
  for (unsigned i = 1; i <= a_len; i++) {
    row[0] = i;
    for (unsigned j = 1; j <= b_len; j++) {
      unsigned best = last[j - 1] + (a[i - 1] != b[j - 1]);
      best = least(best, least(last[j], row[j - 1]) + 1);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        best = least(best, before[j - 2] + 1);
      row[j] = best;
    }
    unsigned *oldest = before;
    before = last;
    last = row;
    row = oldest;
  }
  return last[b_len];
}

void diag_consider(DiagNearest *n, const char *candidate) {
  size_t len = strlen(n->name), other_len = strlen(candidate);
  if (len > NEAREST_LEN_MAX || other_len > NEAREST_LEN_MAX) return;
  unsigned limit = len / 3 > 1 ? (unsigned)len / 3 : 1;
  size_t gap = len > other_len ? len - other_len : other_len - len;
  if (gap > limit || len < 2) return;
  unsigned distance = edit_distance(n->name, len, candidate, other_len);
  if (distance == 0 || distance > limit || distance >= len) return;
  if (n->best && (distance > n->best_distance ||
                  (distance == n->best_distance && strcmp(candidate, n->best) >= 0)))
    return;
  n->best = candidate;
  n->best_distance = distance;
}
