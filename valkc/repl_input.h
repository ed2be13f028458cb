/* repl_input.h - lines for `valkc repl`: from a terminal with editing, from one without, from a pipe.
 *
 *   EDITED   a terminal that can move its cursor: line editing, history and completion (libedit)
 *   PLAIN    a dumb terminal: a prompt, and what the kernel's line discipline can do
 *   PIPED    no terminal: no prompt
 *
 * The history is kept in a file across sessions; every entry is appended when it is remembered, so
 * that sessions side by side keep theirs. One Input per process. */
#ifndef VALKC_REPL_INPUT_H
#define VALKC_REPL_INPUT_H
#include "process.h"

typedef struct Input Input;
typedef enum InputKind { INPUT_EDITED, INPUT_PLAIN, INPUT_PIPED } InputKind;
typedef enum InputResult {
  INPUT_LINE,
  INPUT_END,         /* of the file, or control-D */
  INPUT_INTERRUPTED, /* control-C: what has been typed is dropped */
} InputResult;

/* What completion can offer. items: malloc, each and the array; freed by the input. */
typedef struct Completions {
  char **items; /* sorted, no two alike */
  size_t count;
  size_t start; /* where in the line the text begins that they replace */
} Completions;
typedef struct InputOptions {
  const char *history_path; /* NULL: no history is kept */
  Completions (*complete)(void *to, const char *line, size_t cursor);
  /* Lets what runs beside the session run for a moment. False: there is nothing. */
  bool (*serve)(void *to);
  void *to;
} InputOptions;

InputKind input_kind(void); /* as standard input and output are */
Input *input_open(InputKind kind, const InputOptions *options);
/* The next line, without its newline; malloc. The prompt may have colours (\033[...m). */
InputResult input_line(Input *in, const char *prompt, Text *line);
/* An entry, which may be of several lines, for the history: not if it is blank or the same as before. */
void input_remember(Input *in, const char *entry, size_t len);
void input_close(Input *in);
#endif
