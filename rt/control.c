/* control.c - special forms as function values. */
#include "fns.h"

V vk_do_n(vk *c, size_t n, const V *args) {
  (void)c;
  for (size_t i = 0; i + 1 < n; i++)
    if (VK_IS_ABN(args[i])) return args[i];
  return n ? args[n - 1] : VK_NIL;
}

V vk_and_n(vk *c, size_t n, const V *args) {
  (void)c;
  for (size_t i = 0; i + 1 < n; i++)
    if (VK_IS_FALSE(args[i]) || VK_IS_ABN(args[i])) return args[i];
  return n ? args[n - 1] : VK_TRUE;
}

V vk_or_n(vk *c, size_t n, const V *args) {
  (void)c;
  for (size_t i = 0; i + 1 < n; i++)
    if (!VK_IS_FALSE(args[i])) return args[i];
  return n ? args[n - 1] : VK_NIL;
}

V vk_qq_cons(vk *c, V x, V rest) {
  if (VK_IS_ABN(x)) return x;
  return VK_IS_ABN(rest) ? rest : vk_cons(c, x, rest);
}

V vk_run_block(vk *c, V block) {
  if (!VK_IS_KIND(block, VK_BLOCK)) return vk_arg_error(c, "test", 2, block, "a block or a function");
  return vk_call(c, ((VkBlock *)VK_OBJ(block))->code, 0, NULL);
}

V vk_qq_cons_slow(vk *c, V x, V rest, const VkPos *pos) { return VK_AT(c, vk_qq_cons(c, x, rest), pos); }
