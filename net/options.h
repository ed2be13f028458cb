/* options.h - keywords of option lists, compared by name. */
#ifndef NET_OPTIONS_H
#define NET_OPTIONS_H
#include "vk.h"
#include <stdbool.h>
#include <string.h>

static inline bool net_is_option(V key, const char *name) { /* key: a symbol */
  const VkSymbol *s = VK_SYMB(key);
  return s->len == strlen(name) && !memcmp(s->bytes, name, s->len);
}
#endif
