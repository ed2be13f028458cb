/* passes.h - the passes of the compiler in their order; the table is passes.def. */
#ifndef VALKC_PASSES_H
#define VALKC_PASSES_H
#include "compile.h"

typedef enum PassId {
#define PASS(name, is_optional, input, output, doc) PASS_##name,
#include "passes.def"
  PASS_COUNT
} PassId;

/* Runs the passes up to and including `last` on c->path, or up to the last one that is dumped.
 * Gives an exit status; messages have been printed. c->is_stopped if only dumps were wanted. */
int passes_run(Compilation *c, PassId last);
/* True if --dump and --skip name passes; else complains. */
bool passes_check_options(const Options *o);
void passes_list(void); /* to stdout */
#endif
