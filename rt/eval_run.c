/* eval_run.c - running code: one function per shape of node (eval_run.h).
 *
 * A node in tail position may give the marker: the call is parked, and nothing of this
 * activation is needed any more. The activation then takes the call over, if it is one of an
 * evaluated function that fits into its array, and else lets go of it. Every other node gives
 * values and errors only.
 *
 * The stack is the C stack: a Valk call takes about 400 bytes of it. Functions that end in
 * another node's run are jumps, so that branches and sequences add nothing. */
#include "eval_run.h"
#include "fiber.h"
#include "fns.h"
#include "prim_code.h"
#include <assert.h>
#include <string.h>

#define RUN(kid) ((kid)->run(c, (kid), env))
/* What `recur` gives: it is in tail position, so its loop gets it at once. */
#define RECUR ((V)18)

/* ---- variables ----------------------------------------------------------------------------- */

V eval_do_const(vk *c, const Code *e, V *env) {
  (void)c, (void)env;
  return e->value;
}
V eval_do_local(vk *c, const Code *e, V *env) {
  (void)c;
  return env[e->slot];
}
V eval_do_captured(vk *c, const Code *e, V *env) {
  (void)c;
  return VK_CAP(env[EVAL_SELF], e->slot);
}
V eval_do_local_box(vk *c, const Code *e, V *env) {
  (void)c;
  return VK_BOXP(env[e->slot])->value;
}
V eval_do_captured_box(vk *c, const Code *e, V *env) {
  (void)c;
  return VK_BOXP(VK_CAP(env[EVAL_SELF], e->slot))->value;
}
V eval_do_or_outer(vk *c, const Code *e, V *env) {
  V v = RUN(e->kids[0]);
  return v == VK_UNBOUND ? RUN(e->kids[1]) : v;
}
V eval_do_global(vk *c, const Code *e, V *env) {
  (void)env;
  V v = c->globals[e->slot];
  return VK_LIKELY(v != VK_UNBOUND) ? v : eval_unbound(c, e->slot, e->pos);
}

V eval_do_set(vk *c, const Code *e, V *env) {
  env[e->slot] = RUN(e->kids[0]);
  return VK_NIL;
}
V eval_do_set_box(vk *c, const Code *e, V *env) {
  V v = RUN(e->kids[0]), box = env[e->slot];
  VK_BOX_SET(c, box, v);
  return VK_NIL;
}
V eval_do_set_captured(vk *c, const Code *e, V *env) {
  V v = RUN(e->kids[0]), box = VK_CAP(env[EVAL_SELF], e->slot);
  VK_BOX_SET(c, box, v);
  return VK_NIL;
}

static V passed(vk *c, V error, const VkPos *pos) { return pos ? vk_at(c, error, pos) : error; }

V eval_do_def(vk *c, const Code *e, V *env) {
  V v = RUN(e->kids[0]);
  if (e->count && VK_IS_ABN(v)) return passed(c, v, e->pos);
  c->globals[e->slot] = v;
  return VK_NIL;
}

/* ---- functions ----------------------------------------------------------------------------- */

V eval_closure(vk *c, const EvalFn *fn, V keeper, V *env) {
  unsigned arity = fn->fn.conv == VK_CONV_FIXED ? fn->param_count : VK_ANY;
  V f = vk_closure(c, &fn->fn, arity, EVAL_FIRST_CAPTURE + fn->capture_count);
  VK_CAP(f, EVAL_KEEPER) = keeper;
  for (uint32_t i = 0; i < fn->capture_count; i++) {
    int32_t from = fn->captures[i];
    VK_CAP(f, EVAL_FIRST_CAPTURE + i) = from >= 0 ? env[from] : VK_CAP(env[EVAL_SELF], ~from);
  }
  if (fn->own >= 0) VK_CAP(f, EVAL_FIRST_CAPTURE + fn->own) = f;
  return f;
}

V eval_do_lambda(vk *c, const Code *e, V *env) {
  return eval_closure(c, e->data, VK_CAP(env[EVAL_SELF], EVAL_KEEPER), env);
}

V eval_do_block(vk *c, const Code *e, V *env) {
  V code = RUN(e->kids[1]);
  return vk_block(c, e->kids[0]->value, code);
}

/* ---- activations --------------------------------------------------------------------------- */

enum { SLOTS_LEAST = 10 }; /* so that most functions may take over each other's array */

/* Is f an evaluated function that takes exactly n arguments? */
static bool is_evaluated(V f, size_t n) {
  return VK_IS_FN(f, n) && VK_CLO(f)->code == eval_entries[n < VK_REG_ARGS ? n : VK_REG_ARGS];
}

static const EvalFn *fn_of(vk *c, V closure) {
  const EvalFn *fn = (const EvalFn *)VK_CLO(closure)->fn;
  if (VK_UNLIKELY(!fn->body)) eval_translate_body(c, (EvalFn *)fn);
  return fn;
}

