/* parcel_test.c - structured copies between two heaps, and frozen segments.
 *
 * Random graphs of all kinds of objects, with shared parts and cycles, are walked together with
 * their copies: same kinds, same contents, and the same object for the same object. */
#include "../../rt/equal.h"
#include "../../rt/fns.h"
#include "../../rt/frozen.h"
#include "../../rt/heap_impl.h"
#include "../../rt/lists.h"
#include "../../rt/maps.h"
#include "../../rt/numbers.h"
#include "../../rt/parcel_impl.h"
#include "../../rt/strings.h"
#include "../../rt/symbols.h"
#include "../../rt/vectors.h"
#include "check.h"
#include "random.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static vk isolates[2];
static VkFiber fiber;

static vk *begin(int i, unsigned stress) {
  vk *c = &isolates[i];
  VkLimits limits = {.heap_limit_bytes = (size_t)1 << 30,
                     .gc_threshold_bytes = 1 << 20,
                     .arena_bytes = 256 << 10,
                     .gc_stress = stress};
  memset(c, 0, sizeof *c);
  c->fiber = &fiber;
  if (!vk_heap_new(c, &limits)) abort();
  return c;
}

static void end(vk *c) {
  CHECK(heap_is_valid(c->heap));
  vk_heap_free(c);
}

static V text(vk *c, unsigned n) {
  char bytes[80];
  int len = snprintf(bytes, sizeof bytes, "%u %*s", n, (int)(n % 60), "x");
  return vk_string(c, bytes, (size_t)len);
}

static V send(vk *from, vk *to, V v) {
  V error = VK_NIL;
  VkParcel *p = vk_parcel_pack(from, v, &error);
  if (!CHECK(p != NULL)) return VK_NIL;
  return vk_parcel_unpack(to, p);
}

/* ---- graphs ------------------------------------------------------------------------------- */

static V code(vk *c, V self) {
  (void)c;
  return self;
}
static const VkFn fn = {.name = "f", .code = (void *)code};
static const VkPos pos = {"here.valk", "f", 1, 2};

enum { KINDS = 13 };
static V make(vk *c, unsigned kind, unsigned n, const V *some) {
  switch (kind) {
  case 0: return vk_cons(c, some[0], VK_IS_PAIR(some[1]) ? some[1] : VK_NIL);
  case 1: return text(c, n);
  case 2: return vk_from_double(c, n % 2 ? 1e300 * n : 0.5 * n);
  case 3: return vk_mul(c, VK_FIX(VK_FIX_MAX), VK_FIX(n + 2));
  case 4: {
    V v = vk_vec_new(c, n % 10 + 3);
    for (unsigned i = 0; i < 3; i++) vk_vec_append(c, v, some[i]);
    return v;
  }
  case 5: { /* flat: bytes or floats */
    V list = VK_NIL;
    for (unsigned i = 0; i < n % 40; i++)
      list = vk_cons(c, n % 2 ? VK_FIX(i) : vk_from_double(c, i + 0.5), list);
    return vk_vec_from_list(c, list);
  }
  case 6: {
    V m = vk_map_make(c, 0);
    for (unsigned i = 0; i < n % 30; i++)
      vk_map_put(c, m, n % 3 ? text(c, i) : VK_FIX(i), some[i % 3]);
    return m;
  }
  case 7: {
    V f = vk_closure(c, &fn, 0, 2);
    VK_CAP(f, 0) = some[0];
    VK_CAP(f, 1) = some[1];
    return f;
  }
  case 8: return vk_box(c, some[0]);
  case 9: return VK_IS_PAIR(some[0]) ? vk_sexpr(c, some[0]) : VK_FIX(n);
  case 10: return vk_block(c, VK_NIL, some[2]);
  case 11: {
    V e = vk_error(c, VK_SYM(type), text(c, n), VK_IS_ABN(some[0]) ? VK_NIL : some[0]);
    for (unsigned i = 0; i < n % 40; i++) e = vk_at(c, e, &pos);
    return e;
  }
  default: return n % 2 ? VK_FIX(n) : VK_SYM(type);
  }
}

