/* explain_place.c - `valkc explain`: where each line's allocations live, and what forced the heap.
 *
 * in:  low after place
 * out: the program's text with a margin, or JSON; for --no-heap-in, errors
 *
 * What library code makes, inlined or not, is shown at the nearest line of the program before it:
 * that of the call, as a rule. Operations that are there several times, because code was copied,
 * count as one if their places agree. Numbers that need memory are not shown: any sum might be one. */
#include "explain.h"
#include "place_parts.h"
#include <stdlib.h>
#include <string.h>

typedef enum Kind { KIND_STACK, KIND_ROUND, KIND_CALL, KIND_RESULT, KIND_HEAP, KIND_COUNT } Kind;
static const char *const kind_names[] = {"stack", "round", "call", "result", "heap"};
static const char *const kind_docs[] = {
    "on the C stack", "in scratch, to the end of a loop's round", "in scratch, to the end of the function's call",
    "in scratch, where the caller wants the result", "on the heap"};
static const char *const kind_colours[] = {"\033[32m", "\033[32m", "\033[32m", "\033[36m", "\033[31m"};

typedef struct Entry {
  const PlaceSite *site;
  const PlaceFn *fn;
  Span at;
  uint32_t line, column;
  Kind kind;
} Entry;
typedef struct Report {
  LowProgram *low;
  Diag *diag;
  Arena *arena;
  VEC(Entry) entries;
  FILE *out;
  bool use_colour;
} Report;

/* ---- sites -------------------------------------------------------------------------------------- */

static bool is_user_text(const Report *r, Span at) {
  return at.file != NO_FILE && !r->diag->sources.items[at.file].is_library;
}

static Kind kind_of(const PlaceSite *s) {
  switch (s->op->where) {
  case WHERE_HEAP: return KIND_HEAP;
  case WHERE_RESULT: return KIND_RESULT;
  default: return place_lives(s) > LIVES_IN_FUNCTION ? KIND_ROUND : KIND_CALL;
  }
}

/* A call is of interest where it decides for the callee: on the heap; else the callee says it. */
static bool is_shown(const PlaceSite *s) {
  if (s->grows) return true;
  return s->fresh && !s->callee;
}

static Span site_span(const Report *r, const PlaceSite *s) {
  if (is_user_text(r, s->op->pos)) return s->op->pos;
  return is_user_text(r, s->stmt->span) ? s->stmt->span : s->near;
}

static int by_place(const void *a, const void *b) {
  const Entry *x = a, *y = b;
  if (x->at.file != y->at.file) return x->at.file < y->at.file ? -1 : 1;
  if (x->line != y->line) return x->line < y->line ? -1 : 1;
  if (x->column != y->column) return x->column < y->column ? -1 : 1;
  if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
  return strcmp(x->site->name, y->site->name);
}

static void collect(Report *r) {
  Place *p = r->low->placement;
  for (size_t i = 0; p && i < p->all.count; i++) {
    PlaceFn *f = p->all.items[i];
    for (size_t j = 0; j < f->sites.count; j++) {
      PlaceSite *s = &f->sites.items[j];
      Entry e = {.site = s, .fn = f, .at = site_span(r, s), .kind = s->grows ? KIND_HEAP : kind_of(s)};
      if (!is_shown(s) || !is_user_text(r, e.at)) continue;
      diag_line_col(r->diag, e.at, &e.line, &e.column);
      PUSH(r->arena, r->entries, e);
    }
  }
  if (r->entries.count) qsort(r->entries.items, r->entries.count, sizeof(Entry), by_place);
  size_t kept = 0;
  for (size_t i = 0; i < r->entries.count; i++)
    if (!kept || by_place(&r->entries.items[kept - 1], &r->entries.items[i]) != 0)
      r->entries.items[kept++] = r->entries.items[i];
  r->entries.count = kept;
}

/* ---- why ---------------------------------------------------------------------------------------- */

typedef struct Step {
  const char *text;
  Span at;
  const char *fn; /* the function that does it */
} Step;
enum { STEPS_MAX = 32 };

static const char *name_of_fn(const PlaceFn *f) {
  if (!f->low->lambda) return NULL;
  return f->low->name ? f->low->name : "\\";
}

/* Inlined code keeps the name it was written under. */
static const char *written_in(Report *r, const PlaceNode *n, Span at) {
  Lambda *l = at.file != NO_FILE ? core_function_at(r->low->program, at) : NULL;
  return l && l->name ? l->name : name_of_fn(n->fn);
}

/* From the value made to what keeps it. */
static size_t find_steps(Report *r, const PlaceSite *s, Step steps[STEPS_MAX]) {
  static const char *const grown = "it changes something that may need more room, which is on the heap";
  size_t count = 0;
  if (s->grows) {
    steps[0] = (Step){grown, s->op->pos, NULL};
    return 1;
  }
  unsigned k = 0;
  while (k < DEPTHS && !((s->fresh >> k & 1) && s->node->lives[k] == LIVES_ON_HEAP)) k++;
  const PlaceNode *n = k < DEPTHS ? s->node : NULL;
  for (unsigned hops = 0; n && count < STEPS_MAX && hops < 1000; hops++) {
    PlaceWhy why = n->why[k];
    if (why.reason) steps[count++] = (Step){why.reason->what, why.reason->at, written_in(r, n, why.reason->at)};
    n = why.via;
    k = why.via_depth;
  }
  return count;
}

