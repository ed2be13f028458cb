/* channel_test.c - channels between isolates on threads of their own: order, closing, cancelling, ends.
 *
 * `make tsan` runs it under ThreadSanitizer. */
#include "../../rt/errors.h"
#include "../../rt/fault.h"
#include "../../rt/fiber_impl.h"
#include "../../rt/fns.h"
#include "../../rt/future.h"
#include "../../rt/heap.h"
#include "../../rt/parcel.h"
#include "../../rt/stack.h"
#include "../../rt/strings.h"
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const VkProgram program;
enum { ISOLATE_STACK = 256 << 10 };

typedef struct Isolate {
  vk c VK_ALIGN16;
  VkFiber main;
  char *stack;
  void (*run)(vk *c, void *arg);
  void *arg;
  pthread_t thread;
} Isolate;

static void run_isolate(void *arg) {
  Isolate *i = arg;
  i->run(&i->c, i->arg);
  vk_sched_free(&i->c);
}

static void *isolate_thread(void *arg) {
  Isolate *i = arg;
  VkLimits limits = {
      .heap_limit_bytes = 64 << 20, .gc_threshold_bytes = 1 << 20, .arena_bytes = 1 << 20};
  i->c.fiber = &i->main;
  i->c.program = &program;
  i->stack = aligned_alloc(4096, ISOLATE_STACK);
  i->main.stack_limit = i->stack;
  i->main.stack_base = i->stack + ISOLATE_STACK;
  vk_heap_new(&i->c, &limits);
  stack_t signal_stack; /* AddressSanitizer frees the one it made */
  sigaltstack(NULL, &signal_stack);
  vk_fault_init(&i->c);
  vk_stack_call(&i->main, run_isolate, i);
  sigaltstack(&signal_stack, NULL);
  vk_heap_free(&i->c);
  free(i->stack);
  return NULL;
}

static Isolate *isolate_start(void (*run)(vk *c, void *arg), void *arg) {
  Isolate *i = aligned_alloc(16, (sizeof *i + 15) / 16 * 16);
  memset(i, 0, sizeof *i);
  i->run = run;
  i->arg = arg;
  pthread_create(&i->thread, NULL, isolate_thread, i);
  return i;
}

static void isolate_join(Isolate *i) {
  pthread_join(i->thread, NULL);
  free(i);
}

static VkParcel *packed(vk *c, V v) {
  V error;
  return vk_parcel_pack(c, v, &error);
}
static bool is_kind(V error, V kind) { return VK_IS_ABN(error) && VK_ERR(error)->kind == kind; }
static V channel_of(vk *c, int64_t capacity) {
  V n = VK_FIX(capacity);
  return vk_chan(c, 1, &n);
}

/* ---- many senders, many receivers --------------------------------------------------------------- */

enum { SENDERS = 3, RECEIVERS = 2, VALUES = 3000 };
static int64_t sums[RECEIVERS], counts[RECEIVERS];
static int out_of_order;

typedef struct Part {
  VkParcel *channels; /* values, done */
  int64_t number;
} Part;

static void send_part(vk *c, void *arg) {
  Part *p = arg;
  V both = vk_parcel_unpack(c, p->channels), values = VK_HEAD(both),
    done = VK_HEAD(VK_TAIL(both));
  for (int64_t i = 0; i < VALUES; i++) {
    V item = vk_cons(c, VK_FIX(p->number), vk_cons(c, VK_FIX(i), VK_NIL));
    CHECK(vk_send(c, values, item) == VK_NIL);
    if (i % 500 == 0) vk_collect(c);
  }
  CHECK(vk_send(c, done, VK_NIL) == VK_NIL);
}

static void receive_part(vk *c, void *arg) {
  Part *p = arg;
  V both = vk_parcel_unpack(c, p->channels), values = VK_HEAD(both);
  int64_t last[SENDERS] = {-1, -1, -1};
  for (V v; (v = vk_recv(c, values)) != VK_NIL;) {
    int64_t from = VK_INT(VK_HEAD(v)), i = VK_INT(VK_HEAD(VK_TAIL(v)));
    if (i <= last[from]) out_of_order++;
    last[from] = i;
    sums[p->number] += i;
    counts[p->number]++;
  }
  CHECK(vk_closed_p(c, values) == VK_TRUE);
}

static void many(vk *c, void *capacity) {
  V values = channel_of(c, (int64_t)(intptr_t)capacity), done = channel_of(c, 0);
  V both = vk_cons(c, values, vk_cons(c, done, VK_NIL));
  Isolate *all[SENDERS + RECEIVERS];
  Part parts[SENDERS + RECEIVERS];
  memset(sums, 0, sizeof sums);
  memset(counts, 0, sizeof counts);
  for (int i = 0; i < SENDERS + RECEIVERS; i++) {
    bool is_sender = i < SENDERS;
    parts[i] = (Part){packed(c, both), is_sender ? i : i - SENDERS};
    all[i] = isolate_start(is_sender ? send_part : receive_part, &parts[i]);
  }
  for (int i = 0; i < SENDERS; i++) CHECK(vk_recv(c, done) == VK_NIL);
  vk_close(c, values);
  for (int i = 0; i < SENDERS + RECEIVERS; i++) isolate_join(all[i]);
  CHECK(counts[0] + counts[1] == SENDERS * VALUES);
  CHECK(sums[0] + sums[1] == (int64_t)SENDERS * VALUES * (VALUES - 1) / 2);
  CHECK(!out_of_order);
}

