/* build.c - C text to an executable, by the system's C compiler.
 *
 * in:    c->c_text, as emit made it
 * out:   a static executable, with the archives it uses: librt.a, libtommath, libm, libc
 * keeps: the C text reaches the compiler through memory; no file is left behind but the result
 *
 * A text that does not compile is a bug of ours: it is kept, its place is named, exit 70. */
#include "build.h"
#include "cache.h"
#include "hash.h"
#include "home.h"
#include "low.h"
#include "passes.h"
#include "prelinked.h"
#include "process.h"
#include "size.h"
#include "target.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef enum CompilerFamily { GCC, CLANG, OTHER } CompilerFamily;

typedef struct BuildCommand {
  Arena arena;
  VEC(char *) words; /* NULL-terminated once complete */
  size_t input_at, input_end; /* where they name the C text; before: what compiling parts needs too */
  CompilerFamily family;
  Target target;
  char *compiler, *archive_dir;
  char *map_dir, *map_path; /* --size: where the linker writes its map */
} BuildCommand;

static const char idle_at_O1[] =
    "-fno-move-loop-invariants -fno-tree-sra -fno-tree-slsr -fno-ssa-backprop -fno-forward-propagate"
    " -fno-tree-ch -fno-tree-ccp -fno-tree-fre -fno-cprop-registers -fno-dse -fno-tree-loop-optimize"
    " -fno-tree-copy-prop";

/* ---- the command line --------------------------------------------------------------------- */

static void add(BuildCommand *b, const char *word) {
  PUSH(&b->arena, b->words, arena_copy(&b->arena, word, strlen(word)));
}

static void add_all(BuildCommand *b, const char *words) {
  for (size_t n; *(words += strspn(words, " ")); words += n) {
    n = strcspn(words, " ");
    PUSH(&b->arena, b->words, arena_copy(&b->arena, words, n));
  }
}

/* gcc, clang or unknown, by the name of the file behind it: `cc` is a link to one of them. */
static CompilerFamily family_of(const char *program) {
  char *path = realpath(program, NULL);
  const char *name = path ? strrchr(path, '/') + 1 : program;
  CompilerFamily family = strstr(name, "clang") ? CLANG : strstr(name, "gcc") ? GCC : OTHER;
  free(path);
  return family;
}

/* The first of these programs that is there; malloc. */
static char *find_one_of(const char *const *names, size_t count) {
  char *path = NULL;
  for (size_t i = 0; !path && i < count; i++) path = find_program(names[i]);
  return path;
}

static void no_compiler(const Target *t) {
  if (t->is_native)
    fputs("valkc: no C compiler found (looked for gcc, clang and cc in PATH)\n"
          "  install one, for instance: apt-get install gcc libc6-dev\n"
          "  or name one: --cc=COMPILER\n",
          stderr);
  else
    fprintf(stderr,
            "valkc: no C compiler for %s found (looked for %s in PATH)\n"
            "  install it, for instance: apt-get install %s\n"
            "  or name one: --cc=COMPILER\n",
            t->machine->name, t->machine->compiler, t->machine->packages);
}

/* The C compiler asked for, else the first that is there; malloc. NULL after a message. */
static char *find_compiler(const Options *o, const Target *t) {
  static const char *const usual[] = {"gcc", "clang", "cc"};
  const char *asked = o->cc ? o->cc : t->is_native ? getenv("VALKC_CC") : NULL;
  char *path = NULL;
  if (asked && *asked) {
    path = find_program(asked);
    if (!path) fprintf(stderr, "valkc: there is no C compiler `%s`\n", asked);
    return path;
  }
  path = t->is_native ? find_one_of(usual, 3) : find_one_of(&t->machine->compiler, 1);
  if (!path) no_compiler(t);
  return path;
}

