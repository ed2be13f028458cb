/* print.c - the text of values: see print.h.
 *
 * Iterative: a stack of frames, one for each list, vector or map that is open. Only vectors and
 * maps can lie on a cycle; those that are open are found by a hash table that threads through
 * their frames: the frame pushed last is first in its bucket, so popping needs no search.
 * The stack is malloc memory that holds values, which is safe because nothing here allocates
 * from the heap: what v reaches stays reachable from the caller's v. */
#include "print.h"
#include "bigint.h"
#include "float_text.h"
#include "handle.h"
#include "lists.h"
#include "maps.h"
#include "vectors.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum FrameKind { LIST_FRAME, VECTOR_FRAME, MAP_FRAME } FrameKind;
typedef struct Frame {
  V object;  /* list: the pairs still to come; else the vector or map itself */
  V pending; /* map: a value whose key was shown, else VK_UNBOUND */
  size_t index;
  uint32_t next_in_bucket; /* frame number + 1, 0: none */
  uint8_t kind;
  char close;
  bool is_started; /* an element was shown */
} Frame;

enum { INLINE_FRAMES = 16, FIRST_BUCKETS = 64 };
typedef struct Show {
  VkBuf *out;
  bool is_quoted;
  Frame *frames;
  size_t count, capacity;
  uint32_t *buckets; /* of the frames of vectors and maps; NULL until there is one */
  size_t bucket_count;
  Frame *first; /* room for INLINE_FRAMES on the C stack */
} Show;

/* ---- text of single values --------------------------------------------------------------- */

static const char *escape_name(unsigned char ch) {
  switch (ch) {
  case '"': return "\\\"";
  case '\\': return "\\\\";
  case '\a': return "\\a";
  case '\b': return "\\b";
  case '\f': return "\\f";
  case '\n': return "\\n";
  case '\r': return "\\r";
  case '\t': return "\\t";
  case '\v': return "\\v";
  case '\0': return "\\0";
  default: return NULL;
  }
}

/* Whole UTF-8 characters as they are; other bytes that are no printable ASCII as \xHH. */
void vk_show_string(VkBuf *b, const char *bytes, size_t len) {
  vk_buf_putc(b, '"');
  for (size_t i = 0, step; i < len; i += step) {
    unsigned char ch = (unsigned char)bytes[i];
    const char *escape = escape_name(ch);
    step = vk_utf8_length(bytes + i, len - i);
    if (escape)
      vk_buf_put(b, escape, 2);
    else if (step == 1 && (ch < ' ' || ch >= 0x7F))
      vk_buf_putf(b, "\\x%02x", ch);
    else
      vk_buf_put(b, bytes + i, step);
  }
  vk_buf_putc(b, '"');
}

static void show_float(VkBuf *b, double x) {
  char text[VK_FLOAT_TEXT_MAX];
  vk_buf_put(b, text, vk_float_text(text, x));
}

static void show_function(VkBuf *b, V closure) {
  const VkFn *fn = VK_CLO(closure)->fn;
  vk_buf_put_z(b, fn->origin == VK_BUILTIN ? "<builtin" : "<lambda");
  if (fn->name) vk_buf_putc(b, ' '), vk_buf_put_z(b, fn->name);
  vk_buf_putc(b, '>');
}

static void show_handle(VkBuf *b, V v) {
  const VkHandleClass *class = VK_HANDLEP(v)->class;
  vk_buf_putf(b, "<ref:%s>", class ? class->name : "handle");
}

static void show_error(VkBuf *b, V error) {
  vk_buf_put_z(b, "Error: ");
  const VkString *message = VK_STR(VK_ERR(error)->message);
  vk_buf_put(b, message->bytes, message->len);
}

static void show_object(VkBuf *b, V v, bool quoted) {
  switch (VK_KIND(v)) {
  case VK_STRING:
    if (quoted)
      vk_show_string(b, VK_STR(v)->bytes, VK_STR(v)->len);
    else
      vk_buf_put(b, VK_STR(v)->bytes, VK_STR(v)->len);
    break;
  case VK_SYMBOL: vk_buf_put(b, VK_SYMB(v)->bytes, VK_SYMB(v)->len); break;
  case VK_BIGINT: big_show(b, v); break;
  case VK_FLOAT: show_float(b, vk_double(v)); break;
  case VK_CLOSURE: show_function(b, v); break;
  case VK_PAP: show_function(b, ((VkPap *)VK_OBJ(v))->fn); break;
  case VK_ATOM: vk_buf_put_z(b, "<ref:atom>"); break;
  case VK_HANDLE: show_handle(b, v); break;
  default: vk_buf_put_z(b, "<internal>"); break;
  }
}

/* Any value but lists, vectors and maps. */
static void show_single(VkBuf *b, V v, bool quoted) {
  if (VK_IS_FIX(v))
    big_show(b, v);
  else if (v == VK_NIL)
    vk_buf_put(b, "()", 2);
  else if (VK_IS_IMM_FLOAT(v))
    show_float(b, vk_imm_double(v));
  else if (VK_IS_OBJ(v))
    show_object(b, v, quoted);
  else if (VK_IS_REQUEST(v))
    vk_buf_put_z(b, "<ref:request>");
  else if (VK_IS_ABN(v) && v != VK_MARK)
    show_error(b, v);
  else
    vk_buf_put_z(b, v == VK_UNBOUND ? "<unbound>" : "<internal>");
}

