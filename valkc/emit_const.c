/* emit_const.c - constants as static read-only C data, in the layouts of rt/vk.h.
 *
 * Nothing of a constant is made at run time: lists are arrays of pairs that point at each other,
 * numbers too large for a word are digits. The exception are maps whose keys only the runtime
 * can compare, and what contains them: a function makes those at their first use and keeps them
 * in a slot of c->globals. Only constants that the code mentions are emitted. */
#include "emit_parts.h"
#include "../rt/vk.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <tommath.h>

_Static_assert(sizeof(mp_digit) == sizeof(uint64_t), "VkBigint holds libtommath's digits");
_Static_assert((int)LOW_REG_ARGS == (int)VK_REG_ARGS, "one calling convention");

/* ---- naming a constant --------------------------------------------------------------------- */

static const char *runtime_symbol(const LowConst *k) {
  static const struct {
    const char *text, *id;
  } symbols[] = {
#define SYM(id, text, is_keyword) {text, #id},
#include "../rt/symbols.def"
#undef SYM
  };
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
    if (strlen(symbols[i].text) == k->len && !memcmp(symbols[i].text, k->text, k->len))
      return symbols[i].id;
  return NULL;
}

/* The word of a float that needs no box. */
static bool float_word(double x, V *word) {
  V bits = vk_float_bits(x);
  *word = (bits << 4 | bits >> 60) ^ 7;
  return VK_IS_IMM_FLOAT(*word);
}

static void put_float_word(Emit *e, V word, double real) {
  char text[64];
  snprintf(text, sizeof text, "0x%llxull /* %.17g */", (unsigned long long)word, real);
  put(e, "%s", text);
}

/* Short plain strings are shown where they are used. */
static bool is_plain_text(const LowConst *k) {
  if (k->len == 0 || k->len > 32) return false;
  for (size_t i = 0; i < k->len; i++) {
    char ch = k->text[i];
    if (ch < ' ' || ch > '~' || ch == '*' || ch == '/' || ch == '\\' || ch == '?') return false;
  }
  return true;
}

static void put_int(Emit *e, int64_t n) {
  char text[32];
  if (e->p->is_quick) /* TinyCC would expand the macro each time */
    snprintf(text, sizeof text, "%lluul", (unsigned long long)n << 3);
  else
    snprintf(text, sizeof text, "VK_FIX(%lld)", (long long)n);
  put(e, "%s", text);
}

/* A primitive's name in C, unique: several rows may share one function. */
static void put_prim(Emit *e, const char *prefix, const Prim *prim) {
  put(e, "%s%s_%u", prefix, prim->symbol + 3, (unsigned)(prim - prim_table));
}

/* What was printed to `name`; goes on printing to out. */
static const char *take_name(Emit *e, Text *name, Text *out) {
  const char *copy = arena_copy(e->arena, name->bytes, name->len);
  text_free(name);
  e->out = out;
  return copy;
}

/* Where in `cells` the pairs of a list begin. */
static size_t place_cells(Emit *e, const LowConst *k) {
  if (!e->cells_of[k->id]) {
    e->cells_of[k->id] = (uint32_t)e->cell_count + 1;
    e->cell_count += k->count;
    e->lists[e->list_count++] = k;
  }
  return e->cells_of[k->id] - 1;
}

/* The C variable, if it is one. */
static const char *const_name(Emit *e, const LowConst *k) {
  Text name = {0}, *out = e->out;
  e->out = &name;
  switch (k->kind) {
  case LOW_BIG: put(e, "big_%u", k->id); break;
  case LOW_FLOAT: put(e, "float_%u", k->id); break;
  case LOW_STRING: put(e, "str_%u", k->id); break;
  case LOW_SYMBOL:
    put(e, "sym_");
    put_mangled(e, k->text);
    put(e, "_%u", k->id);
    break;
  case LOW_SEXPR: put(e, "sexpr_%u", k->id); break;
  case LOW_VECTOR: put(e, "vec_%u", k->id); break;
  case LOW_MAP: put(e, "map_%u", k->id); break;
  case LOW_LITERAL: put(e, "block_%u", k->id); break;
  case LOW_FUNCTION: put(e, "fun_%n", k->fn); break;
  case LOW_BUILTIN: put_prim(e, "p_", k->prim); break;
  case LOW_LIST:
  case LOW_INT:
  case LOW_NIL: diag_bug(e->p->diag, NO_SPAN, "emit", "constant %u has no name", k->id);
  }
  return take_name(e, &name, out);
}

