/* fault.c - what a SIGSEGV or SIGBUS means, said before the process ends (contract: fault.h).
 *
 * A fault in the guard below the running fiber's stack is the program's own: it recursed too
 * deep, and gets an error message of kind :stack-overflow, a trace and exit status 1. Any other
 * is a bug of ours: the same trace, then the signal's default action, so that a core is left.
 *
 * The trace is a guess from the words on the stack: each one that could be a return address
 * into a compiled function counts as a frame. Frame pointers would be exact, but cost every
 * call; stale words in unused slots show now and then, which a reader of the trace survives.
 *
 * Everything here runs in a signal handler: system calls and own memory only. */
#include "fault.h"
#include "fault_code.h"
#include "out.h"
#include "process.h"
#include "stack.h"
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

/* ---- text to stderr ---------------------------------------------------------------------- */

typedef struct Text {
  char bytes[512];
  size_t len;
} Text;

static void text_flush(Text *t) {
  size_t done = 0;
  while (done < t->len) {
    ssize_t n = write(STDERR_FILENO, t->bytes + done, t->len - done);
    if (n <= 0) break; /* nobody listens: nothing better to do */
    done += (size_t)n;
  }
  t->len = 0;
}

static void put(Text *t, const char *s) {
  for (; *s; s++) {
    if (t->len == sizeof t->bytes) text_flush(t);
    t->bytes[t->len++] = *s;
  }
}

static void put_number(Text *t, uint64_t n, unsigned base) {
  char digits[24], *p = digits + sizeof digits;
  *--p = 0;
  do *--p = "0123456789abcdef"[n % base];
  while (n /= base);
  put(t, p);
}

/* ---- code addresses to functions --------------------------------------------------------- */

/* What marks are in a CodeMap: from there on, code is not the program's, or is, but of a
 * function that is not in its tables: those that are called from one place only. */
static const VkFn runtime, unlisted;

static void code_sort(Code *items, size_t count) { /* Shell's: in place, no stack */
  size_t gap = 1;
  while (gap < count / 3) gap = 3 * gap + 1;
  for (; gap; gap /= 3)
    for (size_t i = gap; i < count; i++) {
      Code moved = items[i];
      size_t k = i;
      for (; k >= gap && items[k - gap].start > moved.start; k -= gap)
        items[k] = items[k - gap];
      items[k] = moved;
    }
}

void code_map_free(CodeMap *m) {
  if (m->items) munmap(m->items, m->most * sizeof(Code));
}

CodeMap code_map(const VkProgram *p) {
  CodeMap m = {.most = p->fn_count + p->top_count + 2 * p->text_count};
  if (!p->text_count) return m;
  void *memory = mmap(NULL, m.most * sizeof(Code), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return m;
  m.items = memory;
  for (size_t i = 0; i < p->fn_count; i++)
    if (p->fns[i]->code) m.items[m.count++] = (Code){(uintptr_t)p->fns[i]->code, p->fns[i]};
  for (size_t i = 0; i < p->top_count; i++)
    m.items[m.count++] = (Code){(uintptr_t)p->tops[i], NULL};
  for (size_t i = 0; i < p->text_count; i++) {
    m.items[m.count++] = (Code){(uintptr_t)p->text_begins[i], &unlisted};
    m.items[m.count++] = (Code){(uintptr_t)p->text_ends[i], &runtime};
  }
  code_sort(m.items, m.count);
  return m;
}

/* The function whose code `address` may be in, but is not the start of; NULL if none. Most
 * words of a stack are no code: the first two tests settle those. */
const Code *code_find(const CodeMap *m, uintptr_t address) {
  if (!m->count || address <= m->items[0].start) return NULL;
  if (address >= m->items[m->count - 1].start) return NULL;
  size_t low = 0, high = m->count; /* items[low].start <= address < items[high].start */
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (m->items[middle].start <= address)
      low = middle;
    else
      high = middle;
  }
  const Code *found = &m->items[low];
  return found->start == address || found->fn == &runtime ? NULL : found;
}

