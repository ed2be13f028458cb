/* flow_prim.c - what primitives give: ranges of arithmetic, elements of collections.
 *
 * The signature in the table decides, unless a row of `transfers` knows more. A primitive without
 * one lets its arguments escape when its result could contain them. */
#include "flow_engine.h"
#include <string.h>

/* ---- signatures -------------------------------------------------------------------------- */

static uint32_t type_word(const char *s, size_t n) {
  static const struct {
    const char *name;
    uint32_t types;
  } words[] = {{"any", T_ANY & ~T_ERROR}, {"int", T_INT}, {"float", T_FLOAT}, {"num", T_NUM}, {"str", T_STRING},
               {"sym", T_SYMBOL | T_KEYWORD}, {"key", T_KEYWORD}, {"list", T_LIST}, {"fn", T_FUN},
               {"vec", T_VECTOR}, {"map", T_MAP}, {"err", T_ERROR}, {"bool", T_FIX}, {"nil", T_NIL},
               {"ref", T_OTHER}};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strlen(words[i].name) == n && !memcmp(words[i].name, s, n)) return words[i].types;
  return T_ANY & ~T_ERROR;
}

static uint32_t type_union(const char *s, size_t n) {
  uint32_t types = 0;
  for (size_t i = 0; i < n;) {
    size_t len = 0;
    while (i + len < n && s[i + len] != '|') len++;
    types |= type_word(s + i, len);
    i += len + 1;
  }
  return types;
}

void flow_prim_signature(const Prim *prim, size_t index, uint32_t *arg_types, uint32_t *result_types) {
  const char *s = strchr(prim->signature, '(') + 1, *end = strchr(s, ')');
  *arg_types = T_ANY & ~T_ERROR;
  for (size_t i = 0; s < end; i++) {
    while (s < end && (*s == ' ' || *s == '[')) s++;
    size_t n = strcspn(s, " )].");
    bool repeats = s + n < end && s[n] == '.';
    if (i == index || (repeats && i <= index)) *arg_types = type_union(s, n);
    s += n;
    while (s < end && (*s == ' ' || *s == ']' || *s == '.')) s++;
  }
  end++;
  while (*end == ' ') end++;
  *result_types = type_union(end, strlen(end));
}

static bool fits(const Core *e, const AVal *args) {
  for (size_t i = 0; i < e->count; i++) {
    uint32_t want, result;
    flow_prim_signature(e->prim, i, &want, &result);
    if (e->prim->flags & PRIM_ERRS) want |= T_ERROR;
    if (args[i].types & ~want) return false;
  }
  return true;
}

static bool is_bool(const Prim *prim) {
  size_t n = strlen(prim->signature);
  return n >= 4 && !strcmp(prim->signature + n - 4, "bool");
}

/* By the signature alone. */
static AVal by_signature(Flow *f, const Core *e, const AVal *args) {
  uint32_t want, result;
  flow_prim_signature(e->prim, 0, &want, &result);
  bool may_hold = result & (T_LIST | T_VECTOR | T_MAP | T_FUN | T_OTHER) && !(result == T_NIL);
  if (may_hold || e->prim->flags & (PRIM_STORES | PRIM_CALLS) || strstr(e->prim->signature, ") any"))
    for (size_t i = 0; i < e->count; i++) flow_escape(f, args[i]);
  if (strstr(e->prim->signature, ") any")) result |= T_ERROR;
  AVal v = is_bool(e->prim) ? aval_range(0, 1) : aval_of(result);
  return v;
}

static AVal with_error(AVal v) {
  v.types |= T_ERROR;
  return v;
}

/* ---- arithmetic -------------------------------------------------------------------------- */

typedef AVal (*Transfer)(Flow *f, const Core *e, AVal *args);

static bool is_fix(AVal v) { return v.types == T_FIX; }

/* Mixed numbers: a float if either may be one; an integer of any size if both may be integers. */
static AVal number_result(AVal a, AVal b, bool is_exact) {
  uint32_t types = 0;
  if ((a.types | b.types) & T_FLOAT) types |= T_FLOAT;
  if (a.types & T_INT && b.types & T_INT && is_exact) types |= T_INT;
  if (!(a.types & T_NUM) || !(b.types & T_NUM)) types = 0;
  return aval_of(types);
}