void put_const(Emit *e, const LowConst *k) {
  V word;
  e->is_const_used[k->id] = true;
  if (k->is_dynamic) {
    put(e, "make_%u(c)", k->id);
    return;
  }
  switch (k->kind) {
  case LOW_INT: put_int(e, k->integer); return;
  case LOW_NIL: put(e, "VK_NIL"); return;
  case LOW_LIST: put(e, "VK_FROM_PAIR(&cells[%z])", place_cells(e, k)); return;
  case LOW_FLOAT:
    if (float_word(k->real, &word)) {
      put_float_word(e, word, k->real);
      return;
    }
    break;
  case LOW_SYMBOL:
    if (runtime_symbol(k)) {
      put(e, "VK_SYM(%s)", runtime_symbol(k));
      return;
    }
    break;
  default: break;
  }
  put(e, "VK_FROM_OBJ(&%s)", const_name(e, k));
  if (k->kind == LOW_STRING && is_plain_text(k)) put(e, " /* %s */", k->text);
}

static bool is_shared(const Emit *e) { return e->low->part_count > 1; }

/* "static const TYPE NAME"; where the text has parts, declared for the others. array: "" or "[]". */
void emit_definition(Emit *e, const char *type, const char *name, const char *array) {
  Text *out = e->out;
  put(e, "%s const %s %s%s", is_shared(e) ? "VK_SHARED" : "static", type, name, array);
  if (!is_shared(e)) return;
  e->out = &e->externs;
  put(e, "extern VK_SHARED const %s %s%s;\n", type, name, array);
  e->out = out;
}

static void define(Emit *e, const char *type, const LowConst *k, const char *array) {
  emit_definition(e, type, const_name(e, k), array);
}

/* ---- atoms --------------------------------------------------------------------------------- */

static void emit_big(Emit *e, const LowConst *k) {
  mp_int n;
  char digit[32];
  if (mp_init(&n) != MP_OKAY || mp_read_radix(&n, k->text, 10) != MP_OKAY)
    diag_bug(e->p->diag, NO_SPAN, "emit", "bad digits `%s`", k->text);
  define(e, "VkBigint", k, "");
  put(e, " VK_ALIGN16 = {VK_HDR(VK_BIGINT, 0, %d)%s, {", n.used,
      n.sign == MP_NEG ? " | VK_NEGATIVE" : "");
  for (int i = 0; i < n.used; i++) {
    snprintf(digit, sizeof digit, "%s0x%llxull", i ? ", " : "", (unsigned long long)n.dp[i]);
    put(e, "%s", digit);
  }
  put(e, "}}; /* %s */\n", k->text);
  mp_clear(&n);
}

static void emit_float(Emit *e, const LowConst *k) {
  V word;
  char text[64];
  if (float_word(k->real, &word)) return;
  if (isnan(k->real))
    strcpy(text, "__builtin_nan(\"\")");
  else if (isinf(k->real))
    strcpy(text, k->real < 0 ? "-1.0 / 0.0" : "1.0 / 0.0");
  else
    snprintf(text, sizeof text, "%a /* %.17g */", k->real, k->real);
  define(e, "VkFloat", k, "");
  put(e, " VK_ALIGN16 = {VK_HDR(VK_FLOAT, 0, 0), %s};\n", text);
}

static void emit_string(Emit *e, const LowConst *k) {
  define(e, "VkString", k, "");
  put(e, " VK_ALIGN16 = {VK_HDR(VK_STRING, 0, 0), %z, {", k->len);
  put_string(e, k->text, k->len);
  put(e, "}};\n");
}

static void emit_symbol(Emit *e, const LowConst *k) {
  if (runtime_symbol(k)) return;
  define(e, "VkSymbol", k, "");
  put(e, " VK_ALIGN16 = {VK_HDR(VK_SYMBOL, 0, 0)%s, %z, {",
      k->len > 1 && k->text[0] == ':' ? " | VK_KEYWORD" : "", k->len);
  put_string(e, k->text, k->len);
  put(e, "}};\n");
}

