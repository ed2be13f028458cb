/* testfile.c - read what a golden test expects, and judge what happened. */
#include "testfile.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { TIMEOUT_DEFAULT_SECONDS = 20, DIFF_LINES_MAX = 12 };

/* ---- reading ------------------------------------------------------------------------------ */

/* The file NAME.suffix beside NAME.valk. */
static char *sibling(Arena *a, const TestFile *t, const char *suffix) {
  return arena_printf(a, "%.*s%s", (int)strlen(t->path) - 5, t->path, suffix);
}

static Text load_sibling(Arena *a, const TestFile *t, const char *suffix) {
  Text text = read_path(sibling(a, t, suffix));
  if (!text.bytes) return text;
  Text kept = {arena_copy(a, text.bytes, text.len), text.len};
  free(text.bytes);
  return kept;
}

/* "12:3: text", "12: text" or "12:3:"; false if it does not start so. */
static bool parse_message(ExpectedMessage *m, const char *value) {
  char *end;
  if (!isdigit((unsigned char)*value)) return false;
  m->line = (unsigned)strtoul(value, &end, 10);
  if (*end++ != ':') return false;
  m->col = isdigit((unsigned char)*end) ? (unsigned)strtoul(end, &end, 10) : 0;
  if (m->col && *end++ != ':') return false;
  m->text = end + strspn(end, " ");
  return true;
}

static void add_words(Arena *a, TestFile *t, char *value) {
  for (char *w = strtok(value, " \t"); w; w = strtok(NULL, " \t")) PUSH(a, t->args, w);
}

static void add_input_line(Arena *a, TestFile *t, const char *line) {
  t->in.bytes = arena_printf(a, "%s%s\n", t->in.bytes ? t->in.bytes : "", line);
  t->in.len = strlen(t->in.bytes);
}

static void add_skip(Arena *a, TestFile *t, char *value) {
  char *rest = value + strcspn(value, " ");
  if (*rest) *rest++ = 0;
  SkipMode skip = {value, rest};
  PUSH(a, t->skips, skip);
}

static void add_message(Arena *a, TestFile *t, bool is_warning, const char *value) {
  ExpectedMessage m = {.is_warning = is_warning};
  if (!parse_message(&m, value))
    t->malformed = arena_printf(a, "LINE:COL: TEXT, not: %s", value);
  else
    PUSH(a, t->messages, m);
}

static void add_number(Arena *a, TestFile *t, const char *value, unsigned *field) {
  char *end;
  unsigned long n = strtoul(value, &end, 10);
  if (!isdigit((unsigned char)*value) || *end)
    t->malformed = arena_printf(a, "a number, not: %s", value);
  else
    *field = (unsigned)n;
}

static void add_directive(Arena *a, TestFile *t, const char *key, char *value) {
  unsigned number = 0;
  if (!strcmp(key, "expect"))
    PUSH(a, t->lines, value);
  else if (!strcmp(key, "stderr"))
    PUSH(a, t->stderr_parts, value);
  else if (!strcmp(key, "error"))
    add_message(a, t, false, value);
  else if (!strcmp(key, "warning"))
    add_message(a, t, true, value);
  else if (!strcmp(key, "args"))
    add_words(a, t, value);
  else if (!strcmp(key, "stdin"))
    add_input_line(a, t, value);
  else if (!strcmp(key, "env"))
    PUSH(a, t->env, value);
  else if (!strcmp(key, "build"))
    t->build_options = value;
  else if (!strcmp(key, "dump"))
    t->dump_passes = value;
  else if (!strcmp(key, "skip-mode"))
    add_skip(a, t, value);
  else if (!strcmp(key, "timeout"))
    add_number(a, t, value, &t->timeout_seconds);
  else if (!strcmp(key, "exit")) {
    add_number(a, t, value, &number);
    t->exit_status = (int)number;
  }
}

