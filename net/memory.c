/* memory.c - buffers and blocks of an event loop (contract: memory.h). */
#include "memory.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In front of each block: its class, 0 for one of malloc. 16 bytes keep malloc's alignment. */
typedef struct BlockHead {
  size_t class, bytes;
} BlockHead;
_Static_assert(sizeof(BlockHead) == 16, "blocks are aligned to 16");

/* The checkers find misuse in malloc's memory only. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { HAS_FREE_LISTS = 0 };
#else
enum { HAS_FREE_LISTS = 1 };
#endif

/* ---- buffers ----------------------------------------------------------------------------- */

NetBuffer *net_buffer_take(NetMemory *m) {
  NetBuffer *b = m->free_buffers;
  if (b) {
    m->free_buffers = b->next;
    m->free_buffer_count--;
  } else {
    b = malloc(sizeof *b);
    if (!b) {
      fputs("valk: out of memory for network buffers\n", stderr);
      exit(1);
    }
  }
  b->next = NULL;
  b->stream = NULL;
  b->len = 0;
  return b;
}

void net_buffer_give(NetMemory *m, NetBuffer *b) {
  if (!HAS_FREE_LISTS || m->free_buffer_count >= NET_BUFFERS_KEPT) {
    free(b);
    return;
  }
  b->next = m->free_buffers;
  m->free_buffers = b;
  m->free_buffer_count++;
}

/* ---- blocks ------------------------------------------------------------------------------ */

static void *block_new(size_t class, size_t bytes) {
  BlockHead *head = malloc(sizeof *head + bytes);
  if (!head) return NULL;
  *head = (BlockHead){class, bytes};
  return head + 1;
}

void *net_block_take(NetMemory *m, size_t bytes) {
  size_t class = (bytes + NET_BLOCK_STEP - 1) / NET_BLOCK_STEP;
  if (!HAS_FREE_LISTS || class > NET_BLOCK_CLASSES || !class) return block_new(0, bytes);
  NetBlock *block = m->free_blocks[class];
  if (!block) return block_new(class, class * NET_BLOCK_STEP);
  m->free_blocks[class] = block->next;
  return block;
}

void net_block_give(NetMemory *m, void *p) {
  if (!p) return;
  BlockHead *head = (BlockHead *)p - 1;
  if (!head->class) {
    free(head);
    return;
  }
  NetBlock *block = p;
  block->next = m->free_blocks[head->class];
  m->free_blocks[head->class] = block;
}

static void *take(size_t bytes, void *m) { return net_block_take(m, bytes); }
static void give(void *p, void *m) { net_block_give(m, p); }

static void *take_zeroed(size_t count, size_t bytes, void *m) {
  if (bytes && count > SIZE_MAX / bytes) return NULL;
  void *p = net_block_take(m, count * bytes);
  if (p) memset(p, 0, count * bytes);
  return p;
}

static void *resize(void *p, size_t bytes, void *m) {
  if (!p) return net_block_take(m, bytes);
  size_t old = ((BlockHead *)p - 1)->bytes;
  if (bytes <= old) return p;
  void *larger = net_block_take(m, bytes);
  if (!larger) return NULL;
  memcpy(larger, p, old);
  net_block_give(m, p);
  return larger;
}

/* ---- the whole --------------------------------------------------------------------------- */

void net_memory_init(NetMemory *m) {
  *m = (NetMemory){
      .blocks = {.malloc = take, .free = give, .calloc = take_zeroed, .realloc = resize}};
  m->blocks.mem_user_data = m;
}

void net_memory_free(NetMemory *m) {
  for (NetBuffer *b; (b = m->free_buffers);) {
    m->free_buffers = b->next;
    free(b);
  }
  for (size_t class = 1; class <= NET_BLOCK_CLASSES; class ++)
    for (NetBlock *block; (block = m->free_blocks[class]);) {
      m->free_blocks[class] = block->next;
      free((BlockHead *)block - 1);
    }
}
