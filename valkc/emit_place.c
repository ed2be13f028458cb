/* emit_place.c - source positions in C: the table of VkPos, and #line directives.
 *
 * Equal positions of one function are one entry, so the runtime may compare pointers. */
#include "emit_parts.h"
#include "../lang/unicode.h"
#include <string.h>

/* ---- line and column ----------------------------------------------------------------------- */

static bool is_on_line(const Source *s, uint32_t line, uint32_t start) {
  if (start < s->line_starts[line - 1]) return false;
  return line == s->line_count || start < s->line_starts[line];
}

static uint32_t count_code_points(const Source *s, uint32_t from, uint32_t to) {
  uint32_t count = 0;
  unsigned len;
  for (uint32_t p = from; p < to; p += len, count++) utf8_decode(s->text + p, s->text + s->len, &len);
  return count;
}

/* diag_line_col, which counts from the start of the line, made cheap for places near the last
 * one: a program may be one long line. */
static void locate(Emit *e, Span at, uint32_t *line, uint32_t *column) {
  const Source *s = &e->p->diag->sources.items[at.file];
  Located *last = &e->located;
  if (last->file != at.file || !is_on_line(s, last->line, at.start))
    diag_line_col(e->p->diag, at, &last->line, &last->column);
  else if (at.start >= last->start)
    last->column += count_code_points(s, last->start, at.start);
  else
    last->column -= count_code_points(s, at.start, last->start);
  last->file = at.file;
  last->start = at.start;
  *line = last->line;
  *column = last->column;
}

static uint32_t line_of(Emit *e, Span at) {
  const Source *s = &e->p->diag->sources.items[at.file];
  uint32_t line = e->line, column;
  if (at.file != e->file || !is_on_line(s, line, at.start)) locate(e, at, &line, &column);
  return line;
}

/* ---- the table ----------------------------------------------------------------------------- */

typedef struct Place {
  Span at;
  const LowFn *fn;
} Place;
typedef struct PlaceTable {
  VEC(Place) places;
  uint32_t *slots; /* index into places, plus one; 0: free */
  size_t capacity; /* a power of two, at most half full */
} PlaceTable;

static size_t place_hash(Place p) {
  uint64_t h = ((uint64_t)p.at.file << 32 | p.at.start) * 0x9e3779b97f4a7c15u ^ (uintptr_t)p.fn;
  h *= 0xe7037ed1a0b428dbu;
  return (size_t)(h ^ h >> 32);
}

static bool same_place(Place a, Place b) {
  return a.at.file == b.at.file && a.at.start == b.at.start && a.fn == b.fn;
}

static uint32_t *find_slot(PlaceTable *t, Place p) {
  size_t mask = t->capacity - 1, i = place_hash(p) & mask;
  while (t->slots[i] && !same_place(t->places.items[t->slots[i] - 1], p)) i = (i + 1) & mask;
  return &t->slots[i];
}

static void grow(Emit *e, PlaceTable *t) {
  t->capacity = t->capacity ? t->capacity * 2 : 256;
  t->slots = ARENA_ARRAY(e->arena, uint32_t, t->capacity);
  for (size_t i = 0; i < t->places.count; i++)
    *find_slot(t, t->places.items[i]) = (uint32_t)i + 1;
}

void put_place(Emit *e, Span at) {
  if (!e->places) e->places = ARENA_NEW(e->arena, PlaceTable);
  PlaceTable *t = e->places;
  if (at.file == NO_FILE) at = e->fn->span;
  if (at.file == NO_FILE) {
    put(e, "NULL");
    return;
  }
  if (2 * t->places.count >= t->capacity) grow(e, t);
  Place p = {at, e->fn};
  uint32_t *slot = find_slot(t, p);
  if (!*slot) {
    PUSH(e->arena, t->places, p);
    *slot = (uint32_t)t->places.count;
  }
  put(e, "&at[%u]", (unsigned)*slot - 1);
}

static void use_file(Emit *e, uint32_t file) {
  if (!e->is_file_used) e->is_file_used = ARENA_ARRAY(e->arena, bool, e->p->diag->sources.count);
  e->is_file_used[file] = true;
}

void put_place_fields(Emit *e, Span at) {
  uint32_t line = 0, column = 0;
  if (at.file == NO_FILE) {
    put(e, "{NULL, NULL, 0, 0}");
    return;
  }
  use_file(e, at.file);
  locate(e, at, &line, &column);
  put(e, "{file_%u, ", at.file);
  Lambda *within = core_function_at(e->p, at); /* inlined code keeps the name it was written under */
  if (!within) put(e, "NULL");
  else if (!within->name) put_string(e, "\\", 1);
  else put_string(e, within->name, strlen(within->name));
  put(e, ", %u, %u}", line, column);
}

void emit_places(Emit *e) {
  if (!e->places) return;
  put(e, "\n");
  emit_definition(e, "VkPos", "at", "[]");
  put(e, " = {\n");
  for (size_t i = 0; i < e->places->places.count; i++) {
    Place p = e->places->places.items[i];
    put(e, "  /* %z */ ", i);
    put_place_fields(e, p.at);
    put(e, ",\n");
  }
  put(e, "};\n");
}

void emit_files(Emit *e) {
  if (!e->is_file_used) return;
  put(e, "\n");
  for (uint32_t i = 0; i < e->p->diag->sources.count; i++) {
    const char *path = e->p->diag->sources.items[i].name;
    if (!e->is_file_used[i]) continue;
    put(e, "static const char file_%u[] = ", i);
    put_string(e, path, strlen(path));
    put(e, ";\n");
  }
}

void emit_line_directive(Emit *e, Span at) {
  if (at.file == NO_FILE || e->p->is_quick) return; /* TinyCC's code has no lines, and reading is half its work */
  uint32_t line = line_of(e, at);
  if (line == e->line && at.file == e->file) return;
  put(e, "#line %u", line);
  const char *path = e->p->diag->sources.items[at.file].name;
  if (at.file != e->file) put(e, " ");
  if (at.file != e->file) put_string(e, path, strlen(path));
  put(e, "\n");
  e->line = line;
  e->file = at.file;
}
