/* vk.h - values, calls and errors: what generated C and the runtime agree on.
 *
 * A Valk value is one 64-bit word `V`; its low three bits are a tag:
 *
 *   0  fixnum     61-bit signed integer, shifted left by 3
 *   1  pair       address + 1 of two words {head, tail}; no header; the tail is nil or a pair
 *   2  immediate  nil (= 2), unbound (= 10), requests (low byte 18)
 *   3  float      |x| >= 2   } self-tagged: bits rotated left by 4, xor 7
 *   4  float      |x| <  2   } (Melancon, Serrano, Feeley: Float Self-Tagging, arXiv 2411.16544)
 *   7  float      0 and tiny } other magnitudes are boxed objects of kind VK_FLOAT
 *   5  object     address + 5 of a header word and its fields
 *   6  abnormal   6 itself: the tail-call marker; address + 6: an error object
 *
 * False is fixnum 0 and nil. Heap and static objects are 16-byte aligned, stack objects 8.
 * Everything in this file is C11 that gcc, clang and TinyCC accept.
 */
#ifndef VK_H
#define VK_H
#include <stddef.h>
#include <stdint.h>

/* By themselves: the system's headers for them cost a C compiler more than all of this one. */
void *memcpy(void *, const void *, size_t);
double fabs(double);
double sqrt(double);

typedef uint64_t V;
typedef struct vk vk; /* one isolate: heap, scratch, globals, parked call; never shared by threads */

#ifdef __TINYC__ /* moves no code for it */
#define VK_LIKELY(x) (x)
#define VK_UNLIKELY(x) (x)
#else
#define VK_LIKELY(x) __builtin_expect(!!(x), 1)
#define VK_UNLIKELY(x) __builtin_expect(!!(x), 0)
#endif
#if defined(__GNUC__) && !defined(__clang__)
#define VK_COLD_PATH __attribute__((cold)) /* behind a label: what leads to it is unlikely */
#else
#define VK_COLD_PATH
#endif
#define VK_COLD __attribute__((cold, noinline))
#define VK_ALIGN16 __attribute__((aligned(16)))

/* A long text is compiled in parts: with VK_PART its functions of that part alone, and in part 0 all
 * data; without, as a whole. Links inside a program need no indirection. */
#ifdef VK_PART
#define VK_IS_PART(n) (VK_PART == (n))
#define VK_SHARED __attribute__((visibility("hidden")))
#else
#define VK_IS_PART(n) 1
#define VK_SHARED static
#endif

/* ---- words ---------------------------------------------------------------------------- */

enum { VK_TAG_PAIR = 1, VK_TAG_IMM = 2, VK_TAG_OBJ = 5, VK_TAG_ABN = 6 };
#define VK_NIL ((V)2)
#define VK_UNBOUND ((V)10) /* a variable without a value; never the value of an expression */
#define VK_MARK ((V)6)     /* "a tail call is parked in c": see vk_resume */
/* A request of the server (net/request.h), which has no memory of its own on the heap: it names
 * one by a number of 56 bits. */
#define VK_REQUEST(payload) ((V)(payload) << 8 | 18)
#define VK_IS_REQUEST(v) (((v)&255) == 18)
#define VK_REQUEST_PAYLOAD(v) ((v) >> 8)
#define VK_FIX(n) ((V)((uint64_t)(int64_t)(n) << 3))
#define VK_INT(v) ((int64_t)(v) >> 3)
#define VK_FIX_MAX (((int64_t)1 << 60) - 1)
#define VK_FIX_MIN (-((int64_t)1 << 60))
#define VK_TRUE VK_FIX(1)
#define VK_FALSE VK_FIX(0)

#define VK_IS_FIX(v) (!((v) & 7))
#define VK_IS_FIX2(a, b) (!(((a) | (b)) & 7))
#define VK_IS_PAIR(v) (!(((v)-1) & 7))
#define VK_IS_OBJ(v) (!(((v)-5) & 7))
#define VK_IS_ABN(v) (!(((v)-6) & 7)) /* marker or error */
#define VK_IS_NIL(v) ((v) == VK_NIL)
#define VK_IS_FALSE(v) (!((v) & ~(V)2))
#define VK_IS_IMM_FLOAT(v) (0x98989898u >> ((unsigned)(v)&31) & 1) /* boxed floats: vk_is_float */

