/* read_test.c - the bottom of lang/: arena, names, messages, data and the reader. */
#include "datum.h"
#include "unicode.h"
#include "check.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A compilation of one text. */
typedef struct World {
  Arena arena;
  Names names;
  Diag diag;
  uint32_t file;
} World;

static void world_open(World *w, const char *text, size_t len) {
  *w = (World){.names = {.arena = &w->arena}, .diag = {.arena = &w->arena}};
  w->file = diag_add_source(&w->diag, "t.valk", arena_copy(&w->arena, text, len), len);
}

static DatumVec world_read(World *w, const char *text, size_t len) {
  world_open(w, text, len);
  return read_source(&w->arena, &w->names, &w->diag, w->file);
}

/* What diag_flush would print. */
static char *messages_of(World *w) {
  char *text = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&text, &len);
  diag_flush_to(&w->diag, out);
  fclose(out);
  char *copy = arena_copy(&w->arena, text, len);
  free(text);
  return copy;
}

/* ---- arena ---- */

static void test_arena(void) {
  Arena a = {0};
  for (size_t i = 0; i < 3000; i++) {
    unsigned char *p = arena_alloc(&a, i);
    CHECK((uintptr_t)p % 16 == 0);
    unsigned sum = 0;
    for (size_t k = 0; k < i; k++) sum += p[k];
    CHECK(sum == 0);
    memset(p, 0xAB, i);
  }
  char *large = arena_alloc(&a, 10 << 20);
  CHECK(large[0] == 0 && large[(10 << 20) - 1] == 0);
  CHECK_TEXT(arena_printf(&a, "%s-%d", "x", 42), "x-42");
  CHECK_TEXT(arena_copy(&a, "abcdef", 3), "abc");
  VEC(int) v = {0};
  for (int i = 0; i < 1000; i++) PUSH(&a, v, i * i);
  CHECK(v.count == 1000 && v.items[999] == 999 * 999 && v.items[0] == 0);
  arena_free(&a);
  CHECK(!a.chunks && !a.cur && !a.lim);
  CHECK(arena_alloc(&a, 0) != NULL);
  arena_free(&a);
}

static void test_names(void) {
  Arena a = {0};
  Names names = {.arena = &a};
  const char *first[5000];
  for (int i = 0; i < 5000; i++) first[i] = name_c(&names, arena_printf(&a, "name-%d", i));
  int same = 0;
  for (int i = 0; i < 5000; i++)
    same += first[i] == name_c(&names, arena_printf(&a, "name-%d", i));
  CHECK(same == 5000);
  CHECK(names.count == 5000);
  CHECK(name_of(&names, "abc", 2) == name_c(&names, "ab"));
  CHECK(name_of(&names, "a\0b", 3) != name_of(&names, "a\0c", 3));
  CHECK_TEXT(name_of(&names, NULL, 0), "");
  arena_free(&a);
}

static void test_pointer_map(void) {
  Arena a = {0};
  PtrMap map = {.arena = &a};
  static int keys[2000], values[2000];
  CHECK(ptrmap_get(&map, &keys[0]) == NULL);
  for (int i = 0; i < 2000; i++) ptrmap_put(&map, &keys[i], &values[i]);
  ptrmap_put(&map, &keys[7], &values[8]);
  int right = 0;
  for (int i = 0; i < 2000; i++) right += ptrmap_get(&map, &keys[i]) == &values[i == 7 ? 8 : i];
  CHECK(right == 2000);
  CHECK(map.count == 2000);
  CHECK(ptrmap_get(&map, &values[0]) == NULL);
  arena_free(&a);
}

static void test_unicode(void) {
  for (uint32_t code = 0; code <= 0x10FFFF; code += code < 0x3000 ? 1 : 97) {
    char bytes[4];
    unsigned len = utf8_encode(bytes, code), got;
    uint32_t back = utf8_decode(bytes, bytes + len, &got);
    bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (is_surrogate ? back != UTF8_BAD : back != code || got != len) CHECK(!"utf8 round trip");
  }
  static const char *const bad[] = {"\x80",
                                    "\xC0\x80",
                                    "\xC3",
                                    "\xE2\x82",
                                    "\xE0\x80\x80",
                                    "\xF5\x80\x80\x80",
                                    "\xF0\x80\x80\x80",
                                    "\xF4\x90\x80\x80",
                                    "\xED\xA0\x80",
                                    "\xFF",
                                    "\xC3("};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    unsigned len;
    CHECK(utf8_decode(bad[i], bad[i] + strlen(bad[i]), &len) == UTF8_BAD && len == 1);
  }
  CHECK(unicode_is_letter(0x3BB) && unicode_is_letter(0x5909) && unicode_is_letter(0x301));
  CHECK(!unicode_is_letter(0xA0) && !unicode_is_letter(0x201C) && !unicode_is_letter(0x200B));
  CHECK(unicode_width('a') == 1 && unicode_width(0x5909) == 2 && unicode_width(0x301) == 0);
}

