/* owned.h — large objects that ursa_finish() frees when their user did not, so
 * that a script may leave that to it. */
#ifndef URSA_BASE_OWNED_H
#define URSA_BASE_OWNED_H

/* A member of the object. Zeroed, it is in no list. */
typedef struct ursa_owned {
    struct ursa_owned *newer, *older;
    void *object;
    void (*free)(void *object);
} ursa_owned;

/* Lists an object, which ursa_finish() frees before the ones made earlier,
 * since those may be what it stands on. `release` must disown it. */
void ursa_own(ursa_owned *entry, void *object, void (*release)(void *object));
/* Takes it off the list; for the function that frees the object. */
void ursa_disown(ursa_owned *entry);

/* Frees all that is listed, the newest first. */
void ursa_free_owned(void);

#endif
