/* cache.h - executables by the hash of what they were made of.
 *
 * A directory of files named by 64 hex digits, under $XDG_CACHE_HOME/valkc or ~/.cache/valkc.
 * Files appear complete, by rename; the time of last use is their modification time, and the
 * ones unused longest go when the directory outgrows VALKC_CACHE_MB megabytes. */
#ifndef VALKC_CACHE_H
#define VALKC_CACHE_H
#include <stdbool.h>

/* The path of the executable with this key, there or not; malloc. NULL if the directory cannot
 * be made or written. */
char *cache_path(const char *key);
/* True if the file is there; marks it as used now. */
bool cache_has(const char *path);
/* Removes the files unused longest until the rest fits; never the newest. */
void cache_trim(void);
#endif
