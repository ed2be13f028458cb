/* resolve.h - names to variables and globals. */
#ifndef LANG_RESOLVE_H
#define LANG_RESOLVE_H
#include "core.h"

/* After expand. No CORE_NAME is left; see resolve.c. */
void resolve_run(Program *p);

/* The same for the forms of an open program that p->tops holds, its library definitions first. The
 * library functions they mention are expanded, but their bodies wait for resolve_function. */
void resolve_forms(Program *p);
void resolve_function(Program *p, Global *g); /* requires: a FUNCTION; once is enough */
/* A function of std that the program need not have mentioned, ready to be called; NULL if none. */
Global *resolve_library_function(Program *p, const char *name);
#endif