/* ---- wholes -------------------------------------------------------------------------------- */

/* All lists are in one array: C compilers need time for each variable, and more for each that many
 * others mention. It is declared before what is in lists. */
static void declare_cells(Emit *e) {
  if (e->cell_count == 0) return;
  put(e, "%s const VkPair cells[%z];\n", is_shared(e) ? "VK_SHARED" : "static",
      e->cell_count);
  if (!is_shared(e)) return;
  Text *out = e->out;
  e->out = &e->externs;
  put(e, "extern VK_SHARED const VkPair cells[%z];\n", e->cell_count);
  e->out = out;
}

static void emit_pairs(Emit *e, const LowConst *k) {
  size_t first = place_cells(e, k);
  for (size_t i = 0; i < k->count; i++) {
    put(e, "  {%k, ", k->items[i]);
    if (i + 1 < k->count)
      put(e, "VK_FROM_PAIR(&cells[%z])},\n", first + i + 1);
    else
      put(e, "VK_NIL},\n");
  }
}

static void emit_cells(Emit *e) {
  if (e->cell_count == 0) return;
  put(e, "%s const VkPair cells[%z] VK_ALIGN16 = {\n", is_shared(e) ? "VK_SHARED" : "static",
      e->cell_count);
  for (size_t i = 0; i < e->list_count; i++) emit_pairs(e, e->lists[i]);
  put(e, "};\n");
}

static void emit_sexpr(Emit *e, const LowConst *k) {
  define(e, "VkSexpr", k, "");
  put(e, " VK_ALIGN16 = {VK_HDR(VK_SEXPR, 0, 0), VK_FROM_PAIR(&cells[%z])};\n",
      place_cells(e, k));
}

/* The elements of a vector, or the entries of a map. */
static void emit_store(Emit *e, const LowConst *k) {
  if (k->count == 0) return;
  put(e, "static const VkStore store_%u VK_ALIGN16 = {VK_HDR(VK_STORE, 0, 0), %z, {\n", k->id,
      k->count);
  for (size_t i = 0; i < k->count; i++) put(e, "  %k,\n", k->items[i]);
  put(e, "}};\n");
}

static void put_store(Emit *e, const LowConst *k) {
  if (k->count == 0)
    put(e, "VK_NIL");
  else
    put(e, "VK_FROM_OBJ(&store_%u)", k->id);
}

static void emit_vector(Emit *e, const LowConst *k) {
  emit_store(e, k);
  define(e, "VkVector", k, "");
  put(e, " VK_ALIGN16 = {VK_HDR(VK_VECTOR, 0, 0) | VK_FROZEN, %z, ", k->count);
  put_store(e, k);
  put(e, "};\n");
}

static void emit_map(Emit *e, const LowConst *k) {
  emit_store(e, k);
  define(e, "VkMap", k, "");
  put(e, " VK_ALIGN16 = {VK_HDR(VK_MAP, 0, 0) | VK_FROZEN, %z, %z, ", k->count / 2,
      k->count / 2);
  put_store(e, k);
  put(e, ", VK_NIL, 0, 0};\n");
  e->needs_collections = true;
}

static void emit_literal(Emit *e, const LowConst *k) {
  define(e, "VkBlock", k, "");
  put(e, " VK_ALIGN16 = {VK_HDR(VK_BLOCK, 0, 0), %k, %k};\n", k->items[0], k->items[1]);
}

/* ---- functions ----------------------------------------------------------------------------- */

/* Code that takes no self is called through closures by way of a function that does. */
bool emit_has_wrapper(const LowFn *f) { return f->is_value && f->captures.count == 0; }

static const char *fn_info_name(Emit *e, const LowFn *f, const char *prefix) {
  Text name = {0}, *out = e->out;
  e->out = &name;
  put(e, "%s%n", prefix, f);
  return take_name(e, &name, out);
}

