/* control.c - special forms as function values, and eval.
 *
 * A literal block carries its compiled code (VkBlock); data built at run time needs the
 * evaluator. */
#include "fns.h"
#include "lists.h"
#include "symbols.h"

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

static V eval_symbol(vk *c, V symbol) {
  const VkSymbol *s = VK_SYMB(symbol);
  if (*VK_OBJ(symbol) & VK_KEYWORD) return symbol;
  for (size_t i = 0; i < c->program->global_count; i++) {
    const char *name = c->program->global_names[i];
    if (name && strlen(name) == s->len && !memcmp(name, s->bytes, s->len) && c->globals[i] != VK_UNBOUND)
      return c->globals[i];
  }
  return vk_errorf(c, VK_SYM(unbound), "not supported yet: eval of the symbol `%s`, which is not a variable of the program",
                   s->bytes);
}

V vk_eval(vk *c, V x) {
  if (VK_IS_PAIR(x) || VK_IS_KIND(x, VK_SEXPR))
    return vk_errorf(c, VK_SYM(type), "not supported yet: eval of a list built at run time");
  if (VK_IS_KIND(x, VK_BLOCK)) return vk_call(c, ((VkBlock *)VK_OBJ(x))->code, 0, NULL);
  if (VK_IS_KIND(x, VK_SYMBOL)) return eval_symbol(c, x);
  return x;
}

V vk_qq_cons(vk *c, V x, V rest) {
  if (VK_IS_ABN(x)) return x;
  return VK_IS_ABN(rest) ? rest : vk_cons(c, x, rest);
}