typedef struct VkPair {
  V head, tail;
} VkPair;
#define VK_PAIR(v) ((VkPair *)((v)-1))
#define VK_FROM_PAIR(p) ((V)(uintptr_t)(p) + 1)
#define VK_HEAD(v) (VK_PAIR(v)->head)
#define VK_TAIL(v) (VK_PAIR(v)->tail)

/* ---- objects -----------------------------------------------------------------------------
 * Header: bits 0-7 kind, 8-15 zero, 16-31 `aux` (closures: arity), 32-55 `count`
 * (number of V fields of variable length; else 0 or a cached hash), 56-63 flags.        */

#define VK_KINDS(K)                                                                           \
  K(STRING) K(SYMBOL) K(BIGINT) K(FLOAT) K(CLOSURE) K(PAP) K(BOX) K(SEXPR) K(BLOCK) K(VECTOR)  \
  K(STORE) K(MAP) K(ERROR) K(ATOM) K(HANDLE) K(RAW)
typedef enum VkKind {
  VK_NO_KIND = 0, /* a zeroed cell: no object here */
#define K(name) VK_##name,
  VK_KINDS(K)
#undef K
      VK_KIND_COUNT
} VkKind;

#define VK_FROZEN ((V)1 << 56)   /* deeply immutable: mutators give an error */
#define VK_KEYWORD ((V)1 << 57)  /* a symbol that evaluates to itself */
#define VK_NEGATIVE ((V)1 << 58) /* a big integer below zero */
#define VK_HDR(kind, aux, count) ((V)(kind) | (V)(aux) << 16 | (V)(count) << 32)
#define VK_HDR_KIND(h) ((VkKind)((h)&255))
#define VK_HDR_AUX(h) ((unsigned)((h) >> 16 & 0xFFFF))
#define VK_HDR_COUNT(h) ((size_t)((h) >> 32 & 0xFFFFFF))

#define VK_OBJ(v) ((V *)((v)-5)) /* word 0 is the header */
#define VK_FROM_OBJ(p) ((V)(uintptr_t)(p) + 5)
#define VK_KIND(v) (VK_IS_OBJ(v) ? VK_HDR_KIND(*VK_OBJ(v)) : VK_NO_KIND)
#define VK_IS_KIND(v, kind) (VK_IS_OBJ(v) && VK_HDR_KIND(*VK_OBJ(v)) == (kind))

typedef struct VkString { /* immutable bytes, a NUL after them that does not count */
  V hdr;
  size_t len;
  char bytes[];
} VkString;
typedef struct VkSymbol { /* interned: equal names are the same object; keywords keep their ':' */
  V hdr;                  /* flags: VK_KEYWORD */
  size_t len;
  char bytes[];
} VkSymbol;
typedef struct VkFloat {
  V hdr;
  double value;
} VkFloat;
typedef struct VkBigint { /* |value| > fixnum range; header count = number of digits */
  V hdr;
  uint64_t digits[]; /* libtommath digits, least significant first; VK_NEGATIVE in hdr */
} VkBigint;
typedef struct VkBox { /* a variable shared by closures and assigned after capture; atoms too */
  V hdr;
  V value;
} VkBox;
typedef struct VkSexpr { /* an unquoted list as data: prints (1 a), eval calls it */
  V hdr;
  V list; /* a pair (never nil: () is nil) */
} VkSexpr;
typedef struct VkBlock { /* a literal {..} that may reach eval: data, and code in its scope */
  V hdr;
  V list; /* nil or a pair: what list operations see */
  V code; /* closure of no parameters: what eval runs */
} VkBlock;
typedef struct VkStore { /* the elements of a vector, the entries of a map */
  V hdr;
  size_t capacity;
  V items[]; /* [0, len) of the owner are live */
} VkStore;
typedef struct VkRaw { /* bytes without values: bit sets, hash indexes, flat elements */
  V hdr;
  size_t bytes; /* of words[], a multiple of 8 */
  uint64_t words[];
} VkRaw;
typedef struct VkVector { /* vectors.h says when it has which elements */
  V hdr;                  /* aux: VkElements */
  size_t len;
  V store;
} VkVector;
typedef enum VkElements { /* what the elements are kept as */
  VK_VALUES,              /* V in a STORE */
  VK_BYTES,               /* int8_t in a RAW: integers from -128 to 127 */
  VK_FLOATS,              /* double in a RAW */
  VK_UNDECIDED,           /* it is empty, store is nil: the first element decides */
} VkElements;
enum { VK_TRACE_FIRST = 8, VK_TRACE_LAST = 24, VK_TRACE_MAX = VK_TRACE_FIRST + VK_TRACE_LAST };
typedef struct VkPos { /* one source position; static data of the program */
  const char *file;
  const char *fn; /* name of the enclosing function, or NULL at top level */
  uint32_t line, col;
} VkPos;
typedef struct VkError { /* address + 6; immutable once a position is in it */
  V hdr;
  V message; /* string */
  V kind;    /* keyword */
  V data;    /* nil if none */
  uint64_t trace_count;            /* places passed in all; the first is where it arose */
  const VkPos *trace[]; /* min(count, VK_TRACE_MAX): the first 8, then the last 24, in order */
} VkError;
#define VK_ERR(v) ((VkError *)((v)-6))
#define VK_FROM_ERR(p) ((V)(uintptr_t)(p) + 6)

