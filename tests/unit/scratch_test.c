/* scratch_test.c - the two bump stacks: marks, resets, chunks, falling through to the heap; and
 * what debug builds make of stores into the heap. */
#include "../../rt/heap_impl.h"
#include "../../rt/scratch.h"
#include "check.h"
#include "isolate.h"
#include "random.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static vk *begin(size_t arena_bytes) {
  return isolate_begin((VkLimits){.arena_bytes = arena_bytes, .gc_stress = 5});
}

static void end(vk *c) {
  CHECK(scratch_is_valid(c));
  vk_scratch_free(c);
  CHECK(vk_scratch_used(c) == 0);
  isolate_end(c);
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
  V *big = vk_scratch_new(c, 1, VK_SCRATCH_CHUNK_BYTES);
  CHECK(!vk_scratch_owns(big));
  big[0] = VK_HDR(VK_RAW, 0, 0);
  end(c);

  c = begin(0);
  l = count_down(c, 0, 100, VK_NIL);
  CHECK(is_count_down(l, 100));
  CHECK(vk_scratch_used(c) == 0);
  end(c);
}

/* Regions within regions, most of them beyond what scratch has room for, with collections in
 * between: lists stay as long as their region, whatever was reset, spilled or changed since. */
static bool has_spilled;
static unsigned large_count;

static V labelled(vk *c, int label) {
  return below(3) ? VK_FIX(label) : vk_heap_cons(c, VK_FIX(label), VK_NIL);
}

/* A vector's elements with a new pair as the first and the last, and a cell that holds it. */
static V large_store(vk *c, int s, V l, size_t words) {
  VkStore *store = vk_scratch_new(c, s, words * sizeof(V));
  store->hdr = VK_HDR(VK_STORE, 0, 0);
  store->capacity = words - 2;
  for (size_t i = 0; i < store->capacity; i++) store->items[i] = VK_NIL;
  V v = VK_FROM_OBJ(store);
  if (below(2)) heap_event(c->heap); /* it is clean then */
  vk_write(c, v, &store->items[0], vk_heap_cons(c, VK_FIX(words), VK_NIL));
  vk_write(c, v, &store->items[store->capacity - 1], vk_heap_cons(c, VK_FIX(words), VK_NIL));
  return vk_scratch_cons(c, s, v, l);
}

static bool is_large_store(V v) {
  if (!VK_IS_KIND(v, VK_STORE)) return false;
  const VkStore *store = VK_STOREP(v);
  V first = store->items[0], last = store->items[store->capacity - 1], label = VK_FIX(store->capacity + 2);
  return VK_IS_PAIR(first) && VK_IS_PAIR(last) && VK_HEAD(first) == label &&
         VK_HEAD(last) == label && VK_TAIL(last) == VK_NIL;
}

static V random_list(vk *c, int s, int n) {
  V l = VK_NIL;
  for (int i = 0; i < n; i++) {
    l = vk_scratch_cons(c, s, labelled(c, i), l);
    if (!below(4000)) heap_event(c->heap);
    if (below(40)) continue;
    size_t words = below(20) ? 4 : below(3) ? below(3000) + 3 : below(30000) + 3;
    V *object = vk_scratch_new(c, s, words * sizeof(V));
    object[0] = VK_HDR(VK_RAW, 0, 0);
    object[1] = (words - 2) * sizeof(V);
    if (words > 4) large_count++;
    l = large_store(c, s, l, words);
  }
  has_spilled = has_spilled || c->fiber->spill[s].is_on;
  return l;
}

/* The same labels in new pairs on the heap: in cells that a collection may have seen already. */
static void relabel(vk *c, V l) {
  for (; VK_IS_PAIR(l); l = VK_TAIL(l)) {
    if (below(100)) continue;
    V head = VK_HEAD(l), label = VK_IS_PAIR(head) ? VK_HEAD(head) : head;
    if (VK_IS_OBJ(head)) continue;
    vk_write(c, l, &VK_HEAD(l), vk_heap_cons(c, label, VK_NIL));
  }
}

