/* field.h - header fields as programs write them: {name value}, a list of two strings. */
#ifndef NET_FIELD_H
#define NET_FIELD_H
#include "lists.h"
#include "strings.h"
#include <stdbool.h>

typedef struct NetPair {
  V name, value;
} NetPair;

/* False: v is no such list. */
static inline bool net_take_pair(V v, NetPair *to) {
  V list = vk_list_of(v);
  if (!VK_IS_PAIR(list) || !VK_IS_PAIR(VK_TAIL(list))) return false;
  *to = (NetPair){VK_HEAD(list), VK_HEAD(VK_TAIL(list))};
  return VK_TAIL(VK_TAIL(list)) == VK_NIL && VK_IS_STRING(to->name) && VK_IS_STRING(to->value);
}
#endif
