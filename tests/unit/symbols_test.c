/* symbols_test.c - the symbol table: identity, keywords, limits, growth, threads. */
#include "../../rt/vk.h"
#include "check.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A program's own symbols: as emitted. */
static const struct {
  V hdr;
  size_t len;
  char bytes[8];
} own VK_ALIGN16 = {VK_HDR(VK_SYMBOL, 0, 0), 6, "colour"};
static const VkSymbol *const own_symbols[] = {(const VkSymbol *)&own};
static V run_tests(vk *c);
static const VkTop tops[] = {run_tests};
static const VkProgram program = {
    .name = "test", .tops = tops, .top_count = 1, .symbols = own_symbols, .symbol_count = 1};

static bool is_keyword(V v) { return (*VK_OBJ(v) & VK_KEYWORD) != 0; }
static V intern(vk *c, const char *name) { return vk_intern(c, name, strlen(name)); }

static void test_static_symbols(vk *c) {
  CHECK(intern(c, ":type") == VK_SYM(type));
  CHECK(intern(c, "quasiquote") == VK_SYM(quasiquote));
  CHECK(intern(c, "colour") == VK_FROM_OBJ(&own));
  CHECK(vk_symbol_find(c, ":range", 6) == VK_SYM(range));
}

static void test_new_symbols(vk *c) {
  CHECK(vk_symbol_find(c, "unheard-of", 10) == VK_UNBOUND);
  V a = intern(c, "unheard-of");
  CHECK(VK_IS_KIND(a, VK_SYMBOL));
  CHECK(!is_keyword(a));
  CHECK(!strcmp(VK_SYMB(a)->bytes, "unheard-of") && VK_SYMB(a)->len == 10);
  CHECK(intern(c, "unheard-of") == a);
  CHECK(vk_symbol_find(c, "unheard-of", 10) == a);
  CHECK(intern(c, "Unheard-of") != a);
  CHECK(vk_intern(c, "unheard-of", 9) != a);
}

static void test_keywords(vk *c) {
  CHECK(is_keyword(intern(c, ":fresh")));
  CHECK(!is_keyword(intern(c, ":")));
  CHECK(!is_keyword(intern(c, "a:b")));
  CHECK(is_keyword(VK_SYM(type)));
  CHECK(!is_keyword(VK_SYM(quote)));
}

static void test_any_bytes(vk *c) {
  V a = vk_intern(c, "x\0y", 3), b = vk_intern(c, "x\0z", 3), empty = vk_intern(c, "", 0);
  CHECK(a != b);
  CHECK(vk_intern(c, "x\0y", 3) == a);
  CHECK(VK_SYMB(empty)->len == 0);
  CHECK(vk_intern(c, "x", 0) == empty);
}

static void test_limit(vk *c) {
  static char name[VK_SYMBOL_BYTES_MAX + 1];
  memset(name, 'n', sizeof name);
  CHECK(!VK_IS_ABN(vk_intern(c, name, VK_SYMBOL_BYTES_MAX)));
  V error = vk_intern(c, name, VK_SYMBOL_BYTES_MAX + 1);
  CHECK(VK_IS_ABN(error) && VK_ERR(error)->kind == VK_SYM(range));
}

enum { MANY = 20000, THREADS = 4 };

static void *intern_many(void *to) {
  vk *c = to;
  V *symbols = malloc(MANY * sizeof *symbols);
  for (int i = 0; i < MANY; i++) {
    char name[16];
    snprintf(name, sizeof name, "many%d", i);
    symbols[i] = intern(c, name);
  }
  return symbols;
}

/* Every thread must get the same object for a name, while the table grows under all of them. */
static void test_threads(vk *c) {
  pthread_t threads[THREADS];
  void *results[THREADS];
  for (int t = 0; t < THREADS; t++) pthread_create(&threads[t], NULL, intern_many, c);
  for (int t = 0; t < THREADS; t++) pthread_join(threads[t], &results[t]);
  for (int t = 1; t < THREADS; t++) CHECK(!memcmp(results[0], results[t], MANY * sizeof(V)));
  const V *symbols = results[0];
  CHECK(symbols[0] != symbols[1]);
  CHECK(!strcmp(VK_SYMB(symbols[12345])->bytes, "many12345"));
  for (int t = 0; t < THREADS; t++) free(results[t]);
}

static V run_tests(vk *c) {
  test_static_symbols(c);
  test_new_symbols(c);
  test_keywords(c);
  test_any_bytes(c);
  test_limit(c);
  test_threads(c);
  test_static_symbols(c);
  return VK_NIL;
}

int main(int argc, char **argv) {
  int status = vk_main(argc, argv, &program);
  return check_done() || status;
}
