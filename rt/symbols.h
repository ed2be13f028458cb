/* symbols.h - symbols: the runtime's own, and the process-wide table that makes new ones
 * (included by vk.h).
 *
 * A symbol is one object per name and process, so equality is pointer equality. The runtime's
 * own (symbols.def) and the program's are static data; only names that arise at run time are
 * allocated, and those live for ever: a name may be in any isolate's hands. */
#ifndef VK_SYMBOLS_H
#define VK_SYMBOLS_H
#define SYM(id, text, is_keyword)                                                             \
  extern const struct VkSym_##id {                                                            \
    V hdr;                                                                                    \
    size_t len;                                                                               \
    char bytes[sizeof(text)];                                                                 \
  } vk_sym_##id;
#include "symbols.def"
#undef SYM
#define VK_SYM(id) VK_FROM_OBJ(&vk_sym_##id)

/* Bounds what untrusted input can pin: (read ..) or JSON keys as symbols. */
enum { VK_SYMBOL_COUNT_MAX = 1 << 23, VK_SYMBOL_BYTES_MAX = 1 << 16 };

/* The symbol of that name, a keyword if it starts with ':' and goes on; an error value past the
 * limits above or without memory. Any thread. */
V vk_intern(vk *c, const char *bytes, size_t len);
/* The same if the symbol exists, else VK_UNBOUND. */
V vk_symbol_find(vk *c, const char *bytes, size_t len);
#endif