/* What a frame of it may be running, for traces: the names of all functions that became one. */
static const char *code_name(Emit *e, const LowFn *f) {
  enum { NAMES_MAX = 4 };
  const char *names = f->name;
  unsigned shown = f->state_count < NAMES_MAX ? f->state_count : NAMES_MAX - 1;
  for (unsigned i = 0; i < shown; i++) {
    const char *name = f->states[i]->name ? f->states[i]->name : "\\",
               *between = i + 1 < f->state_count ? ", " : " or ";
    names = i ? arena_printf(e->arena, "%s%s%s", names, between, name) : name;
  }
  return shown < f->state_count
             ? arena_printf(e->arena, "%s or %u more", names, f->state_count - shown)
             : names;
}

void emit_fn_info(Emit *e, const LowFn *f, const char *prefix, bool is_wrapper) {
  const char *name = strcmp(prefix, "code_") ? f->name : code_name(e, f);
  emit_definition(e, "VkFn", fn_info_name(e, f, prefix), "");
  put(e, " = {");
  if (name)
    put_string(e, name, strlen(name));
  else
    put(e, "NULL");
  const char *suffix = is_wrapper ? "__v" : emit_has_entry(f) && strcmp(prefix, "code_") ? "__e" : "";
  put(e, ", (void *)%f%s, %u, ", f, suffix, f->required);
  if (f->has_rest)
    put(e, "VK_ANY, VK_CONV_REST, VK_COMPILED, ");
  else
    put(e, "%u, VK_CONV_FIXED, %s, ", f->required, f->takes_where ? "VK_PLACED" : "VK_COMPILED");
  put_place_fields(e, f->span);
  put(e, "};\n");
}

static void emit_function(Emit *e, const LowConst *k) {
  const LowFn *f = k->fn;
  define(e, "VkClosure", k, "");
  put(e, " VK_ALIGN16 = {VK_HDR(VK_CLOSURE, ");
  if (f->has_rest)
    put(e, "VK_ANY");
  else
    put(e, "%u", f->required);
  put(e, ", 0), (void *)%f__v, &fn_%n, {}};\n", f, f);
}

void emit_use_prim(Emit *e, const Prim *prim) {
  e->is_prim_used[prim - prim_table] = true;
  if (prim->flags & PRIM_NET && !e->low->uses_net) e->low->uses_net = prim->name;
  /* A server: of what libnet.a has, only servers start isolates. */
  if (prim->flags & PRIM_NET && prim->flags & PRIM_ISOLATES) e->low->may_listen = true;
}

static void emit_builtin_code(Emit *e, const Prim *prim) {
  put(e, "static V ");
  put_prim(e, "pw_", prim);
  if (prim->is_argv) {
    put(e, "(vk *c, V self, size_t n, const V *args) {\n");
    put(e, "  (void)self;\n  return %s(c, n, args);\n}\n", prim->symbol);
    return;
  }
  put(e, "(vk *c, V self");
  for (unsigned i = 0; i < prim->min; i++) put(e, ", V a%u", i);
  put(e, ") {\n  (void)self;\n  return %s(c", prim->symbol);
  for (unsigned i = 0; i < prim->min; i++) put(e, ", a%u", i);
  put(e, ");\n}\n");
}

static void emit_builtin(Emit *e, const LowConst *k) {
  const Prim *prim = k->prim;
  emit_use_prim(e, prim);
  emit_builtin_code(e, prim);
  put(e, "static const VkFn ");
  put_prim(e, "pf_", prim);
  put(e, " = {");
  put_string(e, prim->name, strlen(prim->name));
  put(e, ", (void *)");
  put_prim(e, "pw_", prim);
  put(e, ", %u, %u, %s, 1, {NULL, NULL, 0, 0}};\n", prim->min, prim->max,
      prim->is_argv ? "VK_CONV_ARGV" : "VK_CONV_FIXED");
  define(e, "VkClosure", k, "");
  put(e, " VK_ALIGN16 = {VK_HDR(VK_CLOSURE, ");
  if (prim->is_argv)
    put(e, "VK_ANY");
  else
    put(e, "%u", prim->min);
  put(e, ", 0), (void *)");
  put_prim(e, "pw_", prim);
  put(e, ", &");
  put_prim(e, "pf_", prim);
  put(e, ", {}};\n");
}

/* ---- made at run time ---------------------------------------------------------------------- */

