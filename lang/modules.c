/* modules.c - name spaces: (module name {export ...}), (import "path" {...}) (LANGUAGE.md 8).
 *
 * Every file that is imported is a Module, and so is the program with what it loads. A module's
 * globals are globals of the program under a key that contains the module, so that nothing else
 * can name them; what others may write is in their tables of imports. A module is read once, at
 * its first import, and its forms run there. */
#include "expander.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- globals of modules --------------------------------------------------------------------- */

/* Reads as `json/parse`; the number after its NUL makes it differ from other modules' names and
 * from what a program could write. */
static const char *key_of(Program *p, const Module *m, const char *name) {
  if (!m->name) return name;
  size_t prefix = strlen(m->name), len = strlen(name),
         total = prefix + 1 + len + 1 + sizeof m->id;
  char small[128], *bytes = total <= sizeof small ? small : malloc(total);
  if (!bytes) diag_bug(p->diag, NO_SPAN, "expand", "out of memory");
  memcpy(bytes, m->name, prefix);
  bytes[prefix] = '/';
  memcpy(bytes + prefix + 1, name, len + 1);
  memcpy(bytes + prefix + 1 + len + 1, &m->id, sizeof m->id);
  const char *key = name_of(p->names, bytes, total);
  if (bytes != small) free(bytes);
  return key;
}

Global *module_global(Program *p, Module *m, const char *name) {
  const char *key = key_of(p, m, name);
  Global *g = ptrmap_get(&p->global_by_name, key);
  if (g) return g;
  g = ARENA_NEW(p->lasting, Global);
  g->name = key;
  g->plain = name;
  g->module = m;
  g->span = NO_SPAN;
  g->slot = -1;
  if (p->is_open) g->kind = GLOBAL_VARIABLE;
  ptrmap_put(&p->global_by_name, key, g);
  PUSH(p->lasting, p->globals, g);
  return g;
}

static Global *find_own(Program *p, Module *m, const char *name) {
  Global *g = ptrmap_get(&p->global_by_name, key_of(p, m, name));
  if (g && g->def_count > 0) return g;
  bool is_pending = p->is_compile_time && ptrmap_get(&m->definitions, name);
  return is_pending ? module_global(p, m, name) : NULL;
}

Global *module_find(Program *p, Module *m, const char *name, unsigned *seq) {
  Global *g = find_own(p, m, name);
  Import *i = g ? NULL : ptrmap_get(&m->imports, name);
  if (i) g = find_own(p, i->module, i->name);
  *seq = p->is_open || !g ? 0 : i ? i->seq : g->def_seq;
  return g;
}

Macro *module_macro(Module *m, const char *name) {
  Macro *macro = ptrmap_get(&m->macros, name);
  Import *i = macro || !m->imports.count ? NULL : ptrmap_get(&m->imports, name);
  return i ? ptrmap_get(&i->module->macros, i->name) : macro;
}

void modules_forget_macros(Program *p) {
  for (size_t i = 0; i < p->expander->modules.count; i++)
    p->expander->modules.items[i]->macros = (PtrMap){.arena = p->lasting};
}

/* ---- (module name {export ...}) -------------------------------------------------------------- */

Module *module_new(Expander *x) {
  Arena *a = x->p->lasting;
  Module *m = ARENA_NEW(a, Module);
  m->id = (unsigned)x->modules.count;
  m->span = NO_SPAN;
  m->exported.arena = m->imports.arena = m->prefixes.arena = m->macros.arena =
      m->definitions.arena = a;
  PUSH(a, x->modules, m);
  return m;
}

bool is_module_form(const Datum *d) {
  return d->kind == DATUM_LIST && !d->is_quoted && d->count > 0 &&
         datum_is_symbol(d->items[0], "module");
}

static void declare_export(Expander *x, Module *m, Datum *name) {
  if (name->kind != DATUM_SYMBOL) {
    diag_error(x->p->diag, name->span, "a name is expected here");
    return;
  }
  if (ptrmap_get(&m->exported, name->text)) {
    diag_warning(x->p->diag, name->span, "`%s` is exported twice", name->text);
    return;
  }
  ptrmap_put(&m->exported, name->text, name);
  PUSH(x->p->lasting, m->exports, name);
}

