/* finish.c — the end of a program that uses ursa. */
#include "error.h"
#include "owned.h"
#include "parallel.h"
#include "thread.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct hook {
    void (*run)(void);
    struct hook *below;
} hook;

static hook *top;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void ursa_at_finish(void (*run)(void))
{
    hook *added = malloc(sizeof *added);
    if (!added) {
        ursa_fail(URSA_ERROR_MEMORY, "out of memory for what is to be freed at the end");
        return;
    }
    pthread_mutex_lock(&lock);
    *added = (hook){run, top};
    top = added;
    pthread_mutex_unlock(&lock);
}

/* A hook may register another. */
static void run_hooks(void)
{
    for (;;) {
        pthread_mutex_lock(&lock);
        hook *next = top;
        if (next)
            top = next->below;
        pthread_mutex_unlock(&lock);
        if (!next)
            return;
        next->run();
        free(next);
    }
}

int ursa_finish(void)
{
    ursa_free_owned();
    run_hooks(); /* reading what is left of a device may still fail */
    ursa_pool_stop();
    bool failed = ursa_error() != NULL;
    if (failed)
        fprintf(stderr, "ursa: %s\n", ursa_error());
    ursa_thread_clean();
    return failed ? 1 : 0;
}