/* Vectors and boxes are changed afterwards, so that there are cycles. */
static void tie(vk *c, V nodes, V v) {
  V other = vk_vec_ref(c, nodes, below((unsigned)vk_vec_count(nodes)));
  if (VK_IS_KIND(v, VK_BOX)) VK_BOX_SET(c, v, other);
  if (VK_IS_VECTOR(v) && VK_ELEMENTS(v) == VK_VALUES && vk_vec_count(v))
    vk_vec_put(c, v, 0, other);
  if (VK_IS_MAP(v)) vk_map_put(c, v, VK_SYM(list), other);
}

static V graph(vk *c, unsigned count) {
  V nodes = vk_vec_new(c, 4);
  for (unsigned i = 0; i < 4; i++) vk_vec_append(c, nodes, VK_FIX(i));
  for (unsigned i = 0; i < count; i++) {
    V some[3];
    for (int k = 0; k < 3; k++)
      some[k] = vk_vec_ref(c, nodes, below((unsigned)vk_vec_count(nodes)));
    vk_vec_append(c, nodes, make(c, below(KINDS), below(1000), some));
  }
  for (unsigned i = 0; i < count; i++) tie(c, nodes, vk_vec_ref(c, nodes, i));
  return nodes;
}

/* ---- comparing ---------------------------------------------------------------------------- */

typedef struct Walk {
  V (*todo)[2];
  size_t count, capacity;
  VkSeen seen, originals, copies;
  vk *to;
} Walk;

static void later(Walk *w, V a, V b) {
  if (!parcel_is_reference(a) || !vk_seen_add(&w->seen, a, b)) return;
  if (w->count == w->capacity) {
    w->capacity = w->capacity ? 2 * w->capacity : 64;
    w->todo = vk_work_grow(w->todo, w->capacity * sizeof *w->todo);
  }
  w->todo[w->count][0] = a;
  w->todo[w->count++][1] = b;
}

static bool is_in_heap(const vk *c, V v) { return v - c->barrier.base < c->barrier.bytes; }

static void compare_lengths(Walk *w, const V *a, const V *b) {
  (void)w;
  switch (VK_HDR_KIND(*a)) {
  case VK_STRING: CHECK(a[1] == b[1] && !memcmp(a + 2, b + 2, a[1] + 1)); break;
  case VK_BIGINT: CHECK(!memcmp(a, b, 8 + 8 * VK_HDR_COUNT(*a))); break;
  case VK_FLOAT: CHECK(a[1] == b[1]); break;
  case VK_ERROR: CHECK(!memcmp(a + 4, b + 4, parcel_object_bytes(a) - 40)); break;
  default: break;
  }
}

static void compare_fields(Walk *w, V a, V b) {
  V *p = (V *)(a & ~(V)7), *q = (V *)(b & ~(V)7), *first, *end, *first_b, *end_b;
  CHECK(VK_HDR_KIND(*p) == VK_HDR_KIND(*q));
  compare_lengths(w, p, q);
  if (VK_IS_MAP(a)) {
    size_t i = 0, k = 0;
    V key, value, key_b, value_b;
    CHECK(VK_MAPP(a)->len == VK_MAPP(b)->len);
    while (vk_map_next(a, &i, &key, &value) && CHECK(vk_map_next(b, &k, &key_b, &value_b))) {
      later(w, key, key_b);
      later(w, value, value_b);
      CHECK(vk_map_find(b, key_b) == value_b);
      CHECK(vk_map_find(b, parcel_is_reference(key) ? key_b : key) == value_b);
    }
  } else if (VK_IS_VECTOR(a)) {
    CHECK(vk_vec_count(a) == vk_vec_count(b) && VK_ELEMENTS(a) == VK_ELEMENTS(b));
    for (size_t i = 0; i < vk_vec_count(a); i++) {
      VkFloat room, room_b;
      V x = vk_vec_peek(a, i, &room), y = vk_vec_peek(b, i, &room_b);
      if (VK_ELEMENTS(a) == VK_FLOATS)
        CHECK(room.value == room_b.value);
      else
        later(w, x, y);
    }
  } else {
    heap_fields(p, &first, &end);
    heap_fields(q, &first_b, &end_b);
    CHECK(end - first == end_b - first_b);
    for (; first < end; first++, first_b++) {
      if (!parcel_is_reference(*first)) CHECK(*first == *first_b);
      later(w, *first, *first_b);
    }
  }
}