/* ---- messages ---- */

static void check_messages(const char *text, const char *expected, int line) {
  World w;
  world_read(&w, text, strlen(text));
  char *got = messages_of(&w);
  if (!check_one(!strcmp(got, expected), __FILE__, line, "the messages"))
    fprintf(stderr, "--- text\n%s\n--- got\n%s--- expected\n%s---\n", text, got, expected);
  arena_free(&w.arena);
}
#define MESSAGES(text, expected) check_messages(text, expected, __LINE__)

static void test_message_layout(void) {
  World w;
  const char *text = "(a)\n\t(fold + xs)\r\nx \xE5\xA4\x89 y\nlast";
  world_open(&w, text, strlen(text));
  diag_error(&w.diag, (Span){w.file, 22, 23}, "after a wide character");
  diag_note(&w.diag, (Span){w.file, 0, 3}, "a note");
  diag_error(&w.diag, (Span){w.file, 6, 10}, "takes %d", 3);
  diag_warning(&w.diag, (Span){w.file, 5, 28}, "many lines");
  diag_error(&w.diag, NO_SPAN, "nowhere");
  diag_error(&w.diag, (Span){w.file, 32, 32}, "the end");
  CHECK(w.diag.error_count == 4 && w.diag.warning_count == 1);
  CHECK_TEXT(messages_of(&w), "t.valk:2:2: warning: many lines\n"
                              "    2 |         (fold + xs)\n"
                              "      |         ^~~~~~~~~~~\n"
                              "t.valk:2:3: error: takes 3\n"
                              "    2 |         (fold + xs)\n"
                              "      |          ^~~~\n"
                              "t.valk:3:4: error: after a wide character\n"
                              "    3 | x \xE5\xA4\x89 y\n"
                              "      |     ^\n"
                              "t.valk:1:1: note: a note\n"
                              "t.valk:4:5: error: the end\n"
                              "    4 | last\n"
                              "      |     ^\n"
                              "error: nowhere\n");
  CHECK_TEXT(messages_of(&w), "");
  CHECK(w.diag.error_count == 4);
  CHECK_TEXT(diag_path(&w.diag, (Span){w.file, 0, 0}), "t.valk");
  CHECK_TEXT(diag_path(&w.diag, NO_SPAN), "");
  w.diag.use_colour = true;
  diag_error(&w.diag, (Span){w.file, 0, 3}, "red");
  CHECK(strstr(messages_of(&w), "\033[1;31m^~~\033[0m\n") != NULL);
  arena_free(&w.arena);
}

static void test_message_limits(void) {
  World w;
  char text[1000];
  memset(text, 'a', sizeof text);
  memcpy(text, "\x1B\xFF\0", 3);
  world_open(&w, text, sizeof text);
  diag_error(&w.diag, (Span){w.file, 0, 3}, "controls");
  char *got = messages_of(&w);
  CHECK(strstr(got, "    1 | \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
                    "aaa") != NULL);
  CHECK(strstr(got, "a...\n      | ^~~\n") != NULL);
  diag_error(&w.diag, (Span){w.file, 500, 502}, "middle");
  got = messages_of(&w);
  CHECK(strstr(got, "    1 | ...aaa") != NULL);
  char *caret = strrchr(got, '^'), *bar = strrchr(got, '|');
  CHECK(caret - bar == 2 + 3 + 100 && caret[1] == '~' && caret[2] == '\n');
  for (uint32_t i = 0; i < 60; i++)
    diag_error(&w.diag, (Span){w.file, 900 - i, 900}, "number %u", i);
  got = messages_of(&w);
  CHECK(strstr(got, "number 10\n") && strstr(got, "number 59\n") && !strstr(got, "number 9\n"));
  CHECK(strstr(got, "\n... and 10 more errors\n") != NULL);
  for (uint32_t i = 0; i < 51; i++)
    diag_warning(&w.diag, (Span){w.file, 0, 1}, "warning %u", i);
  got = messages_of(&w);
  CHECK(strstr(got, "warning 49\n") && strstr(got, "\n... and 1 more warning\n"));
  arena_free(&w.arena);
}