static bool is_directive(const char *key, size_t len) {
  static const char *const keys[] = {"expect", "stderr", "error",     "warning",
                                     "args",   "stdin",  "env",       "build",
                                     "dump",   "exit",   "skip-mode", "timeout"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (strlen(keys[i]) == len && !strncmp(keys[i], key, len)) return true;
  return false;
}

/* The directive in a line, after any `;` in it. The value keeps its leading blanks but one. */
static void scan_line(Arena *a, TestFile *t, const char *line, size_t len) {
  const char *end = line + len;
  while (end > line && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r')) end--;
  for (const char *p = line; (p = memchr(p, ';', (size_t)(end - p)));) {
    while (p < end && (*p == ';' || *p == ' ')) p++;
    size_t n = 0;
    while (p + n < end && (islower((unsigned char)p[n]) || p[n] == '-')) n++;
    if (p + n == end || p[n] != ':' || !is_directive(p, n)) continue;
    const char *value = p + n + 1;
    if (value < end && *value == ' ') value++;
    add_directive(a, t, arena_copy(a, p, n), arena_copy(a, value, (size_t)(end - value)));
    return;
  }
}

bool testfile_load(Arena *a, TestFile *t, const char *path) {
  const char *slash = strrchr(path, '/');
  *t = (TestFile){.path = path, .timeout_seconds = TIMEOUT_DEFAULT_SECONDS};
  t->name = slash ? slash + 1 : path;
  t->dir = slash ? arena_copy(a, path, (size_t)(slash - path)) : ".";
  Text text = read_path(path);
  if (!text.bytes) return false;
  t->in = load_sibling(a, t, ".in");
  for (const char *p = text.bytes, *end = p + text.len; p < end;) {
    const char *newline = memchr(p, '\n', (size_t)(end - p));
    size_t len = (size_t)((newline ? newline : end) - p);
    scan_line(a, t, p, len);
    p += len + 1;
  }
  free(text.bytes);
  t->out = load_sibling(a, t, ".out");
  t->err = load_sibling(a, t, ".err");
  t->dump = load_sibling(a, t, ".dump");
  t->has_out = t->out.bytes != NULL;
  t->has_err = t->err.bytes != NULL;
  return true;
}

bool testfile_fails_to_compile(const TestFile *t) {
  if (t->has_err && strstr(t->err.bytes, ": error: ")) return true;
  for (size_t i = 0; i < t->messages.count; i++)
    if (!t->messages.items[i].is_warning) return true;
  return false;
}

bool testfile_only_compiles(const TestFile *t) {
  return t->dump_passes || testfile_fails_to_compile(t);
}

/* What holds for a mode does so for ARM64 too. */
const char *testfile_skip_reason(const TestFile *t, const char *mode) {
  const char *here = strncmp(mode, "arm64-", 6) == 0 ? mode + 6 : mode;
  for (size_t i = 0; i < t->skips.count; i++)
    if (!strcmp(t->skips.items[i].mode, mode) || !strcmp(t->skips.items[i].mode, here)) return t->skips.items[i].reason;
  return NULL;
}

/* ---- differences -------------------------------------------------------------------------- */

typedef VEC(const char *) Lines;

static Lines split_lines(Arena *a, Text text, bool trim) {
  Lines lines = {0};
  for (const char *p = text.bytes, *end = p + text.len; p && p < end;) {
    const char *newline = memchr(p, '\n', (size_t)(end - p));
    size_t len = (size_t)((newline ? newline : end) - p), kept = len;
    while (trim && kept > 0 && strchr(" \t\r", p[kept - 1])) kept--;
    PUSH(a, lines, arena_copy(a, p, kept));
    p += len + 1;
  }
  return lines;
}

static void print_lines(FILE *to, const char *mark, const Lines *lines, size_t from,
                        size_t end) {
  for (size_t i = from; i < end; i++) {
    if (i - from == DIFF_LINES_MAX) {
      fprintf(to, "    %s ... %zu more\n", mark, end - i);
      return;
    }
    fprintf(to, "    %s %.300s\n", mark, lines->items[i]);
  }
}

/* The lines between the common beginning and the common end; NULL if there are none. */
static const char *diff_lines(Arena *a, const char *what, Lines expected, Lines actual) {
  size_t start = 0, x = expected.count, y = actual.count;
  while (start < x && start < y && !strcmp(expected.items[start], actual.items[start])) start++;
  if (start == x && start == y) return NULL;
  while (x > start && y > start && !strcmp(expected.items[x - 1], actual.items[y - 1]))
    x--, y--;
  char *text;
  size_t len;
  FILE *to = open_memstream(&text, &len);
  fprintf(to, "  %s differs at line %zu (- expected, + got):\n", what, start + 1);
  print_lines(to, "-", &expected, start, x);
  print_lines(to, "+", &actual, start, y);
  fclose(to);
  char *report = arena_copy(a, text, len);
  free(text);
  return report;
}

static const char *show_text(Arena *a, const char *heading, Text text) {
  if (text.len == 0) return arena_printf(a, "  %s: nothing\n", heading);
  Lines lines = split_lines(a, text, false);
  char *report;
  size_t len;
  FILE *to = open_memstream(&report, &len);
  fprintf(to, "  %s:\n", heading);
  print_lines(to, "|", &lines, 0, lines.count);
  fclose(to);
  char *kept = arena_copy(a, report, len);
  free(report);
  return kept;
}

/* ---- judging ------------------------------------------------------------------------------ */

/* Is this line `path:LINE:COL: error: MESSAGE` the one expected? */
static bool message_matches(const ExpectedMessage *m, const char *line) {
  const char *mark = m->is_warning ? ": warning: " : ": error: ", *at = strstr(line, mark);
  unsigned row = 0, col = 0;
  if (!at) return false;
  const char *p = at;
  while (p > line && (isdigit((unsigned char)p[-1]) || p[-1] == ':')) p--;
  if (*p == ':') p++;
  if (sscanf(p, "%u:%u", &row, &col) < 1 || row != m->line) return false;
  return (!m->col || col == m->col) && strstr(at + strlen(mark), m->text);
}

static const char *judge_messages(Arena *a, const TestFile *t, Text messages) {
  Lines lines = split_lines(a, messages, false);
  for (size_t i = 0; i < t->messages.count; i++) {
    const ExpectedMessage *m = &t->messages.items[i];
    bool is_found = false;
    for (size_t k = 0; k < lines.count && !is_found; k++)
      is_found = message_matches(m, lines.items[k]);
    if (!is_found)
      return arena_printf(a, "  no %s %u:%u: %s\n%s", m->is_warning ? "warning" : "error",
                          m->line, m->col, m->text,
                          show_text(a, "the compiler said", messages));
  }
  return NULL;
}

const char *testfile_judge_compile(Arena *a, const TestFile *t, int status, Text messages) {
  if (t->malformed) return arena_printf(a, "  malformed comment: expected %s\n", t->malformed);
  int expected = testfile_fails_to_compile(t) ? 1 : 0;
  if (status != expected)
    return arena_printf(a, "  the compiler ended with %d, expected %d\n%s", status, expected,
                        show_text(a, "it said", messages));
  if (t->dump_passes)
    return diff_lines(a, "the dump", split_lines(a, t->dump, false),
                      split_lines(a, messages, false));
  const char *report = judge_messages(a, t, messages);
  if (report || !t->has_err) return report;
  return diff_lines(a, "messages", split_lines(a, t->err, false),
                    split_lines(a, messages, false));
}

static const char *judge_output(Arena *a, const TestFile *t, Text out) {
  if (!t->has_out) {
    Lines expected = {(void *)t->lines.items, t->lines.count, 0};
    return diff_lines(a, "stdout", expected, split_lines(a, out, true));
  }
  const char *report =
      diff_lines(a, "stdout", split_lines(a, t->out, false), split_lines(a, out, false));
  if (report || (out.len == t->out.len && !memcmp(out.bytes, t->out.bytes, out.len)))
    return report;
  return "  stdout differs from the .out file in NULs or the last newline\n";
}

static const char *judge_end(Arena *a, const TestFile *t, int wait_status, Text err) {
  if (WIFSIGNALED(wait_status))
    return arena_printf(a, "  killed by signal %d (%s)\n%s", WTERMSIG(wait_status),
                        strsignal(WTERMSIG(wait_status)), show_text(a, "stderr", err));
  if (WEXITSTATUS(wait_status) == t->exit_status) return NULL;
  return arena_printf(a, "  exit status %d, expected %d\n%s", WEXITSTATUS(wait_status),
                      t->exit_status, show_text(a, "stderr", err));
}

const char *testfile_judge_run(Arena *a, const TestFile *t, int wait_status, Text out,
                               Text err) {
  const char *ended = judge_end(a, t, wait_status, err), *printed = judge_output(a, t, out);
  if (ended || printed)
    return arena_printf(a, "%s%s", printed ? printed : "", ended ? ended : "");
  for (size_t i = 0; i < t->stderr_parts.count; i++)
    if (!strstr(err.bytes, t->stderr_parts.items[i]))
      return arena_printf(a, "  stderr lacks: %s\n%s", t->stderr_parts.items[i],
                          show_text(a, "stderr", err));
  return NULL;
}

/* ---- promoting ---------------------------------------------------------------------------- */

static bool write_sibling(const TestFile *t, const char *suffix, Text text) {
  Arena a = {0};
  bool is_written = write_path(sibling(&a, t, suffix), text.bytes, text.len);
  arena_free(&a);
  return is_written;
}

/* Copies the test's text with the values of its `; expect:` comments replaced, in order. */
static void rewrite_expectations(FILE *to, Text text, const Lines *actual) {
  static const char mark[] = "; expect:";
  size_t next = 0;
  for (const char *p = text.bytes, *end = p + text.len; p < end;) {
    const char *newline = memchr(p, '\n', (size_t)(end - p));
    size_t len = newline ? (size_t)(newline - p) + 1 : (size_t)(end - p);
    const char *at = memmem(p, len, mark, sizeof mark - 1);
    if (!at || next == actual->count)
      fwrite(p, 1, len, to);
    else {
      const char *line = actual->items[next++];
      fprintf(to, "%.*s%s%s\n", (int)(at - p) + (int)sizeof mark - 1, p, *line ? " " : "",
              line);
    }
    p += len;
  }
}

bool testfile_promote_run(const TestFile *t, Text out) {
  if (t->has_out || t->lines.count == 0) return write_sibling(t, ".out", out);
  Arena a = {0};
  Lines actual = split_lines(&a, out, true);
  Text source = read_path(t->path);
  bool is_done = source.bytes && actual.count == t->lines.count;
  if (is_done) {
    char *text;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    rewrite_expectations(to, source, &actual);
    fclose(to);
    is_done = write_path(t->path, text, len);
    free(text);
  }
  free(source.bytes);
  arena_free(&a);
  return is_done;
}

bool testfile_promote_compile(const TestFile *t, Text messages) {
  return write_sibling(t, t->dump_passes ? ".dump" : ".err", messages);
}
