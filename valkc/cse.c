/* cse.c - what a pure primitive has given is not computed again.
 *
 * in:    core with facts
 * out:   a primitive on the same operands as one evaluated before, wherever it stands, is that value
 * keeps: errors and their places: only operations that give no error, by flow's facts, are shared
 * cost:  linear
 *
 * A region is an expression of which facts hold from its start to its end: the body of a function, of
 * a LET or a LOOP, a branch, a part of a sequence after the first. Tests narrow types between
 * regions, never within one, so an operation that is evaluated in any run of its region is as well
 * computed at its beginning: there it is bound to a variable if it comes again. The table of what has
 * been computed grows on the way down and shrinks on the way up, which is dominance for structured code.
 * Method: Briggs, Cooper, Simpson, "Value Numbering", SPE 1997 (dominator-based). */
#include "cse.h"
#include "flow.h"
#include <string.h>

enum { BUCKETS = 1024, OPERANDS_MAX = 3 };

typedef struct Known {
  const Prim *prim;
  const void *operands[OPERANDS_MAX]; /* value numbers */
  size_t count;
  Core *node;          /* where it is computed */
  Var *var;            /* that it is bound to, or NULL */
  bool is_used;        /* and needs one */
  size_t bucket, next; /* index + 1 of the one below in the bucket */
} Known;

typedef struct Cse {
  Program *p;
  VEC(Known *) known; /* a stack */
  size_t buckets[BUCKETS];
  size_t floor;   /* those below belong to functions around */
  PtrMap numbers; /* Var -> value number, if not itself */
  bool changed;
} Cse;

static const void *number_of(Cse *c, Core *e);
static void region(Cse *c, Core **slot);

/* ---- value numbers: a variable, an odd word for an integer, a Known -------------------------------- */

static char mutable_cell; /* as a number: never equal to anything */

static const void *number_of_const(const Datum *d) {
  if (d->kind != DATUM_INT || d->integer > INT64_MAX / 4 || d->integer < INT64_MIN / 4)
    return NULL;
  return (const void *)(uintptr_t)((uint64_t)d->integer << 1 | 1);
}

static const void *number_of_local(Cse *c, const Core *e) {
  if (e->a || e->var->is_set) return NULL;
  const void *n = ptrmap_get(&c->numbers, e->var);
  return n == &mutable_cell ? NULL : n ? n : e->var;
}

enum {
  T_CHANGES = T_VECTOR | T_MAP | T_OTHER,   /* what is in them may */
  T_HOLDS = T_CHANGES | T_PAIR | T_LISTOBJ, /* may hold such */
};

static bool is_equality(const Prim *prim) {
  return !strcmp(prim->name, "==") || !strcmp(prim->name, "!=");
}

static bool is_known(const Core *e) {
  return e->has_facts && e->types && !(e->types & (T_ERROR | T_UNBOUND));
}

/* One load or test: a variable for it costs as much, and keeps `head` from being compared tagged. */
static bool is_trivial(const Prim *prim) {
  static const char *const names[] = {"head",  "tail", "fst",  "nil?",
                                      "list?", "not",  "type", "error?"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!strcmp(names[i], prim->name)) return true;
  return false;
}

/* New numbers are as good as old ones; new lists and strings would only live longer. */
static bool is_shared(const Core *e) {
  uint32_t bad = is_equality(e->prim) ? T_HOLDS : T_CHANGES;
  if (!(e->prim->flags & PRIM_PURE) || e->prim->flags & (PRIM_CALLS | PRIM_STORES))
    return false;
  if (e->prim->flags & PRIM_FRESH && e->types & ~(uint32_t)T_NUM) return false;
  if (is_trivial(e->prim) || !is_known(e) || e->count == 0 || e->count > OPERANDS_MAX)
    return false;
  for (size_t i = 0; i < e->count; i++)
    if (e->items[i]->kind != CORE_CONST && (!is_known(e->items[i]) || e->items[i]->types & bad))
      return false;
  return true;
}

static size_t bucket_of(const Known *k) {
  uint64_t h = (uintptr_t)k->prim;
  for (size_t i = 0; i < k->count; i++)
    h = (h ^ (uintptr_t)k->operands[i]) * 0x9e3779b97f4a7c15u;
  return (h ^ h >> 32) % BUCKETS;
}

static Known *find(Cse *c, const Known *k) {
  for (size_t i = c->buckets[k->bucket]; i > c->floor; i = c->known.items[i - 1]->next) {
    Known *x = c->known.items[i - 1];
    if (x->prim == k->prim && x->count == k->count &&
        !memcmp(x->operands, k->operands, sizeof x->operands))
      return x;
  }
  return NULL;
}

static void push(Cse *c, Known *k) {
  k->next = c->buckets[k->bucket];
  PUSH(c->p->arena, c->known, k);
  c->buckets[k->bucket] = c->known.count;
}

static void pop(Cse *c) {
  Known *k = c->known.items[--c->known.count];
  c->buckets[k->bucket] = k->next;
}