static const char *nearest(const char *name, const char *const *candidates) {
  DiagNearest n = {.name = name};
  for (; *candidates; candidates++) diag_consider(&n, *candidates);
  return n.best ? n.best : "";
}

static void test_nearest(void) {
  const char *const names[] = {"foldr", "foldl", "print", "printf", "len", "x", "map", NULL};
  CHECK_TEXT(nearest("fodlr", names), "foldr");
  CHECK_TEXT(nearest("fold", names), "foldl");
  CHECK_TEXT(nearest("prnit", names), "print");
  CHECK_TEXT(nearest("lne", names), "len");
  CHECK_TEXT(nearest("pmap", names), "map");
  CHECK_TEXT(nearest("y", names), "");
  CHECK_TEXT(nearest("completely-other", names), "");
  CHECK_TEXT(nearest("foldl", (const char *const[]){"foldl", NULL}), "");
}

/* ---- reading ---- */

/* Reads text without an error and prints what was read, one blank between. */
static void check_reads(const char *text, size_t len, const char *expected, int line) {
  World w;
  DatumVec data = world_read(&w, text, len);
  const char *got = "";
  for (size_t i = 0; i < data.count; i++)
    got = arena_printf(&w.arena, "%s%s%s", got, i ? " " : "",
                       datum_to_string(&w.arena, data.items[i]));
  if (!check_one(!strcmp(got, expected), __FILE__, line, "the data read"))
    fprintf(stderr, "  text:     %s\n  got:      %s\n  expected: %s\n", text, got, expected);
  if (!check_one(w.diag.error_count == 0, __FILE__, line, "no errors"))
    fprintf(stderr, "%s", messages_of(&w));
  arena_free(&w.arena);
}
#define READS(text, expected) check_reads(text, sizeof(text) - 1, expected, __LINE__)

static void test_blanks(void) {
  READS("", "");
  READS("\xEF\xBB\xBF#!/bin/x\n1", "1");
  READS("#! only", "");
  READS(" \t\v\r\n1 ; c\n;d\n2;", "1 2");
  READS("1 #| a #| b |# c |# 2 #|||# 3 #|#||#|#4", "1 2 3 4");
  READS("#;1 2 #; #; a b c #;(x #;y) d (1 #;2) '#;1 2", "2 c d (1) '2");
  READS("(a;)\n)", "(a)");
}

static void test_tokens(void) {
  READS("_+-*\\/=<>!&?:.%^~@|$ a#b |# a#|b", "_+-*\\/=<>!&?:.%^~@|$ a#b |# a#|b");
  READS(":a : :: a:b :1", ":a : :: a:b :1");
  READS("größe λ 変数 e\xCC\x81 x²", "größe λ 変数 e\xCC\x81 x²");
  READS("a'b a\"c\"d a,b a(b)c", "a 'b a \"c\" d a (unquote b) a (b) c");
  READS("1\"a\"2(3)", "1 \"a\" 2 (3)");
}

static void test_integers(void) {
  READS("0 -0 +7 007 1_000 1_2_3", "0 0 7 7 1000 123");
  READS("0xff 0xFF -0x10 0b101 +0b1_1 0xdead_beef", "255 255 -16 5 3 3735928559");
  READS("9223372036854775807 -9223372036854775808", "9223372036854775807 -9223372036854775808");
  READS("9223372036854775808 -9223372036854775809", "9223372036854775808 -9223372036854775809");
  READS("0x8000000000000000 -0x8000000000000000", "9223372036854775808 -9223372036854775808");
  READS("00_0_123456789012345678901234567890", "123456789012345678901234567890");
  READS("-0xffffffffffffffffffff", "-1208925819614629174706175");
  READS("0x1000000000000000000000000000000000000000",
        "91343852333181432387730302044767688728495783936");
  READS("0b1_00000000000000000000000000000000000000000000000000000000000000000000",
        "295147905179352825856");
  READS("- + ... 1+ 1_ -a _1 1__0 1a +x 0x 0xg 0b2 0x_1 0x1_ 0X1 0b 1-1 --1 +-1",
        "- + ... 1+ 1_ -a _1 1__0 1a +x 0x 0xg 0b2 0x_1 0x1_ 0X1 0b 1-1 --1 +-1");
}

