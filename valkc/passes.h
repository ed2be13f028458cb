/* passes.h - the passes of the compiler in their order; the table is passes.def. */
#ifndef VALKC_PASSES_H
#define VALKC_PASSES_H
#include "compile.h"

typedef enum PassId {
#define PASS(name, is_optional, input, output, doc) PASS_##name,
#include "passes.def"
  PASS_COUNT
} PassId;

/* Optimisations within a pass that can be skipped: bits of Program.skipped_parts. */
typedef enum PartId {
#define PASS(name, is_optional, input, output, doc)
#define PART(name, pass, doc) PART_##name,
#include "passes.def"
  PART_COUNT
} PartId;
#define PART_RUNS(program, name) (!((program)->skipped_parts >> PART_##name & 1))

/* Runs the passes up to and including `last` on c->path, or up to the last one that is dumped.
 * Gives an exit status; messages have been printed. c->is_stopped if only dumps were wanted. */
int passes_run(Compilation *c, PassId last);
/* True if --dump names passes, and --skip what can be skipped; else complains. */
bool passes_check_options(const Options *o);
void passes_list(void); /* to stdout */
/* The names that --skip takes, in order; NULL behind the last. */
const char *passes_optional(size_t i);
const char *passes_name(unsigned index); /* of a PassId; NULL behind the last */
#endif
