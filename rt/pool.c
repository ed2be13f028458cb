/* pool.c - queue, tasks and workers (contract: pool.h).
 *
 * Everything that threads share is under pool.lock, which is held for a few instructions. A worker
 * looks for tasks when a fiber of it has run one, and at the end of a turn of its loop, when no
 * fiber is ready. If it finds none it notes what it is, IDLE, or WAITING for events of tasks that
 * have begun, and sleeps in its loop until somebody kicks it. */
#include "pool.h"
#include "fiber_impl.h"
#include "future.h"
#include "heap.h"
#include "isolate.h"
#include "limits.h"
#include "parcel_impl.h"
#include "process.h"
#include "scratch.h"
#include "vectors.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WORKERS_LEAST = 4, WORKERS_MOST = 1024, GRACE_MS = 1000 };

typedef enum TaskState { TASK_QUEUED, TASK_RUNNING, TASK_OVER } TaskState;
typedef struct Task {
  VkPost result, cancel;        /* to the origin; to the worker */
  _Atomic unsigned count;       /* who refers to it: the result on its way, the cancelling */
  struct Task *next, *previous; /* in the queue; under the lock */
  TaskState state;              /* under the lock */
  struct Worker *worker;        /* RUNNING: who runs it; under the lock */
  uint64_t number;              /* VkFiber.work of who runs it */
  VkStop stop;                  /* the origin's: it is to end, willing or not */
  VkFiber *fiber;               /* the worker's own: NULL unless it runs there */
  VkParcel *parcel; /* of the function, then of its value; NULL: no memory for that */
  VkInbox *origin;
  size_t slot;       /* the origin's: of its future */
  bool is_cancelled; /* the origin's: the future is resolved already */
} Task;

typedef enum WorkerState { WORKER_BUSY, WORKER_IDLE, WORKER_WAITING } WorkerState;
typedef struct Worker {
  VkIsolate *isolate;
  WorkerState state; /* under the lock */
  bool is_kicked;    /* under the lock: the post is on its way */
  VkPost kick;
  VkInbox *inbox;
  pid_t thread;
  VkTurnHook hook;
  size_t takers; /* fibers that run tasks */
} Worker;

typedef struct Taker { /* a fiber that runs tasks one by one */
  Worker *worker;
  Task *task; /* NULL between two */
} Taker;