static void test_floats(void) {
  READS("1. .5 -1e9 1_000.5 +2.25 1E3 1.5e-3 1e+2",
        "1.0 0.5 -1000000000.0 1000.5 2.25 1000.0 0.0015 100.0");
  READS("+inf.0 -inf.0 +nan.0 -0.0 0. -.5e1_0", "+inf.0 -inf.0 +nan.0 -0.0 0.0 -5000000000.0");
  READS("1e400 -1e400 1e-400 5e-324", "+inf.0 -inf.0 0.0 5e-324");
  READS("1e15 1e16 123456789012345680.0 1e-5 1e-6 0.1 1.5e20 1e-7",
        "1000000000000000.0 1e16 1.2345678901234568e17 0.00001 1e-6 0.1 1.5e20 1e-7");
  READS(
      "0.30000000000000004 1.7976931348623157e308 2.2250738585072014e-308 9007199254740993.0",
      "0.30000000000000004 1.7976931348623157e308 2.2250738585072014e-308 9007199254740992.0");
  READS("12345.678 99999999999999990.0 0.000012345 100000.0",
        "12345.678 9.999999999999998e16 0.000012345 100000.0");
  READS(". +. -. .e1 1e 1e+ 1.5e 1._5 1_.5 ._5 1.5_ inf.0 nan.0 -nan.0 +inf.00 0x1.5 1.2.3 e5 "
        "+e5 1e5.0",
        ". +. -. .e1 1e 1e+ 1.5e 1._5 1_.5 ._5 1.5_ inf.0 nan.0 -nan.0 +inf.00 0x1.5 1.2.3 e5 "
        "+e5 1e5.0");
}

static void test_strings(void) {
  READS("\"\" \"abc\" \"a\nb\" \"λ\"", "\"\" \"abc\" \"a\\nb\" \"λ\"");
  READS("\"\\a\\b\\f\\n\\r\\t\\v\\\\\\'\\\"\\0\"",
        "\"\\x07\\x08\\x0c\\n\\r\\t\\x0b\\\\'\\\"\\x00\"");
  READS("\"\\x41\\xfF\\u{3bb}\\u{1F600}\\u{0}\\u{10ffff}\"",
        "\"A\\xffλ😀\\x00\xF4\x8F\xBF\xBF\"");
  READS("\"a\0b\x80\xFF\"", "\"a\\x00b\\x80\\xff\"");
  READS("\"; #| ( \" 1", "\"; #| ( \" 1");
}

static void test_brackets(void) {
  READS("() {} [] #{} (1 2) {1 {2} (3)} [1 [2]] #{:a 1 b #{c d}}",
        "() {} [] #{} (1 2) {1 {2} (3)} [1 [2]] #{:a 1 b #{c d}}");
  READS("'x ''x '(a b) `(a ,b ,@c) , @x",
        "'x ''x '(a b) (quasiquote (a (unquote b) (unquote-splicing c))) (unquote @x)");
  READS("`#{,@x} `#{a b ,@x}",
        "(quasiquote #{(unquote-splicing x)}) (quasiquote #{a b (unquote-splicing x)})");
  World w;
  DatumVec data = world_read(&w, "(a 'b)\n{c}", 10);
  CHECK(data.count == 2);
  Datum *call = data.items[0], *tick = call->items[1];
  CHECK(call->kind == DATUM_LIST && !call->is_quoted && !call->is_tick);
  CHECK(call->span.start == 0 && call->span.end == 6);
  CHECK(tick->is_quoted && tick->is_tick && tick->count == 1);
  CHECK(tick->span.start == 3 && tick->span.end == 5);
  CHECK(data.items[1]->is_quoted && !data.items[1]->is_tick);
  CHECK(call->items[0]->text == name_c(&w.names, "a"));
  arena_free(&w.arena);
}

/* ---- errors ---- */

