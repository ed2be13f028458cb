/* library.c - std: found by name at once, read and expanded as programs use it.
 *
 * std/INDEX lists the files. Each top-level form begins in column 1 and is `(fun {name ...} ...)`
 * or `(def {name} ...)`, so that a file is indexed without being read: a name nobody refers to
 * costs a look at its line. Primitives are library names too. */
#include "expander.h"
#include <stdio.h>
#include <string.h>

struct Library {
  PtrMap by_name; /* interned name -> Global */
  VEC(Global *) globals;
  PtrMap scanned; /* names library_mentions_eval has been asked about */
};

static Global *add_global(Program *p, const char *name, GlobalKind kind) {
  Global *g = ARENA_NEW(p->lasting, Global);
  g->name = name;
  g->kind = kind;
  g->slot = -1;
  g->is_library = true;
  g->span = NO_SPAN;
  ptrmap_put(&p->library->by_name, name, g);
  PUSH(p->lasting, p->library->globals, g);
  return g;
}

/* The definition that begins at `at`, in column 1 of a file. */
static void index_definition(Program *p, uint32_t file, const char *text, const char *at) {
  bool is_fun = !strncmp(at, "(fun {", 6);
  Span form = {file, (uint32_t)(at - text), (uint32_t)(at - text) + 1};
  size_t len = strcspn(at + 6, " }\n");
  if ((!is_fun && strncmp(at, "(def {", 6)) || len == 0) {
    diag_error(p->diag, form, "std holds definitions only, (fun {name ...} ...) and (def {name} ...)");
    return;
  }
  const char *name = name_of(p->names, at + 6, len);
  Global *g = add_global(p, name, is_fun ? GLOBAL_FUNCTION : GLOBAL_VARIABLE);
  g->span = (Span){file, form.start + 6, form.start + 6 + (uint32_t)len};
  g->is_pending = true;
  g->def_count = 1;
  g->is_top_fun = is_fun;
}

static void index_file(Program *p, uint32_t file) {
  Source *s = &p->diag->sources.items[file];
  s->is_library = true;
  for (const char *at = s->text; at; at = strchr(at, '\n')) {
    at += *at == '\n';
    if (*at == '(') index_definition(p, file, s->text, at);
  }
}

Datum *library_definition(Program *p, Global *g) {
  if (g->definition) return g->definition;
  uint32_t start = g->span.start - 6;
  g->definition = read_one_at(p->lasting, p->names, p->diag, g->span.file, start);
  if (!g->definition) diag_bug(p->diag, g->span, "expand", "this definition of std cannot be read");
  g->doc = read_doc_above(p->lasting, p->diag, g->definition->span);
  return g->definition;
}

static void load_file(Program *p, const char *name, size_t len) {
  const char *path = arena_printf(p->lasting, "%s/%.*s", p->std_dir, (int)len, name);
  uint32_t file;
  if (diag_load_source(p->diag, path, &file)) {
    p->diag->sources.items[file].name = arena_printf(p->lasting, "std/%.*s", (int)len, name);
    index_file(p, file);
  } else diag_error(p->diag, NO_SPAN, "the library file %s cannot be read: valkc is not installed whole", path);
}

static void load_index(Program *p) {
  uint32_t file;
  const char *index = arena_printf(p->lasting, "%s/INDEX", p->std_dir);
  if (!diag_load_source(p->diag, index, &file)) {
    diag_error(p->diag, NO_SPAN, "the library index %s cannot be read: valkc is not installed whole", index);
    return;
  }
  const char *at = p->diag->sources.items[file].text;
  while (*at) {
    size_t len = strcspn(at, "\n");
    if (len > 0 && *at != '#') load_file(p, at, len);
    at += len + (at[len] == '\n');
  }
}

Library *library_load(Program *p) {
  p->library = ARENA_NEW(p->lasting, Library);
  p->library->by_name.arena = p->library->scanned.arena = p->lasting;
  if (!p->library_texts) load_index(p);
  else
    for (const LibraryText *t = p->library_texts; t->path; t++)
      index_file(p, diag_add_source(p->diag, t->path, t->text, t->len));
  return p->library;
}

Global *library_find(Program *p, const char *name) {
  Global *g = ptrmap_get(&p->library->by_name, name);
  if (g) return g;
  const Prim *prim = prim_find(name);
  if (!prim) return NULL;
  g = add_global(p, name, GLOBAL_PRIM);
  g->prim = prim;
  g->doc = prim->doc;
  return g;
}

Global *library_global(Program *p, const char *name) { return library_find(p, name); }

bool library_constant(const char *name, int64_t *value, bool *is_nil) {
  *is_nil = !strcmp(name, "nil");
  *value = !strcmp(name, "true") || !strcmp(name, "otherwise");
  return *is_nil || *value || !strcmp(name, "false");
}

static bool datum_mentions_eval(Program *p, const Datum *d) {
  if (d->kind == DATUM_SYMBOL) return library_mentions_eval(p, d->text);
  if (d->kind != DATUM_LIST && d->kind != DATUM_VECTOR && d->kind != DATUM_MAP) return false;
  for (size_t i = 0; i < d->count; i++)
    if (datum_mentions_eval(p, d->items[i])) return true;
  return false;
}

bool library_mentions_eval(Program *p, const char *name) {
  if (!strcmp(name, "eval") || !strcmp(name, "%run-block")) return true;
  if (ptrmap_get(&p->library->scanned, name)) return false;
  ptrmap_put(&p->library->scanned, name, (void *)name);
  Global *g = ptrmap_get(&p->library->by_name, name);
  return g && g->is_pending && datum_mentions_eval(p, library_definition(p, g));
}

void library_each_name(Program *p, void (*visit)(void *to, const char *name), void *to) {
  for (size_t i = 0; i < p->library->globals.count; i++) {
    Global *g = p->library->globals.items[i];
    if (g->name[0] != '%' && g->kind != GLOBAL_PRIM) visit(to, g->name);
  }
  for (size_t i = 0; i < prim_count; i++)
    if (prim_table[i].name[0] != '%' || !prim_table[i].name[1]) visit(to, prim_table[i].name);
}

static void consider(void *near, const char *name) { diag_consider(near, name); }

void library_consider(Program *p, DiagNearest *near) { library_each_name(p, consider, near); }
