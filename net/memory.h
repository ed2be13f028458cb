/* memory.h - what one event loop keeps for its connections: buffers for reading and writing,
 * and small blocks for nghttp2. One thread uses a NetMemory; nothing here locks.
 *
 * Buffers. What goes out is collected in a NetBuffer and written with one system call. If the
 * kernel does not take all of it, the buffer itself waits as the pending write, without a copy,
 * and the loop goes on with another one.
 *
 * Blocks. nghttp2 allocates and frees several small blocks per stream. Free lists of a few
 * sizes serve them in a few instructions; what is larger comes from malloc. Freed blocks stay
 * with the loop, which bounds them by the most that were in use at any time. */
#ifndef NET_MEMORY_H
#define NET_MEMORY_H
#include <nghttp2/nghttp2.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum {
  NET_READ_BYTES = 64 << 10,  /* most read at once */
  NET_WRITE_BYTES = 64 << 10, /* when so much is collected, it is written */
  /* A frame (16 KB and its header) may be added to a buffer that is just not full; encryption
   * adds 22 bytes to each 16 KB. */
  NET_BUFFER_BYTES = NET_WRITE_BYTES + (17 << 10),
  NET_BUFFERS_KEPT = 64, /* unused ones beyond go back to malloc */
  NET_BLOCK_BYTES_MAX = 1024,
  NET_BLOCK_STEP = 32,
  NET_BLOCK_CLASSES = NET_BLOCK_BYTES_MAX / NET_BLOCK_STEP,
};

typedef struct NetBuffer {
  uv_write_t request; /* while it waits to be written */
  struct NetBuffer *next;
  struct NetStream *stream;
  size_t len;
  uint8_t bytes[NET_BUFFER_BYTES];
} NetBuffer;

typedef struct NetBlock {
  struct NetBlock *next;
} NetBlock;

typedef struct NetMemory {
  NetBuffer *free_buffers;
  size_t free_buffer_count;
  NetBlock *free_blocks[NET_BLOCK_CLASSES + 1];
  nghttp2_mem blocks; /* for nghttp2_session_*_new3 */
} NetMemory;

void net_memory_init(NetMemory *m);
void net_memory_free(NetMemory *m); /* every buffer and block must have been given back */

NetBuffer *net_buffer_take(NetMemory *m); /* empty; ends the process if there is no memory */
void net_buffer_give(NetMemory *m, NetBuffer *b);

void *net_block_take(NetMemory *m, size_t bytes); /* NULL without memory */
void net_block_give(NetMemory *m, void *block);   /* NULL is nothing */
#endif
