/* place_prim.c - what primitives do with their arguments, and what they make.
 *
 * A row says, for each argument, how it gets into the result; the last letter is for all further
 * ones:
 *   .  not at all           =  may be it            e  as an element        o  an element may be it
 *   c  its elements are elements of the result      d  its elements are elements of elements
 *   j  may be it, or an element of it               f  what it holds at any depth is an element
 *   x  it and all it holds may be anywhere in it    H  goes to the heap, stored or given away
 *   s  strings are copied, all else goes to the heap: what errors hold
 *   W  changed: what follows is stored in it        D  changed: something is taken out of it
 *   a  becomes an element more of it                p  becomes an element in the place of another
 *   k  a key of it: strings are copied if need be
 *   r  a number, which may be it or an element      q  a number or a list, it or an element may be it
 *
 * fresh: depths at which the result may be new, a bit each. is_placed: the C function may be told
 * where to put it (c->where, rt/vk.h): all that it allocates is part of its result or for its own
 * use, and it changes nothing that was there before. A primitive without a row is taken to do
 * anything its signature and flags allow. */
#include "place_parts.h"
#include "flow_engine.h"
#include "represent.h"
#include <stdlib.h>
#include <string.h>

typedef struct PrimRow {
  const char *name, *args;
  uint8_t fresh;
  bool is_placed;
} PrimRow;

static const PrimRow rows[] = {
    /* lists */
    {"cons", "e=", 1, true}, {"%pair", "e=", 1, true}, {"%qq-cons", "e=", 1, true},
    {"%cell", "", 0, false}, {"list", "e", 1, true},
    {"head", "o", 0, false}, {"fst", "o", 0, false}, {"snd", "o", 0, false}, {"trd", "o", 0, false},
    {"last", "o", 0, false}, {"nth", "oo", 0, false}, {"tail", "=", 0, false}, {"drop", "==", 0, false},
    {"init", "c", 1, true}, {"take", "cc", 1, true}, {"split", "ee", 3, true}, {"join", "j", 1, true},
    {"append", "j", 1, true}, {"%qq-append", "==", 1, true}, {"reverse", "c", 1, true},
    {"range", "r", 1, true}, {"zip", "d", 3, true}, {"flatten", "f", 1, true}, {"uniq", "c", 1, true},
    {"plist/get", "o.", 0, false}, {"get", "o.=", 0, false}, {"plist/set", "=ee", 1, true},
    {"plist/keys", "c", 1, true}, {"plist/vals", "c", 1, true}, {"%items", "=..", 1, true},
    {"%count", "...", 0, false}, {"%sort-values", "c", 1, true}, {"%sort-by-head", "f", 1, true}, {"sum", "q", 0, false}, {"product", "q", 0, false},
    {"exists", "..", 0, false},
    /* requests that a server got */
    {"req/method", ".", 1, true}, {"req/path", ".", 1, true}, {"req/query", ".", 1, true}, {"req/authority", ".", 1, true},
    {"req/scheme", ".", 1, true}, {"req/headers", ".", 7, true}, {"req/header", ".", 1, true}, {"req/body", ".", 1, true},
    {"req/stream-id", ".", 0, false},
    {"bit/shl", ".", 0, false}, {"bit/shr", ".", 0, false},
    /* walks over ranges: an integer, or the list there is if an end is no fixnum */
    {"%range-start", "r", 1, true}, {"%range-items", "=", 0, false}, {"%range-end", ".", 0, false},
    {"%range-more", ".", 0, false}, {"%range-head", "o", 0, false}, {"%range-next", "=", 0, false},
    /* strings: what gives an operand back copies it if it is in scratch (vk_string_apart) */
    {"str", ".", 1, true}, {"repr", ".", 1, true}, {"make-string", ".", 1, true},
    {"str/split", ".", 3, true}, {"str/replace", ".", 1, true}, {"str/slice", ".", 1, true},
    {"%str/slice2", ".", 1, true}, {"%str/slice3", ".", 1, true}, {"str/trim", ".", 1, true},
    {"str/upper", ".", 1, true}, {"str/lower", ".", 1, true}, {"str/join", ".", 1, true},
    {"str/repeat", ".", 1, true}, {"str/pad", ".", 1, true}, {"str/bytes", ".", 1, true},
    {"str/from-bytes", ".", 1, true}, {"str/chars", ".", 3, true}, {"num->str", ".", 1, true},
    /* vectors and maps */
    {"vec", "e", 1, true}, {"vec/make", ".e", 1, true}, {"vec/get", "o.", 0, false},
    {"vec/set!", "W.p", 0, false}, {"vec/push!", "Wa", 0, true}, {"vec/pop!", "D", 0, false},
    {"vec/slice", "c..", 1, true}, {"vec/->list", "c", 1, true}, {"%list->vec", "c", 1, true},
    {"%unpack-vec", "c", 1, true}, {"map/new", "", 1, true}, {"map/of", "e", 1, true}, {"map/merge", "c", 1, true},
    {"%map/get2", "o.", 0, false}, {"%map/get3", "o.=", 0, false}, {"map/get", "o.=", 0, false},
    {"map/put!", "Wkp", 0, true}, {"map/del!", "D.", 0, false}, {"map/has?", "..", 0, false},
    {"map/keys", "c", 1, true}, {"map/vals", "c", 1, true}, {"%entries", "c..", 1, true},
    {"%list->map", "c", 1, true}, {"freeze", "=", 0, false},
    /* the rest */
    {"error", "s", 0, false}, {"reset!", ".H", 0, false}, {"deref", "o", 0, false}, {"error-message", ".", 0, false}, {"error-kind", ".", 0, false},
    {"error-data", ".", 0, false}, {"print", ".", 0, false}, {"printf", ".", 0, false},
    {"println", ".", 0, false}, {"do", "=", 0, false}, {"and", "=", 0, false}, {"or", "=", 0, false},
};
enum { ROW_COUNT = sizeof rows / sizeof *rows };

