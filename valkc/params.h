/* params.h - parameters nobody reads. */
#ifndef VALKC_PARAMS_H
#define VALKC_PARAMS_H
#include "../lang/core.h"

/* True if any went; then core_find_free must run. */
bool params_run(Program *p);
#endif
