/* core.h - the small language between expand and lower.
 *
 * A tree of expressions. Variables are unique objects, never names. Evaluation is strict, left to
 * right. Every expression gives a value, which may be an error value (LANGUAGE.md 5); the nodes
 * that look at errors are IF, SEQ, CALL (its head) and DEF, as said beside each, and a place
 * where an error is passed on adds the node's span to its trace. */
#ifndef LANG_CORE_H
#define LANG_CORE_H
#include "datum.h"

typedef struct Core Core;
typedef struct Var Var;
typedef struct Lambda Lambda;
typedef struct Global Global;
typedef struct Loop Loop;
typedef struct Prim Prim;

typedef enum CoreKind {
  CORE_CONST,  /* datum: a constant; literal lists are quoted data */
  CORE_LOCAL,  /* var, [a = fallback]: the variable's value; if it starts unbound, the fallback's */
  CORE_GLOBAL, /* global: its value; an unbound error value if read before its definition ran */
  CORE_SET,    /* var, a = value: assigns; result nil */
  CORE_DEF,    /* global, a = value: defines. is_def: an error is not bound but is the result
                  (`def`); else errors are bound too (top-level `=`). Result nil */
  CORE_LAMBDA, /* lambda: a new function */
  CORE_CALL,   /* a = function, items = arguments. An error as function is the result, before the
                  arguments are evaluated. No arguments: calls a function that needs none, else
                  the value of a itself is the result */
  CORE_PRIM,   /* prim, items: a primitive on as many arguments as its row allows */
  CORE_IF,     /* a = condition, b = then, d = else. An error as condition is the result */
  CORE_SEQ,    /* items, at least one: stops at the first error, value of the last */
  CORE_LET,    /* var, a = init, b = body. a NULL: no value yet. A LAMBDA as init may use var itself */
  CORE_LOOP,   /* loop, items = initial values, b = body; loop->vars are fresh each round */
  CORE_RECUR,  /* loop, items: the next round; only in tail position of the loop's body */
  CORE_NAME,   /* name: not resolved yet; only between expand and resolve */
  CORE_BLOCK,  /* datum, lambda: a literal {..} as a value that may reach eval: its data, and its
                  code as a function of no parameters, in the scope where it stands */
} CoreKind;

typedef enum VectorKind { /* what the elements of a vector are kept as: rt/vectors.h */
  VECTOR_OF_ANY,          /* unknown, may differ */
  VECTOR_OF_VALUES,
  VECTOR_OF_BYTES,  /* or it is empty */
  VECTOR_OF_FLOATS, /* or it is empty */
  VECTOR_OF_ANY_FLOATS, /* floats until an error is put in: the runtime decides */
} VectorKind;

struct Core { /* 96 bytes: a line of text has a dozen, and new memory is a third of the cost of a large program */
  CoreKind kind : 8;
  VectorKind vector_kind : 8; /* PRIM that makes a vector, else on one: what it always is; flow's */
  bool is_def : 1;
  bool is_tail : 1;       /* CALL: in tail position of its function; inline.c marks them */
  bool is_block_name : 1; /* CALL of no arguments written {name} */
  bool has_facts : 1;     /* flow looked here (it was not skipped): types, lo, hi, callee */
  Span span;
  Core *a, *b, *d;
  union {
    Datum *datum;
    Var *var;
    Global *global;
    const Prim *prim;
    Loop *loop;
    struct NameRef *name; /* NAME: see expand.h */
  };
  union {
    Lambda *lambda; /* LAMBDA, BLOCK */
    Lambda *callee; /* CALL: the one function it can reach; flow's */
  };
  Core **items;
  union {
    Span *spans;            /* SEQ: where each item was written, whatever it has become: for traces */
    uint32_t content_types; /* PRIM on a vector: of its elements; flow's */
  };
  uint32_t count;
  uint32_t types; /* flow.h T_*; 0: never reached */
  int64_t lo, hi; /* range of the integers among them; INT64_MIN, INT64_MAX: none known */
};
_Static_assert(sizeof(Core) == 96 || sizeof(void *) != 8, "see above");

struct Var {
  const char *name; /* as written; "" if made by the compiler */
  Span span;
  unsigned id;          /* unique in the program; dumps show name.id */
  Lambda *owner;        /* the function (or top form, NULL) whose C frame holds it */
  bool is_param;
  bool is_set;          /* the target of some SET: else its binder gives it its only value */
  bool is_captured;     /* used by a lambda other than owner */
  bool starts_unbound;  /* LET without a value (init NULL): may be read before its first SET */
  unsigned use_count;   /* reads: core_find_free; an upper bound while simplify works */
  struct VarFlow *flow; /* resolve's notes */
  bool has_facts;       /* flow looked: all its values are of `types`, its fixnums in [lo, hi] */
  uint32_t types;
  int64_t lo, hi;
  Core *known;          /* not is_set: the expression it is bound to, if worth knowing */
  unsigned frame_slot;  /* the evaluator's: where it is in its owner's frame */
};
/* A variable that is_captured and is_set lives in a box. */
#define VAR_IS_BOXED(v) ((v)->is_captured && (v)->is_set)

