/* errors.c - error values: making them, the places they pass, and the report of the last resort.
 *
 * An error is immutable once a place is in its trace, so that it may be shared, kept in a list or
 * returned twice: vk_at copies. Only a new error, which no place has seen, takes its first one in
 * itself. Static errors (data of the program) have VK_FROZEN and are always copied.
 *
 * The trace holds the places in order: the first 8 and the last 24 of trace_count. An error
 * object has room for one place at least, so its size is
 * sizeof(VkError) + 8 * max(1, min(trace_count, VK_TRACE_MAX)). */
#include "errors.h"
#include "fns.h"
#include "lists.h"
#include "out.h"
#include "scratch.h"
#include "strings.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define VK_IS_ERROR(v) (VK_IS_ABN(v) && (v) != VK_MARK)

static size_t trace_kept(const VkError *e) {
  return e->trace_count < VK_TRACE_MAX ? (size_t)e->trace_count : VK_TRACE_MAX;
}

/* ---- making -------------------------------------------------------------------------------- */

/* Errors leave every region, and so are on the heap with all they hold. */
static VkError *new_error(vk *c, size_t room, V kind, V message, V data) {
  VkError *e = vk_heap_object(c, sizeof *e + (room ? room : 1) * sizeof e->trace[0]);
  e->hdr = VK_HDR(VK_ERROR, 0, 0);
  e->message = message;
  e->kind = kind;
  e->data = data;
  return e;
}

V vk_error(vk *c, V kind, V message, V data) {
  assert(VK_IS_STRING(message));
  assert(VK_IS_KIND(kind, VK_SYMBOL));
  VkError *e = new_error(c, 1, kind, message, data);
  return VK_FROM_ERR(e);
}

V vk_errorf(vk *c, V kind, const char *format, ...) {
  char text[512];
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int len = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  assert(len >= 0);
  V message;
  unsigned where = c->where;
  c->where = VK_ON_HEAP;
  if ((size_t)len < sizeof text) {
    message = vk_string(c, text, (size_t)len);
  } else { /* the NUL goes where the string has its own */
    VkString *s = vk_string_new(c, (size_t)len);
    vsnprintf(s->bytes, (size_t)len + 1, format, again);
    message = VK_FROM_OBJ(s);
  }
  va_end(again);
  c->where = where;
  return vk_error(c, kind, message, VK_NIL);
}

V vk_arg_error(vk *c, const char *who, int index, V got, const char *expected) {
  assert(got != VK_MARK);
  if (VK_IS_ABN(got)) return got;
  return vk_errorf(c, VK_SYM(type), "%s: argument %d must be %s, got %s", who, index, expected,
                   vk_type_name(got));
}

V vk_at(vk *c, V err, const VkPos *pos) {
  assert(VK_IS_ERROR(err));
  VkError *e = VK_ERR(err);
  if (!pos) return err;
  c->error_count++;
  if (e->trace_count == 0 && !(e->hdr & VK_FROZEN)) {
    e->trace[0] = pos;
    e->trace_count = 1;
    return err;
  }
  size_t kept = trace_kept(e), room = kept < VK_TRACE_MAX ? kept + 1 : kept;
  VkError *copy = new_error(c, room, e->kind, e->message, e->data);
  copy->trace_count = e->trace_count + 1;
  memcpy(copy->trace, e->trace, kept * sizeof e->trace[0]);
  if (kept == VK_TRACE_MAX) /* the oldest of the last ones goes */
    memmove(&copy->trace[VK_TRACE_FIRST], &copy->trace[VK_TRACE_FIRST + 1],
            (VK_TRACE_LAST - 1) * sizeof e->trace[0]);
  copy->trace[room - 1] = pos;
  return VK_FROM_ERR(copy);
}
V vk_placed(vk *c, V v, const VkPos *pos) { return VK_AT(c, v, pos); }

V vk_unbound_error(vk *c, const char *name, const VkPos *pos) {
  V err = vk_errorf(c, VK_SYM(unbound), "Symbol `%s` is not bound%s", name,
                    c->isolate ? " here: it was not at the first `future` or `listen`" : "");
  return vk_at(c, err, pos);
}

/* ---- the report ---------------------------------------------------------------------------- */

static void put_place(VkBuf *b, const VkPos *p, size_t times) {
  vk_buf_putf(b, "  at %s:%u:%u", p->file, p->line, p->col);
  if (p->fn) vk_buf_putf(b, " in %s", p->fn);
  if (times > 1) vk_buf_putf(b, " (%zu times)", times);
  vk_buf_putc(b, '\n');
}

