/* eval_code.c - core to code: every variable gets its place, every node its way of running.
 *
 * in:    core after core_find_free, no CORE_NAME
 * out:   code that gives what lower.c's would: the same values, effects, errors and places in
 *        their traces (the rules of lower_pass_error and has_place are repeated here)
 * cost:  linear; a function of a global is translated when it is first called
 *
 * Slots of an activation are given out like a stack: a LET's variable is the next one, and free
 * again after its body. Constants are made here, once; who keeps them: see eval.h, `keeper`. */
#include "datum_value.h"
#include "eval_run.h"
#include "prim_code.h"
#include "vectors.h"
#include <assert.h>
#include <string.h>

typedef struct Gen {
  Evaluator *ev;
  EvalUnit *unit;
  V *keeper;
  Lambda *lambda;   /* the function being translated, NULL for a top-level form */
  const char *name; /* of the function of the text around, for traces; NULL at top level */
  const Loop *loop;
  Span span;                 /* of what is translated, for parts without one */
  uint32_t depth, depth_max; /* slots in use */
} Gen;

static const Code *gen(Gen *g, Core *e, bool is_tail);
static const Code *gen_value(Gen *g, Core *e) { return gen(g, e, false); }
static const Code *gen_lambda(Gen *g, Lambda *l, const char *name, const Var *own);

static const char *name_of_lambda(const Lambda *l) { return l->name ? l->name : "\\"; }

/* ---- nodes --------------------------------------------------------------------------------- */

static Code *node(Gen *g, EvalRun run, size_t kids) {
  Code *e = arena_alloc(&g->unit->arena, sizeof(Code) + kids * sizeof(Code *));
  e->run = run;
  e->count = (uint32_t)kids;
  return e;
}

static Code *node1(Gen *g, EvalRun run, const Code *a) {
  Code *e = node(g, run, 1);
  e->kids[0] = a;
  return e;
}

static Code *node2(Gen *g, EvalRun run, const Code *a, const Code *b) {
  Code *e = node(g, run, 2);
  e->kids[0] = a;
  e->kids[1] = b;
  return e;
}

static void keep(Gen *g, V v) {
  if (!VK_IS_PAIR(v) && !VK_IS_OBJ(v) && !VK_IS_ABN(v)) return;
  vk *c = g->ev->c;
  if (g->unit->is_permanent) {
    vk_vec_append(c, g->ev->kept, v);
    return;
  }
  if (*g->keeper == VK_NIL) *g->keeper = vk_vec_new(c, 4);
  vk_vec_append(c, *g->keeper, v);
}

static Code *constant(Gen *g, V v) {
  Code *e = node(g, eval_do_const, 0);
  e->value = v;
  keep(g, v);
  return e;
}

static uint32_t take_slots(Gen *g, size_t n) {
  uint32_t first = g->depth;
  g->depth += (uint32_t)n;
  if (g->depth > g->depth_max) g->depth_max = g->depth;
  return first;
}

/* ---- places -------------------------------------------------------------------------------- */

static Span place_of(const Gen *g, const Core *e) {
  return e->span.file != NO_FILE ? e->span : g->span;
}

static const VkPos *position(Gen *g, Span at) {
  if (at.file == NO_FILE) return NULL;
  Program *p = g->ev->p;
  EvalPos *place = ARENA_NEW(&g->unit->places, EvalPos);
  place->span = at;
  place->pos.file = diag_path(p->diag, at);
  place->pos.fn = g->name;
  diag_line_col(p->diag, at, &place->pos.line, &place->pos.col);
  return &place->pos;
}

static const Core *value_part(const Core *e) {
  while (e->kind == CORE_LET) e = e->b;
  return e;
}

static bool is_same_place(Span a, Span b) { return a.file == b.file && a.start == b.start; }

/* Where an error that is the value of e is passed on; NULL if its primitive put that place in
 * already. */
static const VkPos *pass_position(Gen *g, const Core *e, Span at) {
  if (at.file == NO_FILE) at = g->span;
  const Core *v = value_part(e);
  if (v->kind == CORE_LOCAL && !v->a && !v->var->is_set && v->var->known)
    v = value_part(v->var->known);
  bool is_placed = v->kind == CORE_PRIM && v->prim->flags & PRIM_FAILS;
  return is_placed && is_same_place(place_of(g, v), at) ? NULL : position(g, at);
}

