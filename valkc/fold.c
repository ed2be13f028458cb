/* fold.c - primitives computed at compile time, by the runtime's own C code.
 *
 * Only numbers and strings go in, only numbers come out: results whose size or time the program
 * would choose (strings, lists, big powers) are left to run time. */
#include "fold.h"
#include "../rt/heap.h"
#include "../rt/numbers.h"
#include "../rt/prim_code.h"
#include "../rt/print.h"
#include <string.h>

enum { FOLD_ARGS_MAX = 8, FOLD_TEXT_MAX = 4096 };

bool fold_is_true(const Datum *d) {
  if (d->kind == DATUM_INT) return d->integer != 0;
  return d->kind != DATUM_LIST || d->count > 0;
}

static bool to_value(vk *c, const Datum *d, V *v) {
  switch (d->kind) {
  case DATUM_INT: *v = vk_int_from_i64(c, d->integer); return true;
  case DATUM_BIG: *v = vk_big_from_decimal(c, d->text, d->len); return d->len <= FOLD_TEXT_MAX;
  case DATUM_FLOAT: *v = vk_from_double(c, d->real); return true;
  case DATUM_STRING: *v = vk_string(c, d->text, d->len); return d->len <= FOLD_TEXT_MAX;
  default: return false;
  }
}

static Datum *from_value(Program *p, V v, Span span) {
  int64_t n;
  if (vk_to_i64(v, &n)) {
    Datum *d = datum_new(p->arena, DATUM_INT, span);
    d->integer = n;
    return d;
  }
  if (VK_IS_FLOAT(v)) {
    Datum *d = datum_new(p->arena, DATUM_FLOAT, span);
    d->real = vk_double(v);
    return d;
  }
  if (!VK_IS_INT(v)) return NULL;
  VkBuf b = {0};
  vk_show(&b, v, false);
  Datum *d = NULL;
  if (b.len <= FOLD_TEXT_MAX) {
    d = datum_new(p->arena, DATUM_BIG, span);
    d->text = arena_copy(p->arena, b.data, b.len);
    d->len = b.len;
  }
  vk_buf_free(&b);
  return d;
}

static bool is_foldable(const Prim *prim) {
  static const char *const results[] = {") num", ") int", ") float", ") bool"};
  if (!(prim->flags & PRIM_PURE) || !strcmp(prim->name, "pow") || !strcmp(prim->name, "bit/shl")) return false;
  for (size_t i = 0; i < sizeof results / sizeof *results; i++)
    if (strstr(prim->signature, results[i])) return true;
  return false;
}

/* An isolate of its own for each folding: nothing the compiler keeps lives in it. */
static Core *fold_in(Program *p, const Core *e, vk *c) {
  V args[FOLD_ARGS_MAX];
  for (size_t i = 0; i < e->count; i++)
    if (!to_value(c, e->items[i]->datum, &args[i])) return NULL;
  V v = vk_prim_call(c, (size_t)(e->prim - prim_table), e->count, args);
  if (VK_IS_ABN(v)) return NULL;
  Datum *d = from_value(p, v, e->span);
  if (!d) return NULL;
  Core *k = core_const(p, d);
  k->span = e->span;
  return k;
}

Core *fold_prim(Program *p, const Core *e) {
  if (e->count > FOLD_ARGS_MAX) return NULL;
  for (size_t i = 0; i < e->count; i++)
    if (e->items[i]->kind != CORE_CONST) return NULL;
  if (!is_foldable(e->prim)) return NULL;
  static vk isolate; /* one compilation at a time uses it; its heap is made once */
  static VkFiber fiber;
  fiber.stack_base = (char *)__builtin_frame_address(0) + 256;
  isolate.fiber = &fiber;
  if (!isolate.heap) {
    VkLimits limits = {.heap_limit_bytes = (size_t)1 << 32, .gc_threshold_bytes = (size_t)1 << 31,
                       .arena_bytes = 1 << 20};
    if (!vk_heap_new(&isolate, &limits)) return NULL;
  }
  return fold_in(p, e, &isolate);
}
