/* eval.h - the evaluator: what its parts share, and what the compiler asks of it.
 *
 *   eval.c        (eval x), `load` at run time, definitions with computed names
 *   eval_world.c  an isolate's evaluator: its globals and its library
 *   eval_form.c   from a datum to its value
 *   eval_macro.c  macros and comptime: the evaluator as the expander's host
 *   eval_code.c   core to code
 *   eval_run.c    running code
 *   eval_stop.c   stopping it from outside
 *   datum_value.c data to values and back
 *
 * Code is a tree of nodes that know how to run themselves. Variables have places: slots of the
 * activation's array, or captured values of the closure; globals are slots of c->globals, where
 * compiled code has them too. Functions are ordinary closures, so that compiled code calls
 * evaluated functions, and the reverse, like any other.
 *
 * Only programs that reach eval link any of this. */
#ifndef VK_EVAL_H
#define VK_EVAL_H
#include "../lang/expand.h"
#include "vk.h"
#include <stdbool.h>

/* ---- code ---------------------------------------------------------------------------------- */

typedef struct Code Code;
typedef V (*EvalRun)(vk *c, const Code *e, V *env);
struct Code {
  EvalRun run;
  const VkPos *pos; /* of errors that arise here, or pass; NULL: without a place */
  uint32_t count;   /* of kids, where it varies */
  uint32_t slot;
  union {
    V value;
    const void *data;
  };
  const Code *kids[];
};

/* A function. A closure of it captures the unit's keeper, then the variables. An activation is an
 * array: the closure, the parameters, the variables of the body. */
typedef struct EvalFn {
  VkFn fn;          /* first: what closures point to */
  const Code *body; /* NULL: not translated yet */
  Lambda *lambda;   /* what is to be translated */
  Global *global;   /* of the lambda; NULL if it is no global's */
  uint32_t slot_count;
  uint32_t param_count; /* with the one of the rest */
  uint32_t capture_count;
  int32_t own;        /* the captured variable that is the closure itself, or -1 */
  int32_t captures[]; /* where the maker has them: a slot, or ~n: its captured value n */
} EvalFn;
enum { EVAL_SELF = 0, EVAL_FIRST_PARAM = 1, EVAL_KEEPER = 0, EVAL_FIRST_CAPTURE = 1 };

/* A place in the text: VkPos first, so that errors lead back to the span. */
typedef struct EvalPos {
  VkPos pos;
  Span span;
} EvalPos;

/* Code that is made, and freed, together. */
typedef struct EvalUnit {
  Arena arena;
  Arena places;         /* the EvalPos of its code */
  uint64_t error_count; /* of c, when it was made: have errors taken its places since? */
  bool is_permanent;  /* its constants are kept for good */
  bool has_functions; /* closures may outlive its run */
} EvalUnit;

/* ---- the evaluator of an isolate ------------------------------------------------------------ */

/* What a symbol means in the globals, as far as it has been asked. */
typedef struct EvalName {
  unsigned seq; /* as long as the expander's is the same; see eval.c */
  enum { NAME_SLOT, NAME_VALUE, NAME_MACRO } kind;
  bool is_form; /* as the head of a list */
  int form;     /* which: eval.c */
  uint32_t slot;
  V value; /* VALUE: kept by the evaluator */
} EvalName;

typedef struct Evaluator {
  vk *c;
  Program *p;        /* the names it knows */
  VkProgram program; /* c->program from the start on: its tables grow */
  size_t slot_capacity;
  EvalUnit unit; /* permanent code */
  V kept;        /* a vector: constants of permanent code, functions of globals; a root */
  V self;        /* the closure that permanent top-level forms run as */
  V stopped;     /* the error with which all evaluated functions end now, or nil; a root */
  enum { STOP_INTERRUPTED, STOP_TOO_DEEP, STOP_NO_MEMORY } stop_reason;
  ExpandHost host;
  Arena spare; /* for a batch that no other is around */
  bool is_spare_used;
  PtrMap names; /* address of a symbol -> EvalName */
  Program own;  /* p, if it was made here, with what it needs: */
  Arena arena;
  Names own_names;
  Diag diag;
} Evaluator;

extern const LibraryText vk_library_texts[]; /* std, as text in the archive (tools/embed) */

