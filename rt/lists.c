/* lists.c - making and taking apart lists: lists.h has the contract.
 *
 * Everything here is a loop: no length and no depth of list needs C stack. Results are plain
 * (quoted) lists; tail, init and drop keep the flavour of their argument (LANGUAGE 2). */
#include "lists.h"
#include "equal.h"
#include "fns.h"
#include "maps.h"
#include "numbers.h"
#include "strings.h"
#include "vectors.h"
#include "where.h"

/* ---- for runtime C ------------------------------------------------------------------------- */

V vk_list_unwrap(V v) {
  if (v == VK_NIL || VK_IS_PAIR(v)) return v;
  switch (VK_KIND(v)) {
  case VK_SEXPR: return ((VkSexpr *)VK_OBJ(v))->list;
  case VK_BLOCK: return ((VkBlock *)VK_OBJ(v))->list;
  default: return VK_UNBOUND;
  }
}

size_t vk_list_length(V plain) {
  size_t n = 0;
  for (; VK_IS_PAIR(plain); plain = VK_TAIL(plain)) n++;
  return n;
}

V vk_list_from(vk *c, size_t n, const V *items) {
  V list = VK_NIL;
  while (n > 0) list = vk_cons(c, items[--n], list);
  return list;
}

V vk_list_append(vk *c, V front, V back) {
  VkListBuilder b = VK_LIST_BUILDER;
  if (back == VK_NIL) return front;
  for (; VK_IS_PAIR(front); front = VK_TAIL(front)) vk_list_add(c, &b, VK_HEAD(front));
  return vk_list_end(c, &b, back);
}

V vk_sexpr(vk *c, V plain) {
  if (plain == VK_NIL) return VK_NIL;
  VkSexpr *s = vk_new(c, sizeof *s);
  s->hdr = VK_HDR(VK_SEXPR, 0, 0);
  s->list = plain;
  return VK_FROM_OBJ(s);
}

V vk_list_like(vk *c, V like, V plain) {
  return VK_IS_KIND(like, VK_SEXPR) ? vk_sexpr(c, plain) : plain;
}

/* The list of the first n elements, or of all. */
static V list_take(vk *c, V plain, size_t n) {
  VkListBuilder b = VK_LIST_BUILDER;
  for (; n > 0 && VK_IS_PAIR(plain); n--, plain = VK_TAIL(plain))
    vk_list_add(c, &b, VK_HEAD(plain));
  return b.first;
}

static V list_drop(V plain, size_t n) {
  for (; n > 0 && VK_IS_PAIR(plain); n--) plain = VK_TAIL(plain);
  return plain;
}

/* ---- arguments ----------------------------------------------------------------------------- */

/* `plain`: a new variable, the nil or pair behind argument i, v; else the error is returned. */
#define NEED_LIST(who, i, v, plain)                                                            \
  V plain = vk_list_of(v);                                                                     \
  if (plain == VK_UNBOUND) return vk_arg_error(c, who, i, v, "a list")

static V empty_error(vk *c, const char *who) {
  return vk_errorf(c, VK_SYM(range), "%s: the list is empty", who);
}

/* `take drop nth split` are (take n l); an integer and a list in the other order are told apart.
 * VK_NIL if the arguments are right, else the error. */
static V need_count_and_list(vk *c, const char *who, V *n, V *l) {
  if (VK_IS_INT(*l) && vk_is_list(*n)) {
    V swapped = *n;
    *n = *l;
    *l = swapped;
  }
  if (!VK_IS_INT(*n)) return vk_arg_error(c, who, 1, *n, "an integer");
  V plain = vk_list_of(*l);
  if (plain == VK_UNBOUND) return vk_arg_error(c, who, 2, *l, "a list");
  return VK_NIL;
}

/* An integer as a number of elements: below zero 0, and beyond any length SIZE_MAX. */
static size_t count_of(V n) {
  if (VK_IS_FIX(n)) return VK_INT(n) < 0 ? 0 : (size_t)VK_INT(n);
  return *VK_OBJ(n) & VK_NEGATIVE ? 0 : SIZE_MAX;
}

/* ---- taking apart -------------------------------------------------------------------------- */

V vk_head(vk *c, V l) {
  NEED_LIST("head", 1, l, p);
  return p == VK_NIL ? empty_error(c, "head") : VK_HEAD(p);
}

