/* flow_prim.c - what primitives give: signatures, elements of collections, the table (flow_prim.h).
 *
 * The signature in the table decides, unless a row of `transfers` knows more. A primitive without
 * one lets its arguments escape when its result could contain them. */
#include "../rt/limits.h"
#include "flow_prim.h"
#include <stdlib.h>
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

/* What a row's text says, read once: a static table, because it follows from a constant one. */
enum { SIGNATURE_ARGS_MAX = 8 };
typedef struct Signature {
  bool is_read, repeats, gives_any, gives_bool;
  unsigned count; /* of args; the last one stands for all others if it repeats */
  uint32_t args[SIGNATURE_ARGS_MAX], result;
} Signature;

static void read_signature(Signature *sig, const char *text) {
  const char *s = strchr(text, '(') + 1, *end = strchr(s, ')');
  sig->is_read = true;
  while (s < end && sig->count < SIGNATURE_ARGS_MAX && !sig->repeats) {
    while (s < end && (*s == ' ' || *s == '[')) s++;
    size_t n = strcspn(s, " )].");
    sig->repeats = s + n < end && s[n] == '.';
    sig->args[sig->count++] = type_union(s, n);
    s += n;
    while (s < end && (*s == ' ' || *s == ']' || *s == '.')) s++;
  }
  end++;
  while (*end == ' ') end++;
  sig->result = type_union(end, strlen(end));
  sig->gives_any = !strncmp(end, "any", 3);
  size_t len = strlen(end);
  sig->gives_bool = len >= 4 && !strcmp(end + len - 4, "bool");
}

static const Signature *signature_of(const Prim *prim) {
  static Signature *table;
  if (!table) table = calloc(prim_count, sizeof *table);
  if (!table) abort();
  Signature *sig = &table[prim - prim_table];
  if (!sig->is_read) read_signature(sig, prim->signature);
  return sig;
}

void flow_prim_signature(const Prim *prim, size_t index, uint32_t *arg_types, uint32_t *result_types) {
  const Signature *sig = signature_of(prim);
  bool is_last = sig->repeats && index >= sig->count;
  *arg_types = is_last             ? sig->args[sig->count - 1]
               : index < sig->count ? sig->args[index]
                                    : T_ANY & ~T_ERROR;
  *result_types = sig->result;
}

static bool fits(const Core *e, const AVal *args) {
  for (size_t i = 0; i < e->count; i++) {
    uint32_t want, result;
    flow_prim_signature(e->prim, i, &want, &result);
    bool is_any = want == (T_ANY & ~(uint32_t)T_ERROR); /* a vector that is an error is no vector */
    if (e->prim->flags & PRIM_ERRS && is_any) want |= T_ERROR;
    if (args[i].types & ~want) return false;
  }
  return true;
}

/* By the signature alone. */
static AVal by_signature(Flow *f, const Core *e, const AVal *args) {
  const Signature *sig = signature_of(e->prim);
  uint32_t result = sig->result;
  bool may_hold = result & (T_LIST | T_VECTOR | T_MAP | T_FUN | T_OTHER) && !(result == T_NIL);
  if (may_hold || e->prim->flags & (PRIM_STORES | PRIM_CALLS) || sig->gives_any)
    for (size_t i = 0; i < e->count; i++) flow_escape(f, args[i]);
  if (sig->gives_any) result |= T_ERROR;
  AVal v = sig->gives_bool ? aval_range(0, 1) : aval_of(result);
  return v;
}

/* ---- lists ------------------------------------------------------------------------------- */

static AVal t_strings(Flow *f, const Core *e, AVal *a) { /* a list of strings */
  (void)a;
  Site *s = flow_site(f, e, e);
  AVal v = flow_site_value(f, s, T_PAIR | T_NIL);
  flow_put(f, s, &s->head, aval_of(T_STRING));
  flow_put(f, s, &s->tail, v);
  return v;
}

static AVal t_cons(Flow *f, const Core *e, AVal *a) {
  Site *s = flow_site(f, e, e);
  flow_put(f, s, &s->head, a[0]);
  AVal tail = aval_keep(a[1], T_NIL | T_PAIR);
  if (a[1].types & T_LISTOBJ) tail = flow_join(f, tail, aval_of(T_PAIR));
  flow_put(f, s, &s->tail, tail);
  AVal v = flow_site_value(f, s, T_PAIR);
  return a[1].types & ~(uint32_t)T_LIST ? with_error(v) : v;
}