/* Whether the instruction before `address`, which is in the function at `start`, is a call. */
bool code_follows_call(uintptr_t start, uintptr_t address) {
#if defined(__x86_64__)
  const unsigned char *p = (const unsigned char *)address;
  uintptr_t before = address - start;
  if (before >= 5 && p[-5] == 0xE8) return true; /* call rel32 */
  for (int size = 2; size <= 7 && (uintptr_t)size <= before; size++)
    if (p[-size] == 0xFF && (p[1 - size] >> 3 & 7) == 2) return true; /* call r/m64: FF /2 */
  return false;
#elif defined(__aarch64__)
  if (address & 3 || address < start + 4) return false;
  uint32_t before = ((const uint32_t *)address)[-1];
  return (before & 0xFC000000) == 0x94000000 || (before & 0xFFFFFC1F) == 0xD63F0000;
#else
  return address > start;
#endif
}

/* ---- the trace --------------------------------------------------------------------------- */

enum { TRACE_INNERMOST = 10, TRACE_OUTERMOST = 5 };
typedef struct Frame {
  const Code *code;
  size_t times; /* in a row */
} Frame;
typedef struct Trace {
  Frame inner[TRACE_INNERMOST], outer[TRACE_OUTERMOST]; /* outer: a ring of the latest */
  size_t count;                                         /* entries of both and in between */
  size_t frames;                                        /* all calls seen */
  Frame *last;
} Trace;

static void trace_add(Trace *t, const Code *code) {
  if (code->fn == &unlisted) return;
  t->frames++;
  if (t->last && t->last->code == code) {
    t->last->times++;
    return;
  }
  t->last = t->count < TRACE_INNERMOST
                ? &t->inner[t->count]
                : &t->outer[(t->count - TRACE_INNERMOST) % TRACE_OUTERMOST];
  *t->last = (Frame){code, 1};
  t->count++;
}

static size_t print_frame(Text *t, const VkProgram *program, const Frame *f) {
  const VkFn *fn = f->code->fn;
  put(t, "  at ");
  if (fn && fn->pos.file) {
    put(t, fn->pos.file);
    put(t, ":");
    put_number(t, fn->pos.line, 10);
    put(t, ":");
    put_number(t, fn->pos.col, 10);
    put(t, " in ");
    put(t, fn->name ? fn->name : "a function");
  } else {
    put(t, fn && fn->name ? fn->name : "top level");
    if (!fn && program->name) {
      put(t, " of ");
      put(t, program->name);
    }
  }
  if (f->times > 1) {
    put(t, " (");
    put_number(t, f->times, 10);
    put(t, " times)");
  }
  put(t, "\n");
  return f->times;
}

static void trace_print(Text *text, const VkProgram *program, const Trace *t) {
  size_t shown = 0, outer = 0;
  size_t inner = t->count < TRACE_INNERMOST ? t->count : TRACE_INNERMOST;
  if (t->count > inner) outer = t->count - inner;
  if (outer > TRACE_OUTERMOST) outer = TRACE_OUTERMOST;
  const Frame *tail[TRACE_OUTERMOST];
  for (size_t i = 0; i < outer; i++)
    tail[i] = &t->outer[(t->count - TRACE_INNERMOST - outer + i) % TRACE_OUTERMOST];
  for (size_t i = 0; i < inner; i++) shown += print_frame(text, program, &t->inner[i]);
  for (size_t i = 0; i < outer; i++) shown += tail[i]->times;
  if (t->frames > shown) {
    put(text, "  ... ");
    put_number(text, t->frames - shown, 10);
    put(text, " more calls ...\n");
  }
  for (size_t i = 0; i < outer; i++) print_frame(text, program, tail[i]);
}

/* All of [sp, base) is the interrupted stack; pc is where it was. */
__attribute__((no_sanitize("address"))) static void trace_stack(Text *text,
                                                                const VkProgram *program,
                                                                uintptr_t pc, const char *sp,
                                                                const char *base) {
  CodeMap map = code_map(program);
  Trace trace = {.count = 0};
  const Code *code = code_find(&map, pc);
  if (code) trace_add(&trace, code);
  const uintptr_t *word = (const uintptr_t *)(((uintptr_t)sp + 7) & ~(uintptr_t)7);
  for (; (const char *)word < base; word++) {
    code = code_find(&map, *word);
    if (code && code_follows_call(code->start, *word)) trace_add(&trace, code);
  }
  trace_print(text, program, &trace);
}

/* ---- the handler --------------------------------------------------------------------------- */

