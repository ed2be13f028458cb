/* fuzz_read.c - any bytes through the reader, and what was read through the printer and back.
 *
 * A libFuzzer target (AFL++ takes it too): tests/fuzz/run builds it with the address and
 * undefined-behaviour checkers. Beyond not crashing, it holds the reader to its word: spans
 * nest, integers are canonical, text without errors prints to text that reads back equal, and
 * every error has a message. */
#include "datum.h"
#include "fuzz.h"
#include <string.h>

static void check_big(const Datum *d) {
  bool is_negative = d->text[0] == '-';
  HOLDS(strlen(d->text) == d->len);
  HOLDS(d->len - is_negative >= 19);
  HOLDS(d->text[is_negative] != '0');
  HOLDS(strspn(d->text + is_negative, "0123456789") == d->len - is_negative);
}

static void check_node(const Datum *d, uint32_t file, size_t len) {
  HOLDS(d->span.file == file);
  HOLDS(d->span.start < d->span.end);
  HOLDS(d->span.end <= len);
  if (d->kind == DATUM_BIG) check_big(d);
  HOLDS(!d->is_tick || (d->is_quoted && d->count == 1));
  HOLDS(!d->is_quoted || d->kind == DATUM_LIST);
}

/* With an explicit stack: data may be nested READ_DEPTH_MAX deep. */
static void check_tree(const Datum *top, uint32_t file, size_t len) {
  Arena tmp = {0};
  VEC(const Datum *) stack = {0};
  check_node(top, file, len);
  PUSH(&tmp, stack, top);
  while (stack.count) {
    const Datum *d = stack.items[--stack.count];
    if (d->kind < DATUM_LIST) continue;
    for (size_t i = 0; i < d->count; i++) {
      const Datum *item = d->items[i];
      check_node(item, file, len);
      HOLDS(item->span.start >= d->span.start && item->span.end <= d->span.end);
      HOLDS(i == 0 || item->span.start >= d->items[i - 1]->span.end);
      PUSH(&tmp, stack, item);
    }
  }
  arena_free(&tmp);
}

static void check_reads_back(Arena *a, Names *names, Diag *diag, const Datum *d) {
  char *text = datum_to_string(a, d);
  uint32_t file = diag_add_source(diag, "back", text, strlen(text));
  DatumVec back = read_source(a, names, diag, file);
  if (diag->error_count) /* `,x prints with more brackets, and may so get too deep */
    return;
  HOLDS(back.count == 1);
  HOLDS(datum_equal(d, back.items[0]));
}

static void check_messages(Diag *diag) {
  char *text = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&text, &len);
  bool has_messages = diag->messages.count > 0;
  diag_flush_to(diag, out);
  fclose(out);
  HOLDS((len > 0) == has_messages);
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Arena arena = {0};
  Names names = {.arena = &arena};
  Diag diag = {.arena = &arena};
  const char *text = arena_copy(&arena, (const char *)data, size);
  uint32_t file = diag_add_source(&diag, "input", text, size);
  DatumVec all = read_source(&arena, &names, &diag, file);
  size_t error_count = diag.error_count;
  for (size_t i = 0; i < all.count; i++) {
    check_tree(all.items[i], file, size);
    read_doc_above(&arena, &diag, all.items[i]->span);
    if (!error_count) check_reads_back(&arena, &names, &diag, all.items[i]);
  }
  if (!error_count)
    HOLDS(!read_is_incomplete(text, size));
  else
    read_is_incomplete(text, size);
  check_messages(&diag);
  arena_free(&arena);
  return 0;
}
