/* main.c - from the operating system to the program's top-level forms, and back.
 *
 * vk_main sets up one isolate, moves to the main stack, runs the forms in order and stops at
 * the first whose value is an error. Everything else a program might need (symbol table, event
 * loop, ...) is made by whoever first uses it, so that start-up stays a few system calls. */
#include "errors.h"
#include "fault.h"
#include "heap.h"
#include "out.h"
#include "process.h"
#include "scratch.h"
#include "stack.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifndef __GLIBC__
#include <link.h>
#include <stdbool.h>
#include <sys/mman.h>
#endif

struct VkProcess vk_process;

/* The main thread's isolate and fiber. Static: there is one, and its address helps debugging;
 * all other isolates are made by the worker pool. */
static vk main_isolate VK_ALIGN16;
static VkFiber main_fiber;

/* Of programs compiled for `valkc explain --profile`. */
void vk_profile_write(void) __attribute__((weak));

void vk_process_exit(int status) {
  vk_out_flush();
  if (vk_profile_write) vk_profile_write();
  if (vk_process.thread_count) _exit(status);
  exit(status);
}

/* The globals as the program starts with them. They are roots: heap.c scans c->globals. */
static V *globals_new(const VkProgram *p) {
  if (!p->global_count) return NULL;
  V *globals = malloc(p->global_count * sizeof *globals);
  if (!globals) {
    fprintf(stderr, "valk: no memory for %zu globals\n", p->global_count);
    exit(1);
  }
  memcpy(globals, p->global_init, p->global_count * sizeof *globals);
  return globals;
}

/* Of programs with fibers. */
void vk_sched_finish(vk *c) __attribute__((weak));

/* On the main stack. */
void vk_run_tops(void *to) {
  VkRunTops *run = to;
  vk *c = run->c;
  const VkProgram *p = c->program;
  for (size_t i = 0; i < p->top_count; i++) {
    /* A resumed tail call lowers the limit; here the stack is empty again. */
    c->tail_limit = c->fiber->stack_base - VK_TAIL_ROOM;
    V r = p->tops[i](c);
    r = VK_RESUMED(c, r);
    vk_scratch_reset(c, 0, NULL);
    vk_scratch_reset(c, 1, NULL);
    if (VK_LIKELY(!VK_IS_ABN(r))) continue;
    vk_error_report(c, r);
    run->status = 1;
    return;
  }
  if (c->fibers) vk_sched_finish(c);
}

/* glibc's start code makes relocated data read-only in static executables, too; musl's does not. */
#ifdef __GLIBC__
static void protect_relocated(void) {}
#else
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static void protect_relocated(void) {
  const char *base = (const char *)&__ehdr_start;
  const ElfW(Phdr) *part = (const void *)(base + __ehdr_start.e_phoff);
  bool is_fixed = __ehdr_start.e_type == ET_EXEC; /* addresses are then not relative to base */
  for (unsigned i = 0; i < __ehdr_start.e_phnum; i++, part++) {
    if (part->p_type != PT_GNU_RELRO) continue;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t low = (is_fixed ? 0 : (uintptr_t)base) + part->p_vaddr,
              high = low + part->p_memsz;
    low &= -page;
    high &= -page;
    if (high > low) mprotect((void *)low, high - low, PROT_READ);
  }
}
#endif

int vk_main(int argc, char **argv, const VkProgram *program) {
  vk *c = &main_isolate;
  if (program->takes_server_options) argc = vk_server_options(argc, argv);
  vk_process = (struct VkProcess){.argc = argc, .argv = argv, .first = c};
  protect_relocated();
  c->program = program;
  c->fiber = &main_fiber;
  vk_stack_init(&main_fiber);
  vk_heap_init(c, program->defaults);
  c->globals = globals_new(program);
  vk_fault_init(c);
  VkRunTops run = {.c = c, .status = 0};
  vk_stack_call(&main_fiber, vk_run_tops, &run);
  vk_out_flush();
  if (vk_profile_write) vk_profile_write();
  vk_heap_end(c);
  if (vk_process.thread_count) _exit(run.status);
  return run.status;
}
