/* process.c - run other programs; files in memory and on disk. */
#include "process.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* ---- files -------------------------------------------------------------------------------- */

static bool write_all(int fd, const char *bytes, size_t len) {
  while (len > 0) {
    ssize_t n = write(fd, bytes, len);
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) bytes += n, len -= (size_t)n;
  }
  return true;
}

int memory_file(const void *bytes, size_t len) {
  int fd = memfd_create("valkc", MFD_CLOEXEC);
  if (fd < 0) return -1;
  if (write_all(fd, bytes, len) && lseek(fd, 0, SEEK_SET) == 0) return fd;
  close(fd);
  return -1;
}

Text read_fd(int fd) {
  Text t = {malloc(4096), 0};
  size_t capacity = 4096;
  lseek(fd, 0, SEEK_SET);
  while (t.bytes) {
    if (capacity - t.len < 2048) t.bytes = realloc(t.bytes, capacity *= 2);
    ssize_t n = t.bytes ? read(fd, t.bytes + t.len, capacity - t.len - 1) : -1;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      free(t.bytes);
      return (Text){NULL, 0};
    }
    if (n == 0) break;
    t.len += (size_t)n;
  }
  if (t.bytes) t.bytes[t.len] = 0;
  return t;
}

Text read_path(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return (Text){NULL, 0};
  Text t = read_fd(fd);
  close(fd);
  return t;
}

bool is_special_file(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

/* Devices and pipes are written to as they are: a rename would replace /dev/null. */
static bool write_special(const char *path, const void *bytes, size_t len) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool is_written = write_all(fd, bytes, len);
  return close(fd) == 0 && is_written;
}

bool write_path(const char *path, const void *bytes, size_t len) {
  char temporary[PATH_MAX];
  if (is_special_file(path)) return write_special(path, bytes, len);
  if (snprintf(temporary, sizeof temporary, "%s.%d.tmp", path, (int)getpid()) >= PATH_MAX) {
    errno = ENAMETOOLONG;
    return false;
  }
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return false;
  bool is_written = write_all(fd, bytes, len);
  if (close(fd) == 0 && is_written && rename(temporary, path) == 0) return true;
  unlink(temporary);
  return false;
}

/* In the kernel, or by way of us where the file systems cannot. */
static bool copy_fd(int from, int to) {
  ssize_t n;
  while ((n = copy_file_range(from, NULL, to, NULL, 1 << 30, 0)) > 0) {
  }
  if (n == 0) return true;
  Text all = read_fd(from);
  bool is_ok = all.bytes && ftruncate(to, 0) == 0 && lseek(to, 0, SEEK_SET) == 0 &&
               write_all(to, all.bytes, all.len);
  free(all.bytes);
  return is_ok;
}

bool copy_executable(const char *from, const char *to) {
  char temporary[PATH_MAX];
  if (snprintf(temporary, sizeof temporary, "%s.%d.tmp", to, (int)getpid()) >= PATH_MAX)
    return false;
  int in = open(from, O_RDONLY | O_CLOEXEC);
  int out = in < 0 ? -1 : open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0777);
  bool is_ok = out >= 0 && copy_fd(in, out);
  if (in >= 0) close(in);
  if (out >= 0) is_ok = close(out) == 0 && is_ok;
  if (is_ok && rename(temporary, to) == 0) return true;
  if (out >= 0) unlink(temporary);
  return false;
}

char *make_temporary_dir(void) {
  const char *base = getenv("TMPDIR");
  char *path;
  if (asprintf(&path, "%s/valkc-XXXXXX", base && *base ? base : "/tmp") < 0) abort();
  if (mkdtemp(path)) return path;
  fprintf(stderr, "valkc: cannot make a temporary directory %s: %s\n", path, strerror(errno));
  exit(1);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *at) {
  (void)info, (void)kind, (void)at;
  return remove(path);
}

void remove_tree(const char *path) { nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS); }

/* ---- processes ---------------------------------------------------------------------------- */

