/* prelude.c - a build tool: the runtime's headers as a table of declarations.
 *
 * usage: cc -E -dD -D__TINYC__=1 ... rt/vk_tcc.h | prelude rt/ > quick_table.c
 *
 * in:    preprocessed text with its #defines and line markers
 * out:   C source: the table that valkc/quick_prelude.c looks declarations up in
 *
 * Code for TinyCC gets only what it mentions of the runtime's headers (valkc/quick_prelude.c says
 * why). An *item* is one #define, or one declaration or inline function at the top level; it has
 * a text, the names it defines, the items it mentions, and, if the runtime has code or data
 * behind it, an address. Only items of files whose path starts with the argument count: what comes
 * from the system's headers, vk_tcc.h declares itself. A #define that comes after an item of the
 * same name replaces it. An inline function gives an item to repeat, a macro, if it can be one, and
 * one to call, for large texts (QuickItem.lean). Of fns.h only the addresses are kept, since the
 * emitted text declares the primitives that it calls.
 *
 * Not a C parser: it knows the shapes that these headers have, and stops at any other. */
#include "../valkc/quick_prelude.h"
#include "prelude_macro.h"
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  ITEMS_MAX = 4000,
  NAMES_MAX = 4000,
  NAMES_PER_ITEM = 64,
  DEPS_MAX = 400,
  LINE_MAX_ = 1 << 20
};

typedef struct Item {
  char *text;
  char *wrapper; /* an inline function to call, not to repeat: C that defines quick_NAME */
  bool is_macro, is_dropped, has_address, is_silent; /* silent: its text is left out */
  char *names[NAMES_PER_ITEM];
  size_t name_count;
} Item;
static Item items[ITEMS_MAX];
static size_t item_count;

static _Noreturn void fail(const char *what, const char *text) {
  fprintf(stderr, "prelude: %s: %.200s\n", what, text);
  exit(1);
}

static char *copy(const char *s, size_t len) {
  char *p = malloc(len + 1);
  if (!p) fail("out of memory", "");
  memcpy(p, s, len);
  p[len] = 0;
  return p;
}

static bool is_token(const char *p, const char *end, const char *text) {
  return (size_t)(end - p) == strlen(text) && !strncmp(p, text, (size_t)(end - p));
}

/* ---- items ------------------------------------------------------------------------------- */

static Item *item_new(const char *text) {
  if (item_count == ITEMS_MAX) fail("too many items", text);
  Item *it = &items[item_count++];
  it->text = copy(text, strlen(text));
  return it;
}

static void add_name(Item *it, const char *p, const char *end) {
  if (it->name_count == NAMES_PER_ITEM) fail("too many names in one declaration", it->text);
  it->names[it->name_count++] = copy(p, (size_t)(end - p));
}

static bool defines(const Item *it, const char *name) {
  for (size_t i = 0; i < it->name_count; i++)
    if (!strcmp(it->names[i], name)) return true;
  return false;
}

/* An earlier macro or function of that name no longer counts. */
static void drop_earlier(const char *name) {
  for (size_t i = 0; i < item_count; i++)
    if (defines(&items[i], name) && !items[i].wrapper &&
        (items[i].is_macro || items[i].name_count == 1))
      items[i].is_dropped = true;
}

static void add_macro(const char *line) { /* "#define NAME..." */
  const char *name = line + strlen("#define "), *end = token_end(name);
  char *word = copy(name, (size_t)(end - name));
  drop_earlier(word);
  free(word);
  Item *it = item_new(line);
  it->is_macro = true;
  add_name(it, name, end);
}

static void undefine(const char *line) {
  const char *name = line + strlen("#undef ");
  for (size_t i = 0; i < item_count; i++)
    if (items[i].is_macro && defines(&items[i], name)) items[i].is_dropped = true;
}

