/* repl_input.c - lines from a terminal or a pipe (contract: repl_input.h).
 *
 * libedit reads characters by a function of ours, so that signals are acted upon where a read is
 * interrupted and nowhere else. A history entry of several lines is one line of the file: newlines
 * and backslashes are escaped. */
#include "repl_input.h"
#include "repl_signal.h"
#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

enum { HISTORY_ENTRIES = 2000, READ_BYTES = 1 << 16 };

struct Input {
  InputKind kind;
  InputOptions options;
  EditLine *editor;
  History *history;
  char *last;         /* entry remembered */
  char *shown_prompt; /* the same, with colours marked */
  bool is_interrupted;
  char *bytes; /* PLAIN, PIPED: read and not used yet: [start, end) */
  size_t start, end, capacity;
};

InputKind input_kind(void) {
  const char *terminal = getenv("TERM");
  if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) return INPUT_PIPED;
  return terminal && *terminal && strcmp(terminal, "dumb") != 0 ? INPUT_EDITED : INPUT_PLAIN;
}

static void *must(void *p) {
  if (p) return p;
  fputs("valkc: out of memory\n", stderr);
  exit(70);
}

/* ---- history ------------------------------------------------------------------------------- */

/* The entry as a line of the file; malloc. */
static Text escape_entry(const char *entry, size_t len) {
  Text t = {must(malloc(2 * len + 2)), 0};
  for (size_t i = 0; i < len; i++) {
    if (entry[i] == '\n' || entry[i] == '\\') t.bytes[t.len++] = '\\';
    t.bytes[t.len++] = entry[i] == '\n' ? 'n' : entry[i];
  }
  t.bytes[t.len++] = '\n';
  t.bytes[t.len] = 0;
  return t;
}

static void unescape_line(char *line) {
  char *to = line;
  for (const char *p = line; *p; p++) {
    if (*p == '\\' && p[1]) p++, *to++ = *p == 'n' ? '\n' : *p;
    else *to++ = *p;
  }
  *to = 0;
}

static void enter(Input *in, const char *entry) {
  HistEvent event;
  history(in->history, &event, H_ENTER, entry);
  free(in->last);
  in->last = must(strdup(entry));
}

static void make_directories(const char *path) {
  char *copy = must(strdup(path));
  for (char *p = copy + 1; (p = strchr(p, '/')); *p++ = '/') {
    *p = 0;
    mkdir(copy, 0700); /* most are there; what cannot be made shows when the file is opened */
  }
  free(copy);
}

/* The last entries of the file; with many more than that in it, it is written anew. */
static void load_history(Input *in) {
  Text t = in->options.history_path ? read_path(in->options.history_path) : (Text){NULL, 0};
  if (!t.bytes) return;
  size_t count = 0;
  char *from = t.bytes;
  for (char *p = t.bytes; (p = memchr(p, '\n', t.len - (size_t)(p - t.bytes))); p++) count++;
  bool is_long = count > 2 * HISTORY_ENTRIES;
  for (; count > HISTORY_ENTRIES; count--) from = strchr(from, '\n') + 1;
  if (is_long) write_path(in->options.history_path, from, t.len - (size_t)(from - t.bytes));
  for (char *end; (end = strchr(from, '\n')); from = end + 1) {
    *end = 0;
    unescape_line(from);
    if (*from) enter(in, from);
  }
  free(t.bytes);
}

static void append_history(const Input *in, const char *entry, size_t len) {
  const char *path = in->options.history_path;
  if (!path) return;
  int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, fd = open(path, flags, 0600);
  if (fd < 0 && errno == ENOENT) {
    make_directories(path);
    fd = open(path, flags, 0600);
  }
  if (fd < 0) return; /* a session without a place for it */
  Text line = escape_entry(entry, len);
  ssize_t written = write(fd, line.bytes, line.len); /* at once: sessions do not mix lines */
  (void)written;
  free(line.bytes);
  close(fd);
}

void input_remember(Input *in, const char *entry, size_t len) {
  while (len && strchr(" \t\r\n", entry[len - 1])) len--;
  if (in->kind != INPUT_EDITED || !len || memchr(entry, 0, len)) return;
  char *text = must(strndup(entry, len));
  if (!in->last || strcmp(in->last, text) != 0) {
    enter(in, text);
    append_history(in, text, len);
  }
  free(text);
}

/* ---- completion ----------------------------------------------------------------------------- */