/* ---- variables ----------------------------------------------------------------------------- */

static bool is_local(const Gen *g, const Var *v) { return v->owner == g->lambda; }

static uint32_t captured_index(Gen *g, const Var *v) {
  for (size_t i = 0; i < g->lambda->free.count; i++)
    if (g->lambda->free.items[i] == v) return (uint32_t)i + EVAL_FIRST_CAPTURE;
  diag_bug(g->ev->p->diag, v->span, "eval", "`%s.%u` has no place", v->name, v->id);
}

static Code *variable(Gen *g, const Var *v) {
  bool local = is_local(g, v), box = VAR_IS_BOXED(v);
  EvalRun run = local ? box ? eval_do_local_box : eval_do_local
                : box ? eval_do_captured_box
                      : eval_do_captured;
  Code *e = node(g, run, 0);
  e->slot = local ? v->frame_slot : captured_index(g, v);
  return e;
}

static const Code *gen_local(Gen *g, Core *e) {
  Code *v = variable(g, e->var);
  return e->a && e->var->starts_unbound ? node2(g, eval_do_or_outer, v, gen_value(g, e->a)) : v;
}

static const Code *gen_set(Gen *g, Core *e) {
  const Var *v = e->var;
  EvalRun run = !is_local(g, v)   ? eval_do_set_captured
                : VAR_IS_BOXED(v) ? eval_do_set_box
                                  : eval_do_set;
  Code *n = node1(g, run, gen_value(g, e->a));
  n->slot = is_local(g, v) ? v->frame_slot : captured_index(g, v);
  return n;
}

static void bind(Gen *g, Var *v) { v->frame_slot = take_slots(g, 1); }

static const Code *gen_let(Gen *g, Core *e, bool is_tail) {
  Var *v = e->var;
  uint32_t depth = g->depth;
  bind(g, v);
  v->known = NULL;
  bool box = VAR_IS_BOXED(v);
  Code *n;
  if (e->a) {
    n = node(g, box ? eval_do_let_box : eval_do_let, 2);
    bool is_own = e->a->kind == CORE_LAMBDA && !v->is_set;
    n->kids[0] = is_own ? gen_lambda(g, e->a->lambda, name_of_lambda(e->a->lambda), v)
                        : gen_value(g, e->a);
    if (!v->is_set) v->known = e->a;
    n->kids[1] = gen(g, e->b, is_tail);
  } else {
    n = node1(g, box ? eval_do_let_box_unbound : eval_do_let_unbound, gen(g, e->b, is_tail));
  }
  n->slot = v->frame_slot;
  g->depth = depth;
  return n;
}

/* ---- globals ------------------------------------------------------------------------------- */

static const Code *gen_global(Gen *g, Core *e) {
  Global *global = e->global;
  if (global->kind == GLOBAL_FUNCTION || global->kind == GLOBAL_PRIM) {
    Code *n = node(g, eval_do_const, 0); /* kept by the evaluator */
    n->value = eval_function(g->ev, global);
    return n;
  }
  Code *n = node(g, eval_do_global, 0);
  n->slot = eval_slot(g->ev, global);
  n->pos = position(g, place_of(g, e));
  return n;
}

static const Code *gen_def(Gen *g, Core *e) {
  if (e->global->kind == GLOBAL_FUNCTION && e->a->kind == CORE_LAMBDA)
    return constant(g, VK_NIL);
  Code *n = node1(g, eval_do_def, gen_value(g, e->a));
  n->slot = eval_slot(g->ev, e->global);
  n->count = e->is_def;
  n->pos = e->is_def ? pass_position(g, e->a, e->a->span) : NULL;
  return n;
}

/* ---- functions ----------------------------------------------------------------------------- */