/* What a function is, said once, in static data. */
typedef enum VkConv {
  VK_CONV_FIXED, /* V f(vk *c, V self, V a0..a3), the fifth and later arguments in c->xargs */
  VK_CONV_REST,  /* the same with one more parameter: the list of the remaining arguments */
  VK_CONV_ARGV,  /* V f(vk *c, V self, size_t n, const V *args): primitives with optional args */
} VkConv;
typedef enum VkOrigin {
  VK_COMPILED,
  VK_BUILTIN,   /* prints as <builtin name>, not as <lambda name> */
  VK_EVALUATED, /* its code is the evaluator's, of one isolate */
  VK_PLACED,    /* compiled, and it looks at c->result_where */
} VkOrigin;
enum { VK_REG_ARGS = 4, VK_MAX_PARAMS = 255, VK_ANY = 0xFFFF };
typedef struct VkFn {
  const char *name; /* NULL: anonymous */
  void *code;
  uint16_t min, max; /* arguments required, arguments accepted (VK_ANY: no limit) */
  uint8_t conv;
  uint8_t origin; /* VkOrigin */
  VkPos pos;
} VkFn;
typedef struct VkClosure {
  V hdr;      /* aux: parameter count if conv is FIXED, else VK_ANY; count: captured values */
  void *code; /* = fn->code, here to save a load */
  const VkFn *fn;
  V captured[];
} VkClosure;
typedef struct VkPap { /* partial application: fn (never a PAP) and its first `count` arguments */
  V hdr;
  V fn;
  V args[];
} VkPap;
#define VK_STR(v) ((VkString *)((v)-5))
#define VK_SYMB(v) ((VkSymbol *)((v)-5))
#define VK_CLO(v) ((VkClosure *)((v)-5))
#define VK_VEC(v) ((VkVector *)((v)-5))
#define VK_BOXP(v) ((VkBox *)((v)-5))
#define VK_STOREP(v) ((VkStore *)((v)-5))
#define VK_RAWP(v) ((VkRaw *)((v)-5))
#define VK_CAP(self, i) (VK_CLO(self)->captured[i])

/* ---- the isolate -----------------------------------------------------------------------
 * Only fields that generated code or inline functions touch; the rest hangs off `heap` etc. */

