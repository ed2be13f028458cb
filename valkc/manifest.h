/* manifest.h - know from the sources alone that a program is unchanged, without compiling it.
 *
 * For each program built, the cache also holds a manifest: the key of its executable, and the hash of
 * every file it was compiled from. It is found by what is known before: the options, the paths of the
 * program and the working directory, and the identity of valkc and of the C compiler. */
#ifndef VALKC_MANIFEST_H
#define VALKC_MANIFEST_H
#include "compile.h"

/* Makes output from the cache if every source is as it was. */
typedef enum ManifestResult {
  MANIFEST_DONE,
  MANIFEST_STALE,  /* compile */
  MANIFEST_FAILED, /* there is no such target or compiler; a message said so */
} ManifestResult;
ManifestResult manifest_build(const Options *options, const char *output);
/* After a build without any message: remembers what it was made of. */
void manifest_keep(Compilation *c);
#endif
