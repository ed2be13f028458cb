/* types.c - which type a value has, the predicates, and freezing.
 *
 * What the collector finds in each kind of object (V fields; all other words are not values):
 *
 *   kind     layout               V fields                  bytes, before rounding up to 16
 *   pair     VkPair (no header)   head tail                 16
 *   STRING   VkString             -                         16 + len + 1
 *   SYMBOL   VkSymbol             -                         16 + len + 1
 *   BIGINT   VkBigint             -                         8 + 8 * count
 *   FLOAT    VkFloat              -                         16
 *   CLOSURE  VkClosure            captured[count]           24 + 8 * count
 *   PAP      VkPap                fn args[count]            16 + 8 * count
 *   BOX ATOM VkBox                value                     16
 *   SEXPR    VkSexpr              list                      16
 *   BLOCK    VkBlock              list code                 24
 *   VECTOR   VkVector             store: STORE, RAW or nil  24
 *   STORE    VkStore              items[capacity]           16 + 8 * capacity
 *   MAP      VkMap (maps.h)       entries index (or nil)    48
 *   ERROR    VkError              message kind data         40 + 8 * max(1, min(trace_count, 32))
 *   RAW      VkRaw                -                         16 + bytes
 *   HANDLE   VkHandle (handle.h)  fields[count]             as its owner says
 *
 * A STORE also holds VK_UNBOUND: the key of a deleted map entry. */
#include "equal.h"
#include "fns.h"
#include "lists.h"
#include "maps.h"
#include "numbers.h"
#include "vectors.h"
#include <stdlib.h>

typedef struct TypeInfo {
  const char *name;
  V keyword;
} TypeInfo;

static TypeInfo object_type(V v) {
  if (VK_IS_REQUEST(v)) return (TypeInfo){"Handle", VK_SYM(handle)};
  switch (VK_KIND(v)) {
  case VK_STRING: return (TypeInfo){"String", VK_SYM(string)};
  case VK_SYMBOL:
    if (*VK_OBJ(v) & VK_KEYWORD) return (TypeInfo){"Keyword", VK_SYM(keyword)};
    return (TypeInfo){"Symbol", VK_SYM(symbol)};
  case VK_BIGINT: return (TypeInfo){"Integer", VK_SYM(int)};
  case VK_CLOSURE:
  case VK_PAP: return (TypeInfo){"Function", VK_SYM(function)};
  case VK_VECTOR: return (TypeInfo){"Vector", VK_SYM(vector)};
  case VK_MAP: return (TypeInfo){"Map", VK_SYM(map)};
  case VK_ATOM: return (TypeInfo){"Ref", VK_SYM(ref)};
  case VK_HANDLE: return (TypeInfo){"Handle", VK_SYM(handle)};
  default: return (TypeInfo){"internal object", VK_NIL};
  }
}

static TypeInfo type_of(V v) {
  if (VK_IS_FIX(v)) return (TypeInfo){"Integer", VK_SYM(int)};
  if (VK_IS_FLOAT(v)) return (TypeInfo){"Float", VK_SYM(float)};
  if (VK_IS_ABN(v)) return (TypeInfo){"Error", VK_SYM(error)};
  V list = vk_list_of(v);
  if (list == VK_NIL) return (TypeInfo){"Nil", VK_SYM(nil)};
  if (list != VK_UNBOUND) return (TypeInfo){"List", VK_SYM(list)};
  return object_type(v);
}

const char *vk_type_name(V v) { return type_of(v).name; }

V vk_type(vk *c, V v) {
  (void)c;
  return type_of(v).keyword;
}

V vk_function_p(vk *c, V v) {
  (void)c;
  return VK_FIX(VK_IS_KIND(v, VK_CLOSURE) || VK_IS_KIND(v, VK_PAP));
}

V vk_string_p(vk *c, V v) {
  (void)c;
  return VK_FIX(VK_IS_KIND(v, VK_STRING));
}

V vk_symbol_p(vk *c, V v) {
  (void)c;
  return VK_FIX(VK_IS_KIND(v, VK_SYMBOL) && !(*VK_OBJ(v) & VK_KEYWORD));
}

V vk_keyword_p(vk *c, V v) {
  (void)c;
  return VK_FIX(VK_IS_KIND(v, VK_SYMBOL) && (*VK_OBJ(v) & VK_KEYWORD));
}

V vk_ref_p(vk *c, V v) {
  (void)c;
  return VK_FIX(VK_IS_KIND(v, VK_ATOM) || VK_IS_KIND(v, VK_HANDLE) || VK_IS_REQUEST(v));
}

/* ---- freezing ------------------------------------------------------------------------------
 * Depth first over an explicit stack in malloc memory; nothing is allocated in the heap, and all
 * of it is reachable from v. Vectors and maps carry their mark; lists do not, so shared ones are
 * entered in a set once there have been many.                                                */

typedef struct Freezer {
  V *todo; /* vectors and maps marked but not looked into, rests of lists */
  size_t count, capacity, lists;
  VkSeen seen;
} Freezer;
enum { UNSEEN_LISTS = 1000 };

static void freeze_later(Freezer *f, V v) {
  if (f->count == f->capacity) {
    f->capacity = f->capacity ? 2 * f->capacity : 32;
    f->todo = vk_work_grow(f->todo, f->capacity * sizeof(V));
  }
  f->todo[f->count++] = v;
}

static void freeze_one(Freezer *f, V v) {
  V list = vk_list_of(v);
  if (VK_IS_PAIR(list)) {
    if (++f->lists <= UNSEEN_LISTS || vk_seen_add(&f->seen, list, 0)) freeze_later(f, list);
    return;
  }
  if (!VK_IS_VECTOR(v) && !VK_IS_MAP(v)) return;
  if (VK_IS_FROZEN(v)) return; /* and all it holds, or it is being frozen */
  *VK_OBJ(v) |= VK_FROZEN;
  freeze_later(f, v);
}

static void freeze_contents(Freezer *f, V v) {
  if (VK_IS_PAIR(v)) {
    for (; VK_IS_PAIR(v); v = VK_TAIL(v)) freeze_one(f, VK_HEAD(v));
  } else if (VK_IS_VECTOR(v)) {
    if (VK_ELEMENTS(v) != VK_VALUES) return; /* numbers */
    for (size_t i = 0; i < vk_vec_count(v); i++)
      freeze_one(f, VK_STOREP(VK_VEC(v)->store)->items[i]);
  } else {
    size_t i = 0;
    V key, value;
    while (vk_map_next(v, &i, &key, &value)) {
      freeze_one(f, key);
      freeze_one(f, value);
    }
  }
}

void vk_freeze(V v) {
  Freezer f = {0};
  freeze_one(&f, v);
  while (f.count) freeze_contents(&f, f.todo[--f.count]);
  free(f.todo);
  vk_seen_free(&f.seen);
}

V vk_frozen_p(vk *c, V v) {
  (void)c;
  return VK_FIX(!(VK_IS_VECTOR(v) || VK_IS_MAP(v)) || VK_IS_FROZEN(v));
}
