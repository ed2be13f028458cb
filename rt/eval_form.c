/* eval_form.c - from a datum to its value: expand, resolve, translate, run.
 *
 * Data and core live in the batch and are gone before the code runs; code lives in a unit, which
 * is freed after its run, or, if closures of it may be left, when the collector finds its
 * keeper's handle dead. Batches nest, since macros run while others are expanded: the outermost
 * reuses one arena for all, so that a small eval allocates nothing from the system. */
#include "datum_value.h"
#include "eval.h"
#include "../lang/resolve.h"
#include "handle.h"
#include "heap.h"
#include "lists.h"
#include "vectors.h"
#include <stdlib.h>

/* ---- batches ------------------------------------------------------------------------------- */

Arena *eval_batch_begin(Evaluator *ev, EvalBatch *b) {
  const Diag *diag = ev->p->diag;
  *b = (EvalBatch){.errors = diag->error_count,
                   .warnings = diag->warning_count,
                   .messages = diag->messages.count};
  b->arena = ev->p->is_compile_time ? ev->p->lasting : ev->is_spare_used ? &b->own : &ev->spare;
  if (b->arena == &ev->spare) ev->is_spare_used = true;
  expand_batch_begin(ev->p, &b->saved);
  ev->p->arena = b->arena;
  return b->arena;
}

void eval_batch_end(Evaluator *ev, EvalBatch *b) {
  expand_batch_end(ev->p, &b->saved);
  if (b->arena == &b->own) arena_free(&b->own);
  if (b->arena != &ev->spare) return;
  arena_reset(&ev->spare);
  ev->is_spare_used = false;
}

/* ---- units --------------------------------------------------------------------------------- */

enum { UNIT_BYTES = 1 << 10, PLACES_BYTES = 256 }; /* what most need */

typedef struct UnitHandle {
  VkHandle handle; /* of no class */
  vk *c;
  EvalUnit *unit;
} UnitHandle;

static EvalUnit *unit_new(vk *c) {
  EvalUnit *u = calloc(1, sizeof *u);
  if (!u) abort();
  u->arena.first_bytes = UNIT_BYTES;
  u->places.first_bytes = PLACES_BYTES;
  u->error_count = c->error_count;
  return u;
}

/* An error with one of its places may be anywhere: they stay if it is possible. */
static void unit_free(vk *c, EvalUnit *u) {
  if (u->error_count == c->error_count) arena_free(&u->places);
  arena_free(&u->arena);
  free(u);
}

static void free_handle(void *handle) {
  const UnitHandle *h = handle;
  unit_free(h->c, h->unit);
}

/* The unit lives as long as the keeper does, which every closure of it captures. */
static void tie(vk *c, EvalUnit *u, V keeper) {
  UnitHandle *h = vk_new(c, sizeof *h);
  h->handle.hdr = VK_HDR(VK_HANDLE, 0, 0);
  h->c = c;
  h->unit = u;
  V handle = VK_FROM_OBJ(h);
  vk_finalise(c, handle, free_handle);
  vk_heap_external(c, sizeof *u + UNIT_BYTES + PLACES_BYTES);
  vk_vec_append(c, keeper, handle);
}

/* ---- forms --------------------------------------------------------------------------------- */

typedef struct Prepared { /* top-level forms as functions */
  const EvalFn **fns;
  size_t count;
} Prepared;

static Prepared translate_tops(Evaluator *ev, EvalUnit *u, V *keeper) {
  Program *p = ev->p;
  Prepared all = {ARENA_ARRAY(&u->arena, const EvalFn *, p->tops.count), p->tops.count};
  for (size_t i = 0; i < all.count; i++)
    all.fns[i] = eval_translate_top(ev, u, keeper, p->tops.items[i].core);
  return all;
}

static V run_tops(vk *c, Prepared all, V keeper) {
  V r = VK_NIL;
  for (size_t i = 0; i < all.count && !VK_IS_ABN(r); i++)
    r = eval_run(c, all.fns[i], eval_closure(c, all.fns[i], keeper, NULL));
  return r;
}