static bool is_labelled(V l, int n) {
  for (int i = n - 1; i >= 0; i--, l = VK_TAIL(l)) {
    for (; VK_IS_PAIR(l) && VK_IS_OBJ(VK_HEAD(l)); l = VK_TAIL(l))
      if (!is_large_store(VK_HEAD(l))) return false;
    if (!VK_IS_PAIR(l)) return false;
    V head = VK_HEAD(l);
    if ((VK_IS_PAIR(head) ? VK_HEAD(head) : head) != VK_FIX(i)) return false;
  }
  return l == VK_NIL;
}

static void in_region(vk *c, int depth) {
  int s = (int)below(2), n = (int)below(below(4) ? 200 : 9000);
  char *mark = vk_scratch_mark(c, s);
  V l = random_list(c, s, n);
  for (unsigned i = 0, children = below(depth > 5 ? 1 : 4); i < children; i++) {
    if (!below(10)) heap_event(c->heap);
    if (!below(40)) vk_collect(c);
    if (!below(3)) relabel(c, l);
    in_region(c, depth + 1);
    CHECK(scratch_is_valid(c));
    if (!is_labelled(l, n)) CHECK(!"a list changed");
  }
  CHECK(is_labelled(l, n));
  vk_scratch_reset(c, s, mark);
  CHECK(scratch_is_valid(c));
}

static void test_regions(void) {
  for (int round = 0; round < 60; round++) {
    vk *c = isolate_begin((VkLimits){.arena_bytes = below(9) * VK_SCRATCH_CHUNK_BYTES});
    for (int i = 0; i < 6; i++) in_region(c, 0);
    vk_collect(c);
    end(c);
  }
#ifndef VK_DEBUG
  CHECK(has_spilled);
#endif
  CHECK(large_count > 100);
}

/* Large objects have chunks of their own, which the reset to a mark before them gives back. */
static void test_large(void) {
  static const size_t sizes[] = {9 << 10, 20 << 10, (32 << 10) - 32, 32 << 10, 100 << 10, 1 << 20, 2900 << 10};
  vk *c = begin(4 << 20);
  for (int first = 0; first < 2; first++) { /* on an empty stack, and behind something */
    char *mark = vk_scratch_mark(c, 0);
    size_t before = vk_scratch_used(c);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
      V *p = vk_scratch_new(c, 0, sizes[i]);
      CHECK((uintptr_t)p % 16 == 0 && vk_scratch_owns(p) && vk_scratch_owns((char *)p + sizes[i] - 1));
      memset(p, 0, sizes[i]);
      p[0] = VK_HDR(VK_RAW, 0, 0);
      p[1] = sizes[i] - 16;
      V l = count_down(c, 0, 3000, VK_NIL);
      CHECK(vk_scratch_used(c) >= before + sizes[i] + 3000 * 16);
      vk_collect(c);
      CHECK(scratch_is_valid(c) && is_count_down(l, 3000) && p[1] == sizes[i] - 16);
      vk_scratch_reset(c, 0, mark);
      CHECK(scratch_is_valid(c) && vk_scratch_used(c) == before);
    }
    CHECK(!first == !c->fiber->scratch[0]);
    count_down(c, 0, 10, VK_NIL);
  }
  CHECK(c->fiber->scratch_bytes_max < 4 << 20 && c->fiber->scratch_bytes_max > 2900 << 10);
  V *p = vk_scratch_new(c, 0, 3 << 20), *q = vk_scratch_new(c, 1, 3 << 20);
  CHECK(!vk_scratch_owns(p) && !vk_scratch_owns(q)); /* more than three quarters */
  p[0] = q[0] = VK_HDR(VK_RAW, 0, 0);
  end(c);
}

static void test_sizes(void) {
  vk *c = begin(4 << 20);
  for (size_t bytes = 16; bytes <= 12 << 10; bytes += 331) {
    char *p = vk_scratch_new(c, 0, bytes);
    CHECK((uintptr_t)p % 16 == 0);
    CHECK(vk_scratch_owns(p) && vk_scratch_owns(p + bytes - 1));
    memset(p, 0x5A, bytes);
    CHECK(scratch_is_valid(c));
  }
  CHECK(c->fiber->scratch_bytes_max >= vk_scratch_used(c));
  end(c);
}

