/* manifest.c - read, check and write manifests (contract: manifest.h).
 *
 * A manifest is text: the key of the executable, then a line per source with its hash and its path.
 * Messages are not kept: a program that has any is compiled each time, and says them each time. */
#include "manifest.h"
#include "build.h"
#include "cache.h"
#include "hash.h"
#include "process.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_LENGTH = HASH_HEX_BYTES - 1 };

static bool is_regular(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static void hash_text(const char *bytes, size_t len, char hex[HASH_HEX_BYTES]) {
  Hash h;
  hash_start(&h);
  hash_add(&h, bytes, len);
  hash_finish(&h, hex);
}

static bool wants_manifest(const Options *o) {
  return o->command == COMMAND_BUILD && !o->no_cache && !o->size && !o->keep_c && !o->dump &&
         is_regular(o->args[0]);
}

/* Named by everything but the sources; malloc, or NULL. */
static char *manifest_path(const Options *o, const char command_key[HASH_HEX_BYTES]) {
  char here[PATH_MAX], key[HASH_HEX_BYTES];
  Hash h;
  hash_start(&h);
  hash_add_text(&h, command_key);
  hash_add_text(&h, getcwd(here, sizeof here) ? here : "");
  hash_add_text(&h, o->args[0]);
  /* these change the C text, or whether there is one */
  const char *const options[] = {o->skip, o->heap_limit, o->gc_threshold, o->arena, o->no_heap_in};
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) hash_add_text(&h, options[i] ? options[i] : "");
  hash_finish(&h, key);
  return cache_path(key);
}

/* ---- checking ----------------------------------------------------------------------------- */

/* The line "HASH PATH", which this ends: true if the file is there and has the hash. */
static bool is_unchanged(char *line) {
  char hex[HASH_HEX_BYTES];
  if (strlen(line) < KEY_LENGTH + 2) return false;
  Text text = read_path(line + KEY_LENGTH + 1);
  if (!text.bytes) return false;
  hash_text(text.bytes, text.len, hex);
  free(text.bytes);
  return !memcmp(hex, line, KEY_LENGTH);
}

/* The key in the manifest's first line, if all its other lines hold; else NULL. */
static const char *check(char *text) {
  const char *key = strtok(text, "\n");
  size_t count = 0;
  for (char *line; (line = strtok(NULL, "\n")); count++)
    if (!is_unchanged(line)) return NULL;
  return key && count > 0 && strlen(key) == KEY_LENGTH ? key : NULL;
}

ManifestResult manifest_build(const Options *o, const char *output) {
  char command_key[HASH_HEX_BYTES];
  if (!wants_manifest(o) || is_special_file(output)) return MANIFEST_STALE;
  if (!build_command_key(o, command_key)) return MANIFEST_FAILED;
  char *path = manifest_path(o, command_key);
  Text text = path ? read_path(path) : (Text){NULL, 0};
  const char *key = text.bytes ? check(text.bytes) : NULL;
  char *cached = key ? cache_path(key) : NULL;
  bool is_done = cached && cache_has(cached) && copy_executable(cached, output);
  if (is_done && o->verbose) fprintf(stderr, "unchanged, from the cache: %s\n", cached);
  free(cached);
  free(text.bytes);
  free(path);
  return is_done ? MANIFEST_DONE : MANIFEST_STALE;
}

/* ---- keeping ------------------------------------------------------------------------------ */

/* False if a source is no file that could be read again. */
static bool put_sources(const Compilation *c, FILE *out) {
  for (size_t i = 0; i < c->diag.sources.count; i++) {
    const Source *s = &c->diag.sources.items[i];
    char hex[HASH_HEX_BYTES];
    if (!is_regular(s->path) || strchr(s->path, '\n')) return false;
    hash_text(s->text, s->len, hex);
    fprintf(out, "%s %s\n", hex, s->path);
  }
  return true;
}

void manifest_keep(Compilation *c) {
  char command_key[HASH_HEX_BYTES], key[HASH_HEX_BYTES];
  Text text = {NULL, 0};
  if (!wants_manifest(c->options) || c->diag.warning_count || c->diag.error_count) return;
  if (!build_command_key(c->options, command_key)) return;
  char *path = manifest_path(c->options, command_key);
  FILE *out = path ? open_memstream(&text.bytes, &text.len) : NULL;
  if (out) {
    bool is_ok = build_key(c, key) && fprintf(out, "%s\n", key) > 0 && put_sources(c, out);
    if (fclose(out) == 0 && is_ok) write_path(path, text.bytes, text.len);
  }
  free(text.bytes);
  free(path);
}
