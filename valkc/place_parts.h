/* place_parts.h - what the files of place share; nobody else includes it. */
#ifndef VALKC_PLACE_PARTS_H
#define VALKC_PLACE_PARTS_H
#include "flow.h"
#include "place.h"

/* How long something must live. The smaller the longer: k is the end of a round of the k-th loop
 * around, 0 the end of the function. */
enum { LIVES_ON_HEAP = -2, LIVES_IN_RESULT = -1, LIVES_IN_FUNCTION = 0, LIVES_NOWHERE = 100 };

/* A value is described at three depths: itself, what it holds directly (elements, captured values),
 * and all that is deeper. */
enum { DEPTHS = 3, ALL_DEPTHS = 7 };
static inline unsigned place_deeper(unsigned depth) { return depth + 1 < DEPTHS ? depth + 1 : depth; }

/* Depths of what a call gives and gets: bit DEPTHS * slot + depth. Slot 0 is the result, the next ones are
 * the parameters, then self. Of parameters: what is stored into them. */
typedef uint64_t PlaceParts;
enum { SLOT_RESULT = 0, SLOT_PARAMS = 1, SLOTS_MAX = 21 };
static inline PlaceParts place_part(unsigned slot, unsigned depth) { return (PlaceParts)1 << (DEPTHS * slot + depth); }
static inline bool place_is_in_params(PlaceParts parts) { return parts >> DEPTHS * SLOT_PARAMS; }

typedef struct PlaceReason { /* why something must be on the heap */
  const char *what;          /* "stored in global `cache`" */
  Span at;
} PlaceReason;

typedef struct Place Place;
typedef struct PlaceNode PlaceNode;
typedef struct PlaceFn PlaceFn;
typedef struct PlaceLoop PlaceLoop;

typedef struct PlaceWhy { /* the last step of a shortest chain */
  const PlaceReason *reason; /* set: the end of the chain, or a call on the way */
  PlaceNode *via;            /* what it flows into, at this depth */
  unsigned via_depth;
} PlaceWhy;

/* from may be what `to` is or holds: where `to` must live at depth j, from must at each depth k with
 * bit j of into[k]. */
typedef struct PlaceEdge {
  PlaceNode *from, *to;
  uint8_t into[DEPTHS];
  uint64_t rounds; /* loops that it leaves the round of, other than as part of what they build up */
  /* Of a store that may replace what was stored before: the loops around in which it may come again,
   * and whether a call may lead back here. */
  bool may_replace, is_in_cycle;
  const PlaceLoop *loop;
  uint64_t again;
  const PlaceReason *reason; /* of a store: for people */
  struct PlaceEdge *next, *next_to; /* into the same node, from the same node */
} PlaceEdge;

/* What is done to objects that change: something is stored, in the place of something else. */
enum { STORED = 1, REPLACED = 2 };

struct PlaceNode {
  int8_t lives[DEPTHS];
  uint8_t stored[DEPTHS];   /* what is there is changed, here or where it came from here; STORED.. */
  const PlaceReason *foreign; /* it may be, or hold, what was on the heap before, and why; or NULL */
  PlaceParts parts[DEPTHS]; /* what of the function's result and parameters it may become part of */
  uint64_t rounds[DEPTHS];  /* loops that carry it round */
  PlaceWhy why[DEPTHS];
  PlaceEdge *from, *to;     /* what flows into it, and where it flows */
  VEC(const LowOp *) defs;   /* of a variable: what it is set to */
  unsigned depth;            /* loops around its declaration */
  const LowVar *var;         /* or NULL */
  PlaceFn *fn;
  const Place *place;        /* whose it is: there are two runs */
  bool is_queued;
  bool is_param;
  bool is_hung;              /* %set-tail! put it at the end of a list */
  uint8_t kept;              /* depths that flow into a variable that is kept: place_kept.c */
};

#define ALL_ROUNDS UINT64_MAX
enum { LOOP_TAIL_CALLS = 0, LOOPS_MAX = 63 }; /* bits: cycles of tail calls; further loops share the last */
struct PlaceLoop {
  PlaceLoop *outer;
  unsigned depth;        /* 1: no loop around */
  uint64_t bit;
  LowLabel *label;
  uint8_t survivors;     /* RESET_*: stacks that have what outlives its rounds */
  uint8_t stack;         /* RESET_*: of what dies with a round */
  bool is_full;          /* both stacks have survivors: its temporaries are on the heap */
};

