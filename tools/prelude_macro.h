/* prelude_macro.h - inline functions as macros, for a compiler that does not inline. */
#ifndef TOOLS_PRELUDE_MACRO_H
#define TOOLS_PRELUDE_MACRO_H
#include <stdbool.h>

/* The text of `static inline TYPE NAME(PARAMETERS) { ... }`, without comments and preprocessor
 * lines, as "#define NAME(...) ..."; malloc. NULL if the function has a shape that cannot be one
 * expression (a loop, a parameter that is assigned) or is too long to be repeated. */
char *macro_of_function(const char *text);

/* The function as one to call: its prototype, and a definition of quick_NAME that calls it;
 * malloc. False if the text has another shape. */
bool function_to_call(const char *text, char **prototype, char **wrapper);

/* ---- tokens, for prelude.c too ----------------------------------------------------------- */

/* The end of the token at p: a word, a number, a literal, an operator of one or two characters. */
const char *token_end(const char *p);
bool token_starts_word(char ch);
#endif