/* ---- sharing ----------------------------------------------------------------------------------------- */

static Var *var_of(Cse *c, Known *k) {
  if (k->var) return k->var;
  k->var = core_var(c->p, "", k->node->span, NULL);
  k->var->has_facts = true;
  k->var->types = k->node->types;
  k->var->lo = k->node->lo;
  k->var->hi = k->node->hi;
  k->is_used = true;
  return k->var;
}

/* The node becomes a use of the variable; what is known where it stands stays known. */
static void become_local(Cse *c, Core *e, Var *v) {
  Core *local = core_local(c->p, e->span, v);
  local->has_facts = e->has_facts;
  local->types = e->types;
  local->lo = e->lo;
  local->hi = e->hi;
  *e = *local;
  c->changed = true;
}

/* The node's entry, its own if it is the first; NULL if it cannot be shared. is_new: it was. */
static Known *known_of(Cse *c, Core *e, bool *is_new) {
  Known k = {.prim = e->prim, .count = e->count, .node = e};
  bool is_fit = is_shared(e);
  for (size_t i = 0; i < e->count; i++) {
    const void *n = number_of(c, e->items[i]);
    if (!n) is_fit = false;
    if (is_fit) k.operands[i] = n;
  }
  if (!is_fit) return NULL;
  k.bucket = bucket_of(&k);
  Known *found = find(c, &k);
  *is_new = !found;
  if (found) return found;
  found = ARENA_NEW(c->p->arena, Known);
  *found = k;
  push(c, found);
  return found;
}

static const void *number_of_prim(Cse *c, Core *e) {
  bool is_new;
  Known *k = known_of(c, e, &is_new);
  if (k && !is_new) become_local(c, e, var_of(c, k));
  return k;
}

/* ---- expressions ------------------------------------------------------------------------------------- */

static void let(Cse *c, Core *e) {
  bool is_new = false, is_prim = e->a && e->a->kind == CORE_PRIM && !e->var->is_set;
  if (is_prim && !strcmp(e->a->prim->name, "%cell"))
    ptrmap_put(&c->numbers, e->var, &mutable_cell);
  Known *k = is_prim ? known_of(c, e->a, &is_new) : NULL;
  const void *copied = !is_prim && e->a ? number_of(c, e->a) : NULL;
  if (copied && !e->var->is_set && e->a->kind == CORE_LOCAL) ptrmap_put(&c->numbers, e->var, (void *)copied);
  if (k) ptrmap_put(&c->numbers, e->var, k);
  if (k && is_new)
    k->var = e->var;
  else if (k)
    become_local(c, e->a, var_of(c, k));
  region(c, &e->b);
  if (k && is_new) k->var = NULL; /* out of scope */
}

static void function(Cse *c, Lambda *l) {
  size_t floor = c->floor;
  c->floor = c->known.count;
  region(c, &l->body);
  c->floor = floor;
}

static const void *number_of(Cse *c, Core *e) {
  switch (e->kind) {
  case CORE_CONST: return number_of_const(e->datum);
  case CORE_LOCAL:
    if (e->a) region(c, &e->a);
    return number_of_local(c, e);
  case CORE_PRIM: return number_of_prim(c, e);
  case CORE_LET: let(c, e); return NULL;
  case CORE_IF:
    number_of(c, e->a);
    region(c, &e->b);
    region(c, &e->d);
    return NULL;
  case CORE_SEQ:
    number_of(c, e->items[0]);
    for (size_t i = 1; i < e->count; i++) region(c, &e->items[i]);
    return NULL;
  case CORE_LOOP:
    for (size_t i = 0; i < e->count; i++) number_of(c, e->items[i]);
    region(c, &e->b);
    return NULL;
  case CORE_LAMBDA:
  case CORE_BLOCK:
    if (e->lambda) function(c, e->lambda);
    return NULL;
  case CORE_GLOBAL:
  case CORE_NAME: return NULL;
  default: break;
  }
  if (e->a) number_of(c, e->a);
  for (size_t i = 0; i < e->count; i++) number_of(c, e->items[i]);
  return NULL;
}

static void region(Cse *c, Core **slot) {
  size_t start = c->known.count;
  number_of(c, *slot);
  while (c->known.count > start) {
    Known *k = c->known.items[c->known.count - 1];
    pop(c);
    if (!k->is_used) continue;
    Core *first = ARENA_NEW(c->p->arena, Core);
    *first = *k->node;
    become_local(c, k->node, k->var);
    *slot = core_let(c->p, first->span, k->var, first, *slot);
  }
}

static void visit_root(Core **root, void *to) {
  Cse *c = to;
  if ((*root)->kind == CORE_LAMBDA)
    function(c, (*root)->lambda);
  else
    region(c, root);
}

void cse_run(Program *p) {
  Cse c = {.p = p, .numbers.arena = p->arena};
  core_each_root(p, visit_root, &c);
  if (c.changed) core_find_free(p);
}
