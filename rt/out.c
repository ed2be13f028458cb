/* out.c - the program's standard output: see out.h.
 *
 * One for the process, because there is one stdout: isolates on other threads share it, so a
 * lock guards it, and one call's bytes stay together. Not stdio: its errors are easily lost. */
#include "out.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUT_BUFFER_BYTES = 1 << 16 };

static struct {
  pthread_once_t once;
  pthread_mutex_t lock; /* recursive: what fails while it is held may flush, too */
  size_t used;
  bool is_terminal;
  char last; /* byte printed; 0: none */
} out = {.once = PTHREAD_ONCE_INIT};

static _Thread_local struct { /* of the isolate, which is the thread's */
  bool is_capturing;
  VkBuf captured;
} capture;

/* Common, as vk_fault_stack is: behind what every program touches. */
char vk_out_buffer[OUT_BUFFER_BYTES] __attribute__((common));

/* Whatever is buffered is lost, and so must be the rest: exit handlers would try again. */
static void write_failed(int code) {
  VkBuf message = {0};
  vk_buf_putf(&message, "error: cannot write to standard output: %s\n", strerror(code));
  if (write(STDERR_FILENO, message.data, message.len) < 0) _exit(1);
  _exit(1);
}

static void wait_until_writable(void) {
  struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
  poll(&p, 1, -1);
}

static void write_all(const char *bytes, size_t len) {
  while (len > 0) {
    ssize_t n = write(STDOUT_FILENO, bytes, len);
    if (n >= 0)
      bytes += n, len -= (size_t)n;
    else if (errno == EAGAIN || errno == EWOULDBLOCK)
      wait_until_writable();
    else if (errno != EINTR)
      write_failed(errno);
  }
}

/* A closed pipe must arrive as EPIPE, to be explained, not as a signal that kills silently. */
static void out_init(void) {
  pthread_mutexattr_t recursive;
  pthread_mutexattr_init(&recursive);
  pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init(&out.lock, &recursive);
  out.is_terminal = isatty(STDOUT_FILENO);
  signal(SIGPIPE, SIG_IGN);
  atexit(vk_out_flush);
}

static void out_lock(void) {
  pthread_once(&out.once, out_init);
  pthread_mutex_lock(&out.lock);
}

static void flush_locked(void) {
  size_t used = out.used;
  out.used = 0; /* first: write_all may end the program */
  write_all(vk_out_buffer, used);
}

void vk_out(const char *bytes, size_t len) {
  if (len == 0) return;
  if (capture.is_capturing) {
    vk_buf_put(&capture.captured, bytes, len);
    return;
  }
  out_lock();
  out.last = bytes[len - 1];
  if (len > OUT_BUFFER_BYTES - out.used) flush_locked();
  if (len > OUT_BUFFER_BYTES) {
    write_all(bytes, len);
  } else {
    memcpy(vk_out_buffer + out.used, bytes, len);
    out.used += len;
  }
  if (out.is_terminal && memchr(bytes, '\n', len)) flush_locked();
  pthread_mutex_unlock(&out.lock);
}

void vk_out_flush(void) {
  out_lock();
  flush_locked();
  pthread_mutex_unlock(&out.lock);
}

bool vk_out_ends_line(void) {
  out_lock();
  bool ends = !out.last || out.last == '\n';
  pthread_mutex_unlock(&out.lock);
  return ends;
}

void vk_out_flush_unlocked(void) { flush_locked(); }

bool vk_out_capture_start(void) {
  bool started = !capture.is_capturing;
  capture.is_capturing = true;
  return started;
}

bool vk_out_capture_stop(VkBuf *to) {
  bool stopped = capture.is_capturing;
  capture.is_capturing = false;
  if (stopped) vk_buf_put(to, capture.captured.data, capture.captured.len);
  vk_buf_free(&capture.captured);
  return stopped;
}
