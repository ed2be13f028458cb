/* prim_code.h - the C code of every primitive, and primitives as function values.
 *
 * For who meets primitives as data: the evaluator, and the compiler's constant folding. Refers to
 * all of them, so programs that reach neither must not link it. */
#ifndef VK_PRIM_CODE_H
#define VK_PRIM_CODE_H
#include "vk.h"

typedef void (*VkAnyCode)(void);
typedef struct VkPrimRow { /* a row of prims.def, as far as calling it goes */
  const char *name;
  VkAnyCode code;
  uint16_t min, max;
  uint8_t is_argv;
} VkPrimRow;
extern const VkPrimRow vk_prim_rows[]; /* in the order of prims.def, which is prim_table's */
extern const size_t vk_prim_row_count;

/* Calls row `index` on n arguments, a number that it takes; no position is added to an error. */
V vk_prim_call(vk *c, size_t index, size_t n, const V *args);
/* Row `index` as a function value: the same one each time, for the whole process. */
V vk_prim_function(size_t index);
#endif