/* Everything the command line depends on; false after a message. */
static bool prepare(BuildCommand *b, const Options *o) {
  *b = (BuildCommand){0};
  if (!target_get(o, &b->target)) return false;
  b->compiler = find_compiler(o, &b->target);
  if (!b->compiler) return false;
  b->family = family_of(b->compiler);
  b->archive_dir = target_archive_dir(o, b->target);
  if (b->target.is_native && !b->target.is_musl) return true;
  char *runtime;
  if (asprintf(&runtime, "%s/librt.a", b->archive_dir) < 0) abort();
  bool is_there = access(runtime, R_OK) == 0;
  if (!is_there)
    fprintf(stderr,
            "valkc: the runtime for %s is not there (%s)\n"
            "  make it in valkc's source tree: make targets TARGETS=%s\n",
            target_name(b->target), runtime, target_name(b->target));
  free(runtime);
  return is_there;
}

static void release(BuildCommand *b) {
  arena_free(&b->arena);
  free(b->compiler);
  free(b->archive_dir);
  if (b->map_dir) remove_tree(b->map_dir);
  free(b->map_dir);
}

/* Sources are named as from here, std and headers as in valkc's own tree, so that the same program built elsewhere has the same bytes. */
static void add_debug_options(BuildCommand *b) {
  char here[PATH_MAX];
  add(b, "-g");
  if (getcwd(here, sizeof here))
    add(b, arena_printf(&b->arena, "-ffile-prefix-map=%s=.", here));
  /* The last that fits is taken: the headers, wherever valkc is. */
  add(b, arena_printf(&b->arena, "-ffile-prefix-map=%s=rt", home_get()->include_dir));
}

#ifdef VK_DEBUG
static const bool is_debug_build = true;
#else
static const bool is_debug_build = false;
#endif

/* Passes of gcc that bring nothing in bench/kernels. The first two cost 3 and 2 % of its time: of
 * what memory values name it knows nothing, and the processor orders instructions itself. The others are a
 * fifth of what -O1 costs; -O2 has others that find as much to do. */
static void add_idle_passes(BuildCommand *b, unsigned level) {
  add(b, "-fno-tree-pta");
  if (!strcmp(b->target.machine->name, "x86_64-linux")) add(b, "-fno-schedule-insns2");
  if (level == 1) add_all(b, idle_at_O1);
}

/* The words of V and vk.h's structures are read through several types: no strict aliasing. gcc
 * by default hardly inlines a function into itself once its slow paths are calls; the parameter
 * takes fib from 3.6x to 1.6x C. At -O1 sibling calls are off; -O0 relies on the guards. Fused
 * multiply-add and unsigned char, usual on ARM, would give other results than x86. */
static bool has_checkers(const Options *o) { return o->sanitize || o->sanitize_threads; }

static void add_code_options(BuildCommand *b, const Options *o) {
  static const char *const levels[] = {"-O0", "-O1", "-O2", "-O3"};
  unsigned level = o->optimise == OPTIMISE_DEFAULT ? 2 : o->optimise;
  add(b, levels[level]);
  add_all(b, "-std=gnu11 -fno-strict-aliasing -fno-math-errno -ffp-contract=off -fsigned-char");
  if (level >= 1) add(b, "-foptimize-sibling-calls");
  if (b->family == GCC && level >= 2) add_all(b, "--param max-inline-insns-auto=100");
  if (b->family == GCC && level >= 1) add_idle_passes(b, level);
  if (b->family == CLANG) add_all(b, "-fbracket-depth=100000");
  if (o->debug_info) add_debug_options(b);
  /* A truth value is a number like others: comparing it with one is what the program says. What
   * must survive a catch is volatile; gcc warns of variables changed after it, too. */
  if (o->warn_c) add_all(b, "-Wall -Wextra -Werror -Wno-bool-compare -Wno-clobbered -Wno-infinite-recursion -Wno-unknown-warning-option");
  if (o->sanitize)
    add_all(b,
            "-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer");
  else if (o->sanitize_threads)
    add_all(b, "-g -fsanitize=thread -fno-omit-frame-pointer");
  else
    add_all(b, "-fno-plt -ffunction-sections");
  if (o->sanitize || is_debug_build) add(b, "-DVK_DEBUG"); /* as the runtime it is linked with */
  if (!has_checkers(o) && !o->no_pie) add(b, "-fPIE");
}

