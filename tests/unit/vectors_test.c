/* vectors_test.c - vectors against a model: what they hold and what they keep it as, whatever is
 * stored into them in which order, while the collector runs. */
#include "../../rt/equal.h"
#include "../../rt/fns.h"
#include "../../rt/heap_impl.h"
#include "../../rt/lists.h"
#include "../../rt/print.h"
#include "../../rt/strings.h"
#include "../../rt/vectors.h"
#include "check.h"
#include "isolate.h"
#include "random.h"
#include <stdlib.h>
#include <string.h>

static const VkPos here = {.file = "vectors_test", .line = 1, .col = 1};

static vk *begin(unsigned stress) {
  return isolate_begin((VkLimits){.arena_bytes = 256 << 10, .gc_stress = stress});
}

/* ---- elements ------------------------------------------------------------------------------ */

typedef enum ItemKind { ITEM_INT, ITEM_FLOAT, ITEM_STRING, ITEM_NIL } ItemKind;
typedef struct Item {
  ItemKind kind;
  int64_t number; /* of a string too */
  double real;
} Item;

static Item random_int(void) {
  static const int64_t edges[] = {-128, 127, 0, -1, 1, 100};
  return (Item){.kind = ITEM_INT,
                .number = below(2) ? edges[below(6)] : (int64_t)below(256) - 128};
}

/* Of all magnitudes: some have no place in a word. */
static Item random_float(void) {
  static const double edges[] = {0.0, -0.0, 1.5, -2.25, 1e-300, 1e300, 5e-324, -1.0 / 3};
  static const double odd[] = {__builtin_inf(), -__builtin_inf()};
  unsigned n = below(12);
  return (Item){.kind = ITEM_FLOAT,
                .real = n < 8    ? edges[n]
                        : n < 10 ? odd[n - 8]
                                 : below(1000) / 7.0};
}

static Item random_other(void) {
  static const int64_t wide[] = {-129, 128, 1000, -(1 << 30), VK_FIX_MAX, VK_FIX_MIN};
  if (below(3) == 0) return (Item){.kind = ITEM_NIL};
  if (below(2)) return (Item){.kind = ITEM_INT, .number = wide[below(6)]};
  return (Item){.kind = ITEM_STRING, .number = below(1000)};
}

/* Mostly of one kind, so that vectors stay flat for a while. */
static Item random_item(unsigned taste) {
  if (below(40) == 0) taste = below(3);
  return taste == 0 ? random_int() : taste == 1 ? random_float() : random_other();
}

static V item_value(vk *c, Item item) {
  char text[16];
  switch (item.kind) {
  case ITEM_INT: return VK_FIX(item.number);
  case ITEM_FLOAT: return vk_from_double(c, item.real);
  case ITEM_STRING: return vk_string(c, text, (size_t)sprintf(text, "%d", (int)item.number));
  case ITEM_NIL: break;
  }
  return VK_NIL;
}

/* The very value: an integer is no float, and -0.0 is not 0.0. */
static bool is_item(V v, Item item) {
  switch (item.kind) {
  case ITEM_INT: return v == VK_FIX(item.number);
  case ITEM_FLOAT:
    return VK_IS_FLOAT(v) && vk_float_bits(vk_double(v)) == vk_float_bits(item.real);
  case ITEM_STRING: return VK_IS_KIND(v, VK_STRING) && atoi(VK_STR(v)->bytes) == item.number;
  case ITEM_NIL: break;
  }
  return v == VK_NIL;
}

static VkElements elements_for(Item item) {
  if (item.kind == ITEM_FLOAT) return VK_FLOATS;
  return item.kind == ITEM_INT && item.number >= -128 && item.number <= 127 ? VK_BYTES
                                                                            : VK_VALUES;
}

/* ---- the model ----------------------------------------------------------------------------- */

enum { VECTORS = 8, ITEMS_MAX = 300 };
typedef struct Model {
  Item items[ITEMS_MAX];
  size_t len;
  VkElements elements;
} Model;
static Model models[VECTORS];
static V vectors[VECTORS];

static VkElements elements_for_all(const Item *items, size_t n) {
  VkElements all = n ? elements_for(items[0]) : VK_UNDECIDED;
  for (size_t i = 1; i < n; i++)
    if (elements_for(items[i]) != all) all = VK_VALUES;
  return all;
}

static void note(Model *m, Item item) {
  VkElements wanted = elements_for(item);
  m->elements = m->elements == VK_UNDECIDED || m->elements == wanted ? wanted : VK_VALUES;
}