static AVal join_float(AVal v, AVal a, AVal b) {
  if ((a.types | b.types) & T_FLOAT) v.types |= T_FLOAT;
  return v;
}

static bool is_step(AVal v) { return v.types == T_FIX && v.lo >= -COUNT_STEP_MAX && v.hi <= COUNT_STEP_MAX; }

/* x and a small step gave [lo, hi]: counting stays within COUNT_MAX (flow_value.h). */
static AVal counted(AVal x, int64_t lo, int64_t hi) {
  if (hi > COUNT_MAX && x.hi <= COUNT_MAX) hi = COUNT_MAX;
  if (lo < -COUNT_MAX && x.lo >= -COUNT_MAX) lo = -COUNT_MAX;
  return aval_range(lo, hi);
}

static AVal t_add(Flow *f, const Core *e, AVal *a) {
  (void)f, (void)e;
  bool both = a[0].types & T_FIX && a[1].types & T_FIX;
  if (!both || (a[0].types | a[1].types) & T_BIG) return number_result(a[0], a[1], true);
  int64_t lo = a[0].lo + a[1].lo, hi = a[0].hi + a[1].hi;
  AVal v = is_step(a[1]) ? counted(a[0], lo, hi) : is_step(a[0]) ? counted(a[1], lo, hi) : aval_range(lo, hi);
  return join_float(v, a[0], a[1]);
}

static AVal t_sub(Flow *f, const Core *e, AVal *a) {
  (void)f, (void)e;
  bool both = a[0].types & T_FIX && a[1].types & T_FIX;
  if (!both || (a[0].types | a[1].types) & T_BIG) return number_result(a[0], a[1], true);
  int64_t lo = a[0].lo - a[1].hi, hi = a[0].hi - a[1].lo;
  return join_float(is_step(a[1]) ? counted(a[0], lo, hi) : aval_range(lo, hi), a[0], a[1]);
}

static int64_t clip(__int128 n) {
  if (n > FIX_MAX) return FIX_MAX + 1;
  return n < FIX_MIN ? FIX_MIN - 1 : (int64_t)n;
}

static AVal t_mul(Flow *f, const Core *e, AVal *a) {
  (void)f, (void)e;
  bool both = a[0].types & T_FIX && a[1].types & T_FIX;
  if (!both || (a[0].types | a[1].types) & T_BIG) return number_result(a[0], a[1], true);
  __int128 p[4] = {(__int128)a[0].lo * a[1].lo, (__int128)a[0].lo * a[1].hi, (__int128)a[0].hi * a[1].lo,
                   (__int128)a[0].hi * a[1].hi};
  __int128 lo = p[0], hi = p[0];
  for (int i = 1; i < 4; i++) lo = p[i] < lo ? p[i] : lo, hi = p[i] > hi ? p[i] : hi;
  return join_float(aval_range(clip(lo), clip(hi)), a[0], a[1]);
}

static bool excludes_zero(AVal v) { return !(v.types & T_FIX) || v.lo > 0 || v.hi < 0; }

static AVal t_div(Flow *f, const Core *e, AVal *a) {
  (void)f, (void)e;
  AVal v = number_result(a[0], a[1], true);
  if (is_fix(a[0]) && is_fix(a[1])) {
    int64_t m = a[0].hi > -a[0].lo ? a[0].hi : -a[0].lo;
    if (a[1].lo > 0) v = aval_range(a[0].lo < 0 ? a[0].lo : 0, a[0].hi > 0 ? a[0].hi : 0);
    else v = aval_range(-m, m);
  }
  return a[1].types & T_INT && !excludes_zero(a[1]) ? with_error(v) : v;
}

static AVal t_rem(Flow *f, const Core *e, AVal *a) { /* sign of the dividend */
  (void)f, (void)e;
  AVal v = number_result(a[0], a[1], true);
  if (is_fix(a[0]) && is_fix(a[1])) {
    int64_t m = (a[1].hi > -a[1].lo ? a[1].hi : -a[1].lo) - 1;
    if (m < 0) m = 0;
    int64_t lo = a[0].lo < 0 ? (a[0].lo > -m ? a[0].lo : -m) : 0;
    int64_t hi = a[0].hi > 0 ? (a[0].hi < m ? a[0].hi : m) : 0;
    v = aval_range(lo, hi);
  }
  return a[1].types & T_INT && !excludes_zero(a[1]) ? with_error(v) : v;
}

