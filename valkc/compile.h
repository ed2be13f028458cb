/* compile.h - one run of the compiler: its options, its state, and the passes it calls.
 *
 * Everything a compilation makes lives in its arena and goes with compilation_free. Passes
 * report the user's mistakes through c->diag; after the last front-end pass compilation_run
 * stops if there was an error. */
#ifndef VALKC_COMPILE_H
#define VALKC_COMPILE_H
#include "../lang/core.h"
#include "options.h"
#include <stdio.h>

struct LowProgram;

typedef struct Compilation {
  const Options *options;
  const char *path; /* of the program's first file, as the user wrote it */
  Arena arena;
  Names names;
  Diag diag;
  Program program;        /* filled by expand, changed by resolve and simplify */
  struct LowProgram *low; /* made by lower */
  char *c_text;           /* made by emit; malloc */
  size_t c_len;
  const char *output; /* the executable build makes */
  int status;         /* exit status so far: a pass that fails sets it */
  bool is_stopped;    /* --dump: nothing runs after the last pass asked for */
} Compilation;

/* How a command ends. */
enum {
  EXIT_OK = 0,
  EXIT_PROGRAM = 1,   /* the user's program is wrong, or something it needs is missing */
  EXIT_USAGE = 2,     /* the command line is wrong */
  EXIT_COMPILER = 70, /* a bug in valkc */
};

void compilation_init(Compilation *c, const Options *options, const char *path);
void compilation_free(Compilation *c);
#endif
