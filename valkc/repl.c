/* repl.c - the session of `valkc repl`: entries to values.
 *
 * The engine is the evaluator (docs/internals/repl.md says why): a form is expanded, resolved and
 * translated by itself, in the open world, where every global is a cell; so a function defined anew is
 * the one that old callers call. A form costs tens of microseconds, however many came before it, and
 * its code goes when nothing refers to it any more. */
#include "repl.h"
#include "repl_session.h"
#include "faults.h"
#include "repl_signal.h"
#include "../lang/resolve.h"
#include "../rt/errors.h"
#include "../rt/fiber_stack.h"
#include "../rt/out.h"
#include "../rt/print.h"
#include "../rt/process.h"
#include "../rt/sched.h"
#include "../rt/stack.h"
#include "compile.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static Repl session; /* the one of this process: what the top form below runs */

/* ---- what is shown ---------------------------------------------------------------------------- */

const char *repl_colour(const Repl *r, Colour colour) {
  static const char *const codes[] = {"\033[1;32m", "\033[1;31m", "\033[36m", "\033[2m", "\033[0m"};
  return r->use_colour ? codes[colour] : "";
}

/* A terminal gets the start of what nobody would read to its end. */
enum { SHOWN_BYTES_MAX = 32 << 10 };

void repl_show(Repl *r, V value) {
  VkBuf b = {0};
  vk_buf_put_z(&b, repl_colour(r, COLOUR_VALUE));
  vk_show(&b, value, true);
  if (r->kind != INPUT_PIPED && b.len > SHOWN_BYTES_MAX) {
    size_t all = b.len;
    for (b.len = SHOWN_BYTES_MAX; (b.data[b.len] & 0xC0) == 0x80;) b.len--;
    vk_buf_putf(&b, " ... (%zu bytes in all)", all);
  }
  vk_buf_put_z(&b, repl_colour(r, COLOUR_NONE));
  vk_buf_putc(&b, '\n');
  vk_out(b.data, b.len);
  vk_buf_free(&b);
}

void repl_complain(Repl *r, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vk_out_flush();
  fprintf(stderr, "%sError%s: ", repl_colour(r, COLOUR_ERROR), repl_colour(r, COLOUR_NONE));
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  r->has_failed = true;
}

/* The innermost place that is not the library's; all code here is evaluated, so its places are
 * EvalPos. */
static Span place_of_error(const Repl *r, const VkError *e) {
  size_t kept = e->trace_count < VK_TRACE_MAX ? (size_t)e->trace_count : VK_TRACE_MAX;
  for (size_t i = 0; i < kept; i++) {
    Span at = ((const EvalPos *)e->trace[i])->span;
    if (!r->ev->p->diag->sources.items[at.file].is_library) return at;
  }
  return NO_SPAN;
}

/* The message, the line with a caret, the trace. */
static void report_error(Repl *r, V error) {
  const VkError *e = VK_ERR(error);
  VkBuf b = {0};
  vk_error_text(&b, error);
  size_t head = strlen("Error: ") + VK_STR(e->message)->len;
  while (b.data[head] != '\n') head++; /* the kind */
  vk_out_flush();
  fprintf(stderr, "%sError%s%.*s", repl_colour(r, COLOUR_ERROR), repl_colour(r, COLOUR_NONE),
          (int)(head + 1 - strlen("Error")), b.data + strlen("Error"));
  diag_show_place(r->ev->p->diag, place_of_error(r, e), stderr);
  fprintf(stderr, "%s%.*s%s", repl_colour(r, COLOUR_DIM), (int)(b.len - head - 1),
          b.data + head + 1, repl_colour(r, COLOUR_NONE));
  fflush(stderr);
  vk_buf_free(&b);
  r->has_failed = true;
}

/* ---- evaluating --------------------------------------------------------------------------------- */

/* The name that a form defines, or NULL. */
static const Datum *defined_name(const Datum *d) {
  static const char *const definers[] = {"fun", "def", "macro", "="};
  if (d->kind != DATUM_LIST || d->count < 2 || d->items[0]->kind != DATUM_SYMBOL) return NULL;
  for (size_t i = 0; i < sizeof definers / sizeof *definers; i++) {
    if (strcmp(d->items[0]->text, definers[i]) != 0) continue;
    const Datum *name = d->items[1];
    if (name->kind == DATUM_LIST && name->count) name = name->items[0];
    return name->kind == DATUM_SYMBOL ? name : NULL;
  }
  return NULL;
}

