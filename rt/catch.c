/* catch.c - leaving frames when memory has run out (contract: catch.h). */
#include "catch.h"
#include "fns.h"
#include "heap_impl.h"
#include "scratch.h"
#include "stack.h"
#include <stdlib.h>
#include <string.h>

/* int vk_catch_set(VkCatch *k, vk *c): fills the registers and goes on as vk_catch_begin, which gives 0; once
 * more 1 when vk_catch_jump is given k.
 * void vk_catch_jump(VkCatch *k). Both know the layout of VkCatch: its first words. The jump zeroes
 * what the next frames will have gaps in: see vk_stack_wipe. */
_Noreturn void vk_catch_jump(VkCatch *k);
int vk_catch_begin(VkCatch *k, vk *c); /* called by the assembly alone */
_Static_assert(offsetof(VkCatch, registers) == 0, "the assembly below");
#if defined(__x86_64__)
__asm__(".text\n"
        ".globl vk_catch_set, vk_catch_jump\n"
        ".hidden vk_catch_jump, vk_catch_begin\n"
        ".type vk_catch_set, @function\n"
        ".type vk_catch_jump, @function\n"
        "vk_catch_set:\n"
        "  movq (%rsp), %rax\n" /* where to return to, and the stack pointer then */
        "  leaq 8(%rsp), %rdx\n"
        "  movq %rbx, 0(%rdi)\n"
        "  movq %rbp, 8(%rdi)\n"
        "  movq %r12, 16(%rdi)\n"
        "  movq %r13, 24(%rdi)\n"
        "  movq %r14, 32(%rdi)\n"
        "  movq %r15, 40(%rdi)\n"
        "  movq %rdx, 48(%rdi)\n"
        "  movq %rax, 56(%rdi)\n"
        "  jmp vk_catch_begin\n"
        ".size vk_catch_set, . - vk_catch_set\n"
        "vk_catch_jump:\n"
        "  movq 0(%rdi), %rbx\n"
        "  movq 8(%rdi), %rbp\n"
        "  movq 16(%rdi), %r12\n"
        "  movq 24(%rdi), %r13\n"
        "  movq 32(%rdi), %r14\n"
        "  movq 40(%rdi), %r15\n"
        "  movq 48(%rdi), %rsp\n"
        "  movq %rdi, %rdx\n"
        "  leaq -2048(%rsp), %rdi\n"
        "  movl $256, %ecx\n"
        "  xorl %eax, %eax\n"
        "  rep stosq\n"
        "  movl $1, %eax\n"
        "  jmpq *56(%rdx)\n"
        ".size vk_catch_jump, . - vk_catch_jump\n");
#elif defined(__aarch64__)
__asm__(".text\n"
        ".globl vk_catch_set\n"
        ".globl vk_catch_jump\n"
        ".hidden vk_catch_jump\n"
        ".hidden vk_catch_begin\n"
        ".type vk_catch_set, %function\n"
        ".type vk_catch_jump, %function\n"
        "vk_catch_set:\n"
        "  mov x9, sp\n"
        "  stp x19, x20, [x0, #0]\n"
        "  stp x21, x22, [x0, #16]\n"
        "  stp x23, x24, [x0, #32]\n"
        "  stp x25, x26, [x0, #48]\n"
        "  stp x27, x28, [x0, #64]\n"
        "  stp x29, x30, [x0, #80]\n"
        "  stp d8, d9, [x0, #96]\n"
        "  stp d10, d11, [x0, #112]\n"
        "  stp d12, d13, [x0, #128]\n"
        "  stp d14, d15, [x0, #144]\n"
        "  str x9, [x0, #160]\n"
        "  b vk_catch_begin\n"
        ".size vk_catch_set, . - vk_catch_set\n"
        "vk_catch_jump:\n"
        "  ldp x19, x20, [x0, #0]\n"
        "  ldp x21, x22, [x0, #16]\n"
        "  ldp x23, x24, [x0, #32]\n"
        "  ldp x25, x26, [x0, #48]\n"
        "  ldp x27, x28, [x0, #64]\n"
        "  ldp x29, x30, [x0, #80]\n"
        "  ldp d8, d9, [x0, #96]\n"
        "  ldp d10, d11, [x0, #112]\n"
        "  ldp d12, d13, [x0, #128]\n"
        "  ldp d14, d15, [x0, #144]\n"
        "  ldr x9, [x0, #160]\n"
        "  mov sp, x9\n"
        "  sub x10, x9, #2048\n"
        "1:\n"
        "  stp xzr, xzr, [x10], #16\n"
        "  cmp x10, x9\n"
        "  b.lo 1b\n"
        "  mov w0, #1\n"
        "  ret\n"
        ".size vk_catch_jump, . - vk_catch_jump\n");
#else
#error "vk_catch_set: write the few instructions for this processor"
#endif

/* ---- setting and dropping ------------------------------------------------------------------ */

int vk_catch_begin(VkCatch *k, vk *c) {
  k->previous = c->fiber->caught;
  k->scratch[0] = vk_scratch_mark(c, 0);
  k->scratch[1] = vk_scratch_mark(c, 1);
  k->tail_limit = c->tail_limit;
  c->fiber->caught = k;
  return 0;
}

V vk_unguard(vk *c) {
  c->fiber->caught = c->fiber->caught->previous;
  return VK_NIL;
}

/* (%guard): every use is in line (ops.h) or the evaluator's own. */
V vk_guard(vk *c) {
  (void)c;
  abort();
}

V vk_catch_landed(vk *c, const VkPos *pos) {
  vk_stack_wipe(c->fiber);
  V err = heap_out_of_memory_error(c->heap);
  return vk_at(c, err, pos);
}

V vk_catch_call(vk *c, V (*fn)(vk *c, void *arg), void *arg) {
  VkCatch k;
  if (vk_catch_set(&k, c)) return vk_catch_landed(c, NULL);
  V v = fn(c, arg);
  vk_unguard(c);
  return v;
}

/* ---- leaving ------------------------------------------------------------------------------- */

static void clear_parked(vk *c) {
  free(c->park_more);
  c->park_more = NULL;
  c->park_fn = 0;
  c->park_code = NULL;
  c->park_n = 0;
  memset(c->park_args, 0, sizeof c->park_args); /* what was to be called is garbage */
  memset(c->xargs, 0, sizeof c->xargs);
}

/* Absent in programs without fibers. */
void vk_fiber_die(vk *c, V error) __attribute__((weak));
void vk_context_restart(void *top, void (*fn)(void *), void *arg) __attribute__((weak));

static void end_fiber(void *arg) {
  vk *c = arg;
  vk_stack_wipe(c->fiber);
  vk_fiber_die(c, heap_out_of_memory_error(c->heap));
}

void vk_catch_out_of_memory(vk *c, size_t bytes) {
  VkCatch *k = c->fiber->caught;
  heap_refuse(c->heap, bytes);
  c->heap->is_suspended = false;
  if (!k && c->fiber->task.entry) vk_context_restart(c->fiber->stack_base, end_fiber, c);
  if (!k) return;
  c->fiber->caught = k->previous;
  c->tail_limit = k->tail_limit;
  c->where = c->number_where = VK_ON_HEAP; /* whatever was under way */
  clear_parked(c);
  for (int s = 0; s < 2; s++) vk_scratch_reset(c, s, k->scratch[s]);
#ifdef VK_HAS_ASAN
  __asan_handle_no_return();
#endif
  vk_catch_jump(k);
}
