/* flow_shape.c - the shapes of arguments, for clone.c.
 *
 * Read when facts are recorded: nothing may grow any more, so contents are looked at by their types alone. */
#include "flow_engine.h"

enum { SITES_SEEN_MAX = 64 };

/* Of the elements of a list, or 0 if it is made at too many places. */
static uint32_t element_types(Flow *f, AVal list) {
  const Site *seen[SITES_SEEN_MAX];
  size_t count = 0, done = 0;
  uint32_t types = 0;
  for (AVal from = list;;) {
    if (from.sites == &set_any) return 0;
    for (unsigned i = 0; from.sites && i < from.sites->count; i++) {
      size_t at = 0;
      while (at < count && seen[at] != from.sites->items[i]) at++;
      if (at < count) continue;
      if (count == SITES_SEEN_MAX) return 0;
      seen[count++] = from.sites->items[i];
    }
    if (done == count) return types;
    Site *s = (Site *)seen[done++];
    types |= flow_read(f, &s->head).types;
    from = flow_read(f, &s->tail);
  }
}

static bool are_ints(uint32_t types) { return types && !(types & ~(uint32_t)T_INT); }

static FlowShape vector_shape(Flow *f, AVal v) {
  uint32_t types = flow_content_types(f, v);
  switch (flow_vector_kind(f, v)) {
  case VECTOR_OF_BYTES: return SHAPE_BYTE_VECTOR;
  case VECTOR_OF_FLOATS: return SHAPE_FLOAT_VECTOR;
  case VECTOR_OF_VALUES: return are_ints(types) ? SHAPE_INT_VECTOR : SHAPE_OTHER;
  case VECTOR_OF_ANY_FLOATS:
  case VECTOR_OF_ANY: break;
  }
  return SHAPE_OTHER;
}

static FlowShape shape_of(Flow *f, AVal v) {
  if (are_ints(v.types)) return SHAPE_INT;
  if (v.types == T_FLOAT) return SHAPE_FLOAT;
  if (v.types == T_VECTOR) return vector_shape(f, v);
  bool is_list = v.types & T_PAIR && !(v.types & ~(uint32_t)(T_NIL | T_PAIR));
  uint32_t types = is_list ? element_types(f, v) : 0;
  if (are_ints(types)) return SHAPE_INT_LIST;
  return types == T_FLOAT ? SHAPE_FLOAT_LIST : SHAPE_OTHER;
}

void flow_note_shapes(Flow *f, const Core *call, const AVal *args) {
  const Global *g = call->a->kind == CORE_GLOBAL ? call->a->global : NULL;
  bool is_known = g && g->kind == GLOBAL_FUNCTION && g->lambda && !g->lambda->has_rest;
  if (!is_known || call->count == 0 || call->count != g->lambda->param_count) return;
  uint8_t *shapes = ARENA_ARRAY(f->p->arena, uint8_t, call->count);
  for (size_t i = 0; i < call->count; i++) shapes[i] = (uint8_t)shape_of(f, args[i]);
  ptrmap_put(f->shapes, call, shapes);
}
