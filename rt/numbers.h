/* numbers.h - integers of any size and IEEE doubles, for the rest of the runtime.
 *
 * An integer is a fixnum if it fits 61 bits, else a VkBigint: every function here keeps that
 * form, so two equal integers never differ in kind. Integers compare with floats exactly. */
#ifndef VK_NUMBERS_H
#define VK_NUMBERS_H
#include "vk.h"
#include <stdbool.h>

#define VK_IS_INT(v) (VK_IS_FIX(v) || VK_IS_KIND(v, VK_BIGINT))
static inline bool vk_is_number(V v) {
  return VK_IS_FIX(v) || VK_IS_FLOAT(v) || VK_IS_KIND(v, VK_BIGINT);
}

/* Two numbers (required). nan equals nothing; 1 == 1.0; -0.0 == 0.0. */
bool vk_num_equal(V a, V b);

/* -1, 0, 1, or VK_UNORDERED if one of them is nan. Two numbers (required). */
enum { VK_UNORDERED = 2 };
int vk_num_compare(V a, V b);

/* As vk_num_compare, but nan comes after all other numbers and equals itself: for sorting. */
int vk_num_order(V a, V b);

/* Equal numbers hash equally, 1 and 1.0 too; all nans hash alike. */
uint64_t vk_num_hash(V v);

/* Integers from and to C. vk_big_from_decimal takes digits with an optional sign. */
V vk_int_from_i64(vk *c, int64_t n);
V vk_int_from_u64(vk *c, uint64_t n);
V vk_big_from_decimal(vk *c, const char *text, size_t len);
bool vk_to_i64(V v, int64_t *out); /* false: not an integer, or out of range */

/* The nearest double of any number; an integer beyond its range gives an infinity. */
double vk_num_to_double(V v);

/* The integer that x, a finite double, is rounded toward zero to. */
V vk_int_from_double(vk *c, double x);

/* The number that all of text is by the reader's grammar (LANGUAGE.md 1); VK_UNBOUND if it is
 * none. */
V vk_parse_number(vk *c, const char *text, size_t len);

/* A zeroed object for a number, where it is told to go: c->number_where. */
void *vk_number_room(vk *c, size_t bytes);
/* op(a, b) for a slow path of ops.h: pos may be a VK_POS_ON. */
typedef V VkBinary(vk *c, V a, V b);
V vk_number_on(vk *c, VkBinary *op, V a, V b, const VkPos *pos);

V vk_add(vk *c, V a, V b);
V vk_sub(vk *c, V a, V b);
V vk_mul(vk *c, V a, V b);
#endif