/* Names of an enumeration's values, p behind its '{'. */
static void add_enumerators(Item *it, const char *p) {
  bool is_next = true;
  for (const char *end; *p && *p != '}'; p = end) {
    end = token_end(p);
    if (is_next && token_starts_word(*p)) {
      add_name(it, p, end);
      is_next = false;
    }
    if (*p == ',') is_next = true;
  }
}

/* A declaration or inline function, text complete. Its names: the tag of a struct or enum that is
 * defined, enumerators, and the name declared: a function's is before the first parenthesis that
 * does not open `(*name)`, any other the last word. */
static void add_declaration(const char *text, bool only_address) {
  Item *it = item_new(text);
  const char *tag = NULL, *tag_end = NULL, *word = NULL, *word_end = NULL, *last = NULL,
             *last_end = NULL;
  bool is_typedef = !strncmp(text, "typedef ", 8), is_static = !strncmp(text, "static ", 7);
  bool is_extern = !strncmp(text, "extern ", 7), is_function = false, is_enum = false;
  int depth = 0;
  for (const char *p = text, *end; *p; p = end) {
    end = token_end(p);
    if (is_token(p, end, "__attribute__")) break;
    if (depth == 0 && token_starts_word(*p)) {
      if (word && is_token(word, word_end, "enum")) is_enum = true;
      bool is_tagged =
          word && (is_token(word, word_end, "struct") || is_token(word, word_end, "enum") ||
                   is_token(word, word_end, "union"));
      if (is_tagged) tag = p, tag_end = end;
      word = last = p;
      word_end = last_end = end;
    } else if (*p == '{') {
      if (word && is_token(word, word_end, "enum")) is_enum = true; /* without a tag */
      if (depth++ == 0 && is_enum)
        add_enumerators(it, end);
      else if (depth == 1 && tag)
        add_name(it, tag, tag_end);
      if (depth == 1 && is_function) break;
    } else if (*p == '}') {
      depth--;
    } else if (depth == 0 && *p == '(' && !is_function) {
      const char *inner = end + strspn(end, " ");
      if (*inner == '*') { /* a pointer to a function */
        inner += 1 + strspn(inner + 1, " ");
        last = inner, last_end = token_end(inner);
        break;
      }
      is_function = true;
    }
    if (is_function) break;
  }
  bool is_aggregate = !strncmp(text, "struct ", 7) || !strncmp(text, "enum ", 5);
  if (last && !(is_aggregate && strchr(text, '{'))) add_name(it, last, last_end);
  it->has_address = !is_typedef && !is_static && (is_function || is_extern);
  it->is_silent = only_address;
  if (it->name_count == 0) fail("a declaration without a name", text);
}

/* ---- the input --------------------------------------------------------------------------- */

typedef struct Input {
  const char *prefix;
  bool is_ours, is_fns; /* the line is from the runtime's headers; from fns.h */
  char *text;           /* of the declaration being read */
  size_t len;
  int depth;
  bool is_function; /* '{' came after ')' */
  char last;        /* character that was no blank */
} Input;

static void line_marker(Input *in, const char *line) {
  const char *path = strchr(line, '"');
  in->is_ours = path && !strncmp(path + 1, in->prefix, strlen(in->prefix));
  in->is_fns = in->is_ours && strstr(path, "/fns.h\"");
  if (path && strstr(path, "prims/")) in->is_fns = true; /* rows included by fns.h */
}

/* An inline function gives an item to call, and if it can, one of the same name to repeat. */
static void add_function(const char *text) {
  char *macro = macro_of_function(text), *prototype, *wrapper;
  if (!function_to_call(text, &prototype, &wrapper))
    fail("an inline function of another shape", text);
  if (macro) add_macro(macro);
  add_declaration(prototype, false);
  items[item_count - 1].wrapper = wrapper;
}

static void finish_declaration(Input *in) {
  in->text[in->len] = 0;
  if (in->is_function)
    add_function(in->text);
  else if (in->len > 1)
    add_declaration(in->text, in->is_fns);
  in->len = 0;
  in->depth = 0;
  in->is_function = false;
}

