/* specialise.h - functions that call themselves made anew for the function they are given. */
#ifndef VALKC_SPECIALISE_H
#define VALKC_SPECIALISE_H
#include "../lang/core.h"

/* The call of l with the argument `at`, a function, as a local function made for it, or NULL if l does other
 * things with its parameter than call it and hand it to itself. */
Core *specialise_call(Program *p, Lambda *l, const Core *call, size_t at);
#endif
