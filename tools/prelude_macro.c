/* prelude_macro.c - inline functions as macros (contract: prelude_macro.h).
 *
 *   static inline V f(vk *c, V a) {          #define f(_1,_2) ({ V b$f = g(_2);
 *     V b = g(a);                       ->       (b$f & 7) ? (V)(b$f) : (V)(h(_1, b$f)); })
 *     if (b & 7) return b;
 *     return h(c, a);
 *   }
 *
 * Statements up to a return become a statement expression, `if (x) return y; rest` a conditional
 * expression. What follows an `if` that may or may not return is repeated in both branches.
 * Arguments stand for parameters as they are: they are evaluated as often as the parameter is
 * mentioned, so they must be free of effects, as those in emitted C are. Locals get the function's
 * name behind a `$`, which no emitted name has, so that an argument never means one of them. */
#include "prelude_macro.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool token_starts_word(char ch) { return isalpha((unsigned char)ch) || ch == '_'; }

const char *token_end(const char *p) {
  static const char *const pairs[] = {"->", "++", "--", "<<", ">>", "<=", ">=", "==", "!=",
                                      "&&", "||", "+=", "-=", "*=", "/=", "|=", "&=", "^="};
  if (*p == '"' || *p == '\'') {
    char quote = *p++;
    while (*p && *p != quote) p += *p == '\\' && p[1] ? 2 : 1;
    return *p ? p + 1 : p;
  }
  if (isalnum((unsigned char)*p) || *p == '_') {
    while (isalnum((unsigned char)*p) || *p == '_') p++;
    return p;
  }
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
    if (!strncmp(p, pairs[i], 2)) return p + 2;
  return p + 1;
}

/* ---- the function, as tokens ------------------------------------------------------------- */

enum { TOKENS_MAX = 1000, PARAMS_MAX = 9, LOCALS_MAX = 16, TYPE_MAX = 40, OUT_MAX = 16000 };
enum { MACRO_MAX = 560 }; /* characters: more code is not worth repeating, it is a slow path */
typedef struct Function {
  char *tokens[TOKENS_MAX];
  size_t count;
  char type[TYPE_MAX]; /* of the result */
  const char *name;
  const char *params[PARAMS_MAX];
  char param_types[PARAMS_MAX][TYPE_MAX];
  size_t param_count;
  const char *locals[LOCALS_MAX];
  size_t local_count;
  char out[OUT_MAX];
  size_t out_len;
  bool is_possible;
} Function;

static void tokenize(Function *f, const char *text) {
  for (const char *p = text; *p;) {
    const char *end = token_end(p);
    if (!isspace((unsigned char)*p)) {
      if (f->count + 1 == TOKENS_MAX) {
        f->is_possible = false;
        return;
      }
      f->tokens[f->count++] = strndup(p, (size_t)(end - p));
    }
    p = end;
  }
  f->tokens[f->count] = "";
}

static bool is(const Function *f, size_t at, const char *text) {
  return at < f->count && !strcmp(f->tokens[at], text);
}

/* Behind the bracket that closes the one at `at`. */
static size_t skip_brackets(const Function *f, size_t at) {
  int depth = 0;
  do {
    char ch = f->tokens[at][0];
    if (ch == '(' || ch == '{' || ch == '[') depth++;
    if (ch == ')' || ch == '}' || ch == ']') depth--;
    at++;
  } while (depth && at < f->count);
  return at;
}

/* ---- output ------------------------------------------------------------------------------ */

static void put(Function *f, const char *text) {
  size_t len = strlen(text);
  if (f->out_len + len + 2 > OUT_MAX) {
    f->is_possible = false;
    return;
  }
  char last = f->out_len ? f->out[f->out_len - 1] : ' ';
  bool glues = (isalnum((unsigned char)last) || last == '_') &&
               (isalnum((unsigned char)*text) || *text == '_');
  bool is_operator = strchr("&+-|<>=*", last) && *text && strchr("&+-|<>=*", *text);
  if (glues || is_operator) f->out[f->out_len++] = ' ';
  memcpy(f->out + f->out_len, text, len);
  f->out_len += len;
}

static int find(const char *const *names, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (!strcmp(names[i], name)) return (int)i;
  return -1;
}

/* A parameter is its argument in parentheses, of its type unless that is a word anyway. */
static void put_param(Function *f, size_t i, bool is_apart) {
  static const char *const plain[] = {"V",   "vk *",     "const VkPos *", "const VkFn *",
                                      "V *", "const V *"};
  char text[TYPE_MAX + 16];
  if (find(plain, sizeof plain / sizeof *plain, f->param_types[i]) >= 0)
    snprintf(text, sizeof text, is_apart ? "_%zu" : "(_%zu)", i + 1);
  else
    snprintf(text, sizeof text, "(%s)(_%zu)", f->param_types[i], i + 1);
  if (is_apart || text[1] == '_') {
    put(f, text);
    return;
  }
  put(f, "(");
  put(f, text);
  put(f, ")");
}

