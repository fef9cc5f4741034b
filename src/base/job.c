/* job.c — background jobs. They wait in one queue, in the order they were
 * started; idle threads of the pool take them, and so does a thread that waits
 * for one. */
#include "error.h"
#include "memory.h"
#include "parallel.h"
#include "pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct ursa_job {
    void (*run)(void *context);
    void *context;
    enum { QUEUED, RUNNING, DONE } state;
    ursa_error_kind kind; /* once DONE: what it failed with */
    char *message;
    ursa_job *before, *after; /* in the queue */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the queue and all states */
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static ursa_job *oldest, *newest;
static atomic_int queued;

static void append(ursa_job *job)
{
    job->before = newest;
    *(newest ? &newest->after : &oldest) = job;
    newest = job;
    atomic_fetch_add(&queued, 1);
}

static void take(ursa_job *job)
{
    *(job->before ? &job->before->after : &oldest) = job->after;
    *(job->after ? &job->after->before : &newest) = job->before;
    job->state = RUNNING;
    atomic_fetch_sub(&queued, 1);
}

bool ursa_job_is_queued(void)
{
    return atomic_load(&queued) > 0;
}

/* The caller has taken the job, and does not hold the lock. */
static void execute(ursa_job *job)
{
    ursa_error_state own;
    ursa_error_set_aside(&own);
    ursa_task_depth++;
    job->run(job->context);
    ursa_task_depth--;
    job->message = ursa_error_take(&job->kind);
    ursa_error_restore(&own);

    pthread_mutex_lock(&lock);
    job->state = DONE;
    pthread_cond_broadcast(&finished);
    pthread_mutex_unlock(&lock);
}

bool ursa_job_run_one(void)
{
    if (!ursa_job_is_queued())
        return false;
    pthread_mutex_lock(&lock);
    ursa_job *job = oldest;
    if (job)
        take(job);
    pthread_mutex_unlock(&lock);
    if (job)
        execute(job);
    return job != NULL;
}

ursa_job *ursa_job_start(void (*run)(void *context), void *context)
{
    ursa_job *job = ursa_alloc(sizeof *job);
    if (!job)
        return NULL;
    job->run = run;
    job->context = context;
    pthread_mutex_lock(&lock);
    append(job);
    pthread_mutex_unlock(&lock);
    if (ursa_pool_start() > 0)
        ursa_pool_wake(1);
    return job;
}

static bool is_done(ursa_job *job)
{
    pthread_mutex_lock(&lock);
    bool done = job->state == DONE;
    pthread_mutex_unlock(&lock);
    return done;
}

/* Runs the job here if nobody has begun it. Otherwise helps with the ones that
 * come next while another thread is at it. */
static void complete(ursa_job *job)
{
    pthread_mutex_lock(&lock);
    bool mine = job->state == QUEUED;
    if (mine)
        take(job);
    pthread_mutex_unlock(&lock);
    if (mine) {
        execute(job);
        return;
    }
    while (ursa_task_depth == 0 && !is_done(job) && ursa_job_run_one())
        ;
    pthread_mutex_lock(&lock);
    while (job->state != DONE)
        pthread_cond_wait(&finished, &lock);
    pthread_mutex_unlock(&lock);
}

bool ursa_job_wait(ursa_job *job)
{
    if (!job)
        return false;
    complete(job);
    bool succeeded = job->kind == URSA_ERROR_NONE;
    ursa_error_give(job->kind, job->message);
    free(job);
    return succeeded;
}
