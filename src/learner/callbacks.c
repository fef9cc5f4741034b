/* callbacks.c — the list of a learner's callbacks, and asking them. */
#include "learner.h"
#include "base/memory.h"

#include <string.h>

ursa_callback *ursa_callback_make(size_t size, const char *name, int order,
                                  ursa_verdict (*on)(ursa_callback *, ursa_learner *, ursa_event),
                                  void (*release)(ursa_callback *))
{
    ursa_callback *callback = ursa_alloc(size);
    if (callback)
        *callback = (ursa_callback){.name = name, .order = order, .on = on, .free = release};
    return callback;
}

void ursa_release_callback(ursa_callback *callback)
{
    if (callback && callback->free)
        callback->free(callback);
}

bool ursa_add_callback(ursa_learner *learner, ursa_callback *callback)
{
    ursa_callback **grown =
        learner && callback
            ? ursa_grow(learner->callbacks, (size_t)(learner->callback_count + 1) * sizeof *learner->callbacks)
            : NULL;
    if (!grown) {
        ursa_release_callback(callback);
        return false;
    }
    learner->callbacks = grown;
    int place = learner->callback_count++;
    for (; place > 0 && grown[place - 1]->order > callback->order; place--)
        grown[place] = grown[place - 1];
    grown[place] = callback;
    if (callback->on(callback, learner, URSA_AFTER_CREATE) != URSA_FAIL)
        return true;
    ursa_remove_callback(learner, callback);
    return false;
}

void ursa_remove_callback(ursa_learner *learner, ursa_callback *callback)
{
    for (int i = 0; i < learner->callback_count; i++) {
        if (learner->callbacks[i] != callback)
            continue;
        learner->callback_count--;
        memmove(learner->callbacks + i, learner->callbacks + i + 1,
                (size_t)(learner->callback_count - i) * sizeof *learner->callbacks);
        ursa_release_callback(callback);
        return;
    }
}

bool ursa_add_callbacks(ursa_learner *learner, ursa_callback *const *callbacks, int count)
{
    int added = 0;
    while (added < count && ursa_add_callback(learner, callbacks[added]))
        added++;
    if (added == count)
        return true;
    for (int i = added + 1; i < count; i++) /* the one that could not be added is freed already */
        ursa_release_callback(callbacks[i]);
    ursa_remove_callbacks(learner, callbacks, added);
    return false;
}

void ursa_remove_callbacks(ursa_learner *learner, ursa_callback *const *callbacks, int count)
{
    while (count > 0)
        ursa_remove_callback(learner, callbacks[--count]);
}

ursa_verdict ursa_learner_notify(ursa_learner *learner, ursa_event event)
{
    for (int i = 0; i < learner->callback_count; i++) {
        if (learner->finding && learner->callbacks[i]->order >= URSA_ORDER_WATCHING)
            break;
        ursa_verdict verdict = learner->callbacks[i]->on(learner->callbacks[i], learner, event);
        if (verdict != URSA_CONTINUE)
            return verdict;
    }
    return URSA_CONTINUE;
}
