/* low.h - the form between core and C: one function of statements per compiled Valk function.
 *
 * Everything is explicit: the order of evaluation (each operation has constants and variables as
 * operands and its result in a variable), tests for errors, boxes, closures, loops and tail
 * calls. Control is structured: IF, BLOCK (left by LEAVE), LOOP (NEXT starts the next round;
 * falling off its body or LEAVE ends it). Every path through a function ends in RETURN or NEXT.
 *
 * A variable lives in one C function and is assigned either once, where it is declared (SET with
 * is_decl), or after a DECLARE. Variables of Valk that closures share and assign are in boxes:
 * the low variable then holds the box, BOX, UNBOX and SET_BOX say so.
 *
 * Operations that may fail carry `pos`, the place put into the error; those that may give the
 * tail-call marker are resumed where they stand, unless they are the tail call of a RETURN.
 * emit.c prints all this and decides nothing. */
#ifndef VALKC_LOW_H
#define VALKC_LOW_H
#include "../lang/core.h"

/* How a variable is represented in C. */
typedef enum LowRep {
  REP_VALUE, /* a tagged word: V */
  REP_INT,   /* an integer in fixnum range, untagged: int64_t */
  REP_WIDE,  /* an integer that may exceed the fixnums but not 64 bits: int64_t */
  REP_FLOAT, /* double */
} LowRep;

/* What flow knows of a value (flow.h); types 0: nothing, it may be anything. */
typedef struct LowFacts {
  uint32_t types;
  int64_t lo, hi;
} LowFacts;

/* What a variable holds for sure: anything, no error, a fixnum. */
typedef enum LowSound { SOUND_UNKNOWN, SOUND_VALUE, SOUND_FIX } LowSound;

typedef struct LowFn LowFn;
typedef struct LowVar {
  const char *name; /* as in the source; "" for a temporary */
  unsigned id;      /* of the Valk variable, or the temporary's number in its function */
  LowRep rep;     /* represent.c */
  struct LowVar *error; /* rep is raw but it may hold an error: that or nil; raw_error.c */
  enum { KNOWN_EITHER, KNOWN_ERROR, KNOWN_NUMBER } known; /* raw_error.c, where it is at */
  LowFacts facts; /* of every value it has */
  LowFn *fn;
  unsigned read_count; /* operands that name it */
  bool is_temp;
  bool is_param;
  bool is_box;       /* holds a box, not the value */
  bool is_assigned;  /* may change while other operands wait: after a DECLARE, or round a loop */
  bool may_be_error; /* its value may be an error */
  bool is_error_part; /* the error beside a raw number, or nil: raw_error.c */
  LowSound sound;    /* hot.c: what it holds where its walk is */
  bool is_assumed_fix; /* hot.c: a fixnum in the hot copy at hand */
  bool is_tested_fix;  /* hot.c: before hot copies, because of that */
  bool is_begun;     /* hot.c: has been given a value there */
  bool is_tested_early; /* hot.c: perhaps before it was given a value, where nobody reads it: begins with one */
  unsigned set_count; /* hot.c: in the loop at hand */
  bool is_read_unbound; /* represent.c: perhaps, somewhere */
  bool is_raw;       /* the argument a boxed parameter or loop variable comes in as */
  bool is_placed;    /* errors it holds have the place `placed` already */
  Span placed;
  struct PlaceNode *node; /* place.c */
  struct LowLabel *kept_in; /* place_kept.c: the loop that carries this number round in scratch, or NULL */
} LowVar;

/* ---- constants ---------------------------------------------------------------------------
 * Equal constants are one object. Static ones are read-only data of the program; the rest (maps
 * that need hashing, and what contains them) are made at their first use and kept in a slot. */
typedef enum LowConstKind {
  LOW_INT,     /* integer, fits a fixnum */
  LOW_BIG,     /* text: decimal digits, '-' first */
  LOW_FLOAT,   /* real */
  LOW_STRING,  /* text, len */
  LOW_SYMBOL,  /* text, len: symbol or keyword */
  LOW_NIL,     /* nil */
  LOW_LIST,    /* items, at least one */
  LOW_SEXPR,   /* items, at least one: an unquoted list */
  LOW_VECTOR,  /* items */
  LOW_MAP,     /* items: key, value, key, value */
  LOW_FUNCTION, /* fn: the closure of a function that captures nothing */
  LOW_BUILTIN, /* prim: the closure of a primitive */
  LOW_LITERAL, /* items[0] = its data, items[1] = its code: a block that captures nothing */
} LowConstKind;
typedef struct LowConst {
  LowConstKind kind;
  unsigned id; /* in the order of first use */
  bool is_dynamic;
  int slot; /* is_dynamic: where in c->globals it is kept */
  union {
    int64_t integer;
    double real;
    struct {
      const char *text;
      size_t len;
    };
    struct {
      struct LowConst **items;
      size_t count;
    };
    LowFn *fn;
    const Prim *prim;
  };
} LowConst;

