/* quick.h - C text to code in this process, by TinyCC: no files, no headers, no other program.
 *
 * A unit is one compiled text. Its code and data stay where they are until quick_free; several
 * units live side by side and may use each other's functions. Code is executable and not writable,
 * data is read-only: a unit has no variables of its own. Not for several threads at once. */
#ifndef VALKC_QUICK_H
#define VALKC_QUICK_H
#include "quick_memory.h"

typedef struct QuickUnit QuickUnit;

typedef struct QuickSymbol { /* something a unit may refer to beside the runtime */
  const char *name;
  const void *address;
} QuickSymbol;

typedef struct QuickSource {
  const char *text; /* C as emit makes it */
  size_t len;
  const QuickSymbol
      *symbols; /* what the text declares but neither it nor the runtime defines */
  size_t symbol_count;
  void (*report)(void *to, const char *message); /* one line about what is wrong */
  void *report_to;
  bool lists_static; /* static functions are entries, too */
} QuickSource;

/* NULL after messages: the text is no C that TinyCC takes, or there is no memory. */
QuickUnit *quick_compile(const QuickSource *source);
/* The address of a function or constant that is not static; NULL if there is none. */
void *quick_entry(const QuickUnit *unit, const char *name);
/* The functions among the entries, in no order, and where the code ends; malloc, NULL: no memory.
 * Their names are the unit's. */
QuickSymbol *quick_functions(const QuickUnit *unit, size_t *count, const char **end);
/* Requires: none of the unit's code is running, nothing refers to its data. */
void quick_free(QuickUnit *unit);
#endif