static _Thread_local vk *isolate; /* what this thread runs: a handler gets no argument for it */
/* The kernel saves up to 11 KB of registers here (AMX), trace and text take 2 KB. */
enum { HANDLER_STACK_BYTES = 64 << 10 };

/* The first thread's costs nothing until it is used; thread-local, the C library would allocate
 * it at start. Common, for the linker puts such behind the small variables, which then share
 * pages. */
char vk_fault_stack[HANDLER_STACK_BYTES] VK_ALIGN16 __attribute__((common));

static void *handler_stack(void) {
  static bool is_taken;
  if (!__atomic_test_and_set(&is_taken, __ATOMIC_RELAXED)) return vk_fault_stack;
  void *p = mmap(NULL, HANDLER_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                 -1, 0);
  if (p == MAP_FAILED) abort();
  return p;
}

vk *vk_fault_isolate(void) { return isolate; }

static void interrupted_at(const void *context, uintptr_t *pc, uintptr_t *sp) {
  const mcontext_t *m = &((const ucontext_t *)context)->uc_mcontext;
#if defined(__x86_64__)
  *pc = (uintptr_t)m->gregs[REG_RIP];
  *sp = (uintptr_t)m->gregs[REG_RSP];
#elif defined(__aarch64__)
  *pc = m->pc;
  *sp = m->sp;
#endif
}

/* Where readable stack begins: sp itself may already be in the guard. */
static const char *first_readable(const VkFiber *f, uintptr_t sp) {
  uintptr_t limit = (uintptr_t)f->stack_limit, base = (uintptr_t)f->stack_base;
  if (sp >= limit && sp < base) return (const char *)sp;
  return sp < limit && limit - sp <= f->guard_bytes ? f->stack_limit : f->stack_base;
}

/* The form of vk_error_text. */
static void explain_overflow(Text *text, const VkFiber *f) {
  size_t kb = (size_t)(f->stack_base - f->stack_limit) >> 10;
  put(text, "Error: too deep a recursion: it needs more than ");
  put_number(text, kb < 1024 ? kb : kb >> 10, 10);
  put(text, kb < 1024 ? " KB" : " MB");
  put(text, " of stack, which VALK_STACK_SIZE sets (:stack-overflow)\n");
}

static void explain_bug(Text *text, int signal_number, const void *address) {
  put(text, "valk: internal error: signal ");
  put_number(text, (uint64_t)signal_number, 10);
  put(text, " at address 0x");
  put_number(text, (uintptr_t)address, 16);
  put(text, "\n");
}

/* fiber_fault.c, in programs with fibers: whether the fiber ends, and the thread goes on. */
bool vk_fiber_fault(vk *c, void *context) __attribute__((weak));

static void on_fault(int signal_number, siginfo_t *info, void *context) {
  vk *c = isolate;
  VkFiber *f = c ? c->fiber : NULL;
  uintptr_t pc = 0, sp = 0, address = (uintptr_t)info->si_addr;
  interrupted_at(context, &pc, &sp);
  bool is_overflow = f && info->si_code > 0 && info->si_code != SI_KERNEL &&
                     address < (uintptr_t)f->stack_limit &&
                     (uintptr_t)f->stack_limit - address <= f->guard_bytes;
  if (is_overflow && vk_fiber_fault && vk_fiber_fault(c, context)) return;
  /* A second fault, in here, must not come back. */
  signal(SIGSEGV, SIG_DFL);
  signal(SIGBUS, SIG_DFL);
  Text text = {.len = 0};
  if (is_overflow) {
    vk_out_flush_unlocked();
    explain_overflow(&text, f);
  } else {
    explain_bug(&text, signal_number, info->si_addr);
  }
  if (f) trace_stack(&text, c->program, pc, first_readable(f, sp), f->stack_base);
  text_flush(&text);
  if (is_overflow) _exit(1);
  raise(signal_number); /* delivered on return, with the default action */
}

void vk_fault_init(vk *c) {
  isolate = c;
  stack_t stack = {.ss_sp = handler_stack(), .ss_size = HANDLER_STACK_BYTES};
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigemptyset(&action.sa_mask);
  if (sigaltstack(&stack, NULL)) abort();
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
}

void vk_fault_end(void) {
  stack_t none = {.ss_flags = SS_DISABLE}, old;
  isolate = NULL;
  sigaltstack(&none, &old);
  munmap(old.ss_sp, HANDLER_STACK_BYTES);
}