/* Takes the parked call over into env, which has room for so many slots; NULL if it cannot. */
static const EvalFn *take_parked(vk *c, V *env, size_t room) {
  V f = c->park_fn;
  size_t n = c->park_n;
  if (c->park_code || !is_evaluated(f, n)) return NULL;
  const EvalFn *fn = (const EvalFn *)VK_CLO(f)->fn;
  if (VK_UNLIKELY(!fn->body)) return NULL; /* translating allocates */
  if (fn->slot_count > room) return NULL;
  env[EVAL_SELF] = f;
  for (size_t i = 0; i < n; i++) {
    env[EVAL_FIRST_PARAM + i] = c->park_args[i];
    c->park_args[i] = 0;
  }
  c->park_fn = 0;
  c->park_n = 0;
  return fn;
}

/* Never an error but where somebody may stop the program: eval_stop.c. */
#define STOPS(c) VK_UNLIKELY((char *)__builtin_frame_address(0) < (c)->stop_limit)

static V enter4(vk *c, V self, V a, V b, V d, V e) {
  if (STOPS(c)) return eval_stopped(c);
  VK_FIBER_CHECK(c);
  const EvalFn *fn = fn_of(c, self);
  size_t room = fn->slot_count > SLOTS_LEAST ? fn->slot_count : SLOTS_LEAST;
  V env[room];
  env[EVAL_SELF] = self;
  env[EVAL_FIRST_PARAM] = a;
  env[EVAL_FIRST_PARAM + 1] = b;
  env[EVAL_FIRST_PARAM + 2] = d;
  env[EVAL_FIRST_PARAM + 3] = e;
  /* What was here before would look like values in use to the collector. */
  for (size_t i = EVAL_FIRST_PARAM + VK_REG_ARGS; i < room; i++) env[i] = 0;
  for (size_t i = VK_REG_ARGS; i < fn->param_count; i++)
    env[EVAL_FIRST_PARAM + i] = c->xargs[i - VK_REG_ARGS];
  for (;;) {
    V r = fn->body->run(c, fn->body, env);
    if (VK_LIKELY(r != VK_MARK)) return r;
    fn = take_parked(c, env, room);
    if (!fn) return VK_MARK;
    if (STOPS(c)) return eval_stopped(c);
  }
}
static V enter0(vk *c, V self) { return enter4(c, self, 0, 0, 0, 0); }
static V enter1(vk *c, V self, V a) { return enter4(c, self, a, 0, 0, 0); }
static V enter2(vk *c, V self, V a, V b) { return enter4(c, self, a, b, 0, 0); }
static V enter3(vk *c, V self, V a, V b, V d) { return enter4(c, self, a, b, d, 0); }
void *const eval_entries[VK_REG_ARGS + 1] = {(void *)enter0, (void *)enter1, (void *)enter2,
                                             (void *)enter3, (void *)enter4};

V eval_run(vk *c, const EvalFn *fn, V self) {
  V env[fn->slot_count];
  env[EVAL_SELF] = self;
  V r = fn->body->run(c, fn->body, env);
  return VK_RESUMED(c, r);
}

/* ---- calls --------------------------------------------------------------------------------- */

V eval_do_call0(vk *c, const Code *e, V *env) {
  V f = RUN(e->kids[0]);
  return vk_call0(c, f, e->pos);
}
V eval_do_call1(vk *c, const Code *e, V *env) {
  V f = RUN(e->kids[0]), a = RUN(e->kids[1]);
  return vk_call1(c, f, a, e->pos);
}
V eval_do_call2(vk *c, const Code *e, V *env) {
  V f = RUN(e->kids[0]), a = RUN(e->kids[1]), b = RUN(e->kids[2]);
  return vk_call2(c, f, a, b, e->pos);
}
V eval_do_call3(vk *c, const Code *e, V *env) {
  V f = RUN(e->kids[0]), a = RUN(e->kids[1]), b = RUN(e->kids[2]), d = RUN(e->kids[3]);
  return vk_call3(c, f, a, b, d, e->pos);
}
V eval_do_call4(vk *c, const Code *e, V *env) {
  V f = RUN(e->kids[0]), a = RUN(e->kids[1]), b = RUN(e->kids[2]), d = RUN(e->kids[3]);
  return vk_call4(c, f, a, b, d, RUN(e->kids[4]), e->pos);
}
V eval_do_call(vk *c, const Code *e, V *env) {
  size_t n = e->count - 1;
  V f = RUN(e->kids[0]), args[n];
  for (size_t i = 0; i < n; i++) args[i] = RUN(e->kids[1 + i]);
  return vk_call_at(c, f, n, args, e->pos);
}