static void note_definition(Repl *r, const char *name, Span span) {
  Definition *d = ptrmap_get(&r->definitions, name);
  if (!d) ptrmap_put(&r->definitions, name, d = ARENA_NEW(r->ev->p->lasting, Definition));
  *d = (Definition){name, span};
}

/* The value of one form, or VK_UNBOUND after what went wrong has been reported. */
static V evaluate_form(Repl *r, Datum *d) {
  Evaluator *ev = r->ev;
  vk *c = r->c;
  const Datum *defined = defined_name(d);
  const char *name = defined ? defined->text : NULL; /* d is gone when its code runs */
  Span span = d->span;
  EvalBatch b;
  /* A resumed tail call lowers the limit; here the stack is empty again. */
  c->tail_limit = c->fiber->stack_base - VK_TAIL_ROOM;
  signals_evaluation_begin();
  eval_batch_begin(ev, &b);
  V v = eval_form(ev, ev->p->root, d, &b, EVAL_ONCE);
  signals_evaluation_end();
  V stopped = eval_stop_over(c); /* it may have come to an end nevertheless */
  if (v != VK_UNBOUND && !VK_IS_ABN(v) && stopped != VK_NIL) v = stopped;
  vk_out_flush();
  diag_flush(ev->p->diag);
  if (v == VK_UNBOUND) {
    r->has_failed = true;
  } else if (VK_IS_ABN(v)) {
    report_error(r, v);
    v = VK_UNBOUND;
  } else if (name) {
    note_definition(r, name, span);
  }
  return v;
}

/* The forms of a source from a byte on. */
static V evaluate_source(Repl *r, uint32_t file, uint32_t start, bool show) {
  Program *p = r->ev->p;
  Arena a = {.first_bytes = 4096};
  size_t errors = p->diag->error_count;
  DatumVec forms = read_source_from(&a, p->names, p->diag, file, start);
  bool is_read = p->diag->error_count == errors;
  diag_flush(p->diag);
  if (!is_read) r->has_failed = true;
  V v = is_read ? VK_NIL : VK_UNBOUND;
  for (size_t i = 0; is_read && i < forms.count && v != VK_UNBOUND; i++) {
    v = evaluate_form(r, forms.items[i]);
    if (show && v != VK_UNBOUND && v != VK_NIL) repl_show(r, v);
  }
  arena_free(&a);
  return v;
}

static void append_text(Repl *r, const char *text, size_t len) {
  while (r->capacity - r->len < len + 2) {
    r->capacity = r->capacity ? 2 * r->capacity : 4096;
    r->text = realloc(r->text, r->capacity);
    if (!r->text) abort();
  }
  memcpy(r->text + r->len, text, len);
  r->len += len;
  r->text[r->len++] = '\n';
  r->text[r->len] = 0;
  diag_extend_source(r->ev->p->diag, r->file, r->text, r->len);
}

V repl_evaluate(Repl *r, const char *text, size_t len, bool show) {
  uint32_t start = (uint32_t)r->len;
  append_text(r, text, len);
  return evaluate_source(r, r->file, start, show);
}

bool repl_load(Repl *r, const char *path) {
  uint32_t file;
  if (!diag_load_source(r->ev->p->diag, path, &file)) {
    repl_complain(r, "cannot read %s: %s", path, strerror(errno));
    return false;
  }
  return evaluate_source(r, file, 0, false) != VK_UNBOUND;
}

/* ---- the loop ------------------------------------------------------------------------------------ */

