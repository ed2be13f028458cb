/* reference.c - docs/reference/primitives.md, from the rows of rt/prims.def.
 *
 * A section is a file of rt/prims/: its rows keep their order, its name is the title. A row's
 * documentation is "(usage) -> what it gives; ..."; the usage becomes the heading. */
#include "reference.h"
#include "../lang/core.h"
#include <ctype.h>
#include <string.h>

/* The .def file each row of prim_table stands in, in the same order. */
static const char *const row_files[] = {
#define FIX(...) __FILE__,
#define VAR(...) __FILE__,
#define NARY(...) __FILE__,
#define OPT(...) __FILE__,
#include "../rt/prims.def"
#undef FIX
#undef VAR
#undef NARY
#undef OPT
};

static bool is_shown(const Prim *p) { return !(p->flags & PRIM_INTERNAL); }

/* ---- titles ------------------------------------------------------------------------------- */

/* "rt/prims/numbers.def" gives "Numbers". */
static void write_section_title(FILE *to, const char *file) {
  const char *slash = strrchr(file, '/');
  const char *base = slash ? slash + 1 : file;
  size_t len = strcspn(base, ".");
  fprintf(to, "\n## %c%.*s\n", toupper((unsigned char)base[0]), (int)len - 1, base + 1);
}

/* Length of the usage "(head l)" that doc begins with, 0 if it does not. */
static size_t usage_length(const char *doc) {
  if (doc[0] != '(') return 0;
  size_t depth = 0, i = 0;
  do {
    if (!doc[i]) return 0;
    if (doc[i] == '(') depth++;
    if (doc[i] == ')') depth--;
    i++;
  } while (depth);
  return i;
}

/* What follows the usage. */
static const char *doc_text(const char *doc) {
  doc += usage_length(doc);
  return doc + strspn(doc, " ");
}

/* Length of the "-> " that most texts begin with, else 0. */
static size_t arrow_length(const char *s) { return strncmp(s, "-> ", 3) ? 0 : 3; }

/* As Markdown text: the arrow becomes one sign, signs that would format are quoted, `code` is
 * left alone. */
static void write_prose(FILE *to, const char *s) {
  bool in_code = false;
  if (arrow_length(s)) fputs("→ ", to);
  for (s += arrow_length(s); *s; s++) {
    if (*s == '`') in_code = !in_code;
    if (!in_code && strchr("*_<>[]#\\", *s)) fputc('\\', to);
    fputc(*s, to);
  }
}

/* ---- signatures ----------------------------------------------------------------------------- */

static const struct {
  const char *short_name, *words;
} type_words[] = {
    {"any", "any value"}, {"int", "integer"}, {"float", "float"},   {"num", "number"},
    {"str", "string"},    {"sym", "symbol"},  {"key", "keyword"},   {"list", "list"},
    {"fn", "function"},   {"vec", "vector"},  {"map", "map"},       {"err", "error"},
    {"bool", "0 or 1"},   {"nil", "nil"},     {"ref", "reference"},
};

static void write_type_name(FILE *to, const char *s, size_t len) {
  for (size_t i = 0; i < sizeof type_words / sizeof *type_words; i++)
    if (strlen(type_words[i].short_name) == len && !memcmp(type_words[i].short_name, s, len)) {
      fputs(type_words[i].words, to);
      return;
    }
  fprintf(to, "%.*s", (int)len, s); /* a type new to this table */
}

/* "str|nil", "num...", "[any]", "[any...]". */
static void write_type(FILE *to, const char *s, size_t len) {
  bool is_optional = len >= 2 && s[0] == '[';
  if (is_optional) s++, len -= 2;
  bool repeats = len > 3 && !memcmp(s + len - 3, "...", 3);
  if (repeats) len -= 3;
  if (is_optional && !repeats) fputs("optionally ", to);
  while (len) {
    const char *bar = memchr(s, '|', len);
    size_t part = bar ? (size_t)(bar - s) : len;
    write_type_name(to, s, part);
    if (bar) fputs(" or ", to);
    s += part + (bar != NULL);
    len -= part + (bar != NULL);
  }
  if (repeats) fputs(", any number of times", to);
}

/* "(list any) list" gives "list; any value -> list". */
static void write_signature(FILE *to, const char *signature) {
  size_t close = strcspn(signature, ")");
  const char *s = signature + 1, *end = signature + close;
  if (close == 0 || s == end) fputs("nothing", to);
  for (bool first = true; s < end; first = false) {
    size_t len = strcspn(s, " )");
    if (!first) fputs("; ", to);
    write_type(to, s, len);
    s += len;
    while (s < end && *s == ' ') s++;
  }
  const char *result = signature + close + (signature[close] == ')');
  while (*result == ' ') result++;
  fputs(" → ", to);
  write_type(to, result, strlen(result));
}

/* ---- flags ---------------------------------------------------------------------------------- */

static const struct {
  unsigned flag;
  const char *words;
} flag_words[] = {
    {PRIM_PURE, "pure"},
    {PRIM_FAILS, "can give an error"},
    {PRIM_ERRS, "takes errors as plain data"},
    {PRIM_STORES, "keeps an argument"},
    {PRIM_CALLS, "calls a function it is given"},
    {PRIM_BLOCKS, "may let other fibers run"},
    {PRIM_FRESH, "the result is new"},
    {PRIM_INLINE, "compiled in line"},
};

static void write_flags(FILE *to, unsigned flags) {
  const char *before = "";
  for (size_t i = 0; i < sizeof flag_words / sizeof *flag_words; i++) {
    if (!(flags & flag_words[i].flag)) continue;
    fprintf(to, "%s%s", before, flag_words[i].words);
    before = "; ";
  }
}

/* ---- the page --------------------------------------------------------------------------------- */

static void write_prim(FILE *to, const Prim *p) {
  size_t usage = usage_length(p->doc);
  if (usage)
    fprintf(to, "\n### `%.*s`\n\n", (int)usage, p->doc);
  else
    fprintf(to, "\n### `%s`\n\n", p->name);
  write_prose(to, doc_text(p->doc));
  fputs("\n\n* Types: ", to);
  write_signature(to, p->signature);
  if (p->flags & ~(unsigned)PRIM_INTERNAL) {
    fputs("\n* Notes: ", to);
    write_flags(to, p->flags);
  }
  fputs("\n", to);
}

void reference_write(FILE *to) {
  _Static_assert(sizeof row_files / sizeof *row_files < PRIM_ANY,
                 "rows are counted in 16 bits");
  fputs(
      "# Primitives\n\n"
      "The functions that are part of every program, written in C. The rest of the library is\n"
      "written in Valk. This page is generated from `rt/prims/*.def`; do not edit it.\n\n"
      "Square brackets mean optional, `...` any number. A primitive given an error where it\n"
      "does not take one returns that error; the notes say which take errors as plain data. A "
      "pure\n"
      "one has no effect, and equal results for equal arguments.\n",
      to);
  const char *file = NULL;
  for (size_t i = 0; i < prim_count; i++) {
    if (!is_shown(&prim_table[i])) continue;
    if (!file || strcmp(file, row_files[i])) write_section_title(to, row_files[i]);
    file = row_files[i];
    write_prim(to, &prim_table[i]);
  }
}