/* The linkers' tables of packed relocations; neither musl 1.2.3 nor GNU ld for ARM knows them. */
static bool has_packed_relocations(const Target *t) {
  return !t->is_musl && !strcmp(t->machine->name, "x86_64-linux");
}

static void add_map_option(BuildCommand *b) {
  b->map_dir = make_temporary_dir();
  b->map_path = arena_printf(&b->arena, "%s/map", b->map_dir);
  add(b, "-Xlinker"); /* the path may have a comma */
  add(b, arena_printf(&b->arena, "-Map=%s", b->map_path));
}

static void add_link_options(BuildCommand *b, const Options *o) {
  if (o->size) add_map_option(b);
  if (o->strip) add(b, "-s");
  if (has_checkers(o)) return; /* the checkers' runtimes want a dynamic executable */
  add(b, o->no_pie ? "-static" : "-static-pie");
  if (!o->no_pie && has_packed_relocations(&b->target)) add(b, "-Wl,-z,pack-relative-relocs");
  add_all(b, "-Wl,-z,relro,-z,now,-z,noexecstack -Wl,--gc-sections -Wl,--build-id=none");
  if (b->family == GCC) add(b, "-fno-use-linker-plugin"); /* it looks for text to compile in each object */
  /* Constants and headers in one mapping with the code: 4 KB smaller, 3 % sooner to start. */
  if (b->target.is_musl) add(b, "-Wl,-z,noseparate-code");
}

static void add_in(BuildCommand *b, const char *format, const char *dir) {
  add(b, arena_printf(&b->arena, format, dir));
}

/* musl's own start code and nothing else: the compiler's, made for glibc, asks for a dynamic
 * loader, and its crtbegin and crtend serve languages with constructors. */
static void add_libraries(BuildCommand *b, const Options *o, bool uses_net, bool is_prelinked) {
  if (b->target.is_musl) {
    add_all(b, "-nostdlib -nostartfiles");
    add_in(b, o->no_pie ? "%s/crt1.o" : "%s/rcrt1.o", b->archive_dir);
  }
  if (is_prelinked) add_in(b, uses_net ? "%s/base-net.o" : "%s/base.o", b->archive_dir);
  if (uses_net) add_in(b, "%s/libnet.a", b->archive_dir);
  add_in(b, "%s/librt.a", b->archive_dir);
  add_in(b, "-L%s", b->archive_dir);
  if (has_checkers(o)) add_in(b, "-L%s", home_get()->archive_dir);
  /* libuv looks names up by what glibc would load, where names are looked up at all: a warning. */
  if (uses_net) add_all(b, "-l:libuv_a.a -l:libnghttp2.a -l:libssl.a -l:libcrypto.a");
  if (b->target.is_musl)
    add_all(b, "-ltommath -Wl,--start-group -lc -lgcc -Wl,--end-group");
  else
    add_all(b, has_checkers(o) ? "-l:libtommath.a -lm" : "-ltommath -lm");
}

/* Short programs would carry along what they do not use; the map of --size names archives; other
 * compilers have other libraries. */
static bool wants_prelinked(const BuildCommand *b, const Compilation *c) {
  const Options *o = c->options;
  bool is_fit = c->low->part_count > 1 || c->low->uses_net;
  if (!is_fit || has_checkers(o) || o->no_pie || o->size || b->family != GCC) return false;
  if (!b->target.is_native || b->target.is_musl || !PART_RUNS(&c->program, prelink)) return false;
  return prelinked_is_fresh(b->archive_dir, b->compiler);
}

/* c: NULL if the program is not known. */
static void make_command(BuildCommand *b, const Options *o, const Compilation *c) {
  bool uses_net = c && c->low->uses_net;
  add(b, b->compiler);
  if (b->family == CLANG && !b->target.is_native)
    add_in(b, "--target=%s", b->target.machine->triplet);
  add_code_options(b, o);
  if (b->target.is_musl) {
    add(b, "-isystem");
    add_in(b, "%s/include", b->archive_dir);
  }
  add(b, "-iquote"); /* -I would put rt/strings.h before the system's <strings.h> */
  add(b, home_get()->include_dir);
  b->input_at = b->words.count;
  add_all(b, "-x c /dev/stdin -x none");
  b->input_end = b->words.count;
  add_link_options(b, o);
  add_libraries(b, o, uses_net, c && wants_prelinked(b, c));
}

