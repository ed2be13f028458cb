/* call_sites.c - the slow paths of calls in generated code (vk.h, "call sites").
 *
 * Arguments come in registers, not as arrays of the caller: an address-taken local in a frame
 * keeps C compilers from making its tail calls jumps. What the call itself has to say, "this is
 * no function", gets the place of the call here; errors that the callee returns have theirs. */
#include "vk.h"

static V with_place(vk *c, V r, const VkPos *pos) {
  if (VK_UNLIKELY(VK_IS_ABN(r)) && VK_ERR(r)->trace_count == 0) return vk_at(c, r, pos);
  return r;
}

V vk_call_at(vk *c, V f, size_t n, const V *args, const VkPos *pos) {
  if (VK_UNLIKELY(VK_IS_ABN(f))) return vk_at(c, f, pos);
  V r = vk_call_slow(c, f, n, args);
  return with_place(c, VK_RESUMED(c, r), pos);
}

V vk_call0_slow(vk *c, V f, const VkPos *pos) { return vk_call_at(c, f, 0, NULL, pos); }
V vk_call1_slow(vk *c, V f, V a, const VkPos *pos) { return vk_call_at(c, f, 1, &a, pos); }
V vk_call2_slow(vk *c, V f, V a, V b, const VkPos *pos) {
  V args[] = {a, b};
  return vk_call_at(c, f, 2, args, pos);
}
V vk_call3_slow(vk *c, V f, V a, V b, V d, const VkPos *pos) {
  V args[] = {a, b, d};
  return vk_call_at(c, f, 3, args, pos);
}
V vk_call4_slow(vk *c, V f, V a, V b, V d, V e, const VkPos *pos) {
  V args[] = {a, b, d, e};
  return vk_call_at(c, f, 4, args, pos);
}

/* ---- tail calls ---------------------------------------------------------------------------- */

/* True if calling f on n arguments runs compiled code, which takes stack and may tail-call on. A
 * primitive does not, and so need not be parked; nor does what only gives a value or an error. */
static int runs_code(V f, size_t n) {
  if (VK_IS_KIND(f, VK_PAP)) {
    if (n == 0) return 0;
    const VkPap *p = (const VkPap *)VK_OBJ(f);
    n += VK_HDR_COUNT(p->hdr);
    f = p->fn;
  }
  if (!VK_IS_KIND(f, VK_CLOSURE)) return 0;
  const VkFn *fn = VK_CLO(f)->fn;
  return fn->origin != VK_BUILTIN && n >= fn->min && (fn->max == VK_ANY || n <= fn->max);
}

V vk_tail0(vk *c, V f, const VkPos *pos) {
  return runs_code(f, 0) ? vk_park0(c, f) : vk_call_at(c, f, 0, NULL, pos);
}
V vk_tail1(vk *c, V f, V a, const VkPos *pos) {
  return runs_code(f, 1) ? vk_park1(c, f, a) : vk_call1_slow(c, f, a, pos);
}
V vk_tail2(vk *c, V f, V a, V b, const VkPos *pos) {
  return runs_code(f, 2) ? vk_park2(c, f, a, b) : vk_call2_slow(c, f, a, b, pos);
}
V vk_tail3(vk *c, V f, V a, V b, V d, const VkPos *pos) {
  return runs_code(f, 3) ? vk_park3(c, f, a, b, d) : vk_call3_slow(c, f, a, b, d, pos);
}
V vk_tail4(vk *c, V f, V a, V b, V d, V e, const VkPos *pos) {
  return runs_code(f, 4) ? vk_park4(c, f, a, b, d, e) : vk_call4_slow(c, f, a, b, d, e, pos);
}
V vk_tailn(vk *c, V f, size_t n, const V *args, const VkPos *pos) {
  return runs_code(f, n) ? vk_parkn(c, f, n, args) : vk_call_at(c, f, n, args, pos);
}

V vk_global_slow(vk *c, size_t slot, const VkPos *pos) { return vk_global(c, slot, pos); }
V vk_global_error(vk *c, size_t slot, const VkPos *pos) {
  return vk_unbound_error(c, c->program->global_names[slot], pos);
}
