/* expand.h - from data to core: loads, special forms, block rules, frames. */
#ifndef LANG_EXPAND_H
#define LANG_EXPAND_H
#include "core.h"

/* A place where names are looked up. FRAME: what `=` binds in (a call, a `let`); ARM: the names
 * of `for`, `loop`, `try`, which are never assigned. The globals are the NULL scope. */
typedef struct Scope {
  enum { SCOPE_FRAME, SCOPE_ARM } kind;
  struct Scope *parent;
  VEC(Var *) vars;
  PtrMap *last; /* name -> the last of vars; NULL: there are few */
  bool is_library; /* code of std */
} Scope;

/* A file with a name space of its own: a module, or the program. Files that are loaded, not
 * imported, are part of the name space that loads them. */
typedef struct Module {
  const char *name; /* NULL: the program, whose names have no prefix */
  const char *path; /* of its file, without symbolic links */
  unsigned id;
  Span span;          /* its name in the module form */
  bool is_loading;
  VEC(Datum *) exports;
  PtrMap exported;    /* name -> its Datum in the module form */
  PtrMap imports;     /* name as written here -> Import */
  PtrMap prefixes;    /* name of a module imported whole -> Module */
  PtrMap macros;      /* name -> Macro; a later definition of the name removes it */
  PtrMap definitions; /* name -> the Datum of its latest definition at top level */
} Module;

typedef struct Import {
  Module *module;
  const char *name; /* in it */
  unsigned seq;     /* as NameRef.seq, of the import */
  Span span;
} Import;

typedef struct Macro {
  const char *name;
  Span span;         /* of its name */
  Module *module;    /* where its body looks names up */
  uint64_t function; /* the host's; 0 after an error */
} Macro;

typedef struct NameRef {
  const char *text; /* interned */
  Scope *scope;
  Module *module;
  unsigned seq;      /* how many definition forms stand before it: decides about redefinitions */
  bool is_library;   /* stands in std: sees std's names only */
  bool is_quiet;     /* inside a literal that may be mere data: no warnings */
} NameRef;

/* Reads path and what it loads, and fills p->tops and p->globals with core whose names are
 * CORE_NAME nodes. Requires p's arena, names, diag and std_dir. Mistakes go to p->diag;
 * false if the file cannot be read at all (also reported). */
bool expand_program(Program *p, const char *path);

/* What runs code while a program is expanded: the evaluator. p: the program whose text it is, which
 * owns what comes back. All report mistakes to p->diag. */
typedef struct ExpandHost {
  void *self;
  /* Makes the code of m, whose form is (macro {name params...} body). */
  void (*define)(void *self, Program *p, Macro *m, Datum *form);
  /* What m makes of a call; NULL after an error. */
  Datum *(*expand)(void *self, Program *p, Macro *m, Datum *call);
  /* The value of (comptime e) as a constant; NULL after an error. */
  Datum *(*compute)(void *self, Program *p, Module *module, Datum *form);
  /* A name of the module is defined once more: its value so far is out of date. */
  void (*forget)(void *self, Module *module, const char *name);
} ExpandHost;

/* A program without forms, to be added to one by one. p as for expand_program, and is_open set. */
void expand_begin(Program *p);
/* One top-level form, and what it loads or imports, expanded to p->tops. False after an error. */
bool expand_form(Program *p, Module *m, Datum *form);
/* Forms may be expanded while others are, by macros: what belongs to one batch of them. */
typedef struct ExpandBatch {
  char bytes[256];
} ExpandBatch;
void expand_batch_begin(Program *p, ExpandBatch *saved);
void expand_batch_end(Program *p, const ExpandBatch *saved);

/* The user's global that a name means in a module, imported ones included, or NULL. *seq: from
 * where in the text on it means that (NameRef.seq). */
Global *module_find(Program *p, Module *m, const char *name, unsigned *seq);
/* nil, true, false, otherwise */
bool library_constant(const char *name, int64_t *value, bool *is_nil);
/* What a list that begins with the name is in the globals of a module. */
typedef enum HeadKind { HEAD_NAME, HEAD_FORM, HEAD_MACRO } HeadKind;
HeadKind expand_head_kind(Program *p, Module *m, const char *name);
/* Names mean in the globals what they did, as long as this is the same. */
unsigned expand_generation(const Program *p);
Global *expand_define(Program *p, Module *m, const char *name); /* as a definition form does */
Global *library_global(Program *p, const char *name); /* the library's, or NULL */
Datum *library_definition(Program *p, Global *g); /* requires: one that std defines */
/* The module's own global of that name, made if need be. */
Global *module_global(Program *p, Module *m, const char *name);
/* The names of the library that programs may use, std's first. */
void library_each_name(Program *p, void (*visit)(void *to, const char *name), void *to);
void library_consider(Program *p, DiagNearest *near);
/* The names of the special forms, and how each is written; NULL after the last. */
const char *form_name(size_t index);
const char *form_usage(const char *name); /* NULL: no special form */
/* Macros made by another host are of no use to the next. */
void modules_forget_macros(Program *p);
Macro *module_macro(Module *m, const char *name); /* or NULL */
/* An unknown name that a module keeps to itself: an error, and true. */
bool module_reports_private(Program *p, Module *m, const char *name, Span at);
/* Expands the pending definition of a library global (resolve calls it on first use). */
void expand_library_global(Program *p, Global *g);
Var *scope_find(const Scope *s, const char *name); /* in this scope only */
#endif
