/* emit_program.c - the text around the code: prototypes, tables of functions and globals, the program; what
 * of it goes where (emit.c says in which order). */
#include "../lang/expand.h"
#include "emit_parts.h"
#include <stdlib.h>
#include <string.h>

/* ---- the program --------------------------------------------------------------------------- */

/* The table of functions tells the trace of an overflowing stack whose code an address is in. A
 * function called from one place only stays out, unless it recurs: its code is inlined there,
 * and naming its address would keep a copy. */
static bool has_listed_code(const LowFn *f) {
  bool is_own = f->is_value && f->captures.count; /* fn_ describes the code itself */
  return !is_own && (f->is_recursive || f->call_count > 1);
}

static void emit_fn_infos(Emit *e) {
  for (size_t i = 0; i < e->low->fns.count; i++) {
    const LowFn *f = e->low->fns.items[i];
    if (f->is_value) emit_fn_info(e, f, "fn_", emit_has_wrapper(f));
    if (has_listed_code(f)) emit_fn_info(e, f, "code_", false);
  }
}

static size_t emit_fn_table(Emit *e) {
  size_t found = 0;
  for (size_t i = 0; i < e->low->fns.count; i++) {
    const LowFn *f = e->low->fns.items[i];
    bool has_code = has_listed_code(f);
    if ((f->is_value || has_code) && found == 0) put(e, "\nstatic const VkFn *const fns[] = {\n");
    if (f->is_value) put(e, "  &fn_%n,\n", f);
    if (has_code) put(e, "  &code_%n,\n", f);
    found += f->is_value + has_code;
  }
  if (found) put(e, "};\n");
  return found;
}

/* As rt/eval_world.c reads it: library names, and those that modules keep, are marked. */
static void put_global_name(Emit *e, const Global *g) {
  bool is_private = g->module && g->module->name && !ptrmap_get(&g->module->exported, g->plain);
  const char *name = arena_printf(e->arena, "%s%s", g->is_library ? "%:" : is_private ? "%." : "", g->name);
  put_string(e, name, strlen(name));
}

static void emit_global_tables(Emit *e) {
  LowProgram *low = e->low;
  if (low->slots.count == 0) return;
  put(e, "\nstatic const V global_init[] = {\n");
  for (size_t i = 0; i < low->slots.count; i++) {
    if (low->slot_inits.items[i]) put(e, "  %k,\n", low->slot_inits.items[i]);
    else put(e, "  VK_UNBOUND,\n");
  }
  put(e, "};\n\nstatic const char *const global_names[] = {\n");
  for (size_t i = 0; i < low->slots.count; i++) {
    const Global *g = low->slots.items[i];
    put(e, "  ");
    if (g) put_global_name(e, g);
    else put(e, "NULL"); /* a constant's */
    put(e, ",\n");
  }
  put(e, "};\n");
}

static void put_table(Emit *e, const char *table, size_t count) {
  put(e, "  %s, %z,\n", count ? table : "NULL", count);
}

/* The file of the last form: others are loaded by it, or are the library. */
static const char *program_name(const Program *p) {
  if (p->tops.count == 0) return "program";
  return diag_path(p->diag, p->tops.items[p->tops.count - 1].span);
}

static void emit_program(Emit *e, size_t symbol_count) {
  LowProgram *low = e->low;
  if (low->tops.count) put(e, "\nstatic const VkTop tops[] = {\n");
  for (size_t i = 0; i < low->tops.count; i++) put(e, "  %f,\n", low->tops.items[i]);
  if (low->tops.count) put(e, "};\n");
  size_t fn_count = emit_fn_table(e);
  const struct ProgramDefaults *d = &e->p->defaults;
  bool has_defaults = d->heap_limit_bytes || d->gc_threshold_bytes || d->arena_bytes;
  if (has_defaults)
    put(e, "\nstatic const VkDefaults defaults = {%zu, %zu, %zu};\n", (size_t)d->heap_limit_bytes,
        (size_t)d->gc_threshold_bytes, (size_t)d->arena_bytes);
  const char *name = program_name(e->p);
  put(e, "\nstatic const void *const text_begins[] = {VK_TEXT_BEGINS};\n");
  put(e, "static const void *const text_ends[] = {VK_TEXT_ENDS};\n");
  put(e, "\nstatic const VkProgram program = {\n  ");
  put_string(e, name, strlen(name));
  put(e, ",\n");
  put_table(e, "tops", low->tops.count);
  put(e, "  %s, %s, %z,\n", low->slots.count ? "global_init" : "NULL",
      low->slots.count ? "global_names" : "NULL", low->slots.count);
  put_table(e, "symbols", symbol_count);
  put_table(e, "fns", fn_count);
  put(e, has_defaults ? "  &defaults,\n" : "  NULL,\n");
  put(e, "  %d,\n", e->low->may_listen ? 1 : 0);
  put(e, "  text_begins, text_ends, sizeof text_ends / sizeof *text_ends,\n");
  put(e, "};\n\nint main(int argc, char **argv) { return vk_main(argc, argv, &program); }\n");
  if (e->p->is_profiled) /* linked even if the program has no site */
    put(e, "__attribute__((used)) static void (*const write_profile)(void) = vk_profile_write;\n");
}