struct Lambda {
  const char *name; /* for messages and C names; NULL if anonymous */
  Span span;
  Var **params; /* has_rest: the last one takes the list of the remaining arguments */
  size_t param_count;
  bool has_rest;
  Core *body;
  Lambda *parent;   /* enclosing lambda or NULL */
  Lambda *within;   /* the function whose text encloses this one's: core_function_at */
  Global *global;   /* the function of this once-defined global, or NULL */
  struct LambdaFacts *facts; /* flow's, or NULL */
  VEC(Var *) free;  /* captured variables, found by core_find_free; empty: static closure */
  unsigned id;
  enum { LAMBDA_WHOLE, LAMBDA_TESTS, LAMBDA_REST } part; /* what partial.c made of it */
  bool is_outlined; /* stays a function: valkc/guard.c */
};

struct Loop {
  Var **vars;
  size_t count;
  unsigned id;
};

typedef enum GlobalKind {
  GLOBAL_UNKNOWN,  /* no definition seen: a warning where used, an error value when read */
  GLOBAL_VARIABLE, /* a slot, set when its definitions run */
  GLOBAL_FUNCTION, /* defined once, by `fun` at top level, no free variables: exists from the
                      start; its code is `lambda`, it has no form in tops */
  GLOBAL_PRIM,     /* the function value of a primitive */
} GlobalKind;
struct Global {
  const char *name; /* with its module prefix; unique by address */
  struct Module *module; /* that it belongs to; NULL: the library */
  const char *plain;     /* its name in the module */
  Span span;        /* first definition, NO_SPAN if none */
  GlobalKind kind;
  Lambda *lambda;       /* FUNCTION */
  const Prim *prim;     /* PRIM; also the library value a VARIABLE starts with when redefined */
  Global *library;      /* VARIABLE that redefines a library function: starts with its value */
  unsigned def_count;
  unsigned use_count; /* GLOBAL nodes that name it: core_find_free; an upper bound between */
  bool is_library;
  unsigned def_seq;     /* textual order of its first definition: expand.h */
  bool is_used_early; /* resolve: warned of, once */
  bool is_top_fun;      /* some definition is a `fun` form at top level */
  Datum *definition;    /* library: once it has been read: library.c */
  bool is_pending;      /* library: not expanded yet */
  bool is_always_bound; /* VARIABLE: flow proved that its definition runs before every read */
  bool is_resolved;  /* FUNCTION: its names are bound */
  bool is_open;      /* code made at run time may name it: read it, call it, set a variable */
  bool is_reachable; /* found from the top-level forms by simplify */
  int slot;          /* VARIABLE: index into c->globals; -1 before lower */
  uint64_t value;    /* FUNCTION: the evaluator's closure of it; 0 before it is made */
  const char *doc;   /* the comment lines above its definition, or NULL */
};

/* One row of rt/prims.def. */
struct Prim {
  const char *name, *symbol, *binary, *signature, *doc;
  unsigned min, max; /* max PRIM_ANY: no limit */
  unsigned flags;
  bool is_argv; /* C takes (vk *, size_t n, const V *args), else n separate arguments */
  bool has_fixed; /* each number of arguments has a primitive of its own: prim_fixed */
};
enum { PRIM_ANY = 0xFFFF };
enum {
  PRIM_PURE = 1,      /* no effect, and the same arguments give an equal result */
  PRIM_FAILS = 2,     /* may give an error of its own (or one of its arguments) */
  PRIM_ERRS = 4,      /* takes errors as plain data: never fails because of one */
  PRIM_INLINE = 8,    /* ops.h has vk_op_NAME(c, args..., pos); symbol without "vk_" */
  PRIM_STORES = 16,   /* an argument is stored in another argument, or outlives the call */
  PRIM_CALLS = 32,    /* may call functions it is given */
  PRIM_INTERNAL = 64, /* visible in std only */
  PRIM_ISOLATES = 1024, /* starts isolates, whose globals are as they are then */
  PRIM_BLOCKS = 512,  /* may suspend the fiber: others run meanwhile, so with it goes CALLS */
  PRIM_FRESH = 128,   /* the result is newly allocated (or immediate), never an argument */
  PRIM_NET = 256,     /* its code is in libnet.a, which is linked only where it is used */
};
extern const Prim prim_table[];
extern const size_t prim_count;
const Prim *prim_find(const char *name); /* by name; NULL if there is none */
const Prim *prim_fixed(const Prim *prim, size_t count); /* what a call of so many arguments is */

typedef struct LibraryText { /* ends with one whose path is NULL */
  const char *path, *text;
  size_t len;
} LibraryText;