static void test_character_errors(void) {
  MESSAGES("(a \x01 b)", "t.valk:1:4: error: unexpected character U+0001\n"
                         "    1 | (a \xEF\xBF\xBD b)\n      |    ^\n");
  MESSAGES("x\xC2\xA0y", "t.valk:1:2: error: unexpected character U+00A0, a no-break space\n"
                         "    1 | x\xC2\xA0y\n      |  ^\n");
  MESSAGES("a→b", "t.valk:1:2: error: unexpected character `→` (U+2192)\n"
                  "    1 | a→b\n      |  ^\n");
  MESSAGES("“a",
           "t.valk:1:1: error: unexpected character `“` (U+201C, a typographic quote; did "
           "you mean `\"`?)\n    1 | “a\n      | ^\n");
  MESSAGES("\xFF\xFE(",
           "t.valk:1:1: error: unexpected character byte 0xFF, which is not UTF-8\n"
           "    1 | \xEF\xBF\xBD\xEF\xBF\xBD(\n      | ^~\n"
           "t.valk:1:3: error: unclosed `(`: no `)` before the end of the text\n"
           "    1 | \xEF\xBF\xBD\xEF\xBF\xBD(\n      |   ^\n");
  MESSAGES("#x",
           "t.valk:1:1: error: `#` must be followed by `{`, `|` or `;`, or stand inside a "
           "name\n    1 | #x\n      | ^\n");
}

static void test_string_errors(void) {
  MESSAGES("\"a\\qb\\(\"", "t.valk:1:3: error: unknown escape `\\q` in a string\n"
                           "    1 | \"a\\qb\\(\"\n      |   ^~\n"
                           "t.valk:1:6: error: unknown escape `\\(` in a string\n"
                           "    1 | \"a\\qb\\(\"\n      |      ^~\n");
  MESSAGES("\"\\x4\"", "t.valk:1:2: error: `\\x` needs two hexadecimal digits\n"
                       "    1 | \"\\x4\"\n      |  ^~~\n");
  MESSAGES("\"\\u{110000}\"", "t.valk:1:2: error: there is no character U+110000\n"
                              "    1 | \"\\u{110000}\"\n      |  ^~~~~~~~~~\n");
  MESSAGES("\"\\u41 \\u{} \\u{1234567} \\u{d800}\"",
           "t.valk:1:2: error: `\\u` needs one to six hexadecimal digits in braces, like "
           "`\\u{3BB}`\n    1 | \"\\u41 \\u{} \\u{1234567} \\u{d800}\"\n      |  ^~\n"
           "t.valk:1:7: error: `\\u` needs one to six hexadecimal digits in braces, like "
           "`\\u{3BB}`\n    1 | \"\\u41 \\u{} \\u{1234567} \\u{d800}\"\n      |       ^~~\n"
           "t.valk:1:12: error: `\\u` needs one to six hexadecimal digits in braces, like "
           "`\\u{3BB}`\n    1 | \"\\u41 \\u{} \\u{1234567} \\u{d800}\"\n      |            "
           "^~~~~~~~~\n"
           "t.valk:1:24: error: there is no character U+D800\n"
           "    1 | \"\\u41 \\u{} \\u{1234567} \\u{d800}\"\n      |                        "
           "^~~~~~~~\n");
  MESSAGES("\"a\\\n\"", "t.valk:1:3: error: unknown escape: a backslash at the end of a line\n"
                        "    1 | \"a\\\n      |   ^\n");
  MESSAGES(
      "(print \"hello)\n(print \"world\")\n",
      "t.valk:2:14: error: this string is not closed by `\"`\n"
      "    2 | (print \"world\")\n      |              ^\n"
      "t.valk:1:8: note: this string goes over several lines: is its closing `\"` missing?\n");
}

