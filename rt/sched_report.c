/* sched_report.c - what is said on stderr of fibers that wait for ever and of errors nobody took. */
#include "errors.h"
#include "fiber_impl.h"
#include "future.h"
#include "out.h"
#include "strings.h"
#include <stdio.h>

enum { FIBERS_SHOWN = 20 };

static void put_fiber(VkBuf *b, const struct VkFibers *fs, const VkFiber *f) {
  if (f == fs->main)
    vk_buf_put_z(b, "  the program waits");
  else
    vk_buf_putf(b, "  fiber %llu waits", (unsigned long long)f->number);
  vk_buf_putf(b, " in %s", f->wait->what);
  if (f->place) vk_buf_putf(b, " at %s:%u:%u", f->place->file, f->place->line, f->place->col);
  if (f->place && f->place->fn) vk_buf_putf(b, " in %s", f->place->fn);
  vk_buf_putc(b, '\n');
}

/* There are few to show, and this allocates nothing. */
VkFiber *sched_next_waiting(struct VkFibers *fs, uint64_t after) {
  VkFiber *heads[] = {&fs->dirty, &fs->clean, &fs->unscanned}, *found = NULL;
  for (size_t i = 0; i < 3; i++)
    for (VkFiber *f = heads[i]->next; f != heads[i]; f = f->next)
      if (f->wait && f->number > after && (!found || f->number < found->number)) found = f;
  return found;
}

static void put_waiting(VkBuf *b, struct VkFibers *fs) {
  const VkFiber *f = NULL;
  size_t shown = 0;
  for (uint64_t after = 0; shown < FIBERS_SHOWN && (f = sched_next_waiting(fs, after));
       shown++) {
    put_fiber(b, fs, f);
    after = f->number;
  }
  size_t all = fs->stats.fibers + (fs->main ? 1 : 0);
  if (all > shown) vk_buf_putf(b, "  ... and %zu more\n", all - shown);
}

void sched_report_deadlock(vk *c) {
  VkBuf b = {0};
  vk_buf_put_z(&b, "Error: deadlock: everything waits, nothing can wake (:deadlock)\n");
  put_waiting(&b, c->fibers);
  vk_out_flush();
  fwrite(b.data, 1, b.len, stderr);
  vk_buf_free(&b);
}

V sched_deadlock_error(vk *c) {
  VkBuf b = {0};
  put_waiting(&b, c->fibers);
  V error = vk_errorf(c, VK_SYM(deadlock), "deadlock: everything waits, nothing can wake\n%.*s",
                      b.len ? (int)b.len - 1 : 0, b.data);
  vk_buf_free(&b);
  return error;
}

/* ---- errors that nobody awaited ----------------------------------------------------------------- */

static void report_lost(V future) {
  VkBuf b = {0};
  if (VK_FUT(future)->is_seen) return;
  vk_buf_put_z(&b, "warning: a fiber ended with an error, and nobody awaited it\n");
  vk_error_text(&b, VK_FUT(future)->value);
  vk_out_flush();
  fwrite(b.data, 1, b.len, stderr);
  vk_buf_free(&b);
}

/* The oldest is reported when there are too many to wait for the end. */
void fiber_note_lost(vk *c, V future) {
  struct VkFibers *fs = c->fibers;
  size_t kept = 0;
  for (size_t i = 0; i < fs->lost_count; i++)
    if (!VK_FUT(fs->lost[i])->is_seen) fs->lost[kept++] = fs->lost[i];
  if (kept == VK_LOST_MAX) {
    report_lost(fs->lost[0]);
    for (size_t i = 1; i < kept; i++) fs->lost[i - 1] = fs->lost[i];
    kept--;
  }
  fs->lost[kept++] = future;
  for (size_t i = kept; i < VK_LOST_MAX; i++) fs->lost[i] = VK_NIL;
  fs->lost_count = kept;
}

void sched_report_lost(vk *c) {
  struct VkFibers *fs = c->fibers;
  for (size_t i = 0; i < fs->lost_count; i++) report_lost(fs->lost[i]);
  fs->lost_count = 0;
}
