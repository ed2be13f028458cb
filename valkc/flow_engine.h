/* flow_engine.h - what flow.c, flow_cells.c, flow_narrow.c, flow_prim.c and flow_numbers.c share. */
#ifndef VALKC_FLOW_ENGINE_H
#define VALKC_FLOW_ENGINE_H
#include "flow_value.h"

typedef struct FnInfo FnInfo;
typedef VEC(FnInfo *) FnVec;

/* A place that values flow into and others read: growing it wakes its readers. */
typedef struct Cell {
  AVal value;
  FnVec readers;
  unsigned growths; /* of its range: widened after a few */
} Cell;

typedef struct SiteField { /* of a map: what is stored under a keyword that stands in the text */
  const char *key;
  bool is_initial; /* every map made there has it */
  Cell value;
  struct SiteField *next;
} SiteField;

typedef struct Site { /* one allocation: a pair, a vector, a map */
  const Core *at; /* NULL: constant data, rest lists */
  const void *key;
  Cell head;   /* element; value of a map */
  Cell tail;   /* pairs: the rest; maps: keys */
  Cell length; /* vectors: from when they are made to their end */
  Cell frozen; /* vectors and maps: has a value if some may be */
  Cell grown, shrunk; /* vectors: has a value if some may get, or lose, elements; maps: lose keys */
  SiteField *fields;  /* maps */
  Cell loose;         /* maps: what is stored under other keys, or by code that is not seen */
  bool escaped;
  uint32_t escaped_as; /* in a value of these types, perhaps of other sites as well */
} Site;

struct FnInfo {
  Lambda *lambda; /* NULL: a top-level form */
  Core **top;     /* that form */
  Cell result;
  bool escapes;   /* unknown code may call it: its parameters are anything */
  bool is_called, is_queued;
};

typedef struct VarInfo {
  Cell all;       /* every value it ever has */
  AVal now;       /* at this point of the walk; valid if stamp is the walk's */
  unsigned stamp;
  const Core *def; /* the primitive it is bound to, for narrowing through it */
} VarInfo;

typedef struct LoopSet { /* a variable assigned in a loop: its values when rounds begin */
  Var *var;
  AVal value;
  unsigned growths;
} LoopSet;
typedef struct LoopState {
  VEC(LoopSet) sets;
  bool changed; /* the state grew since its round began */
} LoopState;

typedef struct Undo {
  Var *var;
  AVal old;
} Undo;

typedef struct ReaderSet { /* which function has read which cell already */
  struct ReaderPair {
    const Cell *cell;
    const FnInfo *fn;
  } *slots;
  size_t count, capacity; /* a power of two, at most half full */
} ReaderSet;

enum { FLOW_SPARE_ARGS = 8 };
typedef struct SpareArgs {
  struct SpareArgs *next;
} SpareArgs;

typedef struct Flow {
  Program *p;
  PtrMap fns;   /* Lambda -> FnInfo */
  PtrMap vars;  /* Var -> VarInfo */
  PtrMap globals; /* Global -> Cell */
  PtrMap sites; /* Core, Datum or Var -> Site */
  PtrMap loops; /* Loop -> LoopState */
  VEC(FnInfo *) all_fns;
  FnVec work; /* a queue: items before work_done have been walked */
  size_t work_done;
  ReaderSet readers;
  FnInfo *in;   /* being walked */
  unsigned stamp;
  VEC(Undo) undo;
  VEC(int64_t) thresholds; /* sorted: where widening stops */
  SpareArgs *spare_args[FLOW_SPARE_ARGS]; /* by count: room for arguments that nobody uses */
  uint16_t *transfer_rows; /* flow_prim.c: by row of prim_table, plus one */
  const Core *statement; /* an error as its value ends the sequence it stands in */
  bool is_recording;
  PtrMap *shapes; /* flow_run's */
} Flow;

/* flow_cells.c: the records of functions, variables and globals, made at first use. */
FnInfo *flow_fn(Flow *f, Lambda *l);
VarInfo *flow_var(Flow *f, Var *v);
Cell *flow_global(Flow *f, Global *g);
AVal flow_fn_value(Flow *f, Lambda *l);
void flow_wake(Flow *f, FnInfo *fn); /* walk it again */
void flow_mark_called(Flow *f, FnInfo *fn);
void flow_bind_param(Flow *f, Lambda *l, size_t i, AVal v);
void flow_escape_fn(Flow *f, Lambda *l);
bool flow_grow(Flow *f, AVal *to, AVal v, unsigned *growths); /* join v in; whether that was more */
/* Values of variables at this point of the walk. */
AVal *flow_now(Flow *f, Var *v);
void flow_set_now(Flow *f, Var *v, AVal value);
void flow_join_now(Flow *f, Var *v, AVal value);
void flow_undo_to(Flow *f, size_t mark);
void flow_bind(Flow *f, Var *v, AVal value, const Core *def); /* def: what it is bound to, or NULL */
AVal flow_read_var(Flow *f, Var *v);
/* flow_narrow.c: the variable is this value, if it is not shared with functions. */
void flow_narrow_var(Flow *f, Var *v, AVal value);
/* The test gave a value of this truth, and no error. */
void flow_narrow(Flow *f, const Core *test, bool truth);

AVal flow_read(Flow *f, Cell *c);            /* and wake me when it grows */
void flow_add(Flow *f, Cell *c, AVal v);     /* join v in; wakes the readers */
void flow_put(Flow *f, Site *s, Cell *part, AVal v); /* the same, head or tail of a site */
/* aval_join; what a set too large or open forgets, escapes. All joins must be this one. */
AVal flow_join(Flow *f, AVal x, AVal y);
Site *flow_site(Flow *f, const void *key, const Core *at);
AVal flow_site_value(Flow *f, Site *s, uint32_t types);
void flow_escape(Flow *f, AVal v);           /* unknown code may do anything with it */
void flow_freeze(Flow *f, AVal v);           /* it, and all it holds */
AVal flow_call(Flow *f, const Core *at, AVal fn, size_t n, const AVal *args);
AVal flow_elements(Flow *f, AVal list);      /* every element of a list, any depth of tail */
AVal flow_contents(Flow *f, AVal v);         /* elements of vectors, values of maps */
/* What the integer e is a name of; is an index below the elements that vector had at some time: flow_narrow.c, bounds. */
const Var *flow_bound(Flow *f, const Core *e);
bool flow_is_below_length(Flow *f, AVal index, const Core *vector);
AVal flow_keys(Flow *f, AVal v);

/* flow_shape.c */
void flow_note_shapes(Flow *f, const Core *call, const AVal *args);

VectorKind flow_vector_kind(Flow *f, AVal v);
/* Types alone: joining the contents could let some escape, too late once facts are recorded. */
uint32_t flow_content_types(Flow *f, AVal v);
/* flow_prim.c: the result of a primitive, effects on sites included. */
AVal flow_prim(Flow *f, Core *e, AVal *args);
/* The types that a predicate of one argument asks for, or 0 if it is none. */
uint32_t flow_asked_types(const Prim *prim);
void flow_prim_signature(const Prim *prim, size_t index, uint32_t *arg_types, uint32_t *result_types);
#endif