static void test_bracket_errors(void) {
  MESSAGES("(a]\n(b\n", "t.valk:1:3: error: mismatched `]`: expected `)`\n"
                        "    1 | (a]\n      |   ^\n"
                        "t.valk:1:1: note: to close this `(`\n"
                        "t.valk:2:1: error: unclosed `(`: no `)` before the end of the text\n"
                        "    2 | (b\n      | ^\n");
  MESSAGES("(a))) )\n(b))\n",
           "t.valk:1:4: error: unexpected `)`: no bracket is open\n"
           "    1 | (a))) )\n      |    ^\n"
           "t.valk:1:1: note: the form that begins here is complete already\n"
           "t.valk:2:4: error: unexpected `)`: no bracket is open\n"
           "    2 | (b))\n      |    ^\n"
           "t.valk:2:1: note: the form that begins here is complete already\n");
  MESSAGES(
      "(fun {f} {\n  (a)\n\n(fun {g} {(b)})\n(fun {h} {(b)})\n",
      "t.valk:1:10: error: unclosed `{`: no `}` before the end of the text\n"
      "    1 | (fun {f} {\n      |          ^\n"
      "t.valk:4:1: note: it is probably missing before this form, which begins in column 1\n"
      "t.valk:1:1: note: in the form that begins here\n");
  MESSAGES("(fun {f} {(a)\n(fun {g} {(b)})\n)\n(c}\n",
           "t.valk:3:1: error: mismatched `)`: expected `}`\n"
           "    3 | )\n      | ^\n"
           "t.valk:1:10: note: to close this `{`\n"
           "t.valk:4:3: error: mismatched `}`: expected `)`\n"
           "    4 | (c}\n      |   ^\n"
           "t.valk:4:1: note: to close this `(`\n");
  MESSAGES("(a ') #;", "t.valk:1:4: error: nothing follows this `'`\n"
                       "    1 | (a ') #;\n      |    ^\n"
                       "t.valk:1:7: error: nothing follows this `#;`\n"
                       "    1 | (a ') #;\n      |       ^~\n");
  MESSAGES("#{a 1 b}", "t.valk:1:7: error: this key of a map has no value\n"
                       "    1 | #{a 1 b}\n      |       ^\n"
                       "t.valk:1:1: note: the map begins here\n");
  MESSAGES("(a #| b\n", "t.valk:1:4: error: this block comment is not closed by `|#`\n"
                        "    1 | (a #| b\n      |    ^~\n");
}

/* Errors after an unclosed string are seen too. */
static void test_errors_after_string(void) {
  MESSAGES("(print \"a)\n(f #{b})\n", "t.valk:1:8: error: this string is not closed by `\"`\n"
                                      "    1 | (print \"a)\n      |        ^\n"
                                      "t.valk:2:6: error: this key of a map has no value\n"
                                      "    2 | (f #{b})\n      |      ^\n"
                                      "t.valk:2:4: note: the map begins here\n");
}

/* The data of forms without structural errors are kept. */
static void test_recovery(void) {
  World w;
  const char *text = "(a)\n(b]\n(c)\n(d \"\\q\")\n(e))\n(f)\n(g\n(h)\n";
  DatumVec data = world_read(&w, text, strlen(text));
  const char *got = "";
  for (size_t i = 0; i < data.count; i++)
    got = arena_printf(&w.arena, "%s%s", got, datum_to_string(&w.arena, data.items[i]));
  CHECK_TEXT(got, "(a)(c)(d \"\")(e)(f)(h)");
  CHECK(w.diag.error_count == 4);
  arena_free(&w.arena);
}

/* Texts of many errors end in few messages, soon. */
static void test_avalanches(void) {
  static const char *const pieces[] = {"(\n",  ")\n",   "(]\n", "'",         "#{",
                                       "((((", "\x01 ", "\xFF", "\"\\q\"\n", "\"\n(",
                                       "#|",   "(\"",   "#;",   "{a\n[b"};
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
    World w;
    size_t len = strlen(pieces[i]), count = 40000;
    char *text = malloc(len * count);
    for (size_t k = 0; k < count; k++) memcpy(text + k * len, pieces[i], len);
    world_read(&w, text, len * count);
    CHECK(w.diag.error_count > 0 && w.diag.error_count <= 100);
    free(text);
    arena_free(&w.arena);
  }
}

static void check_depth(size_t depth, const char *open, const char *close, unsigned errors) {
  World w;
  size_t open_len = strlen(open), close_len = strlen(close), len = 0;
  char *text = malloc((open_len + close_len) * depth + 1);
  for (size_t i = 0; i < depth; i++, len += open_len) memcpy(text + len, open, open_len);
  text[len++] = 'x';
  for (size_t i = 0; i < depth; i++, len += close_len) memcpy(text + len, close, close_len);
  DatumVec data = world_read(&w, text, len);
  CHECK(w.diag.error_count == errors);
  CHECK(data.count == !errors);
  if (data.count && *close) { /* 'x prints alike too, but ,x prints longer */
    char *back = datum_to_string(&w.arena, data.items[0]);
    CHECK(strlen(back) == len && !memcmp(back, text, len));
  }
  free(text);
  arena_free(&w.arena);
}

