/* vk_tcc.h - the runtime's headers as TinyCC sees them.
 *
 * Not compiled as it stands: tools/prelude.c cuts it into declarations, of which code for TinyCC gets
 * those it mentions. A macro here replaces the inline function of the same name: TinyCC never
 * inlines, keeps every value in memory, and parses few characters faster than many. */
#ifndef VK_TCC_H
#define VK_TCC_H
/* What the system's headers have; before they come, so that nothing is defined twice. */
typedef unsigned long size_t;
typedef long int64_t;
typedef unsigned long uint64_t;
typedef unsigned long uintptr_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef unsigned short uint16_t;
typedef unsigned char uint8_t;
#define NULL ((void *)0)
#define offsetof(type, field) __builtin_offsetof(type, field)
void *memcpy(void *, const void *, size_t);
double fabs(double);
double sqrt(double);

/* Builtins that TinyCC lacks. Integer ones are for what is no macro below: rare code. */
#define __builtin_nan(text) (0.0 / 0.0)
#define __builtin_add_overflow(a, b, r) VK_ADD_OVERFLOWS(a, b, r)
#define __builtin_sub_overflow(a, b, r) VK_SUB_OVERFLOWS(a, b, r)
#define __builtin_mul_overflow(a, b, r) VK_MUL_OVERFLOWS(a, b, r)

#include "fns.h"
#include "lists.h"
#include "maps.h"
#include "vectors.h"

#undef VK_LIKELY
#undef VK_UNLIKELY
#define VK_LIKELY(x) (x)
#define VK_UNLIKELY(x) (x)
#endif
