/* comptime.c - an isolate in the compiler, with an open program of its own beside the one that is
 * compiled: they share names, messages and modules, but no globals.
 *
 * What runs has a stack of its own, as deep as programs have: macros may recurse. Expanding may
 * run macros that need definitions that have to be expanded first, and so on; once on that stack,
 * all of it stays there. */
#include "comptime.h"
#include "faults.h"
#include "../rt/eval.h"
#include "../rt/fault.h"
#include "../rt/heap.h"
#include "../rt/out.h"
#include "../rt/stack.h"
#include <stdlib.h>

typedef struct Comptime {
  ExpandHost host;  /* of the compiled program: switches stacks */
  ExpandHost inner; /* the evaluator's */
  Program *main;
  Program program;
  vk isolate;
  VkFiber fiber;
  Evaluator *ev;
  SavedFaults faults;
  bool is_inside;
} Comptime;

static void make(Comptime *t) {
  Program *p = &t->program, *main = t->main;
  *p = (Program){.arena = main->arena,
                 .lasting = main->arena,
                 .names = main->names,
                 .diag = main->diag,
                 .std_dir = main->std_dir,
                 .is_open = true,
                 .is_compile_time = true,
                 .uses_eval = true};
  t->isolate.fiber = &t->fiber;
  vk_heap_init(&t->isolate, NULL);
  faults_save(&t->faults);
  vk_fault_init(&t->isolate);
  t->ev = eval_new(&t->isolate, p);
  eval_set_host(t->ev, &t->inner);
  p->host = &t->inner;
  expand_begin(p);
  p->root = main->root;
}

typedef struct Request {
  Comptime *t;
  Program *p;
  Macro *macro;
  Module *module;
  const char *name;
  Datum *form, *result;
  void (*run)(struct Request *);
} Request;

static void run_define(Request *r) { r->t->inner.define(r->t->ev, r->p, r->macro, r->form); }
static void run_expand(Request *r) {
  r->result = r->t->inner.expand(r->t->ev, r->p, r->macro, r->form);
}
static void run_compute(Request *r) {
  r->result = r->t->inner.compute(r->t->ev, r->p, r->module, r->form);
}
static void run_forget(Request *r) { r->t->inner.forget(r->t->ev, r->module, r->name); }

static void run_on_stack(void *to) {
  Request *r = to;
  if (!r->t->ev) make(r->t);
  r->run(r);
}

static Datum *run(Request *r) {
  Comptime *t = r->t;
  if (t->is_inside) {
    r->run(r);
    return r->result;
  }
  if (!t->fiber.stack_base) vk_stack_init(&t->fiber);
  t->is_inside = true;
  t->isolate.tail_limit = t->fiber.stack_base - VK_TAIL_ROOM;
  vk_stack_call(&t->fiber, run_on_stack, r);
  vk_out_flush();
  t->is_inside = false;
  return r->result;
}

static void define(void *self, Program *p, Macro *m, Datum *form) {
  run(&(Request){.t = self, .p = p, .macro = m, .form = form, .run = run_define});
}
static Datum *expand(void *self, Program *p, Macro *m, Datum *call) {
  return run(&(Request){.t = self, .p = p, .macro = m, .form = call, .run = run_expand});
}
static Datum *compute(void *self, Program *p, Module *module, Datum *form) {
  return run(&(Request){.t = self, .p = p, .module = module, .form = form, .run = run_compute});
}
static void forget(void *self, Module *module, const char *name) {
  Comptime *t = self;
  if (t->ev) run(&(Request){.t = t, .module = module, .name = name, .run = run_forget});
}

void comptime_prepare(Program *p) {
  Comptime *t = calloc(1, sizeof *t);
  if (!t) abort();
  t->main = p;
  t->host = (ExpandHost){
      .self = t, .define = define, .expand = expand, .compute = compute, .forget = forget};
  p->host = &t->host;
}

void comptime_end(Program *p) {
  Comptime *t = p->host ? p->host->self : NULL;
  p->host = NULL;
  if (t && t->ev) {
    faults_restore(&t->faults);
    vk_heap_free(&t->isolate);
  }
  free(t);
}
