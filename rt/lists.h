/* lists.h - building and reading lists from runtime C.
 *
 * A list is nil or a chain of pairs. Two wrappers are lists too: VK_SEXPR (an unquoted list as
 * data) and VK_BLOCK (a literal block that may reach eval); vk_list_of looks through them.
 * Everything made here is a plain (quoted) list unless its comment says otherwise. */
#ifndef VK_LISTS_H
#define VK_LISTS_H
#include "vk.h"
#include <stdbool.h>

V vk_list_unwrap(V v); /* the slow path of vk_list_of */

/* The nil or pair behind a list of any flavour; VK_UNBOUND if v is not a list. */
static inline V vk_list_of(V v) {
  return VK_LIKELY(VK_IS_PAIR(v) || v == VK_NIL) ? v : vk_list_unwrap(v);
}
static inline bool vk_is_list(V v) { return vk_list_of(v) != VK_UNBOUND; }

/* for (V p = list; VK_IS_PAIR(p); p = VK_TAIL(p)) ... VK_HEAD(p) ... walks a plain list. */
size_t vk_list_length(V plain); /* requires: nil or a pair */

/* A list under construction, in order: VkListBuilder b = {VK_NIL, VK_NIL}; vk_list_add(...).
 * Lives on the C stack, where the collector sees it. */
typedef struct VkListBuilder {
  V first, last;
} VkListBuilder;
#define VK_LIST_BUILDER ((VkListBuilder){VK_NIL, VK_NIL})
static inline void vk_list_add(vk *c, VkListBuilder *b, V v) {
  V cell = vk_cons(c, v, VK_NIL);
  if (b->first == VK_NIL)
    b->first = cell;
  else
    vk_write(c, b->last, &VK_TAIL(b->last), cell);
  b->last = cell;
}
/* The list built, with `rest` (nil or a pair) as its end. */
static inline V vk_list_end(vk *c, VkListBuilder *b, V rest) {
  if (b->first == VK_NIL) return rest;
  if (rest != VK_NIL) vk_write(c, b->last, &VK_TAIL(b->last), rest);
  return b->first;
}

V vk_list_append(vk *c, V front, V back);        /* both plain; copies front, shares back */
V vk_sexpr(vk *c, V plain);                      /* (a b) as data; nil stays nil */
V vk_list_like(vk *c, V like, V plain);          /* plain in the flavour of `like` */

/* The order of (sort l): -1, 0, 1, or an error value for what has no order. */
V vk_order(vk *c, V a, V b);
#endif
