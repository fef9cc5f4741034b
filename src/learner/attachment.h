/* attachment.h — things that rooms above keep with a learner. */
#ifndef URSA_LEARNER_ATTACHMENT_H
#define URSA_LEARNER_ATTACHMENT_H

#include <ursa/learner.h>

typedef struct ursa_attachment {
    struct ursa_attachment *next;
    const char *key;
    void *object;
    void (*free)(void *object);
} ursa_attachment;

/* Keeps an object with the learner, in place of the one of this key if there is
 * one; `release` frees it, with the learner or at once when there is no memory.
 * `key` must outlive the learner. */
bool ursa_learner_attach(ursa_learner *learner, const char *key, void *object, void (*release)(void *object));
/* NULL when there is none. */
void *ursa_learner_attached(const ursa_learner *learner, const char *key);
/* Frees them, the newest first. */
void ursa_learner_detach_all(ursa_learner *learner);

#endif
