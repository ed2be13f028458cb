/* repl_command.c - entries of `valkc repl` that begin with a colon and the name of a command.
 *
 * A keyword by itself that names no command is an expression, as anywhere. */
#include "compile.h"
#include "passes.h"
#include "repl_session.h"
#include "../rt/fns.h"
#include "../rt/lists.h"
#include "../rt/out.h"
#include "../rt/print.h"
#include "../rt/strings.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct CommandRow {
  const char *name, *operand, *doc;
  void (*run)(Repl *r, const char *operand); /* without blanks around it; "" if there is none */
} CommandRow;
static const CommandRow commands[];

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void put(const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *text;
  int len = vasprintf(&text, format, args);
  va_end(args);
  if (len < 0) abort();
  vk_out(text, (size_t)len);
  free(text);
}

static bool needs(Repl *r, const CommandRow *row, const char *operand) {
  if (*operand || row->operand[0] == '[' || !*row->operand) return true;
  repl_complain(r, "%s needs %s", row->name, row->operand);
  return false;
}

/* ---- :help :quit :mem :load :reload --------------------------------------------------------------- */

static void run_help(Repl *r, const char *operand) {
  (void)r, (void)operand;
  for (const CommandRow *row = commands; row->name; row++) {
    char left[40];
    snprintf(left, sizeof left, "%s %s", row->name, row->operand);
    put("  %-22s %s\n", left, row->doc);
  }
  put("Anything else is evaluated; an entry ends when its brackets are closed.\n"
      "Tab completes names, keywords and files; control-R searches the history;\n"
      "control-C stops what runs.\n");
}

static void run_quit(Repl *r, const char *operand) {
  (void)operand;
  r->is_over = true;
}

static void run_mem(Repl *r, const char *operand) {
  (void)operand;
  V text = vk_mem_stats(r->c);
  if (VK_IS_STRING(text)) put("%s\n", VK_STR(text)->bytes);
}

static void run_load(Repl *r, const char *operand) {
  Program *p = r->ev->p;
  size_t len = strlen(operand);
  if (len > 1 && operand[0] == '"' && operand[len - 1] == '"') operand++, len -= 2;
  const char *path = arena_copy(p->lasting, operand, len);
  size_t i = 0;
  while (i < r->loaded.count && strcmp(r->loaded.items[i], path) != 0) i++;
  if (i == r->loaded.count) PUSH(p->lasting, r->loaded, path);
  repl_load(r, path);
}

static void run_reload(Repl *r, const char *operand) {
  (void)operand;
  if (!r->loaded.count) repl_complain(r, "nothing has been loaded with :load");
  for (size_t i = 0; i < r->loaded.count; i++)
    if (!repl_load(r, r->loaded.items[i])) break;
}

/* ---- :doc :type ------------------------------------------------------------------------------------ */

static void put_datum(void *to, const char *s, size_t n) {
  (void)to;
  vk_out(s, n);
}

/* "(name a b)" of a definition's form. */
static void put_head(const Datum *form) {
  const Datum *head = form->count > 1 ? form->items[1] : NULL;
  if (!head || strcmp(form->items[0]->text, "def") == 0 || head->kind != DATUM_LIST) return;
  put("(");
  for (size_t i = 0; i < head->count; i++) {
    if (i) put(" ");
    datum_print(head->items[i], put_datum, NULL);
  }
  put(")\n");
}

static void put_doc(Repl *r, Arena *a, const Datum *form) {
  put_head(form);
  Diag *diag = r->ev->p->diag;
  const char *doc = read_doc_above(a, diag, form->span);
  if (doc) put("%s\n", doc);
  uint32_t line, column;
  diag_line_col(diag, form->span, &line, &column);
  if (!diag->sources.items[form->span.file].is_library)
    put("defined at %s:%u:%u\n", diag_path(diag, form->span), line, column);
}

