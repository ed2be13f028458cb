/* fault_code.h - code addresses to functions, for fault.c and fiber_fault.c. Everything here is
 * for signal handlers, too. */
#ifndef VK_FAULT_CODE_H
#define VK_FAULT_CODE_H
#include "vk.h"
#include <stdbool.h>

vk *vk_fault_isolate(void); /* of this thread */

typedef struct Code {
  uintptr_t start;
  const VkFn *fn; /* NULL: a top-level form */
} Code;
typedef struct CodeMap {
  Code *items; /* by start */
  size_t count, most;
} CodeMap;
CodeMap code_map(const VkProgram *p);
void code_map_free(CodeMap *m);
/* The function whose code `address` may be in, but is not the start of; NULL if none. */
const Code *code_find(const CodeMap *m, uintptr_t address);
/* Whether the instruction before `address`, which is in the function at `start`, is a call. */
bool code_follows_call(uintptr_t start, uintptr_t address);
#endif
