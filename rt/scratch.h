/* scratch.h - two bump stacks per fiber for values that die with a region.
 *
 *   chunk (32 KiB, aligned)
 *   | previous | top | bytes | large_bytes | data ....   cur ->            | lim
 *
 * A large object the newest chunk has no room for gets a chunk of its own, of as many times 32 KiB as it
 * needs, and is the first in it; what is made next goes behind it. So a mark from before it is
 * in another 32 KiB than cur, and the inline reset leaves giving it back to the slow path.
 *
 * Discipline (DESIGN 5): a function takes `res` (0 or 1), the stack its result goes to, and puts
 * its temporaries on the other. The caller takes a mark before a non-tail call and resets after
 * it; callees never reset. Nothing on the heap may point into scratch (debug builds check each
 * store); scratch may point anywhere, and is scanned as a root while below `cur`. Minor collections
 * leave out each 32 KiB below the newest in which nothing changed since the last one looked at it:
 * vk_write, for every store but the first, sees to that.
 *
 * Beyond VALK_ARENA_SIZE per fiber, and three quarters of it per stack, the heap serves: correct, merely slower. Such an object still belongs to the region: it may come to hold dangling
 * pointers into scratch, which the collector ignores, and debug builds let nothing else on the
 * heap refer to it.
 *
 * So that pairs go on being made inline, a full stack *spills*: [cur, lim) are then cells of a
 * block of the heap that is this stack's alone. A reset to a mark in there goes back in it, one to a
 * mark in a chunk leaves it. What a collection finds unused in it is the heap's again, and the next pair
 * begins another; a mark in a block the stack has no longer means that all in the present one, which
 * is younger, is dead. Chunks are begun only after a reset to a mark in one. Debug builds
 * do not spill: they note of each single object that it belongs to a region. */
#ifndef VK_SCRATCH_H
#define VK_SCRATCH_H
#include "scratch_space.h"
#include "where.h"

enum {
  VK_SCRATCH_CHUNK_BYTES = 1 << VK_SCRATCH_SHIFT,
  VK_SCRATCH_BYTES_MAX = VK_SCRATCH_CHUNK_BYTES / 4, /* more is a large object */
};
_Static_assert(sizeof(VkScratchChunk) % 16 == 0, "data must be aligned to 16");

V vk_scratch_cons_slow(vk *c, int s, V head, V tail);
void *vk_scratch_new_slow(vk *c, int s, size_t bytes);

static inline V vk_scratch_cons(vk *c, int s, V head, V tail) {
  char *p = c->scratch[s].cur;
  if (VK_UNLIKELY(p == c->scratch[s].lim)) return vk_scratch_cons_slow(c, s, head, tail);
  c->scratch[s].cur = p + sizeof(VkPair);
  vk_unpoison(p, sizeof(VkPair));
  ((VkPair *)p)->head = head;
  ((VkPair *)p)->tail = tail;
  return VK_FROM_PAIR(p);
}

/* [cur, lim) are cells of the heap, for pairs. */
static inline bool vk_scratch_spills(const vk *c, int s) {
  return (uintptr_t)c->scratch[s].cur - c->barrier.base < c->barrier.bytes;
}

/* Not zeroed: the caller writes header and fields before anything else may allocate. */
static inline void *vk_scratch_new(vk *c, int s, size_t bytes) {
  char *p = c->scratch[s].cur;
  size_t rounded = (bytes + 15) & ~(size_t)15;
  if (VK_UNLIKELY((size_t)(c->scratch[s].lim - p) < rounded || vk_scratch_spills(c, s)))
    return vk_scratch_new_slow(c, s, bytes);
  c->scratch[s].cur = p + rounded;
  vk_unpoison(p, rounded);
  return p;
}

/* vk_new_placed, but NULL when the heap's hard limit would be passed: for sizes the program chose. If not zeroed,
 * all of it is written at once. */
void *vk_try_new_placed(vk *c, size_t bytes, bool is_zeroed);

/* Its region ends before what is on the heap: it is in scratch, or belongs to there (debug builds know). */
bool vk_is_temporary(const vk *c, V v);

/* A string in scratch as one on the heap; other values as they are. What place.c lets be anywhere
 * although something on the heap is going to hold it. */
V vk_keep_string(vk *c, V v);
/* s, or a copy where c->where says if s is in scratch: what gives its operand back need not live as long
 * as that (place_prim.c). A string, or an error if there is no memory. */
V vk_string_apart(vk *c, V s);

/* Runtime C: makes an object of so many bytes larger where it is, if it is the last one made at c->where, which is
 * where the larger one is to go. What is added is zero. */
bool vk_extend_placed(vk *c, void *object, size_t bytes, size_t wanted);

/* `part` was made on the heap and is to be a part of `whole`: if that belongs to a region, so does the part (debug
 * builds know). */
#ifdef VK_DEBUG
void vk_note_part(vk *c, V whole, V part);
#else
static inline void vk_note_part(vk *c, V whole, V part) { (void)c, (void)whole, (void)part; }
#endif

/* ---- for the collector and mem/arena ------------------------------------------------------ */

typedef struct VkScratchWalk { /* start: only fiber set */
  const VkFiber *fiber;
  VkScratchChunk *chunk;
  bool is_started;
} VkScratchWalk;
bool vk_scratch_next(vk *c, int s, VkScratchWalk *w, const char **low, const char **high);
size_t vk_scratch_used(vk *c);       /* bytes, both stacks of the running fiber */
static inline bool vk_scratch_owns(const void *p) { return scratch_owns(p); } /* any fiber's */
bool scratch_is_valid(vk *c);
void vk_scratch_free(vk *c);       /* gives the running fiber's chunks back */
size_t vk_scratch_spill_room(const vk *c); /* bytes not used in cells the running fiber spills into */
void vk_scratch_end_spills(vk *c); /* a collection: cells not used are the heap's */
#endif
