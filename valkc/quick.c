/* quick.c - TinyCC as a library (contract: quick.h).
 *
 * in:    C text as emit made it, with its #include lines first
 * out:   code in pages of quick_memory.c
 * keeps: TinyCC opens no file and finds no symbol that we did not give it
 *
 * The #include lines are replaced by the declarations that the text needs (quick_prelude.c). One
 * constant, aligned to a page, is the first of the unit's data, so that code and data do not share
 * a page. TinyCC itself wants to make its code writable and executable, and looks for symbols in
 * libraries: the archive it is linked from has its calls of mprotect, exit and dlopen with its
 * relatives renamed to the functions here (Makefile). */
#include "quick.h"
#include "compile.h"
#include "quick_prelude.h"
#include <libtcc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Beyond this, time to compile counts more than time to run: 20,000 dense lines are 4 MB of C and
 * take 200 ms with inline functions repeated, 65 ms with calls, which run 1.2x as long. */
enum { LEAN_BYTES_MIN = 512 << 10 };

struct QuickUnit {
  void *pages;
  size_t code_bytes, bytes;
  bool is_sealed;
  QuickSymbol *entries; /* the names are in one block behind them */
  size_t entry_count;
};

/* ---- what TinyCC calls ------------------------------------------------------------------- */

int quick_tcc_mprotect(void *p, size_t bytes, int access);
int quick_tcc_mprotect(void *p, size_t bytes, int access) {
  (void)p, (void)bytes, (void)access;
  return 0; /* quick_memory_seal does it */
}

/* It has reported why: no memory, or a bug of its own. */
_Noreturn void quick_tcc_exit(int status);
void quick_tcc_exit(int status) {
  (void)status;
  exit(EXIT_COMPILER);
}

/* There are no libraries: valkc is static, and what a unit may name it is given. */
void *quick_tcc_dlopen(const char *path, int flags);
void *quick_tcc_dlopen(const char *path, int flags) {
  (void)path, (void)flags;
  return NULL;
}
int quick_tcc_dlclose(void *library);
int quick_tcc_dlclose(void *library) {
  (void)library;
  return 0;
}
void *quick_tcc_dlsym(void *library, const char *name);
void *quick_tcc_dlsym(void *library, const char *name) {
  (void)library, (void)name;
  return NULL;
}

/* What its code generator calls by itself. */
static uint64_t double_to_u64(double x) { return (uint64_t)x; }
static double u64_to_double(uint64_t x) { return (double)x; }
static const QuickSymbol helpers[] = {
    {"memcpy", (const void *)memcpy},
    {"memmove", (const void *)memmove},
    {"memset", (const void *)memset},
    {"__fixunsdfdi", (const void *)double_to_u64},
    {"__floatundidf", (const void *)u64_to_double},
};

/* ---- the text ---------------------------------------------------------------------------- */

/* Behind the comments, blank lines and #include lines at the start of the text. */
static const char *skip_includes(const char *p) {
  for (;;) {
    if (!strncmp(p, "/*", 2))
      p = strstr(p, "*/") + 2;
    else if (!strncmp(p, "#include", 8))
      p += strcspn(p, "\n");
    else if (*p == '\n')
      p++;
    else
      return p;
  }
}

/* Declarations and text; malloc. TinyCC lists what is not static: that word goes, if its names
 * are wanted. */
static char *whole_text(const QuickPrelude *prelude, const QuickSource *source, const char *text,
                        size_t len) {
  static const char first_function[] = "void quick_text(void) {}\n";
  static const char first_datum[] =
      "const char quick_data[16] __attribute__((aligned(%zu))) = {1};\n";
  static const char all_listed[] = "#define static\n";
  size_t room = sizeof first_function + prelude->len + sizeof first_datum + 32 +
                sizeof all_listed + len + 1;
  char *whole = malloc(room), *p = whole;
  if (!whole) return NULL;
  p = stpcpy(p, first_function);
  memcpy(p, prelude->text, prelude->len);
  p += prelude->len;
  p += sprintf(p, first_datum, quick_page_bytes());
  if (source->lists_static) p = stpcpy(p, all_listed);
  memcpy(p, text, len);
  p[len] = 0;
  return whole;
}