static void put_char(Input *in, char ch) {
  if (in->len + 2 >= LINE_MAX_) fail("a declaration without end", in->text);
  if (ch == ' ' && (in->len == 0 || in->text[in->len - 1] == ' ')) return;
  in->text[in->len++] = ch;
}

static void read_code(Input *in, const char *line) {
  for (const char *p = line, *end; *p; p = end) {
    end = token_end(p);
    if (isspace((unsigned char)*p)) {
      put_char(in, ' ');
      continue;
    }
    for (const char *q = p; q < end; q++) put_char(in, *q);
    if (*p == '{' && in->depth++ == 0) in->is_function = in->last == ')';
    if (*p == '(' || *p == '[') in->depth++;
    if (*p == '}' || *p == ')' || *p == ']') in->depth--;
    in->last = *p;
    if (in->depth == 0 && (*p == ';' || (*p == '}' && in->is_function))) finish_declaration(in);
  }
  put_char(in, ' ');
}

static void read_line(Input *in, char *line) {
  line[strcspn(line, "\n")] = 0;
  if (line[0] == '#' && (line[1] == ' ' || line[1] == 'l')) {
    line_marker(in, line);
  } else if (!in->is_ours) {
    return;
  } else if (!strncmp(line, "#define ", 8)) {
    add_macro(line);
  } else if (!strncmp(line, "#undef ", 7)) {
    undefine(line);
  } else if (line[0] != '#') {
    read_code(in, line);
  }
}

/* ---- the table --------------------------------------------------------------------------- */

typedef struct Name {
  const char *text;
  size_t item;
} Name;
static Name names[NAMES_MAX];
static size_t name_count;
static uint16_t slots[QUICK_SLOTS];

static size_t find_slot(const char *text, size_t len) {
  size_t i = quick_hash(text, len) % QUICK_SLOTS;
  for (; slots[i]; i = (i + 1) % QUICK_SLOTS) {
    const char *found = names[slots[i] - 1].text;
    if (strlen(found) == len && !memcmp(found, text, len)) break;
  }
  return i;
}

/* The first item of that name, or NULL. */
static Item *find_item(const char *text, size_t len) {
  size_t slot = find_slot(text, len);
  return slots[slot] ? &items[names[slots[slot] - 1].item] : NULL;
}

/* Macros before declarations, which may use any. */
static void sort_items(void) {
  static Item sorted[ITEMS_MAX];
  size_t count = 0;
  for (int want_macro = 1; want_macro >= 0; want_macro--)
    for (size_t i = 0; i < item_count; i++)
      if (items[i].is_macro == want_macro && !items[i].is_dropped) sorted[count++] = items[i];
  memcpy(items, sorted, count * sizeof *items);
  item_count = count;
}

static void index_names(bool callable) {
  for (size_t i = 0; i < item_count; i++)
    for (size_t k = 0; !items[i].wrapper != callable && k < items[i].name_count; k++) {
      const char *text = items[i].names[k];
      size_t slot = find_slot(text, strlen(text));
      if (slots[slot]) continue; /* the first depends on the rest, if they are declarations */
      if (name_count == NAMES_MAX || 2 * name_count > QUICK_SLOTS) fail("too many names", text);
      names[name_count++] = (Name){text, i};
      slots[slot] = (uint16_t)name_count;
    }
}

static void add_dep(size_t *deps, size_t *count, size_t item) {
  for (size_t i = 0; i < *count; i++)
    if (deps[i] == item) return;
  if (*count == DEPS_MAX) fail("too many dependencies", items[item].text);
  deps[(*count)++] = item;
}