static void put_tokens(Function *f, size_t from, size_t to) {
  for (size_t i = from; i < to; i++) {
    const char *token = f->tokens[i];
    bool is_field = i > 0 && (is(f, i - 1, "->") || is(f, i - 1, "."));
    int param = is_field ? -1 : find(f->params, f->param_count, token);
    int local = is_field ? -1 : find(f->locals, f->local_count, token);
    if (param >= 0) {
      bool is_apart = i > 0 && (is(f, i - 1, "(") || is(f, i - 1, ",")) &&
                      (is(f, i + 1, ")") || is(f, i + 1, ","));
      put_param(f, (size_t)param, is_apart);
    } else {
      put(f, token);
      if (local >= 0) put(f, "$");
      if (local >= 0) put(f, f->name + (strncmp(f->name, "vk_", 3) ? 0 : 3));
    }
  }
}

/* ---- statements -------------------------------------------------------------------------- */

typedef struct Range { /* statements still to come: tokens [from, to), then those of `after` */
  size_t from, to;
  const struct Range *after;
} Range;

static size_t statement_end(const Function *f, size_t at) {
  if (is(f, at, "{")) return skip_brackets(f, at);
  if (is(f, at, "if")) {
    at = statement_end(f, skip_brackets(f, at + 1));
    return is(f, at, "else") ? statement_end(f, at + 1) : at;
  }
  while (at < f->count && !is(f, at, ";")) {
    char ch = f->tokens[at][0];
    at = ch == '(' || ch == '{' || ch == '[' ? skip_brackets(f, at) : at + 1;
  }
  return at + 1;
}

static bool has_return(const Function *f, size_t from, size_t to) {
  for (size_t i = from; i < to; i++)
    if (is(f, i, "return")) return true;
  return false;
}

/* `V a = x, b;` `const V *p = ..;`: a type is a word or more, the last before a name. */
static bool note_locals(Function *f, size_t from, size_t to) {
  size_t at = from;
  while (is(f, at, "const") || is(f, at, "struct")) at++;
  if (!token_starts_word(f->tokens[at][0]) || is(f, at, "return") || is(f, at, "if"))
    return false;
  at++;
  bool is_pointer = is(f, at, "*");
  while (is(f, at, "*")) at++;
  if (!token_starts_word(f->tokens[at][0])) return false;
  if (is_pointer && !is(f, at + 1, "=") && !is(f, at + 1, ";")) return false;
  for (bool is_name = true; at < to; at++) {
    char ch = f->tokens[at][0];
    if (is_name && token_starts_word(ch)) {
      if (f->local_count == LOCALS_MAX)
        f->is_possible = false;
      else
        f->locals[f->local_count++] = f->tokens[at];
      is_name = false;
    }
    if (ch == ',') is_name = true;
    if (ch == '(' || ch == '[' || ch == '{') at = skip_brackets(f, at) - 1;
  }
  return true;
}

static bool is_void(const Function *f) { return !strcmp(f->type, "void"); }

static void put_rest(Function *f, const Range *rest, int depth);

/* if (x) A [else B] rest, where A or B may return. */
static void put_choice(Function *f, const Range *rest, int depth) {
  size_t test = rest->from + 1, then = skip_brackets(f, test),
         otherwise = statement_end(f, then), end = otherwise;
  if (is(f, otherwise, "else")) end = statement_end(f, ++otherwise);
  Range after = {end, rest->to, rest->after};
  Range yes = {then, is(f, otherwise - 1, "else") ? otherwise - 1 : otherwise, &after};
  Range no = {otherwise, end, &after};
  put(f, "(");
  put_tokens(f, test, then);
  put(f, "?");
  put_rest(f, &yes, depth + 1);
  put(f, ":");
  put_rest(f, no.from < no.to ? &no : &after, depth + 1);
  put(f, ")");
}

/* What the statements give, as an expression. */
static void put_rest(Function *f, const Range *rest, int depth) {
  if (depth > 20) f->is_possible = false;
  while (rest && rest->from >= rest->to) rest = rest->after;
  if (!f->is_possible) return;
  if (!rest) { /* the end without a return */
    if (is_void(f))
      put(f, "(void)0");
    else
      f->is_possible = false;
    return;
  }
  size_t end = statement_end(f, rest->from);
  Range next = {end, rest->to, rest->after};
  if (is(f, rest->from, "{")) {
    Range inner = {rest->from + 1, end - 1, &next};
    put_rest(f, &inner, depth + 1);
  } else if (is(f, rest->from, "return")) {
    if (is_void(f)) {
      f->is_possible = false;
      return;
    }
    put(f, "(");
    put(f, f->type);
    put(f, ")(");
    put_tokens(f, rest->from + 1, end - 1);
    put(f, ")");
  } else if (is(f, rest->from, "if") && has_return(f, rest->from, end)) {
    put_choice(f, rest, depth);
  } else if (is(f, rest->from, "(") && is(f, rest->from + 1, "void")) {
    put_rest(f, &next, depth); /* (void)pos; */
  } else {
    put(f, "({");
    while (!has_return(f, rest->from, end)) {
      note_locals(f, rest->from, end - 1);
      put_tokens(f, rest->from, end);
      next.from = end;
      if (end >= rest->to) break;
      rest = &next;
      end = statement_end(f, rest->from);
    }
    put_rest(f, &next, depth + 1);
    put(f, ";})");
  }
}