V eval_do_tail0(vk *c, const Code *e, V *env) {
  V f = RUN(e->kids[0]);
  return is_evaluated(f, 0) ? vk_park0(c, f) : vk_tail0(c, f, e->pos);
}
V eval_do_tail1(vk *c, const Code *e, V *env) {
  V f = RUN(e->kids[0]), a = RUN(e->kids[1]);
  return is_evaluated(f, 1) ? vk_park1(c, f, a) : vk_tail1(c, f, a, e->pos);
}
V eval_do_tail2(vk *c, const Code *e, V *env) {
  V f = RUN(e->kids[0]), a = RUN(e->kids[1]), b = RUN(e->kids[2]);
  return is_evaluated(f, 2) ? vk_park2(c, f, a, b) : vk_tail2(c, f, a, b, e->pos);
}
V eval_do_tail3(vk *c, const Code *e, V *env) {
  V f = RUN(e->kids[0]), a = RUN(e->kids[1]), b = RUN(e->kids[2]), d = RUN(e->kids[3]);
  return is_evaluated(f, 3) ? vk_park3(c, f, a, b, d) : vk_tail3(c, f, a, b, d, e->pos);
}
V eval_do_tail4(vk *c, const Code *e, V *env) {
  V f = RUN(e->kids[0]), a = RUN(e->kids[1]), b = RUN(e->kids[2]), d = RUN(e->kids[3]);
  return vk_tail4(c, f, a, b, d, RUN(e->kids[4]), e->pos);
}
V eval_do_tail(vk *c, const Code *e, V *env) {
  size_t n = e->count - 1;
  V f = RUN(e->kids[0]), args[n];
  for (size_t i = 0; i < n; i++) args[i] = RUN(e->kids[1 + i]);
  return vk_tailn(c, f, n, args, e->pos);
}

/* The head is evaluated before the arguments, and an error there is the result: it waits in a
 * slot of its own. */
V eval_do_head(vk *c, const Code *e, V *env) {
  V f = RUN(e->kids[0]);
  if (VK_UNLIKELY(VK_IS_ABN(f))) return passed(c, f, e->pos);
  env[e->slot] = f;
  return RUN(e->kids[1]);
}

/* ---- primitives ----------------------------------------------------------------------------
 * Those that may wait have one or two arguments: c->place is for them. */

static V placed(vk *c, V r, const Code *e) {
  return VK_UNLIKELY(VK_IS_ABN(r)) && e->pos ? vk_at(c, r, e->pos) : r;
}

#define CODE(T) ((T)((const VkPrimRow *)e->data)->code)
V eval_do_prim0(vk *c, const Code *e, V *env) {
  (void)env;
  return placed(c, CODE(V(*)(vk *))(c), e);
}
V eval_do_prim1(vk *c, const Code *e, V *env) {
  V a = RUN(e->kids[0]);
  c->place = e->pos;
  return placed(c, CODE(V(*)(vk *, V))(c, a), e);
}
V eval_do_prim2(vk *c, const Code *e, V *env) {
  V a = RUN(e->kids[0]), b = RUN(e->kids[1]);
  c->place = e->pos;
  return placed(c, CODE(V(*)(vk *, V, V))(c, a, b), e);
}
V eval_do_prim3(vk *c, const Code *e, V *env) {
  V a = RUN(e->kids[0]), b = RUN(e->kids[1]), d = RUN(e->kids[2]);
  return placed(c, CODE(V(*)(vk *, V, V, V))(c, a, b, d), e);
}
V eval_do_prim4(vk *c, const Code *e, V *env) {
  V a = RUN(e->kids[0]), b = RUN(e->kids[1]), d = RUN(e->kids[2]), last = RUN(e->kids[3]);
  return placed(c, CODE(V(*)(vk *, V, V, V, V))(c, a, b, d, last), e);
}
V eval_do_prim(vk *c, const Code *e, V *env) {
  V args[e->count];
  for (size_t i = 0; i < e->count; i++) args[i] = RUN(e->kids[i]);
  return placed(c, CODE(V(*)(vk *, size_t, const V *))(c, e->count, args), e);
}
V eval_do_prim_bare(vk *c, const Code *e, V *env) {
  (void)env;
  return placed(c, CODE(V(*)(vk *, size_t, const V *))(c, 0, NULL), e);
}

#define INLINE1(name)                                                                          \
  static V do_##name(vk *c, const Code *e, V *env) {                                           \
    V a = RUN(e->kids[0]);                                                                     \
    return vk_op_##name(c, a, e->pos);                                                         \
  }
#define INLINE2(name)                                                                          \
  static V do_##name(vk *c, const Code *e, V *env) {                                           \
    V a = RUN(e->kids[0]), b = RUN(e->kids[1]);                                                \
    return vk_op_##name(c, a, b, e->pos);                                                      \
  }
