/* vk_tcc.h - the runtime's headers as TinyCC sees them.
 *
 * Not compiled as it stands: tools/prelude.c cuts it into declarations, of which code for TinyCC gets
 * those it mentions. A macro here replaces the inline function of the same name: TinyCC never
 * inlines, keeps every value in memory, and parses few characters faster than many. */
#ifndef VK_TCC_H
#define VK_TCC_H
#include "fns.h"
#include "lists.h"
#include "maps.h"
#include "vectors.h"

/* What the system's headers have. */
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

#undef VK_LIKELY
#undef VK_UNLIKELY
#define VK_LIKELY(x) (x)
#define VK_UNLIKELY(x) (x)
#endif
