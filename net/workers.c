/* workers.c - see workers.h. What crosses threads: the fields of NetWorker set before its
 * start, and messages. */
#include "workers.h"
#include "heap.h"
#include "isolate.h"
#include "log.h"
#include "parcel.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct NetWorker {
  VkPost began, ended; /* to the first worker */
  NetServer *first;    /* which outlives it */
  VkIsolate *isolate;
  NetServerSpec spec; /* all but the handler; its texts are the first worker's */
  VkParcel *handler;
  VkInbox *inbox;    /* its own, held by the first worker */
  NetServer *server; /* used by its own thread */
  uint64_t requests; /* set at its end */
  unsigned number;
  bool has_begun; /* known to the first worker: inbox is set */
} NetWorker;

typedef struct NetWorkers {
  VkInbox *inbox; /* of the first worker's isolate */
  unsigned count, alive;
  bool is_stopping;
  NetWorker workers[];
} NetWorkers;

/* ---- orders to workers ------------------------------------------------------------------- */

typedef struct Order {
  VkPost message;
  NetWorker *worker;
  void (*run)(NetServer *s);
} Order;

static void obey(vk *c, VkPost *m) {
  Order *order = (Order *)m;
  (void)c;
  if (order->worker->server) order->run(order->worker->server);
  free(order);
}

static void send_order(NetWorker *w, void (*run)(NetServer *s)) {
  Order *order = w->has_begun ? malloc(sizeof *order) : NULL;
  if (!order) return;
  *order = (Order){.message.handle = obey, .worker = w, .run = run};
  if (!vk_inbox_post(w->inbox, &order->message)) free(order);
}

static void send_all(NetServer *s, void (*run)(NetServer *s)) {
  for (unsigned i = 0; s->workers && i < s->workers->count; i++)
    send_order(&s->workers->workers[i], run);
}

void net_workers_stop(NetServer *s) {
  if (s->workers) s->workers->is_stopping = true;
  send_all(s, net_server_stop);
}

void net_workers_reload(NetServer *s) { send_all(s, net_server_reload); }

/* ---- news from workers ------------------------------------------------------------------- */

static NetWorker *worker_of(VkPost *m, size_t offset) {
  return (NetWorker *)((char *)m - offset);
}

static void on_began(vk *c, VkPost *m) {
  NetWorker *w = worker_of(m, offsetof(NetWorker, began));
  (void)c;
  w->has_begun = true;
  if (w->first->workers->is_stopping) send_order(w, net_server_stop);
}

static void on_ended(vk *c, VkPost *m) {
  NetWorker *w = worker_of(m, offsetof(NetWorker, ended));
  NetServer *s = w->first;
  NetWorkers *all = s->workers;
  vk_isolate_join(w->isolate);
  if (w->inbox) vk_inbox_release(w->inbox);
  s->requests += w->requests;
  vk_sched_unexpect(c);
  if (--all->alive) return;
  vk_inbox_release(all->inbox);
  free(all);
  s->workers = NULL;
  net_server_workers_ended(s);
}

/* ---- in the worker's isolate ------------------------------------------------------------- */

static void tell_first(NetWorker *w, VkPost *m, void (*handle)(vk *c, VkPost *m)) {
  m->handle = handle;
  vk_inbox_post(w->first->workers->inbox, m);
}

void net_workers_server_ended(NetServer *s) {
  NetWorker *w = s->worker;
  w->server = NULL;
  w->requests = s->requests;
  vk_sched_stop(s->loop->isolate);
}

static bool start_serving(vk *c, NetWorker *w, V handler) {
  char why[400];
  w->spec.handler = handler;
  w->server = net_server_start(net_loop(c), &w->spec, why, sizeof why);
  if (!w->server) net_log("worker %u: %s", w->number, why);
  return w->server;
}

static void run_worker(vk *c, void *arg) {
  NetWorker *w = arg;
  V handler = vk_parcel_unpack(c, w->handler);
  if (VK_IS_ABN(handler)) {
    net_log("worker %u: no memory for the handler", w->number);
  } else if (start_serving(c, w, handler)) {
    w->inbox = vk_inbox(c);
    tell_first(w, &w->began, on_began);
    vk_sched_serve(c);
  }
  tell_first(w, &w->ended, on_ended);
}

/* ---- starting ---------------------------------------------------------------------------- */

static bool start_worker(vk *c, NetWorker *w) {
  VkIsolateSpec spec = {.run = run_worker, .arg = w};
  char name[16];
  snprintf(name, sizeof name, "server %u", w->number);
  spec.name = name;
  w->isolate = vk_isolate_start(c, &spec);
  if (!w->isolate) return false;
  w->first->workers->alive++;
  vk_sched_expect(c);
  return true;
}

V net_workers_start(NetServer *s, unsigned count) {
  vk *c = s->loop->isolate;
  V error = VK_NIL;
  vk_globals_share(c);
  NetWorkers *all = calloc(1, sizeof *all + count * sizeof *all->workers);
  if (!all) return vk_out_of_memory(c, count * sizeof *all->workers);
  all->inbox = vk_inbox(c);
  s->workers = all;
  for (unsigned i = 0; i < count; i++) {
    NetWorker *w = &all->workers[i];
    *w = (NetWorker){.first = s, .number = i + 2};
    w->handler = vk_parcel_pack(c, s->handler, &error);
    if (!w->handler) break;
    w->spec = net_server_spec_of(s);
    w->spec.worker = w;
    if (!start_worker(c, w)) {
      vk_parcel_free(w->handler);
      error = vk_errorf(c, VK_SYM(out_of_memory), "no thread for worker %u", w->number);
      break;
    }
    all->count++;
  }
  if (all->alive) return error;
  vk_inbox_release(all->inbox);
  free(all);
  s->workers = NULL;
  return error;
}
