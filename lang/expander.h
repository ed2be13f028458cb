/* expander.h - what expand.c, forms.c and library.c share; nobody else includes it. */
#ifndef LANG_EXPANDER_H
#define LANG_EXPANDER_H
#include "expand.h"
#include <string.h>

/* Where an expression stands. */
typedef struct Ctx {
  Scope *scope;       /* NULL: the globals */
  Module *module;     /* whose globals */
  Loop *loop;         /* the loop whose tail position this is, or NULL */
  bool is_library;    /* text of std */
  bool is_quiet;      /* text that may be mere data: no warnings about its names */
  bool is_top;        /* directly at top level: a `fun` here exists from the start */
} Ctx;

/* A literal {..} in expression position: data, and code if the program can eval it. */
typedef struct Literal {
  Core *node; /* CORE_CONST; becomes CORE_BLOCK */
  Ctx ctx;
  unsigned seq;
} Literal;

typedef struct Frame { /* a FRAME scope and the expression its `=` variables are bound around */
  Scope *scope;
  Core **body;
  size_t bound_count; /* variables of the scope already bound: parameters, let names */
} Frame;

typedef struct LoadChain {
  const char *path;
  struct LoadChain *outer;
  Module *module; /* what it imports; NULL: it is loaded */
} LoadChain;

typedef struct Expander {
  Program *p;
  PtrMap forms; /* name -> const Form * */
  unsigned seq; /* definition forms seen so far */
  unsigned depth;
  PtrMap mentioned; /* names that user code mentions: do any lead to eval? */
  PtrMap forms_used; /* names of special forms -> Datum *: where the program first meant one */
  VEC(Literal) literals;
  VEC(Frame) frames;
  LoadChain *loads;
  VEC(Module *) modules;      /* in the order of their ids; the program first */
  unsigned expansions;        /* of macros, since the outermost call being expanded */
  unsigned expansion_depth;   /* calls of macros around */
} Expander;

enum {
  EXPAND_DEPTH_MAX = 4000,
  EXPANSIONS_MAX = 10000,         /* of one form, again and again */
  EXPANSIONS_TOTAL_MAX = 1000000, /* that one call leads to */
};

typedef Core *(*FormFn)(Expander *x, Datum *form, Ctx ctx);
typedef struct Form {
  const char *name;
  unsigned min, max; /* operands; PRIM_ANY: no limit */
  FormFn expand;
  const char *usage; /* shown when the operands are wrong */
} Form;
const Form *form_table(size_t *count);

/* expand.c */
Core *expand_expr(Expander *x, Datum *d, Ctx ctx);
Core *expand_call(Expander *x, Datum *list, Ctx ctx);   /* the items of list as a call form */
Core *expand_body(Expander *x, Datum *d, Ctx ctx);      /* body of \ fun let loop */
Core *expand_branch(Expander *x, Datum *d, Ctx ctx);    /* result of if, select, ... */
Core *expand_branches(Expander *x, Datum **items, size_t n, Span span, Ctx ctx);
Core *expand_exprs(Expander *x, Datum **items, size_t n, Span span, Ctx ctx);
Core *expand_fail(Expander *x, Span at); /* stands for what could not be expanded */
Lambda *expand_lambda(Expander *x, Datum *params, size_t first, Datum *body, const char *name,
                      Span span, Ctx ctx);
/* A function of no parameters whose body is the branch d. */
Lambda *expand_thunk(Expander *x, Datum *d, Span span, Ctx ctx);
Scope *scope_new(Expander *x, int kind, Ctx ctx);
Var *scope_add(Expander *x, Scope *s, const char *name, Span span);
void frame_add(Expander *x, Scope *s, Core **body);
/* The global that a definition form of this name defines; counts the definition. */
Global *global_define(Expander *x, const char *name, Span span, Ctx ctx, bool is_top_fun);
/* Expands the literals that may be code and binds the frames' variables: ends a batch. */
void expand_finish(Expander *x);
void expand_top_forms(Expander *x, uint32_t file, Module *m); /* a file's forms, to p->tops */
void expand_top(Expander *x, Module *m, Datum *d);            /* one */
Core *expand_fail_at(Expander *x, const Datum *d, const char *what); /* an error, and expand_fail */
/* For compile time: d defines the name at top level. */
void note_definition(Expander *x, Ctx ctx, const char *name, Datum *d);

static inline Ctx ctx_inner(Ctx ctx) { /* an operand: neither tail position nor top level */
  ctx.loop = NULL;
  ctx.is_top = false;
  return ctx;
}
static inline Ctx ctx_within(Ctx ctx, Scope *s, Loop *loop) { /* in a new scope */
  ctx.scope = s;
  ctx.loop = loop;
  ctx.is_top = false;
  return ctx;
}
static inline Ctx ctx_tail(Ctx ctx) {
  ctx.is_top = false;
  return ctx;
}

static inline bool datum_is_block(const Datum *d) {
  return d->kind == DATUM_LIST && (d->is_quoted || d->count == 0);
}
static inline bool datum_is_symbol(const Datum *d, const char *text) {
  return d->kind == DATUM_SYMBOL && !strcmp(d->text, text);
}

/* forms.c */
Core *expand_or_error(Expander *x, Span span, Var *v, Core *body); /* v's error, else body */
Core *expand_make_error(Expander *x, Span span, const char *message);

/* modules.c */
Module *module_new(Expander *x);
bool is_module_form(const Datum *d); /* (module name ...), well formed or not */
void module_declare(Expander *x, Module *m, Datum *form);
Core *form_module(Expander *x, Datum *d, Ctx ctx);
Core *form_import(Expander *x, Datum *d, Ctx ctx);
/* Finds and reads the file that the datum `name` names, beside the file where it stands, in the
 * working directory if `in_cwd`, in the library; ending: ".valk" or "". */
bool find_source(Expander *x, const Datum *name, bool in_cwd, const char *ending, uint32_t *file,
                 const char **path);

/* macro.c */
Core *form_macro(Expander *x, Datum *d, Ctx ctx);
Core *form_comptime(Expander *x, Datum *d, Ctx ctx);
/* The macro that a list calls where ctx is, or NULL. */
Macro *macro_called(const Datum *d, Ctx ctx);
Core *expand_macro_call(Expander *x, Datum *d, Ctx ctx); /* requires: macro_called */

/* open_world.c: after resolve, of a compiled program */
void open_world_run(Program *p);

/* match.c */
Core *form_match(Expander *x, Datum *d, Ctx ctx);

/* library.c: std by name. */
typedef struct Library Library;
Library *library_load(Program *p);
Global *library_find(Program *p, const char *name); /* function, variable or primitive; or NULL */
/* Does the library code that name leads to use eval? Visits each definition once. */
bool library_mentions_eval(Program *p, const char *name);
#endif
