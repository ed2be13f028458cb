/* calls.c - calling any value: arity, partial application, rest arguments, parked tail calls.
 *
 * Everything about calls that is not `this closure takes exactly these arguments` ends here.
 *
 * A call of f with n arguments, in order of the tests:
 *   an error              is the result                      no function, n > 0: a type error
 *   n = 0                 f itself, unless f is a closure whose fn->min is 0
 *   a PAP                 its function on its arguments and these
 *   n < fn->min           a PAP; a PAP's function is always a closure, so they never nest
 *   n > fn->max           an arity error
 *   FIXED, REST, ARGV     see VkConv in vk.h
 *
 * Parked tail calls (DESIGN 3, "Tail calls"). Code that finds its frame below c->tail_limit
 * leaves the call in c and returns VK_MARK; every frame in between returns it untouched; the
 * nearest frame that is not in tail position runs it by vk_resume. The slots are roots of the
 * collector and are cleared when the call is taken out. While something is parked nothing may
 * allocate, but for the taking itself, which allocates first and takes then.
 *
 * Where many arguments have to be put together, they are in a STORE object that the C stack
 * refers to: the collector must see them, and stacks of fibers are small. */
#include "equal.h"
#include "fiber.h"
#include "fns.h"
#include "lists.h"
#include "scratch.h"
#include "vectors.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* v stays visible to the collector up to here. */
#define VK_KEEP(v) __asm__ volatile("" : : "r"(v))

enum { TAIL_ROOM = 64 << 10, STACK_ARGS = 16 };

/* ---- closures ------------------------------------------------------------------------------ */

/* Code of FIXED convention with n parameters; those beyond the fourth go through c->xargs. */
static inline V enter(vk *c, void *code, V self, size_t n, const V *args) {
  switch (n) {
  case 0: return ((VkCode0)code)(c, self);
  case 1: return ((VkCode1)code)(c, self, args[0]);
  case 2: return ((VkCode2)code)(c, self, args[0], args[1]);
  case 3: return ((VkCode3)code)(c, self, args[0], args[1], args[2]);
  case 4: break;
  default:
    assert(n <= VK_MAX_PARAMS + 1);
    memcpy(c->xargs, args + VK_REG_ARGS, (n - VK_REG_ARGS) * sizeof(V));
  }
  return ((VkCode4)code)(c, self, args[0], args[1], args[2], args[3]);
}

/* The parameters of a REST function are min arguments and the list of the others. */
static V enter_rest(vk *c, void *code, V self, size_t min, size_t n, const V *args) {
  V rest = vk_list_from(c, n - min, args + min);
  V words[VK_REG_ARGS];
  if (min < VK_REG_ARGS) {
    if (min) memcpy(words, args, min * sizeof(V));
    words[min] = rest;
    return enter(c, code, self, min + 1, words);
  }
  assert(min <= VK_MAX_PARAMS);
  memcpy(c->xargs, args + VK_REG_ARGS, (min - VK_REG_ARGS) * sizeof(V));
  c->xargs[min - VK_REG_ARGS] = rest;
  return ((VkCode4)code)(c, self, args[0], args[1], args[2], args[3]);
}

static VK_COLD V arity_error(vk *c, const VkFn *fn, size_t actual, size_t expected) {
  return vk_errorf(c, VK_SYM(arity),
                   "More arguments were given than required. Actual: %zu, Expected: %zu (%s)",
                   actual, expected, fn->name ? fn->name : "an anonymous function");
}

static V new_pap(vk *c, V closure, size_t n, const V *args) {
  VkPap *p = vk_new(c, sizeof *p + n * sizeof(V));
  p->hdr = VK_HDR(VK_PAP, 0, n);
  p->fn = closure;
  memcpy(p->args, args, n * sizeof(V));
  return VK_FROM_OBJ(p);
}

/* held: how many of the n arguments come from a partial application, for the message. */
static V call_closure(vk *c, V f, size_t n, const V *args, size_t held) {
  const VkFn *fn = VK_CLO(f)->fn;
  if (n < fn->min) return new_pap(c, f, n, args);
  if (n > fn->max && fn->max != VK_ANY) return arity_error(c, fn, n - held, fn->max - held);
  switch ((VkConv)fn->conv) {
  case VK_CONV_FIXED: return enter(c, fn->code, f, n, args);
  case VK_CONV_REST: return enter_rest(c, fn->code, f, fn->min, n, args);
  case VK_CONV_ARGV: return ((VkCodeArgv)fn->code)(c, f, n, args);
  }
  assert(!"a conv of vk.h");
  return VK_NIL;
}

/* ---- partial applications ------------------------------------------------------------------ */