static EvalFn *fn_new(Gen *g, Lambda *l, size_t captures) {
  EvalFn *fn = arena_alloc(&g->unit->arena, sizeof *fn + captures * sizeof fn->captures[0]);
  Program *p = g->ev->p;
  size_t n = l ? l->param_count : 0;
  fn->lambda = l;
  fn->param_count = (uint32_t)n;
  fn->capture_count = (uint32_t)captures;
  fn->own = -1;
  fn->fn.origin = VK_EVALUATED;
  if (!l) return fn;
  fn->fn.name = l->name;
  fn->fn.code = eval_entries[n < VK_REG_ARGS ? n : VK_REG_ARGS];
  fn->fn.min = (uint16_t)(n - l->has_rest);
  fn->fn.max = l->has_rest ? VK_ANY : (uint16_t)n;
  fn->fn.conv = l->has_rest ? VK_CONV_REST : VK_CONV_FIXED;
  if (l->span.file != NO_FILE) {
    fn->fn.pos.file = diag_path(p->diag, l->span);
    fn->fn.pos.fn = l->name;
    diag_line_col(p->diag, l->span, &fn->fn.pos.line, &fn->fn.pos.col);
  }
  return fn;
}

static const uint32_t *boxed_slots(Gen *g, Var **vars, size_t n, uint32_t *count) {
  uint32_t *slots = ARENA_ARRAY(&g->unit->arena, uint32_t, n);
  *count = 0;
  for (size_t i = 0; i < n; i++)
    if (VAR_IS_BOXED(vars[i])) slots[(*count)++] = vars[i]->frame_slot;
  return slots;
}

/* body, after boxes have been made of those variables that need one. */
static const Code *with_boxes(Gen *g, Var **vars, size_t n, const Code *body) {
  uint32_t count;
  const uint32_t *slots = boxed_slots(g, vars, n, &count);
  if (!count) return body;
  Code *e = node1(g, eval_do_boxes, body);
  e->data = slots;
  e->count = count;
  return e;
}

static void gen_body(Gen *outer, EvalFn *fn, const char *name) {
  Lambda *l = fn->lambda;
  Gen g = *outer;
  g.lambda = l;
  g.name = name;
  g.loop = NULL;
  g.span = l->span;
  g.depth = g.depth_max = EVAL_FIRST_PARAM + VK_REG_ARGS; /* enter4 stores so many */
  if (l->param_count > VK_REG_ARGS) take_slots(&g, l->param_count - VK_REG_ARGS);
  for (size_t i = 0; i < l->param_count; i++)
    l->params[i]->frame_slot = EVAL_FIRST_PARAM + (uint32_t)i;
  const Code *body = with_boxes(&g, l->params, l->param_count, gen(&g, l->body, true));
  fn->slot_count = g.depth_max;
  fn->body = body;
}

/* own: the variable the function is being bound to, which its closure may capture. */
static const Code *gen_lambda(Gen *g, Lambda *l, const char *name, const Var *own) {
  EvalFn *fn = fn_new(g, l, l->free.count);
  for (size_t i = 0; i < l->free.count; i++) {
    const Var *v = l->free.items[i];
    fn->captures[i] = is_local(g, v) ? (int32_t)v->frame_slot : ~(int32_t)captured_index(g, v);
    if (v == own && !v->is_set) fn->own = (int32_t)i;
  }
  gen_body(g, fn, name);
  g->unit->has_functions = true;
  if (l->free.count) {
    Code *e = node(g, eval_do_lambda, 0);
    e->data = fn;
    return e;
  }
  if (!g->unit->is_permanent && *g->keeper == VK_NIL) *g->keeper = vk_vec_new(g->ev->c, 4);
  return constant(
      g, eval_closure(g->ev->c, fn, g->unit->is_permanent ? VK_NIL : *g->keeper, NULL));
}

static const Code *gen_block(Gen *g, Core *e) {
  vk *c = g->ev->c;
  const Code *data = constant(g, vk_datum_value(c, e->datum, NULL)),
             *code = gen_lambda(g, e->lambda, g->name, NULL);
  if (code->run == eval_do_const) return constant(g, vk_block(c, data->value, code->value));
  return node2(g, eval_do_block, data, code);
}

EvalFn *eval_global_fn(Evaluator *ev, Lambda *l) {
  assert(l->free.count == 0);
  Gen g = {.ev = ev, .unit = &ev->unit};
  return fn_new(&g, l, 0);
}

void eval_translate_body(vk *c, EvalFn *fn) {
  Evaluator *ev = c->eval;
  Gen g = {.ev = ev, .unit = &ev->unit};
  eval_resolve_fn(ev, fn);
  gen_body(&g, fn, name_of_lambda(fn->lambda));
}