V vk_tail(vk *c, V l) {
  NEED_LIST("tail", 1, l, p);
  return p == VK_NIL ? empty_error(c, "tail") : vk_list_like(c, l, VK_TAIL(p));
}

V vk_list_init(vk *c, V l) {
  NEED_LIST("init", 1, l, p);
  if (p == VK_NIL) return empty_error(c, "init");
  return vk_list_like(c, l, list_take(c, p, vk_list_length(p) - 1));
}

V vk_last(vk *c, V l) {
  NEED_LIST("last", 1, l, p);
  if (p == VK_NIL) return empty_error(c, "last");
  while (VK_TAIL(p) != VK_NIL) p = VK_TAIL(p);
  return VK_HEAD(p);
}

static V nth(vk *c, const char *who, V n, V plain) {
  size_t count = count_of(n);
  V p = count ? list_drop(plain, count - 1) : VK_NIL;
  if (p != VK_NIL) return VK_HEAD(p);
  return vk_errorf(c, VK_SYM(range), "%s: there is no element %lld, the length is %zu", who,
                   VK_IS_FIX(n) ? (long long)VK_INT(n) : -1, vk_list_length(plain));
}

V vk_nth(vk *c, V n, V l) {
  V error = need_count_and_list(c, "nth", &n, &l);
  return error != VK_NIL ? error : nth(c, "nth", n, vk_list_of(l));
}

V vk_fst(vk *c, V l) {
  NEED_LIST("fst", 1, l, p);
  return nth(c, "fst", VK_FIX(1), p);
}

V vk_snd(vk *c, V l) {
  NEED_LIST("snd", 1, l, p);
  return nth(c, "snd", VK_FIX(2), p);
}

V vk_trd(vk *c, V l) {
  NEED_LIST("trd", 1, l, p);
  return nth(c, "trd", VK_FIX(3), p);
}

V vk_cell(vk *c) { return vk_cons(c, VK_NIL, VK_NIL); }

V vk_fst_slow(vk *c, V l, const VkPos *pos) { return VK_AT(c, vk_fst(c, l), pos); }
V vk_snd_slow(vk *c, V l, const VkPos *pos) { return VK_AT(c, vk_snd(c, l), pos); }
V vk_trd_slow(vk *c, V l, const VkPos *pos) { return VK_AT(c, vk_trd(c, l), pos); }

V vk_take(vk *c, V n, V l) {
  V error = need_count_and_list(c, "take", &n, &l);
  return error != VK_NIL ? error : list_take(c, vk_list_of(l), count_of(n));
}

V vk_drop(vk *c, V n, V l) {
  V error = need_count_and_list(c, "drop", &n, &l);
  return error != VK_NIL ? error : vk_list_like(c, l, list_drop(vk_list_of(l), count_of(n)));
}

V vk_split(vk *c, V n, V l) {
  V error = need_count_and_list(c, "split", &n, &l);
  if (error != VK_NIL) return error;
  V parts[2] = {list_take(c, vk_list_of(l), count_of(n)),
                list_drop(vk_list_of(l), count_of(n))};
  return vk_list_from(c, 2, parts);
}

V vk_len(vk *c, V v) {
  V p = vk_list_of(v);
  if (p != VK_UNBOUND) return VK_FIX(vk_list_length(p));
  switch (VK_KIND(v)) {
  case VK_STRING: return VK_FIX(VK_STR(v)->len);
  case VK_VECTOR: return VK_FIX(vk_vec_count(v));
  case VK_MAP: return VK_FIX(VK_MAPP(v)->len);
  default: return vk_arg_error(c, "len", 1, v, "a list, string, vector or map");
  }
}
V vk_len_slow(vk *c, V v, const VkPos *pos) {
  V r = vk_len(c, v);
  return VK_AT(c, r, pos);
}

/* ---- making -------------------------------------------------------------------------------- */

V vk_list_n(vk *c, size_t n, const V *args) { return vk_list_from(c, n, args); }

V vk_cons_checked(vk *c, V x, V l) {
  NEED_LIST("cons", 2, l, p);
  return vk_cons(c, x, p);
}