/* ---- operands and operations -------------------------------------------------------------- */

typedef enum LowArgKind {
  ARG_CONST,   /* constant, static */
  ARG_VAR,     /* var */
  ARG_CAPTURE, /* capture: index into the function's captures */
  ARG_SELF,    /* the closure that runs */
  ARG_UNBOUND, /* no value: what a variable starts with that has none */
  ARG_OP,      /* op, without effects (fuse.c) */
} LowArgKind;
struct LowOp;
typedef struct LowArg {
  LowArgKind kind;
  union {
    LowConst *constant;
    LowVar *var;
    unsigned capture;
    const struct LowOp *op;
  };
  LowFacts facts; /* where it stands: perhaps more than is known of the variable */
} LowArg;

/* OP(NAME, result_may_be_error). What each one means: */
#define LOW_OPS(OP)                                                                           \
  OP(COPY, 0)        /* args[0] */                                                            \
  OP(BOX, 0)         /* a new box that holds args[0], or nothing yet if there is none */      \
  OP(UNBOX, 1)       /* what is in box args[0] */                                             \
  OP(MADE, 0)        /* constant: a dynamic one */                                            \
  OP(GLOBAL, 1)      /* global: its slot; pos: an error if unbound (is_checked) */            \
  OP(NO_GLOBAL, 1)   /* global: the error that it is unbound */                               \
  OP(AT, 1)          /* error args[0] with pos added to its trace */                          \
  OP(PRIM, 1)        /* prim on args */                                                       \
  OP(CALL, 1)        /* fn, [self = args[0]], one argument per parameter */                   \
  OP(CALL_VALUE, 1)  /* args[0] applied to the rest */                                        \
  OP(PARTIAL, 0)     /* args[0] applied to the rest, fewer than it needs: a function */       \
  OP(LIST, 0)        /* a list of args */                                                     \
  OP(CLOSURE, 0)     /* fn with args captured */                                              \
  OP(LITERAL, 0)     /* a literal block: args[0] its data, args[1] its code */
typedef enum LowOpKind {
#define OP(name, may_be_error) OP_##name,
  LOW_OPS(OP)
#undef OP
} LowOpKind;

/* Where what an operation makes goes; of a call: what its result is made of. place.c */
typedef enum LowWhere {
  WHERE_HEAP,
  WHERE_RESULT, /* with the function's result: the place the caller chose */
  WHERE_TEMP,   /* the stack of the function's temporaries */
  WHERE_OTHER,  /* the other stack, above what is of the result there */
} LowWhere;
enum { RESET_TEMP = 1, RESET_OTHER = 2, RESET_DEFAULT = 4 }; /* DEFAULT: VK_TEMPORARIES(VK_ON_HEAP) */

typedef struct LowOp {
  LowOpKind kind;
  bool is_checked; /* GLOBAL: may be unbound */
  Span pos;        /* put into errors that arise here or pass */
  union {
    LowConst *constant;
    Global *global;
    const Prim *prim;
    LowFn *fn;
  };
  LowArg *args;
  size_t count;
  uint32_t content_types;   /* PRIM on a vector: of its elements; 0: unknown */
  VectorKind vector_kind;   /* PRIM that makes a vector, else on one */
  LowFacts facts;           /* of the result */
  const struct FastOp *fast; /* PRIM: what it is done by; represent.c */
  const char *symbol;        /* PRIM: the C function if not prim->symbol, used just like it */
  bool takes_errors;         /* with fast, before raw_error.c: operands may be errors */
  bool is_once;              /* runs once or a few times: small rather than fast; once.c */
  bool is_rare;              /* raw_error.c: where an operand is an error */
  bool is_called;            /* by a call, though it has a fast path; beside.c */
  const char *guard;         /* the same: it gives an error unless this C function gives 1 */
  LowWhere where;
  bool makes_number;        /* where is of a big integer or boxed float: place_number.c */
  bool moves_out;           /* COPY: a number, to the heap if it is in scratch: place_kept.c */
  unsigned site;            /* is_profiled: its number among those that allocate, from 1; else 0 */
  struct PlaceNode *made;   /* place.c: what it makes */
  uint8_t resets;           /* calls: stacks to reset behind it to what they were before */
  unsigned mark, open_mark; /* hot.c: numbers of the marks, or the cell, that two copies share; or 0 */
  uint8_t opens, closes;    /* stacks reset behind the one that closes, to what they were before the
                               one that opens, the statement before it */
} LowOp;

