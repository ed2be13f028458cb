/* heap_impl.h - the heap's structures and their invariants, for rt/heap*.c only.
 *
 *   one reservation   | block 0 | block 1 | ... | max_blocks | marks | allocs | logs | blocks |
 *   one block         64 KiB: pairs, cells of one size, or (a part of) one large object
 *   one granule       16 bytes; each bitmap has a bit per granule
 *
 *   marks    set: the object starting here is old (survived a collection), or was found by the
 *            full marking under way. Sticky: a minor collection only adds marks.
 *   allocs   set: here starts a cell that may hold an object. Ambiguous words count only
 *            through this bit.
 *   logs     set: a store into this granule needs no logging: it was logged this cycle, or the
 *            cell is younger than the last collection.
 *
 * A cycle runs from one collection to the next. Invariants (heap_check.c tests them):
 *   I1  between cycles, in blocks that are not UNSWEPT, allocs = marks; logs = 0 everywhere
 *   I2  a marked object refers only to marked objects, except through logged granules
 *   I3  in an UNSWEPT block the marks tell what is allocated; nothing is allocated from it
 *   I4  bits of FREE blocks are 0; marks are a subset of allocs in swept blocks
 *   I5  cells between cur and lim of a run of header objects are zero
 *
 * Full marking is incremental, snapshot at the beginning (Yuasa 1990): what was reachable when
 * it began gets marked; cells allocated meanwhile are marked from the start; the barrier logs
 * the old contents of a granule before its first store. There are no minor collections while
 * it runs. Generations by sticky marks: Demers et al., "Combining Generational and Conservative
 * Garbage Collection", POPL 1990. Free runs: Blackburn and McKinley, "Immix", PLDI 2008; exact
 * runs of cells where they have lines. */
#ifndef VK_HEAP_IMPL_H
#define VK_HEAP_IMPL_H
#include "heap.h"

enum {
  GRANULE_BYTES = 16,
  BLOCK_SHIFT = 16,
  BLOCK_BYTES = 1 << BLOCK_SHIFT,
  BLOCK_GRANULES = BLOCK_BYTES / GRANULE_BYTES,
  BLOCK_BITMAP_WORDS = BLOCK_GRANULES / 64,
  COMMIT_BLOCKS = 128, /* committed at once: 8 MiB, so that bitmaps grow by whole pages */
  CARD_BYTES = 512,    /* log granularity in objects larger than this */
  CARD_GRANULES = CARD_BYTES / GRANULE_BYTES,
};
#define NO_BLOCK UINT32_MAX

/* ---- size classes --------------------------------------------------------------------------
 * Class 0 is pairs. Classes 1..16 are the inline sizes of VkRun cells[]. The rest up to half a
 * block are 64 KiB / n. Larger objects have blocks of their own. */
enum { CLASS_PAIRS = 0, CLASS_MEDIUM = VK_CELL_CLASSES, CLASS_COUNT = CLASS_MEDIUM + 22 };
enum {
  CELL_BYTES_MAX = BLOCK_BYTES / 2,
  RUN_BYTES_MAX = 8 << 10,
  PAIR_RUN_BYTES_MAX = 32 << 10
};

typedef struct SizeClass {
  uint32_t cell_bytes, cell_count; /* per block */
  uint32_t inverse;                /* offset / cell_bytes = (offset * inverse) >> 32 */
  uint32_t current;                /* block being filled, or NO_BLOCK */
  uint32_t next_cell;              /* in current: cells below are taken or not free */
  uint32_t available;              /* list of swept blocks with free cells */
  VkRun *run;                      /* the run now bump-allocated from */
} SizeClass;

/* ---- blocks ------------------------------------------------------------------------------- */

typedef enum BlockKind {
  BLOCK_FREE,
  BLOCK_PAIRS,
  BLOCK_CELLS,
  BLOCK_LARGE,
  BLOCK_LARGE_REST
} BlockKind;
enum {
  BLOCK_YOUNG = 1,   /* allocated into this cycle; in heap.young_blocks */
  BLOCK_UNSWEPT = 2, /* full marking ended, cells not yet taken back (I3) */
  BLOCK_RESCAN = 4,  /* the mark stack overflowed on objects here */
  BLOCK_ZERO = 8,    /* every byte that was never allocated is zero */
  BLOCK_TOUCHED = 16 /* has pages of the system (unless given back) */
};
typedef struct Block {
  uint8_t kind, klass, flags;
  uint32_t next;     /* in available: the next block, or NO_BLOCK */
  uint32_t head;     /* LARGE_REST: its LARGE block */
  uint32_t count;    /* LARGE: number of blocks */
  size_t bytes;      /* LARGE: size of the object */
  size_t used_cells; /* as of the last sweep */
} Block;

/* ---- the heap ----------------------------------------------------------------------------- */

