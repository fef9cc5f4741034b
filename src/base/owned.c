/* owned.c — the list of what ursa_finish() frees. */
#include "owned.h"

#include <pthread.h>
#include <stddef.h>

static ursa_owned *newest;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void ursa_own(ursa_owned *entry, void *object, void (*release)(void *object))
{
    pthread_mutex_lock(&lock);
    *entry = (ursa_owned){.older = newest, .object = object, .free = release};
    if (newest)
        newest->newer = entry;
    newest = entry;
    pthread_mutex_unlock(&lock);
}

void ursa_disown(ursa_owned *entry)
{
    pthread_mutex_lock(&lock);
    if (entry->object) {
        if (entry->newer)
            entry->newer->older = entry->older;
        else
            newest = entry->older;
        if (entry->older)
            entry->older->newer = entry->newer;
        *entry = (ursa_owned){0};
    }
    pthread_mutex_unlock(&lock);
}

void ursa_free_owned(void)
{
    for (;;) {
        pthread_mutex_lock(&lock);
        ursa_owned *entry = newest;
        pthread_mutex_unlock(&lock);
        if (!entry)
            return;
        entry->free(entry->object);
    }
}