static AVal t_mod(Flow *f, const Core *e, AVal *a) { /* sign of the divisor */
  (void)f, (void)e;
  AVal v = number_result(a[0], a[1], true);
  if (is_fix(a[0]) && is_fix(a[1]))
    v = aval_range(a[1].lo < 0 ? a[1].lo + 1 : 0, a[1].hi > 0 ? a[1].hi - 1 : 0);
  return a[1].types & T_INT && !excludes_zero(a[1]) ? with_error(v) : v;
}

static AVal t_bool(Flow *f, const Core *e, AVal *a) {
  (void)f, (void)e, (void)a;
  return aval_range(0, 1);
}

static AVal t_and(Flow *f, const Core *e, AVal *a) {
  (void)f;
  if (e->count == 2 && is_fix(a[0]) && is_fix(a[1]) && (a[0].lo >= 0 || a[1].lo >= 0)) {
    int64_t hi = a[0].lo < 0 ? a[1].hi : a[1].lo < 0 ? a[0].hi : a[0].hi < a[1].hi ? a[0].hi : a[1].hi;
    return aval_range(0, hi);
  }
  return aval_of(T_INT);
}

static AVal t_abs(Flow *f, const Core *e, AVal *a) {
  (void)f, (void)e;
  AVal v = aval_keep(a[0], T_NUM);
  if (v.types & T_FIX) {
    int64_t m = v.hi > -v.lo ? v.hi : -v.lo;
    AVal r = aval_range(v.lo > 0 ? v.lo : v.hi < 0 ? -v.hi : 0, m);
    r.types |= v.types & (T_BIG | T_FLOAT);
    return r;
  }
  return v;
}

static AVal t_length(Flow *f, const Core *e, AVal *a) {
  (void)f, (void)e, (void)a;
  return aval_range(0, (int64_t)1 << 48);
}

static AVal t_neg(Flow *f, const Core *e, AVal *a) {
  (void)f, (void)e;
  AVal v = aval_keep(a[0], T_NUM);
  if (!(v.types & T_FIX)) return v.types & T_BIG ? aval_join(f->p->arena, v, aval_of(T_FIX)) : v;
  AVal r = aval_range(-v.hi, -v.lo);
  r.types |= v.types & (T_BIG | T_FLOAT);
  return v.types & T_BIG ? aval_join(f->p->arena, r, aval_of(T_FIX)) : r;
}

static AVal t_float(Flow *f, const Core *e, AVal *a) {
  (void)f, (void)e, (void)a;
  return aval_of(T_FLOAT);
}

static AVal t_strings(Flow *f, const Core *e, AVal *a) { /* a list of strings */
  (void)a;
  Site *s = flow_site(f, e, e);
  AVal v = flow_site_value(f, s, T_PAIR | T_NIL);
  flow_add(f, &s->head, aval_of(T_STRING));
  flow_add(f, &s->tail, v);
  return v;
}

/* ---- lists ------------------------------------------------------------------------------- */

static AVal t_cons(Flow *f, const Core *e, AVal *a) {
  Site *s = flow_site(f, e, e);
  flow_add(f, &s->head, a[0]);
  AVal tail = aval_keep(a[1], T_NIL | T_PAIR);
  if (a[1].types & T_LISTOBJ) tail = aval_join(f->p->arena, tail, aval_of(T_PAIR));
  flow_add(f, &s->tail, tail);
  AVal v = flow_site_value(f, s, T_PAIR);
  return a[1].types & ~(uint32_t)T_LIST ? with_error(v) : v;
}

static AVal t_qq_cons(Flow *f, const Core *e, AVal *a) { /* errors are its result, not elements */
  AVal args[2] = {aval_keep(a[0], ~(uint32_t)T_ERROR), a[1]};
  return args[0].types ? t_cons(f, e, args) : aval_of(T_ERROR);
}

static AVal t_qq_append(Flow *f, const Core *e, AVal *a) {
  AVal v = aval_keep(a[1], T_NIL | T_PAIR);
  if (a[0].types & (T_PAIR | T_LISTOBJ)) {
    Site *s = flow_site(f, e, e);
    AVal list = flow_site_value(f, s, T_PAIR), elements = flow_elements(f, a[0]);
    if (elements.types) flow_add(f, &s->head, elements);
    flow_add(f, &s->tail, aval_join(f->p->arena, list, v));
    v = aval_join(f->p->arena, v, list);
    v = aval_join(f->p->arena, v, aval_keep(a[0], T_PAIR)); /* shared where nothing follows */
  }
  return v;
}

