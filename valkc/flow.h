/* flow.h - what every expression can be: types, ranges, functions, contents.
 *
 * A whole-program control-flow and type analysis (0-CFA by abstract interpretation). Facts are
 * sound for every run of the program: a type not in `types` never occurs there. */
#ifndef VALKC_FLOW_H
#define VALKC_FLOW_H
#include "../lang/core.h"

enum {
  T_FIX = 1 << 0, /* integer in fixnum range */
  T_BIG = 1 << 1,
  T_FLOAT = 1 << 2,
  T_STRING = 1 << 3,
  T_SYMBOL = 1 << 4,
  T_KEYWORD = 1 << 5,
  T_NIL = 1 << 6,
  T_PAIR = 1 << 7,
  T_LISTOBJ = 1 << 8, /* S-expression or block object */
  T_FUN = 1 << 9,
  T_VECTOR = 1 << 10,
  T_MAP = 1 << 11,
  T_ERROR = 1 << 12,
  T_OTHER = 1 << 13,
  T_UNBOUND = 1 << 14, /* only inside variables */
  T_ANY = (1 << 14) - 1,
  T_INT = T_FIX | T_BIG,
  T_NUM = T_FIX | T_BIG | T_FLOAT,
  T_LIST = T_NIL | T_PAIR | T_LISTOBJ,
};

typedef struct LambdaFacts {
  bool is_called;  /* some reachable call or unknown code leads to it */
  bool escapes;    /* unknown code may call it */
  uint32_t types;  /* of its result */
  int64_t lo, hi;
} LambdaFacts;

/* Runs the analysis and leaves in every reachable Core its `types`, `lo`, `hi` (of the fixnum
 * part), and in CALLs `callee` when exactly one function can be called there. shapes: NULL, or gets for
 * calls of global functions with all their arguments a FlowShape of each (uint8_t). */
void flow_run(Program *p, PtrMap *shapes);

/* It takes any number of arguments, one too few at most, and neither keeps nor calls one. */
bool flow_takes_all(const Prim *prim);
/* e is (%apply prim list) of such a primitive, which is given; else NULL. */
const Prim *flow_applied_prim(const Core *e);

/* What an argument is, as far as functions of their own for it may pay (clone.c): numbers of one kind, lists
 * of them, vectors that keep them alike. */
typedef enum FlowShape {
  SHAPE_OTHER,
  SHAPE_INT,
  SHAPE_FLOAT,
  SHAPE_INT_LIST,
  SHAPE_FLOAT_LIST,
  SHAPE_INT_VECTOR,
  SHAPE_BYTE_VECTOR,
  SHAPE_FLOAT_VECTOR,
} FlowShape;
void flow_dump(Program *p, void (*put)(void *to, const char *s, size_t n), void *to);
#endif
