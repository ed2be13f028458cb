/* vectors.h - growable arrays for runtime C. Indices are 0-based.
 *
 * A VECTOR has a length and a STORE (VK_NIL while it has never held anything); growing replaces
 * the store. A vector with VK_FROZEN in its header is never changed. */
#ifndef VK_VECTORS_H
#define VK_VECTORS_H
#include "vk.h"
#include <stdbool.h>

V vk_store_new(vk *c, size_t capacity);         /* a STORE object, all VK_NIL */
V vk_vec_new(vk *c, size_t capacity);           /* an empty vector with room */
V vk_vec_from(vk *c, size_t n, const V *items); /* items: on the C stack or otherwise rooted */
void vk_vec_append(vk *c, V vector, V v);       /* requires: a vector, not frozen */
V vk_vec_from_list(vk *c, V plain);
V vk_vec_to_list(vk *c, V vector);
#define VK_IS_VECTOR(v) VK_IS_KIND(v, VK_VECTOR)
#define VK_IS_FROZEN(v) ((*VK_OBJ(v) & VK_FROZEN) != 0) /* requires: an object */
static inline size_t vk_vec_count(V vector) { return VK_VEC(vector)->len; }
static inline V vk_vec_at(V vector, size_t i) {
  return VK_STOREP(VK_VEC(vector)->store)->items[i];
}
#endif