static void show_command(char *const *words) {
  for (size_t i = 0; words[i]; i++) fprintf(stderr, "%s%s", i ? " " : "", words[i]);
  fputc('\n', stderr);
}

/* ---- failure ------------------------------------------------------------------------------ */

/* Messages of linker and system that are not about the C text. */
static bool is_environment_failure(const char *messages) {
  return strstr(messages, "cannot find -l") || strstr(messages, "No space left on device") ||
         strstr(messages, "cannot find rcrt1.o") ||
         strstr(messages, "Cannot allocate memory") ||
         strstr(messages, "No such file or directory") ||
         strstr(messages, "Permission denied") || strstr(messages, "Killed");
}

void build_keep_text(const Compilation *c) {
  char *dir = make_temporary_dir(), *path;
  if (asprintf(&path, "%s/program.c", dir) < 0) abort();
  if (write_path(path, c->c_text, c->c_len))
    fprintf(stderr, "the C text is kept: %s\n", path);
  else
    fprintf(stderr, "the C text could not be kept: %s: %s\n", path, strerror(errno));
  free(path);
  free(dir);
}

static int compiler_failed(const Compilation *c, const BuildCommand *b, Text messages) {
  if (interrupts_came()) return EXIT_PROGRAM;
  if (messages.bytes && is_environment_failure(messages.bytes)) {
    fprintf(stderr,
            "valkc: %s cannot build executables here:\n%s"
            "  it needs: apt-get install %s\n",
            b->words.items[0], messages.bytes,
            b->target.is_native ? "gcc libc6-dev libtommath-dev" : b->target.machine->packages);
    return EXIT_PROGRAM;
  }
  fprintf(stderr, "valkc: bug in the compiler: build: %s: %s rejects its C text\n", c->path,
          b->words.items[0]);
  if (messages.bytes) fwrite(messages.bytes, 1, messages.len, stderr);
  build_keep_text(c);
  return EXIT_COMPILER;
}

/* ---- debugging ---------------------------------------------------------------------------- */

/* A statement of Valk becomes several lines of C, of which the #line counts only the first right:
 * a debugger needs it before each. Lines with a backslash at their end continue. */
static void pin_lines(Compilation *c) {
  Text pinned = {NULL, 0};
  FILE *out = open_memstream(&pinned.bytes, &pinned.len);
  unsigned line = 0; /* 0: in C that is no Valk statement */
  bool is_continued = false;
  if (!out) return;
  for (const char *p = c->c_text; *p;) {
    size_t n = strcspn(p, "\n");
    n += p[n] == '\n';
    if (!strncmp(p, "#line ", 6))
      line = (unsigned)strtoul(p + 6, NULL, 10);
    else if (line && *p == ' ' && !is_continued)
      fprintf(out, "#line %u\n", line);
    if (*p == '}' || *p == '/') line = 0;
    is_continued = n > 1 && p[n - 2] == '\\';
    fwrite(p, 1, n, out);
    p += n;
  }
  if (fclose(out) != 0) return;
  free(c->c_text);
  c->c_text = pinned.bytes;
  c->c_len = pinned.len;
}

/* ---- running it --------------------------------------------------------------------------- */

/* One run of the compiler, with the C text as its input. */
typedef struct Job {
  pid_t pid;
  int messages; /* a file in memory */
} Job;

static Job start_compiler(const Compilation *c, char *const *words) {
  int in = memory_file(c->c_text, c->c_len);
  Job job = {-1, memory_file("", 0)};
  if (c->options->verbose) show_command(words);
  if (in >= 0 && job.messages >= 0) job.pid = process_start(words, in, job.messages, job.messages);
  if (in >= 0) close(in);
  return job;
}

/* Gives what the compiler said to *messages, unless something is there already. */
static bool end_compiler(Job job, int status, Text *messages) {
  bool is_ok = job.pid >= 0 && status == 0;
  if (!is_ok && !messages->bytes) *messages = read_fd(job.messages);
  if (job.messages >= 0) close(job.messages);
  return is_ok;
}

