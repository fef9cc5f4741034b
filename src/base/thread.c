/* thread.c — freeing thread-local state. The main thread ends without running
 * the destructors of POSIX keys, so ursa_finish() cleans it by hand. */
#include "thread.h"

#include <pthread.h>
#include <stddef.h>

#define HOOKS_MAX 16 /* one per file of the library that keeps thread-local state */

static _Thread_local void (*hooks[HOOKS_MAX])(void);
static _Thread_local int hook_count;

static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

void ursa_thread_clean(void)
{
    while (hook_count > 0)
        hooks[--hook_count]();
}

static void on_thread_end(void *unused)
{
    (void)unused;
    ursa_thread_clean();
}

static void make_key(void)
{
    pthread_key_create(&key, on_thread_end);
}

void ursa_at_thread_exit(void (*run)(void))
{
    pthread_once(&key_once, make_key);
    pthread_setspecific(key, &hook_count); /* any value but NULL: the destructor is called */
    for (int i = 0; i < hook_count; i++) {
        if (hooks[i] == run)
            return;
    }
    if (hook_count < HOOKS_MAX)
        hooks[hook_count++] = run;
}