/* Each way to read must give the element. */
static bool has_item(vk *c, V vector, size_t i, Item item) {
  VkFloat room;
  V index = VK_FIX(i);
  bool holds = is_item(vk_vec_get(c, vector, index), item) &&
               is_item(vk_vec_ref(c, vector, i), item) &&
               is_item(vk_vec_peek(vector, i, &room), item) &&
               is_item(vk_op_vec_get(c, vector, index, &here), item) &&
               is_item(vk_vector_get(c, vector, (int64_t)i, &here), item);
  switch (VK_ELEMENTS(vector)) {
  case VK_BYTES:
    return holds && vk_has_index(vector, i) && is_item(VK_FIX(vk_bytes_ref(vector, i)), item);
  case VK_FLOATS:
    return holds && vk_has_index(vector, i) &&
           is_item(vk_from_double(c, vk_floats_ref(vector, i)), item);
  default: return holds && is_item(vk_values_get(c, vector, (int64_t)i, &here), item);
  }
}

static void check_vector(vk *c, unsigned n) {
  Model *m = &models[n];
  CHECK(vk_vec_count(vectors[n]) == m->len);
  CHECK(VK_ELEMENTS(vectors[n]) == m->elements);
  for (size_t i = 0; i < m->len; i++) CHECK(has_item(c, vectors[n], i, m->items[i]));
  CHECK(VK_IS_ABN(vk_op_vec_get(c, vectors[n], VK_FIX(m->len), &here)));
  CHECK(VK_IS_ABN(vk_op_vec_get(c, vectors[n], VK_FIX(-1), &here)));
}

/* ---- operations ---------------------------------------------------------------------------- */

static void make_filled(vk *c, unsigned n, unsigned taste) {
  Model *m = &models[n];
  Item item = random_item(taste);
  m->len = below(ITEMS_MAX / 2);
  m->elements = m->len ? elements_for(item) : VK_UNDECIDED;
  for (size_t i = 0; i < m->len; i++) m->items[i] = item;
  V args[] = {VK_FIX(m->len), item_value(c, item)};
  vectors[n] = vk_vec_make_n(c, 2, args);
}

static void make_list(vk *c, unsigned n, unsigned taste, bool as_values) {
  Model *m = &models[n];
  V list = VK_NIL;
  m->len = below(20);
  for (size_t i = m->len; i-- > 0;) {
    m->items[i] = random_item(taste);
    V v = item_value(c, m->items[i]);
    list = vk_cons(c, v, list);
  }
  m->elements = as_values ? VK_VALUES : elements_for_all(m->items, m->len);
  vectors[n] = as_values ? vk_list_to_values(c, list) : vk_list_to_vec(c, list);
}

static void make_slice(vk *c, unsigned n, unsigned of) {
  Model *m = &models[n], from = models[of];
  size_t first = below((unsigned)from.len + 1),
         last = first + below((unsigned)(from.len - first) + 1);
  V args[] = {vectors[of], VK_FIX(first), VK_FIX(last)};
  vectors[n] = vk_vec_slice_n(c, 3, args);
  m->len = last - first;
  memcpy(m->items, &from.items[first], m->len * sizeof(Item));
  bool is_flat = from.elements == VK_BYTES || from.elements == VK_FLOATS;
  m->elements = m->len && is_flat ? from.elements : elements_for_all(m->items, m->len);
}

static void store(vk *c, unsigned n, Item item) {
  Model *m = &models[n];
  if (m->len == 0) return;
  size_t i = below((unsigned)m->len);
  V v = item_value(c, item);
  bool fits = elements_for(item) == VK_ELEMENTS(vectors[n]);
  V r = below(2) ? vk_vec_set(c, vectors[n], VK_FIX(i), v)
        : VK_ELEMENTS(vectors[n]) == VK_VALUES
            ? vk_values_set(c, vectors[n], (int64_t)i, v, &here)
        : fits && VK_ELEMENTS(vectors[n]) == VK_BYTES
            ? vk_bytes_set(c, vectors[n], (int64_t)i, VK_INT(v), &here)
        : fits && VK_ELEMENTS(vectors[n]) == VK_FLOATS
            ? vk_floats_set(c, vectors[n], (int64_t)i, vk_double(v), &here)
            : vk_op_vec_set(c, vectors[n], VK_FIX(i), v, &here);
  CHECK(r == VK_NIL);
  m->items[i] = item;
  note(m, item);
}

static void push(vk *c, unsigned n, Item item) {
  Model *m = &models[n];
  if (m->len == ITEMS_MAX) return;
  V v = item_value(c, item);
  VkElements wanted = elements_for(item), elements = VK_ELEMENTS(vectors[n]);
  bool is_bytes = wanted == VK_BYTES && (elements == VK_BYTES || elements == VK_UNDECIDED);
  bool is_floats = wanted == VK_FLOATS && (elements == VK_FLOATS || elements == VK_UNDECIDED);
  V r = below(2)                ? vk_op_vec_push(c, vectors[n], v, &here)
        : is_bytes              ? vk_bytes_push(c, vectors[n], VK_INT(v), &here)
        : is_floats             ? vk_floats_push(c, vectors[n], vk_double(v), &here)
        : elements == VK_VALUES ? vk_values_push(c, vectors[n], v, &here)
                                : vk_vec_push(c, vectors[n], v);
  CHECK(r == VK_NIL);
  m->items[m->len++] = item;
  note(m, item);
}