static void gather(V *all, V pap, size_t n, const V *args) {
  const VkPap *p = (const VkPap *)VK_OBJ(pap);
  size_t held = VK_HDR_COUNT(p->hdr);
  memcpy(all, p->args, held * sizeof(V));
  memcpy(all + held, args, n * sizeof(V));
}

/* Its own function, so that the buffer is not in the frame of other calls. */
static __attribute__((noinline)) V call_pap_few(vk *c, V pap, size_t n, const V *args) {
  V all[STACK_ARGS];
  size_t held = VK_HDR_COUNT(*VK_OBJ(pap));
  gather(all, pap, n, args);
  return call_closure(c, ((VkPap *)VK_OBJ(pap))->fn, held + n, all, held);
}

static V call_pap(vk *c, V pap, size_t n, const V *args) {
  size_t held = VK_HDR_COUNT(*VK_OBJ(pap));
  if (held + n <= STACK_ARGS) return call_pap_few(c, pap, n, args);
  V store = vk_store_new(c, held + n);
  gather(VK_STOREP(store)->items, pap, n, args);
  V result =
      call_closure(c, ((VkPap *)VK_OBJ(pap))->fn, held + n, VK_STOREP(store)->items, held);
  VK_KEEP(store);
  return result;
}

/* ---- any callee ---------------------------------------------------------------------------- */

V vk_call_slow(vk *c, V f, size_t n, const V *args) {
  assert(f != VK_MARK);
  if (VK_IS_ABN(f)) return f;
  if (VK_IS_KIND(f, VK_CLOSURE))
    return n || VK_CLO(f)->fn->min == 0 ? call_closure(c, f, n, args, 0) : f;
  if (n == 0) return f;
  if (VK_IS_KIND(f, VK_PAP)) return call_pap(c, f, n, args);
  return vk_errorf(c, VK_SYM(type), "Cannot call non-function: %s", vk_type_name(f));
}

/* The result is on the heap, or an argument; what the callee left on scratch goes. */
V vk_call(vk *c, V f, size_t n, const V *args) {
  char *mark = vk_mark(c, VK_TEMPORARIES(VK_ON_HEAP));
  V r = vk_call_slow(c, f, n, args);
  r = VK_RESUMED(c, r);
  vk_reset_to(c, VK_TEMPORARIES(VK_ON_HEAP), mark);
  return r;
}

/* Between here and the code of f, no other of the program runs that would look at result_where. */
V vk_call_placed(vk *c, unsigned where, V f, size_t n, const V *args) {
  bool is_partial = VK_IS_KIND(f, VK_PAP);
  V closure = is_partial ? ((VkPap *)VK_OBJ(f))->fn : f;
  size_t all = is_partial ? VK_HDR_COUNT(*VK_OBJ(f)) + n : n;
  const VkFn *fn = VK_IS_KIND(closure, VK_CLOSURE) ? VK_CLO(closure)->fn : NULL;
  if (!fn || fn->origin != VK_PLACED || fn->conv != VK_CONV_FIXED || fn->min != all) return vk_call(c, f, n, args);
  c->result_where = where;
  V r = vk_call_slow(c, f, n, args);
  return VK_RESUMED(c, r);
}

/* ---- parking ------------------------------------------------------------------------------- */

static inline V *park(vk *c, V f, size_t n) {
  assert(c->park_n == 0 && c->park_fn == 0 && c->park_code == NULL);
  c->park_fn = f;
  c->park_n = n;
  return c->park_args;
}

V vk_park0(vk *c, V f) {
  park(c, f, 0);
  return VK_MARK;
}

V vk_park1(vk *c, V f, V a) {
  V *args = park(c, f, 1);
  args[0] = a;
  return VK_MARK;
}

V vk_park2(vk *c, V f, V a, V b) {
  V *args = park(c, f, 2);
  args[0] = a, args[1] = b;
  return VK_MARK;
}

V vk_park3(vk *c, V f, V a, V b, V d) {
  V *args = park(c, f, 3);
  args[0] = a, args[1] = b, args[2] = d;
  return VK_MARK;
}

V vk_park4(vk *c, V f, V a, V b, V d, V e) {
  V *args = park(c, f, 4);
  args[0] = a, args[1] = b, args[2] = d, args[3] = e;
  return VK_MARK;
}

/* Room for any number of arguments, which the caller fills in at once. */
static V *park_many(vk *c, V f, size_t n) {
  V *to = park(c, f, n);
  if (n > VK_MAX_PARAMS + 1) to = c->park_more = vk_work_grow(NULL, n * sizeof(V));
  return to;
}

V vk_parkn(vk *c, V f, size_t n, const V *args) {
  V *to = park_many(c, f, n);
  for (size_t i = 0; i < n; i++) to[i] = args[i];
  return VK_MARK;
}

