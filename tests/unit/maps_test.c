/* maps_test.c - maps against a naive model: random changes with keys of every kind, each made anew
 * for each use, so that equal keys are different objects; with hashes that collide, and while the
 * collector runs. */
#include "../../rt/equal.h"
#include "../../rt/fns.h"
#include "../../rt/heap_impl.h"
#include "../../rt/lists.h"
#include "../../rt/maps.h"
#include "../../rt/numbers.h"
#include "../../rt/strings.h"
#include "../../rt/symbols.h"
#include "../../rt/vectors.h"
#include "check.h"
#include "isolate.h"
#include "random.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static vk *begin(unsigned stress) {
  return isolate_begin((VkLimits){.arena_bytes = 256 << 10, .gc_stress = stress});
}

/* ---- keys ----------------------------------------------------------------------------------- */

enum { KEYS = 640, KINDS = 10 };

/* Strings of all lengths around the limits of short ones; neighbours differ in the last byte. */
static V string_key(vk *c, unsigned n) {
  char bytes[64];
  size_t len = n / 2 % 40;
  memset(bytes, n % 5 ? 'a' : 0, sizeof bytes);
  if (len) bytes[len - 1] = (char)(n % 2 ? 'x' : 'y');
  return vk_string(c, bytes, len);
}

static V big_key(vk *c, unsigned n, bool as_float) {
  double x = ldexp(1.0 + n / 1024.0, 80 + (int)n % 50);
  return as_float ? vk_from_double(c, n % 2 ? -x : x) : vk_int_from_double(c, n % 2 ? -x : x);
}

static V list_key(vk *c, unsigned n, V last) {
  V list = vk_cons(c, last, VK_NIL);
  for (unsigned i = 0; i < n % 5; i++) list = vk_cons(c, VK_FIX(n), list);
  return list;
}

/* Key number i, in one of two forms that are equal. */
static V make_key(vk *c, unsigned i) {
  static const int64_t edges[] = {0, -1, 1, VK_FIX_MAX, VK_FIX_MIN};
  unsigned n = i / KINDS;
  bool other = below(2);
  char text[24];
  int len = snprintf(text, sizeof text, i % 3 ? "name%u" : ":key%u", n);
  V part = VK_NIL;
  switch (i % KINDS) {
  case 0: return other ? vk_from_double(c, n + 10) : VK_FIX(n + 10);
  case 1: return VK_FIX(-((int64_t)n << 30) - 100);
  case 2: return string_key(c, n);
  case 3: return vk_intern(c, text, (size_t)len);
  case 4: return vk_from_double(c, n + 0.5);
  case 5: return big_key(c, n, other);
  case 6: return list_key(c, n, other ? VK_FIX(n + 7) : vk_from_double(c, n + 7));
  case 7: part = list_key(c, n, VK_FIX(n)); return vk_vec_from(c, 1, &part);
  case 8: part = string_key(c, n); return vk_vec_from(c, n % 4 ? 1 : 0, &part);
  default:
    return n < 5    ? VK_FIX(edges[n])
           : n == 5 ? vk_from_double(c, NAN)
                    : VK_FIX((int64_t)n * 1000);
  }
}

static V keys[KEYS]; /* one form of each that stays, for the model */

/* What is the same key as another of the table: empty vectors, strings of length 0. */
static unsigned same[KEYS];

static void make_keys(vk *c) {
  for (unsigned i = 0; i < KEYS; i++) {
    keys[i] = make_key(c, i);
    vk_root_add(c, &keys[i]);
    same[i] = i;
    for (unsigned j = 0; j < i && same[i] == i; j++)
      if (vk_key_equal(keys[i], keys[j])) same[i] = j;
  }
}

/* ---- the model ------------------------------------------------------------------------------ */

typedef struct Model {
  int64_t value[KEYS];
  bool has[KEYS];
  unsigned order[KEYS]; /* of the keys there are, oldest first */
  unsigned len;
} Model;

static void model_put(Model *m, unsigned i, int64_t value) {
  if (!m->has[i]) m->order[m->len++] = i;
  m->has[i] = true;
  m->value[i] = value;
}

static void model_delete(Model *m, unsigned i) {
  if (!m->has[i]) return;
  m->has[i] = false;
  unsigned at = 0;
  while (m->order[at] != i) at++;
  memmove(&m->order[at], &m->order[at + 1], (--m->len - at) * sizeof m->order[0]);
}

