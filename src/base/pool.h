/* pool.h — what the parts of the thread pool know of each other: pool.c owns
 * the threads, parallel.c the loops of kernels, job.c the background jobs. */
#ifndef URSA_BASE_POOL_H
#define URSA_BASE_POOL_H

#include <stdbool.h>
#include <stdint.h>

/* Starts the threads if they are not running. Returns how many there are
 * besides the caller; 0 when one thread is all there is to be. */
int ursa_pool_start(void);

/* Wakes sleeping threads, up to `count`, after work was published. */
void ursa_pool_wake(int64_t count);

/* How deep in tasks and jobs this thread is. Above 0 everything runs inline. */
extern _Thread_local int ursa_task_depth;

/* Spins for a few microseconds, until ready(context). False when it was not. */
bool ursa_pool_spin(bool (*ready)(void *context), void *context);

/* parallel.c: is a loop open that a thread which has last seen loop `*seen`
 * has not looked at yet? And: joins it until its tasks are all taken. */
bool ursa_loop_is_open(uint64_t seen);
bool ursa_loop_join(uint64_t *seen);

/* Keep loops from running while the pool is stopped. */
void ursa_loop_lock(void);
void ursa_loop_unlock(void);

/* job.c: is a job waiting to be begun? And: runs the oldest, if there is one. */
bool ursa_job_is_queued(void);
bool ursa_job_run_one(void);

#endif