typedef struct VkRun { /* a free run being filled by bump allocation */
  char *cur, *lim;
} VkRun;
enum { VK_CELL_CLASSES = 17 }; /* inline object sizes: class k is 16 * k bytes, k = 1..16 */
typedef VkRun VkScratch; /* one bump stack; see scratch.h */
typedef struct VkBarrier { /* what vk_write looks at: see alloc.h */
  uintptr_t base;        /* the heap's addresses: [base, base + bytes) */
  size_t bytes;
  const uint8_t *logged; /* a bit per 16 bytes: nothing more to do when storing there */
  uintptr_t scratch_base; /* bump stacks, of all threads: scratch_space.h */
  size_t scratch_bytes;   /* 0 before the first */
  uint8_t *scratch_clean; /* a byte per 32 KiB of them: nothing there was stored into since it was looked at */
  uint32_t tags;         /* bit t: storing a value with tag t must be logged */
} VkBarrier;
/* Where something new goes: the heap, or one of the fiber's two bump stacks. */
enum { VK_ON_HEAP, VK_ON_SCRATCH_0, VK_ON_SCRATCH_1 };
struct vk {
  union {
    struct {
      VkRun pairs;
      VkScratch scratch[2]; /* the running fiber's */
    };
    VkRun bump[3]; /* the same, by where: pairs are made alike everywhere */
  };
  /* Where runtime C puts what it makes. Generated code sets it around a primitive that may be told
   * so (PRIM_PLACED), by VK_OPEN(where), and back to VK_ON_HEAP. */
  unsigned where;
  /* Stacks that had no room for something and are as full since, a bit for each place: what is told
   * to use them uses the heap without asking first. */
  unsigned full;
  /* Where the result of the function called goes: set right before the call of one that asks for it
   * (vk_take_result), else VK_ON_HEAP. */
  unsigned result_where;
  /* Where big integers and boxed floats go: set around operations on numbers alone (vk_number_on). */
  unsigned number_where;
  VkBarrier barrier;
  VkRun cells[VK_CELL_CLASSES];
  char *tail_limit; /* guarded tail calls with a frame below this park instead of calling */
  char *stop_limit; /* evaluated functions with a frame below this do not run: eval_stop.c */
  V *globals;
  V abn; /* the abnormal value behind a raw result */
  struct VkHeap *heap;
  struct VkFiber *fiber;   /* the running one */
  struct VkFibers *fibers; /* all of them, and who runs when: NULL before the first spawn: sched.h */
  const VkPos *place;      /* of the last primitive called that may wait */
  const struct VkProgram *program;
  struct NetLoop *net;    /* its event loop with sockets, or NULL: net/loop.h */
  struct VkIsolate *isolate; /* NULL: the first of the process: isolate.h */
  struct VkTasks *tasks;     /* NULL before the first future: pool.c */
  struct Evaluator *eval; /* NULL before the first eval: eval.h */
  uint64_t error_count;   /* places given to errors so far: eval_form.c */
  /* A parked tail call: either closure `park_fn` (any value), or known code. Roots. */
  V park_fn;
  void *park_code; /* not NULL: a known function without self, called with park_n words */
  size_t park_n;
  V park_args[VK_MAX_PARAMS + 1];
  V *park_more; /* arguments of a call with more than VK_MAX_PARAMS + 1: malloc, or NULL */
  V xargs[VK_MAX_PARAMS + 1];
};

#define VK_STOP_NOW ((char *)UINTPTR_MAX) /* stop_limit: as soon as possible */
#define VK_IS_STOPPING(c) (*(char *volatile *)&(c)->stop_limit == VK_STOP_NOW)

#include "alloc.h" /* vk_cons, vk_new, vk_write: allocation and the store barrier */

/* ---- floats ------------------------------------------------------------------------------ */

static inline V vk_float_bits(double d) {
  V b;
  memcpy(&b, &d, 8);
  return b;
}
V vk_float_box(vk *c, double d); /* infinities and nan are static boxes */
static inline V vk_immediate(double d) { /* no VK_IS_IMM_FLOAT if d is out of its range */
  V b = vk_float_bits(d);
  return (b << 4 | b >> 60) ^ 7;
}
static inline V vk_from_double(vk *c, double d) {
  V v = vk_immediate(d);
  return VK_LIKELY(VK_IS_IMM_FLOAT(v)) ? v : vk_float_box(c, d);
}
static inline double vk_imm_double(V v) { /* requires VK_IS_IMM_FLOAT(v) */
  V b = v ^ 7;
  double d;
  b = b >> 4 | b << 60;
  memcpy(&d, &b, 8);
  return d;
}
#define VK_IS_FLOAT(v) (VK_IS_IMM_FLOAT(v) || VK_IS_KIND(v, VK_FLOAT))
static inline double vk_double(V v) { /* requires VK_IS_FLOAT(v) */
  return VK_LIKELY(VK_IS_IMM_FLOAT(v)) ? vk_imm_double(v) : ((VkFloat *)(v - 5))->value;
}

