/* datum_value.c - data to values and back, both with explicit stacks: data nest deeper than a
 * fiber's stack is.
 *
 * Data become values bottom-up: `frames` (arena) says where we are, `values`, a vector the
 * collector sees, holds the finished children of all open frames. Values become data top-down:
 * the datum of a whole is made first, a frame fills in its items. */
#include "datum_value.h"
#include "lists.h"
#include "maps.h"
#include "numbers.h"
#include "print.h"
#include "strings.h"
#include "vectors.h"

static bool is_branch(const Datum *d) {
  return d->kind == DATUM_LIST || d->kind == DATUM_VECTOR || d->kind == DATUM_MAP;
}

/* ---- data to values ------------------------------------------------------------------------- */

typedef struct Frame {
  const Datum *datum; /* LIST, VECTOR or MAP */
  size_t next;        /* children before this one are done */
} Frame;
typedef VEC(Frame) Frames;

static V leaf_value(vk *c, const Datum *d) {
  switch (d->kind) {
  case DATUM_INT: return vk_int_from_i64(c, d->integer);
  case DATUM_BIG: return vk_big_from_decimal(c, d->text, d->len);
  case DATUM_FLOAT: return vk_from_double(c, d->real);
  case DATUM_STRING: return vk_string(c, d->text, d->len);
  case DATUM_VALUE: return d->word;
  default: return vk_intern(c, d->text, d->len); /* SYMBOL, KEYWORD */
  }
}

static V map_value(vk *c, size_t n, const V *items) {
  V map = vk_map_make(c, n / 2);
  for (size_t i = 0; i + 1 < n; i += 2) vk_map_put(c, map, items[i], items[i + 1]);
  return map;
}

static const void *address_of(V v) {
  return VK_IS_PAIR(v) ? (void *)VK_PAIR(v) : (void *)VK_OBJ(v);
}

static void link_leaf(DatumLinks *links, const Datum *d, V v) {
  if (links && VK_IS_OBJ(v) && !ptrmap_get(&links->datums, address_of(v)))
    ptrmap_put(&links->datums, address_of(v), (void *)d);
}

static V branch_value(vk *c, const Datum *d, const V *items) {
  if (d->kind == DATUM_VECTOR) return vk_vec_from(c, d->count, items);
  if (d->kind == DATUM_MAP) return map_value(c, d->count, items);
  V list = vk_list_from(c, d->count, items);
  return d->is_quoted ? list : vk_sexpr(c, list);
}

/* Replaces the last n values by the value of d, whose children they are. */
static void close_frame(vk *c, V values, const Datum *d, DatumLinks *links) {
  VkVector *v = VK_VEC(values);
  size_t first = v->len - d->count;
  V *items = d->count ? &VK_STOREP(v->store)->items[first] : NULL;
  V made = branch_value(c, d, items);
  if (links && made != VK_NIL) ptrmap_put(&links->datums, address_of(made), (void *)d);
  for (size_t i = 0; i < d->count; i++) vk_write(c, v->store, &items[i], VK_NIL);
  v->len = first;
  vk_vec_append(c, values, made);
}

static V branch_datum_value(vk *c, Arena *arena, const Datum *root, DatumLinks *links) {
  Frames frames = {0};
  V values = vk_vec_new(c, 16);
  PUSH(arena, frames, ((Frame){root, 0}));
  while (frames.count) {
    Frame *f = &frames.items[frames.count - 1];
    if (f->next == f->datum->count) {
      close_frame(c, values, f->datum, links);
      frames.count--;
      continue;
    }
    const Datum *child = f->datum->items[f->next++];
    if (is_branch(child)) {
      PUSH(arena, frames, ((Frame){child, 0}));
      continue;
    }
    V v = leaf_value(c, child);
    if (VK_IS_ABN(v)) return v; /* too long a symbol */
    link_leaf(links, child, v);
    vk_vec_append(c, values, v);
  }
  V result = VK_STOREP(VK_VEC(values)->store)->items[0];
  vk_freeze(result);
  return result;
}

V vk_datum_value(vk *c, const Datum *d, DatumLinks *links) {
  if (!is_branch(d)) {
    V v = leaf_value(c, d);
    link_leaf(links, d, v);
    return v;
  }
  if (d->kind == DATUM_LIST && d->count == 0) return VK_NIL;
  Arena arena = {.first_bytes = 1024};
  V v = branch_datum_value(c, &arena, d, links);
  arena_free(&arena);
  return v;
}

/* ---- values to data ------------------------------------------------------------------------- */

enum { DEPTH_MAX = READ_DEPTH_MAX };

typedef struct Open { /* a datum whose items are being made */
  Datum *datum;
  size_t next;
  V list;  /* LIST: what is left; its whole list is reached from the root */
  V whole; /* VECTOR, MAP */
  size_t at;
} Open;
typedef struct Walk {
  const DatumMaker *m;
  Arena tmp;
  VEC(Open) open;
} Walk;