/* That of the isolate, made at its first use around the compiled program's tables. */
Evaluator *eval_of(vk *c);
/* One around a program of the caller's: c->eval. */
Evaluator *eval_new(vk *c, Program *p);
/* From now on its forms may come one by one, and define any name anew. */
void eval_open(Evaluator *ev);
void eval_set_host(Evaluator *ev,
                   ExpandHost *host); /* fills host with functions of eval_macro.c */
/* Runs the top-level forms of the program that have been expanded and resolved: the value of the
 * last, or the first error. */
V eval_run_tops(Evaluator *ev, EvalUnit *unit, V *keeper);

/* ---- eval_form.c ---------------------------------------------------------------------------- */

/* A batch of forms: data and core in memory of their own. Batches nest like calls. */
typedef struct EvalBatch {
  ExpandBatch saved;
  Arena own, *arena;
  size_t errors, warnings, messages; /* of the diag, when it began */
} EvalBatch;
Arena *eval_batch_begin(Evaluator *ev, EvalBatch *b);
void eval_batch_end(Evaluator *ev, EvalBatch *b);
/* The value of a form of module m, expanded, resolved and run in the globals. VK_UNBOUND if it is
 * no code: messages are in the program's diag. Ends the batch, in which the datum may be, before it
 * runs the code. PERMANENT: keeps its code for good. PARKED: gives the marker, what runs the form
 * being parked. */
typedef enum EvalHow { EVAL_ONCE, EVAL_PERMANENT, EVAL_PARKED } EvalHow;
V eval_form(Evaluator *ev, Module *m, Datum *d, EvalBatch *b, EvalHow how);
/* x, a value, as a form in the globals. is_branch: its outer braces are parentheses, as `eval`
 * reads it. may_park: gives the marker, what runs it being parked. */
V eval_value(Evaluator *ev, V x, bool is_branch, bool may_park);
/* The first error message since a batch began, as an error value; the messages are forgotten. */
V eval_syntax_error(Evaluator *ev, const EvalBatch *b);
/* A form whose outer braces read as parentheses. */
Datum *eval_branch(Arena *a, Datum *d);

/* The place of a global in c->globals. */
uint32_t eval_slot(Evaluator *ev, Global *g);
/* Names of a library function's code are bound when it is first called. */
void eval_resolve_fn(Evaluator *ev, const EvalFn *fn);
/* The function value of a FUNCTION or PRIM global. */
V eval_function(Evaluator *ev, Global *g);

/* ---- eval_code.c ---------------------------------------------------------------------------- */

/* A top-level form as a function without parameters. *keeper, a vector on the caller's stack or
 * VK_NIL if the unit is permanent, holds the constants the code refers to. */
const EvalFn *eval_translate_top(Evaluator *ev, EvalUnit *unit, V *keeper, Core *core);
/* The same as what a closure may have: its last call is a tail call. */
const EvalFn *eval_translate_thunk(Evaluator *ev, EvalUnit *unit, V *keeper, Core *core);
void eval_translate_body(vk *c, EvalFn *fn);      /* of a function that has none yet */
EvalFn *eval_global_fn(Evaluator *ev, Lambda *l); /* without captures, untranslated */

/* ---- eval_run.c ----------------------------------------------------------------------------- */

extern void *const eval_entries[VK_REG_ARGS + 1]; /* code of closures, by parameters */
V eval_run(vk *c, const EvalFn *fn, V self);      /* a top-level form; never the marker */
V eval_closure(vk *c, const EvalFn *fn, V keeper, V *env);
V eval_unbound(vk *c, uint32_t slot, const VkPos *pos); /* a global without a value is read */

/* ---- eval_stop.c --------------------------------------------------------------------------- */

/* From now on evaluated code stops at its next call or round of a loop when eval_stop_now is
 * called, and when it has used up stack or heap but for a reserve, instead of ending the process. Until
 * eval_stop_over every such call and round gives one and the same error, of kind :interrupted,
 * :stack-overflow or :out-of-memory, so that no `try` keeps the program going. */
void eval_stop_enable(vk *c);
void eval_stop_now(vk *c); /* from a signal handler, too */
/* Code may run again: the error with which it was stopped since the last time, or nil. */
V eval_stop_over(vk *c);
V eval_stopped(vk *c); /* the error; for eval_run.c */

#endif
