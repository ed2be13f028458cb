/* out.h - standard output of the program: one buffered stream for the process.
 *
 * Flushed at exit, before anything goes to stderr (whoever writes there calls vk_out_flush
 * first), when full, and after each newline if stdout is a terminal. A write that fails (a
 * closed pipe, a full disk) ends the program with a message and exit status 1. */
#ifndef VK_OUT_H
#define VK_OUT_H
#include "strings.h"

void vk_out(const char *bytes, size_t len);
void vk_out_flush(void);
bool vk_out_ends_line(void); /* nothing has been printed since the last newline */
/* For a signal handler that ends the process: without the lock, which the interrupted code may
 * hold. */
void vk_out_flush_unlocked(void);

/* Between start and stop what this isolate prints is kept instead of written; captures do not
 * nest. stop appends it to `to`. False: no capture was (already) going on. */
bool vk_out_capture_start(void);
bool vk_out_capture_stop(VkBuf *to);
#endif