static void check_map(vk *c, V map, const Model *m) {
  size_t i = 0;
  unsigned n = 0;
  V key, value;
  CHECK(vk_map_len(c, map) == VK_FIX(m->len));
  for (; vk_map_next(map, &i, &key, &value); n++) {
    if (!CHECK(n < m->len)) return;
    CHECK(vk_key_equal(key, keys[m->order[n]]));
    CHECK(value == VK_FIX(m->value[m->order[n]]));
  }
  CHECK(n == m->len);
}

static void check_key(vk *c, V map, const Model *m, unsigned i) {
  V key = make_key(c, i), missing = VK_SYM(error);
  V expected = m->has[same[i]] ? VK_FIX(m->value[same[i]]) : VK_UNBOUND;
  CHECK(vk_map_find(map, key) == expected);
  CHECK(vk_map_has(c, map, key) == VK_FIX(expected != VK_UNBOUND));
  CHECK(vk_map_get3(c, map, key, missing) == (expected == VK_UNBOUND ? missing : expected));
  CHECK(vk_map_get2(c, map, key) == (expected == VK_UNBOUND ? VK_NIL : expected));
}

/* `range`: only keys below it, so that maps stay small or grow. */
static void step(vk *c, V map, Model *m, unsigned range) {
  unsigned i = below(range), what = below(100);
  V key = make_key(c, i);
  int64_t value = below(1000000);
  if (what < 40) {
    CHECK(vk_map_put_p(c, map, key, VK_FIX(value)) == VK_NIL);
    model_put(m, same[i], value);
  } else if (what < 70) { /* what it was and one more, as programs count */
    V old = vk_map_get3(c, map, key, VK_FIX(0));
    if (below(2)) key = make_key(c, i);
    if (below(4) == 0) check_key(c, map, m, below(range)); /* another is found in between */
    vk_map_put_p(c, map, key, old + VK_FIX(1));
    model_put(m, same[i], VK_INT(old) + 1);
  } else if (what < (m->len > range / 2 ? 95u : 75u)) {
    CHECK(vk_map_del_p(c, map, key) == VK_NIL);
    model_delete(m, same[i]);
  }
  check_key(c, map, m, below(2) ? i : below(KEYS));
}

static void compare(vk *c, V map, const Model *m) {
  V copy = vk_map_make(c, below(2) ? m->len : 0);
  for (unsigned n = m->len; n-- > 0;) {
    V key = make_key(c, m->order[n]);
    vk_map_put(c, copy, key, VK_FIX(m->value[m->order[n]]));
  }
  CHECK(vk_equal(map, copy));
  CHECK(vk_hash(map) == vk_hash(copy));
  V both[] = {map, copy};
  CHECK(vk_equal(vk_map_merge_n(c, 2, both), map));
  if (m->len == 0) return;
  V key = make_key(c, m->order[below(m->len)]);
  vk_map_put_p(c, copy, key, VK_NIL);
  CHECK(!vk_equal(map, copy));
  vk_map_del_p(c, copy, key);
  CHECK(!vk_equal(map, copy));
}

static void test_model(unsigned stress, unsigned rounds) {
  vk *c = begin(stress);
  static const unsigned ranges[] = {6, 12, 60, KEYS};
  make_keys(c);
  for (unsigned r = 0; r < 4; r++) {
    static Model m;
    V map = vk_map_new(c);
    m = (Model){.len = 0};
    for (unsigned i = 0; i < rounds; i++) {
      step(c, map, &m, ranges[r]);
      if (i % 64 == 0) check_map(c, map, &m);
      if (i % (rounds / 8) == 0) compare(c, map, &m);
    }
    for (unsigned i = 0; i < KEYS; i++) check_key(c, map, &m, i);
    while (m.len) { /* deleted to the last */
      unsigned i = m.order[below(m.len)];
      vk_map_del_p(c, map, make_key(c, i));
      model_delete(&m, i);
    }
    check_map(c, map, &m);
  }
  for (unsigned i = 0; i < KEYS; i++) vk_root_remove(c, &keys[i]);
  isolate_end(c);
}

/* ---- single cases --------------------------------------------------------------------------- */