static void add_symbols(TCCState *tcc, const QuickSource *source, const QuickPrelude *prelude) {
  for (size_t i = 0; i < sizeof helpers / sizeof *helpers; i++)
    tcc_add_symbol(tcc, helpers[i].name, helpers[i].address);
  for (size_t i = 0; i < prelude->symbol_count; i++)
    tcc_add_symbol(tcc, prelude->symbols[i]->symbol, prelude->symbols[i]->address);
  for (size_t i = 0; i < source->symbol_count; i++)
    tcc_add_symbol(tcc, source->symbols[i].name, source->symbols[i].address);
}

static bool compile_text(TCCState *tcc, const QuickSource *source) {
  const char *text = skip_includes(source->text);
  size_t len = source->len - (size_t)(text - source->text);
  QuickPrelude prelude = quick_prelude(text, len, len > LEAN_BYTES_MIN);
  char *whole = whole_text(&prelude, source, text, len);
  bool is_ok = whole && tcc_compile_string(tcc, whole) == 0;
  if (is_ok) add_symbols(tcc, source, &prelude);
  free(whole);
  quick_prelude_free(&prelude);
  return is_ok;
}

/* ---- the code ---------------------------------------------------------------------------- */

typedef struct EntryList {
  const QuickUnit *unit;
  QuickSymbol *items;
  size_t count;
} EntryList;

/* TinyCC lists the symbols that we gave it as well. */
static void note_entry(void *to, const char *name, const void *address) {
  EntryList *list = to;
  const char *start = list->unit->pages, *p = address;
  if (p < start || p >= start + list->unit->bytes) return;
  list->items = realloc(list->items, (list->count + 1) * sizeof *list->items);
  char *copy = strdup(name);
  if (!list->items || !copy) abort();
  list->items[list->count++] = (QuickSymbol){copy, address};
}

static bool place_code(TCCState *tcc, QuickUnit *unit) {
  int needed = tcc_relocate(tcc, NULL);
  if (needed < 0) return false;
  unit->bytes =
      (size_t)needed - (quick_page_bytes() - 1); /* without what aligning might cost */
  unit->pages = quick_memory_take(unit->bytes);
  if (!unit->pages || tcc_relocate(tcc, unit->pages) < 0) return false;
  const char *data = tcc_get_symbol(tcc, "quick_data");
  unit->code_bytes = (size_t)(data - (char *)unit->pages);
  EntryList list = {.unit = unit};
  tcc_list_symbols(tcc, &list, note_entry);
  unit->entries = list.items;
  unit->entry_count = list.count;
  unit->is_sealed = quick_memory_seal(unit->pages, unit->code_bytes, unit->bytes);
  return unit->is_sealed;
}

QuickUnit *quick_compile(const QuickSource *source) {
  QuickUnit *unit = calloc(1, sizeof *unit);
  TCCState *tcc = tcc_new();
  bool is_ok = false;
  if (unit && tcc) {
    tcc_set_error_func(tcc, source->report_to, source->report);
    tcc_set_options(tcc, "-nostdlib -nostdinc -Werror");
    tcc_set_output_type(tcc, TCC_OUTPUT_MEMORY);
    is_ok = compile_text(tcc, source) && place_code(tcc, unit);
  }
  if (tcc) tcc_delete(tcc);
  if (is_ok) return unit;
  if (unit) quick_free(unit);
  return NULL;
}

void *quick_entry(const QuickUnit *unit, const char *name) {
  for (size_t i = 0; i < unit->entry_count; i++)
    if (!strcmp(unit->entries[i].name, name)) return (void *)unit->entries[i].address;
  return NULL;
}

QuickSymbol *quick_functions(const QuickUnit *unit, size_t *count, const char **end) {
  QuickSymbol *functions = malloc((unit->entry_count + 1) * sizeof *functions);
  *count = 0;
  *end = (const char *)unit->pages + unit->code_bytes;
  for (size_t i = 0; functions && i < unit->entry_count; i++)
    if ((const char *)unit->entries[i].address < *end) functions[(*count)++] = unit->entries[i];
  return functions;
}

void quick_free(QuickUnit *unit) {
  if (unit->is_sealed)
    quick_memory_free_sealed(unit->pages, unit->code_bytes, unit->bytes);
  else if (unit->pages)
    quick_memory_free(unit->pages, unit->bytes);
  for (size_t i = 0; i < unit->entry_count; i++) free((char *)unit->entries[i].name);
  free(unit->entries);
  free(unit);
}
