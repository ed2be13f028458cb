/* target.c - the targets there are (contract: target.h). */
#include "target.h"
#include "home.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Machine machines[] = {
    {"x86_64-linux", "x86_64-linux-gnu-gcc", "gcc-x86-64-linux-gnu libc6-dev-amd64-cross",
     "x86_64-linux-gnu", "qemu-x86_64-static"},
    {"aarch64-linux", "aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
     "aarch64-linux-gnu", "qemu-aarch64-static"},
};
enum { MACHINE_COUNT = sizeof machines / sizeof *machines };

#if defined(__x86_64__)
static const Machine *const native = &machines[0];
#elif defined(__aarch64__)
static const Machine *const native = &machines[1];
#else
#error "target.c: a row for this machine is missing"
#endif

static const Machine *find_machine(const char *name) {
  if (!name) return native;
  for (size_t i = 0; i < MACHINE_COUNT; i++)
    if (!strcmp(machines[i].name, name)) return &machines[i];
  fprintf(stderr, "valkc: there is no target `%s`; the targets are:", name);
  for (size_t i = 0; i < MACHINE_COUNT; i++) fprintf(stderr, " %s", machines[i].name);
  fputc('\n', stderr);
  return NULL;
}

bool target_get(const Options *o, Target *t) {
  const char *libc = o->libc ? o->libc : "glibc";
  t->machine = find_machine(o->target);
  if (!t->machine) return false;
  t->is_native = t->machine == native;
  t->is_musl = !strcmp(libc, "musl");
  if (!t->is_musl && strcmp(libc, "glibc") != 0) {
    fprintf(stderr, "valkc: there is no C library `%s`; there are: glibc musl\n", libc);
    return false;
  }
  const char *checkers = o->sanitize ? "--sanitize" : o->sanitize_threads ? "--sanitize-threads" : NULL;
  if (checkers && (!t->is_native || t->is_musl)) {
    fprintf(stderr, "valkc: not supported yet: %s with --target or --libc=musl\n", checkers);
    return false;
  }
  if (!o->sanitize || !o->sanitize_threads) return true;
  fputs("valkc: --sanitize and --sanitize-threads: one program cannot have both checkers\n", stderr);
  return false;
}

const char *target_name(Target t) {
  static const char *const musl_names[] = {"x86_64-linux-musl", "aarch64-linux-musl"};
  return t.is_musl ? musl_names[t.machine - machines] : t.machine->name;
}

char *target_archive_dir(const Options *o, Target t) {
  const Home *home = home_get();
  char *dir;
  if (o->sanitize) return strdup(home->asan_dir);
  if (o->sanitize_threads) return strdup(home->tsan_dir);
  if (t.is_native && !t.is_musl) return strdup(home->archive_dir);
  if (asprintf(&dir, "%s/%s", home->archive_dir, target_name(t)) < 0) abort();
  return dir;
}