typedef enum HeapPhase {
  HEAP_IDLE,    /* minor collections; blocks are swept on demand */
  HEAP_MARKING, /* full marking in slices */
} HeapPhase;
typedef enum HeapEvent {
  EVENT_MINOR,
  EVENT_START,
  EVENT_SLICE,
  EVENT_FULL,
  EVENT_COUNT
} HeapEvent;

typedef struct WordList { /* a malloc array of words */
  uintptr_t *items;
  size_t count, capacity;
} WordList;

typedef struct Finaliser {
  V object;
  void (*fn)(void *object);
} Finaliser;
typedef struct FinaliserList {
  Finaliser *items;
  size_t count, capacity;
  size_t young; /* items from here on were added this cycle */
} FinaliserList;

enum { PAUSES_KEPT = 8, PAUSE_BUCKETS = 128 }; /* quarter powers of two of nanoseconds */
typedef struct PauseStats {
  uint64_t count, total_ns, max_ns, last_ns;
  uint32_t buckets[PAUSE_BUCKETS];
} PauseStats;
typedef struct Pause {
  uint64_t ns;
  HeapEvent event;
} Pause;
typedef struct HeapStats {
  Pause last_pauses[PAUSES_KEPT]; /* a ring; all_pauses.count tells where it begins */
  PauseStats pauses[EVENT_COUNT];
  PauseStats all_pauses;
  uint64_t full_count;       /* full collections completed */
  uint64_t allocated_bytes;  /* in runs and large objects, ever; add the current cycle's */
  uint64_t minor_seen_bytes; /* allocated between minor collections... */
  uint64_t minor_kept_count; /* objects */
  uint64_t logged_count;     /* entries of the log that collections went through */
  uint64_t minor_kept_bytes; /* ...and found alive by them */
  uint64_t used_bytes_max;   /* blocks in use, in bytes */
  uint64_t released_blocks;  /* given back to the system, ever */
  uint64_t overflows;        /* of the mark stack */
  uint64_t finalised;
} HeapStats;

struct VkHeap {
  vk *c;
  char *base;                /* NULL before heap_prepare */
  size_t committed_granules; /* addresses from base that may be looked at */
  uint64_t *marks, *allocs, *logs;
  Block *blocks;
  uint64_t *free_bits; /* a bit per committed block: kind is FREE */
  uint32_t max_blocks, committed_blocks;
  uint32_t frontier;                              /* no block from here on was ever used */
  uint32_t lowest_free;                           /* no block below is free */
  uint32_t used_blocks;                           /* not FREE */
  uint32_t limit_blocks;                          /* the hard limit */
  uint32_t touched_free_blocks, touched_free_low; /* now, and least in this cycle */
  size_t limit_bytes; /* as it was at the start; 0: the machine's memory */
  char *reserved;     /* all of the reservation; base is its first aligned address */
  size_t reserved_bytes;

  SizeClass classes[CLASS_COUNT];
  VkRun medium_runs[CLASS_COUNT - CLASS_MEDIUM];
  uint8_t medium_class[CELL_BYTES_MAX / 64 + 1]; /* by (bytes + 63) / 64 */

  HeapPhase phase;
  bool is_collecting;
  bool is_suspended; /* vk_heap_suspend: no event now */
  bool wants_full;   /* full marking may start, whatever the heap's own size */
  int64_t budget;            /* bytes to allocate before the next event */
  size_t cycle_bytes;        /* the budget when the cycle began */
  size_t nursery_bytes;      /* what the next cycle should get */
  size_t root_bytes;         /* scanned conservatively at the last collection */
  unsigned kept_most;        /* minor collections in a row that freed little: see heap_event */
  size_t live_bytes;         /* marked objects */
  size_t full_trigger_bytes; /* nor before live_bytes passed this */
  size_t mark_ratio;         /* bytes to trace for each byte allocated meanwhile */
  size_t mark_debt;          /* bytes to trace that no slice did yet */
  size_t marking_base_bytes; /* in use when marking started */
  uint64_t marking_base_allocated;
  unsigned marking_pauses; /* of this full marking, for VALK_TRACE=gc */
  uint64_t marking_ns, marking_ns_max;
  size_t threshold_bytes;  /* VALK_GC_THRESHOLD */
  size_t full_live_bytes;  /* live when the last one ended */
  size_t full_after_bytes; /* no full marking before this much was allocated since the last */
  uint64_t full_allocated; /* bytes ever allocated when the last one ended */
  size_t arena_bytes;      /* VALK_ARENA_SIZE */
  uint32_t sweep_next, sweep_end; /* blocks in between may be UNSWEPT */
  unsigned stress, stress_left, stress_turn;
  void (*on_reserve)(vk *c);  /* who stops the program when the limit is reached; NULL: nobody */
  uint32_t limit_of_program;  /* blocks; 0: the reserve beyond it is not in use */
  size_t refused_bytes, refused_at_bytes; /* what the limit denied last, and the use then */
  unsigned strikes; /* collections in a row that left next to nothing free */
  bool trace;