static AVal t_cell(Flow *f, const Core *e, AVal *a) {
  (void)a;
  Site *s = flow_site(f, e, e);
  flow_add(f, &s->head, aval_of(T_NIL));
  flow_add(f, &s->tail, aval_of(T_NIL));
  return flow_site_value(f, s, T_PAIR);
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
    if (elements.types) flow_put(f, s, &s->head, elements);
    flow_put(f, s, &s->tail, flow_join(f, list, v));
    v = flow_join(f, v, list);
    v = flow_join(f, v, aval_keep(a[0], T_PAIR)); /* shared where nothing follows */
  }
  return v;
}

/* A site for each cell: lists used as records keep their fields apart. */
static AVal t_list(Flow *f, const Core *e, AVal *a) {
  AVal v = aval_of(T_NIL);
  for (size_t i = e->count; i-- > 0;) {
    Site *s = flow_site(f, &e->items[i], e);
    flow_add(f, &s->head, a[i]);
    flow_add(f, &s->tail, v);
    v = flow_site_value(f, s, T_PAIR);
  }
  return v;
}

static AVal heads(Flow *f, AVal l) {
  if (l.sites == &set_any || l.types & T_LISTOBJ) return aval_of(T_ANY);
  AVal v = aval_none();
  for (unsigned i = 0; l.sites && i < l.sites->count; i++)
    v = flow_join(f, v, flow_read(f, &((Site *)l.sites->items[i])->head));
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
      v = flow_join(f, v, flow_read(f, &((Site *)l.sites->items[i])->tail));
  return l.types & ~(uint32_t)(T_PAIR | T_LISTOBJ) ? with_error(v) : v;
}

/* v becomes a head, or a tail, of what `to` is. */
static void store_part(Flow *f, AVal to, AVal v, bool is_tail) {
  if (to.sites == &set_any) {
    flow_escape(f, v);
    return;
  }
  for (unsigned i = 0; to.sites && i < to.sites->count; i++) {
    Site *s = (Site *)to.sites->items[i];
    flow_put(f, s, is_tail ? &s->tail : &s->head, v);
  }
}

static AVal t_set_head(Flow *f, const Core *e, AVal *a) {
  (void)e;
  store_part(f, a[0], a[1], false);
  return aval_of(T_NIL);
}

static AVal t_set_tail(Flow *f, const Core *e, AVal *a) {
  (void)e;
  store_part(f, a[0], aval_keep(a[1], T_NIL | T_PAIR), true);
  return aval_of(T_NIL);
}

/* A list of these elements made at e, which may be empty. */
static AVal fresh_list(Flow *f, const Core *e, AVal elements) {
  Site *s = flow_site(f, e, e);
  AVal v = flow_site_value(f, s, T_PAIR | T_NIL);
  if (elements.types) flow_put(f, s, &s->head, elements);
  flow_put(f, s, &s->tail, v);
  return v;
}

static AVal t_bytes(Flow *f, const Core *e, AVal *a) { return fresh_list(f, e, t_byte(f, e, a)); }

static AVal t_items(Flow *f, const Core *e, AVal *a) {
  AVal v = aval_keep(a[0], T_NIL | T_PAIR);
  if (a[0].types & T_LISTOBJ) v = flow_join(f, v, aval_of(T_PAIR));
  if (a[0].types & T_VECTOR) v = flow_join(f, v, fresh_list(f, e, flow_contents(f, a[0])));
  return a[0].types & ~(uint32_t)(T_LIST | T_VECTOR) ? with_error(v) : v;
}

static AVal t_same_elements(Flow *f, const Core *e, AVal *a) { /* reverse, uniq, sort */
  AVal v = fresh_list(f, e, flow_elements(f, a[0]));
  return a[0].types & ~(uint32_t)T_LIST ? with_error(v) : v;
}

static AVal t_join(Flow *f, const Core *e, AVal *a) {
  AVal all = aval_none();
  bool fails = false;
  for (size_t i = 0; i < e->count; i++) {
    all = flow_join(f, all, flow_elements(f, a[i]));
    if (i > 0) all = flow_join(f, all, aval_keep(a[i], T_ANY & ~(uint32_t)T_LIST));
    if (a[i].types & ~(uint32_t)T_LIST) fails = true;
  }
  AVal v = fresh_list(f, e, all);
  if (e->count > 0 && a[0].types & T_LISTOBJ) v = flow_join(f, v, aval_of(T_LISTOBJ));
  return fails ? with_error(v) : v;
}