typedef struct PlaceSite { /* an operation that allocates */
  LowOp *op;
  LowStmt *stmt;
  PlaceNode *node;    /* its result; of a call: all that the callee makes there */
  PlaceLoop *loop;    /* innermost around */
  uint64_t rounds;    /* all loops around */
  uint8_t fresh;      /* depths at which it is new */
  bool is_fixed;      /* always on the heap: a primitive that cannot be told where */
  bool is_number;     /* makes a big integer or boxed float, seldom */
  PlaceNode *number;  /* of a call: such numbers that the callee makes, where numbers are placed */
  PlaceFn *callee;    /* a call */
  const char *name;   /* of what is allocated, for people */
  Span near;          /* the last place in the program's own text before it */
} PlaceSite;

typedef struct PlaceLink { /* an edge that the callee's facts ask for */
  PlaceEdge *edge;
  unsigned source, slot;
  struct PlaceLink *next;
} PlaceLink;

typedef struct PlaceCall { /* a use of what is known about another function */
  PlaceFn *callee;
  const LowOp *op;
  PlaceNode **args; /* one per parameter, then self; NULL: nothing that could be allocated */
  PlaceLink *links; /* from arguments and what the callee makes to the result and to arguments */
  PlaceNode *result; /* of the call; closures and partial applications: themselves */
  PlaceNode *number; /* calls: numbers that it makes there; where numbers are placed */
  PlaceNode *made;   /* calls: what the callee makes that is in its result or stored in arguments */
  PlaceNode *foreign; /* what was elsewhere on the heap and is there now; or NULL */
  const PlaceLoop *loop;
  uint64_t again;
  bool is_call;
  bool is_in_cycle; /* the call may come from within itself */
  bool is_guarded;  /* all that the callee put into scratch goes if memory runs out */
  const PlaceReason *reason;
} PlaceCall;

typedef struct PlaceCut { /* a value that goes round in a variable which is kept, or did */
  PlaceNode *from, *to;
  uint64_t rounds;
} PlaceCut;

struct PlaceFn {
  LowFn *low;
  PlaceNode **params; /* one per parameter, then self */
  size_t param_count; /* without self */
  PlaceNode *result;
  VEC(PlaceSite) sites;
  VEC(PlaceCall) calls;
  VEC(PlaceFn *) users;   /* whose calls depend on this one's facts */
  VEC(PlaceLoop *) loops; /* outer before inner */
  VEC(LowStmt *) unknown_calls;
  unsigned loop_count;
  VEC(PlaceNode *) foreign_nodes;
  PlaceParts fresh;       /* where something new may be that goes where the caller says */
  PlaceParts foreign;     /* where something may be that was on the heap before, or is made there */
  bool has_guard;
  bool is_passive;        /* its loops get no stacks for numbers: place_kept.c */
  struct Late *late;           /* place_graph.c */
  VEC(const LowOp *) returns;
  size_t asked;           /* is_asked: whether its result builds up this argument is being found out */
  bool is_asked;
  bool hangs;             /* %set-tail! is used */
  bool ends_unknown;      /* may end in a tail call of an unknown function */
  bool is_dirty;          /* leaves something on the stack of its temporaries */
  bool is_queued;
  uint64_t summary;
  /* Where numbers are placed: */
  const PlaceFn *objects; /* what was decided before */
  PlaceParts numbers;     /* where there may be numbers that it made */
  VEC(LowVar *) kept;     /* perhaps some no longer */
  VEC(PlaceCut) cuts;
  bool is_out_of_result;  /* not where its result is: for some caller they must live longer */
};

struct Place {
  LowProgram *low;
  Place *objects;         /* numbers are placed, too: after all else, which this decided; or NULL */
  Arena *arena;
  PtrMap fns; /* LowFn -> PlaceFn */
  VEC(PlaceFn *) all;
  VEC(PlaceFn *) work;
  VEC(PlaceNode *) queue; /* nodes whose facts grew */
  bool is_dirty_unknown;  /* calls of unknown functions may leave something on a stack */
  unsigned asked_count;   /* functions with is_asked */
  /* While a function is read: */
  PlaceFn *in;
  PlaceLoop *loop;
  unsigned loop_depth;
  uint64_t rounds;
  LowStmt *stmt;
  Span near;         /* of the last statement that is not the library's */
  struct Late *late; /* place_graph.c */
};

