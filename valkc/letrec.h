/* letrec.h - local functions that call each other become global ones. */
#ifndef VALKC_LETREC_H
#define VALKC_LETREC_H
#include "../lang/core.h"

bool letrec_run(Program *p); /* true if something changed; then core_find_free must run */
#endif
