/* home.h - where valkc's own files are: found from the place of its executable.
 *
 *   in the source tree      build/valkc          installed        PREFIX/bin/valkc
 *     runtime archive       build/librt.a                         PREFIX/lib/valkc/librt.a
 *     linked beforehand     build/base.o ...               PREFIX/lib/valkc/base.o ...
 *     checked runtimes      build/asan/librt.a, build/tsan/...    (not installed)
 *     other targets         build/TARGET/librt.a ...              PREFIX/lib/valkc/TARGET/librt.a ...
 *     C headers             rt/                                   PREFIX/lib/valkc/include/
 *     library in Valk       std/                                  PREFIX/lib/valkc/std/        */
#ifndef VALKC_HOME_H
#define VALKC_HOME_H
#include <stdbool.h>

typedef struct Home {
  char *root;        /* of the source tree, or PREFIX/lib/valkc */
  char *std_dir; /* std */
  char *include_dir; /* vk.h */
  char *archive_dir; /* librt.a */
  char *asan_dir;    /* librt.a with address and undefined-behaviour checks */
  char *tsan_dir;    /* the same with checks for data races */
} Home;

/* The paths, found once; ends the process with a message if the files are not there. */
const Home *home_get(void);
#endif
