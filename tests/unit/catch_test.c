/* catch_test.c - frames left when memory runs out: errors, nesting, scratch, parked calls. */
#include "../../rt/catch.h"
#include "../../rt/errors.h"
#include "../../rt/heap.h"
#include "../../rt/scratch.h"
#include "check.h"
#include "isolate.h"
#include <stdlib.h>

static vk *begin(void) {
  return isolate_begin((VkLimits){.heap_limit_bytes = 4 << 20, .arena_bytes = 1 << 20});
}

static bool is_out_of_memory(V v) {
  return VK_IS_ABN(v) && v != VK_MARK && VK_ERR(v)->kind == VK_SYM(out_of_memory);
}

/* Never gives a value. */
static V fill(vk *c, void *to) {
  V l = VK_NIL;
  while (c) {
    l = vk_cons(c, VK_FIX(1), l);
    ++*(size_t *)to;
    vk_scratch_cons(c, 0, VK_NIL, VK_NIL);
  }
  return l;
}

static V answer(vk *c, void *to) {
  (void)to;
  return vk_cons(c, VK_FIX(42), VK_NIL);
}

static void test_value(void) {
  vk *c = begin();
  CHECK(VK_HEAD(vk_catch_call(c, answer, NULL)) == VK_FIX(42));
  CHECK(!c->fiber->caught);
  vk_heap_free(c);
}

/* Again and again: what was made is gone, and nothing of a catch stays. */
static void test_error(void) {
  vk *c = begin();
  char *mark = vk_scratch_mark(c, 0);
  V kept = vk_scratch_cons(c, 0, VK_FIX(7), VK_NIL);
  size_t used = vk_scratch_used(c);
  for (int i = 0; i < 10; i++) {
    size_t made = 0;
    CHECK(is_out_of_memory(vk_catch_call(c, fill, &made)));
    CHECK(made > 200000 && made <= 262144);
    CHECK(!c->fiber->caught);
    CHECK(vk_scratch_used(c) == used && VK_HEAD(kept) == VK_FIX(7));
    CHECK(vk_heap_used(c) < 64 << 10);
    CHECK(heap_is_valid(c->heap));
  }
  vk_scratch_reset(c, 0, mark);
  vk_scratch_free(c);
  vk_heap_free(c);
}

static V fill_twice(vk *c, void *to) {
  V first = vk_catch_call(c, fill, to);
  CHECK(is_out_of_memory(first));
  return fill(c, to);
}

static V park_and_fill(vk *c, void *to) {
  V args[VK_MAX_PARAMS + 9] = {0};
  vk_parkn(c, VK_NIL, VK_MAX_PARAMS + 9, args);
  return fill(c, to);
}

static void test_nested(void) {
  vk *c = begin();
  size_t made = 0;
  CHECK(is_out_of_memory(vk_catch_call(c, fill_twice, &made)));
  CHECK(made > 400000);
  CHECK(is_out_of_memory(vk_catch_call(c, park_and_fill, &made)));
  CHECK(!c->park_n && !c->park_fn && !c->park_more);
  CHECK(is_out_of_memory(vk_catch_call(c, fill, &made)));
  vk_scratch_free(c);
  vk_heap_free(c);
}

int main(void) {
  isolate_main();
  test_value();
  test_error();
  test_nested();
  return check_done();
}
