/* fns.h - prototypes of every primitive's C function, from prims.def.
 *
 * Each file that defines primitives includes this, so that a row and its function cannot
 * disagree. Not part of vk.h: generated code declares only the ones it calls. */
#ifndef VK_FNS_H
#define VK_FNS_H
#include "vk.h"

#define VK_PARAMS_0
#define VK_PARAMS_1 , V
#define VK_PARAMS_2 , V, V
#define VK_PARAMS_3 , V, V, V
#define VK_PARAMS_4 , V, V, V, V
#define FIX(name, symbol, n, signature, flags, doc) V symbol(vk *c VK_PARAMS_##n);
#define VAR(name, symbol, min, max, signature, flags, doc)                                     \
  V symbol(vk *c, size_t n, const V *args);
#define NARY(name, symbol, min, max, binary, signature, flags, doc)                            \
  V symbol(vk *c, size_t n, const V *args);
#define OPT VAR
#include "prims.def"
#undef FIX
#undef VAR
#undef NARY
#undef OPT
#endif