static bool compile_whole(const Compilation *c, char *const *words, Text *messages) {
  Job job = start_compiler(c, words);
  return end_compiler(job, job.pid >= 0 ? process_wait(job.pid) : -1, messages);
}

/* ---- parts of a long text --------------------------------------------------------------------- */

static char *object_path(BuildCommand *b, const char *dir, unsigned part) {
  return arena_printf(&b->arena, "%s/%u.o", dir, part);
}

/* gcc lets a small text grow to this by inlining, a large one by two fifths: parts share what the
 * whole text had (a tenth less work, and as fast). */
enum { LARGE_UNIT = 10000 };

/* Code that the time is not spent in is not worth the work of optimising it. What -O1 does to jumps costs a
 * seventh of it, which only loops that do nothing costly are worth, and not where a quick build is asked for. */
static const char *part_options(const Compilation *c, const BuildCommand *b, unsigned part) {
  static const char *const few_jumps = "-O1 -fno-tree-dominator-opts";
  bool is_once = part >= c->low->first_once, is_calm = part >= c->low->first_calm, is_quick = c->options->optimise == 1;
  if (c->options->optimise == 0 || (!is_calm && !is_quick)) return "";
  if (b->family != GCC) return "-O1";
  return is_calm && (is_once || is_quick) ? "-Og" : few_jumps;
}

/* Its command is built behind the words that are there, which stay as they are. */
static Job start_part(const Compilation *c, BuildCommand *b, const char *dir, unsigned part) {
  const char *options = part_options(c, b, part);
  size_t count = b->words.count;
  for (size_t i = 0; i < b->input_at; i++) PUSH(&b->arena, b->words, b->words.items[i]);
  add_all(b, options);
  if (b->family == GCC) {
    if (*options) add_all(b, idle_at_O1);
    add(b, "--param");
    add(b, arena_printf(&b->arena, "large-unit-insns=%u", LARGE_UNIT / c->low->part_count));
  }
  add(b, arena_printf(&b->arena, "-DVK_PART=%u", part));
  add_all(b, "-c -x c /dev/stdin -o");
  add(b, object_path(b, dir, part));
  PUSH(&b->arena, b->words, NULL);
  Job job = start_compiler(c, b->words.items + count);
  b->words.count = count;
  return job;
}

static unsigned processors(void) {
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 1 ? (unsigned)count : 1;
}

/* The costliest first, so that they do not end alone. */
static unsigned *order_of_parts(const Compilation *c, BuildCommand *b) {
  const size_t *costs = c->low->part_costs;
  unsigned *order = ARENA_ARRAY(&b->arena, unsigned, c->low->part_count);
  for (unsigned part = 0; part < c->low->part_count; part++) {
    unsigned at = part;
    for (; at > 0 && costs[order[at - 1]] < costs[part]; at--) order[at] = order[at - 1];
    order[at] = part;
  }
  return order;
}

/* Objects of all parts in dir, as many at once as there are processors. */
static bool compile_parts(const Compilation *c, BuildCommand *b, const char *dir, Text *messages) {
  unsigned count = c->low->part_count, limit = processors(), running = 0;
  unsigned *order = order_of_parts(c, b);
  Job *jobs = ARENA_ARRAY(&b->arena, Job, count);
  pid_t *pids = ARENA_ARRAY(&b->arena, pid_t, count); /* of those that run; 0: none */
  bool is_ok = true;
  for (unsigned started = 0; started < count || running > 0;) {
    if (started < count && running < limit) {
      jobs[started] = start_part(c, b, dir, order[started]);
      pids[started] = jobs[started].pid;
      running++, started++;
    } else {
      int status;
      size_t ended = process_wait_any(pids, started, &status);
      pids[ended] = 0;
      running--;
      is_ok &= end_compiler(jobs[ended], status, messages);
    }
  }
  return is_ok;
}

static bool link_parts(const Compilation *c, BuildCommand *b, const char *dir, Text *messages) {
  VEC(char *) words = {0};
  for (size_t i = 0; i < b->words.count; i++) {
    if (i == b->input_at)
      for (unsigned k = 0; k < c->low->part_count; k++) PUSH(&b->arena, words, object_path(b, dir, k));
    if (i < b->input_at || i >= b->input_end) PUSH(&b->arena, words, b->words.items[i]);
  }
  return compile_whole(c, words.items, messages);
}