static struct {
  pthread_mutex_t lock;
  size_t most, count; /* workers; most: 0 until it is known */
  Worker *workers[WORKERS_MOST];
  Task *first, *last;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- how many workers --------------------------------------------------------------------- */

static size_t workers_wanted(void) {
  const char *text = vk_setting("VALK_WORKERS");
  size_t n;
  if (text && *text) {
    if (vk_parse_size(text, &n) && n >= 1 && n <= WORKERS_MOST) return n;
    fprintf(stderr, "VALK_WORKERS=%s: not a number of workers, 1 to %d\n", text, WORKERS_MOST);
    vk_process_exit(2);
  }
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  n = cores > WORKERS_LEAST ? (size_t)cores : WORKERS_LEAST;
  return n < WORKERS_MOST ? n : WORKERS_MOST;
}

static size_t workers_most(void) { /* under the lock */
  if (!pool.most) pool.most = workers_wanted();
  return pool.most;
}

V vk_pool_size(vk *c) {
  (void)c;
  pthread_mutex_lock(&pool.lock);
  size_t n = workers_most();
  pthread_mutex_unlock(&pool.lock);
  return VK_FIX(n);
}

/* ---- the queue ------------------------------------------------------------------------------ */

static void queue_add(Task *t) {
  t->previous = pool.last;
  if (pool.last)
    pool.last->next = t;
  else
    pool.first = t;
  pool.last = t;
}

static void queue_remove(Task *t) {
  if (t->previous)
    t->previous->next = t->next;
  else
    pool.first = t->next;
  if (t->next)
    t->next->previous = t->previous;
  else
    pool.last = t->previous;
}

/* The next task for w; if there is none, w is what `otherwise` says from now on. */
static Task *take_task(Worker *w, WorkerState otherwise) {
  pthread_mutex_lock(&pool.lock);
  Task *t = pool.first;
  if (t) {
    queue_remove(t);
    t->state = TASK_RUNNING;
    t->worker = w;
  } else {
    w->state = otherwise;
  }
  pthread_mutex_unlock(&pool.lock);
  return t;
}

static void task_drop(Task *t) {
  if (atomic_fetch_sub(&t->count, 1) > 1) return;
  vk_stop_end(&t->stop);
  if (t->parcel) vk_parcel_free(t->parcel);
  vk_inbox_release(t->origin);
  free(t);
}

/* ---- futures, in the isolate that made them ---------------------------------------------------
 * A table holds the futures of tasks that are not over: a task is no root itself. Free slots are
 * a list of numbers.                                                                          */

struct VkTasks {
  V futures; /* a vector; a root */
  size_t free;
};
#define NO_SLOT ((size_t)-1)

static struct VkTasks *tasks_of(vk *c) {
  if (c->tasks) return c->tasks;
  struct VkTasks *tasks = calloc(1, sizeof *tasks);
  if (!tasks) return NULL;
  tasks->free = NO_SLOT;
  tasks->futures = VK_NIL;
  vk_root_add(c, &tasks->futures);
  tasks->futures = vk_vec_new(c, 16);
  return c->tasks = tasks;
}

static size_t slot_take(vk *c, V future) {
  struct VkTasks *tasks = c->tasks;
  size_t slot = tasks->free;
  if (slot == NO_SLOT) {
    vk_vec_append(c, tasks->futures, future);
    return vk_vec_count(tasks->futures) - 1;
  }
  tasks->free = (size_t)VK_INT(vk_vec_ref(c, tasks->futures, slot));
  vk_vec_put(c, tasks->futures, slot, future);
  return slot;
}

static V slot_give(vk *c, size_t slot) {
  struct VkTasks *tasks = c->tasks;
  V future = vk_vec_ref(c, tasks->futures, slot);
  vk_vec_put(c, tasks->futures, slot, VK_FIX(tasks->free));
  tasks->free = slot;
  return future;
}

static V no_room(vk *c, const char *what) {
  return vk_errorf(c, VK_SYM(out_of_memory), "out of memory: no room for %s of a task", what);
}

static V unpack_result(vk *c, Task *t) {
  VkParcel *p = t->parcel;
  t->parcel = NULL;
  return p ? vk_parcel_unpack(c, p) : no_room(c, "the value");
}

/* The result arrived. */
static void on_result(vk *c, VkPost *post) {
  Task *t = (Task *)((char *)post - offsetof(Task, result));
  V future = slot_give(c, t->slot);
  if (!t->is_cancelled) {
    vk_sched_unexpect(c);
    V value = unpack_result(c, t);
    vk_future_resolve(c, future, value);
    if (VK_IS_ABN(value) && !VK_FUT(future)->is_seen) fiber_note_lost(c, future);
  }
  task_drop(t);
}

/* ---- cancelling ----------------------------------------------------------------------------- */

/* In the worker. */
static void on_cancel(vk *c, VkPost *post) {
  Task *t = (Task *)((char *)post - offsetof(Task, cancel));
  if (t->fiber) vk_fiber_cancel(c, t->fiber);
  task_drop(t);
}

/* One that is not told within GRACE_MS, as it does not wait, is ended. */
static void cancel_task(vk *c, VkFuture *future) {
  Task *t = future->data;
  VkInbox *worker = NULL;
  pid_t thread = 0;
  pthread_mutex_lock(&pool.lock);
  bool was_queued = t->state == TASK_QUEUED;
  if (was_queued) queue_remove(t);
  if (t->state == TASK_RUNNING) worker = t->worker->inbox, thread = t->worker->thread;
  pthread_mutex_unlock(&pool.lock);
  V self = VK_FROM_OBJ(future);
  t->is_cancelled = true;
  if (worker) {
    atomic_fetch_add(&t->count, 1);
    t->cancel.handle = on_cancel;
    if (!vk_inbox_post(worker, &t->cancel)) task_drop(t);
    vk_stop_begin(&t->stop, thread, t->number, GRACE_MS);
  }
  vk_sched_unexpect(c);
  vk_future_resolve(c, self, vk_errorf(c, VK_SYM(cancelled), "cancelled"));
  if (!was_queued) return; /* the result comes, to be dropped */
  slot_give(c, t->slot);
  task_drop(t);
}
static const VkFutureOwner pool_owner = {cancel_task};

/* ---- running a task, in the worker ------------------------------------------------------------ */

static void task_over(vk *c, Task *t, V value) {
  V error = VK_NIL;
  c->fiber->work = 0;
  VkParcel *p = vk_parcel_pack(c, value, &error);
  if (!p) p = vk_parcel_pack(c, error, &error);
  pthread_mutex_lock(&pool.lock);
  t->state = TASK_OVER;
  pthread_mutex_unlock(&pool.lock);
  t->fiber = NULL;
  t->parcel = p;
  if (!vk_inbox_post(t->origin, &t->result)) task_drop(t);
}

static void run_task(vk *c, Task *t) {
  char *marks[2] = {vk_scratch_mark(c, 0), vk_scratch_mark(c, 1)};
  VkParcel *p = t->parcel;
  t->parcel = NULL;
  c->fiber->is_cancelled = c->fiber->is_condemned = false; /* meant for the task before */
  c->fiber->work = t->number;
  t->fiber = c->fiber;
  V v = vk_parcel_unpack(c, p);
  if (!VK_IS_ABN(v)) v = vk_call_placed(c, VK_ON_SCRATCH_0, v, 0, NULL);
  task_over(c, t, v); /* packs it */
  for (int s = 0; s < 2; s++) vk_scratch_reset(c, s, marks[s]);
}

static void take_tasks(vk *c, void *to) {
  Taker *taker = to;
  char *limit = c->tail_limit;
  while (taker->task) {
    run_task(c, taker->task);
    c->tail_limit = limit; /* a resumed tail call lowers it */
    taker->task = NULL;
    taker->task = take_task(taker->worker, WORKER_BUSY);
  }
}

/* error: why it did not come to its end. */
static void taker_ended(vk *c, void *to, V error) {
  Taker *taker = to;
  Worker *w = taker->worker;
  if (taker->task) task_over(c, taker->task, error);
  free(taker);
  w->takers--;
  vk_sched_at_turn_end(c, &w->hook);
}

static void start_taker(vk *c, Worker *w, Task *t) {
  Taker *taker = malloc(sizeof *taker);
  if (taker) {
    *taker = (Taker){w, t};
    VkFiberTask task = {
        .entry = take_tasks, .ended = taker_ended, .arg = taker, .value = VK_NIL, .is_deep = true};
    w->takers++;
    if (vk_fiber_start(c, &task)) return;
    w->takers--;
    free(taker);
  }
  task_over(c, t, no_room(c, "the stack"));
}

/* ---- workers ---------------------------------------------------------------------------------- */

/* At the end of a turn. */
static void look_for_task(vk *c, VkTurnHook *hook) {
  Worker *w = (Worker *)((char *)hook - offsetof(Worker, hook));
  if (!c->fibers->ready_count) {
    Task *t = take_task(w, w->takers ? WORKER_WAITING : WORKER_IDLE);
    if (!t) return;
    start_taker(c, w, t);
  }
  vk_sched_at_turn_end(c, hook);
}

/* Tasks that wait, for nothing that could come: they were not to wait for what later tasks of the same
 * worker do. */
static bool end_deadlock(vk *c) {
  V error = VK_NIL;
  const VkFiber *last = NULL;
  for (VkFiber *f; (f = sched_next_waiting(c->fibers, last ? last->number : 0)); last = f) {
    if (f->task.entry != take_tasks) continue;
    if (error == VK_NIL) error = sched_deadlock_error(c);
    if (f->wait->undo) f->wait->undo(c, f->wait);
    vk_fiber_wake(c, f, error);
  }
  return error != VK_NIL;
}

static void on_kick(vk *c, VkPost *post) {
  Worker *w = (Worker *)((char *)post - offsetof(Worker, kick));
  pthread_mutex_lock(&pool.lock);
  w->is_kicked = false;
  w->state = WORKER_BUSY;
  pthread_mutex_unlock(&pool.lock);
  vk_sched_at_turn_end(c, &w->hook);
}

static void worker_run(vk *c, void *to) {
  Worker *w = to;
  w->hook.run = look_for_task;
  vk_sched_begin(c);
  c->fibers->on_still = end_deadlock;
  pthread_mutex_lock(&pool.lock);
  w->inbox = vk_inbox(c);
  w->thread = vk_stop_thread();
  pthread_mutex_unlock(&pool.lock);
  vk_sched_at_turn_end(c, &w->hook);
  vk_sched_serve(c);
}

/* Under the lock. A new worker looks for tasks by itself. */
static bool start_worker(vk *c) {
  Worker *w = calloc(1, sizeof *w);
  if (!w) return false;
  w->kick.handle = on_kick;
  char name[16];
  snprintf(name, sizeof name, "valk pool %zu", pool.count + 1);
  VkIsolateSpec spec = {.name = name, .run = worker_run, .arg = w};
  w->isolate = vk_isolate_start(c, &spec);
  if (!w->isolate) {
    free(w);
    return false;
  }
  pool.workers[pool.count++] = w;
  return true;
}

static void kick(Worker *w) {
  w->is_kicked = true;
  vk_inbox_post(w->inbox, &w->kick);
}

/* Under the lock: sees to it that somebody takes the task just queued. */
static bool call_worker(vk *c) {
  for (size_t i = 0; i < pool.count; i++)
    if (pool.workers[i]->state == WORKER_IDLE && !pool.workers[i]->is_kicked) {
      kick(pool.workers[i]);
      return true;
    }
  if (pool.count < workers_most() && start_worker(c)) return true;
  for (size_t i = 0; i < pool.count; i++)
    if (pool.workers[i]->state == WORKER_WAITING && !pool.workers[i]->is_kicked)
      kick(pool.workers[i]);
  return pool.count > 0;
}

/* ---- a task of the evaluator's, in this isolate ------------------------------------------------ */

static V copy_here(vk *c, V v) {
  ParcelRefusal r;
  VkParcel *p = parcel_pack(c, &v, 1, PARCEL_STAY, &r);
  if (p) return vk_parcel_unpack(c, p);
  return r.value == VK_NIL ? no_room(c, "a copy")
                           : parcel_refusal_error(c, v, r.value, PARCEL_STAY);
}

static void run_here(vk *c, void *arg) {
  (void)arg;
  VkFiber *f = c->fiber;
  f->wake_value = copy_here(c, vk_call(c, f->task.value, 0, NULL));
}

static void ended_here(vk *c, void *arg, V error) {
  (void)arg;
  VkFiber *f = c->fiber;
  V value = VK_IS_NIL(error) ? f->wake_value : error;
  vk_future_resolve(c, f->future, value);
  if (VK_IS_ABN(value) && !VK_FUT(f->future)->is_seen) fiber_note_lost(c, f->future);
}

static void cancel_here(vk *c, VkFuture *future) { vk_fiber_cancel(c, future->data); }
static const VkFutureOwner here_owner = {cancel_here};

static V future_here(vk *c, V fn) {
  fn = copy_here(c, fn);
  if (VK_IS_ABN(fn)) return fn;
  V future = vk_future_new(c, &here_owner, NULL);
  VkFiberTask task = {.entry = run_here, .ended = ended_here, .value = fn, .is_deep = true};
  VkFiber *f = vk_fiber_start(c, &task);
  if (!f) return no_room(c, "the stack");
  f->future = future;
  VK_FUT(future)->data = f;
  return future;
}

/* ---- the primitive ----------------------------------------------------------------------------- */

static bool queue_task(vk *c, Task *t) {
  pthread_mutex_lock(&pool.lock);
  queue_add(t);
  bool is_called = call_worker(c);
  if (!is_called) queue_remove(t);
  pthread_mutex_unlock(&pool.lock);
  return is_called;
}

static V begin_task(vk *c, VkParcel *p) {
  static _Atomic uint64_t last_number;
  Task *t = calloc(1, sizeof *t);
  if (!t || !tasks_of(c)) {
    free(t);
    vk_parcel_free(p);
    return no_room(c, "the record");
  }
  vk_sched_begin(c);
  V future = vk_future_new(c, &pool_owner, t);
  t->count = 1;
  t->number = atomic_fetch_add(&last_number, 1) + 1;
  t->parcel = p;
  t->origin = vk_inbox(c);
  t->result.handle = on_result;
  t->slot = slot_take(c, future);
  vk_sched_expect(c);
  if (queue_task(c, t)) return future;
  vk_sched_unexpect(c);
  slot_give(c, t->slot);
  task_drop(t);
  return no_room(c, "the thread");
}

V vk_pool_future(vk *c, V fn) {
  if (VK_IS_ABN(fn)) return fn;
  vk_globals_share(c);
  ParcelRefusal r;
  VkParcel *p = parcel_pack(c, &fn, 1, PARCEL_SEND, &r);
  if (p) return begin_task(c, p);
  if (VK_IS_KIND(r.value, VK_CLOSURE)) return future_here(c, fn);
  return r.value == VK_NIL ? no_room(c, "a copy")
                           : parcel_refusal_error(c, fn, r.value, PARCEL_SEND);
}
