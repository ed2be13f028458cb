/* order.c - the natural order of values, for sort: numbers, then strings bytewise, then symbols
 * by name, then lists element by element (LANGUAGE 8). nan comes after all other numbers. */
#include "equal.h"
#include "fns.h"
#include "lists.h"
#include "numbers.h"
#include "strings.h"
#include <stdlib.h>
#include <string.h>

typedef enum Rank { RANK_NUMBER, RANK_STRING, RANK_SYMBOL, RANK_LIST, RANK_NONE } Rank;

static Rank rank_of(V v) {
  if (vk_is_number(v)) return RANK_NUMBER;
  if (vk_is_list(v)) return RANK_LIST;
  switch (VK_KIND(v)) {
  case VK_STRING: return RANK_STRING;
  case VK_SYMBOL: return RANK_SYMBOL;
  default: return RANK_NONE;
  }
}

static int order_bytes(const char *a, size_t a_len, const char *b, size_t b_len) {
  int r = memcmp(a, b, a_len < b_len ? a_len : b_len);
  return r ? (r > 0) - (r < 0) : (a_len > b_len) - (a_len < b_len);
}

/* Two values of one rank that are no lists. */
static int order_atoms(V a, V b, Rank rank) {
  if (a == b) return 0;
  if (rank == RANK_NUMBER) return vk_num_order(a, b);
  if (rank == RANK_STRING) return vk_string_compare(a, b);
  return order_bytes(VK_SYMB(a)->bytes, VK_SYMB(a)->len, VK_SYMB(b)->bytes, VK_SYMB(b)->len);
}

/* The tails still to compare of the lists around the current ones: nothing is allocated in the
 * heap before the end, and all of them are reachable from the two values compared. */
typedef struct Tails {
  V (*items)[2];
  size_t count, capacity;
} Tails;

static void push_tails(Tails *t, V a, V b) {
  if (t->count == t->capacity) {
    t->capacity = t->capacity ? 2 * t->capacity : 16;
    t->items = vk_work_grow(t->items, t->capacity * sizeof *t->items);
  }
  t->items[t->count][0] = a;
  t->items[t->count++][1] = b;
}

/* -1, 0, 1; or 2: *bad has no order. */
enum { NO_ORDER = 2 };
static int order_values(V a, V b, Tails *outer, V *bad) {
  for (;;) {
    Rank rank = rank_of(a), other = rank_of(b);
    if (rank == RANK_NONE || other == RANK_NONE)
      return *bad = rank == RANK_NONE ? a : b, NO_ORDER;
    if (rank != other) return rank < other ? -1 : 1;
    if (rank == RANK_LIST) {
      push_tails(outer, vk_list_of(a), vk_list_of(b));
    } else {
      int order = order_atoms(a, b, rank);
      if (order) return order;
    }
    for (;; outer->count--) { /* the next two elements */
      if (outer->count == 0) return 0;
      V *top = outer->items[outer->count - 1];
      if (top[0] == top[1]) continue;
      if (top[0] == VK_NIL || top[1] == VK_NIL) return top[0] == VK_NIL ? -1 : 1;
      a = VK_HEAD(top[0]), b = VK_HEAD(top[1]);
      top[0] = VK_TAIL(top[0]), top[1] = VK_TAIL(top[1]);
      break;
    }
  }
}

V vk_order(vk *c, V a, V b) {
  if (VK_IS_FIX2(a, b)) return VK_FIX(((int64_t)a > (int64_t)b) - ((int64_t)a < (int64_t)b));
  Tails outer = {0};
  V bad = VK_NIL;
  int order = order_values(a, b, &outer, &bad);
  free(outer.items);
  if (order != NO_ORDER) return VK_FIX(order);
  if (VK_IS_ABN(bad)) return bad;
  return vk_errorf(c, VK_SYM(type),
                   "sort: numbers, strings, symbols and lists of them have an order, "
                   "%s has none",
                   vk_type_name(bad));
}
