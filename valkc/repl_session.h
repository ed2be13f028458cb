/* repl_session.h - what the parts of `valkc repl` share.
 *
 *   repl.c          the loop; from the text of an entry to what is printed
 *   repl_command.c  entries that begin with a colon
 *   repl_names.c    completion
 *   repl_input.c    lines from the terminal
 *   repl_signal.c   control-C
 *
 * Everything that is entered is one source, `repl`, that grows: places in it stay what they are, and
 * functions remember theirs. Definitions are remembered by place too, for :doc, :dump and completion. */
#ifndef VALKC_REPL_SESSION_H
#define VALKC_REPL_SESSION_H
#include "../rt/eval.h"
#include "options.h"
#include "repl_input.h"

typedef struct Repl {
  const Options *options;
  vk *c;
  Evaluator *ev;
  Input *input;
  InputKind kind;
  bool use_colour;
  bool has_failed; /* some entry had an error */
  bool is_over;    /* :quit */
  uint32_t file;   /* the source of what is entered, and its text */
  char *text;
  size_t len, capacity;
  PtrMap definitions;        /* name -> Definition */
  VEC(const char *) loaded;  /* files, in order, for :reload */
} Repl;

typedef struct Definition { /* the latest of a name at top level */
  const char *name;
  Span span;
} Definition;

/* Evaluates the forms of an entry, in order: the value of the last, or VK_UNBOUND if one is no code,
 * fails or is interrupted, which has been reported then. show: prints each value but nil. */
V repl_evaluate(Repl *r, const char *text, size_t len, bool show);
/* The same of a file. False: it cannot be read, or something in it failed; reported. */
bool repl_load(Repl *r, const char *path);
void repl_show(Repl *r, V value);
void repl_complain(Repl *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Runs the entry if it is a command. */
bool repl_command(Repl *r, const char *text, size_t len);
const char *repl_command_name(size_t index); /* with its colon; NULL after the last */

Completions repl_complete(void *repl, const char *line, size_t cursor);

/* Escape sequences, or "" without colours. */
typedef enum Colour { COLOUR_PROMPT, COLOUR_ERROR, COLOUR_VALUE, COLOUR_DIM, COLOUR_NONE } Colour;
const char *repl_colour(const Repl *r, Colour colour);
#endif
