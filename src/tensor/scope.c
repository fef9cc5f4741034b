/* scope.c — scopes: who holds a tensor, and when it goes. */
#include "scope.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include <pthread.h>
#include <stdlib.h>

struct ursa_scope {
    ursa_scope *around; /* NULL for the outermost */
    ursa_tensor *first;
};

/* The scopes of a thread. All threads' are linked, so that ursa_finish() can
 * free what is left before it closes the devices. */
struct scopes {
    ursa_scope outermost;
    ursa_scope *current; /* NULL until the thread makes its first tensor or scope */
    ursa_scope *spare;   /* ended, for the next begin */
    struct scopes *next;
};

static _Thread_local struct scopes scopes;

static struct {
    pthread_mutex_t lock;
    struct scopes *first;
    bool hooked;
} threads = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- tensors in a scope ------------------------------------------------------ */

static void unlink_tensor(ursa_tensor *tensor)
{
    if (tensor->before)
        tensor->before->after = tensor->after;
    else
        tensor->scope->first = tensor->after;
    if (tensor->after)
        tensor->after->before = tensor->before;
    tensor->before = tensor->after = NULL;
    tensor->scope = NULL;
}

static void link_tensor(ursa_scope *scope, ursa_tensor *tensor)
{
    tensor->scope = scope;
    tensor->before = NULL;
    tensor->after = scope->first;
    if (scope->first)
        scope->first->before = tensor;
    scope->first = tensor;
}

void ursa_scope_disown(ursa_tensor *tensor)
{
    if (tensor->scope)
        unlink_tensor(tensor);
}

static void clear(ursa_scope *scope)
{
    while (scope->first) {
        ursa_tensor *tensor = scope->first;
        unlink_tensor(tensor);
        if (!tensor->references && !tensor->kept)
            ursa_tensor_destroy(tensor);
    }
}

/* ---- threads -------------------------------------------------------------------- */

static void empty(struct scopes *all)
{
    while (all->current != &all->outermost) {
        ursa_scope *scope = all->current;
        clear(scope);
        all->current = scope->around;
        free(scope);
    }
    clear(&all->outermost);
    free(all->spare);
    all->spare = NULL;
}

static void leave_thread(void)
{
    if (!scopes.current)
        return;
    empty(&scopes);
    pthread_mutex_lock(&threads.lock);
    struct scopes **link = &threads.first;
    while (*link && *link != &scopes)
        link = &(*link)->next;
    if (*link)
        *link = scopes.next;
    pthread_mutex_unlock(&threads.lock);
    scopes.current = NULL;
}

/* Runs at ursa_finish(), when no other thread makes tensors any more, and
 * before the devices are closed. */
static void empty_all(void)
{
    pthread_mutex_lock(&threads.lock);
    threads.hooked = false;
    for (struct scopes *all = threads.first; all; all = all->next)
        empty(all);
    pthread_mutex_unlock(&threads.lock);
}

static void enter_thread(void)
{
    scopes.current = &scopes.outermost;
    pthread_mutex_lock(&threads.lock);
    scopes.next = threads.first;
    threads.first = &scopes;
    pthread_mutex_unlock(&threads.lock);
    ursa_at_thread_exit(leave_thread);
}

static inline ursa_scope *current_scope(void)
{
    if (!scopes.current)
        enter_thread();
    return scopes.current;
}

void ursa_scope_adopt(ursa_tensor *tensor)
{
    link_tensor(current_scope(), tensor);
    /* A tensor has memory, so its device is open, and this runs before the device is closed. */
    if (!__atomic_load_n(&threads.hooked, __ATOMIC_RELAXED)) {
        pthread_mutex_lock(&threads.lock);
        if (!threads.hooked)
            ursa_at_finish(empty_all);
        __atomic_store_n(&threads.hooked, true, __ATOMIC_RELAXED);
        pthread_mutex_unlock(&threads.lock);
    }
}

/* ---- the public functions ---------------------------------------------------------- */

ursa_scope *ursa_scope_begin(void)
{
    ursa_scope *around = current_scope();
    ursa_scope *scope = scopes.spare;
    scopes.spare = NULL;
    if (!scope)
        scope = ursa_alloc(sizeof *scope);
    if (!scope)
        return NULL;
    *scope = (ursa_scope){.around = around};
    scopes.current = scope;
    return scope;
}

static bool is_open(const ursa_scope *scope)
{
    for (const ursa_scope *open = scopes.current; open; open = open->around)
        if (open == scope)
            return true;
    return false;
}

void ursa_scope_end(ursa_scope *scope)
{
    if (!scope)
        return;
    if (!is_open(scope)) {
        ursa_fail(URSA_ERROR_STATE, "scope_end: the scope is not open on this thread");
        return;
    }
    for (ursa_scope *inner = NULL; inner != scope;) {
        inner = scopes.current;
        clear(inner);
        scopes.current = inner->around;
        free(scopes.spare);
        scopes.spare = inner;
    }
}

ursa_tensor *ursa_promote(ursa_tensor *tensor)
{
    if (tensor && tensor->scope && tensor->scope == scopes.current && tensor->scope->around) {
        ursa_scope *around = tensor->scope->around;
        unlink_tensor(tensor);
        link_tensor(around, tensor);
    }
    return tensor;
}

ursa_tensor *ursa_leave(ursa_scope *scope, ursa_tensor *result)
{
    ursa_promote(result);
    ursa_scope_end(scope);
    return result;
}
