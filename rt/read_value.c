/* read_value.c - (read s): the first datum of a string as a value.
 *
 * The compiler's reader (lang/) reads it, so that text means the same to both. An object file of
 * its own: programs without `read` link neither. */
#include "datum_value.h"
#include "fns.h"
#include "strings.h"

static V syntax_error(vk *c, Diag *diag) {
  for (size_t i = 0; i < diag->messages.count; i++) {
    const Diagnostic *m = &diag->messages.items[i];
    if (m->level != DIAG_ERROR) continue;
    uint32_t line, col;
    diag_line_col(diag, m->span, &line, &col);
    return vk_errorf(c, VK_SYM(syntax), "%u:%u: %s", line, col, m->message);
  }
  return VK_NIL;
}

V vk_read(vk *c, V text) {
  if (!VK_IS_STRING(text)) return vk_arg_error(c, "read", 1, text, "a string");
  Arena arena = {0};
  Names names = {.arena = &arena};
  Diag diag = {.arena = &arena};
  uint32_t file = diag_add_source(&diag, "read", VK_STR(text)->bytes, VK_STR(text)->len);
  const Datum *d = read_one(&arena, &names, &diag, file);
  V result = diag.error_count ? syntax_error(c, &diag) : VK_NIL;
  if (!diag.error_count && d) result = vk_datum_value(c, d, NULL);
  arena_free(&arena);
  __asm__ volatile(
      "" ::"r"(text)); /* stays reachable: data in the arena point into its bytes */
  return result;
}