/* ---- the whole --------------------------------------------------------------------------- */

static void add_type(char *type, const char *token) {
  size_t len = strlen(type);
  bool glues = len && isalnum((unsigned char)type[len - 1]);
  snprintf(type + len, TYPE_MAX - len, "%s%s", glues ? " " : "", token);
}

/* static inline TYPE NAME ( PARAMETERS ) { : gives the index of the brace; 0: another shape. */
static size_t read_head(Function *f) {
  size_t at = 0;
  if (!is(f, at++, "static") || !is(f, at++, "inline")) return 0;
  for (; !is(f, at + 1, "("); at++) {
    if (at + 1 >= f->count) return 0;
    add_type(f->type, f->tokens[at]);
  }
  f->name = f->tokens[at++];
  size_t end = skip_brackets(f, at);
  while (++at < end) {
    size_t i = f->param_count;
    if (i == PARAMS_MAX) return 0;
    for (; at + 1 < end && !is(f, at + 1, ",") && !is(f, at + 1, ")"); at++)
      add_type(f->param_types[i], f->tokens[at]);
    f->params[f->param_count++] = f->tokens[at++];
  }
  return is(f, end, "{") ? end : 0;
}

/* Nothing that jumps, nothing that changes a parameter. */
static bool has_simple_body(const Function *f, size_t body) {
  static const char *const bad[] = {"for", "while", "do", "switch", "goto", "__asm__"};
  static const char *const assigns[] = {
      "=", "++", "--", "+=", "-=", "*=", "/=", "|=", "&=", "^="};
  for (size_t i = body; i < f->count; i++) {
    if (find(bad, sizeof bad / sizeof *bad, f->tokens[i]) >= 0) return false;
    bool is_param = find(f->params, f->param_count, f->tokens[i]) >= 0 && !is(f, i - 1, "->") &&
                    !is(f, i - 1, ".");
    if (!is_param) continue;
    bool is_target = is(f, i - 1, "*") && strchr(";{})", f->tokens[i - 2][0]); /* *slot = v; */
    if (i + 1 < f->count && !is_target &&
        find(assigns, sizeof assigns / sizeof *assigns, f->tokens[i + 1]) >= 0)
      return false;
    if (is(f, i - 1, "&") && !isalnum((unsigned char)f->tokens[i - 2][0]) && !is(f, i - 2, ")"))
      return false;
  }
  return true;
}

bool function_to_call(const char *text, char **prototype, char **wrapper) {
  static Function f;
  memset(&f, 0, sizeof f);
  f.is_possible = true;
  tokenize(&f, text);
  size_t body = f.is_possible ? read_head(&f) : 0;
  if (!body) return false;
  char params[400] = "", args[200] = "";
  for (size_t i = 0; i < f.param_count; i++) {
    size_t used = strlen(params), passed = strlen(args);
    snprintf(params + used, sizeof params - used, "%s%s %s", i ? ", " : "", f.param_types[i],
             f.params[i]);
    snprintf(args + passed, sizeof args - passed, "%s%s", i ? ", " : "", f.params[i]);
  }
  return asprintf(prototype, "%s %s(%s);", f.type, f.name, params) > 0 &&
         asprintf(wrapper, "static %s quick_%s(%s) { %s%s(%s); }", f.type, f.name, params,
                  is_void(&f) ? "" : "return ", f.name, args) > 0;
}

char *macro_of_function(const char *text) {
  static Function f;
  memset(&f, 0, sizeof f);
  f.is_possible = true;
  tokenize(&f, text);
  size_t body = f.is_possible ? read_head(&f) : 0;
  if (!body || !has_simple_body(&f, body)) return NULL;
  char head[200];
  int len = snprintf(head, sizeof head, "#define %s(", f.name);
  for (size_t i = 0; i < f.param_count; i++)
    len += snprintf(head + len, sizeof head - (size_t)len, "%s_%zu", i ? "," : "", i + 1);
  put(&f, head);
  put(&f, ") ");
  Range all = {body + 1, f.count - 1, NULL};
  if (is_void(&f)) put(&f, "({");
  put_rest(&f, &all, 0);
  if (is_void(&f)) put(&f, ";})");
  return f.is_possible && f.out_len <= MACRO_MAX ? strndup(f.out, f.out_len) : NULL;
}
