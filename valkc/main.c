/* main.c - the command valkc: one function per command. */
#include "build.h"
#include "manifest.h"
#include "explain.h"
#include "passes.h"
#include "process.h"
#include "profile.h"
#include "reference.h"
#include "repl.h"
#include "run.h"
#include "run_eval.h"
#include "target.h"
#include "test.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALKC_VERSION "0.1.0"

/* Runs the passes up to `last` on the command's file; then finish, unless only dumps were wanted. */
static int compile(const Options *o, PassId last, int (*finish)(Compilation *)) {
  Compilation c;
  compilation_init(&c, o, o->args[0]);
  int status = passes_run(&c, last);
  if (status == EXIT_OK && !c.is_stopped && finish) status = finish(&c);
  compilation_free(&c);
  return status;
}

/* FILE without its directory and `.valk`: where `build` puts the executable. malloc. */
static char *default_output(const char *path) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  size_t n = strlen(name);
  if (n > 5 && !strcmp(name + n - 5, ".valk")) return strndup(name, n - 5);
  char *output;
  if (asprintf(&output, "%s.out", name) < 0) abort();
  return output;
}

static int write_text(Compilation *c, const char *path) {
  if (write_path(path, c->c_text, c->c_len)) return EXIT_OK;
  fprintf(stderr, "valkc: cannot write %s: %s\n", path, strerror(errno));
  return EXIT_PROGRAM;
}

static int keep_c(Compilation *c) {
  return c->options->keep_c ? write_text(c, arena_printf(&c->arena, "%s.c", c->output))
                            : EXIT_OK;
}

static int run_build(const Options *o) {
  char *output = o->output ? strdup(o->output) : default_output(o->args[0]);
  ManifestResult found = manifest_build(o, output);
  if (found != MANIFEST_STALE) {
    free(output);
    return found == MANIFEST_DONE ? EXIT_OK : EXIT_PROGRAM;
  }
  Compilation c;
  compilation_init(&c, o, o->args[0]);
  c.output = output;
  int status = passes_run(&c, PASS_build);
  if (status == EXIT_OK && !c.is_stopped) status = keep_c(&c);
  if (status == EXIT_OK && !c.is_stopped) manifest_keep(&c);
  compilation_free(&c);
  free(output);
  return status;
}

static int print_c_text(Compilation *c) {
  if (c->options->output) return write_text(c, c->options->output);
  fwrite(c->c_text, 1, c->c_len, stdout);
  return EXIT_OK;
}

static int print_calls(Compilation *c) {
  explain_calls(c->low, stdout);
  return EXIT_OK;
}

static void put_places(Compilation *c, const Profile *profile) {
  if (c->options->json) explain_places_json(c->low, stdout, profile);
  else explain_places(c->low, c->path, stdout, isatty(STDOUT_FILENO) && !getenv("NO_COLOR"), profile);
}

static int print_places(Compilation *c) {
  put_places(c, NULL);
  return EXIT_OK;
}

/* Without fuse each operation is a statement of its own, and so can be measured. */
static int run_profile(const Options *o) {
  Options unfused = *o;
  Compilation c;
  Profile profile;
  char *skip;
  if (asprintf(&skip, "%s%sfuse", o->skip ? o->skip : "", o->skip ? "," : "") < 0) abort();
  unfused.skip = skip;
  compilation_init(&c, &unfused, o->args[0]);
  c.program.is_profiled = true;
  int status = passes_run(&c, PASS_emit);
  if (status == EXIT_OK && !c.is_stopped && (status = profile_run(&c, o->args, &profile)) == EXIT_OK) {
    put_places(&c, &profile);
    free(profile.sites);
  }
  compilation_free(&c);
  free(skip);
  return status;
}

static int run_explain(const Options *o) {
  if (o->profile) return run_profile(o);
  return o->calls ? compile(o, PASS_represent, print_calls) : compile(o, PASS_place, print_places);
}

static int run_help(const Options *o) {
  Command command = COMMAND_NONE;
  if (o->reference) {
    reference_write(stdout);
    return EXIT_OK;
  }
  if (o->arg_count && !options_find_command(o->args[0], &command)) return EXIT_USAGE;
  options_help(command);
  return EXIT_OK;
}

/* A program for another machine is made, then started with an emulator. */
static int run_run(const Options *o) {
  Target target;
  if (!target_get(o, &target)) return EXIT_USAGE;
  if (target.is_native) return o->evaluate || o->expression ? run_evaluated(o) : run_program(o);
  fprintf(stderr,
          "valkc: not supported yet: `run` for another machine\n"
          "  build the program and start it there, or here with %s\n",
          target.machine->emulator);
  return EXIT_USAGE;
}

static int run_command(const Options *o) {
  switch (o->command) {
  case COMMAND_BUILD: return run_build(o);
  case COMMAND_RUN: return run_run(o);
  case COMMAND_CHECK: return compile(o, PASS_resolve, NULL);
  case COMMAND_EXPLAIN: return run_explain(o);
  case COMMAND_EMIT: return compile(o, PASS_emit, print_c_text);
  case COMMAND_REPL: return repl_run(o);
  case COMMAND_TEST: return test_run(o);
  case COMMAND_HELP: return run_help(o);
  case COMMAND_NONE: break;
  }
  options_help(COMMAND_NONE);
  return EXIT_USAGE;
}

static int run_options(const Options *o) {
  if (o->version)
    puts("valkc " VALKC_VERSION);
  else if (o->help)
    options_help(o->command);
  else if (o->list_passes)
    passes_list();
  else if (!passes_check_options(o))
    return EXIT_USAGE;
  else
    return run_command(o);
  return EXIT_OK;
}

static int run(int argc, char **argv) {
  Options options;
  signal(SIGCHLD, SIG_DFL); /* ignored, as it may be inherited, it would lose exit statuses */
  if (!options_parse(&options, argc, argv)) return EXIT_USAGE;
  int status = run_options(&options);
  if (fflush(stdout) == 0 && !ferror(stdout)) return status;
  fprintf(stderr, "valkc: cannot write to stdout: %s\n", strerror(errno));
  return status == EXIT_OK ? EXIT_PROGRAM : status;
}

/* The passes recurse over the program's nesting, which is as deep as its author likes (within
 * READ_DEPTH_MAX and lists of operands): they run on a stack that is reserved, not used. */
enum { STACK_BYTES = 1 << 30 };

typedef struct Run {
  int argc;
  char **argv;
  int status;
  sigset_t signals; /* blocked when we were started */
} Run;

static void *run_thread(void *to) {
  Run *r = to;
  pthread_sigmask(SIG_SETMASK, &r->signals, NULL);
  r->status = run(r->argc, r->argv);
  return NULL;
}

int main(int argc, char **argv) {
  Run r = {.argc = argc, .argv = argv, .status = EXIT_COMPILER};
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all;
  sigfillset(&all); /* signals are for the thread that works: here they would find their usual effect */
  pthread_sigmask(SIG_SETMASK, &all, &r.signals);
  pthread_attr_init(&attributes);
  bool is_large = pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0 &&
                  pthread_create(&thread, &attributes, run_thread, &r) == 0;
  if (!is_large) { /* no address space for it: shallow programs still compile */
    run_thread(&r);
    return r.status;
  }
  pthread_join(thread, NULL);
  return r.status;
}
