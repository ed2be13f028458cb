/* slab_test.c - pools: every slot once, exhaustion, many threads taking and giving. */
#include "../../rt/slab.h"
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static void test_one_thread(void) {
  enum { SLOTS = 100 };
  VkSlab *s = vk_slab_new("test", 48, SLOTS);
  char *slots[SLOTS + 1];
  CHECK(vk_slab_stats(s).used == 0);
  for (int i = 0; i < SLOTS; i++) {
    slots[i] = vk_slab_take(s);
    CHECK(slots[i] && vk_slab_owns(s, slots[i]));
    memset(slots[i], i, 48);
  }
  CHECK(vk_slab_take(s) == NULL);
  CHECK(vk_slab_stats(s).failures == 1);
  for (int i = 0; i < SLOTS; i++) CHECK(slots[i][0] == i && slots[i][47] == i);
  for (int i = 0; i < SLOTS; i += 2) vk_slab_give(s, slots[i]);
  CHECK(slab_is_valid(s));
  CHECK(vk_slab_take(s) == slots[SLOTS - 2]); /* last given, first taken: it is in the cache */
  VkSlabStats stats = vk_slab_stats(s);
  CHECK(stats.used == SLOTS / 2 + 1);
  CHECK(stats.used_max == SLOTS);
  CHECK(stats.touched == SLOTS);
  CHECK(!vk_slab_owns(s, &stats));
  CHECK(slab_is_valid(s));
}

static void test_alignment(void) {
  VkSlab *s = vk_slab_new("aligned", 1 << 17, 4);
  for (int i = 0; i < 4; i++) CHECK((uintptr_t)vk_slab_take(s) % (1 << 17) == 0);
  CHECK(vk_slab_new("none", 0, 4) == NULL);
  CHECK(vk_slab_new("huge", (size_t)1 << 46, 1 << 20) == NULL);
}

/* ---- threads ------------------------------------------------------------------------------ */

enum { THREADS = 8, ROUNDS = 20000, HELD = 12, SHARED_SLOTS = THREADS * HELD * 3 / 4 };
static VkSlab *shared;
static atomic_int trouble;

/* Each thread writes its number into what it holds, and finds it there again. Slots are scarce. */
static void *work(void *number) {
  uintptr_t me = (uintptr_t)number;
  uint64_t random = me * 2654435761u + 1;
  uintptr_t *held[HELD] = {NULL};
  for (int i = 0; i < ROUNDS; i++) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    uintptr_t **slot = &held[(random >> 33) % HELD];
    if (*slot) {
      if ((*slot)[0] != me || (*slot)[3] != ~me) trouble++;
      vk_slab_give(shared, *slot);
      *slot = NULL;
    } else if ((*slot = vk_slab_take(shared))) {
      (*slot)[0] = me;
      (*slot)[3] = ~me;
    }
  }
  for (int i = 0; i < HELD; i++)
    if (held[i]) vk_slab_give(shared, held[i]);
  return NULL;
}

static void test_threads(void) {
  pthread_t threads[THREADS];
  shared = vk_slab_new("shared", 32, SHARED_SLOTS);
  for (uintptr_t i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, work, (void *)(i + 1));
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  CHECK(trouble == 0);
  CHECK(slab_is_valid(shared));
  CHECK(vk_slab_stats(shared).used == 0);
  CHECK(vk_slab_stats(shared).used_max <= SHARED_SLOTS);
  CHECK(vk_slab_stats(shared).takes > ROUNDS);
}

int main(void) {
  test_one_thread();
  test_alignment();
  for (int i = 0; i < 3; i++) test_threads();
  int count = 0;
  for (VkSlab *s = NULL; (s = vk_slab_next(s));) count++;
  CHECK(count == 5);
  return check_done();
}