/* ---- statements --------------------------------------------------------------------------- */

typedef struct LowStmt LowStmt;
typedef struct LowBody {
  LowStmt *first, *last;
  bool is_closed; /* its end is not reached */
} LowBody;

typedef struct LowLabel {
  unsigned id;
  bool is_left; /* some LEAVE */
  bool is_next; /* some NEXT */
  bool needs_leave, needs_next; /* emit: some of those jumps are gotos */
  bool is_calm;                 /* LOOP: each round does something costly; calm.c */
  bool is_loop;                 /* place.c: of a LOOP, which is known to it */
  struct LowLabel *around;      /* place.c: of the innermost LOOP around, or NULL */
  uint64_t loop_bit, loops_around, rounds_next, rounds_after, resets_next, resets_after; /* place_graph.c */
  uint8_t resets;               /* LOOP: stacks that each round ends as it began */
  unsigned depth;               /* place_rounds.c: LOOP: 1 if there is none around; and what was put on stacks */
  uint64_t put;                 /* where it is left */
  bool is_kept_at_return;       /* LOOP: what its last round makes for the result is on the stack that rounds reset */
  unsigned mark;                /* emit: number of the C variable with the mark */
  unsigned shared_mark;         /* hot.c: the same for both copies; 0: none */
  /* LOOP, place_kept.c: a stack for numbers made in its rounds alone, and those that go round in it */
  uint8_t free;                 /* stacks that nothing made in its rounds is on */
  uint8_t numbers;              /* the one, as RESET_*, or 0 */
  bool makes_numbers;           /* some operation in it may */
  LowVar **kept;
  unsigned kept_count;
  unsigned numbers_mark, shared_numbers; /* as mark, shared_mark */
  bool is_quiet;                /* hot.c: this copy makes none */
  struct LowLabel *enter;       /* hot.c: LOOP: where its rounds begin, if it has a hot copy */
} LowLabel;

typedef enum LowTest {
  TEST_TRUE,    /* neither 0 nor nil; requires: no error */
  TEST_FALSE,   /* the contrary */
  TEST_ERROR,   /* an error value: unlikely. Of more operands than one: any of them */
  TEST_NO_FIXNUM, /* something else: unlikely */
  TEST_UNBOUND, /* a variable without a value: unlikely */
} LowTest;

typedef enum LowStmtKind {
  STMT_DECLARE,    /* var, without a value */
  STMT_SET,        /* var = op */
  STMT_DO,         /* op, for its effect */
  STMT_SET_BOX,    /* box op.args[0] gets op.args[1] (op is a COPY) */
  STMT_SET_GLOBAL, /* global gets op.args[0] (op is a COPY) */
  STMT_IF,         /* test on op.args[0] (op is a COPY), body, other */
  STMT_BLOCK,      /* label, body */
  STMT_LOOP,       /* label, body */
  STMT_LEAVE,      /* label: go on behind that BLOCK or LOOP */
  STMT_NEXT,       /* label: the next round of that LOOP */
  STMT_TRY,        /* var = op on fixnums, or if that is none: go on as COLD */
  STMT_COLD,       /* label: go on behind that HERE, in the cold copy of the loop */
  STMT_HERE,       /* label */
  STMT_RETURN,     /* op; with is_tail it is a tail call, the marker is passed on */
} LowStmtKind;
/* Of a LOOP, hot.c: what is done while nothing fails. Variables of the body are declared before. */
typedef struct LowHot {
  LowLabel *label, *enter; /* of the copy; where a round may begin in either */
  LowBody body, before;    /* before: of the rounds, each time they begin; bases.c */
  VEC(LowVar *) parts;     /* error parts, nil in it, and values that are no errors */
  size_t tested_count;     /* the first ones are to be tested before, the others set to nil */
} LowHot;
struct LowStmt {
  LowStmtKind kind;
  LowTest test;
  bool is_decl;    /* SET: declares var too */
  bool is_tail;    /* RETURN of CALL or CALL_VALUE: nothing may follow the call in C */
  bool is_guarded; /* is_tail, CALL: in a cycle of the tail-call graph, parks if the stack is low */
  Span span;
  uint8_t clean;         /* NEXT: stacks that the loop resets, and on which nothing was put in this round, this way */
  uint64_t rounds_after, resets_after; /* place_graph.c: what may follow */
  LowStmt *next;
  LowVar *var;
  LowLabel *label;
  LowLabel *entry; /* NEXT: the tests that begin the round lead behind this BLOCK; merge.c */
  Global *global;
  LowOp op;
  LowBody body, other;
  LowHot *hot; /* LOOP: or NULL */
};

