/* spawn ROUNDS COMMAND [-- COMMAND]...: start the commands in turn, ROUNDS times each, with stdout
 * to /dev/null, and print per command the median and the least of the microseconds from
 * posix_spawn to the end, and "ok" or the first status that is not 0. Interleaved, so that what
 * else the machine does touches all commands alike. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;
enum { COMMANDS_MAX = 64 };

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static double run_once(char **argv, int *status) {
  posix_spawn_file_actions_t actions;
  pid_t pid;
  int result;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  double start = now_us();
  if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ))
    result = 127 << 8;
  else
    waitpid(pid, &result, 0);
  double time = now_us() - start;
  posix_spawn_file_actions_destroy(&actions);
  if (result && !*status) *status = result;
  return time;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  char **commands[COMMANDS_MAX];
  int status[COMMANDS_MAX] = {0}, count = 0, rounds = argc > 2 ? atoi(argv[1]) : 0;
  if (rounds < 1) return 2;
  commands[count++] = argv + 2;
  for (int i = 2; i < argc; i++) {
    if (strcmp(argv[i], "--") != 0) continue;
    argv[i] = NULL;
    if (count == COMMANDS_MAX) return 2;
    commands[count++] = argv + i + 1;
  }
  double *times = malloc((size_t)count * (size_t)rounds * sizeof *times);
  if (!times) return 1;
  for (int round = -1; round < rounds; round++) /* the first is for the page cache */
    for (int k = 0; k < count; k++) {
      double time = run_once(commands[k], &status[k]);
      if (round >= 0) times[k * rounds + round] = time;
    }
  for (int k = 0; k < count; k++) {
    double *t = times + k * rounds;
    qsort(t, (size_t)rounds, sizeof *t, by_size);
    printf("%.0f %.0f %s", t[rounds / 2], t[0], status[k] ? "failed" : "ok");
    for (char **w = commands[k]; *w; w++) printf(" %s", *w);
    putchar('\n');
  }
  free(times);
  return 0;
}