/* ---- errors -------------------------------------------------------------------------------
 * A runtime function that fails returns an error value. Generated code passes results of
 * failing primitives through VK_AT, which records the source position.                    */

#include "symbols.h" /* VK_SYM(id): the symbols and keywords the runtime itself uses */

V vk_error(vk *c, V kind, V message, V data); /* message: a string value */
V vk_errorf(vk *c, V kind, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* An argument of the wrong type: `got` itself if it is an error, else a :type error.
 * who: the primitive's name, index: 1-based, expected: "a list". */
V vk_arg_error(vk *c, const char *who, int index, V got, const char *expected);
/* err with pos appended to its trace: a copy, unless err has no position yet. */
V vk_at(vk *c, V err, const VkPos *pos);
#define VK_AT(c, v, pos) (VK_UNLIKELY(VK_IS_ABN(v)) ? vk_at(c, v, pos) : (v))
V vk_placed(vk *c, V v, const VkPos *pos); /* VK_AT, called */
/* Operations on numbers whose fast path is inline are told where a number goes that needs memory along
 * with their place, which only the slow path looks at. */
#define VK_POS_ON(pos, where) ((const VkPos *)((const char *)(pos) + (where)))
V vk_unbound_error(vk *c, const char *name, const VkPos *pos);
/* The names of section 2: "Integer" "Float" "String" "Symbol" "List" "Function" ... */
const char *vk_type_name(V v);

/* ---- calls --------------------------------------------------------------------------------
 * vk_call*: call any value, resume parked tail calls, give a value or error (never the marker).
 * `f` applied to no arguments is itself unless it is a function that needs none.            */

V vk_call_slow(vk *c, V f, size_t n, const V *args); /* any callee, any n; may give the marker */
V vk_resume(vk *c);                                   /* run the parked call to its end */
V vk_call(vk *c, V f, size_t n, const V *args);       /* for runtime C; never the marker */
/* The same, for who is done with the result before it resets both stacks to what they were before: it may
 * be on stack `where`, if f can put it there. What is left on the stacks stays. */
V vk_call_placed(vk *c, unsigned where, V f, size_t n, const V *args);
V vk_park0(vk *c, V f);
V vk_park1(vk *c, V f, V a);
V vk_park2(vk *c, V f, V a, V b);
V vk_park3(vk *c, V f, V a, V b, V d);
V vk_park4(vk *c, V f, V a, V b, V d, V e);
V vk_parkn(vk *c, V f, size_t n, const V *args); /* all return VK_MARK */
/* The call (%apply f l) in tail position: parks it, or gives an error about l. */
V vk_apply_tail(vk *c, V f, V l, const VkPos *pos);
/* (eval x) in tail position: parks what runs it, or gives the value. */
V vk_eval_tail(vk *c, V x, const VkPos *pos);
/* Park known code `V f(vk *, V, ...)` of n <= 5 words after c, self included if it takes one;
 * parameters beyond stay in c->xargs. */
V vk_park_code(vk *c, void *code, size_t n, V a, V b, V d, V e);
V vk_park_code5(vk *c, void *code, V a, V b, V d, V e, V f);

/* Where a program goes on when memory runs out: catch.h. */
typedef struct VkCatch {
#ifdef __aarch64__
  uintptr_t registers[22];
#else
  uintptr_t registers[8];
#endif
  struct VkCatch *previous;
  char *scratch[2]; /* marks */
  char *tail_limit;
} VkCatch;
int vk_catch_set(VkCatch *k, vk *c) __attribute__((returns_twice)); /* 0, and 1 when memory ran out */
V vk_catch_landed(vk *c, const VkPos *pos);                  /* the error */

#define VK_IS_FN(f, n) (VK_IS_OBJ(f) && (uint32_t)*VK_OBJ(f) == (VK_CLOSURE | (uint32_t)(n) << 16))
#define VK_TAIL_LOW(c) ((char *)__builtin_frame_address(0) < (c)->tail_limit)
/* A call in tail position whose result is the caller's as it is: a jump. C compilers with an
 * optimiser make it one; vk_tcc.h has to say how. The number counts the words, c among them. */
#define VK_JUMP1(code, c) return (code)(c)
#define VK_JUMP2(code, c, a) return (code)(c, a)
#define VK_JUMP3(code, c, a, b) return (code)(c, a, b)
#define VK_JUMP4(code, c, a, b, d) return (code)(c, a, b, d)
#define VK_JUMP5(code, c, a, b, d, e) return (code)(c, a, b, d, e)
#define VK_JUMP6(code, c, a, b, d, e, f) return (code)(c, a, b, d, e, f)
#define VK_RESUMED(c, r) (VK_UNLIKELY((r) == VK_MARK) ? vk_resume(c) : (r))
typedef V (*VkCode0)(vk *, V);
typedef V (*VkCode1)(vk *, V, V);
typedef V (*VkCode2)(vk *, V, V, V);
typedef V (*VkCode3)(vk *, V, V, V, V);
typedef V (*VkCode4)(vk *, V, V, V, V, V);
typedef V (*VkCodeArgv)(vk *, V, size_t, const V *);

/* ---- call sites (call_sites.c) ------------------------------------------------------------
 * What generated code says where it calls a value it does not know: the usual case, a function
 * of exactly these parameters, inline. vk_callN resume and never give the marker; pos goes into
 * the errors that the call itself makes: no function, too many arguments. */

#define VK_CODE0(f) ((VkCode0)VK_CLO(f)->code)
#define VK_CODE1(f) ((VkCode1)VK_CLO(f)->code)
#define VK_CODE2(f) ((VkCode2)VK_CLO(f)->code)
#define VK_CODE3(f) ((VkCode3)VK_CLO(f)->code)
#define VK_CODE4(f) ((VkCode4)VK_CLO(f)->code)
#define VK_IS_OBJ_OR_ABN(v) ((((v)-5) & 7) < 2)

V vk_call_at(vk *c, V f, size_t n, const V *args, const VkPos *pos); /* resumes; any n */
V vk_call0_slow(vk *c, V f, const VkPos *pos);
V vk_call1_slow(vk *c, V f, V a, const VkPos *pos);
V vk_call2_slow(vk *c, V f, V a, V b, const VkPos *pos);
V vk_call3_slow(vk *c, V f, V a, V b, V d, const VkPos *pos);
V vk_call4_slow(vk *c, V f, V a, V b, V d, V e, const VkPos *pos);

/* Tail calls that cannot be made as they stand: the stack is low, or f does not take exactly
 * these arguments. Gives the marker, the value or the error. */
V vk_tail0(vk *c, V f, const VkPos *pos);
V vk_tail1(vk *c, V f, V a, const VkPos *pos);
V vk_tail2(vk *c, V f, V a, V b, const VkPos *pos);
V vk_tail3(vk *c, V f, V a, V b, V d, const VkPos *pos);
V vk_tail4(vk *c, V f, V a, V b, V d, V e, const VkPos *pos);
V vk_tailn(vk *c, V f, size_t n, const V *args, const VkPos *pos);

static inline V vk_call0(vk *c, V f, const VkPos *pos) {
  if (VK_IS_FN(f, 0)) {
    V r = VK_CODE0(f)(c, f);
    return VK_RESUMED(c, r);
  }
  return VK_IS_OBJ_OR_ABN(f) ? vk_call0_slow(c, f, pos) : f;
}
static inline V vk_call1(vk *c, V f, V a, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_FN(f, 1))) {
    V r = VK_CODE1(f)(c, f, a);
    return VK_RESUMED(c, r);
  }
  return vk_call1_slow(c, f, a, pos);
}
static inline V vk_call2(vk *c, V f, V a, V b, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_FN(f, 2))) {
    V r = VK_CODE2(f)(c, f, a, b);
    return VK_RESUMED(c, r);
  }
  return vk_call2_slow(c, f, a, b, pos);
}
static inline V vk_call3(vk *c, V f, V a, V b, V d, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_FN(f, 3))) {
    V r = VK_CODE3(f)(c, f, a, b, d);
    return VK_RESUMED(c, r);
  }
  return vk_call3_slow(c, f, a, b, d, pos);
}
static inline V vk_call4(vk *c, V f, V a, V b, V d, V e, const VkPos *pos) {
  if (VK_LIKELY(VK_IS_FN(f, 4))) {
    V r = VK_CODE4(f)(c, f, a, b, d, e);
    return VK_RESUMED(c, r);
  }
  return vk_call4_slow(c, f, a, b, d, e, pos);
}

