/* lower_const.c - constants: one object for all equal ones, found by a key of bytes.
 *
 * The key of an atom is its kind and its bytes; that of a whole its kind and the addresses of
 * its parts, which are unique already. A program's quoted data is thus shared as far as it
 * repeats, at a cost linear in its size.
 *
 * A constant is static unless it is or contains a map whose keys are not plainly distinct:
 * whether 1 and 1.0 are one key is the runtime's business. Large maps want an index besides. */
#include "../lang/expand.h"
#include "lower_parts.h"
#include <string.h>

/* As VK_FIX_MAX: what a fixnum holds. As VK_MAP_LINEAR: maps searched without an index. */
#define FIX_MAX (((int64_t)1 << 60) - 1)
enum { MAP_STATIC_MAX = 8 };

static LowConst *find_or_add(Lower *l, LowConst value, const void *key, size_t key_bytes) {
  char small[64], *bytes = key_bytes < sizeof small ? small : arena_alloc(l->arena, key_bytes + 1);
  bytes[0] = (char)value.kind;
  if (key_bytes) memcpy(bytes + 1, key, key_bytes);
  const char *name = name_of(&l->const_keys, bytes, key_bytes + 1);
  LowConst *k = ptrmap_get(&l->const_by_key, name);
  if (k) return k;
  k = ARENA_NEW(l->arena, LowConst);
  *k = value;
  k->id = (unsigned)l->low->consts.count;
  if (k->is_dynamic) k->slot = lower_new_slot(l, NULL, NULL);
  PUSH(l->arena, l->low->consts, k);
  ptrmap_put(&l->const_by_key, name, k);
  return k;
}

static LowConst *text_const(Lower *l, LowConstKind kind, const char *text, size_t len) {
  return find_or_add(l, (LowConst){.kind = kind, .text = text, .len = len}, text, len);
}

static LowConst *int_const(Lower *l, int64_t n) {
  if (n > FIX_MAX || n < -FIX_MAX - 1) {
    char *text = arena_printf(l->arena, "%lld", (long long)n);
    return text_const(l, LOW_BIG, text, strlen(text));
  }
  return find_or_add(l, (LowConst){.kind = LOW_INT, .integer = n}, &n, sizeof n);
}

static bool is_plain_key(const LowConst *k) {
  return k->kind == LOW_SYMBOL || k->kind == LOW_STRING || k->kind == LOW_INT;
}

/* Keys that are plain and pairwise different: being shared, equal constants are one object. */
static bool is_static_map(LowConst **items, size_t count) {
  if (count / 2 > MAP_STATIC_MAX) return false;
  for (size_t i = 0; i < count; i += 2) {
    if (!is_plain_key(items[i])) return false;
    for (size_t j = 0; j < i; j += 2)
      if (items[i] == items[j]) return false;
  }
  return true;
}

static LowConst *whole_const(Lower *l, LowConstKind kind, const Datum *d) {
  LowConst **items = ARENA_ARRAY(l->arena, LowConst *, d->count);
  bool is_dynamic = false;
  for (size_t i = 0; i < d->count; i++) {
    items[i] = lower_const(l, d->items[i]);
    is_dynamic |= items[i]->is_dynamic;
  }
  if (kind == LOW_MAP && !is_static_map(items, d->count)) is_dynamic = true;
  LowConst value = {.kind = kind, .is_dynamic = is_dynamic, .items = items, .count = d->count};
  return find_or_add(l, value, items, d->count * sizeof *items);
}

LowConst *lower_const(Lower *l, const Datum *d) {
  switch (d->kind) {
  case DATUM_INT: return int_const(l, d->integer);
  case DATUM_BIG: return text_const(l, LOW_BIG, d->text, d->len);
  case DATUM_FLOAT:
    return find_or_add(l, (LowConst){.kind = LOW_FLOAT, .real = d->real}, &d->real, sizeof d->real);
  case DATUM_STRING: return text_const(l, LOW_STRING, d->text, d->len);
  case DATUM_SYMBOL:
  case DATUM_KEYWORD: return text_const(l, LOW_SYMBOL, d->text, d->len);
  case DATUM_LIST:
    if (d->count == 0) return lower_nil(l);
    return whole_const(l, d->is_quoted ? LOW_LIST : LOW_SEXPR, d);
  case DATUM_VECTOR: return whole_const(l, LOW_VECTOR, d);
  case DATUM_MAP: return whole_const(l, LOW_MAP, d);
  case DATUM_VALUE: break; /* only in the evaluator */
  }
  diag_bug(l->p->diag, d->span, "lower", "datum of kind %d", (int)d->kind);
}

LowConst *lower_nil(Lower *l) { return find_or_add(l, (LowConst){.kind = LOW_NIL}, NULL, 0); }

LowConst *lower_fn_const(Lower *l, LowFn *f) {
  f->is_value = true;
  lower_need(l, f);
  return find_or_add(l, (LowConst){.kind = LOW_FUNCTION, .fn = f}, &f, sizeof f);
}

LowConst *lower_prim_const(Lower *l, const Prim *prim) {
  return find_or_add(l, (LowConst){.kind = LOW_BUILTIN, .prim = prim}, &prim, sizeof prim);
}

LowConst *lower_literal_const(Lower *l, LowConst *data, LowConst *code) {
  LowConst **items = ARENA_ARRAY(l->arena, LowConst *, 2);
  items[0] = data;
  items[1] = code;
  LowConst value = {.kind = LOW_LITERAL, .items = items, .count = 2};
  return find_or_add(l, value, items, 2 * sizeof *items);
}

int lower_new_slot(Lower *l, Global *g, LowConst *init) {
  PUSH(l->arena, l->low->slots, g);
  PUSH(l->arena, l->low->slot_inits, init);
  return (int)l->low->slots.count - 1;
}

/* A redefined library name starts with the library's value. */
static LowConst *first_value(Lower *l, const Global *g) {
  const Global *lib = g->library;
  const Prim *prim = g->prim ? g->prim : lib && lib->kind == GLOBAL_PRIM ? lib->prim : NULL;
  if (prim) return lower_prim_const(l, prim);
  if (!lib || lib->kind != GLOBAL_FUNCTION) return NULL;
  return lower_fn_const(l, lower_fn_of(l, lib->lambda, NULL));
}

LowConst *lower_slot_init(Lower *l, Global *g) {
  bool has_slot = g->slot >= 0 && (size_t)g->slot < l->low->slots.count &&
                  l->low->slots.items[g->slot] == g;
  if (!has_slot) g->slot = lower_new_slot(l, g, first_value(l, g));
  return l->low->slot_inits.items[g->slot];
}

/* Functions have their slot for the evaluator only; primitives that are values of the program get
 * one, so that it means the same object by their name. */
void lower_open_globals(Lower *l) {
  for (size_t i = 0; i < l->p->globals.count; i++) {
    Global *g = l->p->globals.items[i];
    if (!g->is_open) continue;
    if (g->kind == GLOBAL_VARIABLE) lower_slot_init(l, g);
    if (g->kind == GLOBAL_FUNCTION && g->lambda)
      lower_new_slot(l, g, lower_fn_const(l, lower_fn_of(l, g->lambda, NULL)));
  }
  for (size_t i = 0; i < l->low->consts.count; i++) {
    LowConst *k = l->low->consts.items[i];
    Global *g = k->kind == LOW_BUILTIN ? library_global(l->p, name_c(l->p->names, k->prim->name)) : NULL;
    if (g) lower_new_slot(l, g, k);
  }
}