static AVal t_range(Flow *f, const Core *e, AVal *a) {
  bool is_known = is_fix(a[0]) && is_fix(a[1]);
  AVal v = is_known ? aval_range(a[0].lo, a[1].hi - 1 < a[0].lo ? a[0].lo : a[1].hi - 1) : aval_of(T_INT);
  AVal r = fresh_list(f, e, v);
  return (a[0].types | a[1].types) & ~(uint32_t)T_FIX ? with_error(r) : r;
}

/* Walks over ranges (ranges.c): an integer, or where fixnums do not do, a list. */
static AVal t_range_start(Flow *f, const Core *e, AVal *a) {
  AVal v = aval_none();
  uint32_t all = a[0].types | a[1].types;
  if (a[0].types & a[1].types & T_FIX) v = aval_keep(a[0], T_FIX);
  if (all & T_BIG) v = flow_join(f, v, fresh_list(f, e, aval_of(T_INT)));
  return all & ~(uint32_t)T_FIX ? with_error(v) : v;
}

static AVal t_range_items(Flow *f, const Core *e, AVal *a) {
  (void)f, (void)e;
  return aval_keep(a[0], T_FIX | T_NIL | T_PAIR);
}

static AVal t_range_end(Flow *f, const Core *e, AVal *a) {
  (void)e;
  AVal v = aval_keep(a[0], T_FIX);
  return a[0].types & ~(uint32_t)T_FIX ? flow_join(f, v, aval_range(0, 0)) : v;
}

static AVal t_range_head(Flow *f, const Core *e, AVal *a) {
  AVal v = aval_keep(a[0], T_FIX), list = aval_keep(a[0], T_NIL | T_PAIR);
  v.below = a[0].below;
  return list.types ? flow_join(f, v, t_head(f, e, &list)) : v;
}

/* A step follows a test: the walk was not at its end. */
static AVal t_range_next(Flow *f, const Core *e, AVal *a) {
  AVal v = aval_keep(a[0], T_FIX), list = aval_keep(a[0], T_NIL | T_PAIR);
  if (v.types) v = aval_range(v.lo < FIX_MAX ? v.lo + 1 : FIX_MAX, v.hi < FIX_MAX ? v.hi + 1 : FIX_MAX);
  return list.types ? flow_join(f, v, t_tail(f, e, &list)) : v;
}

static AVal t_element(Flow *f, const Core *e, AVal *a) { /* nth, in either order of its arguments, and last */
  AVal v = aval_of(T_ERROR);
  for (size_t i = 0; i < e->count; i++) v = flow_join(f, v, flow_elements(f, a[i]));
  return v;
}

/* Element k of a list: fails as head and tail do. */
static AVal element_at(Flow *f, const Core *e, AVal list, int k) {
  bool may_fail = list.types & ~(uint32_t)T_PAIR;
  for (; k > 0 && list.types & T_PAIR; k--) {
    list = aval_keep(list, T_PAIR);
    list = t_tail(f, e, &list);
    may_fail |= list.types != T_PAIR;
  }
  AVal v = list.types & (T_PAIR | T_LISTOBJ) ? heads(f, list) : aval_none();
  return may_fail ? with_error(v) : v;
}
static AVal t_fst(Flow *f, const Core *e, AVal *a) { return element_at(f, e, a[0], 0); }
static AVal t_snd(Flow *f, const Core *e, AVal *a) {
  return a[0].types & T_LISTOBJ ? aval_of(T_ANY) : element_at(f, e, a[0], 1);
}
static AVal t_trd(Flow *f, const Core *e, AVal *a) {
  return a[0].types & T_LISTOBJ ? aval_of(T_ANY) : element_at(f, e, a[0], 2);
}

static AVal t_sorted_by_head(Flow *f, const Core *e, AVal *a) {
  AVal pair = flow_elements(f, a[0]), v = fresh_list(f, e, element_at(f, e, pair, 1));
  return a[0].types & ~(uint32_t)T_LIST ? with_error(v) : v;
}

/* ---- vectors and maps ---------------------------------------------------------------------- */

