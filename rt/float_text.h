/* float_text.h - doubles as text. */
#ifndef VK_FLOAT_TEXT_H
#define VK_FLOAT_TEXT_H
#include <stddef.h>

/* Writes the shortest text that reads back as x, always with a point or an exponent: plain for
 * 1e-5 <= |x| < 1e16, else 1.5e20, 1e-7; -0.0 +inf.0 -inf.0 +nan.0. Gives its length; there is
 * a NUL after it. */
enum { VK_FLOAT_TEXT_MAX = 32 };
size_t vk_float_text(char out[VK_FLOAT_TEXT_MAX], double x);
#endif
