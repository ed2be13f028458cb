/* loop.c - libuv's loop as the scheduler's poller (contract: loop.h). */
#include "loop.h"
#include "request.h"
#include "sched.h"
#ifdef __GLIBC__
#include <nss.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

typedef struct NetPoller {
  VkPoller base;
  NetLoop *loop;
  uv_async_t woken;
  uv_timer_t timeout;
  bool timeout_runs;
} NetPoller;

static _Noreturn void no_loop(const char *why) {
  fprintf(stderr, "valk: no event loop: %s\n", why);
  exit(1);
}

static void *need(size_t bytes) {
  void *p = malloc(bytes);
  if (!p) no_loop("out of memory");
  return p;
}

/* ---- the poller -------------------------------------------------------------------------- */

static void do_nothing(uv_async_t *handle) { (void)handle; }
static void on_timeout(uv_timer_t *handle) {
  ((NetPoller *)handle->data)->timeout_runs = false;
}

static void poll_events(VkPoller *base, vk *c, int64_t timeout_ns) {
  enum { NS_PER_MS = 1000000 };
  NetPoller *p = (NetPoller *)base;
  uv_loop_t *uv = &p->loop->uv;
  (void)c;
  if (timeout_ns > 0) {
    uv_update_time(uv);
    uv_timer_start(&p->timeout, on_timeout, (uint64_t)((timeout_ns - 1) / NS_PER_MS + 1), 0);
    p->timeout_runs = true;
  } else if (p->timeout_runs) {
    uv_timer_stop(&p->timeout);
    p->timeout_runs = false;
  }
  uv_run(uv, timeout_ns == 0 ? UV_RUN_NOWAIT : UV_RUN_ONCE);
}

static void wake(VkPoller *base) { uv_async_send(&((NetPoller *)base)->woken); }

static bool is_active(VkPoller *base, vk *c) {
  (void)c;
  return ((NetPoller *)base)->loop->users > 0;
}

/* The isolate's thread ends: nobody waits for what is still open. */
static void close_handle(uv_handle_t *handle, void *unused) {
  (void)unused;
  if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

static void end(VkPoller *base, vk *c) {
  NetPoller *p = (NetPoller *)base;
  NetLoop *l = p->loop;
  if (l->users) return; /* their memory goes with the process */
  if (l->end_clients) l->end_clients(l);
  uv_walk(&l->uv, close_handle, NULL);
  uv_run(&l->uv, UV_RUN_DEFAULT);
  uv_loop_close(&l->uv);
  net_buffer_give(&l->memory, l->out);
  if (l->sealed) net_buffer_give(&l->memory, l->sealed);
  net_memory_free(&l->memory);
  net_requests_free(l);
  free(l->in);
  free(l->opened);
  free(p);
  c->net = NULL;
  free(l);
}

/* ---- making ------------------------------------------------------------------------------ */

/* A static program must not load the modules that nsswitch.conf names: they bring a second C
 * library with them, and crash. glibc has what files and DNS need in itself. */
static void set_name_services(void) {
#ifdef __GLIBC__
  static const char *const local[] = {"passwd", "group", "services", "protocols"};
  __nss_configure_lookup("hosts", "files dns");
  for (size_t i = 0; i < sizeof local / sizeof *local; i++)
    __nss_configure_lookup(local[i], "files");
#endif
}

const char *net_loop_host(const char *name) {
  bool is_this = !strcasecmp(name, "localhost") && access("/etc/hosts", R_OK) != 0;
  return is_this ? "127.0.0.1" : name;
}

static NetLoop *make(vk *c) {
  NetLoop *l = calloc(1, sizeof *l);
  NetPoller *p = calloc(1, sizeof *p);
  if (!l || !p) no_loop("out of memory");
  int status = uv_loop_init(&l->uv);
  if (!status) status = uv_async_init(&l->uv, &p->woken, do_nothing);
  if (!status) status = uv_timer_init(&l->uv, &p->timeout);
  if (status) no_loop(uv_strerror(status));
  set_name_services();
  signal(SIGPIPE, SIG_IGN); /* a write to a connection that is gone is an error like others */
  l->isolate = c;
  net_memory_init(&l->memory);
  l->out = net_buffer_take(&l->memory);
  l->in = need(NET_READ_BYTES);
  p->base = (VkPoller){poll_events, wake, is_active, end};
  p->loop = l;
  p->timeout.data = p;
  c->net = l;
  vk_sched_set_poller(c, &p->base);
  return l;
}

NetLoop *net_loop(vk *c) { return c->net ? c->net : make(c); }

void net_loop_need_tls(NetLoop *l) {
  if (l->sealed) return;
  l->sealed = net_buffer_take(&l->memory);
  l->opened = need(NET_READ_BYTES);
}

/* ---- the date ---------------------------------------------------------------------------- */

const char *net_loop_date(NetLoop *l) {
  uint64_t now_ms = uv_now(&l->uv);
  if (now_ms < l->date_until_ms) return l->date;
  static const char days[] = "SunMonTueWedThuFriSat",
                    months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  struct timespec now;
  struct tm t;
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &t);
  snprintf(l->date, sizeof l->date, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
           days + 3 * t.tm_wday, (unsigned)t.tm_mday % 100, months + 3 * t.tm_mon,
           (unsigned)(t.tm_year + 1900) % 10000, (unsigned)t.tm_hour % 100,
           (unsigned)t.tm_min % 100, (unsigned)t.tm_sec % 100);
  l->date_until_ms = now_ms + 1000 - (uint64_t)now.tv_nsec / 1000000;
  return l->date;
}