static Datum *text_datum(const DatumMaker *m, DatumKind kind, const char *bytes, size_t len) {
  Datum *d = datum_new(m->arena, kind, m->span);
  bool is_name = kind == DATUM_SYMBOL || kind == DATUM_KEYWORD;
  d->text = is_name ? name_of(m->names, bytes, len) : arena_copy(m->arena, bytes, len);
  d->len = len;
  return d;
}

static Datum *big_datum(const DatumMaker *m, V v) {
  VkBuf b = {0};
  vk_show(&b, v, false);
  Datum *d = text_datum(m, DATUM_BIG, b.data, b.len);
  vk_buf_free(&b);
  return d;
}

static Datum *value_datum(const DatumMaker *m, V v) {
  Datum *d = datum_new(m->arena, DATUM_VALUE, m->span);
  d->word = v;
  return d;
}

static Datum *leaf_datum(const DatumMaker *m, V v) {
  if (VK_IS_FIX(v)) {
    Datum *d = datum_new(m->arena, DATUM_INT, m->span);
    d->integer = VK_INT(v);
    return d;
  }
  if (VK_IS_FLOAT(v)) {
    Datum *d = datum_new(m->arena, DATUM_FLOAT, m->span);
    d->real = vk_double(v);
    return d;
  }
  switch (VK_KIND(v)) {
  case VK_STRING: return text_datum(m, DATUM_STRING, VK_STR(v)->bytes, VK_STR(v)->len);
  case VK_BIGINT: return big_datum(m, v);
  case VK_SYMBOL: {
    bool is_keyword = *VK_OBJ(v) & VK_KEYWORD;
    return text_datum(m, is_keyword ? DATUM_KEYWORD : DATUM_SYMBOL, VK_SYMB(v)->bytes,
                      VK_SYMB(v)->len);
  }
  default: return value_datum(m, v);
  }
}

/* What v is made of: the list of a list, of any flavour; itself for a vector or map that is data;
 * VK_UNBOUND for a leaf. */
static V parts_of(const DatumMaker *m, V v, DatumKind *kind, size_t *count) {
  V list = vk_list_of(v);
  if (list != VK_UNBOUND) {
    *kind = DATUM_LIST;
    *count = vk_list_length(list);
    return list;
  }
  if (!VK_IS_OBJ(v) || !(m->all_data || VK_IS_FROZEN(v))) return VK_UNBOUND;
  *kind = VK_IS_VECTOR(v) ? DATUM_VECTOR : DATUM_MAP;
  *count = VK_IS_VECTOR(v) ? vk_vec_count(v) : VK_IS_MAP(v) ? 2 * VK_MAPP(v)->len : 0;
  return VK_IS_VECTOR(v) || VK_IS_MAP(v) ? v : VK_UNBOUND;
}

/* The datum of v, its items to be filled in by the frame this opens; NULL if it nests too deep. */
static Datum *start(Walk *w, V v) {
  const DatumMaker *m = w->m;
  bool has_address = VK_IS_PAIR(v) || VK_IS_OBJ(v);
  const Datum *known =
      m->links && has_address ? ptrmap_get(&m->links->datums, address_of(v)) : NULL;
  if (known) return (Datum *)known;
  DatumKind kind;
  size_t count;
  V parts = parts_of(m, v, &kind, &count);
  if (parts == VK_UNBOUND) return leaf_datum(m, v);
  if (w->open.count >= DEPTH_MAX) return NULL;
  Datum *d = datum_new(m->arena, kind, m->span);
  d->is_quoted = kind == DATUM_LIST && !VK_IS_KIND(v, VK_SEXPR);
  d->count = count;
  d->items = ARENA_ARRAY(m->arena, Datum *, count);
  if (m->blocks && VK_IS_KIND(v, VK_BLOCK)) ptrmap_put(m->blocks, d, (void *)v);
  PUSH(&w->tmp, w->open, ((Open){.datum = d, .list = parts, .whole = parts}));
  return d;
}

/* room: where a float that is no value of its own may be. */
static V next_part(Open *o, VkFloat *room) {
  if (o->datum->kind == DATUM_LIST) {
    V v = VK_HEAD(o->list);
    o->list = VK_TAIL(o->list);
    return v;
  }
  if (o->datum->kind == DATUM_VECTOR) return vk_vec_peek(o->whole, o->next, room);
  V key = VK_NIL, value = VK_NIL;
  size_t at = o->at;
  vk_map_next(o->whole, &at, &key, &value);
  bool is_value = o->next % 2; /* of the key that was the part before */
  if (is_value) o->at = at;
  return is_value ? value : key;
}

/* Nothing here allocates from the heap, and the root holds every part. */
Datum *vk_value_datum(const DatumMaker *m, V v) {
  Walk w = {.m = m, .tmp.first_bytes = 1024};
  Datum *root = start(&w, v);
  while (root && w.open.count) {
    Open *o = &w.open.items[w.open.count - 1];
    if (o->next == o->datum->count) {
      w.open.count--;
      continue;
    }
    Datum **slot = &o->datum->items[o->next];
    VkFloat room;
    V part = next_part(o, &room);
    o->next++;
    *slot = start(&w, part);
    if (!*slot) root = NULL;
  }
  arena_free(&w.tmp);
  return root;
}
