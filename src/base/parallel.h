/* parallel.h — the thread pool that kernels and data loading share.
 *
 * Work is cut into tasks by the shape of the problem, never by the number of
 * threads; threads take tasks in any order, and every task writes its own
 * part of the result. So results do not depend on the number of threads.
 */
#ifndef URSA_BASE_PARALLEL_H
#define URSA_BASE_PARALLEL_H

#include <ursa/base.h>

/* Runs task(context, 0 … count-1), each once, on the calling thread and the
 * pool's, and returns when all are done. Called from within a task it runs
 * everything on the calling thread. An error latched by a task is latched on
 * the caller; returns false then. */
typedef void ursa_task(void *context, int64_t index);
bool ursa_parallel(int64_t count, ursa_task *task, void *context);

/* Like ursa_parallel over ceil(total / grain) ranges [begin, end) of `grain`
 * items. */
typedef void ursa_range_task(void *context, int64_t begin, int64_t end);
bool ursa_parallel_range(int64_t total, int64_t grain, ursa_range_task *task, void *context);

/* Joins the threads of the pool; the next use starts them again. For
 * ursa_finish(). */
void ursa_pool_stop(void);

/* Scratch memory of the calling thread, aligned to 64 bytes, at least `bytes`
 * long, contents undefined, valid until the same thread next asks for the same
 * slot (0 … 6). NULL with an error when memory runs out. */
void *ursa_scratch(int slot, size_t bytes);

/* A job that runs on the pool in the background; kernels take precedence. */
typedef struct ursa_job ursa_job;
ursa_job *ursa_job_start(void (*run)(void *context), void *context);
/* Waits for it (running it here if nobody has begun), moves its error to the
 * caller, frees it; false when it failed. Takes NULL. */
bool ursa_job_wait(ursa_job *job);

#endif