/* (join l ...): a later argument that is no list is an element. */
V vk_join_n(vk *c, size_t n, const V *args) {
  if (n == 0) return VK_NIL;
  V first = vk_list_of(args[0]);
  if (first == VK_UNBOUND) return vk_arg_error(c, "join", 1, args[0], "a list");
  V list = VK_NIL;
  for (size_t i = n; i-- > 0;) { /* from the end: every list but the last is copied once */
    V p = i == 0 ? first : vk_list_of(args[i]);
    list = p == VK_UNBOUND ? vk_cons(c, args[i], list) : vk_list_append(c, p, list);
  }
  return list;
}

/* From `from` up to `to`, which are fixnums: cells in a row, as many as there are at a time. */
static V range_of_fixnums(vk *c, int64_t from, int64_t to) {
  V list = VK_NIL;
  while (to > from) {
    size_t n = (size_t)(to - from);
    VkPair *cells = vk_cells_some(c, c->where, &n);
    if (!cells) {
      list = vk_cons(c, VK_FIX(--to), list);
      continue;
    }
    for (VkPair *p = cells; p < cells + n; p++) {
      *p = (VkPair){VK_FIX(--to), list};
      list = VK_FROM_PAIR(p);
    }
  }
  return list;
}

V vk_range(vk *c, V a, V b) {
  int64_t from, to;
  if (!VK_IS_INT(a)) return vk_arg_error(c, "range", 1, a, "an integer");
  if (!VK_IS_INT(b)) return vk_arg_error(c, "range", 2, b, "an integer");
  if (VK_IS_FIX2(a, b)) return range_of_fixnums(c, VK_INT(a), VK_INT(b));
  if (!vk_to_i64(a, &from) || !vk_to_i64(b, &to))
    return vk_errorf(c, VK_SYM(range), "range: an argument is out of range");
  V list = VK_NIL;
  while (to > from) {
    V n = vk_int_from_i64(c, --to);
    list = vk_cons(c, n, list);
  }
  return list;
}

/* A walk over a range that need not be a list (valkc/ranges.c): the integer it is at, or else a list. */
V vk_range_start(vk *c, V a, V b) { return VK_IS_FIX2(a, b) ? a : vk_range(c, a, b); }
V vk_range_items(vk *c, V walk) {
  (void)c;
  return walk;
}
V vk_range_end(vk *c, V b) { return vk_op_range_end(c, b, NULL); }
V vk_range_more(vk *c, V walk, V end) { return vk_op_range_more(c, walk, end, NULL); }
V vk_range_more_slow(vk *c, V walk, V end, const VkPos *pos) {
  if (VK_IS_FIX(walk)) return VK_FIX((int64_t)walk < (int64_t)end);
  return VK_IS_ABN(walk) ? vk_at(c, walk, pos) : VK_FIX(walk != VK_NIL);
}
V vk_range_head(vk *c, V walk) { return VK_IS_FIX(walk) ? walk : vk_head(c, walk); }
V vk_range_next(vk *c, V walk) { return VK_IS_FIX(walk) ? walk + VK_FIX(1) : vk_tail(c, walk); }
V vk_range_head_slow(vk *c, V walk, const VkPos *pos) { return vk_placed(c, vk_range_head(c, walk), pos); }
V vk_range_next_slow(vk *c, V walk, const VkPos *pos) { return vk_placed(c, vk_range_next(c, walk), pos); }

V vk_reverse(vk *c, V l) {
  NEED_LIST("reverse", 1, l, p);
  V list = VK_NIL;
  for (; VK_IS_PAIR(p); p = VK_TAIL(p)) list = vk_cons(c, VK_HEAD(p), list);
  return list;
}

/* What is left of each list, as words: args keep the lists, and where these are does not matter to
 * what holds no values. */
static uint64_t *lists_left(vk *c, size_t n, const V *args) {
  VkRaw *left = vk_new(c, sizeof *left + n * sizeof(V));
  left->hdr = VK_HDR(VK_RAW, 0, 0);
  left->bytes = n * sizeof(V);
  for (size_t i = 0; i < n; i++) left->words[i] = vk_list_of(args[i]);
  return left->words;
}

