/* beside.c - a fast path beside a costly operation saves little, and its text costs as much as any.
 *
 * in:    low.h, after represent
 * out:   op->is_called on operations with a fast path that are done whenever a costly one is
 * keeps: what every operation gives
 * cost:  linear
 * trust: emit calls the runtime for such operations
 *
 * A call takes a nanosecond or two more than the fast path; looking up a key, making a string or
 * printing takes twenty and more. So each costly operation lets two cheap ones be calls: those next
 * to it on the way that control takes. A loop's round begins with none. */
#include "beside.h"
#include "calm.h"
#include <string.h>

enum { PER_COSTLY = 2, CREDIT_MAX = 4 };

typedef struct Way { /* what surely was done on the way here */
  unsigned credit;   /* calls that costly operations still pay for */
  LowOp
      *pending[PER_COSTLY]; /* the last cheap operations, which one soon to come may pay for */
} Way;

/* %cell and %guard are of the function's frame; error? is shorter than a call; and what computes with
 * numbers is so cheap that calls of it show (6 % in bench/kernels/json). */
static bool is_cheap(const LowOp *op) {
  if (op->is_once) return false;
  if (op->kind == OP_GLOBAL) return op->is_checked;
  if (op->kind != OP_PRIM || op->symbol || op->fast || !(op->prim->flags & PRIM_INLINE))
    return false;
  if (!strncmp(op->prim->signature, "(num", 4)) return false;
  const char *name = op->prim->name;
  return strcmp(name, "%cell") && strcmp(name, "%guard") && strcmp(name, "error?");
}

static void forget(Way *w) { memset(w->pending, 0, sizeof w->pending); }

static void note_cheap(Way *w, LowOp *op) {
  if (w->credit > 0) {
    w->credit--;
    op->is_called = true;
    return;
  }
  memmove(w->pending, w->pending + 1, sizeof w->pending - sizeof *w->pending);
  w->pending[PER_COSTLY - 1] = op;
}

static void note_costly(Way *w) {
  unsigned left = PER_COSTLY;
  for (size_t i = 0; i < PER_COSTLY; i++)
    if (w->pending[i]) w->pending[i]->is_called = true, left--;
  forget(w);
  w->credit = w->credit + left < CREDIT_MAX ? w->credit + left : CREDIT_MAX;
}

static void note(Way *w, LowOp *op) {
  if (calm_is_costly(op))
    note_costly(w);
  else if (is_cheap(op))
    note_cheap(w, op);
}

static Way walk(LowBody *body, Way w);

/* An error leaves the way; else both branches go on with what they have in common. */
static Way walk_if(LowStmt *s, Way w) {
  if (s->test != TEST_ERROR || !s->body.is_closed) forget(&w);
  Way inner = w;
  forget(&inner);
  Way yes = walk(&s->body, inner), no = walk(&s->other, inner);
  if (!s->body.is_closed && yes.credit < w.credit) w.credit = yes.credit;
  if (!s->other.is_closed && no.credit < w.credit) w.credit = no.credit;
  return w;
}

static Way walk(LowBody *body, Way w) {
  for (LowStmt *s = body->first; s; s = s->next) {
    if (s->kind != STMT_LOOP) note(&w, &s->op);
    if (s->kind == STMT_IF) {
      w = walk_if(s, w);
    } else if (s->kind == STMT_LOOP || s->kind == STMT_BLOCK) {
      bool is_loop = s->kind == STMT_LOOP;
      Way inner = {.credit = is_loop ? 0 : w.credit}, after = walk(&s->body, inner);
      forget(&w);
      if (!is_loop && after.credit < w.credit) w.credit = after.credit;
    }
  }
  return w;
}

void beside_run(LowProgram *low) {
  for (size_t i = 0; i < low->fns.count; i++) walk(&low->fns.items[i]->body, (Way){0});
  for (size_t i = 0; i < low->tops.count; i++) walk(&low->tops.items[i]->body, (Way){0});
}