/* A vector made at e, with this content and so many elements at first. */
static AVal fresh_vector(Flow *f, const Core *e, AVal content, AVal length) {
  Site *s = flow_site(f, e, e);
  if (content.types) flow_put(f, s, &s->head, content);
  flow_add(f, &s->length, length);
  return flow_site_value(f, s, T_VECTOR);
}

static AVal t_vec(Flow *f, const Core *e, AVal *a) {
  AVal content = aval_none();
  for (size_t i = 0; i < e->count; i++) content = flow_join(f, content, a[i]);
  return fresh_vector(f, e, content, aval_range((int64_t)e->count, (int64_t)e->count));
}

static bool is_sure_length(AVal n) { return is_fix(n) && n.lo >= 0 && n.hi <= VK_SURE_LENGTH; }

static AVal t_vec_make(Flow *f, const Core *e, AVal *a) {
  AVal n = is_sure_length(a[0]) ? a[0] : aval_range(0, LENGTH_MAX);
  AVal v = fresh_vector(f, e, e->count > 1 ? a[1] : aval_of(T_NIL), n);
  return is_sure_length(a[0]) ? v : with_error(v);
}

/* How many elements the vectors in v have. */
static AVal lengths(Flow *f, AVal v) {
  if (v.sites == &set_any) return aval_range(0, LENGTH_MAX);
  AVal r = aval_none();
  for (unsigned i = 0; v.sites && i < v.sites->count; i++)
    r = flow_join(f, r, flow_read(f, &((Site *)v.sites->items[i])->length));
  return r;
}

static AVal t_count(Flow *f, const Core *e, AVal *a) { /* negative numbers are none */
  (void)f, (void)e;
  AVal v = aval_keep(a[0], T_FIX);
  if (v.types) v = aval_range(v.lo < 0 ? 0 : v.lo, v.hi < 0 ? 0 : v.hi);
  return a[0].types == T_FIX ? v : with_error(v);
}

static AVal t_vec_len(Flow *f, const Core *e, AVal *a) {
  return a[0].types == T_VECTOR ? lengths(f, a[0]) : t_length(f, e, a);
}

static bool may_be_frozen(Flow *f, AVal v) {
  if (v.sites == &set_any) return true;
  for (unsigned i = 0; v.sites && i < v.sites->count; i++)
    if (flow_read(f, &((Site *)v.sites->items[i])->frozen).types) return true;
  return false;
}

static bool may_shrink(Flow *f, AVal v) {
  if (v.sites == &set_any) return true;
  for (unsigned i = 0; v.sites && i < v.sites->count; i++)
    if (flow_read(f, &((Site *)v.sites->items[i])->shrunk).types) return true;
  return false;
}

static bool is_in_range(Flow *f, const Core *e, const AVal *a) {
  if (a[0].types != T_VECTOR || !is_fix(a[1]) || a[1].lo < 0) return false;
  if (a[1].hi < lengths(f, a[0]).lo) return true;
  return flow_is_below_length(f, a[1], e->items[0]) && !may_shrink(f, a[0]);
}

static AVal t_vec_get(Flow *f, const Core *e, AVal *a) {
  AVal content = flow_contents(f, a[0]);
  return is_in_range(f, e, a) ? content : with_error(content);
}

static AVal t_vec_set(Flow *f, const Core *e, AVal *a) {
  store_part(f, a[0], a[2], false);
  AVal nil = aval_of(T_NIL);
  return is_in_range(f, e, a) && !may_be_frozen(f, a[0]) ? nil : with_error(nil);
}

static void forget_length(Flow *f, AVal v, bool is_shorter) {
  for (unsigned i = 0; v.sites && v.sites != &set_any && i < v.sites->count; i++) {
    Site *s = (Site *)v.sites->items[i];
    flow_add(f, &s->length, aval_range(0, LENGTH_MAX));
    flow_add(f, is_shorter ? &s->shrunk : &s->grown, aval_range(1, 1));
  }
}

static AVal t_vec_push(Flow *f, const Core *e, AVal *a) {
  (void)e;
  store_part(f, a[0], a[1], false);
  forget_length(f, a[0], false);
  AVal nil = aval_of(T_NIL);
  return may_be_frozen(f, a[0]) ? with_error(nil) : nil;
}

static AVal t_vec_pop(Flow *f, const Core *e, AVal *a) {
  (void)e;
  forget_length(f, a[0], true);
  return with_error(flow_contents(f, a[0]));
}