  WordList mark_stack; /* values to trace; two-word ranges: see heap_mark.c */
  size_t mark_stack_max;
  bool has_rescan;
  WordList log;          /* granule addresses; + 1: the whole card */
  WordList young_blocks; /* block numbers */
  WordList roots;        /* V * registered by vk_root_add */
  WordList segments;     /* VkSegment * held: frozen.h */
  uint8_t *segment_states;   /* per unit of all segments: SegmentState; NULL: never held any */
  size_t segment_bytes;      /* of those held */
  size_t segment_new_bytes;  /* and of them, since the last full collection */
  FinaliserList finalisers;
  HeapStats stats;
  size_t commits_left; /* tests: how often the system still gives memory */
#ifdef VK_DEBUG
  uint64_t *regions;            /* a bit per granule: an object here belongs to a scratch region */
  char *unchecked[CLASS_COUNT]; /* cells from here on are new to the store check; or NULL */
  WordList unchecked_large;
#endif
};

/* ---- bits --------------------------------------------------------------------------------- */

static inline size_t heap_granule(const VkHeap *h, uintptr_t address) {
  return (address - (uintptr_t)h->base) / GRANULE_BYTES;
}
static inline char *heap_address(const VkHeap *h, size_t granule) {
  return h->base + granule * GRANULE_BYTES;
}
static inline uint32_t heap_block_of(size_t granule) {
  return (uint32_t)(granule / BLOCK_GRANULES);
}
static inline bool bit_get(const uint64_t *bits, size_t i) {
  return bits[i / 64] >> (i % 64) & 1;
}
static inline void bit_set(uint64_t *bits, size_t i) {
  bits[i / 64] |= (uint64_t)1 << (i % 64);
}
static inline void bit_clear(uint64_t *bits, size_t i) {
  bits[i / 64] &= ~((uint64_t)1 << (i % 64));
}
void bits_fill(uint64_t *bits, size_t from, size_t to, bool value);
static inline uint64_t *block_bits(uint64_t *bits, uint32_t block) {
  return bits + (size_t)block * BLOCK_BITMAP_WORDS;
}
static inline char *block_start(const VkHeap *h, uint32_t block) {
  return h->base + ((size_t)block << BLOCK_SHIFT);
}

/* ---- objects ------------------------------------------------------------------------------ */

/* The object a word points at or into, as a tagged value; 0 if none is allocated there. */
V heap_find(const VkHeap *h, uintptr_t word);
/* The V fields of a header object: [*first, *end). */
void heap_fields(V *object, V **first, V **end);
/* Start of the cell, in the block, that covers this granule (kind PAIRS, CELLS or LARGE*). */
char *heap_cell_start(const VkHeap *h, size_t granule);
size_t heap_cell_bytes(const VkHeap *h, uint32_t block);
/* Calls fn for every allocated cell of a block, lowest first (for an UNSWEPT one: marked). */
void heap_each_cell(VkHeap *h, uint32_t block, void (*fn)(VkHeap *, char *cell, void *),
                    void *to);

/* ---- between the files -------------------------------------------------------------------- */

/* heap.c */
void heap_prepare(
    VkHeap *h); /* reserves addresses, settles the limit; once. Or a message and exit */
bool heap_acquire_blocks(VkHeap *h, uint32_t count, uint32_t *first); /* never collects */
void heap_release_block(VkHeap *h, uint32_t block); /* in use to FREE; bits must be 0 */
void heap_give_back(VkHeap *h, uint32_t most);      /* pages that stayed free to the system */
bool words_push(WordList *l, uintptr_t word);
void *heap_xrealloc(void *p, size_t bytes); /* or a message and exit */

/* heap_alloc.c */
void heap_retire_runs(VkHeap *h);
uint64_t heap_taken(const VkHeap *h); /* bytes ever given out: heap_allocated less what runs have left */
bool heap_take_pairs(VkHeap *h, VkRun *cells); /* a block but for its first: may collect; false: none is free */
void heap_give_pairs(VkHeap *h, char *from, char *to); /* some of them that are not used */
void heap_young_block(VkHeap *h, uint32_t block);

/* heap_mark.c */
void heap_mark_value(VkHeap *h, V v);              /* v: a field or exact root */
void heap_mark_word(VkHeap *h, uintptr_t w);       /* w: any word */
size_t heap_trace(VkHeap *h, size_t budget_bytes); /* bytes traced; less than asked: all done */
bool heap_trace_done(const VkHeap *h);
void heap_mark_fields_within(VkHeap *h, char *low, char *high);
static inline bool heap_is_marked(const VkHeap *h, V v) {
  return bit_get(h->marks, heap_granule(h, v));
}