void module_declare(Expander *x, Module *m, Datum *d) {
  Datum *exports = d->count > 2 ? d->items[2] : NULL;
  bool is_right = d->count >= 2 && d->count <= 3 && d->items[1]->kind == DATUM_SYMBOL;
  if (exports && !(datum_is_block(exports) && exports->count > 0 &&
                   datum_is_symbol(exports->items[0], "export")))
    is_right = false;
  if (!is_right) {
    diag_error(x->p->diag, d->span, "`module` is written (module name {export names...})");
    return;
  }
  m->name = d->items[1]->text;
  m->span = d->items[1]->span;
  for (size_t i = 1; exports && i < exports->count; i++)
    declare_export(x, m, exports->items[i]);
}

Core *form_module(Expander *x, Datum *d, Ctx ctx) {
  (void)ctx;
  return expand_fail_at(x, d,
                        "`module` is the first form of a file that is imported, not loaded");
}

/* Once the module is expanded: there is something behind each exported name. */
static void check_exports(Expander *x, Module *m) {
  for (size_t i = 0; i < m->exports.count; i++) {
    Datum *e = m->exports.items[i];
    if (find_own(x->p, m, e->text) || ptrmap_get(&m->macros, e->text)) continue;
    diag_error(x->p->diag, e->span, "`%s` is exported, but not defined in this module",
               e->text);
  }
}

/* ---- files ----------------------------------------------------------------------------------- */

bool find_source(Expander *x, const Datum *name, bool in_cwd, const char *ending,
                 uint32_t *file, const char **path) {
  Program *p = x->p;
  const char *from = diag_path(p->diag, name->span), *slash = strrchr(from, '/');
  const char *here = slash ? arena_copy(p->arena, from, (size_t)(slash - from)) : ".";
  const char *dirs[] = {here, in_cwd ? "." : here, p->std_dir ? p->std_dir : here};
  for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
    bool plain = name->text[0] == '/' || !strcmp(dirs[i], ".");
    *path = plain ? arena_printf(p->lasting, "%s%s", name->text, ending)
                  : arena_printf(p->lasting, "%s/%s%s", dirs[i], name->text, ending);
    if (diag_load_source(p->diag, *path, file)) return true;
  }
  return false;
}

static Module *module_by_path(Expander *x, const char *real) {
  for (size_t i = 0; i < x->modules.count; i++)
    if (x->modules.items[i]->path == real) return x->modules.items[i];
  return NULL;
}

static const char *shown_name(const Module *m, const char *path) {
  return m && m->name ? m->name : path;
}

static void report_cycle(Expander *x, Module *m, Span at) {
  Program *p = x->p;
  VEC(const char *) names = {0};
  LoadChain *l = x->loads;
  for (; l; l = l->outer) {
    Module *in = l->module ? l->module : l->outer ? NULL : p->root;
    if (in) PUSH(p->arena, names, shown_name(in, l->path));
    if (in == m) break;
  }
  const char *chain = "";
  for (size_t i = names.count; i-- > 0;)
    chain = arena_printf(p->arena, "%s%s -> ", chain, names.items[i]);
  diag_error(p->diag, at, "modules import each other: %s%s", chain, shown_name(m, m->path));
}

/* Expands the file of a new module. */
static Module *load_module(Expander *x, uint32_t file, const char *path, const char *real,
                           Span at) {
  Module *m = module_new(x);
  m->path = real;
  LoadChain chain = {path, x->loads, m};
  x->loads = &chain;
  m->is_loading = true;
  size_t errors = x->p->diag->error_count;
  expand_top_forms(x, file, m);
  m->is_loading = false;
  x->loads = chain.outer;
  if (!m->name && x->p->diag->error_count == errors)
    diag_error(x->p->diag, at,
               "%s is no module: its first form is not (module name {export ...})", path);
  check_exports(x, m);
  return m;
}

