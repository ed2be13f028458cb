/* resolve.h - names to variables and globals. */
#ifndef LANG_RESOLVE_H
#define LANG_RESOLVE_H
#include "core.h"

/* After expand. No CORE_NAME is left; see resolve.c. */
void resolve_run(Program *p);
#endif