#ifdef VK_DEBUG
/* A reset in a child: it must end by abort if what `store` did is wrong, else by exit. */
static bool is_store_caught(void (*store)(vk *c, V short_lived), size_t arena_bytes) {
  fflush(stdout);
  pid_t child = fork();
  if (!child) {
    vk *c = begin(arena_bytes);
    char *mark = vk_scratch_mark(c, 0);
    fclose(stderr);
    store(c, vk_scratch_cons(c, 0, VK_FIX(1), VK_NIL));
    vk_scratch_reset(c, 0, mark);
    vk_heap_end(c);
    _exit(0);
  }
  int status;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void store_head(vk *c, V v) { vk_cons(c, v, VK_NIL); }
static void store_tail(vk *c, V v) { vk_cons(c, VK_NIL, v); }
static void store_box(vk *c, V v) { vk_box(c, v); }
static void store_later(vk *c, V v) { VK_BOX_SET(c, vk_box(c, VK_NIL), v); }
static void store_pair_later(vk *c, V v) {
  V pair = vk_cons(c, VK_NIL, VK_NIL);
  vk_write(c, pair, &VK_HEAD(pair), v);
}
static V store_of(vk *c, size_t capacity) {
  VkStore *s = vk_new(c, sizeof *s + capacity * sizeof(V));
  s->hdr = VK_HDR(VK_STORE, 0, 0);
  s->capacity = capacity;
  for (size_t i = 0; i < capacity; i++) s->items[i] = VK_NIL;
  return VK_FROM_OBJ(s);
}
static void store_medium(vk *c, V v) { VK_STOREP(store_of(c, 100))->items[99] = v; }
static void store_large(vk *c, V v) { VK_STOREP(store_of(c, 10000))->items[9999] = v; }
static void store_error(vk *c, V v) {
  VkError *e = vk_new(c, sizeof *e + 8);
  *e = (VkError){.hdr = VK_HDR(VK_ERROR, 0, 0), .message = VK_NIL, .kind = VK_NIL, .data = v};
}
static void store_root(vk *c, V v) {
  static V slot;
  vk_root_add(c, &slot);
  slot = v;
}
static void store_from_stack(vk *c, V v) {
  char here[64 << 10]; /* as if the program's frames were in it */
  V *pair = (V *)(((uintptr_t)here + 15) & ~(uintptr_t)15);
  (void)v;
  fiber.stack_limit = here;
  pair[0] = pair[1] = VK_NIL;
  vk_box(c, VK_FROM_PAIR(pair));
  heap_check_stores(c->heap);
}
static void store_old_run(vk *c, V v) {
  vk_box(c, v);
  for (int i = 0; i < 10000; i++) vk_box(c, VK_NIL);
}
/* Right: what may point into scratch. */
static void store_in_scratch(vk *c, V v) {
  vk_scratch_cons(c, 1, v, vk_scratch_cons(c, 0, v, VK_NIL));
  V *box = vk_scratch_new(c, 1, sizeof(VkBox));
  box[0] = VK_HDR(VK_BOX, 0, 0);
  box[1] = VK_NIL;
  VK_BOX_SET(c, VK_FROM_OBJ(box), v);
}
static void store_fell_through(vk *c, V v) {
  enum { COUNT = (4 << 20) / 8 };
  V *big = vk_scratch_new(c, 1, (COUNT + 2) * sizeof(V));
  big[0] = VK_HDR(VK_STORE, 0, 0);
  big[1] = COUNT;
  for (int i = 0; i < COUNT; i++) big[2 + i] = v;
  vk_write(c, VK_FROM_OBJ(big), &big[3], v);
}

static void test_store_check(void) {
  static void (*const wrong[])(vk *, V) = {
      store_head,  store_tail,  store_box,  store_later,      store_pair_later, store_medium,
      store_large, store_error, store_root, store_from_stack, store_old_run};
  static void (*const right[])(vk *, V) = {store_in_scratch, store_fell_through};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    CHECK(is_store_caught(wrong[i], 4 << 20));
    CHECK(is_store_caught(wrong[i], 0)); /* what has no room in scratch lives no longer */
  }
  for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
    CHECK(!is_store_caught(right[i], 4 << 20));
    CHECK(!is_store_caught(right[i], 0));
  }
}
#else
static void test_store_check(void) {}
#endif

int main(void) {
  isolate_main();
  test_marks();
  test_two_stacks();
  test_fall_through();
  test_regions();
  test_sizes();
  test_large();
  test_store_check();
  return check_done();
}