static AVal t_list(Flow *f, const Core *e, AVal *a) {
  if (e->count == 0) return aval_of(T_NIL);
  Site *s = flow_site(f, e, e);
  for (size_t i = 0; i < e->count; i++) flow_add(f, &s->head, a[i]);
  AVal v = flow_site_value(f, s, T_PAIR), nil = aval_of(T_NIL);
  flow_add(f, &s->tail, e->count > 1 ? aval_join(f->p->arena, v, nil) : nil);
  return v;
}

static AVal heads(Flow *f, AVal l) {
  if (l.sites == &set_any || l.types & T_LISTOBJ) return aval_of(T_ANY);
  AVal v = aval_none();
  for (unsigned i = 0; l.sites && i < l.sites->count; i++)
    v = aval_join(f->p->arena, v, flow_read(f, &((Site *)l.sites->items[i])->head));
  return v;
}

static AVal t_head(Flow *f, const Core *e, AVal *a) {
  (void)e;
  AVal v = a[0].types & (T_PAIR | T_LISTOBJ) ? heads(f, a[0]) : aval_none();
  return a[0].types & ~(uint32_t)(T_PAIR | T_LISTOBJ) ? with_error(v) : v;
}

static AVal t_tail(Flow *f, const Core *e, AVal *a) {
  (void)e;
  AVal l = a[0], v = aval_none();
  if (l.types & T_LISTOBJ) v = aval_of(T_LIST);
  else if (l.types & T_PAIR && l.sites == &set_any) v = aval_of(T_NIL | T_PAIR);
  else if (l.types & T_PAIR)
    for (unsigned i = 0; l.sites && i < l.sites->count; i++)
      v = aval_join(f->p->arena, v, flow_read(f, &((Site *)l.sites->items[i])->tail));
  return l.types & ~(uint32_t)(T_PAIR | T_LISTOBJ) ? with_error(v) : v;
}

static AVal t_set_head(Flow *f, const Core *e, AVal *a) {
  (void)e;
  if (a[0].sites == &set_any) flow_escape(f, a[1]);
  else
    for (unsigned i = 0; a[0].sites && i < a[0].sites->count; i++)
      flow_add(f, &((Site *)a[0].sites->items[i])->head, a[1]);
  return aval_of(T_NIL);
}

static AVal t_set_tail(Flow *f, const Core *e, AVal *a) {
  (void)e;
  if (a[0].sites == &set_any) flow_escape(f, a[1]);
  else
    for (unsigned i = 0; a[0].sites && i < a[0].sites->count; i++)
      flow_add(f, &((Site *)a[0].sites->items[i])->tail, aval_keep(a[1], T_NIL | T_PAIR));
  return aval_of(T_NIL);
}

/* A list of these elements made at e, which may be empty. */
static AVal fresh_list(Flow *f, const Core *e, AVal elements) {
  Site *s = flow_site(f, e, e);
  AVal v = flow_site_value(f, s, T_PAIR | T_NIL);
  if (elements.types) flow_add(f, &s->head, elements);
  flow_add(f, &s->tail, v);
  return v;
}

static AVal t_items(Flow *f, const Core *e, AVal *a) {
  AVal v = aval_keep(a[0], T_NIL | T_PAIR);
  if (a[0].types & T_LISTOBJ) v = aval_join(f->p->arena, v, aval_of(T_PAIR));
  if (a[0].types & T_VECTOR) v = aval_join(f->p->arena, v, fresh_list(f, e, flow_contents(f, a[0])));
  return a[0].types & ~(uint32_t)(T_LIST | T_VECTOR) ? with_error(v) : v;
}

static AVal t_same_elements(Flow *f, const Core *e, AVal *a) { /* reverse, sort, uniq */
  AVal v = fresh_list(f, e, flow_elements(f, a[0]));
  return a[0].types & ~(uint32_t)T_LIST ? with_error(v) : v;
}

