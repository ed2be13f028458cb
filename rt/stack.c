/* stack.c - reserving the main stack and moving onto it (contract: stack.h). */
#include "stack.h"
#include "limits.h"
#include "poison.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef VK_HAS_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

size_t vk_stack_bytes_usual = (size_t)1 << 30;
static const size_t stack_bytes_least = 256 << 10;
/* The part every program uses stays out of huge pages: zeroing one costs as much as a whole
 * small program. Below it they are asked for, since deep recursion spends its time in page
 * faults: 1,000,000 frames of 650 bytes took 0.24 s of system time without, 0.03 s with. Being
 * smaller than a huge page, and a mapping of its own once the rest is advised, the part can get
 * none even where they are given unasked. */
static const size_t small_page_bytes = 1 << 20;

/* AddressSanitizer's frames are larger, and the same depth must still fit. More than twice was
 * tried: filling 8 GiB and its shadow takes half a minute before an endless recursion ends. */
static size_t stack_bytes_default(void) {
#ifdef VK_HAS_ASAN
  return 2 * vk_stack_bytes_usual;
#else
  return vk_stack_bytes_usual;
#endif
}

static size_t stack_bytes_wanted(void) {
  const char *text = vk_setting("VALK_STACK_SIZE");
  if (!text || !*text) return stack_bytes_default();
  size_t bytes;
  if (!vk_parse_size(text, &bytes)) {
    fprintf(stderr,
            "VALK_STACK_SIZE=%s: not a size; write bytes or a suffix, as in 512k, 64m, 2g\n",
            text);
    exit(2);
  }
  if (bytes < stack_bytes_least) {
    fprintf(stderr, "VALK_STACK_SIZE=%s: too small, the least is %zuk\n", text,
            stack_bytes_least >> 10);
    exit(2);
  }
  return bytes;
}

/* A stack of that size with its guard; NULL if the system refuses. */
static char *stack_map(size_t bytes) {
  size_t all = bytes + VK_GUARD_BYTES;
  if (all < bytes) return NULL;
  char *p = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
  if (p == MAP_FAILED) return NULL;
  if (mprotect(p, VK_GUARD_BYTES, PROT_NONE)) {
    munmap(p, all);
    return NULL;
  }
  return p;
}

void vk_stack_expect_depth(VkFiber *f) {
  if (!f->stack_limit || (size_t)(f->stack_base - f->stack_limit) <= small_page_bytes) return;
  char *end = f->stack_base - small_page_bytes;
  madvise(f->stack_limit, (size_t)(end - f->stack_limit), MADV_HUGEPAGE); /* advice: may fail */
}

/* Of at most so many bytes. */
static bool stack_reserve(VkFiber *f, size_t bytes) {
  char *p = NULL;
  bytes &= ~(size_t)0xFFFF; /* whole pages of any page size */
  while (bytes >= stack_bytes_least && !(p = stack_map(bytes)))
    bytes = bytes / 2 & ~(size_t)0xFFFF;
  if (!p) return false;
  f->stack_limit = p + VK_GUARD_BYTES;
  f->guard_bytes = VK_GUARD_BYTES;
  f->stack_base = f->stack_limit + bytes;
  return true;
}

void vk_stack_init(VkFiber *f) {
  if (stack_reserve(f, stack_bytes_wanted())) return;
  fprintf(stderr, "valk: no address space for the stack (VALK_STACK_SIZE sets its size)\n");
  exit(1);
}

/* With AddressSanitizer, less than the main program's: a fiber that is over needs all of its
 * stack's shadow cleared. */
bool vk_stack_reserve_deep(VkFiber *f) {
  size_t bytes = stack_bytes_wanted();
#ifdef VK_HAS_ASAN
  if (bytes > (size_t)512 << 20) bytes = (size_t)512 << 20;
#endif
  return stack_reserve(f, bytes);
}

void vk_stack_trim(const VkFiber *f, size_t kept_bytes) {
  if ((size_t)(f->stack_base - f->stack_limit) <= kept_bytes) return;
  size_t page = (uintptr_t)(f->stack_base - kept_bytes) & 0xFFFF;
  size_t bytes = (size_t)(f->stack_base - kept_bytes - f->stack_limit) - page;
  madvise(f->stack_limit, bytes, MADV_DONTNEED);
}

