/* signals.c - see signals.h. */
#include "signals.h"
#include "log.h"
#include "process.h"
#include "server.h"
#include <signal.h>
#include <stdlib.h>

/* Signals are the process's: one loop takes them. */
static NetLoop *taker;
static bool is_ending;

static void stop_servers(NetLoop *l) {
  for (NetServer *s = l->servers, *next; s; s = next) {
    next = s->next;
    net_server_stop(s);
  }
}

static void on_end(uv_signal_t *handle, int number) {
  NetLoop *l = handle->data;
  const char *name = number == SIGINT ? "SIGINT" : "SIGTERM";
  if (is_ending) {
    net_log("%s again: ending at once", name);
    vk_process_exit(128 + number);
  }
  net_log("%s: stopping", name);
  is_ending = true;
  stop_servers(l);
  net_signals_server_ended(l);
}

static void on_hangup(uv_signal_t *handle, int number) {
  NetLoop *l = handle->data;
  (void)number;
  for (NetServer *s = l->servers; s; s = s->next) net_server_reload(s);
}

void net_signals_server_ended(NetLoop *l) {
  if (is_ending && l == taker && !l->servers) vk_process_exit(0);
}

static bool is_untouched(int number) {
  struct sigaction now;
  return sigaction(number, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
         now.sa_handler == SIG_DFL;
}

static void take(NetLoop *l, int number, uv_signal_cb handler) {
  if (!is_untouched(number)) return;
  uv_signal_t *handle = malloc(sizeof *handle);
  if (!handle) return;
  if (uv_signal_init(&l->uv, handle)) {
    free(handle);
    return;
  }
  handle->data = l;
  uv_signal_start(handle, handler, number);
}

void net_signals_start(NetLoop *l) {
  NetLoop *none = NULL;
  if (!__atomic_compare_exchange_n(&taker, &none, l, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    return;
  take(l, SIGTERM, on_end);
  take(l, SIGINT, on_end);
  take(l, SIGHUP, on_hangup);
}
