/* vk_tcc.h - the runtime's headers as TinyCC sees them.
 *
 * Not compiled as it stands: tools/prelude.c cuts it into declarations, of which code for TinyCC
 * gets those it mentions. Inline functions become macros, since TinyCC does not inline
 * (tools/prelude_macro.c); a macro here is for one that this does not suit. */
#ifndef VK_TCC_H
#define VK_TCC_H
/* What the system's headers have; before they come, so that nothing is defined twice. */
typedef unsigned long size_t;
typedef long int64_t;
typedef unsigned long uint64_t;
typedef unsigned long uintptr_t;
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long intptr_t;
typedef long ptrdiff_t;
typedef long ssize_t;
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
#define __builtin_inf() (1e300 * 1e300)
#define __builtin_add_overflow(a, b, r) VK_ADD_OVERFLOWS(a, b, r)
#define __builtin_sub_overflow(a, b, r) VK_SUB_OVERFLOWS(a, b, r)
#define __builtin_mul_overflow(a, b, r) VK_MUL_OVERFLOWS(a, b, r)

/* valkc/quick.c: the first function, and what follows the last. */
#define VK_TEXT_BEGIN
#define VK_TEXT_BEGINS quick_text
#define VK_TEXT_ENDS quick_data

#include "fns.h"
#include "lists.h"
#include "maps.h"
#include "vectors.h"
#include "where.h"

/* TinyCC makes no tail call a jump. Its functions all begin with push %rbp; mov %rsp,%rbp, so
 * `leave` takes the frame away, and it computes every operand before it loads the first register. An
 * operand that is a constant would be 32 bits.
 * On ARM64 it has no inline assembly: there the guards alone bound the stack (3 times slower where
 * every call is a tail call). */
#ifdef __x86_64__
#define VK_JUMP1(code, c)                                                                      \
  do {                                                                                         \
    __asm__ volatile("leave; jmp *%%rax" ::"a"(code), "D"(c));                                 \
    return 0;                                                                                  \
  } while (0)
#define VK_JUMP2(code, c, x)                                                                   \
  do {                                                                                         \
    __asm__ volatile("leave; jmp *%%rax" ::"a"(code), "D"(c), "S"((V)(x)));                    \
    return 0;                                                                                  \
  } while (0)
#define VK_JUMP3(code, c, x, y)                                                                \
  do {                                                                                         \
    __asm__ volatile("leave; jmp *%%rax" ::"a"(code), "D"(c), "S"((V)(x)), "d"((V)(y)));       \
    return 0;                                                                                  \
  } while (0)
#define VK_JUMP4(code, c, x, y, z)                                                             \
  do {                                                                                         \
    __asm__ volatile("leave; jmp *%%rax" ::"a"(code), "D"(c), "S"((V)(x)), "d"((V)(y)),        \
                     "c"((V)(z)));                                                             \
    return 0;                                                                                  \
  } while (0)
#define VK_JUMP5(code, c, x, y, z, w)                                                          \
  do {                                                                                         \
    V r8$ = (V)(w);                                                                            \
    __asm__ volatile("movq %5,%%r8; leave; jmp *%%rax" ::"a"(code), "D"(c), "S"((V)(x)), "d"((V)(y)),\
                     "c"((V)(z)), "m"(r8$));                                                   \
    return 0;                                                                                  \
  } while (0)
#define VK_JUMP6(code, c, x, y, z, w, v)                                                       \
  do {                                                                                         \
    V r8$ = (V)(w), r9$ = (V)(v);                                                              \
    __asm__ volatile("movq %5,%%r8; movq %6,%%r9; leave; jmp *%%rax" ::"a"(code), "D"(c),      \
                     "S"((V)(x)), "d"((V)(y)), "c"((V)(z)), "m"(r8$), "m"(r9$));               \
    return 0;                                                                                  \
  } while (0)
#endif

/* A truth value that a branch uses need not become a number. */
#define vk_int_lt(a, b) ((a) < (b))
#define vk_int_gt(a, b) ((a) > (b))
#define vk_int_le(a, b) ((a) <= (b))
#define vk_int_ge(a, b) ((a) >= (b))
#define vk_int_eq(a, b) ((a) == (b))
#define vk_int_ne(a, b) ((a) != (b))
#define vk_int_not(a) ((a) == 0)
#define vk_same(a, b) ((a) == (b))
#define vk_not_same(a, b) ((a) != (b))
#define vk_is_nil(a) ((a) == VK_NIL)
#define vk_is_false(a) VK_IS_FALSE(a)
#define vk_plain_list(a) (VK_IS_PAIR(a) || (a) == VK_NIL)

/* Each mention of an operand is a load, and the test of an overflow mentions seven. */
#ifdef __x86_64__
#define VK_FIX_FAILS(operation, a, b, r)                                                       \
  ({                                                                                           \
    V fails;                                                                                   \
    __asm__("movq %%rax,%%rdx; orq %%rcx,%%rdx; andl $7,%%edx; " operation                     \
            " %%rcx,%%rax; seto %%dh"                                                          \
            : "=a"(*(r)), "=d"(fails)                                                          \
            : "0"(a), "c"(b));                                                                 \
    fails != 0;                                                                                \
  })
#define vk_add_fails(a, b, r) VK_FIX_FAILS("addq", a, b, r)
#define vk_sub_fails(a, b, r) VK_FIX_FAILS("subq", a, b, r)
#endif

/* memcpy would be called. */
#define vk_float_bits(x)                                                                       \
  ({                                                                                           \
    double number = (x);                                                                       \
    *(V *)&number;                                                                             \
  })
#define vk_imm_double(v)                                                                       \
  ({                                                                                           \
    V bits = (v) ^ 7;                                                                          \
    bits = bits >> 4 | bits << 60;                                                             \
    *(double *)&bits;                                                                          \
  })
/* Conversions are written around calls: the argument is evaluated once. */
#define vk_from_double(c, x)                                                                   \
  ({                                                                                           \
    double from = (x);                                                                         \
    V from_bits = *(V *)&from;                                                                 \
    from_bits = (from_bits << 4 | from_bits >> 60) ^ 7;                                        \
    VK_IS_IMM_FLOAT(from_bits) ? from_bits : vk_float_box(c, from);                            \
  })
#define vk_double(v)                                                                           \
  ({                                                                                           \
    V boxed = (v);                                                                             \
    VK_IS_IMM_FLOAT(boxed) ? vk_imm_double(boxed) : ((VkFloat *)(boxed - 5))->value;           \
  })
#define vk_from_int64(c, n)                                                                    \
  ({                                                                                           \
    int64_t wide = (n);                                                                        \
    wide >= VK_FIX_MIN && wide <= VK_FIX_MAX ? VK_FIX(wide) : vk_int_from_i64(c, wide);        \
  })
#define vk_to_int64(v)                                                                         \
  ({                                                                                           \
    V integer = (v);                                                                           \
    VK_IS_FIX(integer) ? VK_INT(integer) : vk_big_to_int64(integer);                           \
  })
#endif
