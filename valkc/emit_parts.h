/* emit_parts.h - what the files of emit share; nobody else includes it. */
#ifndef VALKC_EMIT_PARTS_H
#define VALKC_EMIT_PARTS_H
#include "emit.h"

typedef struct Text { /* malloc */
  char *bytes;
  size_t len, capacity;
} Text;

enum { LISTS_INLINE = 4 }; /* lists of so many items: vk_list4 */

typedef struct Located { /* a place whose line and column are known */
  uint32_t file, start, line, column;
} Located;

typedef struct Emit {
  LowProgram *low;
  Program *p;
  Arena *arena;
  /* The C text is their concatenation in this order; externs: data, for parts that do not have it. */
  Text prototypes, externs, files, data, code;
  Text *out;                   /* the one being written */
  unsigned part;               /* being printed */
  unsigned depth;              /* of indentation */
  LowFn *fn;                   /* being printed */
  const LowLabel *loop;        /* the innermost C loop around */
  bool has_cell;               /* a cell on the stack was made in this function: no jumps */
  uint32_t file, line;         /* of the last #line directive */
  Located located;
  struct PlaceTable *places;
  uint32_t *cells_of;     /* by const id: one more than where its pairs begin in `cells`; 0: nowhere */
  const LowConst **lists; /* in the order of their pairs */
  size_t list_count, cell_count;
  bool *is_const_used; /* by const id */
  bool *is_prim_used, *is_once_used; /* by row of prim_table */
  bool *is_file_used;
  bool has_return;        /* the function being printed has a return statement */
  bool needs_collections; /* lists.h, vectors.h, maps.h */
  const LowOp *unplaced;  /* the last operation: its error gets its place in the test that is next */
  unsigned opened_mark;   /* of the last operation that opens */
  unsigned mark_count;    /* marks named in the function being printed */
} Emit;

/* emit_text.c. Formats: %s text, %u unsigned, %d int, %z size_t, %v LowVar *, %a const LowArg *,
 * %f LowFn * (its C function), %n LowFn * (its name and id), %k const LowConst * (the value),
 * %p const Span * (address of that VkPos in the current function), %% */
void put(Emit *e, const char *format, ...);
void put_line(Emit *e, const char *format, ...); /* indented, with a newline */
void put_line_start(Emit *e);                    /* the indentation alone */
void put_string(Emit *e, const char *bytes, size_t len); /* a C string literal */
void put_mangled(Emit *e, const char *name);
void put_in_comment(Emit *e, const char *text); /* which cannot end the comment */
void put_var(Emit *e, const LowVar *v);
void put_arg(Emit *e, LowArg a);
void put_fast_call(Emit *e, const LowOp *op); /* emit.c: an operation with `fast` */ /* as a value, V */
void put_arg_as(Emit *e, LowArg a, LowRep rep);
/* Around an expression of representation `from`: what makes it one of `to`. */
void put_convert_begin(Emit *e, LowRep from, LowRep to);
void put_convert_end(Emit *e, LowRep from, LowRep to);
const char *rep_type(LowRep rep); /* "V ", "int64_t ", "double " */
void put_fn_name(Emit *e, const LowFn *f);
void text_put(Text *t, const char *bytes, size_t len);
void text_free(Text *t);

/* emit.c: functions and forms, to code; prototypes, those of a part's own code, too. */
void emit_code(Emit *e);
void emit_prototype(Emit *e, const LowFn *f);
void emit_own_prototypes(Emit *e, unsigned part);

/* emit_split.c: parts of the text, and the functions in them. */
void emit_split(LowProgram *low);

/* emit_place.c: source positions */
void put_place(Emit *e, Span at);          /* &at[12] */
void put_place_fields(Emit *e, Span at); /* {file, function, line, column} */
void emit_places(Emit *e);                 /* the table, where e->out is */
void emit_files(Emit *e);                  /* the names of files; after all others */
void emit_line_directive(Emit *e, Span at); /* if the source line is another one */

/* emit.c */
static inline bool emit_is_read(const LowVar *v) { return v && v->read_count > 0; }
void emit_target(Emit *e, const LowVar *v, bool is_decl); /* "V x = ", "x = ", or nothing */
bool emit_is_cell(const LowOp *op);                       /* it makes a cell on the C stack */
bool emit_needs_array(const LowOp *op);                   /* its arguments are in an array */

/* emit_where.c: scratch */
void put_where(Emit *e, LowWhere where);
bool emit_is_passed_where(const LowFn *f);
bool emit_has_entry(const LowFn *f);
void put_pos(Emit *e, const LowOp *op);
/* Their number, for the next. Declares them, unless they have a number: two copies share them. */
unsigned emit_round_marks(Emit *e, uint8_t resets, unsigned shared);
void emit_shared_marks(Emit *e, const LowBody *body); /* declares those, and shared cells */
void emit_resets(Emit *e, uint8_t resets, unsigned mark);
bool emit_makes_pair(const LowOp *op); /* a pair in scratch, made inline */
bool emit_is_told(const LowOp *op);
void emit_numbers_begin(Emit *e, LowLabel *l);
void emit_numbers_next(Emit *e, const LowLabel *l);
void emit_numbers_end(Emit *e, const LowLabel *l);
void emit_tell(Emit *e, const LowOp *op);
void emit_untell(Emit *e, const LowOp *op);
unsigned emit_profile_begin(Emit *e, const LowOp *op);
void emit_profile_end(Emit *e, const LowOp *op, unsigned number);
unsigned emit_place_begin(Emit *e, const LowOp *op);
void emit_place_end(Emit *e, const LowOp *op, unsigned mark);
void emit_loop_exits(Emit *e, const LowLabel *from, const LowLabel *to);
void emit_return_exits(Emit *e);
bool emit_return_resets(const Emit *e);
void emit_entry(Emit *e, const LowFn *f);
void emit_before_tail_call(Emit *e, const LowOp *op);
void put_pair(Emit *e, const LowOp *op);
void emit_list(Emit *e, const LowOp *op, const LowVar *v, bool is_decl);
void emit_closure(Emit *e, const LowOp *op, const LowVar *v, bool is_decl);

/* emit_const.c */
void put_const(Emit *e, const LowConst *k); /* as a C expression; notes that k is used */
void emit_use_prim(Emit *e, const Prim *prim); /* its prototype is needed */
void emit_consts(Emit *e); /* those used: to data, what is made at run time to code */
void emit_fn_info(Emit *e, const LowFn *f, const char *prefix, bool is_wrapper); /* its VkFn */
void emit_definition(Emit *e, const char *type, const char *name, const char *array);
bool emit_has_wrapper(const LowFn *f);
size_t emit_symbol_table(Emit *e); /* the program's own symbols; how many */
#endif
