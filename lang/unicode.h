/* unicode.h - UTF-8, and the few properties of code points that reading and showing text needs. */
#ifndef LANG_UNICODE_H
#define LANG_UNICODE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the code point at p < end; *len_out is its length. Bytes that are not well-formed
 * UTF-8 (overlong forms and surrogates included) give UTF8_BAD with length 1. */
#define UTF8_BAD UINT32_MAX
uint32_t utf8_decode(const char *p, const char *end, unsigned *len_out);
/* Writes a code point up to 0x10FFFF as 1 to 4 bytes and returns how many. */
unsigned utf8_encode(char out[4], uint32_t code);

bool unicode_is_letter(uint32_t code); /* non-ASCII: letters, combining marks, digits */
unsigned unicode_width(uint32_t code); /* columns on a terminal: 0, 1 or 2 */
#endif
