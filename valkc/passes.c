/* passes.c - walk the table of passes: run, check, dump, time. */
#include "passes.h"
#include "../lang/expand.h"
#include "../lang/resolve.h"
#include "../rt/limits.h"
#include "bases.h"
#include "beside.h"
#include "build.h"
#include "calm.h"
#include "clone.h"
#include "comptime.h"
#include "cse.h"
#include "emit.h"
#include "explain.h"
#include "flow.h"
#include "fuse.h"
#include "home.h"
#include "hot.h"
#include "lower.h"
#include "once.h"
#include "place.h"
#include "process.h"
#include "refine.h"
#include "represent.h"
#include "guard.h"
#include "results.h"
#include "simplify.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- one adapter per pass ----------------------------------------------------------------- */

static void put_to_file(void *to, const char *s, size_t n) { fwrite(s, 1, n, to); }

/* expand reads file by file as it meets them, so as a pass of its own read has nothing to do. */
static void read_pass(Compilation *c) { (void)c; }
static void read_verify(Compilation *c) { (void)c; }
static void read_show(Compilation *c, FILE *out) {
  uint32_t file;
  if (!diag_load_source(&c->diag, c->path, &file)) return; /* expand reports it */
  Diag quiet = {.arena = &c->arena, .sources = c->diag.sources};
  DatumVec data = read_source(&c->arena, &c->names, &quiet, file);
  for (size_t i = 0; i < data.count; i++) {
    datum_print(data.items[i], put_to_file, out);
    fputc('\n', out);
  }
}

static void expand_pass(Compilation *c) {
  comptime_prepare(&c->program);
  if (!expand_program(&c->program, c->path)) c->status = EXIT_PROGRAM;
  comptime_end(&c->program);
}
static void expand_verify(Compilation *c) { (void)c; }
static void expand_show(Compilation *c, FILE *out) { core_dump(&c->program, put_to_file, out); }

static void resolve_pass(Compilation *c) {
  if (c->status != EXIT_OK) return;
  resolve_run(&c->program);
  if (c->diag.error_count > 0) c->status = EXIT_PROGRAM;
}
static void resolve_verify(Compilation *c) { core_check(&c->program, "resolve"); }
static void resolve_show(Compilation *c, FILE *out) {
  core_dump(&c->program, put_to_file, out);
}

/* Those that change the core, or the low form, in place. */
#define CORE_PASS(name)                                                                        \
  static void name##_pass(Compilation *c) { name##_run(&c->program); }                         \
  static void name##_verify(Compilation *c) { core_check(&c->program, #name); }                \
  static void name##_show(Compilation *c, FILE *out) {                                         \
    core_dump(&c->program, put_to_file, out);                                                  \
  }
CORE_PASS(guard)
CORE_PASS(simplify)
CORE_PASS(refine)
CORE_PASS(results)
CORE_PASS(cse)

#define LOW_PASS(name)                                                                         \
  static void name##_pass(Compilation *c) { name##_run(c->low); }                              \
  static void name##_verify(Compilation *c) { lower_check(c->low); }                           \
  static void name##_show(Compilation *c, FILE *out) { lower_dump(c->low, out); }
LOW_PASS(once)
LOW_PASS(represent)
LOW_PASS(beside)
LOW_PASS(calm)
LOW_PASS(fuse)
LOW_PASS(hot)
LOW_PASS(bases)

static void flow_pass(Compilation *c) {
  if (PART_RUNS(&c->program, clone)) clone_run(&c->program);
  else flow_run(&c->program, NULL);
}
static void flow_verify(Compilation *c) { (void)c; }
static void flow_show(Compilation *c, FILE *out) { flow_dump(&c->program, put_to_file, out); }

static void lower_pass(Compilation *c) { c->low = lower_run(&c->program); }
static void lower_verify(Compilation *c) { lower_check(c->low); }
static void lower_show(Compilation *c, FILE *out) { lower_dump(c->low, out); }