/* (zip l ...): lists of the first, second, ... elements, as many as the shortest has. */
V vk_zip_n(vk *c, size_t n, const V *args) {
  for (size_t i = 0; i < n; i++)
    if (!vk_is_list(args[i])) return vk_arg_error(c, "zip", (int)i + 1, args[i], "a list");
  uint64_t *left = lists_left(c, n, args);
  VkListBuilder rows = VK_LIST_BUILDER;
  for (;;) {
    VkListBuilder row = VK_LIST_BUILDER;
    for (size_t i = 0; i < n; i++) {
      if (left[i] == VK_NIL) return rows.first;
      vk_list_add(c, &row, VK_HEAD(left[i]));
      left[i] = VK_TAIL(left[i]);
    }
    vk_list_add(c, &rows, row.first);
  }
}

/* Lists within lists, of any depth, as one list. The stack of what is left of the outer lists is
 * itself a list, so that the collector sees it. */
V vk_flatten(vk *c, V l) {
  NEED_LIST("flatten", 1, l, p);
  VkListBuilder b = VK_LIST_BUILDER;
  for (V outer = VK_NIL;;) {
    if (p == VK_NIL) {
      if (outer == VK_NIL) return b.first;
      p = VK_HEAD(outer);
      outer = VK_TAIL(outer);
      continue;
    }
    V x = VK_HEAD(p), inner = vk_list_of(x);
    p = VK_TAIL(p);
    if (inner == VK_UNBOUND) {
      vk_list_add(c, &b, x);
      continue;
    }
    if (p != VK_NIL) outer = vk_cons(c, p, outer);
    p = inner;
  }
}

/* The first of each set of equal elements, in order. */
V vk_uniq(vk *c, V l) {
  NEED_LIST("uniq", 1, l, p);
  V seen = vk_map_make(c, 0);
  VkListBuilder b = VK_LIST_BUILDER;
  for (; VK_IS_PAIR(p); p = VK_TAIL(p)) {
    V x = VK_HEAD(p);
    if (vk_map_find(seen, x) != VK_UNBOUND) continue;
    vk_map_put_unfrozen(c, seen, x, VK_TRUE);
    vk_list_add(c, &b, x);
  }
  return b.first;
}

static V fold(vk *c, const char *who, V l, V start, V (*combine)(vk *, V, V)) {
  if (VK_IS_VECTOR(l)) {
    for (size_t i = 0; i < vk_vec_count(l) && !VK_IS_ABN(start); i++)
      start = combine(c, start, vk_vec_ref(c, l, i));
    return start;
  }
  V p = vk_list_of(l);
  if (p == VK_UNBOUND) return vk_arg_error(c, who, 1, l, "a list or vector");
  for (; VK_IS_PAIR(p) && !VK_IS_ABN(start); p = VK_TAIL(p))
    start = combine(c, start, VK_HEAD(p));
  return start;
}

V vk_sum(vk *c, V l) { return fold(c, "sum", l, VK_FIX(0), vk_add); }
V vk_product(vk *c, V l) { return fold(c, "product", l, VK_FIX(1), vk_mul); }

V vk_list_p(vk *c, V v) {
  (void)c;
  return VK_FIX(vk_is_list(v));
}

V vk_nil_p(vk *c, V v) {
  (void)c;
  return VK_FIX(vk_list_of(v) == VK_NIL);
}

/* ---- association lists: {k v k v ...} ------------------------------------------------------ */

/* The pair whose head is the value of key k, or VK_NIL. A key without a value has none. */
static V plist_find(V p, V k) {
  for (; VK_IS_PAIR(p) && VK_IS_PAIR(VK_TAIL(p)); p = VK_TAIL(VK_TAIL(p)))
    if (VK_HEAD(p) == k || vk_equal(VK_HEAD(p), k)) return VK_TAIL(p);
  return VK_NIL;
}

V vk_plist_get(vk *c, V pl, V k) {
  NEED_LIST("plist/get", 1, pl, p);
  V at = plist_find(p, k);
  return at == VK_NIL ? VK_NIL : VK_HEAD(at);
}

V vk_get(vk *c, V pl, V k, V otherwise) {
  NEED_LIST("get", 1, pl, p);
  V at = plist_find(p, k);
  return at == VK_NIL ? otherwise : VK_HEAD(at);
}

