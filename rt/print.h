/* print.h - the text of values: what print, str and repr show (LANGUAGE.md 2). */
#ifndef VK_PRINT_H
#define VK_PRINT_H
#include "strings.h"

/* Appends the text of v. quoted: strings in quotes and escaped, so that data read back is equal
 * (repr, REPL); else strings are their bytes. Never fails, never allocates from the heap, takes
 * any depth; an object already being shown further out shows as `...`. */
void vk_show(VkBuf *b, V v, bool quoted);
void vk_show_string(VkBuf *b, const char *bytes, size_t len); /* quoted and escaped */

/* The bytes of a printf format with its arguments, or an error (and nothing in b). */
V vk_format(vk *c, VkBuf *b, const char *who, size_t n, const V *args);
#endif