__attribute__((noinline, no_sanitize("address"))) void vk_stack_wipe(const VkFiber *f) {
  enum { PAGE = 64 << 10 };
  char own[512]; /* this frame; what is below it follows */
  memset(own, 0, sizeof own);
  __asm__ volatile("" : : "r"(own) : "memory");
  uintptr_t here = (uintptr_t)own - 128; /* what a leaf function uses unasked */
  uintptr_t limit = (uintptr_t)f->stack_limit, page = here & -(uintptr_t)PAGE;
  if (!limit || here <= limit) return;
  if (page > limit) madvise((void *)limit, page - limit, MADV_DONTNEED);
  for (volatile char *p = (char *)(page > limit ? page : limit); p < (char *)here; p++) *p = 0;
}

void vk_stack_free(const VkFiber *f) {
  char *low = f->stack_limit - VK_GUARD_BYTES;
  munmap(low, (size_t)(f->stack_base - low));
}

/* void vk_stack_switch(void *top, void (*fn)(void *), void *arg): fn(arg) with the stack
 * pointer at top, then back. The old stack pointer waits in the frame pointer, which fn
 * preserves; the unwind directives let a debugger walk through. */
void vk_stack_switch(void *top, void (*fn)(void *), void *arg);
#if defined(__x86_64__)
__asm__(".text\n"
        ".globl vk_stack_switch\n"
        ".hidden vk_stack_switch\n"
        ".type vk_stack_switch, @function\n"
        "vk_stack_switch:\n"
        "  .cfi_startproc\n"
        "  pushq %rbp\n"
        "  .cfi_def_cfa_offset 16\n"
        "  .cfi_offset %rbp, -16\n"
        "  movq %rsp, %rbp\n"
        "  .cfi_def_cfa_register %rbp\n"
        "  movq %rdi, %rsp\n"
        "  movq %rdx, %rdi\n"
        "  callq *%rsi\n"
        "  leave\n"
        "  .cfi_def_cfa %rsp, 8\n"
        "  ret\n"
        "  .cfi_endproc\n"
        ".size vk_stack_switch, . - vk_stack_switch\n");
#elif defined(__aarch64__)
__asm__(".text\n"
        ".globl vk_stack_switch\n"
        ".hidden vk_stack_switch\n"
        ".type vk_stack_switch, %function\n"
        "vk_stack_switch:\n"
        "  .cfi_startproc\n"
        "  stp x29, x30, [sp, #-16]!\n"
        "  .cfi_def_cfa_offset 16\n"
        "  .cfi_offset 29, -16\n"
        "  .cfi_offset 30, -8\n"
        "  mov x29, sp\n"
        "  .cfi_def_cfa_register 29\n"
        "  mov sp, x0\n"
        "  mov x0, x2\n"
        "  blr x1\n"
        "  mov sp, x29\n"
        "  .cfi_def_cfa_register 31\n"
        "  ldp x29, x30, [sp], #16\n"
        "  .cfi_restore 29\n"
        "  .cfi_restore 30\n"
        "  .cfi_def_cfa_offset 0\n"
        "  ret\n"
        "  .cfi_endproc\n"
        ".size vk_stack_switch, . - vk_stack_switch\n");
#else
#error "vk_stack_switch: write the few instructions for this processor"
#endif

#ifdef VK_HAS_ASAN
/* AddressSanitizer must know which stack is current, both ways. */
typedef struct Entry {
  void (*fn)(void *);
  void *arg;
  void *fake_stack;
  const void *old_bottom;
  size_t old_bytes;
} Entry;

static void enter(void *p) {
  Entry *e = p;
  __sanitizer_finish_switch_fiber(NULL, &e->old_bottom, &e->old_bytes);
  e->fn(e->arg);
  __sanitizer_start_switch_fiber(NULL, e->old_bottom, e->old_bytes);
}

void vk_stack_call(VkFiber *f, void (*fn)(void *), void *arg) {
  Entry e = {.fn = fn, .arg = arg};
  __sanitizer_start_switch_fiber(&e.fake_stack, f->stack_limit,
                                 (size_t)(f->stack_base - f->stack_limit));
  vk_stack_switch(f->stack_base, enter, &e);
  __sanitizer_finish_switch_fiber(e.fake_stack, NULL, NULL);
}
#else
void vk_stack_call(VkFiber *f, void (*fn)(void *), void *arg) {
  vk_stack_switch(f->stack_base, fn, arg);
}
#endif