/* Numbers in a row and at equal distances, with any seed, and found again after growing. */
static void test_many(void) {
  static const int64_t steps[] = {1, -1, 8, 1000, 1 << 20, (int64_t)1 << 40};
  vk *c = begin(0);
  for (unsigned s = 0; s < sizeof steps / sizeof *steps; s++) {
    V map = vk_map_new(c);
    for (int64_t i = 0; i < 20000; i++) vk_map_put_p(c, map, VK_FIX(i * steps[s]), VK_FIX(i));
    for (int64_t i = 0; i < 20000; i++)
      if (!CHECK(vk_map_get2(c, map, VK_FIX(i * steps[s])) == VK_FIX(i))) break;
    CHECK(vk_map_get2(c, map, VK_FIX(20000 * steps[s])) == VK_NIL);
  }
  isolate_end(c);
}

/* The last key found is a guess only: the map may have changed since, or be another. */
static void test_last(void) {
  vk *c = begin(0);
  V a = vk_map_new(c), b = vk_map_new(c), name = vk_string_z(c, "name"),
    again = vk_string_z(c, "name");
  for (int64_t i = 0; i < 100; i++)
    vk_map_put_p(c, a, VK_FIX(i), VK_FIX(i)), vk_map_put_p(c, b, VK_FIX(i), VK_FIX(-i));
  vk_map_get2(c, a, VK_FIX(50));
  vk_map_put_p(c, b, VK_FIX(50), VK_FIX(7));
  CHECK(vk_map_get2(c, a, VK_FIX(50)) == VK_FIX(50));
  vk_map_get2(c, a, VK_FIX(99));
  vk_map_del_p(c, a, VK_FIX(99));
  vk_map_put_p(c, a, VK_FIX(99), VK_FIX(1)); /* anew, at the end */
  CHECK(vk_map_len(c, a) == VK_FIX(100));
  for (int64_t i = 0; i < 80; i++)
    vk_map_get2(c, a, VK_FIX(99)), vk_map_del_p(c, a, VK_FIX(i)); /* compacts */
  vk_map_put_p(c, a, VK_FIX(99), VK_FIX(2));
  CHECK(vk_map_len(c, a) == VK_FIX(20));
  CHECK(vk_map_get2(c, a, VK_FIX(99)) == VK_FIX(2));
  vk_map_put_p(c, a, name, VK_FIX(3));
  vk_map_put_p(c, a, again, VK_FIX(4));
  CHECK(vk_map_len(c, a) == VK_FIX(21));
  CHECK(vk_map_get2(c, a, name) == VK_FIX(4));
  vk_freeze_p(c, a);
  uint32_t last = VK_MAPP(a)->last; /* reading what threads may share writes nothing */
  for (int64_t i = 80; i < 100; i++) vk_map_get2(c, a, VK_FIX(i));
  CHECK(vk_map_get2(c, a, VK_FIX(99)) == VK_FIX(2));
  CHECK(VK_MAPP(a)->last == last);
  CHECK(VK_IS_ABN(vk_map_put_p(c, a, VK_FIX(99), VK_FIX(5))));
  CHECK(VK_IS_ABN(vk_map_put_p(c, a, name, VK_FIX(5))));
  CHECK(VK_IS_ABN(vk_map_del_p(c, a, name)));
  CHECK(vk_map_get2(c, a, VK_FIX(99)) == VK_FIX(2));
  isolate_end(c);
}

static void test_keys_frozen(void) {
  vk *c = begin(0);
  V map = vk_map_new(c), item = VK_FIX(1000), key = vk_vec_from(c, 1, &item),
    again = vk_vec_from(c, 1, &item);
  vk_map_put_p(c, map, key, VK_FIX(1));
  CHECK(VK_IS_FROZEN(key));
  vk_map_put_p(c, map, again, VK_FIX(2)); /* there already, but used as a key */
  CHECK(VK_IS_FROZEN(again));
  CHECK(vk_map_len(c, map) == VK_FIX(1));
  isolate_end(c);
}

int main(void) {
  isolate_main();
  test_model(0, 8000);
  test_model(1, 300);
  test_model(7, 1000);
  uint64_t factor = vk_hash_factor;
  vk_hash_factor = 1; /* all small integers have the hash 0, as have floats equal to them */
  test_model(0, 4000);
  test_model(7, 600);
  vk_hash_factor = (uint64_t)1 << 63; /* two hashes in all */
  test_model(0, 2000);
  vk_hash_factor = factor;
  test_many();
  test_last();
  test_keys_frozen();
  return check_done();
}
