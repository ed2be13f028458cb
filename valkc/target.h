/* target.h - what an executable is made for: a machine with Linux and a C library.
 *
 * Everything that a target's executables are linked with is in one directory, which `make targets`
 * fills: DIR/librt.a and DIR/libtommath.a, for musl also DIR/include and DIR/libc.a, DIR/rcrt1.o.
 * The target valkc itself runs on, with glibc, is the home's archive directory; the others are in
 * it: DIR/aarch64-linux, DIR/x86_64-linux-musl. */
#ifndef VALKC_TARGET_H
#define VALKC_TARGET_H
#include "options.h"

typedef struct Machine {
  const char *name;     /* as --target has it: "aarch64-linux" */
  const char *compiler; /* gcc for it on other machines: "aarch64-linux-gnu-gcc" */
  const char *packages; /* what to install where that is missing */
  const char *triplet;  /* for clang */
  const char *emulator; /* runs its executables on other machines */
} Machine;

typedef struct Target {
  const Machine *machine;
  bool is_native; /* programs run here */
  bool is_musl;
} Target;

/* The target the options ask for. False, after a message, if there is none such. */
bool target_get(const Options *options, Target *target);
/* Where its archives are; malloc. */
char *target_archive_dir(const Options *options, Target target);
/* "aarch64-linux", "x86_64-linux-musl": borrowed. */
const char *target_name(Target target);
#endif
