/* emit_test.c - the back end on core built by hand: what Valk text cannot ask for directly. */
#include "../../valkc/emit.h"
#include "../../valkc/lower.h"
#include "../../valkc/passes.h"
#include "check.h"
#include <stdlib.h>
#include <string.h>

typedef struct Bench { /* a program under construction */
  Arena arena;
  Names names;
  Diag diag;
  Program p;
} Bench;

static Span at(uint32_t start) { return (Span){0, start, start + 1}; }

static void bench_init(Bench *b) {
  static const char text[] =
      "one line of text that the places of the tests point into, and some more\n";
  memset(b, 0, sizeof *b);
  b->names.arena = b->diag.arena = b->p.arena = &b->arena;
  b->p.names = &b->names;
  b->p.diag = &b->diag;
  b->p.global_by_name.arena = &b->arena;
  b->p.written.items = ARENA_ARRAY(&b->arena, Lambda *, 1); /* none, but sorted */
  diag_add_source(&b->diag, "test.valk", text, sizeof text - 1);
}

static Global *new_fun(Bench *b, const char *name, size_t param_count) {
  Lambda *l = ARENA_NEW(&b->arena, Lambda);
  Global *g = ARENA_NEW(&b->arena, Global);
  l->name = g->name = name;
  l->span = g->span = at(0);
  l->id = b->p.next_id++;
  l->params = ARENA_ARRAY(&b->arena, Var *, param_count);
  l->param_count = param_count;
  for (size_t i = 0; i < param_count; i++) {
    l->params[i] = core_var(&b->p, "p", at(1), l);
    l->params[i]->is_param = true;
  }
  g->kind = GLOBAL_FUNCTION;
  g->lambda = l;
  g->slot = -1;
  PUSH(&b->arena, b->p.globals, g);
  return g;
}

static Core *param(Bench *b, Global *g, size_t i) {
  return core_local(&b->p, at(2), g->lambda->params[i]);
}

static Core *call(Bench *b, Global *g, Core *argument) {
  Core *e = core_new(&b->p, CORE_CALL, at(3)), *head = core_new(&b->p, CORE_GLOBAL, at(3));
  head->global = g;
  e->a = head;
  e->count = argument ? 1 : 0;
  e->items = ARENA_ARRAY(&b->arena, Core *, 1);
  e->items[0] = argument;
  return e;
}

static void add_top(Bench *b, Core *e) { PUSH(&b->arena, b->p.tops, ((TopForm){e, at(0)})); }

static LowProgram *lower(Bench *b) {
  core_find_free(&b->p);
  LowProgram *low = lower_run(&b->p);
  lower_check(low);
  return low;
}

/* The C text of the program; malloc. */
static char *emit(LowProgram *low) {
  char *text = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&text, &len);
  emit_run(low, out, false);
  fclose(out);
  return text;
}

static unsigned occurrences(const char *text, const char *part) {
  unsigned count = 0;
  for (const char *p = text; (p = strstr(p, part)); p += strlen(part)) count++;
  return count;
}

static unsigned brace_depth_max(const char *text) {
  unsigned depth = 0, most = 0;
  for (; *text; text++) {
    if (*text == '{') depth++;
    if (*text == '}') depth--;
    if (depth > most) most = depth;
  }
  return most;
}

/* ---- tests --------------------------------------------------------------------------------- */

/* even and odd call each other; other only leads into the cycle. */
static void test_tail_cycle(void) {
  Bench b;
  bench_init(&b);
  b.p.skipped_parts = 1u << PART_merge; /* they would be one function */
  Global *even = new_fun(&b, "even?", 1), *odd = new_fun(&b, "odd?", 1),
         *other = new_fun(&b, "other", 1);
  even->lambda->body = call(&b, odd, param(&b, even, 0));
  odd->lambda->body = call(&b, even, param(&b, odd, 0));
  other->lambda->body = call(&b, even, param(&b, other, 0));
  add_top(&b, call(&b, other, core_int(&b.p, at(4), 7)));
  LowProgram *low = lower(&b);
  CHECK(low->fns.count == 3);
  for (size_t i = 0; i < low->fns.count; i++) {
    LowFn *f = low->fns.items[i];
    CHECK(f->may_park);
    CHECK(f->tail_calls.count == 1);
    CHECK(f->tail_calls.items[0]->is_guarded == (f->lambda != other->lambda));
    CHECK(f->is_recursive == (f->lambda != other->lambda));
  }
  char *text = emit(low);
  CHECK(occurrences(text, "if (VK_UNLIKELY(VK_TAIL_LOW(c))) return vk_park_code(") == 2);
  CHECK(occurrences(text, "VK_RESUMED(c, ") == 1); /* the top-level form */
  CHECK(strstr(text, "f_even_p_") != NULL);
  free(text);
  arena_free(&b.arena);
}

static void test_self_call_is_loop(void) {
  Bench b;
  bench_init(&b);
  Global *f = new_fun(&b, "spin", 1);
  f->lambda->body = call(&b, f, param(&b, f, 0));
  add_top(&b, call(&b, f, core_int(&b.p, at(4), 7)));
  LowProgram *low = lower(&b);
  CHECK(low->fns.items[0]->body.first->kind == STMT_LOOP);
  CHECK(!low->fns.items[0]->may_park);
  CHECK(!low->fns.items[0]->is_recursive);
  arena_free(&b.arena);
}

