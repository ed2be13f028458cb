/* run_eval.c - `valkc run --eval`: the program as resolve leaves it, run by the evaluator. */
#include "run_eval.h"
#include "faults.h"
#include "../rt/eval.h"
#include "../rt/fiber_stack.h"
#include "../rt/out.h"
#include "../rt/print.h"
#include "passes.h"

static Compilation compilation; /* the one of this process: what the top form below runs */

static void print_value(V v) {
  VkBuf b = {0};
  vk_show(&b, v, true);
  vk_buf_putc(&b, '\n');
  vk_out(b.data, b.len);
  vk_buf_free(&b);
}

static V run_tops(vk *c) {
  V keeper = VK_NIL;
  Evaluator *ev = eval_new(c, &compilation.program);
  eval_open(ev);
  V r = eval_run_tops(ev, &ev->unit, &keeper);
  if (compilation.options->expression && r != VK_NIL && !VK_IS_ABN(r)) print_value(r);
  return r;
}

/* The arguments as the program sees them: the first is its name. */
static char **program_arguments(const Options *o, const char *name) {
  if (!o->expression) return o->args;
  char **args = ARENA_ARRAY(&compilation.arena, char *, o->arg_count + 2);
  args[0] = (char *)name;
  for (size_t i = 0; i < o->arg_count; i++) args[i + 1] = o->args[i];
  return args;
}

int run_evaluated(const Options *options) {
  const char *path = options->expression ? "-e" : options->args[0];
  compilation_init(&compilation, options, path);
  compilation.program.text = options->expression;
  int status = passes_run(&compilation, PASS_resolve);
  if (status == EXIT_OK && !compilation.is_stopped) {
    static const VkTop tops[] = {run_tops};
    VkProgram program = {.name = path, .tops = tops, .top_count = 1};
    int count = (int)options->arg_count + (options->expression != NULL);
    SavedFaults faults;
    faults_save(&faults);
    vk_fiber_stack_times = VK_FIBER_STACK_EVALUATOR;
    status = vk_main(count, program_arguments(options, path), &program);
    faults_restore(&faults);
  }
  compilation_free(&compilation);
  return status;
}
