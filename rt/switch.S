/* switch.S - from one C stack to another (declared in fiber_impl.h).
 *
 * A suspended context is its stack pointer; on the stack, from there up, is what the calling
 * convention has a callee preserve, floating-point control words included, and where it goes on:
 *
 *   x86-64    mxcsr | fpu word   r15 r14 r13 r12 rbx rbp   return address
 *   aarch64   fpcr -  x19..x28 x29 x30  d8..d15
 *
 * All of it is within what the collector scans. The unwind tables let debuggers walk a suspended or
 * running fiber down to vk_context_begin. */

#if defined(__x86_64__)
#define FUNCTION(name) .globl name; .hidden name; .type name, @function; .p2align 4; name:
#define END(name) .size name, . - name
        .text

/* void vk_context_switch(void **from, void *to) */
FUNCTION(vk_context_switch)
        .cfi_startproc
        pushq %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        pushq %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        pushq %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0
        subq $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw 4(%rsp)
        movq %rsp, (%rdi)
        movl (%rsp), %eax
        movzwl 4(%rsp), %ecx
        movq %rsi, %rsp
        cmpl (%rsp), %eax /* loading them is slow, and they hardly ever differ */
        jne 3f
1:      cmpw 4(%rsp), %cx
        jne 4f
2:      addq $8, %rsp
        .cfi_adjust_cfa_offset -8
        .cfi_remember_state
        popq %r15
        .cfi_adjust_cfa_offset -8
        popq %r14
        .cfi_adjust_cfa_offset -8
        popq %r13
        .cfi_adjust_cfa_offset -8
        popq %r12
        .cfi_adjust_cfa_offset -8
        popq %rbx
        .cfi_adjust_cfa_offset -8
        popq %rbp
        .cfi_adjust_cfa_offset -8
        ret
        .cfi_restore_state
        .cfi_adjust_cfa_offset 8
3:      ldmxcsr (%rsp)
        jmp 1b
4:      fldcw 4(%rsp)
        jmp 2b
        .cfi_endproc
END(vk_context_switch)

/* Where a new context begins: rbx(r12). */
FUNCTION(vk_context_begin)
        .cfi_startproc
        .cfi_undefined %rip
        movq %r12, %rdi
        callq *%rbx
        ud2
        .cfi_endproc
END(vk_context_begin)

/* void vk_context_restart(void *top, void (*fn)(void *), void *arg) */
FUNCTION(vk_context_restart)
        .cfi_startproc
        .cfi_undefined %rip
        movq %rdi, %rsp
        xorl %ebp, %ebp
        movq %rdx, %rdi
        callq *%rsi
        ud2
        .cfi_endproc
END(vk_context_restart)

/* Returned to instead of code of the program, from C code that used up the stack: any alignment. */
FUNCTION(vk_context_landing)
        .cfi_startproc
        .cfi_undefined %rip
        andq $-16, %rsp
        xorl %ebp, %ebp
        callq vk_fault_landed
        ud2
        .cfi_endproc
END(vk_context_landing)

#elif defined(__aarch64__)
#define FUNCTION(name) .globl name; .hidden name; .type name, %function; .p2align 4; name:
#define END(name) .size name, . - name
        .text

/* void vk_context_switch(void **from, void *to) */
FUNCTION(vk_context_switch)
        .cfi_startproc
        sub sp, sp, #176
        .cfi_adjust_cfa_offset 176
        stp x19, x20, [sp, #16]
        .cfi_rel_offset x19, 16
        .cfi_rel_offset x20, 24
        stp x21, x22, [sp, #32]
        .cfi_rel_offset x21, 32
        .cfi_rel_offset x22, 40
        stp x23, x24, [sp, #48]
        .cfi_rel_offset x23, 48
        .cfi_rel_offset x24, 56
        stp x25, x26, [sp, #64]
        .cfi_rel_offset x25, 64
        .cfi_rel_offset x26, 72
        stp x27, x28, [sp, #80]
        .cfi_rel_offset x27, 80
        .cfi_rel_offset x28, 88
        stp x29, x30, [sp, #96]
        .cfi_rel_offset x29, 96
        .cfi_rel_offset x30, 104
        stp d8, d9, [sp, #112]
        stp d10, d11, [sp, #128]
        stp d12, d13, [sp, #144]
        stp d14, d15, [sp, #160]
        mrs x9, fpcr
        str x9, [sp]
        mov x10, sp
        str x10, [x0]
        mov sp, x1
        ldr x10, [sp]
        cmp x9, x10
        b.eq 1f
        msr fpcr, x10
1:      ldp x19, x20, [sp, #16]
        ldp x21, x22, [sp, #32]
        ldp x23, x24, [sp, #48]
        ldp x25, x26, [sp, #64]
        ldp x27, x28, [sp, #80]
        ldp x29, x30, [sp, #96]
        ldp d8, d9, [sp, #112]
        ldp d10, d11, [sp, #128]
        ldp d12, d13, [sp, #144]
        ldp d14, d15, [sp, #160]
        add sp, sp, #176
        .cfi_adjust_cfa_offset -176
        ret
        .cfi_endproc
END(vk_context_switch)

/* Where a new context begins: x19(x20). */
FUNCTION(vk_context_begin)
        .cfi_startproc
        .cfi_undefined x30
        mov x29, #0
        mov x0, x20
        blr x19
        brk #1
        .cfi_endproc
END(vk_context_begin)

/* void vk_context_restart(void *top, void (*fn)(void *), void *arg) */
FUNCTION(vk_context_restart)
        .cfi_startproc
        .cfi_undefined x30
        mov sp, x0
        mov x29, #0
        mov x0, x2
        blr x1
        brk #1
        .cfi_endproc
END(vk_context_restart)

/* Returned to instead of code of the program, from C code that used up the stack. */
FUNCTION(vk_context_landing)
        .cfi_startproc
        .cfi_undefined x30
        mov x29, #0
        bl vk_fault_landed
        brk #1
        .cfi_endproc
END(vk_context_landing)

#else
#error "switch.S: write vk_context_switch for this processor"
#endif
        .section .note.GNU-stack, "", %progbits