static EvalFn *translate_root(Evaluator *ev, EvalUnit *unit, V *keeper, Core *core,
                              bool is_tail) {
  Gen g = {.ev = ev, .unit = unit, .keeper = keeper, .span = core->span};
  g.depth = g.depth_max = EVAL_FIRST_PARAM;
  EvalFn *fn = fn_new(&g, NULL, 0);
  fn->body = gen(&g, core, is_tail);
  fn->slot_count = g.depth_max;
  return fn;
}

const EvalFn *eval_translate_top(Evaluator *ev, EvalUnit *unit, V *keeper, Core *core) {
  return translate_root(ev, unit, keeper, core, false);
}

const EvalFn *eval_translate_thunk(Evaluator *ev, EvalUnit *unit, V *keeper, Core *core) {
  EvalFn *fn = translate_root(ev, unit, keeper, core, true);
  fn->fn.name = "eval";
  fn->fn.code = eval_entries[0];
  return fn;
}

/* ---- calls and primitives ------------------------------------------------------------------- */

static bool is_inert(const Core *e) {
  for (size_t i = 0; i < e->count; i++) {
    CoreKind k = e->items[i]->kind;
    bool inert = k == CORE_CONST || k == CORE_GLOBAL || k == CORE_LAMBDA || k == CORE_BLOCK ||
                 (k == CORE_LOCAL && !e->items[i]->a);
    if (!inert) return false;
  }
  return true;
}

static bool is_never_error(const Core *e) {
  if (e->kind == CORE_GLOBAL)
    return e->global->kind == GLOBAL_FUNCTION || e->global->kind == GLOBAL_PRIM;
  return e->kind == CORE_LAMBDA || e->kind == CORE_CONST;
}

static const Code *gen_call(Gen *g, Core *e, bool is_tail) {
  static const EvalRun calls[] = {eval_do_call0, eval_do_call1, eval_do_call2, eval_do_call3,
                                  eval_do_call4};
  static const EvalRun tails[] = {eval_do_tail0, eval_do_tail1, eval_do_tail2, eval_do_tail3,
                                  eval_do_tail4};
  bool is_many = e->count > VK_REG_ARGS;
  EvalRun run = is_tail   ? is_many ? eval_do_tail : tails[e->count]
                  : is_many ? eval_do_call
                          : calls[e->count];
  Code *n = node(g, run, e->count + 1), *outer = n;
  uint32_t depth = g->depth;
  const Code *head = gen_value(g, e->a);
  if (!is_never_error(e->a) && !is_inert(e)) {
    uint32_t slot = take_slots(g, 1);
    outer = node2(g, eval_do_head, head, n);
    outer->slot = slot;
    outer->pos = pass_position(g, e->a, e->a->span);
    Code *local = node(g, eval_do_local, 0);
    local->slot = slot;
    head = local;
  }
  n->kids[0] = head;
  for (size_t i = 0; i < e->count; i++) n->kids[1 + i] = gen_value(g, e->items[i]);
  n->pos = position(g, place_of(g, e));
  g->depth = depth;
  return outer;
}

static EvalRun prim_run(const Prim *prim, const VkPrimRow *row, size_t n, bool is_tail) {
  static const EvalRun fixed[] = {eval_do_prim0, eval_do_prim1, eval_do_prim2, eval_do_prim3,
                                  eval_do_prim4};
  EvalRun special = is_tail ? eval_tail_run((const void *)row->code) : NULL;
  if (!special && prim->flags & PRIM_INLINE) special = eval_inline_run((const void *)row->code);
  if (special) return special;
  if (!row->is_argv) return fixed[n];
  return n ? eval_do_prim : eval_do_prim_bare;
}

static const Code *gen_prim(Gen *g, Core *e, bool is_tail) {
  const VkPrimRow *row = &vk_prim_rows[e->prim - prim_table];
  Code *n = node(g, prim_run(e->prim, row, e->count, is_tail), e->count);
  n->data = row;
  for (size_t i = 0; i < e->count; i++) n->kids[i] = gen_value(g, e->items[i]);
  if (e->prim->flags & PRIM_FAILS) n->pos = position(g, place_of(g, e));
  return n;
}

