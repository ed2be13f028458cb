/* vectors.h - growable arrays for runtime C. Indices are 0-based.
 *
 * A VECTOR has a length and a store; growing replaces the store. A vector with VK_FROZEN in its
 * header is never changed.
 *
 * Elements are flat where they can be: a new vector whose elements all are integers from -128 to
 * 127 keeps bytes, one whose elements all are floats keeps doubles, any other values. An empty
 * one decides at its first element. A store of something that does not fit makes the elements
 * values, for good; so each vector is converted at most once. Nothing else can tell the kinds
 * apart: an integer stored into floats stays an integer.
 *
 *   vector  | hdr: aux = VkElements | len | store |
 *   VALUES  STORE  | hdr | capacity | V ...      |
 *   BYTES   RAW    | hdr | bytes    | int8_t ... |   capacity = bytes
 *   FLOATS  RAW    | hdr | bytes    | double ... |   capacity = bytes / 8
 *   UNDECIDED      store is nil
 *
 * valkc relies on this choice (flow_prim.c, site_kind): where it knows every element that the
 * vectors made at a place ever have, it knows what they are kept as. */
#ifndef VK_VECTORS_H
#define VK_VECTORS_H
#include "vk.h"
#include <stdbool.h>

V vk_store_new(vk *c, size_t capacity);         /* a STORE object, all VK_NIL */
V vk_vec_new(vk *c, size_t capacity);           /* an empty vector of values with room */
V vk_vec_from(vk *c, size_t n, const V *items); /* items: on the C stack or otherwise rooted */
void vk_vec_append(vk *c, V vector, V v);       /* requires: a vector, not frozen */
V vk_vec_from_list(vk *c, V plain);
V vk_vec_to_list(vk *c, V vector);
#define VK_IS_VECTOR(v) VK_IS_KIND(v, VK_VECTOR)
#define VK_IS_FROZEN(v) ((*VK_OBJ(v) & VK_FROZEN) != 0) /* requires: an object */
#define VK_ELEMENTS(vector) ((VkElements)VK_HDR_AUX(*VK_OBJ(vector)))
static inline size_t vk_vec_count(V vector) { return VK_VEC(vector)->len; }
V vk_vec_ref(vk *c, V vector, size_t i); /* element i < len; may allocate */
/* The same without allocating: a float may be in *room and live as long as that. */
V vk_vec_peek(V vector, size_t i, VkFloat *room);
void vk_vec_put(vk *c, V vector, size_t i, V v); /* i < len; requires: not frozen */
#endif
