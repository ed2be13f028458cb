/* perf_map.h - `valkc run --perf-map`: perf shows the names of functions compiled in memory. */
#ifndef VALKC_PERF_MAP_H
#define VALKC_PERF_MAP_H
#include "quick.h"

/* Requires: compiled with lists_static. The file stays when the process ends, for perf to read then;
 * where none can be made, a message says why and the program runs all the same. */
void perf_map_write(const QuickUnit *unit);
#endif
