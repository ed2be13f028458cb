/* calm.c - which code does something costly however often it runs.
 *
 * in:    low.h, after represent
 * out:   fn->is_calm: each call of it, or else whoever calls it, does a costly operation, and so does each
 *        round of its loops; label->is_calm of a LOOP: each of its rounds does
 * keeps: everything
 * cost:  linear
 * trust: build has calm functions of a long text compiled with less optimisation; hot makes no second
 *        copies of calm loops
 *
 * What optimising saves of such code is little beside what it does. A call is *paid* if a costly
 * operation is surely done in the same round of the innermost loop around it or, outside loops, in the
 * same call of its function; or if it is outside loops and each call of its function is paid. A
 * function each of whose calls is paid needs nothing costly itself, nor does one that only top-level
 * forms call. Both are least fixed points: of functions that call each other, some one must pay.
 *
 * Ways that errors take count for nothing: they are rare. */
#include "calm.h"
#include <string.h>

typedef struct Calm Calm;
typedef struct CalmFn { /* what is known of a function */
  bool is_costly; /* each call of it does a costly operation, unless it leaves with an error */
  size_t unpaid;  /* calls */
  VEC(LowFn *) passes_on; /* the callees of its calls that are paid if its own are */
} CalmFn;

struct Calm {
  LowProgram *low;
  PtrMap fns;        /* LowFn * -> CalmFn * */
  VEC(LowFn *) paid; /* not passed on yet */
  PtrMap exits;      /* LowLabel * -> Exit *, of the walk at hand */
  uint64_t returned; /* what was surely paid at each RETURN of it */
};

/* Work on numbers, and on the end of a vector, is a few instructions even where it is called. */
bool calm_is_costly(const LowOp *op) {
  if (op->kind != OP_PRIM || op->fast || op->prim->flags & PRIM_INLINE) return false;
  if (!strcmp(op->prim->name, "vec/push!") || !strcmp(op->prim->name, "vec/pop!")) return false;
  bool is_work = op->prim->is_argv || op->prim->flags & PRIM_FAILS;
  return is_work && strncmp(op->prim->signature, "(num", 4) != 0;
}

/* ---- what is costly ------------------------------------------------------------------------- */

static CalmFn *known(const Calm *m, const LowFn *f) { return ptrmap_get(&m->fns, f); }

static bool is_costly(const Calm *m, const LowOp *op) {
  return op->kind == OP_CALL ? known(m, op->fn)->is_costly : calm_is_costly(op);
}

/* ---- a walk along all ways ------------------------------------------------------------------- */

/* Bit 0: since the function began, something costly was surely done; bit d: since the round of the
 * loop at depth d did. All bits: nobody comes here, or with an error. */
typedef uint64_t Paid;
static const Paid ALL = ~(Paid)0;
enum { DEPTH_MAX = 63, TURNS_MAX = 8 };

typedef struct Way { /* what the walk is in */
  LowFn *fn;
  unsigned depth; /* of loops */
  bool
      is_later_paid; /* something costly comes later in this round, unless this way is left before */
  bool wants_calls;
} Way;

typedef struct Exit { /* of a BLOCK or LOOP */
  Paid left, next;    /* by LEAVE; by NEXT */
  unsigned depth;     /* of a LOOP's rounds */
} Exit;

static Exit *exit_of(Calm *m, const LowLabel *label) { return ptrmap_get(&m->exits, label); }

static Paid bit_of(unsigned depth) { return depth <= DEPTH_MAX ? (Paid)1 << depth : 0; }

static void note_call(Calm *m, LowFn *callee, Way w, Paid paid) {
  if (w.is_later_paid || paid & bit_of(w.depth)) return;
  known(m, callee)->unpaid++;
  if (w.depth == 0) PUSH(m->low->arena, known(m, w.fn)->passes_on, callee);
}

static Paid walk(Calm *m, const LowBody *body, Way w, Paid paid);

static Paid walk_if(Calm *m, const LowStmt *s, Way w, Paid paid) {
  bool is_rare = s->test != TEST_TRUE && s->test != TEST_FALSE;
  Paid yes = walk(m, &s->body, w, is_rare ? ALL : paid), no = walk(m, &s->other, w, paid);
  return yes & no;
}

static Paid walk_block(Calm *m, const LowStmt *s, Way w, Paid paid) {
  Exit *out = ARENA_NEW(m->low->arena, Exit);
  bool is_loop = s->kind == STMT_LOOP;
  if (is_loop) w.depth++, w.is_later_paid = false;
  *out = (Exit){ALL, ALL, w.depth};
  ptrmap_put(&m->exits, s->label, out);
  Paid end = walk(m, &s->body, w, is_loop ? paid & ~bit_of(w.depth) : paid);
  if (is_loop) s->label->is_calm = w.depth <= DEPTH_MAX && out->next & bit_of(w.depth);
  return end & out->left;
}