/* b, in heap `to` (or anywhere, NULL), is a copy of a. */
static void check_copy(vk *to, V a, V b) {
  Walk w = {.to = to};
  later(&w, a, b);
  while (w.count && !check_failures) {
    a = w.todo[--w.count][0];
    b = w.todo[w.count][1];
    CHECK((a & 7) == (b & 7));
    bool is_shared = a == b;
    if (is_shared) continue;
    CHECK(vk_seen_add(&w.originals, a, 0)); /* else it has two copies */
    CHECK(vk_seen_add(&w.copies, b, 0));    /* else two became one */
    if (to) CHECK(is_in_heap(to, b));
    if (VK_IS_PAIR(a)) {
      later(&w, VK_HEAD(a), VK_HEAD(b));
      later(&w, VK_TAIL(a), VK_TAIL(b));
      if (!parcel_is_reference(VK_HEAD(a))) CHECK(VK_HEAD(a) == VK_HEAD(b));
    } else {
      compare_fields(&w, a, b);
    }
  }
  free(w.todo);
  vk_seen_free(&w.seen);
  vk_seen_free(&w.originals);
  vk_seen_free(&w.copies);
}

static void random_graphs(unsigned stress) {
  vk *a = begin(0, stress), *b = begin(1, stress);
  for (unsigned round = 0; round < (stress ? 30u : 300u); round++) {
    V g = graph(a, below(stress ? 60 : 400));
    check_copy(b, g, send(a, b, g));
    if (round % 10 == 0) vk_collect(b);
  }
  end(a);
  end(b);
}

/* ---- single things ------------------------------------------------------------------------ */

static void long_list(void) {
  vk *a = begin(0, 0), *b = begin(1, 0);
  enum { LENGTH = 1000000 };
  V list = VK_NIL, deep = VK_NIL;
  for (int i = LENGTH; i > 0; i--) list = vk_cons(a, VK_FIX(i), list);
  for (int i = 0; i < LENGTH; i++) deep = vk_cons(a, deep, VK_NIL);
  CHECK(vk_equal(list, send(a, b, list)));
  CHECK(vk_equal(deep, send(a, b, deep)));
  end(a);
  end(b);
}

static void keys_by_identity(void) {
  vk *a = begin(0, 0), *b = begin(1, 0);
  V map = vk_map_make(a, 0), all = vk_vec_new(a, 0);
  for (int i = 0; i < 100; i++) {
    V f = vk_closure(a, &fn, 0, 1);
    VK_CAP(f, 0) = VK_FIX(i);
    vk_vec_append(a, all, f);
    vk_map_put(a, map, f, VK_FIX(i));
  }
  V both = send(a, b, vk_cons(a, map, vk_cons(a, all, VK_NIL)));
  V map_b = VK_HEAD(both), all_b = VK_HEAD(VK_TAIL(both));
  for (size_t i = 0; i < 100; i++)
    CHECK(vk_map_find(map_b, vk_vec_ref(b, all_b, i)) == VK_FIX(i));
  vk_map_put(b, map_b, VK_FIX(1), VK_TRUE);
  CHECK(vk_map_find(map_b, VK_FIX(1)) == VK_TRUE);
  CHECK(VK_MAPP(map_b)->len == 101);
  end(a);
  end(b);
}

static void refused(vk *c, V v, const char *message) {
  V error = VK_NIL;
  VkParcel *p = vk_parcel_pack(c, v, &error);
  CHECK(p == NULL);
  if (!CHECK(VK_IS_ABN(error))) return;
  CHECK(VK_ERR(error)->kind == VK_SYM(not_sendable));
  CHECK_TEXT(VK_STR(VK_ERR(error)->message)->bytes, message);
}

