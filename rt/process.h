/* process.h - the process a program runs in: its arguments, and how it ends. */
#ifndef VK_PROCESS_H
#define VK_PROCESS_H
#include "vk.h"

/* What main was given; (os/args) leaves out the first. Set by vk_main, then constant. */
extern struct VkProcess {
  int argc;
  char **argv;
  vk *first; /* the isolate of the main program */
  _Atomic size_t thread_count; /* of other isolates: exit handlers must not run beside them */
} vk_process;

/* Runs the program's top-level forms; status becomes 1 at the first error, which is reported.
 * Not static because fault.c tells program code from runtime code by its address. */
typedef struct VkRunTops {
  vk *c;
  int status;
} VkRunTops;
void vk_run_tops(void *run);

/* Takes the options of servers out of the command line: the new argc (net/command_line.c). */
int vk_server_options(int argc, char **argv) __attribute__((weak));

/* Writes what is buffered and ends the process at once. */
_Noreturn void vk_process_exit(int status);
#endif
