/* pool.h - the worker pool: tasks that run in other isolates.
 *
 *   (future e)   e as a function --parcel--> queue --> a worker --parcel--> inbox --> the future
 *
 * The process has one pool of VALK_WORKERS workers (default: one per core, at least 4), each an
 * isolate with a thread, started when a task finds none idle. Idle ones sleep. A worker runs tasks
 * in fibers, one until it ends or waits; while tasks wait it takes further ones, so tasks may
 * await each other to any depth.
 *
 * A stack overflow, a full heap or an error ends the task: its future gets the error, the worker
 * goes on. Cancelling resolves the future at once; the task itself, if it has begun, ends at its
 * next wait, or what it gives is dropped.
 *
 * Functions of the evaluator belong to one isolate: their tasks run in a fiber of it, with what
 * they captured and what they give copied all the same. */
#ifndef VK_POOL_H
#define VK_POOL_H
#include "vk.h"

/* A future of what fn, called without arguments in another isolate, gives; or an error. */
V vk_pool_future(vk *c, V fn);
/* How many workers the pool has at most. */
V vk_pool_size(vk *c);
#endif