static size_t count_costly(const Calm *m, const LowBody *body) {
  size_t count = 0;
  for (const LowStmt *s = body->first; s; s = s->next) count += is_costly(m, &s->op);
  return count;
}

static Paid walk(Calm *m, const LowBody *body, Way w, Paid paid) {
  bool was_later_paid = w.is_later_paid;
  size_t costly = w.wants_calls ? count_costly(m, body) : 0; /* statements still to come */
  for (const LowStmt *s = body->first; s; s = s->next) {
    bool is_one = is_costly(m, &s->op);
    if (w.wants_calls) costly -= is_one;
    w.is_later_paid = was_later_paid || costly > 0;
    if (w.wants_calls && s->op.kind == OP_CALL) note_call(m, s->op.fn, w, paid);
    if (is_one) paid = ALL;
    if (s->kind == STMT_IF) paid = walk_if(m, s, w, paid);
    else if (s->kind == STMT_BLOCK || s->kind == STMT_LOOP) paid = walk_block(m, s, w, paid);
    else if (s->kind == STMT_LEAVE) exit_of(m, s->label)->left &= paid, paid = ALL;
    else if (s->kind == STMT_NEXT) exit_of(m, s->label)->next &= paid, paid = ALL;
    else if (s->kind == STMT_RETURN) m->returned &= paid, paid = ALL;
  }
  return paid;
}

static void walk_fn(Calm *m, LowFn *f, bool wants_calls) {
  m->returned = ALL;
  walk(m, &f->body, (Way){.fn = f, .wants_calls = wants_calls}, 0);
}

/* ---- functions --------------------------------------------------------------------------------- */

static bool finds_costly(Calm *m, LowFn *f) {
  CalmFn *known_of_it = known(m, f);
  if (known_of_it->is_costly) return false;
  walk_fn(m, f, false);
  return known_of_it->is_costly = m->returned & 1;
}

/* By turns from the last and from the first, as callees come later or earlier; a chain of calls that goes
 * to and fro more often is not worth the time. */
static void find_costly(Calm *m) {
  size_t count = m->low->fns.count;
  bool is_changed = true;
  for (unsigned turn = 0; is_changed && turn < TURNS_MAX; turn++) {
    is_changed = false;
    for (size_t i = 0; i < count; i++)
      is_changed |= finds_costly(m, m->low->fns.items[turn % 2 ? i : count - 1 - i]);
  }
}

/* Forms at the top level run once; who calls a function that is a value, is not known. */
static void find_paid(Calm *m) {
  LowProgram *low = m->low;
  for (size_t i = 0; i < low->tops.count; i++) PUSH(low->arena, m->paid, low->tops.items[i]);
  for (size_t i = 0; i < low->fns.count; i++) {
    LowFn *f = low->fns.items[i];
    if (f->is_value)
      known(m, f)->unpaid++;
    else if (known(m, f)->unpaid == 0)
      PUSH(low->arena, m->paid, f);
  }
  for (size_t i = 0; i < m->paid.count; i++) {
    CalmFn *caller = known(m, m->paid.items[i]);
    for (size_t k = 0; k < caller->passes_on.count; k++)
      if (--known(m, caller->passes_on.items[k])->unpaid == 0)
        PUSH(low->arena, m->paid, caller->passes_on.items[k]);
  }
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool has_calm_loops(const LowBody *body) {
  for (const LowStmt *s = body->first; s; s = s->next) {
    if (s->kind == STMT_LOOP && !s->label->is_calm) return false;
    if (!has_calm_loops(&s->body) || !has_calm_loops(&s->other)) return false;
  }
  return true;
}

static void judge(Calm *m, LowFn *f) {
  const CalmFn *known_of_it = known(m, f);
  f->is_calm = (known_of_it->is_costly || known_of_it->unpaid == 0) && has_calm_loops(&f->body);
}

void calm_run(LowProgram *low) {
  Calm m = {.low = low, .fns.arena = low->arena, .exits.arena = low->arena};
  for (size_t i = 0; i < low->fns.count; i++)
    ptrmap_put(&m.fns, low->fns.items[i], ARENA_NEW(low->arena, CalmFn));
  for (size_t i = 0; i < low->tops.count; i++)
    ptrmap_put(&m.fns, low->tops.items[i], ARENA_NEW(low->arena, CalmFn));
  find_costly(&m);
  for (size_t i = 0; i < low->fns.count; i++) walk_fn(&m, low->fns.items[i], true);
  for (size_t i = 0; i < low->tops.count; i++) walk_fn(&m, low->tops.items[i], true);
  find_paid(&m);
  for (size_t i = 0; i < low->fns.count; i++) judge(&m, low->fns.items[i]);
  for (size_t i = 0; i < low->tops.count; i++) judge(&m, low->tops.items[i]);
}
