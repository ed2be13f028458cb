/* run_eval.c - `valkc run --eval`: the program as resolve leaves it, run by the evaluator. */
#include "run_eval.h"
#include "../rt/eval.h"
#include "../rt/fault.h"
#include "passes.h"

static Compilation compilation; /* the one of this process: what the top form below runs */

static V run_tops(vk *c) {
  V keeper = VK_NIL;
  Evaluator *ev = eval_new(c, &compilation.program);
  eval_open(ev);
  return eval_run_tops(ev, &ev->unit, &keeper);
}

int run_evaluated(const Options *options) {
  compilation_init(&compilation, options, options->args[0]);
  int status = passes_run(&compilation, PASS_resolve);
  if (status == EXIT_OK && !compilation.is_stopped) {
    static const VkTop tops[] = {run_tops};
    VkProgram program = {.name = options->args[0], .tops = tops, .top_count = 1};
    status = vk_main(options->arg_count, options->args, &program);
  }
  compilation_free(&compilation);
  return status;
}
