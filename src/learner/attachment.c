/* attachment.c — things that rooms above keep with a learner. */
#include "attachment.h"
#include "learner.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static ursa_attachment *find(const ursa_learner *learner, const char *key)
{
    ursa_attachment *found = learner ? learner->attachments : NULL;
    while (found && strcmp(found->key, key) != 0)
        found = found->next;
    return found;
}

bool ursa_learner_attach(ursa_learner *learner, const char *key, void *object, void (*release)(void *object))
{
    ursa_attachment *place = find(learner, key);
    if (place) {
        place->free(place->object);
        place->object = object;
        place->free = release;
        return true;
    }
    ursa_attachment *added = learner ? ursa_alloc(sizeof *added) : NULL;
    if (!added) {
        release(object);
        return false;
    }
    *added = (ursa_attachment){learner->attachments, key, object, release};
    learner->attachments = added;
    return true;
}

void *ursa_learner_attached(const ursa_learner *learner, const char *key)
{
    const ursa_attachment *found = find(learner, key);
    return found ? found->object : NULL;
}

void ursa_learner_detach_all(ursa_learner *learner)
{
    while (learner->attachments) {
        ursa_attachment *first = learner->attachments;
        learner->attachments = first->next;
        first->free(first->object);
        free(first);
    }
}