/* ---- sharing one in use ----------------------------------------------------------------------------- */

static V from_fiber;
static void recv_in_fiber(vk *c, void *arg) {
  (void)arg;
  from_fiber = vk_recv(c, vk_fiber_value(c));
}
static void send_one(vk *c, void *arg) {
  V channel = vk_parcel_unpack(c, arg);
  CHECK(vk_send(c, channel, vk_string(c, "text", 4)) == VK_NIL);
}
static void receive_two(vk *c, void *arg) {
  V channel = vk_parcel_unpack(c, arg);
  CHECK(vk_recv(c, channel) == VK_FIX(1));
  V second = vk_recv(c, channel);
  CHECK(is_kind(second, VK_SYM(not_sendable)));
}

static void in_use(vk *c, void *arg) {
  (void)arg;
  V waited = channel_of(c, 0);
  VkFiberTask task = {.entry = recv_in_fiber, .value = waited};
  vk_fiber_start(c, &task);
  vk_fiber_yield(c);
  isolate_join(isolate_start(send_one, packed(c, waited))); /* its fiber waits since before */
  while (vk_sched_stats(c).fibers) vk_fiber_yield(c);
  CHECK(VK_IS_STRING(from_fiber) && VK_STR(from_fiber)->len == 4);
  V full = channel_of(c, 2);
  vk_send(c, full, VK_FIX(1));
  vk_send(c, full, vk_atom(c, VK_NIL)); /* which does not cross: its receiver learns it */
  VkParcel *p = packed(c, full);
  CHECK(is_kind(vk_send(c, full, vk_atom(c, VK_NIL)), VK_SYM(not_sendable)));
  isolate_join(isolate_start(receive_two, p));
}

/* ---- cancelling and ends ------------------------------------------------------------------------------ */

static void wait_and_leave(vk *c, void *arg) {
  V channel = vk_parcel_unpack(c, arg);
  for (int i = 0; i < 10; i++) {
    VkFiberTask task = {.entry = recv_in_fiber, .value = channel};
    vk_fiber_start(c, &task);
  }
  vk_fiber_yield(c);
} /* ends with fibers waiting */

static void leaving(vk *c, void *arg) {
  (void)arg;
  V channel = channel_of(c, 0);
  isolate_join(isolate_start(wait_and_leave, packed(c, channel)));
  VkFiberTask task = {.entry = recv_in_fiber, .value = channel};
  VkFiber *f = vk_fiber_start(c, &task);
  vk_fiber_yield(c);
  vk_fiber_cancel(c, f);
  vk_fiber_yield(c);
  CHECK(is_kind(from_fiber, VK_SYM(cancelled)));
  vk_fiber_start(c, &task);
  vk_fiber_yield(c);
  CHECK(vk_send(c, channel, VK_FIX(9)) == VK_NIL); /* to the one who is still there */
  while (vk_sched_stats(c).fibers) vk_fiber_yield(c);
  CHECK(from_fiber == VK_FIX(9));
}

/* Receivers that give up while they are served lose nothing. */
enum { CANCELS = 2000 };
static void send_many(vk *c, void *arg) {
  V channel = vk_parcel_unpack(c, arg);
  for (int64_t i = 0; i < CANCELS; i++) vk_send(c, channel, VK_FIX(i));
  vk_close(c, channel);
}

static int64_t got_count;
static VkFiber *waiting_one; /* or NULL */
static void recv_counted(vk *c, void *arg) {
  (void)arg;
  waiting_one = c->fiber;
  V v = vk_recv(c, vk_fiber_value(c));
  if (waiting_one == c->fiber) waiting_one = NULL;
  if (VK_IS_FIX(v)) got_count++;
}

static void giving_up(vk *c, void *arg) {
  (void)arg;
  V channel = channel_of(c, 1);
  Isolate *other = isolate_start(send_many, packed(c, channel));
  VkFiberTask task = {.entry = recv_counted, .value = channel};
  for (int i = 0; vk_closed_p(c, channel) == VK_FALSE; i++) {
    vk_fiber_start(c, &task);
    vk_fiber_yield(c);
    if (i % 3 == 0 && waiting_one) vk_fiber_cancel(c, waiting_one);
    while (vk_sched_stats(c).fibers > 3) vk_fiber_yield(c);
  }
  while (vk_sched_stats(c).fibers) vk_fiber_yield(c);
  isolate_join(other);
  CHECK(got_count == CANCELS);
}

int main(void) {
  isolate_join(isolate_start(many, (void *)0));
  isolate_join(isolate_start(many, (void *)1));
  isolate_join(isolate_start(many, (void *)100));
  isolate_join(isolate_start(in_use, NULL));
  isolate_join(isolate_start(leaving, NULL));
  isolate_join(isolate_start(giving_up, NULL));
  return check_done();
}