/* Places [from, to) of the trace, equal neighbours on one line. */
static void put_places(VkBuf *b, const VkError *e, size_t from, size_t to) {
  while (from < to) {
    size_t next = from + 1;
    while (next < to && e->trace[next] == e->trace[from]) next++;
    put_place(b, e->trace[from], next - from);
    from = next;
  }
}

void vk_error_text(VkBuf *b, V err) {
  const VkError *e = VK_ERR(err);
  size_t kept = trace_kept(e);
  vk_buf_put_z(b, "Error: ");
  vk_buf_put(b, VK_STR(e->message)->bytes, VK_STR(e->message)->len);
  if (e->kind != VK_SYM(error)) vk_buf_putf(b, " (%s)", VK_SYMB(e->kind)->bytes);
  vk_buf_putc(b, '\n');
  if (e->trace_count <= VK_TRACE_MAX) {
    put_places(b, e, 0, kept);
    return;
  }
  put_places(b, e, 0, VK_TRACE_FIRST);
  vk_buf_putf(b, "  ... %llu more ...\n", (unsigned long long)(e->trace_count - VK_TRACE_MAX));
  put_places(b, e, VK_TRACE_FIRST, VK_TRACE_MAX);
}

void vk_error_report(vk *c, V err) {
  (void)c;
  VkBuf b = {0};
  vk_error_text(&b, err);
  vk_out_flush();
  fwrite(b.data, 1, b.len, stderr);
  fflush(stderr);
  vk_buf_free(&b);
}

/* ---- primitives ---------------------------------------------------------------------------- */

/* (error "msg"), (error :kind "msg"), (error :kind "msg" data), (error "msg" data) */
V vk_error_make(vk *c, size_t n, const V *args) {
  bool has_kind = VK_IS_KIND(args[0], VK_SYMBOL) && (*VK_OBJ(args[0]) & VK_KEYWORD);
  if (has_kind && n == 1)
    return vk_errorf(c, VK_SYM(arity), "error: a message must follow the kind");
  size_t at = has_kind ? 1 : 0;
  if (!VK_IS_STRING(args[at]))
    return vk_arg_error(c, "error", (int)at + 1, args[at],
                        has_kind ? "a string, the message" : "a string or keyword");
  if (n > at + 2)
    return vk_errorf(c, VK_SYM(type), "error: argument 1 must be a keyword, got String");
  V data = n > at + 1 ? vk_keep_string(c, args[at + 1]) : VK_NIL;
  return vk_error(c, has_kind ? args[0] : VK_SYM(error), vk_keep_string(c, args[at]), data);
}

V vk_error_p(vk *c, V v) {
  (void)c;
  return VK_FIX(VK_IS_ABN(v));
}

static V not_an_error(vk *c, const char *who, V v) {
  return vk_errorf(c, VK_SYM(type), "%s: argument 1 must be an error, got %s", who,
                   vk_type_name(v));
}

V vk_error_message(vk *c, V v) {
  return VK_IS_ERROR(v) ? VK_ERR(v)->message : not_an_error(c, "error-message", v);
}

V vk_error_kind(vk *c, V v) {
  return VK_IS_ERROR(v) ? VK_ERR(v)->kind : not_an_error(c, "error-kind", v);
}

V vk_error_data(vk *c, V v) {
  return VK_IS_ERROR(v) ? VK_ERR(v)->data : not_an_error(c, "error-data", v);
}

static V place_list(vk *c, const VkPos *p) {
  V items[4] = {VK_NIL, VK_FIX(p->line), VK_FIX(p->col), VK_NIL};
  items[0] = vk_string_z(c, p->file);
  if (p->fn) items[3] = vk_string_z(c, p->fn);
  return vk_list_from(c, 4, items);
}

V vk_error_trace(vk *c, V v) {
  if (!VK_IS_ERROR(v)) return not_an_error(c, "error-trace", v);
  VkListBuilder b = VK_LIST_BUILDER;
  for (size_t i = 0; i < trace_kept(VK_ERR(v)); i++)
    vk_list_add(c, &b, place_list(c, VK_ERR(v)->trace[i]));
  return b.first;
}

/* (%arity-error who actual expected): for functions of std that check for themselves. */
V vk_arity_error_p(vk *c, V who, V actual, V expected) {
  return vk_errorf(c, VK_SYM(arity),
                   "More arguments were given than required. Actual: %lld, Expected: %lld (%s)",
                   (long long)VK_INT(actual), (long long)VK_INT(expected), VK_STR(who)->bytes);
}
