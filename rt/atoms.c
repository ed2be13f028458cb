/* atoms.c - mutable cells of one isolate. swap! is in std. */
#include "fns.h"

V vk_atom(vk *c, V v) {
  VkBox *a = vk_new(c, sizeof *a);
  a->hdr = VK_HDR(VK_ATOM, 0, 0);
  a->value = v;
  return VK_FROM_OBJ(a);
}

V vk_deref(vk *c, V a) {
  return VK_IS_KIND(a, VK_ATOM) ? VK_BOXP(a)->value : vk_arg_error(c, "deref", 1, a, "an atom");
}

V vk_reset(vk *c, V a, V v) {
  if (!VK_IS_KIND(a, VK_ATOM)) return vk_arg_error(c, "reset!", 1, a, "an atom");
  vk_write(c, a, &VK_BOXP(a)->value, v);
  return v;
}