static AVal t_vec_list(Flow *f, const Core *e, AVal *a) {
  AVal v = fresh_list(f, e, flow_contents(f, a[0]));
  return a[0].types & ~(uint32_t)T_VECTOR ? with_error(v) : v;
}

/* (vec/slice v 0) is how one copies. */
static AVal t_vec_slice(Flow *f, const Core *e, AVal *a) {
  if (!(a[0].types & T_VECTOR)) return with_error(aval_none());
  AVal n = lengths(f, a[0]);
  if (e->count > 2 || !is_fix(a[1]) || a[1].lo || a[1].hi) n = aval_range(0, n.hi);
  return fresh_vector(f, e, flow_contents(f, a[0]), n);
}

static AVal t_list_vec(Flow *f, const Core *e, AVal *a) {
  return fresh_vector(f, e, flow_elements(f, a[0]), aval_range(0, LENGTH_MAX));
}

static AVal t_freeze(Flow *f, const Core *e, AVal *a) {
  (void)e;
  flow_freeze(f, a[0]);
  return with_error(a[0]);
}

/* Maps as records: what is stored under a keyword of the text is kept apart (head has all values). */
enum { FIELDS_MAX = 64 };

static const char *field_key(const Core *key) {
  return key->kind == CORE_CONST && key->datum->kind == DATUM_KEYWORD ? key->datum->text : NULL;
}

static SiteField *field_of(Flow *f, Site *s, const Core *key) {
  const char *name = field_key(key);
  size_t count = 0;
  if (!name) return NULL;
  for (SiteField *field = s->fields; field; field = field->next, count++)
    if (field->key == name) return field;
  if (count >= FIELDS_MAX) return NULL;
  SiteField *field = ARENA_NEW(f->p->arena, SiteField);
  field->key = name;
  field->value.value = aval_none();
  field->next = s->fields;
  return s->fields = field;
}

static SiteField *put_field(Flow *f, Site *s, const Core *key, AVal v) {
  SiteField *field = field_of(f, s, key);
  flow_put(f, s, &s->head, v);
  flow_add(f, field ? &field->value : &s->loose, v);
  return field;
}

static AVal t_map(Flow *f, const Core *e, AVal *a) {
  Site *s = flow_site(f, e, e);
  for (size_t i = 0; i + 1 < e->count; i += 2) {
    flow_put(f, s, &s->tail, a[i]);
    flow_freeze(f, a[i]);
    SiteField *field = put_field(f, s, e->items[i], a[i + 1]);
    if (field) field->is_initial = true;
  }
  AVal v = flow_site_value(f, s, T_MAP);
  return e->count ? with_error(v) : v;
}

static AVal t_map_put(Flow *f, const Core *e, AVal *a) {
  flow_freeze(f, a[1]);
  store_part(f, a[0], a[1], true);
  if (a[0].sites == &set_any) flow_escape(f, a[2]);
  else
    for (unsigned i = 0; a[0].sites && i < a[0].sites->count; i++)
      put_field(f, (Site *)a[0].sites->items[i], e->items[1], a[2]);
  return with_error(aval_of(T_NIL));
}

static AVal t_map_del(Flow *f, const Core *e, AVal *a) {
  (void)e;
  for (unsigned i = 0; a[0].sites && a[0].sites != &set_any && i < a[0].sites->count; i++)
    flow_add(f, &((Site *)a[0].sites->items[i])->shrunk, aval_range(1, 1));
  return aval_of(T_NIL);
}

/* What the maps of v have under the keyword; *may_lack: some may have nothing. */
static AVal field_value(Flow *f, AVal v, const Core *key, bool *may_lack) {
  AVal r = aval_none();
  *may_lack = false;
  for (unsigned i = 0; v.sites && i < v.sites->count; i++) {
    Site *s = (Site *)v.sites->items[i];
    SiteField *field = field_of(f, s, key);
    r = flow_join(f, r, flow_read(f, field ? &field->value : &s->head));
    if (field) r = flow_join(f, r, flow_read(f, &s->loose));
    bool is_sure = field && field->is_initial && !flow_read(f, &s->shrunk).types && !s->escaped;
    *may_lack |= !is_sure;
  }
  return r;
}

