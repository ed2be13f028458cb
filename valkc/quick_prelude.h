/* quick_prelude.h - the declarations that C text for TinyCC needs of the runtime's headers.
 *
 * The tables are made when valkc is built (tools/prelude.c), from rt/vk_tcc.h and its includes. */
#ifndef VALKC_QUICK_PRELUDE_H
#define VALKC_QUICK_PRELUDE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QUICK_SLOTS = 4096 }; /* of the table of names; at most half are used */

typedef struct QuickItem {            /* one declaration or #define */
  uint32_t start;                     /* in quick_text */
  uint16_t len, first_dep, dep_count; /* deps: the items that this one mentions */
  uint16_t
      lean; /* the item instead of this one where little text counts most; perhaps itself */
  const char *symbol;  /* what the runtime defines, or NULL */
  const void *address; /* where */
} QuickItem;
typedef struct QuickName {
  const char *text;
  uint16_t len, item;
} QuickName;

extern const char quick_text[];
extern const uint16_t quick_deps[];
extern const QuickItem quick_items[];
extern const size_t quick_item_count;
extern const QuickName quick_names[];
extern const uint16_t
    quick_slots[QUICK_SLOTS]; /* 1 + index of a name; 0: free. Linear probing. */

/* The first slot to look at is the hash modulo QUICK_SLOTS. */
static inline uint32_t quick_hash(const char *text, size_t len) {
  uint32_t h = 2166136261u;
  for (size_t i = 0; i < len; i++) h = (h ^ (unsigned char)text[i]) * 16777619u;
  return h ^ h >> 15;
}

typedef struct QuickPrelude { /* malloc */
  char *text;
  size_t len;
  const QuickItem **symbols; /* those of its items that have an address */
  size_t symbol_count;
} QuickPrelude;

/* What the text mentions, and what that mentions; a name that is no item of the runtime's headers
 * is the text's own. is_lean: inline functions are called, not repeated where they are used, which
 * compiles three times as fast. */
QuickPrelude quick_prelude(const char *text, size_t len, bool is_lean);
void quick_prelude_free(QuickPrelude *prelude);
#endif