/* The words are complete. What the compiler says if it fails goes to *messages. */
static bool run_compiler(const Compilation *c, BuildCommand *b, Text *messages) {
  if (c->low->part_count < 2) return compile_whole(c, b->words.items, messages);
  char *dir = make_temporary_dir();
  bool is_ok = compile_parts(c, b, dir, messages) && link_parts(c, b, dir, messages);
  remove_tree(dir);
  free(dir);
  return is_ok;
}

/* The result replaces path only when complete: the compiler writes to a name beside it. */
static int compile_to(Compilation *c, BuildCommand *b, const char *path) {
  char *partial = arena_printf(&b->arena, "%s.%d.tmp", path, (int)getpid());
  Text messages = {NULL, 0};
  add(b, "-o");
  add(b, partial);
  PUSH(&b->arena, b->words, NULL);
  int result = EXIT_OK;
  if (!run_compiler(c, b, &messages))
    result = compiler_failed(c, b, messages);
  else if (rename(partial, path) != 0) {
    fprintf(stderr, "valkc: cannot write %s: %s\n", path, strerror(errno));
    result = EXIT_PROGRAM;
  }
  if (result != EXIT_OK) unlink(partial);
  free(messages.bytes);
  return result;
}

/* Refuses early, before the C compiler words it worse. */
static bool is_writable_place(const char *path) {
  struct stat info;
  if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
    fprintf(stderr, "valkc: cannot write %s: it is a directory\n", path);
    return false;
  }
  const char *slash = strrchr(path, '/');
  char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
  bool is_ok = access(is_special_file(path) ? path : dir, W_OK) == 0;
  if (!is_ok) fprintf(stderr, "valkc: cannot write %s: %s\n", path, strerror(errno));
  free(dir);
  return is_ok;
}

/* ---- the cache's key ---------------------------------------------------------------------- */

/* A file's identity without reading it: changes whenever it is rebuilt or replaced. */
static void add_identity(Hash *h, const char *path) {
  struct stat s = {0};
  stat(path, &s);
  int64_t identity[] = {(int64_t)s.st_ino, (int64_t)s.st_size, (int64_t)s.st_mtim.tv_sec,
                        (int64_t)s.st_mtim.tv_nsec};
  hash_add_text(h, path);
  hash_add(h, identity, sizeof identity);
}

/* Where distributions keep the C library; those that are not there count as well. */
static void add_system(Hash *h, const BuildCommand *b) {
  static const char *const places[] = {"/usr/lib/%s/libc.a", "/usr/%s/lib/libc.a"};
  static const char *const variables[] = {"CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH",
                                          "COMPILER_PATH", "GCC_EXEC_PREFIX"};
  char path[PATH_MAX];
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    snprintf(path, sizeof path, places[i], b->target.machine->triplet);
    add_identity(h, path);
  }
  add_identity(h, "/usr/lib64/libc.a");
  add_identity(h, "/usr/lib/libc.a");
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
    const char *value = getenv(variables[i]);
    hash_add_text(h, value ? value : "");
  }
}

/* What make_command made, before -o, and what it would use. */
static void add_command(Hash *h, BuildCommand *b) {
  static const char *const archives[] = {"%s/librt.a",  "%s/libnet.a",     "%s/libtommath.a",
                                         "%s/libuv_a.a", "%s/libnghttp2.a", "%s/libssl.a",
                                         "%s/libcrypto.a", "%s/libc.a",
                                         "%s/base.o", "%s/base-net.o"};
  for (size_t i = 0; i < b->words.count; i++) hash_add_text(h, b->words.items[i]);
  add_identity(h, b->compiler);
  add_system(h, b);
  for (size_t i = 0; i < sizeof archives / sizeof *archives; i++)
    add_identity(h, arena_printf(&b->arena, archives[i], b->archive_dir));
}

