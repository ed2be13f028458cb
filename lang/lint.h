/* lint.h - warnings about text that does not mean what it seems to. */
#ifndef LANG_LINT_H
#define LANG_LINT_H
#include "core.h"

/* After resolve; the tree is unchanged. Library code is not looked at. */
void lint_run(Program *p);
#endif