static void emit_maker_body(Emit *e, const LowConst *k) {
  switch (k->kind) {
  case LOW_LIST: put(e, "  V made = vk_list_from(c, %z, parts);\n", k->count); break;
  case LOW_SEXPR:
    put(e, "  V made = vk_sexpr(c, vk_list_from(c, %z, parts));\n", k->count);
    break;
  case LOW_VECTOR: put(e, "  V made = vk_vec_from(c, %z, parts);\n", k->count); break;
  default:
    put(e, "  V made = vk_map_make(c, %z);\n", k->count / 2);
    put(e, "  for (size_t i = 0; i < %z; i += 2) ", k->count);
    put(e, "vk_map_put(c, made, parts[i], parts[i + 1]);\n");
  }
}

static void emit_maker(Emit *e, const LowConst *k) {
  Text *data = e->out;
  if (is_shared(e)) e->out = &e->prototypes;
  put(e, "%s V make_%u(vk *c);\n", is_shared(e) ? "VK_SHARED" : "static", k->id);
  e->out = &e->code;
  put(e, "\n%s V make_%u(vk *c) {\n", is_shared(e) ? "VK_SHARED" : "static", k->id);
  put(e, "  if (VK_LIKELY(c->globals[%d] != VK_UNBOUND)) return c->globals[%d];\n", k->slot,
      k->slot);
  put(e, "  V parts[] = {\n");
  for (size_t i = 0; i < k->count; i++) put(e, "    %k,\n", k->items[i]);
  put(e, "  };\n");
  emit_maker_body(e, k);
  put(e, "  vk_freeze(made);\n  c->globals[%d] = made;\n  return made;\n}\n", k->slot);
  e->out = data;
  e->needs_collections = true;
}

/* ---- all of them --------------------------------------------------------------------------- */

static void emit_const(Emit *e, const LowConst *k) {
  if (k->is_dynamic) {
    emit_maker(e, k);
    return;
  }
  switch (k->kind) {
  case LOW_INT:
  case LOW_NIL:
  case LOW_LIST: break; /* see emit_cells */
  case LOW_BIG: emit_big(e, k); break;
  case LOW_FLOAT: emit_float(e, k); break;
  case LOW_STRING: emit_string(e, k); break;
  case LOW_SYMBOL: emit_symbol(e, k); break;
  case LOW_SEXPR: emit_sexpr(e, k); break;
  case LOW_VECTOR: emit_vector(e, k); break;
  case LOW_MAP: emit_map(e, k); break;
  case LOW_LITERAL: emit_literal(e, k); break;
  case LOW_FUNCTION: emit_function(e, k); break;
  case LOW_BUILTIN: emit_builtin(e, k); break;
  }
}

static bool is_in_cells(const LowConst *k) {
  return !k->is_dynamic && (k->kind == LOW_LIST || k->kind == LOW_SEXPR);
}

static bool has_items(const LowConst *k) {
  return k->kind == LOW_LIST || k->kind == LOW_SEXPR || k->kind == LOW_VECTOR ||
         k->kind == LOW_MAP || k->kind == LOW_LITERAL;
}

void emit_consts(Emit *e) {
  LowConst **consts = e->low->consts.items;
  size_t count = e->low->consts.count;
  for (size_t i = count; i-- > 0;) { /* wholes come after their parts */
    if (!e->is_const_used[i] || !has_items(consts[i])) continue;
    for (size_t j = 0; j < consts[i]->count; j++)
      e->is_const_used[consts[i]->items[j]->id] = true;
    if (is_in_cells(consts[i])) place_cells(e, consts[i]);
  }
  declare_cells(e);
  for (size_t i = 0; i < count; i++)
    if (e->is_const_used[i]) emit_const(e, consts[i]);
  emit_cells(e);
}

size_t emit_symbol_table(Emit *e) {
  size_t found = 0;
  for (size_t i = 0; i < e->low->consts.count; i++) {
    const LowConst *k = e->low->consts.items[i];
    if (k->kind != LOW_SYMBOL || !e->is_const_used[i] || runtime_symbol(k)) continue;
    if (!found++) put(e, "\nstatic const VkSymbol *const symbols[] = {\n");
    put(e, "  &sym_");
    put_mangled(e, k->text);
    put(e, "_%u,\n", k->id);
  }
  if (found) put(e, "};\n");
  return found;
}
