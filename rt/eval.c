/* eval.c - (eval x): running data. */
#include "eval.h"
#include "datum_value.h"
#include "fns.h"
#include "lists.h"

V vk_eval(vk *c, V x) {
  if (VK_IS_KIND(x, VK_BLOCK)) return vk_call(c, ((VkBlock *)VK_OBJ(x))->code, 0, NULL);
  return x;
}

V vk_eval_tail(vk *c, V x, const VkPos *pos) {
  if (VK_IS_KIND(x, VK_BLOCK)) return vk_park0(c, ((VkBlock *)VK_OBJ(x))->code);
  V r = vk_eval(c, x);
  return VK_AT(c, r, pos);
}