/* The items that this one mentions, and further items of its names. */
static size_t find_deps(size_t item, size_t *deps) {
  size_t count = 0;
  const Item *it = &items[item];
  for (const char *p = it->text, *end; !it->is_silent && *p; p = end) {
    end = token_end(p);
    Item *found = token_starts_word(*p) ? find_item(p, (size_t)(end - p)) : NULL;
    if (found && found != it) add_dep(deps, &count, (size_t)(found - items));
  }
  for (size_t k = 0; k < it->name_count; k++)
    for (size_t i = 0; i < item_count; i++)
      if (i != item && !items[i].wrapper && !it->wrapper && defines(&items[i], it->names[k]))
        add_dep(deps, &count, i);
  return count;
}

static void put_literal(const char *text) {
  putchar('"');
  for (; *text; text++) {
    if (*text == '"' || *text == '\\') putchar('\\');
    putchar(*text);
  }
}

static void write_text(const Item *it) {
  if (it->is_silent) return;
  printf("  ");
  put_literal(it->text);
  printf("\\n\"\n");
}

/* The item of the same name that is called; itself if there is none. */
static size_t lean_item(size_t item) {
  for (size_t i = 0; i < item_count; i++)
    if (items[i].wrapper && defines(&items[item], items[i].names[0])) return i;
  return item;
}

static void write_items(void) {
  size_t start = 0, dep_count = 0;
  size_t deps[DEPS_MAX];
  printf("const char quick_text[] =\n");
  for (size_t i = 0; i < item_count; i++) write_text(&items[i]);
  printf("  ;\n\nconst uint16_t quick_deps[] = {");
  for (size_t i = 0; i < item_count; i++) {
    size_t count = find_deps(i, deps);
    for (size_t k = 0; k < count; k++) printf("%zu, ", deps[k]);
  }
  printf("0};\n\nconst QuickItem quick_items[] = {\n");
  for (size_t i = 0; i < item_count; i++) {
    const Item *it = &items[i];
    size_t count = find_deps(i, deps);
    size_t len = it->is_silent ? 0 : strlen(it->text) + 1;
    printf("  {%zu, %zu, %zu, %zu, ", start, len, dep_count, count);
    const char *name = it->names[it->name_count - 1];
    if (it->has_address)
      printf("%zu, \"%s\", (const void *)&%s%s},\n", lean_item(i), name,
             it->wrapper ? "quick_" : "", name);
    else
      printf("%zu, 0, 0},\n", lean_item(i));
    start += len;
    dep_count += count;
  }
  printf("};\nconst size_t quick_item_count = %zu;\n", item_count);
}

static void write_names(void) {
  printf("\nconst QuickName quick_names[] = {\n");
  for (size_t i = 0; i < name_count; i++)
    printf("  {\"%s\", %zu, %zu},\n", names[i].text, strlen(names[i].text), names[i].item);
  printf("};\n\nconst uint16_t quick_slots[QUICK_SLOTS] = {");
  for (size_t i = 0; i < QUICK_SLOTS; i++)
    printf("%s%u,", i % 20 ? "" : "\n  ", (unsigned)slots[i]);
  printf("\n};\n");
}

int main(int argc, char **argv) {
  static char line[LINE_MAX_], text[LINE_MAX_];
  if (argc != 2) fail("usage: prelude PATH-PREFIX", "");
  Input in = {.prefix = argv[1], .text = text};
  while (fgets(line, sizeof line, stdin)) read_line(&in, line);
  if (in.len > 1) fail("the input ends in a declaration", text);
  sort_items();
  index_names(false);
  index_names(true); /* a name stands for what is called if there is nothing to repeat */
  printf(
      "/* Made by tools/prelude.c from the headers of rt. */\n"
      "#include \"fns.h\"\n#include \"lists.h\"\n#include \"maps.h\"\n#include \"vectors.h\"\n#include \"where.h\"\n"
      "#include \"../valkc/quick_prelude.h\"\n\n");
  for (size_t i = 0; i < item_count; i++)
    if (items[i].wrapper) puts(items[i].wrapper);
  write_items();
  write_names();
  return 0;
}