static void test_depth(void) {
  check_depth(READ_DEPTH_MAX, "(", ")", 0);
  check_depth(READ_DEPTH_MAX, "[", "]", 0);
  check_depth(READ_DEPTH_MAX, "`", "", 0);
  check_depth(READ_DEPTH_MAX + 1, "{", "}", 1);
  check_depth(READ_DEPTH_MAX + 1, "'", "", 1);
  check_depth(300000, "(", ")", 1);
}

static void test_read_one(void) {
  World w;
  world_open(&w, " (a) b", 6);
  Datum *d = read_one(&w.arena, &w.names, &w.diag, w.file);
  CHECK(d && d->count == 1 && d->span.start == 1);
  arena_free(&w.arena);
  world_open(&w, " ; x", 4);
  CHECK(!read_one(&w.arena, &w.names, &w.diag, w.file) && w.diag.error_count == 0);
  arena_free(&w.arena);
  world_open(&w, "(\"\\q\")", 6);
  CHECK(!read_one(&w.arena, &w.names, &w.diag, w.file) && w.diag.error_count == 1);
  arena_free(&w.arena);
}

static void test_incomplete(void) {
  static const char *const open[] = {"(",        "(a {b}", "\"abc", "#| x",      "(a #| b",
                                     "x (y \"z", "'",      "#{a",   "(a\n(b)\n", "(a '",
                                     "\"\\",     "#;",     "#|#||#"};
  static const char *const closed[] = {
      "", "a", "(a)", ")", "(a]", "((a) \"\\q\"", "; (", "\"a\"", "#|(|#", "(\x01", "(a)) ("};
  for (size_t i = 0; i < sizeof open / sizeof *open; i++)
    if (!CHECK(read_is_incomplete(open[i], strlen(open[i]))))
      fprintf(stderr, "  text: %s\n", open[i]);
  for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
    if (!CHECK(!read_is_incomplete(closed[i], strlen(closed[i]))))
      fprintf(stderr, "  text: %s\n", closed[i]);
}

static void test_doc(void) {
  World w;
  const char *text =
      "; no\n\n;; Adds.\n  ;  Two.  \n;\n;three\r\n  (f)\n(g) (h)\n; i\n#;x\n(i)\n;j\n(j)";
  DatumVec data = world_read(&w, text, strlen(text));
  CHECK(data.count == 5);
  const char *expected[] = {"Adds.\n Two.\n\nthree", NULL, NULL, NULL, "j"};
  for (size_t i = 0; i < data.count; i++) {
    const char *doc = read_doc_above(&w.arena, &w.diag, data.items[i]->span);
    if (expected[i])
      CHECK_TEXT(doc, expected[i]);
    else
      CHECK(doc == NULL);
  }
  CHECK(read_doc_above(&w.arena, &w.diag, NO_SPAN) == NULL);
  arena_free(&w.arena);
}

/* ---- what is printed reads back ---- */

static uint64_t random_state = 88172645463325252u;

static uint32_t random_below(uint32_t n) { /* xorshift64* */
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return (uint32_t)((random_state * 2685821657736338717u) >> 33) % n;
}

static Datum *random_text(World *w, DatumKind kind) {
  static const char *const names[] = {"a",   "-",  "...",  "1+", "λ",
                                      "a#b", "@x", "+inf", ":",  "|#"};
  Datum *d = datum_new(&w->arena, kind, NO_SPAN);
  if (kind == DATUM_STRING) {
    d->len = random_below(12);
    char *bytes = arena_alloc(&w->arena, d->len + 1);
    for (size_t i = 0; i < d->len; i++)
      bytes[i] =
          (char)(random_below(3) ? random_below(256) : (uint32_t) "\"\\n{}"[random_below(5)]);
    d->text = bytes;
    return d;
  }
  if (kind == DATUM_BIG) {
    char *digits = arena_printf(&w->arena, "%s%u%09u%09u%09u", random_below(2) ? "-" : "",
                                1 + random_below(99), random_below(1000000000),
                                random_below(1000000000), random_below(1000000000));
    d->text = digits;
  } else {
    const char *name = names[random_below(10)];
    d->text =
        name_c(&w->names, kind == DATUM_KEYWORD ? arena_printf(&w->arena, ":%s", name) : name);
  }
  d->len = strlen(d->text);
  return d;
}