/* place_graph.c: the constraints of a function's statements */
PlaceFn *place_fn(Place *p, LowFn *f);
void place_read_fn(Place *p, PlaceFn *f);
void place_decide_late(Place *p, PlaceFn *f); /* of all functions, when all have been read */
PlaceNode *place_new_node(Place *p);
const PlaceReason *place_reason(Place *p, Span at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* NULL if there is nothing to say. */
PlaceEdge *place_flow(Place *p, PlaceNode *from, PlaceNode *to, const uint8_t into[DEPTHS], uint64_t rounds);
void place_heap(Place *p, PlaceNode *n, unsigned depth, const PlaceReason *reason);
/* n, at this depth and deeper, must live at least as long, be in the result there, is carried round. */
void place_demand(Place *p, PlaceNode *n, unsigned depth, int lives, PlaceParts parts, uint64_t rounds, PlaceWhy why);
PlaceParts place_one_deeper(PlaceParts parts); /* of what holds something: of what it holds */
/* x is stored into n: as a part more, or in the place of another. */
void place_store(Place *p, PlaceNode *n, PlaceNode *x, bool adds, const PlaceReason *reason);
void place_note_stored(Place *p, PlaceNode *n, unsigned depth, uint8_t how);
void place_drop(Place *p, PlaceNode *n); /* something is taken out of n */
PlaceNode *place_foreign(Place *p, const PlaceReason *reason); /* what was on the heap before */
void place_queue(Place *p, PlaceNode *n);
PlaceNode *place_arg(Place *p, LowArg a); /* NULL: nothing that could be allocated */
void place_solve(Place *p);
bool place_may_be_allocated(const Place *p, LowFacts facts);

/* place_prim.c: what a primitive does with its arguments. Gives its result's node, or NULL. */
PlaceNode *place_prim(Place *p, LowOp *op);
/* A value is stored as the tail of a cell made here (%set-tail!). */
void place_hang(Place *p, LowArg cell, LowArg tail);

extern const uint8_t place_copies[DEPTHS], place_holds[DEPTHS], place_reads[DEPTHS], place_shares[DEPTHS];
PlaceSite *place_add_site(Place *p, LowOp *op, PlaceNode *n, uint8_t fresh, const char *name);

/* place_assign.c: stacks, marks and resets, when all is known */
int place_lives(const PlaceSite *s); /* how long what it makes must live */
int place_lives_at(const PlaceSite *s, uint8_t depths); /* what it makes at these depths */
unsigned place_first_fresh(const PlaceSite *s);
const PlaceLoop *place_loop_at(const PlaceLoop *l, unsigned depth);
bool place_settle(Place *p, PlaceFn *f); /* forces sites to the heap; whether there were any */
void place_assign(Place *p);

/* place.c: the graph of all functions, solved */
Place *place_analyse(LowProgram *low, Place *objects);
/* place_rounds.c: what need not be reset */
void place_find_clean_rounds(LowProgram *low);
/* place_kept.c: numbers that loops carry round */
void place_find_kept(Place *p, PlaceFn *f);
bool place_is_kept(const Place *p, const LowVar *v);
bool place_cuts(Place *p, LowStmt *s, PlaceNode *from, PlaceNode *to, uint64_t rounds);
bool place_moves_out(Place *p, LowStmt *s);
bool place_drop_kept(Place *p, PlaceFn *f);
void place_open_rounds(Place *p, PlaceFn *f);
bool place_makes_number(const LowOp *op); /* place_prim.c */
/* place_number.c: numbers, where all else is decided */
void place_pin_objects(Place *p, PlaceFn *f);
void place_find_numbers(PlaceFn *f);
void place_assign_numbers(Place *p);
/* A call is of interest where it decides for the callee: on the heap; else the callee says it. */
bool place_is_shown(const PlaceSite *s);
#endif
