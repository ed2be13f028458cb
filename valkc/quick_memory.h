/* quick_memory.h - pages for machine code made in this process: writable or executable, never both.
 *
 * A unit takes whole pages, writable; it is copied and relocated there; sealing makes its code
 * executable and its data read-only. What the unit does not use of its pages traps when executed.
 * Not for several threads at once. */
#ifndef VALKC_QUICK_MEMORY_H
#define VALKC_QUICK_MEMORY_H
#include <stdbool.h>
#include <stddef.h>

typedef struct QuickMemory { /* all in bytes */
  size_t reserved;           /* of address space */
  size_t in_use, in_use_max; /* whole pages, now and at most */
  size_t code, data;         /* sealed: executable pages, read-only pages */
} QuickMemory;

size_t quick_page_bytes(void);
/* Room for so many bytes, at the start of a page, filled with trapping instructions; NULL if the
 * system refuses or the reserve is used up. */
void *quick_memory_take(size_t bytes);
/* Makes [pages, pages + code_bytes) executable and the rest read-only; code_bytes is a multiple of
 * the page size. False if the system refuses: the pages are then neither. */
bool quick_memory_seal(void *pages, size_t code_bytes, size_t bytes);
void quick_memory_free(void *pages, size_t bytes); /* not sealed */
void quick_memory_free_sealed(void *pages, size_t code_bytes, size_t bytes);
QuickMemory quick_memory_get(void);
#endif
