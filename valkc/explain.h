/* explain.h - what the compiler made of a program, shown beside its text. */
#ifndef VALKC_EXPLAIN_H
#define VALKC_EXPLAIN_H
#include "low.h"
#include <stdio.h>

/* For each call of the user's text: direct, inlined, a jump, or unknown and why; for each loop the
 * checks that remain in it. After represent. One line each, in the order of the text. */
void explain_calls(LowProgram *low, FILE *out);

typedef struct ProfileSite { /* what one site of a running program allocated */
  uint64_t heap_bytes, scratch_bytes, count;
} ProfileSite;
typedef struct Profile { /* by number of site; 0: what is no site's */
  ProfileSite *sites;
  size_t count;
} Profile;

/* The text of the main file, with the places of what each line allocates in the margin and, for the
 * heap, what forced it; then a summary. After place. profile: of a run, or NULL: bytes as well. */
void explain_places(LowProgram *low, const char *path, FILE *out, bool use_colour, const Profile *profile);
void explain_places_json(LowProgram *low, FILE *out, const Profile *profile);

/* What a function, or anything it calls, puts on the heap: messages, as errors. Whether there is
 * anything, or no such function. */
bool explain_no_heap(LowProgram *low, const char *function);
#endif
