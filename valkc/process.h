/* process.h - run other programs; files in memory and on disk. */
#ifndef VALKC_PROCESS_H
#define VALKC_PROCESS_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Text in memory, malloc; bytes has a NUL after len. */
typedef struct Text {
  char *bytes;
  size_t len;
} Text;

/* A file that exists only in memory: -1 with errno set if there is none to be had. */
int memory_file(const void *bytes, size_t len);
/* All of fd from its start, or of the file; bytes NULL with errno set if it cannot be read. */
Text read_fd(int fd);
Text read_path(const char *path);
/* True if path is there and is a device, a pipe, a directory: nothing to rename over. */
bool is_special_file(const char *path);
/* Writes path as a whole: to a temporary file beside it, then renamed. False: errno. */
bool write_path(const char *path, const void *bytes, size_t len);
/* A copy of the file that may be executed; to appears complete, by rename. False: errno. */
bool copy_executable(const char *from, const char *to);
/* A new empty directory under $TMPDIR or /tmp; malloc. Ends the process if impossible. */
char *make_temporary_dir(void);
void remove_tree(const char *path);

/* Between these, which nest, what would end this process (SIGINT, SIGTERM, SIGHUP) goes to those that it
 * waits for, and comes to itself only at the last release: temporary files can be removed before. */
void interrupts_hold(void);
void interrupts_release(void);
bool interrupts_came(void); /* it will end there */

/* Starts argv[0] (looked up in PATH) with these descriptors as 0, 1 and 2; -1 leaves the
 * parent's. Gives the process id or -1 with errno. */
pid_t process_start(char *const *argv, int in, int out, int err);
/* Waits for it; the status as waitpid gives it. */
int process_wait(pid_t pid);
/* Waits for the first of these to end, whose index it gives; 0: none, -1: never started. One is there. */
size_t process_wait_any(const pid_t *pids, size_t count, int *status);
/* The file `name` would run, by PATH; malloc, or NULL. */
char *find_program(const char *name);
/* Seconds on the monotonic clock. */
double now_seconds(void);
#endif