static size_t common_length(const Completions *all) {
  size_t n = strlen(all->items[0]);
  for (size_t i = 1; i < all->count; i++) {
    size_t k = 0;
    while (k < n && all->items[i][k] == all->items[0][k]) k++;
    n = k;
  }
  while (n && (all->items[0][n] & 0xC0) == 0x80) n--; /* whole characters */
  return n;
}

static size_t terminal_columns(void) {
  struct winsize size;
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

enum { LISTED_MAX = 200 };

static void list_completions(const Completions *all) {
  size_t width = 1, shown = all->count < LISTED_MAX ? all->count : LISTED_MAX;
  for (size_t i = 0; i < shown; i++)
    if (strlen(all->items[i]) > width) width = strlen(all->items[i]);
  size_t columns = terminal_columns() / (width + 2);
  if (columns == 0) columns = 1;
  size_t rows = (shown + columns - 1) / columns;
  putchar('\n');
  for (size_t row = 0; row < rows; row++) {
    for (size_t i = row; i < shown; i += rows)
      printf("%-*s", i + rows < shown ? (int)(width + 2) : 0, all->items[i]);
    putchar('\n');
  }
  if (shown < all->count) printf("... and %zu more\n", all->count - shown);
  fflush(stdout);
}

static unsigned char complete(EditLine *el, int key) {
  (void)key;
  Input *in;
  el_get(el, EL_CLIENTDATA, &in);
  const LineInfo *line = el_line(el);
  size_t cursor = (size_t)(line->cursor - line->buffer);
  char *text = must(strndup(line->buffer, cursor));
  if (strspn(text, " \t") == cursor) { /* indentation */
    free(text);
    return el_insertstr(el, "  ") ? CC_ERROR : CC_REFRESH;
  }
  Completions all = in->options.complete(in->options.to, text, cursor);
  unsigned char result = CC_ERROR;
  if (all.count) {
    size_t typed = cursor - all.start, common = common_length(&all);
    char *more = common > typed ? must(strndup(all.items[0] + typed, common - typed)) : NULL;
    if (more && el_insertstr(el, more) == 0) result = CC_REFRESH;
    if (!more && all.count > 1) {
      list_completions(&all);
      result = CC_REDISPLAY;
    }
    free(more);
  }
  for (size_t i = 0; i < all.count; i++) free(all.items[i]);
  free(all.items);
  free(text);
  return result;
}

/* ---- the editor ------------------------------------------------------------------------------ */

static char *get_prompt(EditLine *el) {
  Input *in;
  el_get(el, EL_CLIENTDATA, &in);
  return in->shown_prompt;
}

/* Colours take no columns: libedit wants them between marks. */
enum { MARK = '\1' };
static char *mark_colours(const char *prompt) {
  char *marked = must(malloc(3 * strlen(prompt) + 1)), *to = marked;
  for (const char *p = prompt; *p;) {
    if (*p != '\033') {
      *to++ = *p++;
      continue;
    }
    *to++ = MARK;
    do *to++ = *p;
    while (*p++ != 'm' && *p);
    *to++ = MARK;
  }
  *to = 0;
  return marked;
}

/* False: reading the line ends. */
static bool handle_signals(Input *in, EditLine *el) {
  if (signals_take_interrupt()) {
    in->is_interrupted = true;
    return false;
  }
  if (signals_waiting()) {
    el_set(el, EL_PREP_TERM, 0);
    signals_act();
    el_set(el, EL_PREP_TERM, 1);
    el_set(el, EL_REFRESH);
  }
  if (signals_take_resize()) el_resize(el);
  return true;
}

/* read(2) from standard input; what runs beside the session runs meanwhile. */
static ssize_t read_input(const Input *in, void *to, size_t bytes) {
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  while (poll(&input, 1, 0) == 0 && in->options.serve(in->options.to))
    if (signals_came()) {
      errno = EINTR;
      return -1;
    }
  return read(STDIN_FILENO, to, bytes);
}

static int read_character(EditLine *el, wchar_t *out) {
  Input *in;
  el_get(el, EL_CLIENTDATA, &in);
  mbstate_t shift = {0};
  for (;;) {
    char byte;
    ssize_t n = read_input(in, &byte, 1);
    if (n == 0) return 0;
    if (n < 0 && (errno != EINTR || !handle_signals(in, el))) return -1;
    if (n < 0) continue;
    size_t used = mbrtowc(out, &byte, 1, &shift);
    if (used == (size_t)-2) continue;
    if (used == (size_t)-1) {
      *out = 0xFFFD;
      return 1;
    }
    return 1;
  }
}

static bool takes_utf8(const char *locale) {
  return setlocale(LC_CTYPE, locale) && !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static void open_editor(Input *in) {
  /* Input and output are UTF-8, as Valk text is, whatever the environment says; for other codes a
   * static glibc would load modules. */
  if (!takes_utf8("") && !takes_utf8("C.UTF-8")) setlocale(LC_CTYPE, "C");
  HistEvent event;
  in->editor = must(el_init("valkc", stdin, stdout, stderr));
  in->history = must(history_init());
  history(in->history, &event, H_SETSIZE, HISTORY_ENTRIES);
  load_history(in);
  EditLine *el = in->editor;
  el_set(el, EL_CLIENTDATA, in);
  el_set(el, EL_PROMPT_ESC, get_prompt, MARK);
  el_set(el, EL_EDITOR, "emacs");
  el_set(el, EL_HIST, history, in->history);
  el_wset(el, EL_GETCFN, read_character);
  el_set(el, EL_ADDFN, "valk-complete", "complete a name", complete);
  el_set(el, EL_BIND, "^I", "valk-complete", NULL);
  el_set(el, EL_BIND, "^R", "em-inc-search-prev", NULL);
  el_source(el, NULL); /* ~/.editrc */
}

static InputResult edit_line(Input *in, const char *prompt, Text *line) {
  in->shown_prompt = mark_colours(prompt);
  in->is_interrupted = false;
  signals_editing_begin();
  int n = 0;
  const char *text = el_gets(in->editor, &n);
  signals_editing_end();
  free(in->shown_prompt);
  in->shown_prompt = NULL;
  if (in->is_interrupted) {
    fputs("^C\n", stdout);
    fflush(stdout);
    return INPUT_INTERRUPTED;
  }
  if (!text || n <= 0) {
    putchar('\n');
    return INPUT_END;
  }
  size_t len = (size_t)n;
  if (text[len - 1] == '\n') len--;
  *line = (Text){must(strndup(text, len)), len};
  return INPUT_LINE;
}

/* ---- without an editor ------------------------------------------------------------------------ */

/* More bytes; false at the end, or after a signal. */
static bool fill(Input *in) {
  memmove(in->bytes, in->bytes + in->start, in->end - in->start);
  in->end -= in->start;
  in->start = 0;
  if (in->capacity - in->end < READ_BYTES / 2)
    in->bytes = must(realloc(in->bytes, in->capacity = 2 * in->capacity));
  for (;;) {
    ssize_t n = read_input(in, in->bytes + in->end, in->capacity - in->end);
    if (n > 0) in->end += (size_t)n;
    if (n >= 0 || errno != EINTR) return n > 0;
    signals_take_resize(); /* nobody's concern here */
    in->is_interrupted = signals_take_interrupt();
    if (in->is_interrupted) return false;
  }
}

static InputResult read_line(Input *in, const char *prompt, Text *line) {
  if (in->kind == INPUT_PLAIN) fputs(prompt, stdout);
  fflush(stdout);
  in->is_interrupted = false;
  size_t seen = 0;
  const char *newline;
  while (!(newline = memchr(in->bytes + in->start + seen, '\n', in->end - in->start - seen))) {
    seen = in->end - in->start;
    if (fill(in)) continue;
    if (in->is_interrupted) {
      in->start = in->end;
      if (in->kind == INPUT_PLAIN) putchar('\n');
      return INPUT_INTERRUPTED;
    }
    if (in->start < in->end) break; /* the last line has no newline */
    if (in->kind == INPUT_PLAIN) putchar('\n');
    return INPUT_END;
  }
  const char *from = in->bytes + in->start;
  size_t len = newline ? (size_t)(newline - from) : in->end - in->start;
  *line = (Text){must(malloc(len + 1)), len};
  memcpy(line->bytes, from, len);
  line->bytes[len] = 0;
  in->start += len + (newline != NULL);
  return INPUT_LINE;
}

/* ---- both -------------------------------------------------------------------------------------- */

Input *input_open(InputKind kind, const InputOptions *options) {
  Input *in = must(calloc(1, sizeof *in));
  in->kind = kind;
  in->options = *options;
  if (kind == INPUT_EDITED)
    open_editor(in);
  else
    in->bytes = must(malloc(in->capacity = READ_BYTES));
  return in;
}

InputResult input_line(Input *in, const char *prompt, Text *line) {
  return in->kind == INPUT_EDITED ? edit_line(in, prompt, line) : read_line(in, prompt, line);
}

void input_close(Input *in) {
  if (in->editor) el_end(in->editor);
  if (in->history) history_end(in->history);
  free(in->last);
  free(in->bytes);
  free(in);
}