V vk_plist_set(vk *c, V pl, V k, V value) {
  NEED_LIST("plist/set", 1, pl, p);
  V at = plist_find(p, k);
  VkListBuilder b = VK_LIST_BUILDER;
  for (; VK_IS_PAIR(p) && p != at; p = VK_TAIL(p)) vk_list_add(c, &b, VK_HEAD(p));
  if (at == VK_NIL) vk_list_add(c, &b, k);
  vk_list_add(c, &b, value);
  return vk_list_end(c, &b, at == VK_NIL ? VK_NIL : VK_TAIL(at));
}

V vk_plist_has(vk *c, V pl, V k) {
  NEED_LIST("plist/has?", 1, pl, p);
  return VK_FIX(plist_find(p, k) != VK_NIL);
}

/* Every second element. */
static V list_alternate(vk *c, V p) {
  VkListBuilder b = VK_LIST_BUILDER;
  for (; VK_IS_PAIR(p); p = VK_TAIL(p)) {
    vk_list_add(c, &b, VK_HEAD(p));
    p = VK_TAIL(p);
    if (p == VK_NIL) break;
  }
  return b.first;
}

V vk_plist_keys(vk *c, V pl) {
  NEED_LIST("plist/keys", 1, pl, p);
  return list_alternate(c, p);
}

V vk_plist_vals(vk *c, V pl) {
  NEED_LIST("plist/vals", 1, pl, p);
  return p == VK_NIL ? VK_NIL : list_alternate(c, VK_TAIL(p));
}

/* ---- for std and generated code ------------------------------------------------------------ */

V vk_pair(vk *c, V x, V tail) { return vk_cons(c, x, tail); }

V vk_set_tail(vk *c, V pair, V tail) {
  vk_write(c, pair, &VK_TAIL(pair), tail);
  return VK_NIL;
}

V vk_set_head(vk *c, V pair, V x) {
  vk_write(c, pair, &VK_HEAD(pair), x);
  return VK_NIL;
}

/* The elements of a list or vector as a plain list, or VK_UNBOUND. */
static V elements_of(vk *c, V v) {
  return VK_IS_VECTOR(v) ? vk_vec_to_list(c, v) : vk_list_of(v);
}

V vk_items(vk *c, V l, V who, V index) {
  V p = elements_of(c, l);
  return p != VK_UNBOUND
             ? p
             : vk_arg_error(c, VK_STR(who)->bytes, (int)VK_INT(index), l, "a list or vector");
}

V vk_count_of(vk *c, V n, V who, V index) {
  if (VK_IS_FIX(n)) return VK_INT(n) < 0 ? VK_FIX(0) : n;
  if (VK_IS_INT(n))
    return vk_errorf(c, VK_SYM(range), "%s: the count is out of range", VK_STR(who)->bytes);
  return vk_arg_error(c, VK_STR(who)->bytes, (int)VK_INT(index), n, "an integer");
}

V vk_sexpr_of(vk *c, V l) {
  NEED_LIST("quasiquote", 1, l, p);
  return vk_sexpr(c, p);
}

/* ,@front before what follows it. */
V vk_qq_append(vk *c, V front, V back) {
  V p = vk_list_of(front);
  if (p == VK_UNBOUND) return vk_arg_error(c, "unquote-splicing", 1, front, "a list");
  if (VK_IS_ABN(back)) return back;
  return vk_list_append(c, p, back);
}

/* ---- slow paths of ops.h ------------------------------------------------------------------- */

V vk_head_slow(vk *c, V l, const VkPos *pos) {
  V r = vk_head(c, l);
  return VK_AT(c, r, pos);
}
V vk_tail_slow(vk *c, V l, const VkPos *pos) {
  V r = vk_tail(c, l);
  return VK_AT(c, r, pos);
}
V vk_cons_checked_slow(vk *c, V x, V l, const VkPos *pos) {
  V r = vk_cons_checked(c, x, l);
  return VK_AT(c, r, pos);
}
V vk_cons_checked_on_slow(vk *c, unsigned where, V x, V l, const VkPos *pos) {
  c->where = where;
  V r = vk_cons_checked(c, x, l);
  c->where = VK_ON_HEAP;
  return VK_AT(c, r, pos);
}
V vk_items_slow(vk *c, V l, V who, V index, const VkPos *pos) {
  V r = vk_items(c, l, who, index);
  return VK_AT(c, r, pos);
}
