/* pool.c — the threads of the pool: how many there are, and how they start,
 * look for work, sleep and end.
 *
 * A thread without work spins for a few microseconds, because the next kernel
 * of a training step usually follows at once, and then sleeps. Whoever
 * publishes work reads `sleepers` after it; whoever goes to sleep adds itself
 * to `sleepers` before it looks for work a last time. Both orders are
 * sequentially consistent, so one of the two sees the other.
 */
#include "pool.h"
#include "error.h"
#include "log.h"
#include "parallel.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX      1024
#define SPIN_NANOSECONDS 20000

_Thread_local int ursa_task_depth;

static atomic_int wanted; /* threads including the caller; 0: not decided yet */
static bool spins;        /* not where threads outnumber the processors */

static pthread_mutex_t start_lock = PTHREAD_MUTEX_INITIALIZER; /* of the next two */
static pthread_t *workers;
static atomic_int worker_count = -1; /* -1: not started */

static pthread_mutex_t sleep_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static atomic_int sleepers;
static atomic_bool quit;

/* ---- how many ------------------------------------------------------------ */

static int processors(void)
{
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
#endif
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : online > THREADS_MAX ? THREADS_MAX : (int)online;
}

static int default_threads(void)
{
    const char *text = getenv("URSA_THREADS");
    if (!text || !*text)
        return processors();
    char *end;
    errno = 0;
    long count = strtol(text, &end, 10);
    if (errno || *end || count < 1 || count > THREADS_MAX) {
        ursa_log_line(URSA_LOG_WARN, "URSA_THREADS is \"%s\", which is not a number from 1 to %d; using %d", text,
                      THREADS_MAX, processors());
        return processors();
    }
    return (int)count;
}

int ursa_threads(void)
{
    int count = atomic_load_explicit(&wanted, memory_order_relaxed);
    if (count == 0) {
        count = default_threads();
        atomic_store(&wanted, count);
    }
    return count;
}

bool ursa_set_threads(int count)
{
    if (count < 0 || count > THREADS_MAX)
        return ursa_fail(URSA_ERROR_ARGUMENT, "set_threads: count is %d, not 0 (the default) or 1 to %d", count,
                         THREADS_MAX);
    if (ursa_task_depth > 0)
        return ursa_fail(URSA_ERROR_STATE, "set_threads: called from within a task or job");
    ursa_pool_stop();
    atomic_store(&wanted, count);
    return true;
}

/* ---- looking for work ---------------------------------------------------- */

static inline void pause_processor(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool ursa_pool_spin(bool (*ready)(void *context), void *context)
{
    if (!spins)
        return ready(context);
    int64_t end = nanoseconds() + SPIN_NANOSECONDS;
    do {
        for (int i = 0; i < 16; i++) {
            if (ready(context))
                return true;
            pause_processor();
        }
    } while (nanoseconds() < end);
    return false;
}

static bool work_is_there(void *seen)
{
    return ursa_loop_is_open(*(uint64_t *)seen) || ursa_job_is_queued() || atomic_load(&quit);
}

static void sleep_until_work(uint64_t *seen)
{
    pthread_mutex_lock(&sleep_lock);
    atomic_fetch_add(&sleepers, 1);
    while (!work_is_there(seen))
        pthread_cond_wait(&wake, &sleep_lock);
    atomic_fetch_sub(&sleepers, 1);
    pthread_mutex_unlock(&sleep_lock);
}

void ursa_pool_wake(int64_t count)
{
    int asleep = atomic_load(&sleepers);
    if (asleep == 0)
        return;
    pthread_mutex_lock(&sleep_lock);
    if (count >= asleep)
        pthread_cond_broadcast(&wake);
    else
        for (; count > 0; count--)
            pthread_cond_signal(&wake);
    pthread_mutex_unlock(&sleep_lock);
}

static void *work(void *unused)
{
    (void)unused;
    uint64_t seen = 0;
    while (!atomic_load(&quit)) {
        if (ursa_loop_join(&seen) || ursa_job_run_one())
            continue;
        if (!ursa_pool_spin(work_is_there, &seen))
            sleep_until_work(&seen);
    }
    return NULL;
}

/* ---- start and stop ------------------------------------------------------ */

/* Signals are the program's business, not the workers'. */
static void start_workers(int count)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int started = 0;
    workers = calloc((size_t)count, sizeof *workers);
    while (workers && started < count && pthread_create(&workers[started], NULL, work, NULL) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started < count)
        ursa_log_line(URSA_LOG_WARN, "only %d of %d threads could be started", started + 1, count + 1);
    atomic_store(&worker_count, started);
}

int ursa_pool_start(void)
{
    int count = atomic_load_explicit(&worker_count, memory_order_acquire);
    if (count >= 0)
        return count;
    int threads = ursa_threads();
    if (threads == 1)
        return 0;
    pthread_mutex_lock(&start_lock);
    if (atomic_load(&worker_count) < 0) {
        spins = threads <= processors();
        start_workers(threads - 1);
    }
    count = atomic_load(&worker_count);
    pthread_mutex_unlock(&start_lock);
    return count;
}

void ursa_pool_stop(void)
{
    if (ursa_task_depth > 0)
        return;
    ursa_loop_lock();
    pthread_mutex_lock(&start_lock);
    int count = atomic_load(&worker_count);
    if (count >= 0) {
        pthread_mutex_lock(&sleep_lock);
        atomic_store(&quit, true);
        pthread_cond_broadcast(&wake);
        pthread_mutex_unlock(&sleep_lock);
        for (int i = 0; i < count; i++)
            pthread_join(workers[i], NULL);
        free(workers);
        workers = NULL;
        atomic_store(&quit, false);
        atomic_store(&worker_count, -1);
    }
    pthread_mutex_unlock(&start_lock);
    ursa_loop_unlock();
}