static bool put_library_doc(Repl *r, Arena *a, const char *name) {
  Program *p = r->ev->p;
  const char *usage = form_usage(name);
  if (usage) put("%s, a special form\n", usage);
  Global *g = name[0] == '%' && name[1] ? NULL : library_global(p, name);
  if (g && g->prim)
    put("%s %s\n%s\n", name, g->prim->signature, g->prim->doc);
  else if (g)
    put_doc(r, a, library_definition(p, g));
  return usage || g;
}

static void run_doc(Repl *r, const char *operand) {
  Program *p = r->ev->p;
  const char *name = name_c(p->names, operand);
  const Definition *d = ptrmap_get(&r->definitions, name);
  Arena a = {.first_bytes = 4096};
  if (d)
    put_doc(r, &a, read_one_at(&a, p->names, p->diag, d->span.file, d->span.start));
  else if (!put_library_doc(r, &a, name)) {
    DiagNearest near = {.name = name};
    library_consider(p, &near);
    for (size_t i = 0; form_name(i); i++) diag_consider(&near, form_name(i));
    repl_complain(r, near.best ? "nothing is known about `%s`; did you mean `%s`?"
                               : "nothing is known about `%s`", name, near.best);
  }
  arena_free(&a);
}

static void put_arity(const VkFn *fn) {
  put(" of %u", fn->min);
  if (fn->max == VK_ANY)
    put(" or more");
  else if (fn->max != fn->min)
    put(" to %u", fn->max);
  put(" argument%s", fn->min == 1 && fn->max == 1 ? "" : "s");
}

static void run_type(Repl *r, const char *operand) {
  V value = repl_evaluate(r, operand, strlen(operand), false);
  if (value == VK_UNBOUND) return;
  V type = vk_type(r->c, value);
  put("%s", VK_SYMB(type)->bytes);
  if (VK_IS_KIND(value, VK_CLOSURE)) put_arity(VK_CLO(value)->fn);
  put("\n");
}

/* ---- :time ------------------------------------------------------------------------------------------ */

typedef struct Measure {
  double wall, cpu;
  int64_t allocated, collections;
} Measure;

static double seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int64_t stat_of(V plist, const char *key) {
  for (; VK_IS_PAIR(plist); plist = VK_TAIL(VK_TAIL(plist)))
    if (!strcmp(VK_SYMB(VK_HEAD(plist))->bytes, key)) return VK_INT(VK_HEAD(VK_TAIL(plist)));
  return 0;
}

static Measure measure(Repl *r) {
  V stats = vk_mem_gc_stats(r->c);
  return (Measure){seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID),
                   stat_of(stats, ":allocated"), stat_of(stats, ":minor") + stat_of(stats, ":full")};
}

static void run_time(Repl *r, const char *operand) {
  Measure before = measure(r);
  V value = repl_evaluate(r, operand, strlen(operand), false);
  Measure after = measure(r);
  if (value == VK_UNBOUND) return;
  if (value != VK_NIL) repl_show(r, value);
  put("%.3f ms, CPU %.3f ms, %lld KiB allocated, %lld collections\n",
      (after.wall - before.wall) * 1e3, (after.cpu - before.cpu) * 1e3,
      (long long)(after.allocated - before.allocated) >> 10,
      (long long)(after.collections - before.collections));
}

/* ---- :dump ------------------------------------------------------------------------------------------- */

typedef struct Wanted { /* definitions that a text needs, with those that these need */
  Repl *r;
  Arena *a;
  PtrMap seen;
  FILE *out;
} Wanted;

static void want_text(Wanted *w, Span at);

static void want_names(Wanted *w, const Datum *d) {
  if (d->kind == DATUM_SYMBOL) {
    const Definition *found = ptrmap_get(&w->r->definitions, d->text);
    if (!found || ptrmap_get(&w->seen, d->text)) return;
    ptrmap_put(&w->seen, d->text, (void *)found);
    want_text(w, found->span);
  }
  if (d->kind == DATUM_LIST || d->kind == DATUM_VECTOR || d->kind == DATUM_MAP)
    for (size_t i = 0; i < d->count; i++) want_names(w, d->items[i]);
}