static Module *import_file(Expander *x, Datum *name) {
  uint32_t file;
  const char *path;
  size_t sources = x->p->diag->sources.count;
  if (!find_source(x, name, false, ".valk", &file, &path)) {
    diag_error(x->p->diag, name->span, "cannot find %s.valk beside this file or in the library",
               name->text);
    return NULL;
  }
  char *resolved = realpath(path, NULL);
  const char *real = name_c(x->p->names, resolved ? resolved : path);
  free(resolved);
  Module *m = module_by_path(x, real);
  if (!m) return load_module(x, file, path, real, name->span);
  x->p->diag->sources.count = sources; /* read again for nothing */
  if (m->is_loading) {
    report_cycle(x, m, name->span);
    return NULL;
  }
  return m;
}

/* ---- (import "path" {names}) ------------------------------------------------------------------ */

static void bind_import(Expander *x, Module *into, const char *visible, Module *m, Datum *name,
                        Span at) {
  Import *i = ARENA_NEW(x->p->lasting, Import);
  *i = (Import){m, name->text, ++x->seq, at};
  ptrmap_put(&into->imports, visible, i);
}

static void import_whole(Expander *x, Module *into, Module *m, Span at) {
  if (!m->name) return; /* reported */
  ptrmap_put(&into->prefixes, m->name, m);
  for (size_t i = 0; i < m->exports.count; i++) {
    const char *visible =
        arena_printf(x->p->arena, "%s/%s", m->name, m->exports.items[i]->text);
    bind_import(x, into, name_c(x->p->names, visible), m, m->exports.items[i], at);
  }
}

static void report_not_exported(Program *p, Module *m, const char *name, Span at) {
  Global *g = find_own(p, m, name);
  Macro *macro = ptrmap_get(&m->macros, name);
  if (g || macro) {
    diag_error(p->diag, at, "`%s` is private to the module `%s`", name, m->name);
    diag_note(p->diag, g ? g->span : macro->span, "it is defined here");
    diag_note(p->diag, m->span, "but the module does not export it");
    return;
  }
  DiagNearest near = {.name = name};
  for (size_t i = 0; i < m->exports.count; i++) diag_consider(&near, m->exports.items[i]->text);
  diag_error(p->diag, at, "the module `%s` exports no `%s`", m->name ? m->name : m->path, name);
  if (near.best) diag_note(p->diag, NO_SPAN, "did you mean `%s`?", near.best);
}

static void import_names(Expander *x, Module *into, Module *m, Datum *names) {
  for (size_t i = 0; i < names->count; i++) {
    Datum *name = names->items[i];
    if (name->kind != DATUM_SYMBOL)
      diag_error(x->p->diag, name->span, "a name is expected here");
    else if (!ptrmap_get(&m->exported, name->text))
      report_not_exported(x->p, m, name->text, name->span);
    else
      bind_import(x, into, name->text, m, name, name->span);
  }
}

Core *form_import(Expander *x, Datum *d, Ctx ctx) {
  Datum *name = d->items[1], *names = d->count > 2 ? d->items[2] : NULL;
  if (!ctx.is_top) return expand_fail_at(x, d, "`import` stands at top level only");
  if (name->kind != DATUM_STRING)
    return expand_fail_at(x, name, "the path of an import is a string");
  if (names && !datum_is_block(names))
    return expand_fail_at(x, names, "`import` takes a block of names: {parse print}");
  Module *m = import_file(x, name);
  if (!m) return expand_fail(x, d->span);
  if (names)
    import_names(x, ctx.module, m, names);
  else
    import_whole(x, ctx.module, m, name->span);
  return core_nil(x->p, d->span);
}

bool module_reports_private(Program *p, Module *m, const char *name, Span at) {
  const char *slash = strrchr(name, '/');
  if (!slash || slash == name || !m->prefixes.count) return false;
  Module *of = ptrmap_get(&m->prefixes, name_of(p->names, name, (size_t)(slash - name)));
  if (!of) return false;
  report_not_exported(p, of, name_c(p->names, slash + 1), at);
  return true;
}
