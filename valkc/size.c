/* size.c - read GNU ld's map and add up (contract: size.h).
 *
 * The map lists output sections, and in each the parts it is made of:
 *
 *   .text           0x0000000000001100     0x1ab1
 *    .text.fib      0x0000000000001100       0x42 /tmp/ccX.o
 *    .text.vk_print_n
 *                   0x0000000000001142       0x51 build/librt.a(printf.o)
 *    *fill*         0x0000000000001193        0xd
 *
 * A part counts for the file it is from, if its section takes room in the executable. What no
 * part accounts for - headers, tables the linker makes, symbols - is the rest. */
#include "size.h"
#include "process.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct Part {
  char name[64];   /* of the source file, or of the library */
  bool is_runtime; /* a file of librt.a */
  uint64_t bytes;
} Part;

typedef struct Parts {
  Part *items;
  size_t count, capacity;
  uint64_t bytes, runtime_bytes, memory_only_bytes;
} Parts;

/* ---- whose it is -------------------------------------------------------------------------- */

static const char *after_last(const char *start, const char *end, char c) {
  for (const char *p = end; p > start; p--)
    if (p[-1] == c) return p;
  return start;
}

/* "build/librt.a(printf.o)" is the runtime's printf.c, "libc.a(x.o)" is libc. Objects are the
 * program's, which the compiler puts in a file of a made-up name, or start code. */
static Part owner_of(const char *path, size_t len) {
  Part part = {.name = "program", .bytes = 0};
  const char *end = path + len, *paren = memchr(path, '(', len);
  const char *file_end = paren ? paren : end, *file = after_last(path, file_end, '/');
  size_t n = (size_t)(file_end - file);
  if (!paren) {
    bool is_start = n > 2 && (!strncmp(file, "crt", 3) || memmem(file, n, "crt1.o", 6));
    if (is_start) strcpy(part.name, "start code");
    return part;
  }
  part.is_runtime = n == 7 && !memcmp(file, "librt.a", 7);
  if (part.is_runtime) {
    n = (size_t)(end - paren) - 2;
    const char *dot = memchr(paren + 1, '.', n);
    if (dot) n = (size_t)(dot - paren) - 1;
    snprintf(part.name, sizeof part.name, "%.*s.c", (int)n, paren + 1);
  } else {
    if (n > 2 && !memcmp(file_end - 2, ".a", 2)) n -= 2;
    snprintf(part.name, sizeof part.name, "%.*s", (int)n, file);
  }
  return part;
}

static void add_part(Parts *all, Part part, uint64_t bytes) {
  size_t i = 0;
  while (i < all->count && (all->items[i].is_runtime != part.is_runtime ||
                            strcmp(all->items[i].name, part.name) != 0))
    i++;
  if (i == all->count) {
    if (all->count == all->capacity) {
      all->capacity = all->capacity ? 2 * all->capacity : 64;
      all->items = realloc(all->items, all->capacity * sizeof *all->items);
      if (!all->items) abort();
    }
    all->items[all->count++] = part;
  }
  all->items[i].bytes += bytes;
  all->bytes += bytes;
  if (part.is_runtime) all->runtime_bytes += bytes;
}

/* ---- the map ------------------------------------------------------------------------------ */

typedef enum Room { IN_FILE, IN_MEMORY, NOT_COUNTED } Room;

static bool begins(const char *s, const char *start) {
  return !strncmp(s, start, strlen(start));
}

/* Notes for tools are no part of what runs, and --strip leaves them out. */
static Room room_of(const char *section) {
  if (begins(section, ".bss") || begins(section, ".tbss")) return IN_MEMORY;
  bool is_note = begins(section, ".debug") || begins(section, ".comment") ||
                 begins(section, ".stab") || begins(section, "/DISCARD/") ||
                 begins(section, ".gnu.lto");
  return is_note ? NOT_COUNTED : IN_FILE;
}

/* The rest of a part's line: address, size, file. */
static void read_part(Parts *all, Room room, const char *line) {
  char *p;
  if (room == NOT_COUNTED) return;
  line += strspn(line, " ");
  if (strncmp(line, "0x", 2) != 0) return;
  strtoull(line, &p, 16);
  p += strspn(p, " ");
  if (strncmp(p, "0x", 2) != 0) return;
  uint64_t bytes = strtoull(p, &p, 16);
  p += strspn(p, " ");
  size_t len = strcspn(p, "\n");
  if (!bytes || !len) return;
  if (room == IN_MEMORY)
    all->memory_only_bytes += bytes;
  else
    add_part(all, owner_of(p, len), bytes);
}

/* Lines begin with: a letter or dot, an output section; one blank, a part, whose name may fill the
 * line; many blanks, what follows such a name, or a symbol, which has no size. */
static void read_map(Parts *all, const char *text) {
  Room room = NOT_COUNTED;
  bool is_named = false; /* the line before was a name alone */
  for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
    size_t blanks = strspn(line, " ");
    const char *word = line + blanks;
    if (blanks == 0 && *word != '\n') {
      room = room_of(word);
      is_named = false;
    } else if (blanks == 1 && *word != '*') {
      const char *rest = word + strcspn(word, " \n");
      is_named = *rest == '\n';
      if (!is_named) read_part(all, room, rest);
    } else {
      if (is_named) read_part(all, room, word);
      is_named = false;
    }
  }
}

/* ---- the report --------------------------------------------------------------------------- */

static int larger_first(const void *a, const void *b) {
  const Part *x = a, *y = b;
  if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
  return strcmp(x->name, y->name);
}

static void print_row(FILE *out, const char *indent, const char *name, uint64_t bytes,
                      uint64_t all) {
  int width = 26 - (int)strlen(indent);
  fprintf(out, "%s%-*s %9llu %6.1f %%\n", indent, width, name, (unsigned long long)bytes,
          all ? 100.0 * (double)bytes / (double)all : 0);
}

static void print_report(FILE *out, const char *executable, Parts *all, uint64_t file_bytes) {
  fprintf(out, "%s: %llu bytes\n", executable, (unsigned long long)file_bytes);
  if (all->count) qsort(all->items, all->count, sizeof *all->items, larger_first);
  for (size_t i = 0; i < all->count; i++)
    if (!all->items[i].is_runtime)
      print_row(out, "  ", all->items[i].name, all->items[i].bytes, file_bytes);
  print_row(out, "  ", "runtime", all->runtime_bytes, file_bytes);
  for (size_t i = 0; i < all->count; i++)
    if (all->items[i].is_runtime)
      print_row(out, "    ", all->items[i].name, all->items[i].bytes, file_bytes);
  uint64_t rest = file_bytes > all->bytes ? file_bytes - all->bytes : 0;
  print_row(out, "  ", "headers, tables, symbols", rest, file_bytes);
  fprintf(out, "  and %llu bytes of memory that start as zero\n",
          (unsigned long long)all->memory_only_bytes);
}

bool size_report(FILE *out, const char *executable, const char *map_path) {
  Text map = read_path(map_path);
  const char *text = map.bytes ? strstr(map.bytes, "\nLinker script and memory map") : NULL;
  Parts all = {0};
  struct stat info;
  if (text) read_map(&all, text + 1);
  bool is_ok = all.count > 0 && stat(executable, &info) == 0;
  if (is_ok) print_report(out, executable, &all, (uint64_t)info.st_size);
  free(all.items);
  free(map.bytes);
  return is_ok;
}