static void refusals(void) {
  vk *c = begin(0, 0);
  V atom = vk_atom(c, VK_NIL), vector = vk_vec_new(c, 2);
  refused(c, atom, "an atom cannot be sent to another isolate");
  vk_vec_append(c, vector, VK_FIX(1));
  vk_vec_append(c, vector, atom);
  refused(c, vector, "an atom cannot be sent to another isolate: it is element 1 of a vector");
  V map = vk_map_make(c, 0);
  vk_map_put(c, map, VK_SYM(size), vector);
  V f = vk_closure(c, &fn, 0, 1);
  VK_CAP(f, 0) = vk_box(c, map);
  V list = vk_cons(c, VK_NIL, vk_cons(c, VK_NIL, vk_cons(c, f, VK_NIL)));
  refused(
      c, list,
      "an atom cannot be sent to another isolate: it is element 1 of a vector, in the value of "
      ":size in a map, in a variable of the function `f`, in item 3 of a list");
  CHECK(VK_IS_ABN(vk_freeze_value(c, list)));
  CHECK(!VK_IS_FROZEN(map));
  end(c);
}

static void globals(void) {
  vk *a = begin(0, 0), *b = begin(1, 0);
  V atom = vk_atom(a, text(a, 7)), handle = vk_handle_elsewhere.name ? VK_FIX(1) : VK_NIL;
  V values[] = {VK_UNBOUND, atom, vk_cons(a, atom, VK_NIL), VK_FIX(3), handle}, copies[5];
  VkParcel *p = vk_parcel_pack_globals(a, values, 5);
  if (!CHECK(p != NULL)) return;
  for (int i = 0; i < 3; i++) {
    CHECK(vk_parcel_unpack_globals(b, p, copies, 5));
    CHECK(copies[0] == VK_UNBOUND && copies[3] == VK_FIX(3));
    CHECK(VK_IS_KIND(copies[1], VK_ATOM) && copies[1] == VK_HEAD(copies[2]));
    CHECK(vk_equal(VK_BOXP(copies[1])->value, VK_BOXP(atom)->value));
    vk_reset(b, copies[1], VK_NIL); /* this copy's alone */
  }
  vk_parcel_free(p);
  end(a);
  end(b);
}

/* ---- frozen values ------------------------------------------------------------------------- */

static V numbers(vk *c, int count) {
  V v = vk_vec_new(c, 0);
  for (int i = 0; i < count; i++) vk_vec_append(c, v, vk_cons(c, VK_FIX(i), VK_NIL));
  return v;
}

static uint32_t holders(V v) { return vk_segment_of(v)->count; }

static void segments(void) {
  vk *a = begin(0, 0), *b = begin(1, 0);
  V small = numbers(a, 3), plain = numbers(a, 2000);
  CHECK(vk_freeze_value(a, small) == small && VK_IS_FROZEN(small));
  V *root = malloc(sizeof *root); /* where no stack scan looks */
  V *root_b = malloc(sizeof *root_b);
  *root = vk_freeze_value(a, plain);
  vk_root_add(a, root);
  CHECK(VK_IS_FROZEN(plain) && *root != plain && vk_is_in_segment(*root));
  check_copy(NULL, plain, *root);
  CHECK(vk_freeze_value(a, *root) == *root);
  CHECK(holders(*root) == 1);
  V error;
  VkParcel *p = vk_parcel_pack(a, vk_cons(a, *root, VK_NIL), &error);
  CHECK(vk_parcel_bytes(p) == sizeof(VkPair)); /* not copied */
  CHECK(holders(*root) == 2);
  vk_parcel_free(p);
  CHECK(holders(*root) == 1);
  *root_b = send(a, b, *root);
  vk_root_add(b, root_b);
  CHECK(*root_b == *root && holders(*root) == 2);
  send(a, b, *root);
  CHECK(holders(*root) == 2); /* once per isolate */
  vk_collect(b);
  CHECK(holders(*root) == 2);
  vk_root_remove(b, root_b);
  end(b);
  CHECK(holders(*root) == 1);
  vk_collect(a);
  CHECK(holders(*root) == 1);
  vk_root_remove(a, root);
  end(a);
  free(root_b);
  free(root);
}

static __attribute__((noinline)) void make_chain(vk *c, V *root, int links) {
  for (int i = 0; i < links; i++) {
    V v = numbers(c, 300);
    vk_vec_append(c, v, *root);
    *root = vk_freeze_value(c, v);
  }
}