static void command_key(const Compilation *c, BuildCommand *b, char hex[HASH_HEX_BYTES]) {
  Hash h;
  hash_start(&h);
  add_command(&h, b);
  hash_add(&h, c->c_text, c->c_len);
  hash_finish(&h, hex);
}

bool build_command_key(const Options *o, char hex[HASH_HEX_BYTES]) {
  BuildCommand b;
  bool is_ok = prepare(&b, o);
  if (is_ok) {
    Hash h;
    make_command(&b, o, NULL); /* which programs link it, their sources say */
    hash_start(&h);
    add_identity(&h, "/proc/self/exe");
    add_command(&h, &b);
    hash_finish(&h, hex);
  }
  release(&b);
  return is_ok;
}

bool build_key(Compilation *c, char hex[HASH_HEX_BYTES]) {
  BuildCommand b;
  bool is_ok = prepare(&b, c->options);
  if (is_ok) {
    make_command(&b, c->options, c);
    command_key(c, &b, hex);
  }
  release(&b);
  return is_ok;
}

/* ---- the whole ---------------------------------------------------------------------------- */

/* For -o /dev/null and the like: made elsewhere, then copied into it. */
static int build_into_special(Compilation *c, const char *path) {
  char *dir = make_temporary_dir(), *made;
  if (asprintf(&made, "%s/program", dir) < 0) abort();
  int result = build_executable(c, made);
  Text program = result == EXIT_OK ? read_path(made) : (Text){NULL, 0};
  if (result == EXIT_OK && !(program.bytes && write_path(path, program.bytes, program.len))) {
    fprintf(stderr, "valkc: cannot write %s: %s\n", path, strerror(errno));
    result = EXIT_PROGRAM;
  }
  free(program.bytes);
  remove_tree(dir);
  free(made);
  free(dir);
  return result;
}

/* `run` has its executables in the cache itself; --size wants the linker's map. */
static bool wants_cache(const Options *o) {
  return o->command == COMMAND_BUILD && !o->no_cache && !o->size;
}

/* From the cache, else made and kept there. A cache that cannot be used is none. */
static int build_cached(Compilation *c, BuildCommand *b, const char *path) {
  char key[HASH_HEX_BYTES];
  command_key(c, b, key);
  char *cached = cache_path(key);
  if (cached && cache_has(cached) && copy_executable(cached, path)) {
    if (c->options->verbose) fprintf(stderr, "from the cache: %s\n", cached);
    free(cached);
    return EXIT_OK;
  }
  int result = compile_to(c, b, path);
  if (result == EXIT_OK && cached && copy_executable(path, cached)) cache_trim();
  free(cached);
  return result;
}

/* libnet.a and what it stands on are there with glibc alone. */
static bool has_its_libraries(const Compilation *c, const BuildCommand *b) {
  if (!b->target.is_musl || !c->low->uses_net) return true;
  fprintf(stderr,
          "valkc: %s: it uses `%s`: there is no networking with --libc=musl\n"
          "  leave the option out: with glibc, too, the executable runs on any Linux\n",
          c->path, c->low->uses_net);
  return false;
}

static int build_with(Compilation *c, BuildCommand *b, const char *path) {
  if (!has_its_libraries(c, b)) return EXIT_PROGRAM;
  if (c->options->debug_info) pin_lines(c);
  make_command(b, c->options, c);
  int result = wants_cache(c->options) ? build_cached(c, b, path) : compile_to(c, b, path);
  if (result == EXIT_OK && c->options->size && !size_report(stdout, path, b->map_path)) {
    fputs("valkc: --size needs the map of GNU ld, which this linker does not write\n", stderr);
    result = EXIT_PROGRAM;
  }
  return result;
}

static int build_file(Compilation *c, const char *path) {
  BuildCommand b;
  int result = prepare(&b, c->options) ? build_with(c, &b, path) : EXIT_PROGRAM;
  release(&b);
  return result;
}

int build_executable(Compilation *c, const char *path) {
  if (!is_writable_place(path)) return EXIT_PROGRAM;
  interrupts_hold();
  int result = is_special_file(path) ? build_into_special(c, path) : build_file(c, path);
  interrupts_release();
  return result;
}