V vk_park_code5(vk *c, void *code, V a, V b, V d, V e, V f) {
  V *args = park(c, 0, 5);
  c->park_code = code;
  args[0] = a, args[1] = b, args[2] = d, args[3] = e, args[4] = f;
  return VK_MARK;
}

V vk_park_code(vk *c, void *code, size_t n, V a, V b, V d, V e) {
  assert(n <= 4);
  vk_park_code5(c, code, a, b, d, e, 0);
  c->park_n = n;
  return VK_MARK;
}

/* ---- resuming ------------------------------------------------------------------------------ */

/* Takes the call out of c: its function, code and arguments are then the caller's. */
static void clear_parked(vk *c, size_t n) {
  memset(c->park_args, 0, n * sizeof(V));
  c->park_fn = 0;
  c->park_code = NULL;
  c->park_n = 0;
}

static V run_code(vk *c) {
  void *code = c->park_code;
  size_t n = c->park_n;
  V w[5];
  memcpy(w, c->park_args, sizeof w);
  clear_parked(c, 5);
  switch (n) {
  case 0: return ((V(*)(vk *))code)(c);
  case 1: return ((VkCode0)code)(c, w[0]);
  case 2: return ((VkCode1)code)(c, w[0], w[1]);
  case 3: return ((VkCode2)code)(c, w[0], w[1], w[2]);
  case 4: return ((VkCode3)code)(c, w[0], w[1], w[2], w[3]);
  default: return ((VkCode4)code)(c, w[0], w[1], w[2], w[3], w[4]);
  }
}

static __attribute__((noinline)) V run_many(vk *c) {
  size_t n = c->park_n;
  V store = vk_store_new(c, n); /* the parked call is a root until it is taken */
  V f = c->park_fn;
  memcpy(VK_STOREP(store)->items, c->park_more ? c->park_more : c->park_args, n * sizeof(V));
  free(c->park_more);
  c->park_more = NULL;
  clear_parked(c, n <= VK_MAX_PARAMS + 1 ? n : 0);
  V result = vk_call_slow(c, f, n, VK_STOREP(store)->items);
  VK_KEEP(store);
  return result;
}

static V run_closure(vk *c) {
  size_t n = c->park_n;
  if (n > STACK_ARGS) return run_many(c);
  V args[STACK_ARGS], f = c->park_fn;
  memcpy(args, c->park_args, n * sizeof(V));
  clear_parked(c, n);
  return vk_call_slow(c, f, n, args);
}

V vk_resume(vk *c) {
  char *here = __builtin_frame_address(0);
  size_t left = (size_t)(here - c->fiber->stack_limit) / 4; /* of a fiber's stack, much less */
  char *limit = here - (left < TAIL_ROOM ? left : TAIL_ROOM);
  if (limit < c->tail_limit) c->tail_limit = limit;
  V r;
  do r = c->park_code ? run_code(c) : run_closure(c);
  while (r == VK_MARK);
  assert(c->park_fn == 0 && c->park_code == NULL);
  return r;
}

/* ---- primitives ---------------------------------------------------------------------------- */

/* If it is told where its result goes, f is a primitive, which leaves nothing behind and parks nothing:
 * a call of any function would reset scratch. */
static V apply_to(vk *c, V f, size_t n, const V *args) {
  return c->where == VK_ON_HEAP ? vk_call(c, f, n, args) : vk_call_slow(c, f, n, args);
}

/* (%apply f l): f on the elements of l. */
V vk_apply(vk *c, V f, V l) {
  V plain = vk_list_of(l);
  if (plain == VK_UNBOUND) return vk_arg_error(c, "unpack", 2, l, "a list");
  size_t n = vk_list_length(plain), i = 0;
  if (n <= STACK_ARGS) {
    V args[STACK_ARGS];
    for (; VK_IS_PAIR(plain); plain = VK_TAIL(plain)) args[i++] = VK_HEAD(plain);
    return apply_to(c, f, n, args);
  }
  V store = vk_store_new(c, n);
  for (; VK_IS_PAIR(plain); plain = VK_TAIL(plain))
    VK_STOREP(store)->items[i++] = VK_HEAD(plain);
  V result = apply_to(c, f, n, VK_STOREP(store)->items);
  VK_KEEP(store);
  return result;
}

V vk_apply_tail(vk *c, V f, V l, const VkPos *pos) {
  V plain = vk_list_of(l);
  if (plain == VK_UNBOUND) return vk_at(c, vk_arg_error(c, "unpack", 2, l, "a list"), pos);
  V *to = park_many(c, f, vk_list_length(plain));
  for (; VK_IS_PAIR(plain); plain = VK_TAIL(plain)) *to++ = VK_HEAD(plain);
  return VK_MARK;
}
