/* fault.h - faults of the processor explained: stack overflow, and bugs of ours. */
#ifndef VK_FAULT_H
#define VK_FAULT_H
#include "vk.h"

/* Installs the handlers of SIGSEGV and SIGBUS for the process, and a stack for them and `c` for
 * this thread: once on each thread that runs an isolate. */
void vk_fault_init(vk *c);
/* Gives up this thread's stack: it ends. Not the first thread. */
void vk_fault_end(void);
#endif
