/* profile.h - how many bytes each operation of a program allocates: `valkc explain --profile`.
 *
 * Code compiled for it has a call before and behind each operation that is the site of an
 * allocation; the bytes between the two are the site's, less those that sites within it (functions that
 * a primitive calls) counted. At the end of the program a line for each goes to the file that
 * VALK_PROFILE names: number, bytes of the heap, bytes of scratch, how often. Isolates other than the
 * first count as well, but without locks: a few may be lost. */
#ifndef VK_PROFILE_H
#define VK_PROFILE_H
#include "vk.h"

typedef struct VkTaken { /* bytes, but for what sites have counted */
  uint64_t heap, scratch;
} VkTaken;

VkTaken vk_profile_begin(vk *c);
void vk_profile_end(vk *c, VkTaken before, unsigned site); /* site: from 1 */
/* Site 0 has what is no site's: numbers, what the runtime itself needs. */
void vk_profile_write(void);
#endif