static AVal t_map_get(Flow *f, const Core *e, AVal *a) {
  bool may_lack = true, is_field = a[0].types & T_MAP && a[0].sites != &set_any && field_key(e->items[1]);
  AVal v = is_field ? field_value(f, a[0], e->items[1], &may_lack) : flow_contents(f, a[0]);
  if (may_lack) v = flow_join(f, v, e->count > 2 ? a[2] : aval_of(T_NIL));
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

/* ---- what vectors are kept as -------------------------------------------------------------- */

/* The runtime's rule (rt/vectors.h) applied to all elements that the vectors made at a place ever
 * have. Where that leaves it open, VECTOR_OF_VALUES makes it so: represent.c has such vectors made
 * with values, so that nothing need be tested or converted. Only if code we do not see puts in
 * what it wants, the runtime decides; and of floats among which there may be an error, which seldom
 * comes. Constants always have values. */
static VectorKind site_kind(Flow *f, Site *s) {
  AVal v = flow_read(f, &s->head);
  if (!s->at) return VECTOR_OF_VALUES;
  bool may_be_byte = v.types & T_FIX && v.lo <= INT8_MAX && v.hi >= INT8_MIN;
  if (v.types == T_FIX && v.lo >= INT8_MIN && v.hi <= INT8_MAX) return VECTOR_OF_BYTES;
  if (v.types == T_FLOAT) return VECTOR_OF_FLOATS;
  if (v.types == (T_FLOAT | T_ERROR)) return VECTOR_OF_ANY_FLOATS;
  return s->escaped && (may_be_byte || v.types & T_FLOAT) ? VECTOR_OF_ANY : VECTOR_OF_VALUES;
}

VectorKind flow_vector_kind(Flow *f, AVal v) {
  if (!v.sites || v.sites == &set_any) return VECTOR_OF_ANY;
  VectorKind kind = site_kind(f, (Site *)v.sites->items[0]);
  for (unsigned i = 1; i < v.sites->count; i++) {
    VectorKind other = site_kind(f, (Site *)v.sites->items[i]);
    bool are_floats = (other == VECTOR_OF_FLOATS || other == VECTOR_OF_ANY_FLOATS) &&
                      (kind == VECTOR_OF_FLOATS || kind == VECTOR_OF_ANY_FLOATS);
    if (other != kind) kind = are_floats ? VECTOR_OF_ANY_FLOATS : VECTOR_OF_ANY;
  }
  return kind;
}

uint32_t flow_content_types(Flow *f, AVal v) {
  if (v.sites == &set_any) return T_ANY;
  uint32_t types = 0;
  for (unsigned i = 0; v.sites && i < v.sites->count; i++)
    types |= flow_read(f, &((Site *)v.sites->items[i])->head).types;
  return types;
}

/* Of the vector made, or else of the first argument. */
static void note_vector(Flow *f, Core *e, const AVal *args) {
  bool is_vector = e->count > 0 && args[0].types & T_VECTOR && !(args[0].types & (T_PAIR | T_LISTOBJ | T_MAP));
  Site *made = ptrmap_get(&f->sites, e);
  e->content_types = is_vector ? flow_content_types(f, args[0]) : 0;
  e->vector_kind = is_vector ? flow_vector_kind(f, args[0]) : VECTOR_OF_ANY;
  if (made && made->length.value.types) e->vector_kind = site_kind(f, made);
}

/* ---- a known primitive applied to a list --------------------------------------------------- */

bool flow_takes_all(const Prim *prim) {
  return prim->min <= 1 && prim->max == PRIM_ANY && !(prim->flags & (PRIM_STORES | PRIM_CALLS));
}

const Prim *flow_applied_prim(const Core *e) {
  const Core *fn = e->kind == CORE_PRIM && !strcmp(e->prim->name, "%apply") ? e->items[0] : NULL;
  bool is_prim = fn && fn->kind == CORE_GLOBAL && fn->global->kind == GLOBAL_PRIM;
  return is_prim && flow_takes_all(fn->global->prim) ? fn->global->prim : NULL;
}

/* Where the result can hold none of the arguments, these stay where they are seen. */
static AVal t_apply(Flow *f, const Core *e, AVal *a) {
  const Prim *prim = flow_applied_prim(e);
  const Signature *sig = prim ? signature_of(prim) : NULL;
  const uint32_t holders = T_LIST | T_VECTOR | T_MAP | T_FUN | T_OTHER;
  if (!sig || sig->gives_any || sig->result & holders) return by_signature(f, e, a);
  AVal itself = prim->min ? aval_of(T_FUN) : aval_none();
  return with_error(flow_join(f, aval_of(sig->result), itself));
}

/* ---- the table --------------------------------------------------------------------------- */

static const struct {
  const char *name;
  Transfer *transfer;
  bool is_total; /* with arguments of the signature's types it never fails of itself */
} transfers[] = {
    {"%add", t_add, true}, {"%neg", t_neg, true}, {"%sub", t_sub, true}, {"%mul", t_mul, true}, {"%div", t_div, true},
    {"%", t_rem, true}, {"%rem", t_rem, true}, {"mod", t_mod, true},
    {"%max", t_max, true}, {"%min", t_min, true}, {"%lt", t_lt, true}, {"%gt", t_gt, true}, {"%le", t_le, true}, {"%ge", t_ge, true},
    {"==", t_equal, true}, {"!=", t_differ, true}, {"not", t_not, true},
    {"nil?", t_predicate, true}, {"int?", t_predicate, true}, {"float?", t_predicate, true},
    {"number?", t_predicate, true}, {"string?", t_predicate, true}, {"symbol?", t_predicate, true},
    {"keyword?", t_predicate, true}, {"function?", t_predicate, true}, {"list?", t_predicate, true},
    {"vec?", t_predicate, true}, {"map?", t_predicate, true}, {"error?", t_predicate, true},
    {"bit/and", t_and, true}, {"%bit-and", t_and, true}, {"%bit-or", t_or, true}, {"%bit-xor", t_or, true}, {"abs", t_abs, true}, {"len", t_vec_len, true}, {"vec/len", t_vec_len, true},
    {"map/len", t_length, true}, {"float", t_float, true}, {"sqrt", t_float, true},
    {"exp", t_float, true}, {"log", t_float, true}, {"sin", t_float, true}, {"cos", t_float, true},
    {"tan", t_float, true}, {"asin", t_float, true}, {"acos", t_float, true}, {"atan", t_float, true},
    {"cons", t_cons, true}, {"%pair", t_cons, true}, {"%cell", t_cell, true}, {"%qq-cons", t_qq_cons, true}, {"%qq-append", t_qq_append, true}, {"list", t_list, true},
    {"head", t_head, true}, {"tail", t_tail, true}, {"%set-tail!", t_set_tail, true},
    {"%set-head!", t_set_head, true}, {"%items", t_items, true}, {"reverse", t_same_elements, true},
    {"%sort-values", t_same_elements, false}, {"%sort-by-head", t_sorted_by_head, false},
    {"uniq", t_same_elements, true}, {"join", t_join, true}, {"append", t_join, true},
    {"range", t_range, true}, {"nth", t_element, true}, {"last", t_element, true}, {"fst", t_fst, true},
    {"snd", t_snd, true}, {"trd", t_trd, true}, {"take", NULL, true}, {"drop", NULL, true},
    {"str/split", t_strings, false}, {"str/byte", t_byte, false}, {"str/bytes", t_bytes, true}, {"str/chars", t_strings, false},
    {"vec", t_vec, true}, {"vec/make", t_vec_make, true}, {"vec/get", t_vec_get, true},
    {"vec/set!", t_vec_set, true}, {"vec/push!", t_vec_push, true}, {"vec/pop!", t_vec_pop, true},
    {"vec/->list", t_vec_list, true}, {"vec/slice", t_vec_slice, true}, {"%list->vec", t_list_vec, true},
    {"%unpack-vec", t_list_vec, true}, {"%count", t_count, true},
    {"%range-start", t_range_start, true}, {"%range-items", t_range_items, true}, {"%range-end", t_range_end, true},
    {"%range-more", t_bool, true}, {"%range-head", t_range_head, true}, {"%range-next", t_range_next, true},
    {"%apply", t_apply, false}, {"freeze", t_freeze, true}, {"map/new", t_map, true}, {"map/of", t_map, true}, {"map/put!", t_map_put, true}, {"map/del!", t_map_del, false},
    {"%map/get2", t_map_get, true}, {"%map/get3", t_map_get, true}, {"map/keys", t_map_keys, true}, {"map/vals", t_map_vals, true},
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
  if (f->is_recording) note_vector(f, e, args);
  return v;
}