static void pop(vk *c, unsigned n) {
  Model *m = &models[n];
  V v = vk_vec_pop(c, vectors[n]);
  if (m->len == 0)
    CHECK(VK_IS_ABN(v));
  else
    CHECK(is_item(v, m->items[--m->len]));
}

/* Through a list; the same elements kept as values are an equal vector with an equal hash. */
static void compare(vk *c, unsigned n) {
  V list = vk_vec_list(c, vectors[n]), values = vk_list_to_values(c, list);
  Model *m = &models[n];
  CHECK(VK_ELEMENTS(values) == VK_VALUES);
  CHECK(vk_equal(vectors[n], values) && vk_equal(values, vectors[n]));
  CHECK(vk_hash(vectors[n]) == vk_hash(values));
  VkBuf a = {0}, b = {0};
  vk_show(&a, vectors[n], true);
  vk_show(&b, values, true);
  CHECK(a.len == b.len && !memcmp(a.data, b.data, a.len));
  vk_buf_free(&a);
  vk_buf_free(&b);
  if (m->len == 0) return;
  size_t i = below((unsigned)m->len);
  vk_vec_put(c, values, i, VK_SYM(error));
  CHECK(!vk_equal(vectors[n], values));
}

static void step(vk *c) {
  unsigned n = below(VECTORS), taste = n % 3, what = below(100);
  if (what < 4)
    make_filled(c, n, taste);
  else if (what < 8)
    make_list(c, n, taste, below(3) == 0);
  else if (what < 12)
    make_slice(c, n, below(VECTORS));
  else if (what < 50)
    store(c, n, random_item(taste));
  else if (what < 80)
    push(c, n, random_item(taste));
  else if (what < 94)
    pop(c, n);
  else
    compare(c, n);
  check_vector(c, n);
}

static void test_model(unsigned stress, unsigned rounds) {
  vk *c = begin(stress);
  for (unsigned i = 0; i < VECTORS; i++) {
    models[i].len = 0;
    models[i].elements = VK_UNDECIDED;
    vectors[i] = vk_vec(c, 0, NULL);
    vk_root_add(c, &vectors[i]);
  }
  for (unsigned i = 0; i < rounds; i++) step(c);
  for (unsigned i = 0; i < VECTORS; i++) check_vector(c, i);
  for (unsigned i = 0; i < VECTORS; i++) vk_root_remove(c, &vectors[i]);
  isolate_end(c);
}

/* ---- single cases -------------------------------------------------------------------------- */

static void test_frozen(void) {
  vk *c = begin(0);
  V args[] = {VK_FIX(3), VK_FIX(1)}, bytes = vk_vec_make_n(c, 2, args);
  args[1] = vk_from_double(c, 1.0);
  V floats = vk_vec_make_n(c, 2, args);
  vk_freeze_p(c, bytes);
  vk_freeze_p(c, floats);
  CHECK(VK_IS_ABN(vk_op_vec_set(c, bytes, VK_FIX(0), VK_FIX(2), &here)));
  CHECK(VK_IS_ABN(vk_bytes_set(c, bytes, 0, 2, &here)));
  CHECK(VK_IS_ABN(vk_floats_set(c, floats, 0, 2.0, &here)));
  CHECK(VK_IS_ABN(vk_op_vec_push(c, floats, args[1], &here)));
  CHECK(VK_IS_ABN(vk_bytes_push(c, bytes, 1, &here)));
  CHECK(VK_IS_ABN(vk_vec_pop(c, bytes)));
  CHECK(vk_op_vec_get(c, bytes, VK_FIX(0), &here) == VK_FIX(1));
  isolate_end(c);
}

/* Bytes take bytes. */
static void test_memory(void) {
  vk *c = begin(0);
  V args[] = {VK_FIX(20 << 20), VK_FIX(7)};
  V big = vk_vec_make_n(c, 2, args);
  CHECK(!VK_IS_ABN(big));
  CHECK(vk_op_vec_get(c, big, VK_FIX((20 << 20) - 1), &here) == VK_FIX(7));
  args[1] = VK_FIX(1000);
  CHECK(VK_IS_ABN(vk_vec_make_n(c, 2, args)));
  isolate_end(c);
}

int main(void) {
  isolate_main();
  test_model(0, 30000);
  test_model(1, 1500);
  test_model(7, 4000);
  test_frozen();
  test_memory();
  return check_done();
}