static AVal t_join(Flow *f, const Core *e, AVal *a) {
  AVal all = aval_none();
  bool fails = false;
  for (size_t i = 0; i < e->count; i++) {
    all = aval_join(f->p->arena, all, flow_elements(f, a[i]));
    if (i > 0) all = aval_join(f->p->arena, all, aval_keep(a[i], T_ANY & ~(uint32_t)T_LIST));
    if (a[i].types & ~(uint32_t)T_LIST) fails = true;
  }
  AVal v = fresh_list(f, e, all);
  if (e->count > 0 && a[0].types & T_LISTOBJ) v = aval_join(f->p->arena, v, aval_of(T_LISTOBJ));
  return fails ? with_error(v) : v;
}

static AVal t_range(Flow *f, const Core *e, AVal *a) {
  AVal v = is_fix(a[0]) && is_fix(a[1]) ? aval_range(a[0].lo, a[1].hi - 1 < a[0].lo ? a[0].lo : a[1].hi - 1)
                                        : aval_of(T_INT);
  AVal r = fresh_list(f, e, v);
  return (a[0].types | a[1].types) & ~(uint32_t)T_FIX ? with_error(r) : r;
}

static AVal t_element(Flow *f, const Core *e, AVal *a) { /* nth last fst snd trd */
  return with_error(flow_elements(f, a[e->count - 1]));
}

/* ---- vectors and maps ---------------------------------------------------------------------- */

static AVal t_vec(Flow *f, const Core *e, AVal *a) {
  Site *s = flow_site(f, e, e);
  for (size_t i = 0; i < e->count; i++) flow_add(f, &s->head, a[i]);
  return flow_site_value(f, s, T_VECTOR);
}

static AVal t_vec_make(Flow *f, const Core *e, AVal *a) {
  Site *s = flow_site(f, e, e);
  flow_add(f, &s->head, e->count > 1 ? a[1] : aval_of(T_NIL));
  AVal v = flow_site_value(f, s, T_VECTOR);
  return is_fix(a[0]) && a[0].lo >= 0 && a[0].hi < 1 << 24 ? v : with_error(v);
}

static AVal t_vec_get(Flow *f, const Core *e, AVal *a) {
  (void)e;
  return with_error(flow_contents(f, a[0]));
}

static AVal store_content(Flow *f, AVal to, AVal v) {
  if (to.sites == &set_any) flow_escape(f, v);
  else
    for (unsigned i = 0; to.sites && i < to.sites->count; i++)
      flow_add(f, &((Site *)to.sites->items[i])->head, v);
  return with_error(aval_of(T_NIL));
}

static AVal t_vec_set(Flow *f, const Core *e, AVal *a) { return store_content(f, a[0], a[e->count - 1]); }

static AVal t_vec_list(Flow *f, const Core *e, AVal *a) {
  AVal v = fresh_list(f, e, flow_contents(f, a[0]));
  return a[0].types & ~(uint32_t)T_VECTOR ? with_error(v) : v;
}

static AVal t_vec_slice(Flow *f, const Core *e, AVal *a) {
  Site *s = flow_site(f, e, e);
  AVal content = flow_contents(f, a[0]);
  if (content.types) flow_add(f, &s->head, content);
  return with_error(flow_site_value(f, s, T_VECTOR));
}

static AVal t_list_vec(Flow *f, const Core *e, AVal *a) {
  Site *s = flow_site(f, e, e);
  AVal content = flow_elements(f, a[0]);
  if (content.types) flow_add(f, &s->head, content);
  return with_error(flow_site_value(f, s, T_VECTOR));
}

static AVal t_map(Flow *f, const Core *e, AVal *a) {
  Site *s = flow_site(f, e, e);
  for (size_t i = 0; i < e->count; i++) flow_add(f, i % 2 ? &s->head : &s->tail, a[i]);
  AVal v = flow_site_value(f, s, T_MAP);
  return e->count ? with_error(v) : v;
}

static AVal t_map_put(Flow *f, const Core *e, AVal *a) {
  (void)e;
  if (a[0].sites == &set_any) flow_escape(f, a[1]);
  else
    for (unsigned i = 0; a[0].sites && i < a[0].sites->count; i++)
      flow_add(f, &((Site *)a[0].sites->items[i])->tail, a[1]);
  return store_content(f, a[0], a[2]);
}

static AVal t_map_get(Flow *f, const Core *e, AVal *a) {
  AVal v = flow_contents(f, a[0]);
  v = aval_join(f->p->arena, v, e->count > 2 ? a[2] : aval_of(T_NIL));
  return (a[0].types & ~(uint32_t)T_MAP) || a[1].types & T_ERROR ? with_error(v) : v;
}