/* New closures, boxes and literal blocks; the captured values of a closure are stored next. */
static inline V vk_closure(vk *c, const VkFn *fn, unsigned arity, size_t captured) {
  VkClosure *p = (VkClosure *)vk_new(c, sizeof(VkClosure) + captured * sizeof(V));
  p->hdr = VK_HDR(VK_CLOSURE, arity, captured);
  p->code = fn->code;
  p->fn = fn;
  return VK_FROM_OBJ(p);
}
static inline V vk_box(vk *c, V value) {
  VkBox *p = (VkBox *)vk_new(c, sizeof(VkBox));
  p->hdr = VK_HDR(VK_BOX, 0, 0);
  p->value = value;
  return VK_FROM_OBJ(p);
}
static inline V vk_block(vk *c, V list, V code) {
  VkBlock *p = (VkBlock *)vk_new(c, sizeof(VkBlock));
  p->hdr = VK_HDR(VK_BLOCK, 0, 0);
  p->list = list;
  p->code = code;
  return VK_FROM_OBJ(p);
}
#define VK_BOX_SET(c, box, v) vk_write(c, box, &VK_BOXP(box)->value, v)

/* ---- the program ------------------------------------------------------------------------- */

typedef V (*VkTop)(vk *);
/* `valkc build --heap-limit --gc-threshold --arena`; 0: not given. See limits.h. */
typedef struct VkDefaults {
  uint64_t heap_limit_bytes, gc_threshold_bytes, arena_bytes;
} VkDefaults;
typedef struct VkProgram { /* emitted once per program; everything in it is static */
  const char *name;
  const VkTop *tops; /* top-level forms in order */
  size_t top_count;
  const V *global_init; /* VK_UNBOUND or an initial value */
  const char *const *global_names;
  size_t global_count;
  const VkSymbol *const *symbols; /* symbols the program itself defines */
  size_t symbol_count;
  const VkFn *const *fns; /* every compiled function: names for stack traces */
  size_t fn_count;
  const VkDefaults *defaults; /* build options baked in, or NULL */
  int takes_server_options;   /* it may listen: net/command_line.h */
  const void *const *text_begins; /* where its code begins, and what follows it, in each part */
  const void *const *text_ends;   /* of the executable that may have some: rt/text_end.S */
  size_t text_count;              /* 0: none of its code is compiled */
} VkProgram;
#ifndef VK_TEXT_BEGINS
#define VK_TEXT_MARK(name, section)                                                            \
  extern const char name[];                                                                    \
  __asm__(".pushsection " section ",\"ax\",%progbits\n.globl " #name "\n.hidden " #name      \
          "\n" #name ":\nnop\n.popsection")
#define VK_TEXT_BEGIN                                                                          \
  VK_TEXT_MARK(vk_text_begin, ".text");                                                        \
  VK_TEXT_MARK(vk_text_begin_unlikely, ".text.unlikely");                                      \
  VK_TEXT_MARK(vk_text_begin_startup, ".text.startup");                                        \
  VK_TEXT_MARK(vk_text_begin_hot, ".text.hot");
#define VK_TEXT_BEGINS                                                                         \
  vk_text_begin, vk_text_begin_unlikely, vk_text_begin_startup, vk_text_begin_hot
extern const char vk_text_end[], vk_text_end_unlikely[], vk_text_end_startup[],
    vk_text_end_hot[];
#define VK_TEXT_ENDS vk_text_end, vk_text_end_unlikely, vk_text_end_startup, vk_text_end_hot
#endif
int vk_main(int argc, char **argv, const VkProgram *program);

V vk_list_from(vk *c, size_t n, const V *items); /* items: on the C stack or otherwise rooted */
V vk_global_slow(vk *c, size_t slot, const VkPos *pos); /* vk_global, called */
V vk_global_error(vk *c, size_t slot, const VkPos *pos) VK_COLD; /* it is not bound */
static inline V vk_global(vk *c, size_t slot, const VkPos *pos) {
  V v = c->globals[slot];
  return VK_LIKELY(v != VK_UNBOUND) ? v : vk_global_error(c, slot, pos);
}

#include "ops.h" /* inline fast paths of the hot primitives */
#include "fast.h" /* the same on operands whose types are proven */
#endif
