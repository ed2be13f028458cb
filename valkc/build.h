/* build.h - the last pass: C text to an executable, by the system's C compiler. */
#ifndef VALKC_BUILD_H
#define VALKC_BUILD_H
#include "compile.h"

/* Makes an executable at path of c->c_text; in: emit ran. The file appears complete or not at
 * all. Gives an exit status, after a message if it is not EXIT_OK. */
int build_executable(Compilation *c, const char *path);

/* A name for what build_executable would make: 64 hex digits over the C text, the command line
 * and the identity of compiler and runtime. False (with a message) without a C compiler. */
bool build_key(Compilation *c, char hex[65]);
/* The same without the C text, but with valkc itself. */
bool build_command_key(const Options *options, char hex[65]);
/* Writes the C text to a temporary file that stays, and says on stderr where. */
void build_keep_text(const Compilation *c);
#endif