/* What asks this process to end, while it is held back. */
static struct {
  unsigned holds;
  int came;                 /* one that was taken while waiting for a child; 0: none */
  sigset_t ends, waited_for; /* the latter with SIGCHLD */
  sigset_t before;          /* the mask at the first hold: that of children */
} interrupts;

/* Those that are ignored, as by nohup, stay so: blocked, they would come. */
static void hold_first(void) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  sigemptyset(&interrupts.ends);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    struct sigaction action;
    if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
      sigaddset(&interrupts.ends, numbers[i]);
  }
  interrupts.waited_for = interrupts.ends;
  sigaddset(&interrupts.waited_for, SIGCHLD);
  sigprocmask(SIG_BLOCK, &interrupts.waited_for, &interrupts.before);
}

void interrupts_hold(void) {
  if (interrupts.holds++ == 0) hold_first();
}

void interrupts_release(void) {
  if (--interrupts.holds > 0) return;
  if (interrupts.came) raise(interrupts.came);
  interrupts.came = 0;
  sigprocmask(SIG_SETMASK, &interrupts.before, NULL);
}

bool interrupts_came(void) {
  sigset_t pending, ends;
  if (!interrupts.holds || interrupts.came) return interrupts.came;
  return sigpending(&pending) == 0 && sigandset(&ends, &pending, &interrupts.ends) == 0 &&
         !sigisemptyset(&ends);
}

static void pass_on(const pid_t *pids, size_t count) {
  for (size_t i = 0; interrupts.came && i < count; i++)
    if (pids[i] > 0) kill(pids[i], interrupts.came);
}

/* Until a child ends; a signal that comes first is theirs, too, and that of children started after it. */
static void wait_held(const pid_t *pids, size_t count) {
  pass_on(pids, count);
  int number = sigwaitinfo(&interrupts.waited_for, NULL);
  if (number < 0 || number == SIGCHLD) return;
  interrupts.came = number;
  pass_on(pids, count);
}

pid_t process_start(char *const *argv, int in, int out, int err) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  pid_t pid;
  posix_spawnattr_init(&attributes);
  if (interrupts.holds) {
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &interrupts.before);
  }
  posix_spawn_file_actions_init(&actions);
  if (in >= 0) posix_spawn_file_actions_adddup2(&actions, in, 0);
  if (out >= 0) posix_spawn_file_actions_adddup2(&actions, out, 1);
  if (err >= 0) posix_spawn_file_actions_adddup2(&actions, err, 2);
  int code = posix_spawnp(&pid, argv[0], &actions, &attributes, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (code == 0) return pid;
  errno = code;
  return -1;
}

/* waitpid for `which`, one of these or any; negative: there is none. */
static pid_t wait_for(pid_t which, const pid_t *pids, size_t count, int *status) {
  for (;;) {
    pid_t ended = waitpid(which, status, interrupts.holds ? WNOHANG : 0);
    if (ended > 0 || (ended < 0 && errno != EINTR)) return ended;
    if (ended == 0) wait_held(pids, count);
  }
}

int process_wait(pid_t pid) {
  int status;
  return wait_for(pid, &pid, 1, &status) < 0 ? -1 : status;
}

size_t process_wait_any(const pid_t *pids, size_t count, int *status) {
  for (size_t i = 0; i < count; i++)
    if (pids[i] < 0) return *status = -1, i;
  for (;;) {
    pid_t ended = wait_for(-1, pids, count, status);
    if (ended < 0) abort(); /* none of ours is left: count was 0 */
    for (size_t i = 0; i < count; i++)
      if (pids[i] == ended) return i;
  }
}

static bool is_program(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

char *find_program(const char *name) {
  if (strchr(name, '/')) return is_program(name) ? strdup(name) : NULL;
  const char *path = getenv("PATH");
  for (const char *p = path ? path : "/usr/bin:/bin"; *p;) {
    size_t n = strcspn(p, ":");
    char *full;
    if (asprintf(&full, "%.*s/%s", (int)n, n ? p : ".", name) < 0) abort();
    if (is_program(full)) return full;
    free(full);
    p += n + (p[n] == ':');
  }
  return NULL;
}

double now_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}