/* ---- control ------------------------------------------------------------------------------- */

static const Code *gen_if(Gen *g, Core *e, bool is_tail) {
  Code *n = node(g, eval_do_if, 3);
  n->kids[0] = gen_value(g, e->a);
  n->kids[1] = gen(g, e->b, is_tail);
  n->kids[2] = gen(g, e->d, is_tail);
  n->pos = pass_position(g, e->a, e->a->span);
  return n;
}

/* (do (%guard) body) */
static const Code *gen_guard(Gen *g, Core *e) {
  Code *n = node(g, eval_do_guard, 1);
  n->pos = position(g, e->items[0]->span);
  uint32_t depth_max = g->depth_max;
  g->depth_max = n->slot = g->depth;
  n->kids[0] = gen_value(g, e->items[1]);
  n->count = g->depth_max - n->slot;
  if (g->depth_max < depth_max) g->depth_max = depth_max;
  return n;
}

static const Code *gen_seq(Gen *g, Core *e, bool is_tail) {
  if (e->items[0]->kind == CORE_PRIM && !strcmp(e->items[0]->prim->name, "%guard")) return gen_guard(g, e);
  Code *n = node(g, eval_do_seq, e->count);
  const VkPos **places = ARENA_ARRAY(&g->unit->arena, const VkPos *, e->count);
  n->data = places;
  for (size_t i = 0; i < e->count; i++) {
    bool is_last = i + 1 == e->count;
    n->kids[i] = gen(g, e->items[i], is_last && is_tail);
    if (!is_last) places[i] = pass_position(g, e->items[i], e->spans[i]);
  }
  return n;
}

static const Code *gen_loop(Gen *g, Core *e, bool is_tail) {
  const Loop *outer = g->loop;
  uint32_t depth = g->depth;
  Code *n = node(g, eval_do_loop, e->count + 1);
  n->slot = take_slots(g, e->count);
  for (size_t i = 0; i < e->count; i++) n->kids[i] = gen_value(g, e->items[i]);
  for (size_t i = 0; i < e->count; i++) e->loop->vars[i]->frame_slot = n->slot + (uint32_t)i;
  g->loop = e->loop;
  n->kids[e->count] = with_boxes(g, e->loop->vars, e->count, gen(g, e->b, is_tail));
  g->loop = outer;
  g->depth = depth;
  return n;
}

static const Code *gen_recur(Gen *g, Core *e) {
  if (g->loop != e->loop) diag_bug(g->ev->p->diag, e->span, "eval", "recur of an outer loop");
  Code *n = node(g, eval_do_recur, e->count);
  for (size_t i = 0; i < e->count; i++) n->kids[i] = gen_value(g, e->items[i]);
  n->slot = e->count ? e->loop->vars[0]->frame_slot : 0;
  return n;
}

static const Code *gen_kind(Gen *g, Core *e, bool is_tail) {
  switch (e->kind) {
  case CORE_CONST: return constant(g, vk_datum_value(g->ev->c, e->datum, NULL));
  case CORE_LOCAL: return gen_local(g, e);
  case CORE_GLOBAL: return gen_global(g, e);
  case CORE_SET: return gen_set(g, e);
  case CORE_DEF: return gen_def(g, e);
  case CORE_LAMBDA: return gen_lambda(g, e->lambda, name_of_lambda(e->lambda), NULL);
  case CORE_CALL: return gen_call(g, e, is_tail);
  case CORE_PRIM: return gen_prim(g, e, is_tail);
  case CORE_IF: return gen_if(g, e, is_tail);
  case CORE_SEQ: return gen_seq(g, e, is_tail);
  case CORE_LET: return gen_let(g, e, is_tail);
  case CORE_LOOP: return gen_loop(g, e, is_tail);
  case CORE_RECUR: return gen_recur(g, e);
  case CORE_BLOCK: return gen_block(g, e);
  case CORE_NAME: break;
  }
  diag_bug(g->ev->p->diag, e->span, "eval", "node of kind %d", (int)e->kind);
}

static const Code *gen(Gen *g, Core *e, bool is_tail) {
  Span outer = g->span;
  g->span = place_of(g, e);
  const Code *code = gen_kind(g, e, is_tail);
  g->span = outer;
  return code;
}