#define INLINE3(name)                                                                          \
  static V do_##name(vk *c, const Code *e, V *env) {                                           \
    V a = RUN(e->kids[0]), b = RUN(e->kids[1]), d = RUN(e->kids[2]);                           \
    return vk_op_##name(c, a, b, d, e->pos);                                                   \
  }
#define INLINES(X1, X2, X3)                                                                    \
  X1(neg)                                                                                      \
  X1(not ) X1(head) X1(tail) X1(nil_p) X1(list_p) X1(error_p) X1(vec_len) X2(add) X2(sub)      \
      X2(mul) X2(div) X2(rem) X2(mod) X2(lt) X2(gt) X2(le) X2(ge) X2(eq) X2(ne)                \
          X2(cons_checked) X2(pair) X2(set_head) X2(set_tail) X2(vec_get) X3(items)  \
              X3(vec_set)
INLINES(INLINE1, INLINE2, INLINE3)

EvalRun eval_inline_run(const void *code) {
#define CASE(name)                                                                             \
  if (code == (const void *)vk_##name) return do_##name;
  INLINES(CASE, CASE, CASE)
#undef CASE
  return NULL;
}

static V do_apply_tail(vk *c, const Code *e, V *env) {
  V f = RUN(e->kids[0]), l = RUN(e->kids[1]);
  return vk_apply_tail(c, f, l, e->pos);
}
static V do_eval_tail(vk *c, const Code *e, V *env) {
  V x = RUN(e->kids[0]);
  return vk_eval_tail(c, x, e->pos);
}
EvalRun eval_tail_run(const void *code) {
  if (code == (const void *)vk_apply) return do_apply_tail;
  return code == (const void *)vk_eval ? do_eval_tail : NULL;
}

/* ---- control ------------------------------------------------------------------------------- */

V eval_do_if(vk *c, const Code *e, V *env) {
  V v = RUN(e->kids[0]);
  if (VK_IS_FALSE(v)) return RUN(e->kids[2]);
  if (VK_UNLIKELY(VK_IS_ABN(v))) return passed(c, v, e->pos);
  return RUN(e->kids[1]);
}

/* What %unguard ends: the body does that itself. */
V eval_do_guard(vk *c, const Code *e, V *env) {
  VkCatch k;
  if (vk_catch_set(&k, c)) {
    for (uint32_t i = 0; i < e->count; i++) env[e->slot + i] = VK_UNBOUND; /* what it was making */
    return vk_catch_landed(c, e->pos);
  }
  return RUN(e->kids[0]);
}

V eval_do_seq(vk *c, const Code *e, V *env) {
  uint32_t last = e->count - 1;
  for (uint32_t i = 0; i < last; i++) {
    V v = RUN(e->kids[i]);
    if (VK_UNLIKELY(VK_IS_ABN(v))) return passed(c, v, ((const VkPos *const *)e->data)[i]);
  }
  return RUN(e->kids[last]);
}

V eval_do_let(vk *c, const Code *e, V *env) {
  env[e->slot] = RUN(e->kids[0]);
  return RUN(e->kids[1]);
}
V eval_do_let_unbound(vk *c, const Code *e, V *env) {
  env[e->slot] = VK_UNBOUND;
  return RUN(e->kids[0]);
}
V eval_do_let_box(vk *c, const Code *e, V *env) {
  V box = vk_box(c, VK_UNBOUND);
  env[e->slot] = box;
  V v = RUN(e->kids[0]);
  VK_BOX_SET(c, box, v);
  return RUN(e->kids[1]);
}
V eval_do_let_box_unbound(vk *c, const Code *e, V *env) {
  env[e->slot] = vk_box(c, VK_UNBOUND);
  return RUN(e->kids[0]);
}
V eval_do_boxes(vk *c, const Code *e, V *env) {
  const uint32_t *slots = e->data;
  for (uint32_t i = 0; i < e->count; i++) env[slots[i]] = vk_box(c, env[slots[i]]);
  return RUN(e->kids[0]);
}

V eval_do_loop(vk *c, const Code *e, V *env) {
  uint32_t n = e->count - 1;
  for (uint32_t i = 0; i < n; i++) env[e->slot + i] = RUN(e->kids[i]);
  const Code *body = e->kids[n];
  for (;;) {
    V r = RUN(body);
    if (r != RECUR) return r;
    if (STOPS(c)) return eval_stopped(c);
  }
}
V eval_do_recur(vk *c, const Code *e, V *env) {
  uint32_t n = e->count;
  if (n == 1) {
    env[e->slot] = RUN(e->kids[0]);
    return RECUR;
  }
  V values[n + 1];
  for (uint32_t i = 0; i < n; i++) values[i] = RUN(e->kids[i]);
  memcpy(&env[e->slot], values, n * sizeof(V));
  return RECUR;
}