/* ---- functions ---------------------------------------------------------------------------- */

enum { LOW_REG_ARGS = 4 }; /* as VK_REG_ARGS: further arguments come through c->xargs */

struct LowFn {
  const char *name; /* for messages and C names; NULL if anonymous */
  unsigned id;
  Lambda *lambda; /* NULL: top-level forms */
  Span span;
  bool is_library;
  Var *own;               /* the variable that names it inside itself, or NULL */
  VEC(Var *) captures;    /* in the order of the closure's fields; empty: takes no `self` */
  VEC(LowVar *) params;   /* as C gets them, the rest list last */
  unsigned required;      /* parameters without the rest */
  bool has_rest;
  bool is_needed;         /* lower_call.c: called, or a value, by what is needed */
  bool is_value;          /* its closure is made somewhere: needs VkFn, perhaps a wrapper */
  bool may_park;          /* may return the tail-call marker */
  bool is_recursive;      /* in a cycle of calls of known functions, tail or not */
  unsigned call_count;    /* places that call it as a known function */
  bool uses_self, uses_c; /* what the body mentions */
  LowRep result;          /* how the C function gives its value */
  bool takes_where;       /* place.c: the caller says where its result goes */
  bool is_parked;         /* lower_facts.c: a guarded tail call may leave it for later */
  bool has_entry_mark;    /* the same: resets its temporaries before some tail calls */
  unsigned temp_count, label_count, mark_count;
  LowBody body;
  VEC(LowStmt *) tail_calls; /* every RETURN with is_tail */
  VEC(LowFn *) callees;      /* known functions it calls, tail or not, perhaps repeated */
  LowFn **states;            /* merge.c: the functions it was made of; or NULL */
  unsigned state_count;
  bool takes_state;          /* its first argument says which of them is called */
  /* lower_facts.c */
  bool is_once;   /* all of it runs once or a few times; once.c */
  bool is_calm;   /* nothing in it runs often without a costly operation; calm.c */
  unsigned part;  /* of the text; emit_split.c */
  bool is_shared; /* named by other parts, or by data */
  unsigned index, low_link, component;
  bool is_on_stack;
};

typedef struct LowProgram {
  Program *program;
  Arena *arena;
  VEC(LowFn *) fns;       /* compiled functions reached from the top-level forms, by id */
  VEC(LowFn *) tops;      /* top-level forms, in order; some hold several */
  VEC(LowConst *) consts; /* every constant, parts before wholes */
  VEC(Global *) slots;    /* slot -> global; NULL: a dynamic constant's */
  VEC(LowConst *) slot_inits; /* slot -> its first value, NULL: unbound */
  struct Place *placement;    /* place.c, for explain; NULL if it was left out */
  unsigned part_count; /* of the text; 0 or 1: it is whole */
  unsigned first_calm, first_once; /* from these parts on, functions are calm, are once */
  size_t *part_costs; /* about proportional to the C compiler's work on each part */
  const char *uses_net;       /* emit: the first primitive of libnet.a in the text; NULL: none */
  bool may_listen;            /* emit: one that starts a server is */
} LowProgram;

/* A FIX primitive that fails, or anything that needs an argument array: not one C expression. */
/* A variable of f that no text names, declared nowhere yet. */
LowVar *low_new_temp(LowProgram *low, LowFn *f, LowRep rep, LowFacts facts);
bool low_op_is_expression(const LowOp *op);
/* The C function for a primitive that calls, in tail position: the call is parked. NULL for all
 * others; see vk.h. */
const char *low_tail_symbol(const Prim *prim);
#endif