/* ---- the frames -------------------------------------------------------------------------- */

static void *need(void *memory) {
  if (memory) return memory;
  fputs("error: out of memory\n", stderr);
  exit(1);
}

static uint32_t *bucket_of(Show *s, V object) {
  return &s->buckets[(object >> 4) * 0x9E3779B97F4A7C15u >> 32 & (s->bucket_count - 1)];
}

static void link_frame(Show *s, size_t number) {
  uint32_t *bucket = bucket_of(s, s->frames[number].object);
  s->frames[number].next_in_bucket = *bucket;
  *bucket = (uint32_t)number + 1;
}

static void grow_buckets(Show *s) {
  free(s->buckets);
  s->bucket_count = s->bucket_count ? 2 * s->bucket_count : FIRST_BUCKETS;
  s->buckets = need(calloc(s->bucket_count, sizeof *s->buckets));
  for (size_t i = 0; i < s->count; i++)
    if (s->frames[i].kind != LIST_FRAME) link_frame(s, i);
}

/* Whether a vector or map is being shown further out. */
static bool is_open(Show *s, V object) {
  if (!s->buckets) return false;
  for (uint32_t i = *bucket_of(s, object); i != 0; i = s->frames[i - 1].next_in_bucket)
    if (s->frames[i - 1].object == object) return true;
  return false;
}

static void grow_frames(Show *s) {
  size_t bytes = s->capacity * sizeof(Frame);
  Frame *old = s->frames == s->first ? NULL : s->frames;
  s->frames = need(realloc(old, 2 * bytes));
  if (!old) memcpy(s->frames, s->first, bytes);
  s->capacity *= 2;
}

static void open_frame(Show *s, FrameKind kind, V object, const char *open, char close) {
  if (kind != LIST_FRAME && is_open(s, object)) {
    vk_buf_put_z(s->out, "...");
    return;
  }
  if (s->count == s->capacity) grow_frames(s);
  if (kind != LIST_FRAME && s->count >= s->bucket_count) grow_buckets(s);
  s->frames[s->count] =
      (Frame){.object = object, .pending = VK_UNBOUND, .kind = (uint8_t)kind, .close = close};
  if (kind != LIST_FRAME) link_frame(s, s->count);
  s->count++;
  vk_buf_put_z(s->out, open);
}

static void close_frame(Show *s) {
  Frame *f = &s->frames[--s->count];
  if (f->kind != LIST_FRAME) *bucket_of(s, f->object) = f->next_in_bucket;
  vk_buf_putc(s->out, f->close);
}

/* Shows v, or opens a frame for its elements. */
static void show_value(Show *s, V v) {
  if (VK_IS_PAIR(v))
    open_frame(s, LIST_FRAME, v, "{", '}');
  else if (VK_IS_KIND(v, VK_SEXPR))
    open_frame(s, LIST_FRAME, vk_list_of(v), "(", ')');
  else if (VK_IS_KIND(v, VK_BLOCK) && vk_list_of(v) != VK_NIL)
    open_frame(s, LIST_FRAME, vk_list_of(v), "{", '}');
  else if (VK_IS_KIND(v, VK_BLOCK))
    vk_buf_put(s->out, "()", 2);
  else if (VK_IS_VECTOR(v))
    open_frame(s, VECTOR_FRAME, v, "[", ']');
  else if (VK_IS_MAP(v))
    open_frame(s, MAP_FRAME, v, "#{", '}');
  else
    show_single(s->out, v, s->is_quoted);
}

/* The next element of the frame, or VK_UNBOUND at its end. A float may be in *room. */
static V next_element(Frame *f, VkFloat *room) {
  V v = VK_UNBOUND;
  if (f->kind == LIST_FRAME) {
    if (!VK_IS_PAIR(f->object)) return VK_UNBOUND;
    v = VK_HEAD(f->object);
    f->object = VK_TAIL(f->object);
  } else if (f->kind == VECTOR_FRAME) {
    if (f->index < vk_vec_count(f->object)) v = vk_vec_peek(f->object, f->index++, room);
  } else if (f->pending != VK_UNBOUND) {
    v = f->pending;
    f->pending = VK_UNBOUND;
  } else if (!vk_map_next(f->object, &f->index, &v, &f->pending)) {
    v = VK_UNBOUND;
  }
  return v;
}

static bool is_container(V v) {
  if (VK_IS_PAIR(v)) return true;
  VkKind kind = VK_KIND(v);
  return kind == VK_SEXPR || kind == VK_BLOCK || kind == VK_VECTOR || kind == VK_MAP;
}

static void show_elements(Show *s) {
  while (s->count > 0) {
    Frame *f = &s->frames[s->count - 1];
    VkFloat room;
    V element = next_element(f, &room);
    if (element == VK_UNBOUND) {
      close_frame(s);
      continue;
    }
    if (f->is_started) vk_buf_putc(s->out, ' ');
    f->is_started = true;
    show_value(s, element);
  }
}

void vk_show(VkBuf *b, V v, bool quoted) {
  if (!is_container(v)) {
    show_single(b, v, quoted);
    return;
  }
  Frame first[INLINE_FRAMES];
  Show s = {.out = b,
            .is_quoted = quoted,
            .frames = first,
            .capacity = INLINE_FRAMES,
            .first = first};
  show_value(&s, v);
  show_elements(&s);
  free(s.buckets);
  if (s.frames != first) free(s.frames);
}
