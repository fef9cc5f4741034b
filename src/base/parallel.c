/* parallel.c — loops of tasks on the thread pool.
 *
 * One loop runs at a time. It is published by making `generation` odd and
 * withdrawn by making it even again. A thread that joins counts itself
 * `inside`, and only then looks whether the loop is still open; the caller
 * withdraws the loop, and only then looks whether anybody is inside. So no
 * thread can touch a loop that is over, and the caller never waits for threads
 * that have not woken up yet.
 */
#include "parallel.h"
#include "error.h"
#include "pool.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef struct first_error {
    pthread_mutex_t lock;
    int64_t index; /* of the task; the lowest wins, whoever was first */
    ursa_error_kind kind;
    char *message;
} first_error;

static struct {
    pthread_mutex_t owner; /* held by the thread whose loop it is */
    ursa_task *task;
    void *context;
    int64_t count;
    first_error error;
    pthread_mutex_t end_lock;
    pthread_cond_t end;
    /* Each on a cache line of its own. */
    alignas(64) _Atomic uint64_t generation;
    alignas(64) _Atomic int64_t next;
    alignas(64) atomic_int inside;
    atomic_bool caller_sleeps;
} loop = {
    .owner = PTHREAD_MUTEX_INITIALIZER,
    .error.lock = PTHREAD_MUTEX_INITIALIZER,
    .end_lock = PTHREAD_MUTEX_INITIALIZER,
    .end = PTHREAD_COND_INITIALIZER,
};

void ursa_loop_lock(void)
{
    pthread_mutex_lock(&loop.owner);
}

void ursa_loop_unlock(void)
{
    pthread_mutex_unlock(&loop.owner);
}

bool ursa_loop_is_open(uint64_t seen)
{
    uint64_t generation = atomic_load(&loop.generation);
    return (generation & 1) && generation != seen;
}

/* Moves the error this thread has latched in task `index` to the loop. */
static void note_error(int64_t index)
{
    ursa_error_kind kind;
    char *message = ursa_error_take(&kind);
    pthread_mutex_lock(&loop.error.lock);
    if (loop.error.kind == URSA_ERROR_NONE || index < loop.error.index) {
        free(loop.error.message);
        loop.error.index = index;
        loop.error.kind = kind;
        loop.error.message = message;
        message = NULL;
    }
    pthread_mutex_unlock(&loop.error.lock);
    free(message);
}

static void run_tasks(void)
{
    ursa_task *task = loop.task;
    void *context = loop.context;
    int64_t count = loop.count, index;
    ursa_task_depth++;
    while ((index = atomic_fetch_add_explicit(&loop.next, 1, memory_order_relaxed)) < count) {
        task(context, index);
        if (ursa_error_kind_of() != URSA_ERROR_NONE)
            note_error(index);
    }
    ursa_task_depth--;
}

bool ursa_loop_join(uint64_t *seen)
{
    if (!ursa_loop_is_open(*seen))
        return false;
    atomic_fetch_add(&loop.inside, 1);
    uint64_t generation = atomic_load(&loop.generation);
    if (generation & 1) {
        *seen = generation;
        run_tasks();
    }
    if (atomic_fetch_sub(&loop.inside, 1) == 1 && atomic_load(&loop.caller_sleeps)) {
        pthread_mutex_lock(&loop.end_lock);
        pthread_cond_signal(&loop.end);
        pthread_mutex_unlock(&loop.end_lock);
    }
    return true;
}

static bool nobody_inside(void *unused)
{
    (void)unused;
    return atomic_load(&loop.inside) == 0;
}

static void wait_until_empty(void)
{
    if (ursa_pool_spin(nobody_inside, NULL))
        return;
    pthread_mutex_lock(&loop.end_lock);
    /* Not a plain store: emulators of Arm (QEMU 7.2) let the load that follows overtake it, and both sides miss each
     * other. */
    atomic_exchange(&loop.caller_sleeps, true);
    while (!nobody_inside(NULL))
        pthread_cond_wait(&loop.end, &loop.end_lock);
    atomic_store(&loop.caller_sleeps, false);
    pthread_mutex_unlock(&loop.end_lock);
}

/* The caller owns the loop. */
static void run_on_pool(int64_t count, ursa_task *task, void *context, ursa_error_kind *kind, char **message)
{
    loop.task = task;
    loop.context = context;
    loop.count = count;
    atomic_store_explicit(&loop.next, 0, memory_order_relaxed);
    atomic_fetch_add(&loop.generation, 1);
    ursa_pool_wake(count - 1);
    run_tasks();
    atomic_fetch_add(&loop.generation, 1);
    wait_until_empty();
    *kind = loop.error.kind;
    *message = loop.error.message;
    loop.error.kind = URSA_ERROR_NONE;
    loop.error.message = NULL;
}

static void run_inline(int64_t count, ursa_task *task, void *context, ursa_error_kind *kind, char **message)
{
    for (int64_t index = 0; index < count; index++)
        task(context, index);
    *message = ursa_error_take(kind);
}

bool ursa_parallel(int64_t count, ursa_task *task, void *context)
{
    ursa_error_state own;
    ursa_error_kind kind;
    char *message;
    bool alone = count <= 1 || ursa_task_depth > 0 || ursa_pool_start() == 0;
    ursa_error_set_aside(&own);
    /* Where another thread of the program has the pool, this one does its work itself. */
    if (alone || pthread_mutex_trylock(&loop.owner) != 0) {
        run_inline(count, task, context, &kind, &message);
    } else {
        run_on_pool(count, task, context, &kind, &message);
        pthread_mutex_unlock(&loop.owner);
    }
    ursa_error_restore(&own);
    ursa_error_give(kind, message);
    return kind == URSA_ERROR_NONE;
}

typedef struct range_loop {
    int64_t total, grain;
    ursa_range_task *task;
    void *context;
} range_loop;

static void run_range(void *context, int64_t index)
{
    const range_loop *range = context;
    int64_t begin = index * range->grain, left = range->total - begin;
    range->task(range->context, begin, begin + (left < range->grain ? left : range->grain));
}

bool ursa_parallel_range(int64_t total, int64_t grain, ursa_range_task *task, void *context)
{
    if (total <= 0)
        return true;
    if (grain < 1)
        grain = 1;
    range_loop range = {total, grain, task, context};
    return ursa_parallel((total - 1) / grain + 1, run_range, &range);
}
