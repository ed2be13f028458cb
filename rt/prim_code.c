/* prim_code.c - primitives by number: see prim_code.h. */
#include "prim_code.h"
#include "fns.h"
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* What evaluated data names and the program does not: nothing of libnet.a is linked for it. Where it is, its
 * functions go before these. */
static V not_linked(vk *c, const char *name) {
  return vk_errorf(c, VK_SYM(unbound),
                   "`%s` is not in this program: of networking it has what its own text names, "
                   "not what only evaluated data names",
                   name);
}
#define A(name) __attribute__((unused)) V name
#define WITH_0 (vk *c)
#define WITH_1 (vk *c, A(a))
#define WITH_2 (vk *c, A(a), A(b))
#define WITH_3 (vk *c, A(a), A(b), A(d))
#define WITH_4 (vk *c, A(a), A(b), A(d), A(e))
#define WITH_ARRAY (vk *c, __attribute__((unused)) size_t n, __attribute__((unused)) const V *args)
#define FIX(name, symbol, n, signature, flags, doc)                                            \
  __attribute__((weak)) V symbol WITH_##n { return not_linked(c, name); }
#define VAR(name, symbol, min, max, signature, flags, doc)                                     \
  __attribute__((weak)) V symbol WITH_ARRAY { return not_linked(c, name); }
#include "prims/http2.def"
#undef FIX
#undef VAR

enum { ANY = VK_ANY };
#define FIX(name, symbol, n, signature, flags, doc) {name, (VkAnyCode)symbol, n, n, 0},
#define VAR(name, symbol, min, max, signature, flags, doc)                                     \
  {name, (VkAnyCode)symbol, min, max, 1},
#define NARY(name, symbol, min, max, binary, signature, flags, doc)                            \
  {name, (VkAnyCode)symbol, min, max, 1},
#define OPT VAR
const VkPrimRow vk_prim_rows[] = {
#include "prims.def"
};
#undef FIX
#undef VAR
#undef NARY
#undef OPT
const size_t vk_prim_row_count = sizeof vk_prim_rows / sizeof *vk_prim_rows;
enum { ROW_COUNT = sizeof vk_prim_rows / sizeof *vk_prim_rows };

V vk_prim_call(vk *c, size_t index, size_t n, const V *a) {
  const VkPrimRow *row = &vk_prim_rows[index];
  assert(n >= row->min && (row->max == VK_ANY || n <= row->max));
  if (row->is_argv) return ((V(*)(vk *, size_t, const V *))row->code)(c, n, a);
  switch (n) {
  case 0: return ((V(*)(vk *))row->code)(c);
  case 1: return ((V(*)(vk *, V))row->code)(c, a[0]);
  case 2: return ((V(*)(vk *, V, V))row->code)(c, a[0], a[1]);
  case 3: return ((V(*)(vk *, V, V, V))row->code)(c, a[0], a[1], a[2]);
  default: return ((V(*)(vk *, V, V, V, V))row->code)(c, a[0], a[1], a[2], a[3]);
  }
}

/* ---- as function values -------------------------------------------------------------------- */

/* A closure has a flexible last member, so no array of C holds closures: cells of a fixed size do. */
enum { CELL_BYTES = 32 };
_Static_assert(sizeof(VkClosure) <= CELL_BYTES && CELL_BYTES % 16 == 0,
               "a cell holds a closure");
static char *cells; /* of all rows; made once, with fns */
static VkFn fns[ROW_COUNT];

static VkAnyCode code_of(V self) {
  return vk_prim_rows[(size_t)((char *)VK_OBJ(self) - cells) / CELL_BYTES].code;
}

static V enter0(vk *c, V self) { return ((V(*)(vk *))code_of(self))(c); }
static V enter1(vk *c, V self, V a) { return ((V(*)(vk *, V))code_of(self))(c, a); }
static V enter2(vk *c, V self, V a, V b) { return ((V(*)(vk *, V, V))code_of(self))(c, a, b); }
static V enter3(vk *c, V self, V a, V b, V d) {
  return ((V(*)(vk *, V, V, V))code_of(self))(c, a, b, d);
}
static V enter4(vk *c, V self, V a, V b, V d, V e) {
  return ((V(*)(vk *, V, V, V, V))code_of(self))(c, a, b, d, e);
}
static V enter_argv(vk *c, V self, size_t n, const V *args) {
  return ((V(*)(vk *, size_t, const V *))code_of(self))(c, n, args);
}

static void make_builtins(void) {
  static void *const enter[] = {(void *)enter0, (void *)enter1, (void *)enter2, (void *)enter3,
                                (void *)enter4};
  cells = aligned_alloc(16, CELL_BYTES * ROW_COUNT);
  if (!cells) {
    fputs("valk: out of memory\n", stderr);
    exit(1);
  }
  for (size_t i = 0; i < ROW_COUNT; i++) {
    const VkPrimRow *row = &vk_prim_rows[i];
    VkFn *fn = &fns[i];
    assert(row->is_argv || row->min <= 4);
    *fn = (VkFn){.name = row->name, .min = row->min, .max = row->max, .origin = VK_BUILTIN};
    fn->conv = row->is_argv ? VK_CONV_ARGV : VK_CONV_FIXED;
    fn->code = row->is_argv ? (void *)enter_argv : enter[row->min];
    VkClosure *closure = (VkClosure *)(cells + i * CELL_BYTES);
    closure->hdr = VK_HDR(VK_CLOSURE, row->is_argv ? VK_ANY : row->min, 0);
    closure->code = fn->code;
    closure->fn = fn;
  }
}

V vk_prim_function(size_t index) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_builtins);
  assert(index < ROW_COUNT);
  return VK_FROM_OBJ(cells + index * CELL_BYTES);
}