/* One entry: lines until no bracket, string or comment is open. malloc. */
static InputResult read_entry(Repl *r, Text *entry) {
  char prompt[64];
  snprintf(prompt, sizeof prompt, "%svalk>%s ", repl_colour(r, COLOUR_PROMPT),
           repl_colour(r, COLOUR_NONE));
  InputResult result = input_line(r->input, prompt, entry);
  while (result == INPUT_LINE && read_is_incomplete(entry->bytes, entry->len)) {
    Text more;
    result = input_line(r->input, "  ... ", &more);
    if (result == INPUT_END) return INPUT_LINE; /* the reader says what is missing */
    if (result != INPUT_LINE) {
      free(entry->bytes);
      break;
    }
    entry->bytes = realloc(entry->bytes, entry->len + more.len + 2);
    if (!entry->bytes) abort();
    entry->bytes[entry->len++] = '\n';
    memcpy(entry->bytes + entry->len, more.bytes, more.len + 1);
    entry->len += more.len;
    free(more.bytes);
  }
  return result;
}

/* While a line is waited for: fibers, timers and servers that earlier entries started. */
static bool serve(void *to) {
  enum { MOMENT_NS = 10000000 };
  vk *c = ((Repl *)to)->c;
  signals_serving_begin();
  bool has_run = vk_sched_run_for(c, MOMENT_NS);
  signals_serving_end();
  if (has_run) eval_stop_over(c);
  return has_run;
}

static void run_entries(Repl *r) {
  while (!r->is_over) {
    Text entry;
    vk_out_flush();
    if (r->kind != INPUT_PIPED && !vk_out_ends_line()) vk_out("\n", 1), vk_out_flush();
    InputResult result = read_entry(r, &entry);
    if (result == INPUT_END) break;
    if (result == INPUT_INTERRUPTED && r->kind == INPUT_PIPED) break;
    if (result == INPUT_INTERRUPTED) continue;
    input_remember(r->input, entry.bytes, entry.len);
    if (!repl_command(r, entry.bytes, entry.len)) repl_evaluate(r, entry.bytes, entry.len, true);
    free(entry.bytes);
  }
}

/* $XDG_STATE_HOME/valkc/history, else ~/.local/state/valkc/history; malloc, or NULL. */
static char *history_path(void) {
  const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
  char *path = NULL;
  int len = -1;
  if (state && *state == '/')
    len = asprintf(&path, "%s/valkc/history", state);
  else if (home && *home)
    len = asprintf(&path, "%s/.local/state/valkc/history", home);
  return len < 0 ? NULL : path;
}

static void greet(const Repl *r) {
  if (r->kind == INPUT_PIPED) return;
  printf("valkc repl. :help tells what there is, :quit or control-D leaves.\n");
  fflush(stdout);
}

static V run_session(vk *c) {
  Repl *r = &session;
  r->c = c;
  r->ev = eval_of(c);
  Program *p = r->ev->p;
  p->diag->use_colour = r->use_colour && isatty(STDERR_FILENO);
  r->definitions.arena = p->lasting;
  r->file = diag_add_source(p->diag, "repl", "", 0);
  eval_stop_enable(c);
  signals_init(c);
  char *history = history_path();
  InputOptions options = {
      .history_path = history, .complete = repl_complete, .serve = serve, .to = r};
  r->input = input_open(r->kind, &options);
  greet(r);
  for (size_t i = 0; i < r->options->arg_count; i++) {
    PUSH(p->lasting, r->loaded, r->options->args[i]);
    repl_load(r, r->options->args[i]);
  }
  run_entries(r);
  input_close(r->input);
  free(history);
  if (r->kind != INPUT_PIPED) vk_process_exit(EXIT_OK); /* whatever still sleeps or waits */
  return VK_NIL;
}

int repl_run(const Options *options) {
  InputKind kind = input_kind();
  session = (Repl){.options = options,
                   .kind = kind,
                   .use_colour = kind == INPUT_EDITED && !getenv("NO_COLOR")};
  static const VkTop tops[] = {run_session};
  VkProgram program = {.name = "repl", .tops = tops, .top_count = 1};
  char *args[] = {"repl", NULL};
  SavedFaults faults;
  faults_save(&faults);
  vk_fiber_stack_times = VK_FIBER_STACK_EVALUATOR;
  int status = vk_main(1, args, &program);
  faults_restore(&faults);
  free(session.text);
  if (status == EXIT_OK && session.has_failed && session.kind == INPUT_PIPED) return EXIT_PROGRAM;
  return status;
}
