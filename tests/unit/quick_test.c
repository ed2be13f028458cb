/* quick_test.c - units compiled in this process: calls, several units, errors, memory. */
#include "../../valkc/quick.h"
#include "../../valkc/quick_prelude.h"
#include "check.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "vk.h"

static char messages[4096];
static void note(void *to, const char *message) {
  strncat(to, message, sizeof messages - strlen(to) - 2);
  strcat(to, "\n");
}

static QuickUnit *compile_with(const char *text, const QuickSymbol *symbols, size_t count) {
  messages[0] = 0;
  QuickSource source = {.text = text, .len = strlen(text), .symbols = symbols, .symbol_count = count,
                        .report = note, .report_to = messages};
  return quick_compile(&source);
}
static QuickUnit *compile(const char *text) { return compile_with(text, NULL, 0); }

/* The access of the mapping that the address is in: "r-xp". */
static const char *access_at(const void *address) {
  static char access[8];
  char line[512];
  FILE *maps = fopen("/proc/self/maps", "r");
  access[0] = 0;
  while (maps && fgets(line, sizeof line, maps)) {
    unsigned long start, end;
    char found[8];
    if (sscanf(line, "%lx-%lx %7s", &start, &end, found) != 3) continue;
    CHECK(!strstr(found, "wx"));
    if ((uintptr_t)address >= start && (uintptr_t)address < end) strcpy(access, found);
  }
  if (maps) fclose(maps);
  return access;
}

typedef long (*Function)(long);

static void test_call(void) {
  QuickUnit *u = compile("/* A comment. */\n#include \"vk.h\"\n"
                         "static const V table[] = {VK_FIX(40), VK_FIX(2)};\n"
                         "const V *get(void) { return table; }\n"
                         "V add(V n) { return VK_INT(table[n]) + VK_INT(table[1]); }\n");
  CHECK(u != NULL);
  Function add = (Function)quick_entry(u, "add");
  CHECK(add && add(0) == 42);
  CHECK(!quick_entry(u, "nothing"));
  CHECK(!strcmp(access_at((void *)add), "r-xp"));
  const V *(*get)(void) = (const V *(*)(void))quick_entry(u, "get");
  CHECK(get()[0] == VK_FIX(40));
  CHECK(!strcmp(access_at(get()), "r--p"));
  quick_free(u);
}

/* A unit calls one that came before, and the runtime. */
static void test_units(void) {
  QuickUnit *first = compile("long twice(long n) { return 2 * n; }\n");
  QuickSymbol twice = {"twice", quick_entry(first, "twice")};
  QuickUnit *second = compile_with(
      "long twice(long);\nlong four(long n) { return twice(twice(n)); }\n", &twice, 1);
  CHECK(second != NULL);
  CHECK(((Function)quick_entry(second, "four"))(5) == 20);
  QuickUnit *third = compile("V get(void) { return VK_SYM(range); }\n");
  CHECK(third && ((V(*)(void))quick_entry(third, "get"))() == VK_SYM(range));
  quick_free(second);
  quick_free(first);
  CHECK(((V(*)(void))quick_entry(third, "get"))() == VK_SYM(range));
  quick_free(third);
}

static void test_errors(void) {
  CHECK(!compile("#line 7 \"a.valk\"\nlong f(long n) { return n +; }\n"));
  CHECK(strstr(messages, "a.valk:7: error:") != NULL);
  CHECK(!compile("long g(long);\nlong f(long n) { return g(n); }\n"));
  CHECK(strstr(messages, "undefined symbol 'g'") != NULL);
  CHECK(!compile("long f(long n) { return h(n); }\n"));
  CHECK(strstr(messages, "implicit declaration") != NULL);
  CHECK(!compile(
      "#include <stdio.h>\nlong f(long n) { return puts(\"no\"); }\n")); /* no headers, no libc */
}

/* Pages are given back and used again; what no code is in, traps. */
static void test_memory(void) {
  QuickMemory before = quick_memory_get();
  CHECK(before.in_use == 0 && before.code == 0 && before.data == 0 && before.reserved > 0);
  void *start = NULL;
  for (int i = 0; i < 2000; i++) {
    QuickUnit *u = compile("long f(long n) { return n + 1; }\n");
    CHECK(u != NULL);
    unsigned char *f = quick_entry(u, "f");
    QuickMemory now = quick_memory_get();
    CHECK(now.code == quick_page_bytes() && now.in_use == now.code + now.data);
    if (i == 0) start = f;
    CHECK(f == start); /* the same pages, every time */
#if defined(__x86_64__)
    const unsigned char *page = (unsigned char *)((uintptr_t)f & ~(quick_page_bytes() - 1));
    CHECK(page[quick_page_bytes() - 1] == 0xCC && page[400] == 0xCC);
#endif
    quick_free(u);
  }
  QuickMemory after = quick_memory_get();
  CHECK(after.in_use == 0 && after.code == 0 && after.data == 0);
  CHECK(!strcmp(access_at(start), "---p"));
  CHECK(!quick_memory_take(after.reserved + 1));
}

/* All declarations of the runtime's headers together are C that TinyCC takes. */
static void test_headers(void) {
  size_t room = 1 << 20, len = 0;
  char *text = malloc(room);
  len += (size_t)sprintf(text, "/* a */\n/*");
  for (size_t i = 0; i < QUICK_SLOTS; i++)
    if (quick_slots[i])
      len += (size_t)sprintf(text + len, " %s", quick_names[quick_slots[i] - 1].text);
  sprintf(text + len, " */ int x;\n");
  CHECK(len < room);
  QuickPrelude all = quick_prelude(text, strlen(text), false);
  CHECK(all.symbol_count > 300);
  quick_prelude_free(&all);
  char *wanted = strchr(text, '\n') + 1; /* the second comment stays: it names everything */
  wanted[0] = wanted[1] = ' ';
  char *code = malloc(room + 100);
  sprintf(code,
          "static const char words[] = \"%.*s\";\nconst char *get(void) { return words; }\n",
          (int)(strstr(wanted, "*/") - wanted), wanted);
  QuickUnit *u = compile(code);
  if (!u) puts(messages);
  CHECK(u != NULL);
  if (u) quick_free(u);
  free(code);
  free(text);
}

int main(void) {
  test_call();
  test_units();
  test_errors();
  test_memory();
  test_headers();
  return check_done();
}
