/* fiber_stop.c - ending a fiber that does not wait (contract: fiber_stop.h).
 *
 * SIGURG, which nothing else uses and which is ignored where nobody handles it. The signal
 * carries a number, not a pointer: it may come late. musl 1.2.3 refuses timers that signal one
 * thread: here are the kernel's calls. */
#include "fiber_stop.h"
#include "fault_code.h"
#include "fiber_impl.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { AGAIN_MS = 100, WATCH_BEGINS_MS = 1000 };
#define WHATEVER_RUNS ((uint64_t)0)

static bool is_on_stack(const VkFiber *f, const void *context) {
  const mcontext_t *m = &((const ucontext_t *)context)->uc_mcontext;
#if defined(__x86_64__)
  const char *sp = (const char *)m->gregs[REG_RSP];
#elif defined(__aarch64__)
  const char *sp = (const char *)m->sp;
#endif
  return sp >= f->stack_limit && sp < f->stack_base;
}

/* Whether the same work has run for as long as it may: counted in signals, of which there is
 * none as long as vk_stop_watch is called in time. */
static bool is_overdue(struct VkFibers *fs, const VkFiber *f) {
  VkWatch *w = &fs->watch;
  if (w->switches != fs->stats.switches || w->work != f->work) {
    w->switches = fs->stats.switches;
    w->work = f->work;
    w->count = 0;
  }
  return ++w->count > w->limit;
}

/* Between two fibers, and in the handler of a fault, it is not on the stack of c->fiber. */
static void on_signal(int number, siginfo_t *info, void *context) {
  vk *c = vk_fault_isolate();
  VkFiber *f = c ? c->fiber : NULL;
  uint64_t work = (uintptr_t)info->si_value.sival_ptr;
  int saved = errno;
  (void)number;
  if (info->si_code != SI_TIMER || !f || !f->task.entry) return;
  if (work == WHATEVER_RUNS ? !is_overdue(c->fibers, f) : work != f->work) return;
  if (is_on_stack(f, context)) vk_fiber_condemn(c, context);
  errno = saved;
}

static void install(void) {
  struct sigaction action = {.sa_sigaction = on_signal,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGURG, &action, NULL);
}

/* struct sigevent as the kernel has it */
typedef struct KernelEvent {
  uint64_t value;
  int signal, notify, thread, unused[11];
} KernelEvent;
_Static_assert(sizeof(KernelEvent) == 64, "as the kernel has it");
enum { KERNEL_THREAD_ID = 4 };

static bool make(VkStop *s, clockid_t clock, pid_t thread, uint64_t work) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  if (s->is_made) return true;
  pthread_once(&once, install);
  KernelEvent event = {
      .value = work, .signal = SIGURG, .notify = KERNEL_THREAD_ID, .thread = thread};
  s->is_made = syscall(SYS_timer_create, clock, &event, &s->timer) == 0;
  return s->is_made;
}

static struct timespec milliseconds(unsigned ms) {
  return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
}

static void set(VkStop *s, unsigned after_ms) {
  struct itimerspec times = {.it_value = milliseconds(after_ms),
                             .it_interval = milliseconds(after_ms ? AGAIN_MS : 0)};
  syscall(SYS_timer_settime, s->timer, 0, &times, NULL);
}

pid_t vk_stop_thread(void) { return (pid_t)syscall(SYS_gettid); }

void vk_stop_begin(VkStop *s, pid_t thread, uint64_t work, unsigned after_ms) {
  if (make(s, CLOCK_MONOTONIC, thread, work)) set(s, after_ms);
}

void vk_stop_end(VkStop *s) {
  if (s->is_made) syscall(SYS_timer_delete, s->timer);
  s->is_made = false;
}

void vk_stop_watch(vk *c, unsigned cpu_ms) {
  VkWatch *w = &c->fibers->watch;
  w->limit = (cpu_ms + AGAIN_MS - 1) / AGAIN_MS;
  w->count = 0;
  if (make(&w->stop, CLOCK_THREAD_CPUTIME_ID, vk_stop_thread(), WHATEVER_RUNS))
    set(&w->stop, cpu_ms ? WATCH_BEGINS_MS : 0);
}