static AVal t_map_keys(Flow *f, const Core *e, AVal *a) {
  AVal v = fresh_list(f, e, flow_keys(f, a[0]));
  return a[0].types & ~(uint32_t)T_MAP ? with_error(v) : v;
}

static AVal t_map_vals(Flow *f, const Core *e, AVal *a) {
  AVal v = fresh_list(f, e, flow_contents(f, a[0]));
  return a[0].types & ~(uint32_t)T_MAP ? with_error(v) : v;
}

/* ---- the table --------------------------------------------------------------------------- */

static const struct {
  const char *name;
  Transfer transfer;
  bool is_total; /* with arguments of the signature's types it never fails of itself */
} transfers[] = {
    {"%add", t_add, true}, {"%neg", t_neg, true}, {"%sub", t_sub, true}, {"%mul", t_mul, true}, {"%div", t_div, true},
    {"%", t_rem, true}, {"%rem", t_rem, true}, {"mod", t_mod, true},
    {"%lt", t_bool, true}, {"%gt", t_bool, true}, {"%le", t_bool, true}, {"%ge", t_bool, true},
    {"==", t_bool, true}, {"!=", t_bool, true}, {"not", t_bool, true},
    {"bit/and", t_and, true}, {"abs", t_abs, true}, {"len", t_length, true}, {"vec/len", t_length, true},
    {"map/len", t_length, true}, {"float", t_float, true}, {"sqrt", NULL, false},
    {"cons", t_cons, true}, {"%pair", t_cons, true}, {"%qq-cons", t_qq_cons, true}, {"%qq-append", t_qq_append, true}, {"list", t_list, true},
    {"head", t_head, true}, {"tail", t_tail, true}, {"%set-tail!", t_set_tail, true},
    {"%set-head!", t_set_head, true}, {"%items", t_items, true}, {"reverse", t_same_elements, true},
    {"uniq", t_same_elements, true}, {"join", t_join, true}, {"append", t_join, true},
    {"range", t_range, true}, {"nth", t_element, true}, {"last", t_element, true}, {"fst", t_element, true},
    {"snd", t_element, true}, {"trd", t_element, true}, {"take", NULL, true}, {"drop", NULL, true},
    {"str/split", t_strings, false}, {"str/chars", t_strings, false},
    {"vec", t_vec, true}, {"vec/make", t_vec_make, true}, {"vec/get", t_vec_get, true},
    {"vec/set!", t_vec_set, true}, {"vec/push!", t_vec_set, true}, {"vec/pop!", t_vec_get, true},
    {"vec/->list", t_vec_list, true}, {"vec/slice", t_vec_slice, true}, {"%list->vec", t_list_vec, true},
    {"map/new", t_map, true}, {"map/of", t_map, true}, {"map/put!", t_map_put, true},
    {"map/get", t_map_get, true}, {"map/keys", t_map_keys, true}, {"map/vals", t_map_vals, true},
};

enum { TRANSFER_COUNT = sizeof transfers / sizeof *transfers };

/* The row of a primitive, or TRANSFER_COUNT; found by name once. */
static size_t transfer_row(Flow *f, const Prim *prim) {
  size_t index = (size_t)(prim - prim_table);
  if (!f->transfer_rows) f->transfer_rows = ARENA_ARRAY(f->p->arena, uint16_t, prim_count);
  if (f->transfer_rows[index]) return f->transfer_rows[index] - 1u;
  size_t row = 0;
  while (row < TRANSFER_COUNT && strcmp(transfers[row].name, prim->name) != 0) row++;
  f->transfer_rows[index] = (uint16_t)(row + 1);
  return row;
}

AVal flow_prim(Flow *f, Core *e, AVal *args) {
  size_t row = transfer_row(f, e->prim);
  bool is_known = row < TRANSFER_COUNT && transfers[row].transfer;
  AVal v = is_known ? transfers[row].transfer(f, e, args) : by_signature(f, e, args);
  bool total = is_known && transfers[row].is_total;
  if (e->prim->flags & PRIM_FAILS && (!total || !fits(e, args))) v = with_error(v);
  if (e->count > 0 && args[0].types == T_VECTOR) e->content_types = flow_contents(f, args[0]).types;
  return v;
}