static double random_double(void) {
  switch (random_below(6)) {
  case 0: return random_below(1000) / 8.0;
  case 1: return -(double)random_below(1000000) / 1000;
  case 2:
    return (double[]){0.0, -0.0, INFINITY, -INFINITY, NAN, 5e-324, 1e16, 1e-5}[random_below(8)];
  default: break;
  }
  uint64_t bits = (uint64_t)random_below(1u << 31) << 33 ^
                  (uint64_t)random_below(1u << 31) << 10 ^ random_below(1u << 31);
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static Datum *random_datum(World *w, unsigned depth) {
  DatumKind kind = (DatumKind)random_below(depth ? DATUM_MAP + 1 : DATUM_VALUE);
  if (kind == DATUM_VALUE) kind = DATUM_INT; /* has no text */
  Datum *d = datum_new(&w->arena, kind, NO_SPAN);
  switch (kind) {
  case DATUM_INT:
    d->integer = (int64_t)((uint64_t)random_below(1u << 31) << 33 ^ random_below(1u << 31));
    return d;
  case DATUM_FLOAT: d->real = random_double(); return d;
  case DATUM_LIST:
  case DATUM_VECTOR:
  case DATUM_MAP: break;
  default: return random_text(w, kind);
  }
  d->count = random_below(5);
  if (kind == DATUM_MAP) d->count &= ~(size_t)1;
  d->items = ARENA_ARRAY(&w->arena, Datum *, d->count);
  for (size_t i = 0; i < d->count; i++) d->items[i] = random_datum(w, depth - 1);
  if (kind == DATUM_LIST) {
    d->is_quoted = random_below(2);
    d->is_tick = d->is_quoted && d->count == 1 && random_below(2);
  }
  return d;
}

static void test_round_trip(void) {
  for (unsigned i = 0; i < 20000; i++) {
    World w;
    world_open(&w, "", 0);
    Datum *d = random_datum(&w, 5);
    char *text = datum_to_string(&w.arena, d);
    uint32_t file = diag_add_source(&w.diag, "back", text, strlen(text));
    DatumVec back = read_source(&w.arena, &w.names, &w.diag, file);
    bool holds = back.count == 1 && !w.diag.error_count && datum_equal(d, back.items[0]);
    if (!holds) fprintf(stderr, "  text: %s\n%s", text, messages_of(&w));
    CHECK(holds);
    arena_free(&w.arena);
  }
}

static void test_float_text(void) {
  for (unsigned i = 0; i < 50000; i++) {
    double x = random_double();
    char text[FLOAT_TEXT_MAX];
    size_t len = float_to_text(text, x);
    if (isfinite(x) && strtod(text, NULL) != x) CHECK_TEXT(text, "a float that reads back");
    if (len != strlen(text) || !(strpbrk(text, ".e")))
      CHECK_TEXT(text, "a float with a point or an exponent");
  }
  CHECK(check_failures == 0);
}

static void test_inequality(void) {
  const char *text =
      "1 2 1.0 0.0 -0.0 \"a\" a :a (a) {a} 'a [a] #{a a} () {b} 9999999999999999999";
  World w;
  DatumVec data = world_read(&w, text, strlen(text));
  for (size_t i = 0; i < data.count; i++)
    for (size_t k = 0; k < data.count; k++)
      CHECK(datum_equal(data.items[i], data.items[k]) == (i == k));
  arena_free(&w.arena);
  data = world_read(&w, "() {} +nan.0 +nan.0", 19);
  CHECK(datum_equal(data.items[0], data.items[1]) && datum_equal(data.items[2], data.items[3]));
  arena_free(&w.arena);
}

int main(void) {
  test_arena();
  test_names();
  test_pointer_map();
  test_unicode();
  test_message_layout();
  test_message_limits();
  test_nearest();
  test_blanks();
  test_tokens();
  test_integers();
  test_floats();
  test_strings();
  test_brackets();
  test_character_errors();
  test_string_errors();
  test_bracket_errors();
  test_errors_after_string();
  test_recovery();
  test_avalanches();
  test_depth();
  test_read_one();
  test_incomplete();
  test_doc();
  test_round_trip();
  test_float_text();
  test_inequality();
  return check_done();
}
