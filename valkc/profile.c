/* profile.c - `valkc explain --profile`: build, run, read the counts (contract: profile.h; rt/profile.h
 * has what the program writes). */
#include "profile.h"
#include "build.h"
#include "options.h"
#include "process.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void read_line(Profile *p, const char *line) {
  unsigned long long site, heap, scratch, count;
  if (sscanf(line, "%llu %llu %llu %llu", &site, &heap, &scratch, &count) != 4) return;
  if (site >= p->count) {
    size_t more = 2 * site + 64;
    p->sites = realloc(p->sites, more * sizeof *p->sites);
    if (!p->sites) abort();
    memset(p->sites + p->count, 0, (more - p->count) * sizeof *p->sites);
    p->count = more;
  }
  p->sites[site] = (ProfileSite){heap, scratch, count};
}

static int read_counts(const char *path, Profile *p) {
  FILE *in = fopen(path, "r");
  char line[128];
  if (!in) {
    fprintf(stderr, "valkc: the program ended without writing what it allocated\n");
    return EXIT_PROGRAM;
  }
  while (fgets(line, sizeof line, in)) read_line(p, line);
  fclose(in);
  return EXIT_OK;
}

static int run(const char *program, char **args, const char *counts) {
  char *old = args[0];
  setenv("VALK_PROFILE", counts, 1);
  args[0] = (char *)program;
  pid_t pid = process_start(args, -1, STDERR_FILENO, -1);
  args[0] = old;
  unsetenv("VALK_PROFILE");
  if (pid < 0) {
    fprintf(stderr, "valkc: cannot start %s: %s\n", program, strerror(errno));
    return EXIT_PROGRAM;
  }
  process_wait(pid);
  return EXIT_OK;
}

int profile_run(Compilation *c, char **args, Profile *profile) {
  interrupts_hold();
  char *dir = make_temporary_dir(), *program, *counts;
  if (asprintf(&program, "%s/program", dir) < 0 || asprintf(&counts, "%s/counts", dir) < 0) abort();
  *profile = (Profile){0};
  int status = build_executable(c, program);
  if (status == EXIT_OK) status = run(program, args, counts);
  if (status == EXIT_OK) status = read_counts(counts, profile);
  remove_tree(dir);
  interrupts_release();
  free(dir);
  free(program);
  free(counts);
  return status;
}
