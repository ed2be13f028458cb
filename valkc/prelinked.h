/* prelinked.h - the runtime linked beforehand, if it is still of the same libraries (prelinked.c). */
#ifndef VALKC_PRELINKED_H
#define VALKC_PRELINKED_H
#include <stdbool.h>

/* base.o and base-net.o in dir are there, not older than the archives beside them, made with this
 * compiler, and nothing of the system that went into them has changed since. */
bool prelinked_is_fresh(const char *dir, const char *compiler);
#endif
