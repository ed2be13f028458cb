/* check.h - the whole of our unit test framework: CHECK counts and reports, check_done gives the
 * exit status. A failed check says where and what, and the test goes on. */
#ifndef TESTS_UNIT_CHECK_H
#define TESTS_UNIT_CHECK_H
#include <stdio.h>
#include <string.h>

static unsigned check_count, check_failures;

#define CHECK(condition) check_one((condition), __FILE__, __LINE__, #condition)
/* The same text; shows both if not. */
#define CHECK_TEXT(got, expected) check_text((got), (expected), __FILE__, __LINE__, #got)

static inline int check_one(int holds, const char *file, int line, const char *what) {
  __atomic_fetch_add(&check_count, 1, __ATOMIC_RELAXED); /* threads check, too */
  if (!holds) {
    __atomic_fetch_add(&check_failures, 1, __ATOMIC_RELAXED);
    fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
  }
  return holds;
}

__attribute__((unused)) static int check_text(const char *got, const char *expected,
                                              const char *file, int line, const char *what) {
  int holds = got && !strcmp(got, expected);
  if (!check_one(holds, file, line, what))
    fprintf(stderr, "  got:      %s\n  expected: %s\n", got ? got : "(null)", expected);
  return holds;
}

static inline int check_done(void) {
  if (check_failures)
    printf("%u of %u checks failed\n", check_failures, check_count);
  else
    printf("%u checks passed\n", check_count);
  return check_failures != 0;
}
#endif
