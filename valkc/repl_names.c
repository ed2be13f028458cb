/* repl_names.c - what completion offers in `valkc repl`.
 *
 *   inside a string, after :load   names of files
 *   after :dump                    passes
 *   the first word, with a colon   commands, and keywords
 *   a word with a colon            keywords that some code has named
 *   any other word                 special forms, globals that are bound, macros, the library */
#include "passes.h"
#include "repl_session.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct Search {
  Completions found;
  size_t capacity;
  const char *prefix;
  size_t len;
} Search;

static void add(Search *s, const char *text, const char *ending) {
  if (s->found.count == s->capacity) {
    s->capacity = s->capacity ? 2 * s->capacity : 32;
    s->found.items = realloc(s->found.items, s->capacity * sizeof *s->found.items);
    if (!s->found.items) abort();
  }
  char *item = malloc(strlen(text) + strlen(ending) + 1);
  if (!item) abort();
  strcpy(item, text);
  strcat(item, ending);
  s->found.items[s->found.count++] = item;
}

static void offer(void *to, const char *name) {
  Search *s = to;
  if (!strncmp(name, s->prefix, s->len)) add(s, name, "");
}

static int compare(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, each once. */
static void finish(Search *s) {
  Completions *all = &s->found;
  if (!all->count) return;
  qsort(all->items, all->count, sizeof *all->items, compare);
  size_t kept = 1;
  for (size_t i = 1; i < all->count; i++) {
    if (strcmp(all->items[i], all->items[kept - 1]) != 0)
      all->items[kept++] = all->items[i];
    else
      free(all->items[i]);
  }
  all->count = kept;
}

/* ---- names ------------------------------------------------------------------------------------ */

static void offer_keyword(void *to, const char *name) {
  if (name[0] == ':' && name[1]) offer(to, name);
}

static void offer_keywords(Repl *r, Search *s) {
  names_each(r->ev->p->names, offer_keyword, s);
#define SYM(id, text, is_keyword) offer_keyword(s, text);
#include "../rt/symbols.def"
#undef SYM
}

static void offer_commands(Search *s) {
  for (size_t i = 0; repl_command_name(i); i++) offer(s, repl_command_name(i));
}

/* Imported whole, a module's names have its prefix. */
static void offer_module(Search *s, const char *prefix, const Module *m) {
  for (size_t i = 0; i < m->exported.capacity; i++) {
    const char *name = m->exported.keys[i];
    if (!name) continue;
    char text[256];
    snprintf(text, sizeof text, "%s/%s", prefix, name);
    offer(s, text);
  }
}

static void offer_globals(Repl *r, Search *s) {
  const Program *p = r->ev->p;
  const Module *root = p->root;
  for (size_t i = 0; i < p->globals.count; i++) {
    const Global *g = p->globals.items[i];
    if (g->module == root && g->slot >= 0 && r->c->globals[g->slot] != VK_UNBOUND)
      offer(s, g->plain);
  }
  for (size_t i = 0; i < root->imports.capacity; i++)
    if (root->imports.keys[i]) offer(s, root->imports.keys[i]);
  for (size_t i = 0; i < root->macros.capacity; i++)
    if (root->macros.keys[i] && root->macros.values[i]) offer(s, root->macros.keys[i]);
  for (size_t i = 0; i < root->prefixes.capacity; i++)
    if (root->prefixes.keys[i]) offer_module(s, root->prefixes.keys[i], root->prefixes.values[i]);
}

static void offer_names(Repl *r, Search *s) {
  for (size_t i = 0; form_name(i); i++) offer(s, form_name(i));
  static const char *const constants[] = {"nil", "true", "false", "otherwise"};
  for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) offer(s, constants[i]);
  offer_globals(r, s);
  library_each_name(r->ev->p, offer, s);
}

/* ---- files ------------------------------------------------------------------------------------ */

/* prefix is a path as far as it has been typed. Hidden files must be asked for. */
static void offer_files(Search *s) {
  const char *slash = strrchr(s->prefix, '/'), *base = slash ? slash + 1 : s->prefix;
  char *directory = slash ? strndup(s->prefix, (size_t)(base - s->prefix)) : strdup("");
  if (!directory) abort();
  DIR *dir = opendir(*directory ? directory : ".");
  for (struct dirent *entry; dir && (entry = readdir(dir));) {
    const char *name = entry->d_name;
    if (strncmp(name, base, strlen(base)) != 0 || (name[0] == '.' && base[0] != '.')) continue;
    char *path;
    struct stat status;
    if (asprintf(&path, "%s%s", directory, name) < 0) abort();
    bool is_directory = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    add(s, path, is_directory ? "/" : "");
    free(path);
  }
  if (dir) closedir(dir);
  free(directory);
}

/* ---- where the cursor is ------------------------------------------------------------------------ */

static bool is_word_byte(char b) { return !strchr(" \t\n()[]{}\"';`,", b); }

/* The start of the string the cursor is in, or NO_STRING. */
enum { NO_STRING = -1 };
static ptrdiff_t open_string(const char *line, size_t cursor) {
  ptrdiff_t start = NO_STRING;
  for (size_t i = 0; i < cursor; i++) {
    if (start != NO_STRING && line[i] == '\\')
      i++;
    else if (line[i] == '"')
      start = start == NO_STRING ? (ptrdiff_t)i + 1 : NO_STRING;
  }
  return start;
}

/* Is the word that begins there the first after this command? */
static bool is_operand_of(const char *line, size_t word, const char *command) {
  const char *p = line + strspn(line, " \t");
  size_t len = strlen(command);
  if (strncmp(p, command, len) != 0 || !strchr(" \t", p[len])) return false;
  p += len;
  return p + strspn(p, " \t") == line + word;
}

Completions repl_complete(void *repl, const char *line, size_t cursor) {
  Repl *r = repl;
  ptrdiff_t string = open_string(line, cursor);
  size_t word = string != NO_STRING ? (size_t)string : cursor;
  while (string == NO_STRING && word > 0 && is_word_byte(line[word - 1])) word--;
  Search s = {.found.start = word, .prefix = line + word, .len = cursor - word};
  if (string != NO_STRING || is_operand_of(line, word, ":load")) {
    offer_files(&s);
  } else if (is_operand_of(line, word, ":dump")) {
    for (unsigned i = 0; passes_name(i); i++) offer(&s, passes_name(i));
  } else if (line[word] == ':') {
    if (strspn(line, " \t") == word) offer_commands(&s);
    offer_keywords(r, &s);
  } else {
    offer_names(r, &s);
  }
  finish(&s);
  return s.found;
}
