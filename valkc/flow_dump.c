/* flow_dump.c - the facts as text: one line per function and variable, the vectors made, and the
 * calls that stay unknown. For --dump=flow and its golden tests. */
#include "flow.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct Out {
  void (*put)(void *to, const char *s, size_t n);
  void *to;
  Program *p;
} Out;

static void text(Out *o, const char *s) { o->put(o->to, s, strlen(s)); }

/* "fix[0,40]|float": the fixnum range is left out when it is everything. */
static void put_types(Out *o, uint32_t types, int64_t lo, int64_t hi) {
  static const char *const names[] = {"fix",     "big", "float",  "string", "symbol", "keyword", "nil",
                                      "pair",    "listobj", "fun", "vector", "map",    "error",   "other", "unbound"};
  if (!types) text(o, "never");
  if ((types & T_ANY) == T_ANY) text(o, "any"), types &= ~(uint32_t)T_ANY;
  bool first = true;
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
    if (!(types >> i & 1)) continue;
    if (!first) text(o, "|");
    first = false;
    text(o, names[i]);
    char buf[64];
    bool is_full = lo == -((int64_t)1 << 60) && hi == ((int64_t)1 << 60) - 1;
    if (i == 0 && !is_full) snprintf(buf, sizeof buf, "[%" PRId64 ",%" PRId64 "]", lo, hi), text(o, buf);
  }
}

static void put_var(Out *o, const Var *v) {
  char buf[32];
  text(o, *v->name ? v->name : "t");
  snprintf(buf, sizeof buf, ".%u: ", v->id);
  text(o, buf);
  put_types(o, v->types, v->lo, v->hi);
}

/* A vector made here. */
static void put_vector(Out *o, const Core *e) {
  static const char *const kinds[] = {"anything", "values", "bytes", "floats", "floats, or errors"};
  uint32_t line, col;
  diag_line_col(o->p->diag, e->span, &line, &col);
  text(o, arena_printf(o->p->arena, "  %s at %u:%u of %s\n", e->prim->name, line, col, kinds[e->vector_kind]));
}

static void dump_vars(Core **child, void *to) {
  Core *e = *child;
  Out *o = to;
  if (e->kind == CORE_LET && e->var->has_facts) text(o, "  let "), put_var(o, e->var), text(o, "\n");
  if (e->kind == CORE_LOOP)
    for (size_t i = 0; i < e->loop->count; i++) text(o, "  loop "), put_var(o, e->loop->vars[i]), text(o, "\n");
  if (e->kind == CORE_PRIM && e->vector_kind != VECTOR_OF_ANY && strstr(e->prim->signature, ") vec")) put_vector(o, e);
  if (e->kind == CORE_CALL && e->has_facts && !e->callee) {
    uint32_t line, col;
    diag_line_col(o->p->diag, e->span, &line, &col);
    text(o, arena_printf(o->p->arena, "  unknown call at %u:%u\n", line, col));
  }
  core_each_child(e, true, dump_vars, to);
}

static void dump_root(Core **root, void *to) {
  Out *o = to;
  Core *e = *root;
  Lambda *l = e->kind == CORE_LAMBDA ? e->lambda : NULL;
  if (l && l->global && (!l->global->is_reachable || !l->facts || !l->facts->is_called)) return;
  if (l) {
    text(o, l->name ? l->name : "\\");
    text(o, l->facts && l->facts->escapes ? " (escapes" : " (");
    for (size_t i = 0; i < l->param_count; i++) {
      if (i || (l->facts && l->facts->escapes)) text(o, ", ");
      put_var(o, l->params[i]);
    }
    text(o, ") -> ");
    if (l->facts) put_types(o, l->facts->types, l->facts->lo, l->facts->hi);
    text(o, "\n");
    dump_vars(&l->body, o);
  } else {
    dump_vars(root, o);
  }
}

void flow_dump(Program *p, void (*put)(void *to, const char *s, size_t n), void *to) {
  Out o = {put, to, p};
  core_each_root(p, dump_root, &o);
}