static void put_step(Report *r, Step step, bool is_first) {
  uint32_t line, column;
  fprintf(r->out, "%s%s", is_first ? "" : "; there ", step.text);
  if (step.at.file == NO_FILE) return;
  diag_line_col(r->diag, step.at, &line, &column);
  if (is_user_text(r, step.at)) fprintf(r->out, ", line %u", line);
  else fprintf(r->out, ", %s:%u", diag_path(r->diag, step.at), line);
  if (step.fn) fprintf(r->out, ", by `%s`", step.fn);
}

static void put_steps(Report *r, const PlaceSite *s) {
  Step steps[STEPS_MAX];
  size_t count = find_steps(r, s, steps);
  if (!count) fprintf(r->out, "not followed");
  for (size_t i = 0; i < count; i++) put_step(r, steps[i], i == 0);
}

/* ---- text ----------------------------------------------------------------------------------------- */

enum { MARGIN = 24 };

static void put_margin(Report *r, const Entry *from, const Entry *to) {
  unsigned counts[KIND_COUNT] = {0};
  int width = 0;
  for (const Entry *e = from; e < to; e++) counts[e->kind]++;
  for (unsigned k = KIND_COUNT; k-- > 0;) {
    if (!counts[k]) continue;
    if (width) width += fprintf(r->out, " ");
    if (r->use_colour) fputs(kind_colours[k], r->out);
    width += fprintf(r->out, "%s", kind_names[k]);
    if (counts[k] > 1) width += fprintf(r->out, "*%u", counts[k]);
    if (r->use_colour) fputs("\033[0m", r->out);
  }
  fprintf(r->out, "%*s", width < MARGIN ? MARGIN - width : 1, "");
}

static void put_line_text(Report *r, const Source *source, uint32_t line) {
  const char *start = source->text + source->line_starts[line - 1];
  const char *end = memchr(start, '\n', source->len - source->line_starts[line - 1]);
  int length = (int)((end ? end : source->text + source->len) - start);
  fprintf(r->out, "%4u | %.*s\n", line, length, start);
}

static void put_reasons(Report *r, const Entry *from, const Entry *to) {
  for (const Entry *e = from; e < to; e++) {
    if (e->kind != KIND_HEAP) continue;
    fprintf(r->out, "%*s     | ", MARGIN, "");
    if (r->use_colour) fputs(kind_colours[KIND_HEAP], r->out);
    fprintf(r->out, "%u: %s: ", e->column, e->site->name);
    put_steps(r, e->site);
    fprintf(r->out, r->use_colour ? "\033[0m\n" : "\n");
  }
}

static void put_summary(Report *r) {
  unsigned counts[KIND_COUNT] = {0};
  for (size_t i = 0; i < r->entries.count; i++) counts[r->entries.items[i].kind]++;
  fprintf(r->out, "\n%zu places that allocate\n", r->entries.count);
  for (unsigned k = 0; k < KIND_COUNT; k++)
    if (counts[k]) fprintf(r->out, "%6u %-7s %s\n", counts[k], kind_names[k], kind_docs[k]);
}

static bool find_source(Report *r, const char *path, uint32_t *file) {
  for (*file = 0; *file < r->diag->sources.count; ++*file)
    if (!strcmp(r->diag->sources.items[*file].path, path)) return true;
  return false;
}

void explain_places(LowProgram *low, const char *path, FILE *out, bool use_colour) {
  Report r = {.low = low, .diag = low->program->diag, .arena = low->arena, .out = out, .use_colour = use_colour};
  uint32_t file, line, column;
  collect(&r);
  if (!find_source(&r, path, &file)) return;
  diag_line_col(r.diag, (Span){file, 0, 0}, &line, &column); /* finds the lines */
  const Source *source = &r.diag->sources.items[file];
  const Entry *e = r.entries.items, *end = e + r.entries.count;
  while (e < end && e->at.file != file) e++;
  for (line = 1; line <= source->line_count; line++) {
    const Entry *from = e;
    if (line == source->line_count && source->line_starts[line - 1] == source->len) break; /* behind the last */
    while (e < end && e->at.file == file && e->line == line) e++;
    put_margin(&r, from, e);
    put_line_text(&r, source, line);
    put_reasons(&r, from, e);
  }
  put_summary(&r);
}

/* ---- JSON ---------------------------------------------------------------------------------------- */

static void put_json_text(FILE *out, const char *text) {
  fputc('"', out);
  for (const char *s = text; *s; s++) {
    if (*s == '"' || *s == '\\') fputc('\\', out);
    if ((unsigned char)*s < ' ') fprintf(out, "\\u%04x", *s);
    else fputc(*s, out);
  }
  fputc('"', out);
}