static void want_text(Wanted *w, Span at) {
  Program *p = w->r->ev->p;
  const Datum *d = read_one_at(w->a, p->names, p->diag, at.file, at.start);
  if (d) want_names(w, d);
  fprintf(w->out, "%.*s\n", (int)(at.end - at.start), p->diag->sources.items[at.file].text + at.start);
}

/* The forms and what they need, as a program. malloc. */
static Text program_text(Repl *r, const char *forms) {
  Program *p = r->ev->p;
  Arena a = {0};
  Text text = {NULL, 0};
  Wanted w = {.r = r, .a = &a, .seen.arena = &a, .out = open_memstream(&text.bytes, &text.len)};
  Diag quiet = {.arena = &a};
  uint32_t file = diag_add_source(&quiet, "repl", forms, strlen(forms));
  DatumVec data = read_source(&a, p->names, &quiet, file);
  for (size_t i = 0; i < data.count; i++) want_names(&w, data.items[i]);
  fprintf(w.out, "%s\n", forms);
  fclose(w.out);
  arena_free(&a);
  return text;
}

/* In a process of its own: the compiler has an isolate for what it computes. */
static void compile_and_dump(Repl *r, const char *pass, const char *text) {
  Options options = *r->options;
  options.dump = pass;
  Compilation c;
  compilation_init(&c, &options, "repl");
  c.program.text = text;
  int status = passes_run(&c, PASS_emit);
  fflush(stdout);
  _exit(status);
}

static void run_dump(Repl *r, const char *operand) {
  size_t len = strcspn(operand, " \t\n");
  char pass[32];
  snprintf(pass, sizeof pass, "%.*s", (int)len, operand);
  unsigned i = 0;
  while (passes_name(i) && strcmp(passes_name(i), pass) != 0) i++;
  const char *forms = operand + len + strspn(operand + len, " \t\n");
  if (!passes_name(i) || i > PASS_emit || !*forms) {
    repl_complain(r, ":dump needs a pass and an expression; the passes are:");
    for (i = 0; i <= PASS_emit; i++) put(" %s", passes_name(i));
    put("\n");
    return;
  }
  Text text = program_text(r, forms);
  vk_out_flush();
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) compile_and_dump(r, pass, text.bytes);
  int status = child < 0 ? -1 : process_wait(child);
  if (status) r->has_failed = true;
  free(text.bytes);
}

/* ---- the table ------------------------------------------------------------------------------------------ */

static const CommandRow commands[] = {
    {":help", "", "this list", run_help},
    {":type", "EXPR", "the type of a value", run_type},
    {":doc", "NAME", "what a function, form or definition is for", run_doc},
    {":time", "EXPR", "evaluate, and say what it took", run_time},
    {":dump", "PASS EXPR", "the expression, with what it needs, after a pass of the compiler", run_dump},
    {":mem", "", "a picture of the memory", run_mem},
    {":load", "FILE", "evaluate a file", run_load},
    {":reload", "", "evaluate the loaded files again", run_reload},
    {":quit", "", "leave", run_quit},
    {NULL, NULL, NULL, NULL},
};

const char *repl_command_name(size_t index) { return commands[index].name; }

bool repl_command(Repl *r, const char *text, size_t len) {
  while (len && isspace((unsigned char)*text)) text++, len--;
  while (len && isspace((unsigned char)text[len - 1])) len--;
  size_t word = 0;
  while (word < len && !isspace((unsigned char)text[word])) word++;
  const CommandRow *row = commands;
  while (row->name && (strlen(row->name) != word || memcmp(row->name, text, word) != 0)) row++;
  if (!row->name) return false;
  while (word < len && isspace((unsigned char)text[word])) word++;
  char *operand = strndup(text + word, len - word);
  if (!operand) abort();
  if (needs(r, row, operand)) row->run(r, operand);
  free(operand);
  return true;
}