static __attribute__((noinline)) size_t chain_length(vk *c, V v) {
  size_t length = 0;
  for (; v != VK_NIL; length++) v = vk_vec_ref(c, v, vk_vec_count(v) - 1);
  return length;
}
static __attribute__((noinline)) void cut_chain(vk *c, V *root, int links) {
  for (int i = 0; i < links; i++) *root = vk_vec_ref(c, *root, vk_vec_count(*root) - 1);
}
/* Where the frames of functions called before were. */
static __attribute__((noinline)) void clear_stack(void) {
  volatile char words[16 << 10];
  for (size_t i = 0; i < sizeof words; i++) words[i] = 0;
}

/* Each segment refers to the one before. */
static void chains(void) {
  vk *a = begin(0, 0);
  V *root = malloc(sizeof *root);
  *root = VK_NIL;
  vk_root_add(a, root);
  make_chain(a, root, 1000);
  CHECK(a->heap->segments.count == 1000);
  vk_collect(a);
  CHECK(a->heap->segments.count == 1000);
  CHECK(chain_length(a, *root) == 1000);
  cut_chain(a, root, 500);
  clear_stack();
  vk_collect(a);
#ifndef __SANITIZE_ADDRESS__ /* its frames keep stale words */
  CHECK(a->heap->segments.count == 500);
#endif
  CHECK(chain_length(a, *root) == 500);
  *root = VK_NIL;
  vk_root_remove(a, root);
  free(root);
  end(a);
}

/* Segments given up are found without anybody asking, and their memory is used again. */
static void rubbish(void) {
  vk *a = begin(0, 0);
  V *root = malloc(sizeof *root);
  *root = VK_NIL;
  vk_root_add(a, root);
  for (int i = 0; i < 3000; i++) {
    *root = VK_NIL;
    make_chain(a, root, 1);
  }
  CHECK(a->heap->segments.count < 1500);
  vk_root_remove(a, root);
  free(root);
  end(a);
}

/* ---- threads -------------------------------------------------------------------------------- */

typedef struct Job {
  V frozen;
  VkParcel *in, *out;
} Job;

static void *worker(void *to) {
  Job *job = to;
  vk c = {0};
  VkFiber f = {.stack_base = (char *)__builtin_frame_address(0)};
  f.stack_limit = f.stack_base - (64 << 10);
  VkLimits limits = {.heap_limit_bytes = 64 << 20, .gc_threshold_bytes = 1 << 20};
  c.fiber = &f;
  if (!vk_heap_new(&c, &limits)) abort();
  V v = vk_parcel_unpack(&c, job->in), error;
  for (int i = 0; i < 20; i++) {
    V made = vk_freeze_value(&c, numbers(&c, 400));
    v = vk_cons(&c, made, v);
    vk_collect(&c);
  }
  job->out = vk_parcel_pack(&c, v, &error);
  vk_heap_free(&c);
  return NULL;
}

static void threads(void) {
  enum { THREADS = 4 };
  vk *a = begin(0, 0);
  V shared = vk_freeze_value(a, numbers(a, 2000)), error;
  pthread_t ids[THREADS];
  Job jobs[THREADS];
  for (int i = 0; i < THREADS; i++) {
    jobs[i].in = vk_parcel_pack(a, vk_cons(a, shared, VK_NIL), &error);
    pthread_create(&ids[i], NULL, worker, &jobs[i]);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(ids[i], NULL);
    V all = vk_parcel_unpack(a, jobs[i].out);
    CHECK(vk_list_length(all) == 21);
    V last = VK_NIL;
    for (V l = all; VK_IS_PAIR(l); l = VK_TAIL(l)) last = VK_HEAD(l);
    CHECK(last == shared);
    CHECK(vk_equal(VK_HEAD(all), numbers(a, 400)));
  }
  end(a);
}

int main(void) {
  fiber.stack_base = (char *)__builtin_frame_address(0);
  fiber.stack_limit = fiber.stack_base - (1 << 20);
  random_graphs(0);
  random_graphs(1);
  long_list();
  keys_by_identity();
  refusals();
  globals();
  segments();
  chains();
  rubbish();
  threads();
  return check_done();
}