/* In tail position: the form becomes a closure, which lives as long as it runs. */
static V park_form(Evaluator *ev, EvalBatch *b) {
  EvalUnit *u = unit_new(ev->c);
  V keeper = vk_vec_new(ev->c, 4);
  const EvalFn *fn = eval_translate_thunk(ev, u, &keeper, ev->p->tops.items[0].core);
  eval_batch_end(ev, b);
  tie(ev->c, u, keeper);
  return vk_park0(ev->c, eval_closure(ev->c, fn, keeper, NULL));
}

static V run_form(Evaluator *ev, EvalBatch *b, EvalHow how) {
  if (how == EVAL_PARKED && ev->p->tops.count == 1) return park_form(ev, b);
  bool is_permanent = how == EVAL_PERMANENT;
  EvalUnit *u = is_permanent ? &ev->unit : unit_new(ev->c);
  V keeper = VK_NIL;
  Prepared all = translate_tops(ev, u, &keeper);
  eval_batch_end(ev, b);
  if (!is_permanent && u->has_functions) tie(ev->c, u, keeper);
  V r = run_tops(ev->c, all, keeper);
  __asm__ volatile("" : : "r"(keeper)); /* stays reachable while its code runs */
  if (!is_permanent && !u->has_functions) unit_free(ev->c, u);
  return r;
}

V eval_form(Evaluator *ev, Module *m, Datum *d, EvalBatch *b, EvalHow how) {
  Diag *diag = ev->p->diag;
  size_t errors = diag->error_count;
  if (expand_form(ev->p, m, d)) {
    resolve_forms(ev->p);
    if (diag->error_count == errors) return run_form(ev, b, how);
  }
  eval_batch_end(ev, b);
  return VK_UNBOUND;
}

/* ---- values as forms ------------------------------------------------------------------------ */

Datum *eval_branch(Arena *a, Datum *d) {
  if (d->kind != DATUM_LIST || !d->is_quoted) return d;
  if (d->count == 1 && d->items[0]->kind == DATUM_LIST) return d->items[0];
  return datum_list(a, d->span, false, d->items, d->count);
}

/* The messages since the batch began go with it. */
static void forget_messages(Diag *diag, const EvalBatch *b) {
  diag->messages.count = b->messages;
  diag->error_count = b->errors;
  diag->warning_count = b->warnings;
}

static V message_error(vk *c, Diag *diag, const Diagnostic *m) {
  uint32_t line, col;
  if (m->span.file == NO_FILE) return vk_errorf(c, VK_SYM(syntax), "%s", m->message);
  diag_line_col(diag, m->span, &line, &col);
  return vk_errorf(c, VK_SYM(syntax), "%s:%u:%u: %s", diag_path(diag, m->span), line, col,
                   m->message);
}

V eval_syntax_error(Evaluator *ev, const EvalBatch *b) {
  Diag *diag = ev->p->diag;
  V error = VK_NIL;
  for (size_t i = b->messages; i < diag->messages.count && error == VK_NIL; i++)
    if (diag->messages.items[i].level == DIAG_ERROR)
      error = message_error(ev->c, diag, &diag->messages.items[i]);
  forget_messages(diag, b);
  return error != VK_NIL ? error : vk_errorf(ev->c, VK_SYM(syntax), "eval: this is no code");
}

V eval_value(Evaluator *ev, V x, bool is_branch, bool may_park) {
  Program *p = ev->p;
  EvalBatch b;
  Arena *a = eval_batch_begin(ev, &b);
  PtrMap blocks = {.arena = a}, *outer = p->literals;
  DatumMaker m = {.arena = a, .names = p->names, .span = NO_SPAN, .blocks = &blocks};
  Datum *d = vk_value_datum(&m, x);
  if (!d) {
    eval_batch_end(ev, &b);
    return vk_errorf(ev->c, VK_SYM(syntax), "eval: nested too deeply");
  }
  p->literals = blocks.count ? &blocks : NULL;
  V r = eval_form(ev, p->root, is_branch ? eval_branch(a, d) : d, &b,
                  may_park ? EVAL_PARKED : EVAL_ONCE);
  p->literals = outer;
  __asm__ volatile("" : : "r"(x)); /* holds what DATUM_VALUEs refer to */
  if (r == VK_UNBOUND) return eval_syntax_error(ev, &b);
  forget_messages(p->diag, &b);
  return r;
}
