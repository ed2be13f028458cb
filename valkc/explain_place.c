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
  uint64_t heap_bytes, scratch_bytes, count; /* of a run */
} Entry;
typedef struct Report {
  LowProgram *low;
  Diag *diag;
  Arena *arena;
  VEC(Entry) entries;
  FILE *out;
  bool use_colour;
  const Profile *profile; /* or NULL */
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

static void count_bytes(const Report *r, Entry *e) {
  unsigned site = e->site->op->site;
  if (!r->profile || site >= r->profile->count) return;
  const ProfileSite *p = &r->profile->sites[site];
  e->heap_bytes = p->heap_bytes;
  e->scratch_bytes = p->scratch_bytes;
  e->count = p->count;
}

static void add_bytes(Entry *to, const Entry *e) {
  to->heap_bytes += e->heap_bytes;
  to->scratch_bytes += e->scratch_bytes;
  to->count += e->count;
}

static void collect(Report *r) {
  Place *p = r->low->placement;
  for (size_t i = 0; p && i < p->all.count; i++) {
    PlaceFn *f = p->all.items[i];
    for (size_t j = 0; j < f->sites.count; j++) {
      PlaceSite *s = &f->sites.items[j];
      Entry e = {.site = s, .fn = f, .at = site_span(r, s), .kind = kind_of(s)};
      if (!place_is_shown(s) || !is_user_text(r, e.at)) continue;
      diag_line_col(r->diag, e.at, &e.line, &e.column);
      count_bytes(r, &e);
      PUSH(r->arena, r->entries, e);
    }
  }
  if (r->entries.count) qsort(r->entries.items, r->entries.count, sizeof(Entry), by_place);
  size_t kept = 0;
  for (size_t i = 0; i < r->entries.count; i++) {
    Entry *e = &r->entries.items[i], *last = kept ? &r->entries.items[kept - 1] : NULL;
    if (!last || by_place(last, e) != 0) r->entries.items[kept++] = *e;
    else add_bytes(last, e);
  }
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
  size_t count = 0;
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

/* 5 figures at most: "999 B", "12.3 KB". */
typedef struct BytesText {
  char text[16];
} BytesText;

static BytesText bytes_text(uint64_t bytes) {
  static const char *const units[] = {"KB", "MB", "GB", "TB"};
  BytesText t;
  double n = (double)bytes / 1000;
  unsigned unit = 0;
  for (; n >= 999.95 && unit < 3; unit++) n /= 1000;
  if (bytes < 1000) snprintf(t.text, sizeof t.text, "%u B", (unsigned)bytes);
  else snprintf(t.text, sizeof t.text, "%.1f %s", n, units[unit]);
  return t;
}

enum { BYTES_WIDTH = 10 }; /* with a blank behind */

static void put_line_bytes(Report *r, const Entry *from, const Entry *to) {
  uint64_t bytes = 0;
  if (!r->profile) return;
  for (const Entry *e = from; e < to; e++) bytes += e->heap_bytes + e->scratch_bytes;
  fprintf(r->out, "%*s ", BYTES_WIDTH - 1, bytes ? bytes_text(bytes).text : "");
}

static void put_line_text(Report *r, const Source *source, uint32_t line) {
  const char *start = source->text + source->line_starts[line - 1];
  const char *end = memchr(start, '\n', source->len - source->line_starts[line - 1]);
  int length = (int)((end ? end : source->text + source->len) - start);
  fprintf(r->out, "%4u | %.*s\n", line, length, start);
}

static void put_fallen(Report *r, const Entry *e) {
  if (!e->heap_bytes) return;
  fprintf(r->out, "%*s     | %u: %s: %s of it on the heap, as scratch was full, or it was too large\n",
          MARGIN + BYTES_WIDTH, "", e->column, e->site->name, bytes_text(e->heap_bytes).text);
}

static void put_reasons(Report *r, const Entry *from, const Entry *to) {
  for (const Entry *e = from; e < to; e++) {
    if (e->kind != KIND_HEAP) {
      put_fallen(r, e);
      continue;
    }
    fprintf(r->out, "%*s     | ", MARGIN + (r->profile ? BYTES_WIDTH : 0), "");
    if (r->use_colour) fputs(kind_colours[KIND_HEAP], r->out);
    fprintf(r->out, "%u: %s: ", e->column, e->site->name);
    put_steps(r, e->site);
    if (e->heap_bytes) fprintf(r->out, "; %s", bytes_text(e->heap_bytes).text);
    fprintf(r->out, r->use_colour ? "\033[0m\n" : "\n");
  }
}

typedef struct Totals {
  uint64_t scratch, heap, fallen, elsewhere; /* bytes; fallen: meant for scratch, which was full */
} Totals;

/* Sites of the library that no line of the program is near to are elsewhere, too. */
static Totals find_totals(const Report *r) {
  Totals t = {0};
  for (size_t i = 0; i < r->profile->count; i++) {
    t.elsewhere += r->profile->sites[i].heap_bytes;
    t.scratch += r->profile->sites[i].scratch_bytes;
  }
  for (size_t i = 0; i < r->entries.count; i++) {
    const Entry *e = &r->entries.items[i];
    t.elsewhere -= e->heap_bytes;
    *(e->kind == KIND_HEAP ? &t.heap : &t.fallen) += e->heap_bytes;
  }
  return t;
}

static void put_total(Report *r, uint64_t bytes, const char *what) {
  fprintf(r->out, "%*s %s\n", BYTES_WIDTH - 1, bytes_text(bytes).text, what);
}

static void put_profile_summary(Report *r) {
  Totals t = find_totals(r);
  uint64_t heap = t.heap + t.fallen + t.elsewhere;
  fputs("\nBytes allocated by this run\n", r->out);
  put_total(r, t.scratch, "in scratch");
  put_total(r, t.heap, "on the heap, as above");
  put_total(r, t.fallen, "on the heap because scratch was full, or it was too large for it");
  put_total(r, t.elsewhere, "on the heap elsewhere: numbers, errors, what the runtime itself needs");
  if (t.scratch + heap) fprintf(r->out, "%.1f %% kept out of the heap\n", 100.0 * (double)t.scratch / (double)(t.scratch + heap));
}

static void put_summary(Report *r) {
  unsigned counts[KIND_COUNT] = {0};
  for (size_t i = 0; i < r->entries.count; i++) counts[r->entries.items[i].kind]++;
  fprintf(r->out, "\n%zu places that allocate\n", r->entries.count);
  for (unsigned k = 0; k < KIND_COUNT; k++)
    if (counts[k]) fprintf(r->out, "%6u %-7s %s\n", counts[k], kind_names[k], kind_docs[k]);
  if (r->profile) put_profile_summary(r);
}

static bool find_source(Report *r, const char *path, uint32_t *file) {
  for (*file = 0; *file < r->diag->sources.count; ++*file)
    if (!strcmp(r->diag->sources.items[*file].path, path)) return true;
  return false;
}

void explain_places(LowProgram *low, const char *path, FILE *out, bool use_colour, const Profile *profile) {
  Report r = {.low = low, .diag = low->program->diag, .arena = low->arena, .out = out, .use_colour = use_colour,
              .profile = profile};
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
    put_line_bytes(&r, from, e);
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

static void put_json_totals(Report *r) {
  Totals t = find_totals(r);
  fprintf(r->out, ",\n \"bytes\": {\"scratch\": %llu, \"heap\": %llu, \"fallen\": %llu, \"elsewhere\": %llu}",
          (unsigned long long)t.scratch, (unsigned long long)t.heap, (unsigned long long)t.fallen,
          (unsigned long long)t.elsewhere);
}

void explain_places_json(LowProgram *low, FILE *out, const Profile *profile) {
  Report r = {.low = low, .diag = low->program->diag, .arena = low->arena, .out = out, .profile = profile};
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
    if (profile)
      fprintf(out, ", \"heap_bytes\": %llu, \"scratch_bytes\": %llu, \"count\": %llu",
              (unsigned long long)e->heap_bytes, (unsigned long long)e->scratch_bytes, (unsigned long long)e->count);
    if (e->kind == KIND_HEAP) put_json_steps(&r, e->site);
    fputc('}', out);
  }
  fputs("],\n \"summary\": {", out);
  for (unsigned k = 0; k < KIND_COUNT; k++) fprintf(out, "%s\"%s\": %u", k ? ", " : "", kind_names[k], counts[k]);
  fputs("}", out);
  if (profile) put_json_totals(&r);
  fputs("}\n", out);
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
  const char *in = name_of_fn(f);
  if (in && !is_named(f, function)) diag_error(r->diag, at, "%s is on the heap, in `%s`, which `%s` calls", s->name, in, function);
  else diag_error(r->diag, at, "%s is on the heap, in `%s`", s->name, function);
  for (size_t i = 0; i < count; i++)
    diag_note(r->diag, steps[i].at.file != NO_FILE ? steps[i].at : at, "%s%s", i ? "there " : "", steps[i].text);
}

/* Of calls, those whose result the callee is told to put on the heap. */
static bool is_on_heap(const PlaceSite *s) {
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
