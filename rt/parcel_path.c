/* parcel_path.c - the error about what cannot be sent or frozen: what it is, and where it stands.
 *
 *   an atom cannot be sent to another isolate: it is element 2 of a vector, in the value of :cache
 *   in a map, in a variable of the function `f`
 *
 * The value is searched again, breadth first, this time with the way to everything found: only
 * programs that are about to fail pay for it. */
#include "parcel_impl.h"
#include "equal.h"
#include "heap_impl.h"
#include "maps.h"
#include "print.h"
#include "vectors.h"
#include <stdlib.h>

typedef struct Place { /* a value found, and where */
  V value;
  uint32_t parent; /* number of the place whose field it is */
  uint32_t field;  /* which, counted from 0: of a pair 0 is the head */
} Place;
typedef struct Search {
  Place *places;
  size_t count, capacity;
  VkSeen seen;
  V culprit;
  size_t found; /* number of the culprit's place, or SIZE_MAX */
} Search;

/* ---- searching ---------------------------------------------------------------------------- */

static void visit(Search *s, V v, size_t parent, size_t field) {
  if (!parcel_is_reference(v) || s->found != SIZE_MAX || !vk_seen_add(&s->seen, v, 0)) return;
  if (s->count == s->capacity) {
    s->capacity = s->capacity ? 2 * s->capacity : 64;
    s->places = vk_work_grow(s->places, s->capacity * sizeof *s->places);
  }
  s->places[s->count] = (Place){v, (uint32_t)parent, (uint32_t)field};
  if (v == s->culprit) s->found = s->count;
  s->count++;
}

/* Of vectors and maps the items of the store, without the store as a place of its own. */
static void visit_store(Search *s, V store, size_t count, size_t parent) {
  if (!VK_IS_KIND(store, VK_STORE)) return;
  for (size_t i = 0; i < count; i++) visit(s, VK_STOREP(store)->items[i], parent, i);
}

static void visit_fields(Search *s, size_t number) {
  V v = s->places[number].value, *first, *end;
  if (VK_IS_PAIR(v)) {
    visit(s, VK_HEAD(v), number, 0);
    visit(s, VK_TAIL(v), number, 1);
  } else if (VK_IS_VECTOR(v)) {
    visit_store(s, VK_VEC(v)->store, VK_VEC(v)->len, number);
  } else if (VK_IS_MAP(v)) {
    visit_store(s, VK_MAPP(v)->entries, 2 * VK_MAPP(v)->used, number);
  } else if (!VK_IS_KIND(v, VK_HANDLE)) {
    V *object = (V *)(v & ~(V)7);
    heap_fields(object, &first, &end);
    for (V *p = first; p < end; p++) visit(s, *p, number, (size_t)(p - first));
  }
}

static void search(Search *s, V root) {
  visit(s, root, 0, 0);
  for (size_t i = 0; i < s->count && s->found == SIZE_MAX; i++) visit_fields(s, i);
}

/* ---- saying it ---------------------------------------------------------------------------- */

static void put_what(VkBuf *b, V v) {
  switch (VK_KIND(v)) {
  case VK_ATOM: vk_buf_put_z(b, "an atom"); break;
  case VK_BOX: vk_buf_put_z(b, "a variable that functions assign"); break;
  case VK_CLOSURE: vk_buf_put_z(b, "a function made by eval"); break;
  default: vk_buf_put_z(b, "a value that prints as "); vk_show(b, v, false);
  }
}

/* A key, if it is short. */
static void put_key(VkBuf *b, V key) {
  enum { KEY_BYTES_MAX = 40 };
  VkBuf text = {0};
  bool is_short = !parcel_is_reference(key) || VK_IS_KIND(key, VK_SYMBOL) ||
                  (VK_IS_KIND(key, VK_STRING) && VK_STR(key)->len < KEY_BYTES_MAX);
  if (is_short) {
    vk_show(&text, key, true);
    vk_buf_put(b, text.data, text.len);
  } else {
    vk_buf_put_z(b, "a key");
  }
  vk_buf_free(&text);
}

static void put_function(VkBuf *b, V closure, const char *what) {
  const char *name = VK_CLO(closure)->fn->name;
  vk_buf_putf(b, name ? "%s of the function `%s`" : "%s of a function", what, name);
}

static void put_field(VkBuf *b, V owner, size_t field) {
  switch (VK_KIND(owner)) {
  case VK_VECTOR: vk_buf_putf(b, "element %zu of a vector", field); break;
  case VK_MAP:
    vk_buf_put_z(b, field % 2 ? "the value of " : "the key ");
    put_key(b, VK_STOREP(VK_MAPP(owner)->entries)->items[field & ~(size_t)1]);
    vk_buf_put_z(b, field % 2 ? " in a map" : " of a map");
    break;
  case VK_CLOSURE: put_function(b, owner, "a variable"); break;
  case VK_PAP: put_function(b, ((VkPap *)VK_OBJ(owner))->fn, "an argument"); break;
  case VK_ATOM: vk_buf_put_z(b, "the value of an atom"); break;
  case VK_BLOCK: vk_buf_put_z(b, "a variable of a block"); break;
  default: vk_buf_put_z(b, "the data of an error"); break;
  }
}

/* The place, from the inside out. Boxes and wrappers of lists are nothing a program sees. */
static void put_path(VkBuf *b, const Search *s, size_t number) {
  enum { STEPS_MAX = 6 };
  const char *before = ": it is ";
  for (int steps = 0; number && steps < STEPS_MAX; before = ", in ") {
    const Place *p = &s->places[number];
    V owner = s->places[p->parent].value;
    size_t item = 1, field = p->field;
    if (VK_IS_PAIR(owner)) {
      number = p->parent;
      while (number && s->places[number].field == 1 &&
             VK_IS_PAIR(s->places[s->places[number].parent].value)) {
        number = s->places[number].parent;
        item++;
      }
      vk_buf_putf(b, "%sitem %zu of a list", before, item);
      steps++;
      continue;
    }
    number = p->parent;
    bool is_hidden = VK_IS_KIND(owner, VK_BOX) || VK_IS_KIND(owner, VK_SEXPR) ||
                     (VK_IS_KIND(owner, VK_BLOCK) && field == 0);
    if (is_hidden) continue;
    vk_buf_put_z(b, before);
    put_field(b, owner, field);
    steps++;
  }
  if (number) vk_buf_put_z(b, ", and so on");
}

V parcel_refusal_error(vk *c, V root, V culprit, ParcelUse use) {
  Search s = {.culprit = culprit, .found = SIZE_MAX};
  VkBuf text = {0};
  search(&s, root);
  put_what(&text, culprit);
  vk_buf_put_z(&text, use == PARCEL_FREEZE ? " cannot be frozen"
                                           : " cannot be sent to another isolate");
  if (s.found != SIZE_MAX) put_path(&text, &s, s.found);
  free(s.places);
  vk_seen_free(&s.seen);
  V message = vk_buf_string(c, &text);
  return vk_error(c, VK_SYM(not_sendable), message, VK_NIL);
}