/* (if p (if p ... ) 0), nested in the then branch or in the else branch. */
static Core *if_chain(Bench *b, Global *f, unsigned count, bool in_then) {
  Core *e = core_int(&b->p, at(5), -1);
  for (unsigned i = 0; i < count; i++) {
    Core *constant = core_int(&b->p, at(5), i);
    e = core_if(&b->p, at(5), param(b, f, 0), in_then ? e : constant, in_then ? constant : e);
  }
  return e;
}

static void test_chains_stay_flat(bool in_then, bool in_tail) {
  Bench b;
  bench_init(&b);
  Global *f = new_fun(&b, "chain", 1);
  Core *chain = if_chain(&b, f, 1000, in_then);
  f->lambda->body = in_tail ? chain : core_prim(&b.p, at(6), "list", (size_t)1, chain);
  add_top(&b, call(&b, f, core_int(&b.p, at(4), 7)));
  char *text = emit(lower(&b));
  CHECK(brace_depth_max(text) < 8);
  free(text);
  arena_free(&b.arena);
}

/* recur of swapped variables goes through a temporary. */
static void test_parallel_assignment(void) {
  Bench b;
  bench_init(&b);
  Global *f = new_fun(&b, "swap", 2);
  Loop *loop = ARENA_NEW(&b.arena, Loop);
  Core *e = core_new(&b.p, CORE_LOOP, at(7)), *again = core_new(&b.p, CORE_RECUR, at(8));
  loop->id = b.p.next_id++;
  loop->count = 2;
  loop->vars = ARENA_ARRAY(&b.arena, Var *, 2);
  e->items = ARENA_ARRAY(&b.arena, Core *, 2);
  again->items = ARENA_ARRAY(&b.arena, Core *, 2);
  for (size_t i = 0; i < 2; i++) {
    loop->vars[i] = core_var(&b.p, i ? "y" : "x", at(7), f->lambda);
    e->items[i] = param(&b, f, i);
  }
  for (size_t i = 0; i < 2; i++) again->items[i] = core_local(&b.p, at(8), loop->vars[1 - i]);
  e->loop = again->loop = loop;
  e->count = again->count = 2;
  e->b = again;
  f->lambda->body = e;
  Core *top = call(&b, f, core_int(&b.p, at(4), 1));
  top->count = 2;
  top->items = ARENA_ARRAY(&b.arena, Core *, 2);
  top->items[0] = core_int(&b.p, at(4), 1);
  top->items[1] = core_int(&b.p, at(4), 2);
  add_top(&b, top);
  LowProgram *low = lower(&b);
  const LowStmt *s = low->fns.items[0]->body.first;
  while (s && s->kind != STMT_LOOP) s = s->next;
  CHECK(s != NULL);
  s = s ? s->body.first : NULL;
  CHECK(s && s->kind == STMT_SET && s->is_decl && s->var->is_temp);
  CHECK(s && s->next && s->next->kind == STMT_SET && !s->next->is_decl);
  arena_free(&b.arena);
}

static Datum *text_datum(Bench *b, DatumKind kind, const char *text) {
  Datum *d = datum_new(&b->arena, kind, at(9));
  d->text = name_c(&b->names, text);
  d->len = strlen(text);
  return d;
}

static void test_constants(void) {
  Bench b;
  bench_init(&b);
  Datum *items[] = {text_datum(&b, DATUM_STRING, "tw\"ice\n"),
                    text_datum(&b, DATUM_KEYWORD, ":range"),
                    text_datum(&b, DATUM_BIG, "-123456789012345678901234567890")};
  for (int i = 0; i < 2; i++) /* the same list twice is one object */
    add_top(&b, core_prim(&b.p, at(6), "list", (size_t)1,
                          core_const(&b.p, datum_list(&b.arena, at(9), true, items, 3))));
  char *text = emit(lower(&b));
  CHECK(occurrences(text, "static const VkPair cells[3]") == 2); /* declared, defined */
  CHECK(occurrences(text, "static const VkString ") == 1);
  CHECK(strstr(text, "\"tw\\\"ice\\n\"") != NULL);
  CHECK(strstr(text, "VK_SYM(range)") != NULL); /* the runtime's own */
  CHECK(strstr(text, "| VK_NEGATIVE, {0x") != NULL);
  free(text);
  arena_free(&b.arena);
}

static void test_unused_is_not_emitted(void) {
  Bench b;
  bench_init(&b);
  Global *f = new_fun(&b, "dead", 0);
  f->lambda->body = core_int(&b.p, at(4), 1);
  add_top(&b, core_nil(&b.p, at(0)));
  char *text = emit(lower(&b));
  CHECK(!strstr(text, "dead"));
  CHECK(!strstr(text, "at[]"));
  CHECK(strstr(text, "return vk_main(argc, argv, &program);") != NULL);
  free(text);
  arena_free(&b.arena);
}

int main(void) {
  test_tail_cycle();
  test_self_call_is_loop();
  test_chains_stay_flat(false, false);
  test_chains_stay_flat(false, true);
  test_chains_stay_flat(true, false);
  test_chains_stay_flat(true, true);
  test_parallel_assignment();
  test_constants();
  test_unused_is_not_emitted();
  return check_done();
}
