/* command_line.c - the command line of servers (contract: command_line.h). */
#include "command_line.h"
#include "process.h"
#include "workers.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

NetCommandLine net_command_line = {0, -1};

int net_strategy_named(const char *name) {
  static const char *const names[] = {"auto", "reuseport", "shared"};
  for (int i = 0; i < 3; i++)
    if (!strcmp(names[i], name)) return i;
  return -1;
}

static _Noreturn void bad_option(const char *option, const char *value, const char *expected) {
  fprintf(stderr, "%s %s: expected %s\n", option, value ? value : "", expected);
  exit(2);
}

static void take_workers(const char *value) {
  char *end = NULL;
  long n = value ? strtol(value, &end, 10) : 0;
  if (!value || *end || n < 1 || n > NET_WORKERS_MAX)
    bad_option("--workers", value, "a number from 1 to 256");
  net_command_line.workers = (unsigned)n;
}

static void take_strategy(const char *value) {
  net_command_line.strategy = value ? net_strategy_named(value) : -1;
  if (net_command_line.strategy < 0)
    bad_option("--strategy", value, "reuseport, shared or auto");
}

/* --NAME VALUE or --NAME=VALUE at argv[*i]: *i is then at its last word. */
static bool take(const char *name, char **argv, int *i, void (*take_value)(const char *value)) {
  size_t n = strlen(name);
  if (strncmp(argv[*i], name, n) != 0) return false;
  if (argv[*i][n] == '=') {
    take_value(argv[*i] + n + 1);
    return true;
  }
  if (argv[*i][n]) return false;
  ++*i;
  take_value(argv[*i]);
  return true;
}

/* Words behind -- are the program's own. */
int vk_server_options(int argc, char **argv) {
  int kept = 1, i = 1;
  for (; i < argc && strcmp(argv[i], "--") != 0; i++)
    if (!take("--workers", argv, &i, take_workers) &&
        !take("--strategy", argv, &i, take_strategy))
      argv[kept++] = argv[i];
  for (; i < argc; i++) argv[kept++] = argv[i];
  argv[kept] = NULL;
  return kept;
}
