/* runner.c - handlers in fibers (contract: runner.h). */
#include "runner.h"
#include "future.h"
#include "log.h"
#include "scratch.h"
#include "server.h"
#include <stdlib.h>

enum { RUNNERS_KEPT = 64 };
#define NOT_A_TASK ((uint64_t)1 << 63) /* of the pool, whose numbers are small */

typedef struct NetRunner {
  VkWait wait; /* for work */
  struct NetRunner *next_idle;
  NetLoop *loop;
  VkFiber *fiber;
  NetRequest *request; /* whose handler runs or waits */
} NetRunner;

/* ---- the queue --------------------------------------------------------------------------- */

void net_runner_add(NetLoop *l, NetRequest *r) {
  r->next_ready = NULL;
  if (l->first_ready)
    l->last_ready->next_ready = r;
  else
    l->first_ready = r;
  l->last_ready = r;
}

void net_runner_remove(NetLoop *l, NetRequest *r) {
  NetRequest **at = &l->first_ready, *previous = NULL;
  for (; *at && *at != r; at = &(*at)->next_ready) previous = *at;
  if (!*at) return;
  *at = r->next_ready;
  if (l->last_ready == r) l->last_ready = previous;
}

static NetRequest *take_ready(NetLoop *l) {
  NetRequest *r = l->first_ready;
  if (r) l->first_ready = r->next_ready;
  return r;
}

/* ---- runners ----------------------------------------------------------------------------- */

static void run_requests(vk *c, void *arg);
static void runner_ended(vk *c, void *arg, V error);

static bool start(NetLoop *l) {
  NetRunner *runner = calloc(1, sizeof *runner);
  if (!runner) return false;
  runner->loop = l;
  runner->wait.what = "a request";
  VkFiberTask task = {
      .entry = run_requests, .ended = runner_ended, .arg = runner, .value = VK_NIL};
  runner->fiber = vk_fiber_start(l->isolate, &task);
  if (!runner->fiber) {
    free(runner);
    return false;
  }
  return true;
}

/* Makes sure that somebody will look at the queue after those that run now. */
static bool stand_by(NetLoop *l) {
  if (l->has_standby) return true;
  NetRunner *runner = l->idle_runners;
  if (runner) {
    l->idle_runners = runner->next_idle;
    l->idle_runner_count--;
    vk_fiber_wake(l->isolate, runner->fiber, VK_NIL);
  } else if (!start(l)) {
    return false;
  }
  l->has_standby = true;
  return true;
}

/* The extent of a handler is a region: what it made in scratch, its result too, is given back once the
 * response is submitted (net_answer copies what that needs). */
static void run_one(vk *c, NetRunner *runner, NetRequest *r) {
  NetLoop *l = runner->loop;
  char *marks[2] = {vk_scratch_mark(c, 0), vk_scratch_mark(c, 1)};
  V value = net_request_value(l, r);
  runner->request = r;
  r->runner = runner;
  c->fiber->is_condemned = false;
  c->fiber->work = NOT_A_TASK | ++l->handled;
  V result = vk_call_placed(c, VK_ON_SCRATCH_0, net_request_handler(r), 1, &value);
  if (VK_IS_FUTURE(result)) result = vk_future_await(c, result, -1);
  runner->request = NULL;
  r->runner = NULL;
  c->fiber->is_cancelled = false; /* that was meant for this request */
  net_request_handled(r, result);
  for (int s = 0; s < 2; s++) vk_scratch_reset(c, s, marks[s]);
}

static void run_requests(vk *c, void *arg) {
  NetRunner *runner = arg;
  NetLoop *l = runner->loop;
  for (;;) {
    l->has_standby = false;
    for (NetRequest *r; (r = take_ready(l));) {
      if (l->first_ready) stand_by(l);
      run_one(c, runner, r);
    }
    if (l->idle_runner_count >= RUNNERS_KEPT || !l->servers) return;
    runner->next_idle = l->idle_runners;
    l->idle_runners = runner;
    l->idle_runner_count++;
    vk_scratch_free(c);
    vk_fiber_wait(c, &runner->wait);
  }
}

/* It returned, or its handler used up its stack or too much time. */
static void runner_ended(vk *c, void *arg, V error) {
  NetRunner *runner = arg;
  NetRequest *r = runner->request;
  NetLoop *l = runner->loop;
  free(runner);
  if (!r) return;
  r->runner = NULL;
  if (c->fiber->is_condemned)
    net_request_stopped(r, error);
  else
    net_request_handled(r, error);
  if (l->first_ready) stand_by(l);
}

void net_runner_run(NetLoop *l) {
  if (!l->first_ready) return;
  if (stand_by(l)) {
    vk_sched_run_ready(l->isolate);
    return;
  }
  for (NetRequest *r; (r = take_ready(l));) net_request_refused(r);
}

void net_runner_cancel(NetRequest *r) {
  vk_fiber_cancel(r->runner->loop->isolate, r->runner->fiber);
}

void net_runner_end(NetLoop *l) {
  for (NetRunner *runner; (runner = l->idle_runners);) {
    l->idle_runners = runner->next_idle;
    l->idle_runner_count--;
    vk_fiber_wake(l->isolate, runner->fiber, VK_NIL);
  }
}