/* heap_frozen.c */
void heap_mark_frozen(VkHeap *h, uintptr_t address); /* full marking found it: any word */
static inline bool heap_sees_frozen(const VkHeap *h) {
  return h->phase == HEAP_MARKING && h->segments.count;
}
void heap_sweep_frozen(VkHeap *h);                   /* full marking ended: gives up the others */
void heap_drop_frozen(VkHeap *h);                    /* the isolate ends */

/* heap_roots.c */
void heap_mark_roots(VkHeap *h); /* when a full marking begins, but for fibers that wait: */
bool heap_has_unscanned(const VkHeap *h);
size_t heap_scan_next(VkHeap *h);    /* one of them; gives bytes looked at */
void heap_clean_fibers(VkHeap *h);   /* all that fibers refer to is marked */
void heap_mark_logged(VkHeap *h);
void heap_clear_log(VkHeap *h);
void heap_run_finalisers(VkHeap *h, bool young_only);
void heap_run_all_finalisers(VkHeap *h);

/* heap_sweep.c */
void heap_sweep_young(VkHeap *h);               /* at the end of a minor collection */
void heap_forget_young(VkHeap *h);              /* its blocks are swept with all others later */
void heap_sweep_begin(VkHeap *h);               /* at the end of full marking */
bool heap_sweep_some(VkHeap *h, uint32_t most); /* false: nothing was left to sweep */
static inline bool heap_is_swept(const VkHeap *h) { return h->sweep_next >= h->sweep_end; }

/* heap_collect.c */
/* Let the next allocation find the budget used up. */
static inline void heap_end_cycle(VkHeap *h) {
  if (h->budget <= 0) return;
  h->cycle_bytes -= (size_t)h->budget;
  h->budget = 0;
}
void heap_event(VkHeap *h);        /* the budget is used up */
void heap_collect_full(VkHeap *h); /* everything, now */
/* At the hard limit: collect. False if that does not help, or did not at the last attempt. */
bool heap_emergency(VkHeap *h, size_t bytes, unsigned attempt);
/* No room for what cannot be refused by an error value: the frames are left for the newest catch
 * (catch.h), or the program ends with a message. */
_Noreturn void heap_out_of_memory(VkHeap *h, size_t bytes);
void heap_refuse(VkHeap *h, size_t bytes); /* what the error will say */
V heap_out_of_memory_error(VkHeap *h);     /* after the frames were left */
void heap_plan_cycle(VkHeap *h);
uint64_t heap_allocated(const VkHeap *h); /* bytes, ever */
/* ns that this part (0.5, 0.99) of the pauses did not pass; up to a quarter too much. */
uint64_t heap_pause_quantile(const PauseStats *s, double part);

extern const char *const heap_event_names[EVENT_COUNT];
void heap_set_threshold(VkHeap *h, size_t bytes);
void heap_set_limit(VkHeap *h, size_t bytes); /* at most what is reserved */
void heap_plan_full(VkHeap *h);

/* heap_check.c */
void heap_print_consumers(VkHeap *h, FILE *to);

/* heap_debug.c */
#ifdef VK_DEBUG
void heap_debug_prepare(VkHeap *h); /* the address range is known now */
void heap_debug_free(VkHeap *h);
void heap_debug_run_begins(VkHeap *h, SizeClass *s, char *start, size_t bytes);
void heap_debug_large(VkHeap *h, char *start);
void heap_debug_own(VkHeap *h, const void *p); /* scratch had no room for this new object */
bool heap_debug_is_owned(const VkHeap *h, const void *p);
void heap_check_stores(VkHeap *h); /* all new objects, globals, roots; no object is half made */
void heap_debug_retired(VkHeap *h);
void heap_check_clean(VkHeap *h, const char *low, const char *high); /* scratch that is not scanned */
#else
static inline void heap_debug_prepare(VkHeap *h) { (void)h; }
static inline void heap_debug_free(VkHeap *h) { (void)h; }
#define heap_debug_run_begins(h, s, start, bytes) ((void)0)
static inline void heap_debug_large(VkHeap *h, char *start) { (void)h, (void)start; }
static inline void heap_debug_own(VkHeap *h, const void *p) { (void)h, (void)p; }
static inline bool heap_debug_is_owned(const VkHeap *h, const void *p) { return (void)h, (void)p, false; }
static inline void heap_check_stores(VkHeap *h) { (void)h; }
static inline void heap_debug_retired(VkHeap *h) { (void)h; }
static inline void heap_check_clean(VkHeap *h, const char *low, const char *high) { (void)h, (void)low, (void)high; }
#endif
#endif