static void put_json_place(Report *r, Span at) {
  uint32_t line = 0, column = 0;
  if (at.file == NO_FILE) return;
  diag_line_col(r->diag, at, &line, &column);
  fputs(", \"file\": ", r->out);
  put_json_text(r->out, diag_path(r->diag, at));
  fprintf(r->out, ", \"line\": %u, \"column\": %u", line, column);
}

static void put_json_steps(Report *r, const PlaceSite *s) {
  Step steps[STEPS_MAX];
  size_t count = find_steps(r, s, steps);
  fputs(", \"why\": [", r->out);
  for (size_t i = 0; i < count; i++) {
    fputs(i ? ", {\"text\": " : "{\"text\": ", r->out);
    put_json_text(r->out, steps[i].text);
    put_json_place(r, steps[i].at);
    if (steps[i].fn) fputs(", \"function\": ", r->out), put_json_text(r->out, steps[i].fn);
    fputc('}', r->out);
  }
  fputc(']', r->out);
}

void explain_places_json(LowProgram *low, FILE *out) {
  Report r = {.low = low, .diag = low->program->diag, .arena = low->arena, .out = out};
  unsigned counts[KIND_COUNT] = {0};
  collect(&r);
  fputs("{\"sites\": [", out);
  for (size_t i = 0; i < r.entries.count; i++) {
    const Entry *e = &r.entries.items[i];
    counts[e->kind]++;
    fputs(i ? ",\n  {\"what\": " : "\n  {\"what\": ", out);
    put_json_text(out, e->site->name);
    fprintf(out, ", \"place\": \"%s\"", kind_names[e->kind]);
    if (name_of_fn(e->fn)) fputs(", \"function\": ", out), put_json_text(out, name_of_fn(e->fn));
    put_json_place(&r, e->at);
    if (e->kind == KIND_HEAP) put_json_steps(&r, e->site);
    fputc('}', out);
  }
  fputs("],\n \"summary\": {", out);
  for (unsigned k = 0; k < KIND_COUNT; k++) fprintf(out, "%s\"%s\": %u", k ? ", " : "", kind_names[k], counts[k]);
  fputs("}}\n", out);
}

/* ---- --no-heap-in --------------------------------------------------------------------------------- */

static bool is_named(const PlaceFn *f, const char *name) {
  const Global *g = f->low->lambda ? f->low->lambda->global : NULL;
  return g && !strcmp(g->name, name);
}

static void report_site(Report *r, const PlaceFn *f, const PlaceSite *s, const char *function) {
  Step steps[STEPS_MAX];
  size_t count = find_steps(r, s, steps);
  Span at = site_span(r, s);
  if (at.file == NO_FILE) at = s->op->pos.file != NO_FILE ? s->op->pos : s->stmt->span;
  const char *in = name_of_fn(f), *verb = s->grows ? "may need memory" : "is on the heap";
  if (in && !is_named(f, function)) diag_error(r->diag, at, "%s %s, in `%s`, which `%s` calls", s->name, verb, in, function);
  else diag_error(r->diag, at, "%s %s, in `%s`", s->name, verb, function);
  for (size_t i = 0; i < count; i++)
    diag_note(r->diag, steps[i].at.file != NO_FILE ? steps[i].at : at, "%s%s", i ? "there " : "", steps[i].text);
}

/* Of calls, those whose result the callee is told to put on the heap. */
static bool is_on_heap(const PlaceSite *s) {
  if (s->grows) return true;
  return s->fresh && s->op->where == WHERE_HEAP && !(s->callee && s->stmt->is_tail);
}

bool explain_no_heap(LowProgram *low, const char *function) {
  Report r = {.low = low, .diag = low->program->diag, .arena = low->arena};
  Place *p = low->placement;
  PtrMap seen = {.arena = low->arena};
  VEC(PlaceFn *) extent = {0};
  size_t before = r.diag->error_count;
  for (size_t i = 0; p && i < p->all.count; i++)
    if (is_named(p->all.items[i], function)) PUSH(low->arena, extent, p->all.items[i]);
  if (!extent.count) diag_error(r.diag, NO_SPAN, "--no-heap-in: no function `%s` is called", function);
  for (size_t i = 0; i < extent.count; i++) {
    PlaceFn *f = extent.items[i];
    if (ptrmap_get(&seen, f)) continue;
    ptrmap_put(&seen, f, f);
    for (size_t j = 0; j < f->sites.count; j++)
      if (is_on_heap(&f->sites.items[j])) report_site(&r, f, &f->sites.items[j], function);
    for (size_t j = 0; j < f->unknown_calls.count; j++)
      diag_error(r.diag, f->unknown_calls.items[j]->op.pos, "a function that is not known here is called, in `%s`",
                 name_of_fn(f) ? name_of_fn(f) : function);
    for (size_t j = 0; j < f->calls.count; j++)
      if (f->calls.items[j].is_call) PUSH(low->arena, extent, f->calls.items[j].callee);
  }
  return r.diag->error_count > before;
}