static const PrimRow *row_of(const Prim *prim) {
  static uint16_t *known; /* by row of prim_table, plus one; a table of constants, made once */
  if (!known) known = calloc(prim_count, sizeof *known);
  uint16_t *row = &known[prim - prim_table];
  if (!*row) {
    uint16_t i = 0;
    while (i < ROW_COUNT && strcmp(rows[i].name, prim->name) != 0) i++;
    *row = (uint16_t)(i + 1);
  }
  return *row <= ROW_COUNT ? &rows[*row - 1] : NULL;
}

static uint32_t result_types(const Prim *prim) {
  uint32_t ignored, result;
  flow_prim_signature(prim, 0, &ignored, &result);
  return result;
}

static const PrimRow stores = {NULL, "H", 7, false}, scalar = {NULL, ".", 0, false}, picks = {NULL, "=", 0, false},
                     sets_head = {NULL, ".H", 0, false}, new_text = {NULL, ".", 1, false}, anything = {NULL, "x", 7, false};

/* What a primitive without a row may do. */
static const PrimRow *guess(const Place *p, const Prim *prim) {
  if (prim->flags & (PRIM_STORES | PRIM_CALLS)) return &stores;
  uint32_t result = result_types(prim);
  bool is_number = result && !(result & ~(uint32_t)(T_NUM | T_ERROR));
  if (is_number) return p->objects && !(prim->flags & PRIM_FRESH) ? &picks : &scalar;
  if (!place_may_be_allocated(p, (LowFacts){.types = result})) return &scalar;
  bool is_text = !(result & ~(uint32_t)(T_STRING | T_NUM | T_NIL | T_ERROR | T_SYMBOL | T_KEYWORD));
  if (is_text && prim->flags & PRIM_FRESH) return &new_text;
  return &anything;
}

/* What it changes needs more room, or a table of keys. */
static bool is_growing(const Prim *prim) {
  return !strcmp(prim->name, "vec/push!") || !strcmp(prim->name, "map/put!");
}

static const char *made_by(const Prim *prim) {
  return prim->name[0] == '%' && prim->name[1] ? prim->name + 1 : prim->name;
}

/* (%apply prim list): what the primitive does with an argument is done with what the list holds. */
static const PrimRow *row_of_apply(const Place *p, const LowOp *op) {
  static const PrimRow no_text = {NULL, "..", 0, false}, text = {NULL, "..", 1, true}, element = {NULL, ".o", 1, true},
                       elements = {NULL, ".c", 1, true}, picked = {NULL, ".q", 0, false};
  const LowConst *k = op->args[0].kind == ARG_CONST ? op->args[0].constant : NULL;
  if (!k || k->kind != LOW_BUILTIN || !flow_takes_all(k->prim)) return NULL;
  const PrimRow *row = row_of(k->prim);
  if (!row) row = guess(p, k->prim);
  if (row == &picks) return &picked;
  if (!strcmp(row->args, ".") && !row->fresh) return &no_text;
  if (!row->is_placed || row->fresh != 1) return NULL;
  switch (row->args[0]) {
  case '.': return &text;
  case 'r': return p->objects ? &elements : &text;
  case 'j': return &element;
  case 'e': return &elements;
  default: return NULL;
  }
}

static const PlaceReason *given_to(Place *p, const LowOp *op) {
  return place_reason(p, op->pos, "given to `%s`", made_by(op->prim));
}

