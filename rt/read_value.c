/* read_value.c - (read s): the first datum of a string as a value.
 *
 * The one place where the runtime uses the compiler's front end (lang/): its reader, so that
 * text means the same to both. An object file of its own: programs without `read` link neither.
 *
 * Data become values bottom-up with an explicit stack, since they nest deeper than a fiber's
 * stack is: `frames` (arena) says where we are, `values`, a vector the collector sees, holds the
 * finished children of all open frames. */
#include "../lang/datum.h"
#include "fns.h"
#include "lists.h"
#include "maps.h"
#include "numbers.h"
#include "strings.h"
#include "vectors.h"

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
  default: return vk_intern(c, d->text, d->len); /* SYMBOL, KEYWORD */
  }
}

static V map_value(vk *c, size_t n, const V *items) {
  V map = vk_map_make(c, n / 2);
  for (size_t i = 0; i + 1 < n; i += 2) vk_map_put(c, map, items[i], items[i + 1]);
  return map;
}

static V branch_value(vk *c, const Datum *d, const V *items) {
  if (d->kind == DATUM_VECTOR) return vk_vec_from(c, d->count, items);
  if (d->kind == DATUM_MAP) return map_value(c, d->count, items);
  V list = vk_list_from(c, d->count, items);
  return d->is_quoted ? list : vk_sexpr(c, list);
}

/* Replaces the last n values by the value of d, whose children they are. */
static void close_frame(vk *c, V values, const Datum *d) {
  VkVector *v = VK_VEC(values);
  size_t first = v->len - d->count;
  V *items = d->count ? &VK_STOREP(v->store)->items[first] : NULL;
  V made = branch_value(c, d, items);
  for (size_t i = 0; i < d->count; i++) vk_write(c, v->store, &items[i], VK_NIL);
  v->len = first;
  vk_vec_append(c, values, made);
}

static bool is_branch(const Datum *d) {
  return d->kind == DATUM_LIST || d->kind == DATUM_VECTOR || d->kind == DATUM_MAP;
}

static V datum_value(vk *c, Arena *arena, const Datum *root) {
  if (!is_branch(root)) return leaf_value(c, root);
  Frames frames = {0};
  V values = vk_vec_new(c, 16);
  PUSH(arena, frames, ((Frame){root, 0}));
  while (frames.count) {
    Frame *f = &frames.items[frames.count - 1];
    if (f->next == f->datum->count) {
      close_frame(c, values, f->datum);
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
    vk_vec_append(c, values, v);
  }
  V result = vk_vec_at(values, 0);
  vk_freeze(result);
  return result;
}

static V syntax_error(vk *c, Diag *diag) {
  for (size_t i = 0; i < diag->messages.count; i++) {
    const Diagnostic *m = &diag->messages.items[i];
    if (m->level != DIAG_ERROR) continue;
    uint32_t line, col;
    diag_line_col(diag, m->span, &line, &col);
    return vk_errorf(c, VK_SYM(syntax), "%u:%u: %s", line, col, m->message);
  }
  return VK_NIL;
}

V vk_read(vk *c, V text) {
  if (!VK_IS_STRING(text)) return vk_arg_error(c, "read", 1, text, "a string");
  Arena arena = {0};
  Names names = {.arena = &arena};
  Diag diag = {.arena = &arena};
  uint32_t file = diag_add_source(&diag, "read", VK_STR(text)->bytes, VK_STR(text)->len);
  const Datum *d = read_one(&arena, &names, &diag, file);
  V result = diag.error_count ? syntax_error(c, &diag) : d ? datum_value(c, &arena, d) : VK_NIL;
  arena_free(&arena);
  __asm__ volatile(
      "" ::"r"(text)); /* stays reachable: data in the arena point into its bytes */
  return result;
}
