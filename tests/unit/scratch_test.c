/* scratch_test.c - the two bump stacks: marks, resets, chunks, falling through to the heap. */
#include "../../rt/heap.h"
#include "../../rt/scratch.h"
#include "check.h"
#include <stdlib.h>

static vk isolate;
static VkFiber fiber;

static vk *begin(size_t arena_bytes) {
  vk *c = &isolate;
  VkLimits limits = {.heap_limit_bytes = 64 << 20,
                     .gc_threshold_bytes = 1 << 20,
                     .arena_bytes = arena_bytes,
                     .gc_stress = 5};
  memset(c, 0, sizeof *c);
  c->fiber = &fiber;
  if (!vk_heap_new(c, &limits)) abort();
  return c;
}

static void end(vk *c) {
  CHECK(scratch_is_valid(c));
  CHECK(heap_is_valid(c->heap));
  vk_scratch_free(c);
  CHECK(vk_scratch_used(c) == 0);
  vk_heap_free(c);
}

static V count_down(vk *c, int s, int n, V end) {
  for (int i = 0; i < n; i++) end = vk_scratch_cons(c, s, VK_FIX(i), end);
  return end;
}

static bool is_count_down(V list, int n) {
  for (int i = n - 1; i >= 0; i--, list = VK_TAIL(list))
    if (!VK_IS_PAIR(list) || VK_HEAD(list) != VK_FIX(i)) return false;
  return true;
}

/* What is before the mark stays, over any number of chunks. */
static void test_marks(void) {
  vk *c = begin(4 << 20);
  V first = count_down(c, 0, 3000, VK_NIL);
  size_t before = vk_scratch_used(c);
  for (int round = 1; round < 40; round++) {
    char *mark = vk_scratch_mark(c, 0);
    V more = count_down(c, 0, round * 150, VK_NIL);
    CHECK(is_count_down(more, round * 150));
    CHECK(scratch_is_valid(c));
    vk_scratch_reset(c, 0, mark);
    CHECK(vk_scratch_used(c) == before);
  }
  CHECK(is_count_down(first, 3000));
  vk_scratch_reset(c, 0, NULL); /* the mark of an empty stack */
  CHECK(vk_scratch_used(c) == 0);
  CHECK(scratch_is_valid(c));
  end(c);
}

/* Results on one stack, temporaries on the other: resetting one leaves the other alone. */
static V squares(vk *c, int res, int n) {
  V result = VK_NIL;
  for (int i = 0; i < n; i++) {
    char *mark = vk_scratch_mark(c, !res);
    V temporary = count_down(c, !res, i % 300, VK_NIL);
    int length = 0;
    for (V p = temporary; VK_IS_PAIR(p); p = VK_TAIL(p)) length++;
    vk_scratch_reset(c, !res, mark);
    result = vk_scratch_cons(c, res, VK_FIX(length), result);
  }
  return result;
}

static void test_two_stacks(void) {
  vk *c = begin(4 << 20);
  for (int res = 0; res < 2; res++) {
    V l = squares(c, res, 5000);
    bool is_right = true;
    for (int i = 4999; i >= 0; i--, l = VK_TAIL(l))
      is_right = is_right && VK_HEAD(l) == VK_FIX(i % 300);
    CHECK(is_right);
  }
  end(c);
}

/* Beyond the limit values come from the heap, and stay while scratch refers to them. */
static void test_fall_through(void) {
  vk *c = begin(2 * VK_SCRATCH_CHUNK_BYTES);
  V l = count_down(c, 0, 20000, VK_NIL);
  CHECK(is_count_down(l, 20000));
  CHECK(!vk_scratch_owns(VK_PAIR(l)));
  V *big = vk_scratch_new(c, 1, VK_SCRATCH_BYTES_MAX + 8);
  CHECK(!vk_scratch_owns(big));
  big[0] = VK_HDR(VK_RAW, 0, 0) | vk_region_flag(c, big);
  CHECK((*big & VK_REGION) != 0);
  end(c);

  c = begin(0);
  l = count_down(c, 0, 100, VK_NIL);
  CHECK(is_count_down(l, 100));
  CHECK(vk_scratch_used(c) == 0);
  end(c);
}

static void test_sizes(void) {
  vk *c = begin(4 << 20);
  for (size_t bytes = 16; bytes <= VK_SCRATCH_BYTES_MAX; bytes += 331) {
    char *p = vk_scratch_new(c, 0, bytes);
    CHECK((uintptr_t)p % 16 == 0);
    CHECK(vk_scratch_owns(p) && vk_scratch_owns(p + bytes - 1));
    memset(p, 0x5A, bytes);
    CHECK(scratch_is_valid(c));
    CHECK(vk_region_flag(c, p) == 0);
  }
  CHECK(c->fiber->scratch_bytes_max >= vk_scratch_used(c));
  end(c);
}

int main(void) {
  fiber.stack_base = (char *)__builtin_frame_address(0);
  test_marks();
  test_two_stacks();
  test_fall_through();
  test_sizes();
  return check_done();
}
