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
  bool is_library; /* code of std */
} Scope;

typedef struct NameRef {
  const char *text; /* interned */
  Scope *scope;
  unsigned seq;      /* how many definition forms stand before it: decides about redefinitions */
  bool is_library;   /* stands in std: sees std's names only */
  bool is_quiet;     /* inside a literal that may be mere data: no warnings */
} NameRef;

/* Reads path and what it loads, and fills p->tops and p->globals with core whose names are
 * CORE_NAME nodes. Requires p's arena, names, diag and library_dir. Mistakes go to p->diag;
 * false if the file cannot be read at all (also reported). */
bool expand_program(Program *p, const char *path);
/* Expands the pending definition of a library global (resolve calls it on first use). */
void expand_library_global(Program *p, Global *g);
Global *global_intern(Program *p, const char *name, bool is_library);
/* A new lambda's frame's unbound variables wrapped around its body: see resolve.c. */
Var *scope_find(const Scope *s, const char *name); /* in this scope only */
#endif