/* *changed: what later arguments are stored in. */
static void flow_arg(Place *p, LowOp *op, size_t i, char how, PlaceNode *to, PlaceNode **changed) {
  static const uint8_t deeper[DEPTHS] = {0, 4, 4}, flat[DEPTHS] = {2, 2, 6}, any[DEPTHS] = {7, 7, 7};
  if (how == '.') return;
  PlaceNode *a = place_arg(p, op->args[i]);
  if (!a) return;
  switch (how) {
  case 'W': *changed = a; break;
  case 'D':
    place_drop(p, a);
    place_flow(p, a, to, place_reads, 0);
    break;
  case 'k':
    if (op->args[i].facts.types == T_STRING) break;
    __attribute__((fallthrough));
  case 'a':
  case 'p': place_store(p, *changed, a, how == 'a', given_to(p, op)); break;
  case '=': place_flow(p, a, to, place_copies, 0); break;
  case 'e': place_flow(p, a, to, place_holds, 0); break;
  case 'o': place_flow(p, a, to, place_reads, 0); break;
  case 'c': place_flow(p, a, to, place_shares, 0); break;
  case 'd': place_flow(p, a, to, deeper, 0); break;
  case 'f': place_flow(p, a, to, flat, 0); break;
  case 'q':
  case 'r':
    if (!p->objects) break;
    place_flow(p, a, to, place_copies, 0);
    place_flow(p, a, to, how == 'r' ? place_holds : place_reads, 0);
    break;
  case 'x': place_flow(p, a, to, any, 0); break;
  case 'j':
    place_flow(p, a, to, place_copies, 0);
    place_flow(p, a, to, place_holds, 0);
    break;
  case 's':
    if (op->args[i].facts.types == T_STRING) break;
    __attribute__((fallthrough));
  case 'H': place_heap(p, a, 0, given_to(p, op)); break;
  default: diag_bug(p->low->program->diag, op->pos, "place", "the letter %c", how);
  }
}

static bool is_named(const LowOp *op, const char *name) { return !strcmp(op->prim->name, name); }

/* Whether anything new comes out: flow may know that the rare case does not occur. */
static uint8_t fresh_depths(const Place *p, const LowOp *op, const PrimRow *row) {
  if (!row->fresh || (op->facts.types && !place_may_be_allocated(p, op->facts))) return 0;
  if (is_named(op, "%items")) {
    LowFacts list = op->args[0].facts;
    return list.types && !(list.types & T_VECTOR) ? 0 : 1;
  }
  if (op->fast && !strcmp(op->fast->c_name, "vk_copy")) return 0;
  return row->fresh;
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* What gives new numbers and can be told where they go: in line, along with its place, or called. None
 * gives an operand back. */
static const struct {
  const char *name;
  bool is_inline;
} numbers[] = {
    {"%add", true}, {"%sub", true}, {"%neg", true}, {"%mul", true}, {"%div", true}, {"%", true}, {"mod", true},
    {"%bit-and", true}, {"%bit-or", true}, {"%bit-xor", true}, {"bit/shl", true}, {"bit/shr", true},
    {"pow", false}, {"%gcd", false}, {"bit/not", false}, {"str->num", false}, {"str/->int", false},
};

static bool may_be_boxed(LowFacts facts) { return !facts.types || facts.types & (T_BIG | T_FLOAT); }

/* Where an operation is in line, `fast` ones leave for the same slow path. */
bool place_makes_number(const LowOp *op) {
  if (op->kind != OP_PRIM) return false;
  bool is_raw = op->fast && (op->fast->takes != 1 || op->fast->result != 'v');
  if (is_raw || op->symbol || !may_be_boxed(op->facts)) return false;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (is_named(op, numbers[i].name)) return true;
  return false;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* What has no room for something more gets a larger store, which is a part of it. There is twice as much
 * as it had: what is left behind is no more than what it has, however often that comes. */
static void grow(Place *p, LowOp *op, PlaceNode *n) {
  PlaceNode *more = place_new_node(p);
  place_store(p, n, more, true, place_reason(p, op->pos, "a part of what it is added to"));
  place_add_site(p, op, more, 1, made_by(op->prim));
}

PlaceNode *place_prim(Place *p, LowOp *op) {
  if (is_named(op, "%set-tail!")) {
    place_hang(p, op->args[0], op->args[1]);
    return NULL;
  }
  const PrimRow *row = is_named(op, "%apply") ? row_of_apply(p, op) : row_of(op->prim);
  if (is_named(op, "%set-head!")) row = &sets_head;
  if (!row) row = guess(p, op->prim);
  PlaceNode *n = place_new_node(p), *changed = NULL;
  size_t last = strlen(row->args);
  for (size_t i = 0; i < op->count && last; i++)
    flow_arg(p, op, i, row->args[i < last ? i : last - 1], n, &changed);
  bool is_from_elsewhere = !row->fresh && !strpbrk(row->args, "=oecdfjxDqr");
  if (is_from_elsewhere && place_may_be_allocated(p, op->facts))
    place_flow(p, place_foreign(p, place_reason(p, op->pos, "given by `%s`", made_by(op->prim))), n, place_copies, 0);
  if (p->objects && place_makes_number(op)) place_add_site(p, op, n, 0, made_by(op->prim))->is_number = true;
  uint8_t fresh = fresh_depths(p, op, row);
  if (fresh) {
    PlaceSite *site = place_add_site(p, op, n, fresh, made_by(op->prim));
    site->is_fixed = !row->is_placed;
    if (site->is_fixed) place_heap(p, n, 0, place_reason(p, op->pos, "made by `%s`, which always uses the heap", made_by(op->prim)));
  }
  if (is_named(op, "%guard")) p->in->has_guard = true;
  if (is_growing(op->prim)) grow(p, op, changed);
  return place_may_be_allocated(p, op->facts) ? n : NULL;
}
