/* fiber_fault.c - the end of a fiber that used up its stack, or is ended from outside.
 *
 * A fault in the guard reaches the signal handler of fault.c, on a stack of its own, which asks
 * here; so does that of fiber_stop.c. What may be left as it is depends on whose code was running:
 *
 *   the program's   nothing of the runtime is under way: the fiber goes on at vk_context_landing
 *                   with an empty stack
 *   C               it may hold a lock, or the heap may be in between. It gets the yellow part of
 *                   the guard as well, and every word on the stack that returns to the program's
 *                   code is made to return to the landing instead
 *
 * A fiber that is ended from outside can be anywhere in the program's code, between the two
 * stores of a new pair, say. What it had begun to make nobody else knows; what others know it
 * changes by one store, or in C.
 *
 * C that uses up the yellow part too ends the process, as on the main stack. C that calls the
 * program's code (the evaluator, %apply) is left where it is: it keeps nothing but Valk values. */
#include "errors.h"
#include "fault_code.h"
#include "fiber_impl.h"
#include "fiber_stop.h"
#include "poison.h"
#include <assert.h>
#include <ucontext.h>

typedef struct Places {
  struct VkFibers *fs; /* the first and the last that are kept, in its overflow_places */
  size_t count;
} Places;

static void add_place(Places *p, const Code *code) {
  if (!code->fn || !code->fn->pos.file) return;
  size_t i = p->count++;
  if (i >= VK_TRACE_MAX) i = VK_TRACE_FIRST + (i - VK_TRACE_FIRST) % VK_TRACE_LAST;
  p->fs->overflow_places[i] = &code->fn->pos;
}

typedef struct Scan {
  CodeMap map;
  Places places;
  size_t found; /* returns to the program's code */
  bool is_redirecting;
} Scan;

static __attribute__((no_sanitize("address"))) void scan_word(Scan *s, uintptr_t *word) {
  const Code *code = code_find(&s->map, *word);
  if (!code || !code_follows_call(code->start, *word)) return;
  add_place(&s->places, code);
  s->found++;
  if (s->is_redirecting) *word = (uintptr_t)vk_context_landing;
}

static __attribute__((no_sanitize("address"))) void scan(Scan *s, uintptr_t *word,
                                                         const char *base) {
  for (; (const char *)word < base; word++) scan_word(s, word);
}

static uintptr_t *first_word(const VkFiber *f, uintptr_t sp) {
  if (sp < (uintptr_t)f->stack_limit) sp = (uintptr_t)f->stack_limit;
  return (uintptr_t *)((sp + 7) & ~(uintptr_t)7);
}

/* Makes the running fiber end. False: it needs more stack for C, and there is none. */
static bool leave(vk *c, void *context, bool is_overflow) {
  VkFiber *f = c->fiber;
  mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
#if defined(__x86_64__)
  uintptr_t pc = (uintptr_t)m->gregs[REG_RIP], sp = (uintptr_t)m->gregs[REG_RSP];
#elif defined(__aarch64__)
  uintptr_t pc = m->pc, sp = m->sp;
#endif
  Scan s = {.map = code_map(c->program), .places = {c->fibers, 0}};
  const Code *code = code_find(&s.map, pc + 1); /* its first instruction, too */
  s.is_redirecting = !code;
  if (!code && is_overflow && (f->is_yellow || !vk_fiber_stack_yellow(f->stack_limit, true))) {
    code_map_free(&s.map);
    return false;
  }
  if (code) add_place(&s.places, code);
#if defined(__aarch64__) /* the callee may not have saved it yet */
  uintptr_t link = m->regs[30];
  scan_word(&s, &link);
  m->regs[30] = link;
#endif
  scan(&s, first_word(f, sp), f->stack_base);
  code_map_free(&s.map);
  if (code || s.found) {
    c->fibers->overflow_count = s.places.count;
    f->is_condemned = !is_overflow;
  }
  if (!code) {
    f->is_yellow |= is_overflow;
    return true;
  }
#if defined(__x86_64__)
  m->gregs[REG_RIP] = (greg_t)vk_context_landing;
  m->gregs[REG_RSP] = (greg_t)f->stack_base;
#elif defined(__aarch64__)
  m->pc = (uintptr_t)vk_context_landing;
  m->sp = (uintptr_t)f->stack_base;
#endif
  return true;
}

bool vk_fiber_fault(vk *c, void *context) {
  return c->fiber->task.entry && leave(c, context, true);
}

void vk_fiber_condemn(vk *c, void *context) { leave(c, context, false); }

/* ---- after it --------------------------------------------------------------------------------- */

static V end_error(vk *c) {
  const VkFiber *f = c->fiber;
  size_t bytes = f->is_deep ? (size_t)(f->stack_base - f->stack_limit) : vk_fiber_stack_bytes();
  if (f->is_condemned)
    return vk_errorf(c, VK_SYM(cancelled), "cancelled: it ran for too long without waiting");
  return vk_errorf(c, VK_SYM(stack_overflow),
                   "too deep a recursion: it needs more than %zu KB of stack, which %s",
                   bytes >> 10, vk_fiber_stack_setting(f));
}

static V add_trace(vk *c, V error) {
  struct VkFibers *fs = c->fibers;
  size_t count = fs->overflow_count;
  size_t kept = count < VK_TRACE_MAX ? count : VK_TRACE_MAX;
  for (size_t i = 0; i < kept; i++) {
    size_t at = i;
    if (count > VK_TRACE_MAX && i >= VK_TRACE_FIRST) /* a ring: from its oldest on */
      at = VK_TRACE_FIRST + (i - VK_TRACE_FIRST + count - VK_TRACE_FIRST) % VK_TRACE_LAST;
    error = vk_at(c, error, fs->overflow_places[at]);
  }
  VK_ERR(error)->trace_count = count;
  return error;
}

static void end_fiber(void *arg) {
  vk *c = arg;
  vk_fiber_die(c, add_trace(c, end_error(c)));
}

/* From vk_context_landing: anywhere on the stack, on what frames that never returned left there:
 * AddressSanitizer must not look at it before that is forgotten. */
void vk_fault_landed(void);
__attribute__((no_sanitize("address"))) void vk_fault_landed(void) {
  vk *c = vk_fault_isolate();
  vk_unpoison(c->fiber->stack_limit, (size_t)(c->fiber->stack_base - c->fiber->stack_limit));
  c->where = c->result_where = c->number_where = VK_ON_HEAP; /* whatever was under way */
  c->fiber->caught = NULL;                 /* it was in a frame */
  vk_context_restart(c->fiber->stack_base, end_fiber, c);
}

void vk_fiber_overflow(vk *c) {
  VkFiber *f = c->fiber;
  assert(f->task.entry);
  Scan s = {.map = code_map(c->program), .places = {c->fibers, 0}};
  scan(&s, first_word(f, (uintptr_t)__builtin_frame_address(0)), f->stack_base);
  c->fibers->overflow_count = s.places.count;
  code_map_free(&s.map);
  vk_context_restart(f->stack_base, end_fiber, c);
}
