/* quick_prelude.c - choose the declarations that a C text needs (contract: quick_prelude.h).
 *
 * The whole of the runtime's headers would cost TinyCC more than most programs do: 0.6 ms for 600
 * inline functions, measured. So the text is searched for words that the headers define, those
 * declarations for more of them, and what was found is printed in the headers' order.
 *
 * cost: one pass over the text, 1-2 ns a byte; a hash lookup per word that starts like one of ours
 * trust: the tables are closed: an item's dependencies are items */
#include "quick_prelude.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Search {
  bool is_lean;
  bool *is_found; /* by item */
  uint16_t *work; /* found, its dependencies not looked at yet */
  size_t work_count, found_count, text_len;
} Search;

static void *must(void *p) {
  if (p) return p;
  fputs("valkc: out of memory\n", stderr);
  exit(70);
}

/* ---- words ------------------------------------------------------------------------------- */

static const bool in_word[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['_'] = true};
/* V vk_ VK_ Vk; size_t and sqrt, int64_t, uint64_t, NULL, offsetof, memcpy, fabs, __builtin_ */
static const bool starts_ours[256] = {
    ['V'] = true, ['v'] = true, ['s'] = true, ['i'] = true, ['u'] = true,
    ['N'] = true, ['o'] = true, ['m'] = true, ['f'] = true, ['_'] = true};

static const char *word_end(const char *p, const char *end) {
  while (p < end && in_word[(unsigned char)*p]) p++;
  return p;
}

static void find_item(Search *s, uint16_t item) {
  if (s->is_lean) item = quick_items[item].lean;
  if (s->is_found[item]) return;
  s->is_found[item] = true;
  s->work[s->work_count++] = item;
}

static void find_word(Search *s, const char *word, size_t len) {
  for (size_t i = quick_hash(word, len) % QUICK_SLOTS; quick_slots[i];
       i = (i + 1) % QUICK_SLOTS) {
    const QuickName *name = &quick_names[quick_slots[i] - 1];
    if (name->len != len || memcmp(name->text, word, len) != 0) continue;
    find_item(s, name->item);
    return;
  }
}

/* VK_SYM(type) is the one macro that pastes a name together. */
static void find_symbol(Search *s, const char *p, const char *end) {
  char name[64] = "vk_sym_";
  size_t prefix = strlen(name);
  if (p == end || *p != '(') return;
  const char *stop = word_end(++p, end);
  if ((size_t)(stop - p) >= sizeof name - prefix) return;
  memcpy(name + prefix, p, (size_t)(stop - p));
  find_word(s, name, prefix + (size_t)(stop - p));
}

/* Words in comments and literals count too, for nothing worse than a declaration more. */
static void find_words(Search *s, const char *p, const char *end) {
  while (p < end) {
    if (!in_word[(unsigned char)*p]) {
      p++;
      continue;
    }
    const char *stop = word_end(p, end);
    size_t len = (size_t)(stop - p);
    bool is_temporary = len > 1 && p[1] >= '0' && p[1] <= '9';
    if (starts_ours[(unsigned char)*p] && !is_temporary) find_word(s, p, len);
    if (len == 6 && !memcmp(p, "VK_SYM", 6)) find_symbol(s, stop, end);
    p = stop;
  }
}

/* ---- items ------------------------------------------------------------------------------- */

static void find_deps(Search *s) {
  while (s->work_count) {
    const QuickItem *item = &quick_items[s->work[--s->work_count]];
    s->found_count++;
    s->text_len += item->len;
    for (unsigned i = 0; i < item->dep_count; i++)
      find_item(s, quick_deps[item->first_dep + i]);
  }
}

QuickPrelude quick_prelude(const char *text, size_t len, bool is_lean) {
  Search s = {.is_lean = is_lean,
              .is_found = must(calloc(quick_item_count, sizeof(bool))),
              .work = must(malloc(quick_item_count * sizeof(uint16_t)))};
  QuickPrelude prelude = {0};
  find_words(&s, text, text + len);
  find_deps(&s);
  prelude.text = must(malloc(s.text_len + 1));
  prelude.symbols = must(malloc((s.found_count + 1) * sizeof *prelude.symbols));
  for (size_t i = 0; i < quick_item_count; i++) {
    if (!s.is_found[i]) continue;
    memcpy(prelude.text + prelude.len, quick_text + quick_items[i].start, quick_items[i].len);
    prelude.len += quick_items[i].len;
    if (quick_items[i].symbol) prelude.symbols[prelude.symbol_count++] = &quick_items[i];
  }
  prelude.text[prelude.len] = 0;
  free(s.is_found);
  free(s.work);
  return prelude;
}

void quick_prelude_free(QuickPrelude *prelude) {
  free(prelude->text);
  free(prelude->symbols);
  *prelude = (QuickPrelude){0};
}
