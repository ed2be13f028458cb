/* test.c - `valkc test`: compile and run golden tests, several at once, in several modes.
 *
 * Each test in each mode is a job: a child of ours compiles it (front end and C compiler), then
 * its executable runs as another child with its output in files; we wait for whichever child
 * ends, judge it, and start the next. A test that must not compile is one job, in the first mode. */
#include "test.h"
#include "passes.h"
#include "target.h"
#include "testfile.h"
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  MODES_MAX = 64,
  JOBS_MAX = 256,
  COMPILE_SECONDS_MAX = 120,
  OUTPUT_BYTES_MAX = 64 << 20,
  SLOWEST_SHOWN = 3,
};

typedef struct Mode {
  const char *name, *options, *env;
  unsigned time_factor;
  const char *doc;
  bool in_process; /* `valkc run` compiles it once more, where it runs */
  bool is_partial; /* something is left out: dumps differ */
  unsigned turn, turns; /* turns > 0: of as many tests in a row only the one numbered turn */
} Mode;
static const Mode mode_rows[] = {
#define MODE(name, options, env, time_factor, doc)                                             \
  {#name, options, env, time_factor, doc, false, false, 0, 0},
#define RUN_MODE(name, options, env, time_factor, doc)                                         \
  {#name, options, env, time_factor, doc, true, false, 0, 0},
#include "modes.def"
};
enum { MODE_COUNT = sizeof mode_rows / sizeof *mode_rows };

typedef enum Outcome { PASSED, FAILED, SKIPPED } Outcome;
typedef struct Result {
  const TestFile *test;
  const Mode *mode;
  Outcome outcome;
  const char *report; /* FAILED: the differences; SKIPPED: the reason */
  double compile_seconds, run_seconds;
} Result;

typedef struct Job {
  const TestFile *test;
  const Mode *mode;
  enum { IDLE, COMPILING, RUNNING } state;
  pid_t pid;
  bool is_killed; /* by us, for its time was up */
  double start, deadline, compile_seconds;
  char *dir; /* for this job alone: program, messages, out, err */
} Job;

typedef struct Runner {
  Arena arena;
  const Options *options;
  const Mode *modes[MODES_MAX];
  unsigned mode_count;
  VEC(TestFile *) tests;
  size_t next; /* test * mode_count + mode: the next job */
  Job jobs[JOBS_MAX];
  unsigned job_count;
  VEC(Result) results;
  size_t counts[3]; /* by Outcome */
  size_t promoted;
  bool is_terminal;
  sigset_t signals, parent_mask;
  char *dir;
  int interrupted; /* the signal, or 0 */
} Runner;

/* ---- what to run -------------------------------------------------------------------------- */

static bool add_mode(Runner *r, const Mode *mode) {
  if (r->mode_count == MODES_MAX) return false;
  r->modes[r->mode_count++] = mode;
  return true;
}

/* As `run`, but one optimisation left out. */
static bool add_skip_mode(Runner *r, const char *pass, unsigned turn, unsigned turns) {
  Mode *mode = ARENA_NEW(&r->arena, Mode);
  *mode = (Mode){.name = arena_printf(&r->arena, "skip-%s", pass),
                 .options = arena_printf(&r->arena, "--skip=%s", pass),
                 .env = "", .time_factor = 4, .in_process = true, .is_partial = true, .turn = turn, .turns = turns};
  return add_mode(r, mode);
}

/* skip-PASS; skip-each: all of them; skip: they take turns, each test is run without one. */
static bool add_skip_modes(Runner *r, const char *name) {
  unsigned count = 0, added = 0;
  bool by_turns = !strcmp(name, "skip"), each = !strcmp(name, "skip-each");
  if (strncmp(name, "skip", 4) != 0) return false;
  while (passes_optional(count)) count++;
  for (unsigned i = 0; i < count; i++) {
    const char *pass = passes_optional(i);
    bool is_named = !strncmp(name, "skip-", 5) && !strcmp(name + 5, pass);
    if (by_turns || each || is_named) added += add_skip_mode(r, pass, i, by_turns ? count : 0);
  }
  return added > 0;
}

static bool add_named_mode(Runner *r, const char *name) {
  for (size_t i = 0; i < MODE_COUNT; i++)
    if (!strcmp(mode_rows[i].name, name)) return add_mode(r, &mode_rows[i]);
  return add_skip_modes(r, name);
}

static bool choose_modes(Runner *r, const char *list) {
  for (const char *p = list; *p; p += strspn(p, ",")) {
    const char *name = arena_copy(&r->arena, p, strcspn(p, ","));
    if (!add_named_mode(r, name)) {
      fprintf(stderr, "valkc: there is no mode `%s`; the modes are:\n", name);
      for (size_t i = 0; i < MODE_COUNT; i++)
        fprintf(stderr, "  %-8s %s\n", mode_rows[i].name, mode_rows[i].doc);
      fputs("  skip-PASS  as run, without an optional pass; skip-each: all such modes; skip: a different one "
            "for each test\n", stderr);
      return false;
    }
    p += strlen(name);
  }
  return true;
}

static bool ends_with(const char *s, const char *end) {
  size_t n = strlen(s), k = strlen(end);
  return n >= k && !strcmp(s + n - k, end);
}

static bool add_test(Runner *r, const char *path) {
  if (r->options->filter && !strstr(path, r->options->filter)) return true;
  TestFile *t = ARENA_NEW(&r->arena, TestFile);
  if (!testfile_load(&r->arena, t, arena_copy(&r->arena, path, strlen(path)))) {
    fprintf(stderr, "valkc: cannot read %s: %s\n", path, strerror(errno));
    return false;
  }
  PUSH(&r->arena, r->tests, t);
  return true;
}

static int by_name(const FTSENT **a, const FTSENT **b) {
  return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Every .valk file under path, in order of names; `lib` and hidden directories are left out. */
static bool find_tests(Runner *r, char *path) {
  char *paths[] = {path, NULL};
  FTS *walk = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
  bool is_ok = walk != NULL;
  for (FTSENT *e; is_ok && (e = fts_read(walk));) {
    bool is_part = e->fts_level > 0 && (*e->fts_name == '.' || !strcmp(e->fts_name, "lib"));
    if (e->fts_info == FTS_D && is_part)
      fts_set(walk, e, FTS_SKIP);
    else if (e->fts_info == FTS_F && ends_with(e->fts_path, ".valk"))
      is_ok = add_test(r, e->fts_path);
    else if (e->fts_info == FTS_NS || e->fts_info == FTS_DNR || e->fts_info == FTS_ERR) {
      fprintf(stderr, "valkc: cannot read %s: %s\n", e->fts_path, strerror(e->fts_errno));
      is_ok = false;
    }
  }
  if (walk) fts_close(walk);
  return is_ok;
}

static bool find_all_tests(Runner *r) {
  char *here = access("tests/golden", R_OK) == 0 ? "tests/golden" : ".";
  if (r->options->arg_count == 0) return find_tests(r, here);
  for (size_t i = 0; i < r->options->arg_count; i++)
    if (!find_tests(r, r->options->args[i])) return false;
  return true;
}

/* ---- the children ------------------------------------------------------------------------- */

static char *job_path(Runner *r, const Job *job, const char *name) {
  return arena_printf(&r->arena, "%s/%s", job->dir, name);
}

static void redirect(const char *path, int flags, int fd) {
  int opened = open(path, flags | O_CLOEXEC, 0600);
  if (opened < 0 || dup2(opened, fd) < 0) _exit(EXIT_COMPILER);
  close(opened);
}

/* What both children do first: signals as our parent had them, the test's directory, output. */
static void child_setup(Runner *r, const Job *job, const char *input, const char *out,
                        const char *err) {
  struct rlimit no_core = {0, 0};
  sigprocmask(SIG_SETMASK, &r->parent_mask, NULL);
  setrlimit(RLIMIT_CORE, &no_core);
  redirect(input, O_RDONLY, 0);
  redirect(job_path(r, job, out), O_WRONLY | O_CREAT | O_TRUNC, 1);
  redirect(job_path(r, job, err), O_WRONLY | O_CREAT | O_TRUNC, 2);
  if (chdir(job->test->dir) != 0) _exit(EXIT_COMPILER);
}

/* What the mode and the test ask for. */
static bool job_options(const Job *job, Options *o) {
  *o = (Options){.optimise = OPTIMISE_DEFAULT, .no_cache = true};
  o->command = job->mode->in_process && !job->test->dump_passes ? COMMAND_RUN : COMMAND_BUILD;
  bool is_ok = options_parse_more(o, strdup(job->mode->options));
  if (is_ok && job->test->build_options)
    is_ok = options_parse_more(o, strdup(job->test->build_options));
  o->dump = job->test->dump_passes;
  return is_ok && passes_check_options(o);
}

static _Noreturn void child_compile(Runner *r, const Job *job) {
  Options o;
  Compilation c;
  char *output = job_path(r, job, "program");
  child_setup(r, job, "/dev/null", "messages", "messages");
  dup2(1, 2);
  setenv("VALKC_CHECK", "1", 1);
  if (!job_options(job, &o)) exit(EXIT_USAGE);
  compilation_init(&c, &o, job->test->name);
  c.output = output;
  bool only_front = job->mode->in_process || testfile_fails_to_compile(job->test);
  exit(passes_run(&c, only_front ? PASS_emit : PASS_build));
}

static void set_environment(const char *settings) {
  char *text = strdup(settings); /* putenv keeps it */
  for (char *w = strtok(text, " "); w; w = strtok(NULL, " ")) putenv(w);
}

enum { RUN_WORDS_MAX = 32 };

typedef VEC(char *) Words;

static void add_words(Runner *r, Words *words, const char *text) {
  char *copy = arena_copy(&r->arena, text, strlen(text));
  for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
    if (strncmp(w, "--target", 8) != 0) PUSH(&r->arena, *words, w); /* that is the emulator's */
}

/* The program to execute, or the compiler for it, and the words it is started with; for another
 * machine than this, an emulator that runs it. NULL-terminated. */
static char *command_line(Runner *r, const Job *job, Words *words) {
  const TestFile *t = job->test;
  Options o;
  Target target;
  char *program = job_path(r, job, "program"), *emulator = NULL;
  if (!job_options(job, &o) || !target_get(&o, &target)) _exit(EXIT_COMPILER);
  if (job->mode->in_process)
    program = target.is_native
                  ? "/proc/self/exe"
                  : arena_printf(&r->arena, "%s/valkc", target_archive_dir(&o, target));
  const char *name = job->mode->in_process ? "valkc" : t->name;
  if (!target.is_native) {
    emulator = find_program(target.machine->emulator);
    add_words(r, words, target.machine->emulator);
    add_words(r, words, "-0");
    add_words(r, words, name);
    PUSH(&r->arena, *words, program);
  } else
    PUSH(&r->arena, *words, (char *)name);
  if (job->mode->in_process) {
    add_words(r, words, "run");
    add_words(r, words, job->mode->options);
    if (t->build_options) add_words(r, words, t->build_options);
    PUSH(&r->arena, *words, (char *)t->name);
  }
  for (size_t i = 0; i < t->args.count; i++) PUSH(&r->arena, *words, (char *)t->args.items[i]);
  PUSH(&r->arena, *words, NULL);
  return target.is_native ? program : emulator ? emulator : "";
}

static _Noreturn void child_run(Runner *r, const Job *job) {
  const TestFile *t = job->test;
  struct rlimit output = {OUTPUT_BYTES_MAX, OUTPUT_BYTES_MAX};
  Words words = {0};
  char *program = command_line(r, job, &words), *input = "/dev/null";
  if (t->in.bytes) {
    input = job_path(r, job, "in");
    if (!write_path(input, t->in.bytes, t->in.len)) _exit(EXIT_COMPILER);
  }
  set_environment(job->mode->env);
  for (size_t i = 0; i < t->env.count; i++) putenv((char *)t->env.items[i]);
  setenv("TMPDIR", job->dir, 1);
  child_setup(r, job, input, "out", "err");
  setrlimit(RLIMIT_FSIZE, &output);
  execv(program, words.items);
  fprintf(stderr, "valkc: cannot start %s: %s\n", *program ? program : words.items[0],
          strerror(errno));
  _exit(EXIT_COMPILER);
}

static void start_child(Runner *r, Job *job, void (*child)(Runner *, const Job *),
                        double seconds) {
  fflush(NULL);
  job->start = now_seconds();
  job->deadline = job->start + seconds;
  job->is_killed = false;
  job->pid = fork();
  if (job->pid == 0) child(r, job);
  if (job->pid > 0) return;
  fprintf(stderr, "valkc: cannot start a process: %s\n", strerror(errno));
  exit(EXIT_PROGRAM);
}

/* ---- results ------------------------------------------------------------------------------ */

static void print_json_text(const char *s) {
  putchar('"');
  for (; *s; s++) {
    if (*s == '"' || *s == '\\')
      printf("\\%c", *s);
    else if ((unsigned char)*s < 0x20)
      printf("\\u%04x", (unsigned char)*s);
    else
      putchar(*s);
  }
  putchar('"');
}

static void print_json(const Result *result) {
  static const char *const words[] = {"passed", "failed", "skipped"};
  printf("{\"test\":");
  print_json_text(result->test->path);
  printf(",\"mode\":\"%s\",\"outcome\":\"%s\",\"compile_ms\":%.1f,\"run_ms\":%.1f",
         result->mode->name, words[result->outcome], result->compile_seconds * 1e3,
         result->run_seconds * 1e3);
  if (result->report) {
    printf(",\"report\":");
    print_json_text(result->report);
  }
  puts("}");
}

static void clear_progress(const Runner *r) {
  if (r->is_terminal) fputs("\r\033[K", stderr);
}

static void show_progress(const Runner *r, const Result *last) {
  if (!r->is_terminal) return;
  fprintf(stderr, "\r\033[K[%zu/%zu%s] %.60s", r->results.count, r->tests.count * r->mode_count,
          r->counts[FAILED] ? ", some failed" : "", last->test->path);
}

static void record(Runner *r, const Result *result) {
  PUSH(&r->arena, r->results, *result);
  r->counts[result->outcome]++;
  clear_progress(r);
  if (r->options->json)
    print_json(result);
  else if (result->outcome == FAILED)
    printf("FAILED %s (%s)\n%s", result->test->path, result->mode->name, result->report);
  fflush(stdout);
  show_progress(r, result);
}

static void finish(Runner *r, Job *job, const char *report, double run_seconds) {
  Result result = {.test = job->test,
                   .mode = job->mode,
                   .outcome = report ? FAILED : PASSED,
                   .report = report,
                   .compile_seconds = job->compile_seconds,
                   .run_seconds = run_seconds};
  job->state = IDLE;
  unlink(job_path(r, job, "program"));
  record(r, &result);
}

/* Keeps what happened as what is expected; the report then says so. */
static const char *promote(Runner *r, const char *report, bool is_done) {
  if (is_done) r->promoted++;
  return arena_printf(&r->arena, "%s  %s\n", report,
                      is_done ? "promoted: review the difference"
                              : "not promoted: change its expectations by hand");
}

/* ---- the life of a job -------------------------------------------------------------------- */

static void start_run(Runner *r, Job *job) {
  job->state = RUNNING;
  start_child(r, job, child_run, job->test->timeout_seconds * job->mode->time_factor);
}

static void compile_ended(Runner *r, Job *job, int wait_status) {
  Text messages = read_path(job_path(r, job, "messages"));
  int status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
  const char *report = job->is_killed
                           ? "  the compiler did not end in time\n"
                           : testfile_judge_compile(&r->arena, job->test, status, messages);
  job->compile_seconds = now_seconds() - job->start;
  if (report && r->options->promote && (status == 0 || status == 1))
    report = promote(r, report, testfile_promote_compile(job->test, messages));
  free(messages.bytes);
  if (report || testfile_only_compiles(job->test))
    finish(r, job, report, 0);
  else
    start_run(r, job);
}

static void run_ended(Runner *r, Job *job, int wait_status) {
  double seconds = now_seconds() - job->start;
  Text out = read_path(job_path(r, job, "out")), err = read_path(job_path(r, job, "err"));
  const char *report;
  if (!out.bytes || !err.bytes)
    report = "  its output cannot be read\n";
  else if (job->is_killed)
    report = arena_printf(&r->arena, "  still running after %.0f s\n", seconds);
  else
    report = testfile_judge_run(&r->arena, job->test, wait_status, out, err);
  if (report && r->options->promote && !job->is_killed)
    report = promote(r, report, testfile_promote_run(job->test, out));
  free(out.bytes);
  free(err.bytes);
  finish(r, job, report, seconds);
}

/* Gives an idle job the next test to do; false if there is none left. */
static bool start_next(Runner *r, Job *job) {
  while (r->next < r->tests.count * r->mode_count) {
    size_t i = r->next++;
    const TestFile *test = r->tests.items[i % r->tests.count];
    const Mode *mode = r->modes[i / r->tests.count];
    const char *skip = testfile_skip_reason(test, mode->name);
    if (mode != r->modes[0] && testfile_only_compiles(test)) continue;
    if (mode->is_partial && test->dump_passes) continue;
    if (mode->turns > 0 && i % r->tests.count % mode->turns != mode->turn) continue;
    if (skip) {
      record(r, &(Result){.test = test, .mode = mode, .outcome = SKIPPED, .report = skip});
      continue;
    }
    *job = (Job){.test = test, .mode = mode, .state = COMPILING, .dir = job->dir};
    start_child(r, job, child_compile, COMPILE_SECONDS_MAX);
    return true;
  }
  return false;
}

static void reap_children(Runner *r) {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
    for (unsigned i = 0; i < r->job_count; i++) {
      Job *job = &r->jobs[i];
      if (job->state == IDLE || job->pid != pid) continue;
      if (job->state == COMPILING)
        compile_ended(r, job, status);
      else
        run_ended(r, job, status);
      break;
    }
}

/* Kills what is overdue; gives the seconds until the next deadline. */
static double enforce_deadlines(Runner *r) {
  double now = now_seconds(), wait = 1;
  for (unsigned i = 0; i < r->job_count; i++) {
    Job *job = &r->jobs[i];
    if (job->state == IDLE || job->is_killed) continue;
    if (job->deadline <= now) {
      job->is_killed = true;
      kill(job->pid, SIGKILL);
    } else if (job->deadline - now < wait)
      wait = job->deadline - now;
  }
  return wait;
}

static void wait_for_child(Runner *r) {
  double seconds = enforce_deadlines(r);
  struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  int signal = sigtimedwait(&r->signals, NULL, &t);
  if (signal == SIGINT || signal == SIGTERM) r->interrupted = signal;
}

static void kill_children(Runner *r) {
  for (unsigned i = 0; i < r->job_count; i++) {
    if (r->jobs[i].state == IDLE) continue;
    /* who compiles has C compilers to end */
    kill(r->jobs[i].pid, r->jobs[i].state == COMPILING ? SIGTERM : SIGKILL);
    process_wait(r->jobs[i].pid);
  }
}

static void run_all(Runner *r) {
  for (unsigned busy = 1; busy > 0 && !r->interrupted;) {
    busy = 0;
    for (unsigned i = 0; i < r->job_count; i++)
      if (r->jobs[i].state != IDLE || start_next(r, &r->jobs[i])) busy++;
    if (busy) wait_for_child(r);
    reap_children(r);
  }
  if (r->interrupted) kill_children(r);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static unsigned processor_count(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

static void setup(Runner *r) {
  unsigned jobs = r->options->jobs ? r->options->jobs : processor_count();
  r->job_count = jobs < JOBS_MAX ? jobs : JOBS_MAX;
  r->is_terminal = isatty(STDERR_FILENO);
  r->dir = make_temporary_dir();
  for (unsigned i = 0; i < r->job_count; i++) {
    r->jobs[i].dir = arena_printf(&r->arena, "%s/%u", r->dir, i);
    mkdir(r->jobs[i].dir, 0700);
  }
  sigemptyset(&r->signals);
  sigaddset(&r->signals, SIGCHLD);
  sigaddset(&r->signals, SIGINT);
  sigaddset(&r->signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &r->signals, &r->parent_mask);
}

static int slower_first(const void *a, const void *b) {
  const Result *x = a, *y = b;
  double s = x->compile_seconds + x->run_seconds, t = y->compile_seconds + y->run_seconds;
  return (s < t) - (s > t);
}

static void print_times(Runner *r, double seconds) {
  double compile = 0, run = 0;
  for (size_t i = 0; i < r->results.count; i++) {
    compile += r->results.items[i].compile_seconds;
    run += r->results.items[i].run_seconds;
  }
  if (r->results.count == 0) return;
  qsort(r->results.items, r->results.count, sizeof(Result), slower_first);
  printf("%.1f s (compiling %.1f, running %.1f, %u at once); slowest:", seconds, compile, run,
         r->job_count);
  for (size_t i = 0; i < r->results.count && i < SLOWEST_SHOWN; i++) {
    const Result *x = &r->results.items[i];
    printf(" %s/%s %.1f", x->test->name, x->mode->name, x->compile_seconds + x->run_seconds);
  }
  putchar('\n');
}

static void print_summary(Runner *r, double seconds) {
  clear_progress(r);
  if (r->options->json) return;
  print_times(r, seconds);
  if (r->promoted) printf("%zu promoted\n", r->promoted);
  printf("%zu passed, %zu failed", r->counts[PASSED], r->counts[FAILED]);
  if (r->counts[SKIPPED]) printf(", %zu skipped", r->counts[SKIPPED]);
  putchar('\n');
}

int test_run(const Options *options) {
  Runner *r = calloc(1, sizeof *r);
  int status = EXIT_USAGE;
  if (!r) abort();
  r->options = options;
  if (choose_modes(r, options->modes ? options->modes : "aot") && find_all_tests(r)) {
    double start = now_seconds();
    setup(r);
    run_all(r);
    print_summary(r, now_seconds() - start);
    remove_tree(r->dir);
    free(r->dir);
    status = r->interrupted ? 128 + r->interrupted : r->counts[FAILED] ? EXIT_PROGRAM : EXIT_OK;
    if (r->tests.count == 0) fputs("valkc: there are no tests\n", stderr), status = EXIT_USAGE;
  }
  arena_free(&r->arena);
  free(r);
  return status;
}
