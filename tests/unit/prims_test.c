/* prims_test.c - the table of primitives: lookup, and what every row must keep. */
#include "../../lang/core.h"
#include "check.h"
#include <string.h>

static void test_lookup(void) {
  for (size_t i = 0; i < prim_count; i++) {
    const Prim *found = prim_find(prim_table[i].name);
    if (!CHECK(found == &prim_table[i]))
      fprintf(stderr, "  two rows are called %s\n", prim_table[i].name);
  }
  CHECK(!prim_find("no-such-primitive"));
  CHECK(!prim_find(""));
  CHECK(prim_find("+") && prim_find("+")->is_argv && prim_find("+")->max == PRIM_ANY);
}

static void test_internal(void) {
  CHECK(prim_find("%add") && prim_find("%add")->flags & PRIM_INTERNAL);
  CHECK(prim_find("%") && !(prim_find("%")->flags & PRIM_INTERNAL));
}

/* "(a b) c": the number of arguments; -1 if it is not of that form. */
static int signature_arguments(const char *s, int *required, int *repeats) {
  int count = 0;
  *required = *repeats = 0;
  if (*s++ != '(') return -1;
  while (*s && *s != ')') {
    size_t len = strcspn(s, " )");
    int is_optional = *s == '[',
        is_repeated = len > 3 && strstr(s, "...") && strstr(s, "...") < s + len;
    if (is_repeated) *repeats = 1;
    if (!is_optional && !is_repeated) ++*required;
    count++;
    s += len;
    while (*s == ' ') s++;
  }
  return !strncmp(s, ") ", 2) && s[2] ? count : -1;
}

static void test_row(const Prim *p) {
  int required, repeats, count = signature_arguments(p->signature, &required, &repeats);
  int ok = CHECK(count >= 0);
  ok &= CHECK(p->min <= p->max);
  ok &= CHECK((unsigned)required <= p->min || repeats);
  if (p->max == PRIM_ANY)
    ok &= CHECK(repeats);
  else
    ok &= CHECK((unsigned)count == p->max || repeats);
  ok &= CHECK(p->is_argv || (p->min == p->max && p->max <= 4));
  ok &= CHECK(!strncmp(p->symbol, "vk_", 3));
  ok &= CHECK(p->doc[0] && !strchr(p->doc, '\n'));
  if (p->binary) {
    const Prim *binary = prim_find(p->binary);
    ok &= CHECK(binary && !binary->is_argv && binary->max == 2);
  }
  for (unsigned n = p->min; p->has_fixed && n <= p->max; n++) {
    const Prim *fixed = prim_fixed(p, n);
    ok &= CHECK(fixed && !fixed->is_argv && fixed->max == n);
    ok &= CHECK(fixed && fixed->flags == (p->flags | PRIM_INTERNAL));
  }
  if (!ok) fprintf(stderr, "  in the row of %s, %s\n", p->name, p->signature);
}

int main(void) {
  test_lookup();
  test_internal();
  for (size_t i = 0; i < prim_count; i++) test_row(&prim_table[i]);
  return check_done();
}
