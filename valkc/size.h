/* size.h - what an executable is made of, for `valkc build --size`. */
#ifndef VALKC_SIZE_H
#define VALKC_SIZE_H
#include <stdbool.h>
#include <stdio.h>

/* Prints, from the linker's map, how many bytes of the executable come from the program, from each
 * file of the runtime and from each library. False: the map is not GNU ld's or lacks them. */
bool size_report(FILE *out, const char *executable, const char *map_path);
#endif
