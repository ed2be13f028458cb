/* repl_signal.c - control-C and its relatives (contract: repl_signal.h).
 *
 * Handlers set flags. Signals to the process may arrive at any thread that it has, but the flags
 * are looked at where a system call of the session's thread is interrupted: others pass them on. */
#include "repl_signal.h"
#include "../rt/eval.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* A primitive that takes long does not look whether it is to stop: then control-C so often ends it
 * all. */
enum { INTERRUPTS_MAX = 3, STATUS_INTERRUPTED = 130 };

static struct {
  pthread_t thread;
  vk *isolate;
  volatile sig_atomic_t is_running; /* interrupts stop the program */
  volatile sig_atomic_t interrupts; /* since it runs, or since they were taken */
  volatile sig_atomic_t is_resized, waiting;
  struct sigaction terminate, hang_up, suspend; /* what they were before editing */
} state;

static void say(const char *text) {
  if (write(STDERR_FILENO, text, strlen(text)) < 0) return; /* nobody listens */
}

static void on_interrupt(void) {
  state.interrupts++;
  if (!state.is_running) return;
  eval_stop_now(state.isolate);
  if (state.interrupts == INTERRUPTS_MAX - 1)
    say("\nvalkc: a primitive is still at work; control-C once more ends the session\n");
  if (state.interrupts < INTERRUPTS_MAX) return;
  say("\n");
  _exit(STATUS_INTERRUPTED);
}

static void on_signal(int number) {
  int error = errno;
  if (!pthread_equal(pthread_self(), state.thread))
    pthread_kill(state.thread, number);
  else if (number == SIGINT)
    on_interrupt();
  else if (number == SIGWINCH)
    state.is_resized = 1;
  else
    state.waiting = number;
  errno = error;
}

/* Without SA_RESTART: reading a line must end. */
static void handle(int number, struct sigaction *before) {
  struct sigaction action = {.sa_handler = on_signal};
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, before);
}

void signals_init(vk *c) {
  state.thread = pthread_self();
  state.isolate = c;
  handle(SIGINT, NULL);
  handle(SIGWINCH, NULL);
}

void signals_evaluation_begin(void) {
  state.interrupts = 0;
  state.is_running = 1;
}

void signals_evaluation_end(void) {
  state.is_running = 0;
  state.interrupts = 0;
}

void signals_serving_begin(void) { state.is_running = 1; }
void signals_serving_end(void) { state.is_running = 0; }

bool signals_came(void) { return state.interrupts || state.is_resized || state.waiting; }

void signals_editing_begin(void) {
  handle(SIGTERM, &state.terminate);
  handle(SIGHUP, &state.hang_up);
  handle(SIGTSTP, &state.suspend);
}

void signals_editing_end(void) {
  sigaction(SIGTERM, &state.terminate, NULL);
  sigaction(SIGHUP, &state.hang_up, NULL);
  sigaction(SIGTSTP, &state.suspend, NULL);
}

bool signals_take_interrupt(void) {
  bool came = state.interrupts > 0;
  state.interrupts = 0;
  return came;
}

bool signals_take_resize(void) {
  bool came = state.is_resized;
  state.is_resized = 0;
  return came;
}

int signals_waiting(void) { return state.waiting; }

void signals_act(void) {
  int number = state.waiting;
  state.waiting = 0;
  signals_editing_end();
  kill(getpid(), number);
  signals_editing_begin();
}