static void emit_once_prototype(Emit *e, const Prim *prim) {
  put(e, "V %s_once(vk *", prim->symbol);
  for (unsigned j = 0; j < prim->min; j++) put(e, ", V");
  put(e, ", const VkPos *) __asm__(\"%s_slow\");\n", prim->symbol);
}

static void emit_prim_prototypes(Emit *e) {
  for (size_t i = 0; i < prim_count; i++) {
    const Prim *prim = &prim_table[i];
    if (e->is_once_used[i]) emit_once_prototype(e, prim);
    if (!e->is_prim_used[i]) continue;
    put(e, "V %s(vk *", prim->symbol);
    if (prim->is_argv) put(e, ", size_t, const V *");
    else
      for (unsigned j = 0; j < prim->min; j++) put(e, ", V");
    put(e, ");\n");
  }
}

static void emit_includes(Emit *e) {
  put(e, "/* Made by valkc from ");
  put_in_comment(e, program_name(e->p));
  put(e, ". */\n#include \"vk.h\"\n");
  if (e->needs_collections) put(e, "#include \"lists.h\"\n#include \"maps.h\"\n#include \"vectors.h\"\n");
  put(e, "#include \"where.h\"\n");
  if (e->p->is_profiled) put(e, "#include \"profile.h\"\n");
}

static void write_text(Text *t, FILE *out) {
  if (t->len) fwrite(t->bytes, 1, t->len, out);
  text_free(t);
}

/* Of all functions, if the text is whole. */
static void emit_prototypes(Emit *e) {
  LowProgram *low = e->low;
  put(e, "\n");
  emit_prim_prototypes(e);
  for (size_t i = 0; i < low->fns.count; i++)
    if (low->part_count < 2 || low->fns.items[i]->is_shared) emit_prototype(e, low->fns.items[i]);
  for (size_t i = 0; low->part_count > 1 && i < low->tops.count; i++) emit_prototype(e, low->tops.items[i]);
  put(e, "\n");
}

static void write_parts_begin(Emit *e, FILE *out) {
  fputs("#ifdef VK_PART\n", out);
  write_text(&e->externs, out);
  fputs("#endif\n\n#if VK_IS_PART(0)\n", out);
}

void emit_run(LowProgram *low, FILE *out, bool may_split) {
  Emit e = {.low = low, .p = low->program, .arena = low->arena,
            .located.file = NO_FILE};
  Text tail = {0}, head = {0};
  e.is_const_used = ARENA_ARRAY(e.arena, bool, low->consts.count);
  e.is_prim_used = ARENA_ARRAY(e.arena, bool, prim_count);
  e.cells_of = ARENA_ARRAY(e.arena, uint32_t, low->consts.count);
  e.lists = ARENA_ARRAY(e.arena, const LowConst *, low->consts.count);
  e.is_once_used = ARENA_ARRAY(e.arena, bool, prim_count);
  if (may_split) emit_split(low);
  emit_code(&e);
  e.out = &tail;
  emit_global_tables(&e);
  e.out = &e.data;
  emit_fn_infos(&e);
  emit_consts(&e);
  e.out = &tail;
  emit_program(&e, emit_symbol_table(&e));
  e.out = &e.data;
  emit_places(&e);
  e.out = &e.files;
  if (low->part_count > 1) emit_own_prototypes(&e, 0);
  emit_files(&e);
  e.out = &e.prototypes;
  emit_prototypes(&e);
  e.out = &head;
  emit_includes(&e);
  write_text(&head, out);
  write_text(&e.prototypes, out);
  if (low->part_count > 1) write_parts_begin(&e, out);
  fputs("VK_TEXT_BEGIN\n\n", out);
  write_text(&e.files, out);
  write_text(&e.data, out);
  write_text(&e.code, out);
  write_text(&tail, out);
  if (low->part_count > 1) fputs("#endif\n", out);
}