typedef struct TopForm {
  Core *core;
  Span span;
} TopForm;
typedef struct InlinedCall { /* for `valkc explain` */
  Span at;
  const char *name;
  enum { CALL_COPIED, CALL_MOVED, CALL_JUMPED, CALL_SPECIALISED } how;
} InlinedCall;

typedef struct Program {
  Arena *arena;
  Names *names;
  Diag *diag;
  VEC(TopForm) tops; /* in the order they run */
  VEC(TopForm) library_tops; /* definitions of std's variables; resolve puts them first */
  VEC(Global *) globals;
  VEC(InlinedCall) inlined; /* notes of simplify and merge */
  PtrMap global_by_name; /* interned name -> Global */
  VEC(Lambda *) written; /* every function of the text: core_function_at */
  bool is_written_indexed;
  const char *text;         /* of the program's own file; NULL: it is read */
  struct ProgramDefaults { /* build options baked into the program; 0: none */
    uint64_t heap_limit_bytes, gc_threshold_bytes, arena_bytes;
  } defaults;
  const char *std_dir;  /* where std's *.valk are; set by the driver */
  struct Library *library;  /* std, read but not expanded: library.c */
  struct Expander *expander;
  unsigned next_id;      /* for variables, lambdas, loops */
  const char *kept_function; /* --no-heap-in: it is not inlined; or NULL */
  unsigned skipped_parts; /* --skip: a bit for each optimisation of passes.def left out */
  bool uses_eval;        /* some code evaluates values: literal blocks carry their code */
  bool opens;            /* code made at run time may name those globals that are is_open */
  bool is_open;          /* the evaluator's: forms come one by one, and any may define any name */
  bool is_profiled;      /* explain --profile: the program counts the bytes of each allocation */
  bool is_quick;         /* for TinyCC: what compiles fast, from a compiler that does not inline */
  bool is_soon;          /* -O1: compiled soon rather than well */
  bool is_compile_time;  /* is_open: runs macros for another program, whose modules it shares */
  struct Module *root;   /* the name space of the program's own file: expand.h */
  const struct ExpandHost *host; /* runs macros; NULL: there is none */
  Arena *lasting;        /* is_open: what outlives a form; else the same as arena */
  PtrMap *literals;      /* is_open: Datum -> the word of the literal block it was made from */
  const LibraryText *library_texts; /* std's files; NULL: read from std_dir */
} Program;

Core *core_new(Program *p, CoreKind kind, Span span);
Core *core_const(Program *p, Datum *d);
Core *core_int(Program *p, Span span, int64_t n);
Core *core_nil(Program *p, Span span);
Core *core_local(Program *p, Span span, Var *v);
Core *core_let(Program *p, Span span, Var *v, Core *init, Core *body);
Core *core_if(Program *p, Span span, Core *c, Core *t, Core *e);
Core *core_prim(Program *p, Span span, const char *name, size_t count, ...); /* Core * each */
/* A CALL of a primitive with a number of arguments that its row allows becomes a PRIM; true if so. */
bool core_settle_prim(Program *p, Core *call);
Core *core_seq(Program *p, Span span, Core **items, size_t count);
Var *core_var(Program *p, const char *name, Span span, Lambda *owner);

/* Calls visit on every direct child expression (not into lambdas' bodies unless `into`). Inline, so that
 * every walk has its own: walks are a seventh of compiling. */
static inline __attribute__((always_inline)) void core_each_child(Core *e, bool into, void (*visit)(Core **child, void *to), void *to) {
  switch (e->kind) {
  case CORE_CONST:
  case CORE_GLOBAL:
  case CORE_NAME: return;
  case CORE_LAMBDA:
  case CORE_BLOCK:
    if (into && e->lambda) visit(&e->lambda->body, to);
    return;
  case CORE_LOCAL:
  case CORE_SET:
  case CORE_DEF:
  case CORE_CALL:
  case CORE_PRIM:
  case CORE_IF:
  case CORE_SEQ:
  case CORE_LET:
  case CORE_LOOP:
  case CORE_RECUR: break;
  }
  if (e->a) visit(&e->a, to);
  for (size_t i = 0; i < e->count; i++) visit(&e->items[i], to);
  if (e->b) visit(&e->b, to);
  if (e->d) visit(&e->d, to);
}
/* The innermost function of the program's text that contains the span, or NULL at top level. */
Lambda *core_function_at(Program *p, Span span);
/* Visits every top-level function (as a LAMBDA node; not in tops) and every top-level form. */
void core_each_root(Program *p, void (*visit)(Core **root, void *to), void *to);
/* Recomputes owner, is_captured, is_set and every lambda's free list of the whole program. */
void core_find_free(Program *p);
void core_find_free_of(Program *p, Core **root); /* the same of one root, but no use counts */
/* Marks the globals that the top-level forms lead to (is_reachable): lower emits no others. */
void core_find_reachable(Program *p);
/* Asserts the invariants above; diag_bug names the pass that broke one. */
void core_check(Program *p, const char *pass);
void core_dump(Program *p, void (*put)(void *to, const char *s, size_t n), void *to);
#endif