static void place_pass(Compilation *c) {
  const char *function = c->options->no_heap_in;
  place_run(c->low);
  if (function && explain_no_heap(c->low, function)) c->status = EXIT_PROGRAM;
}
static void place_verify(Compilation *c) { lower_check(c->low); }
static void place_show(Compilation *c, FILE *out) { lower_dump(c->low, out); }

static void emit_pass(Compilation *c) {
  FILE *out = open_memstream(&c->c_text, &c->c_len);
  emit_run(c->low, out, c->options->command == COMMAND_BUILD);
  if (fclose(out) != 0) diag_bug(&c->diag, NO_SPAN, "emit", "out of memory");
}
static void emit_verify(Compilation *c) { (void)c; }
static void emit_show(Compilation *c, FILE *out) { fwrite(c->c_text, 1, c->c_len, out); }

static void build_pass(Compilation *c) { c->status = build_executable(c, c->output); }
static void build_verify(Compilation *c) { (void)c; }
static void build_show(Compilation *c, FILE *out) { fprintf(out, "%s\n", c->output); }

/* ---- the table ---------------------------------------------------------------------------- */

typedef struct PassRow {
  const char *name, *input, *output, *doc; /* input NULL: part of the pass above */
  bool is_optional;
  unsigned id; /* PassId or PartId */
  void (*run)(Compilation *);
  void (*verify)(Compilation *);
  void (*show)(Compilation *, FILE *);
} PassRow;
static const PassRow pass_rows[] = {
#define PASS(name, is_optional, input, output, doc)                                            \
  {#name, input, output, doc, is_optional, PASS_##name, name##_pass, name##_verify, name##_show},
#define PART(name, pass, doc) {#name, NULL, NULL, doc, true, PART_##name, NULL, NULL, NULL},
#include "passes.def"
};
enum { ROW_COUNT = sizeof pass_rows / sizeof *pass_rows };

static bool is_part(const PassRow *row) { return !row->input; }

void passes_list(void) {
  for (unsigned i = 0; i < ROW_COUNT; i++) {
    const PassRow *row = &pass_rows[i];
    const char *note = row->is_optional ? " (optional)" : "";
    if (is_part(row)) printf("  %-10s part of it         %s%s\n", row->name, row->doc, note);
    else printf("%-9s %-7s -> %-11s %s%s\n", row->name, row->input, row->output, row->doc, note);
  }
}

const char *passes_optional(size_t i) {
  for (unsigned row = 0; row < ROW_COUNT; row++)
    if (pass_rows[row].is_optional && i-- == 0) return pass_rows[row].name;
  return NULL;
}

const char *passes_name(unsigned index) {
  static const char *const names[] = {
#define PASS(name, is_optional, input, output, doc) #name,
#include "passes.def"
  };
  return index < PASS_COUNT ? names[index] : NULL;
}

/* True if the list "a,b,c" has the name. */
static bool list_has(const char *list, const char *name) {
  size_t n = strlen(name);
  for (const char *p = list; p && *p; p += strspn(p, ",")) {
    size_t len = strcspn(p, ",");
    if (len == n && !strncmp(p, name, n)) return true;
    p += len;
  }
  return false;
}

static bool unknown_pass(const char *name, const char *option) {
  DiagNearest nearest = {.name = name};
  for (unsigned i = 0; i < ROW_COUNT; i++) diag_consider(&nearest, pass_rows[i].name);
  fprintf(stderr, "valkc: `%s`: there is no pass `%s`", option, name);
  if (nearest.best) fprintf(stderr, "; did you mean `%s`?", nearest.best);
  fputs("\nsee: valkc --list-passes\n", stderr);
  return false;
}

static bool check_pass_name(const char *name, const char *option, bool only_optional) {
  unsigned i = 0;
  while (i < ROW_COUNT && strcmp(pass_rows[i].name, name) != 0) i++;
  if (i == ROW_COUNT) return unknown_pass(name, option);
  if (!only_optional && is_part(&pass_rows[i])) {
    fprintf(stderr, "valkc: `%s`: `%s` is part of a pass; only passes can be dumped\n", option, name);
    return false;
  }
  if (!only_optional || pass_rows[i].is_optional) return true;
  fprintf(stderr, "valkc: `%s`: the pass `%s` cannot be left out\n", option, name);
  return false;
}

static bool check_pass_list(const char *list, const char *option, bool only_optional) {
  for (const char *p = list; p && *p; p += strspn(p, ",")) {
    char name[64];
    size_t len = strcspn(p, ",");
    snprintf(name, sizeof name, "%.*s", (int)len, p);
    if (!check_pass_name(name, option, only_optional)) return false;
    p += len;
  }
  return true;
}

bool passes_check_options(const Options *o) {
  return check_pass_list(o->dump, "--dump", false) && check_pass_list(o->skip, "--skip", true);
}

/* ---- the walk ----------------------------------------------------------------------------- */

/* The options were checked when they were read. */
static size_t option_size(const char *text) {
  size_t bytes = 0;
  if (text) vk_parse_size(text, &bytes);
  return bytes;
}

void compilation_init(Compilation *c, const Options *options, const char *path) {
  *c = (Compilation){.options = options, .path = path};
  c->names.arena = &c->arena;
  c->diag.arena = &c->arena;
  c->diag.use_colour = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
  c->program = (Program){.arena = &c->arena,
                         .names = &c->names,
                         .diag = &c->diag,
                         .std_dir = home_get()->std_dir};
  c->program.global_by_name.arena = &c->arena;
  c->program.defaults = (struct ProgramDefaults){
      option_size(options->heap_limit), option_size(options->gc_threshold), option_size(options->arena)};
  c->program.kept_function = options->no_heap_in;
}

void compilation_free(Compilation *c) {
  free(c->c_text);
  arena_free(&c->arena);
}

static PassId last_dumped(const char *dump, PassId last) {
  PassId found = PASS_COUNT;
  for (const PassRow *row = pass_rows; row < pass_rows + ROW_COUNT; row++)
    if (!is_part(row) && row->id <= last && list_has(dump, row->name)) found = (PassId)row->id;
  return found;
}

/* -O1 is to compile soon: without what makes second copies of code. Sanitizers are to see all passes. */
static bool is_skipped(const Compilation *c, const PassRow *row) {
  static const char copies[] = "hot,clone";
  return list_has(c->options->skip, row->name) ||
         (c->options->optimise == 1 && !c->options->sanitize && list_has(copies, row->name));
}

static unsigned skipped_parts(const Compilation *c) {
  unsigned parts = 0;
  for (const PassRow *row = pass_rows; row < pass_rows + ROW_COUNT; row++)
    if (is_part(row) && is_skipped(c, row)) parts |= 1u << row->id;
  return parts;
}

/* Dumps of several passes are told apart by a heading. */
static void dump_pass(Compilation *c, const PassRow *row) {
  if (!list_has(c->options->dump, row->name)) return;
  if (strchr(c->options->dump, ',')) printf(";; %s\n", row->name);
  row->show(c, stdout);
}

static void run_pass(Compilation *c, const PassRow *row) {
  double start = now_seconds();
  row->run(c);
  if (c->options->verbose)
    fprintf(stderr, "%-9s %8.2f ms\n", row->name, (now_seconds() - start) * 1e3);
  if (c->status == EXIT_OK && getenv("VALKC_CHECK")) row->verify(c);
}

int passes_run(Compilation *c, PassId last) {
  PassId dumped = last_dumped(c->options->dump, last);
  c->is_stopped = dumped != PASS_COUNT;
  if (c->is_stopped) last = dumped;
  c->program.skipped_parts = skipped_parts(c);
  c->program.is_soon = c->options->optimise == 1;
  for (const PassRow *row = pass_rows; row < pass_rows + ROW_COUNT; row++) {
    if (is_part(row)) continue;
    if (row->id > last) break;
    if (!is_skipped(c, row)) run_pass(c, row);
    if (row->id == PASS_resolve || row->id == last || c->status != EXIT_OK) diag_flush(&c->diag);
    if (c->status != EXIT_OK) break;
    dump_pass(c, row);
  }
  return c->status;
}
