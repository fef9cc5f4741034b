/* interpretation.h — the inside of an interpretation. */
#ifndef URSA_INTERPRET_INTERPRETATION_H
#define URSA_INTERPRET_INTERPRETATION_H

#include <ursa/interpret.h>
#include "base/owned.h"

struct ursa_interpretation {
    ursa_owned owned;
    ursa_learner *learner;
    ursa_dataloader *loader; /* the learner's or the caller's */
    ursa_outputs *outputs;
    const char *const *names;
    int classes;

    int64_t *confusion; /* [classes, classes], or NULL while nobody asked */
    ursa_confusion *confused;
    ursa_top_loss *top;
};

/* The name of a class; "?" for none. */
const char *ursa_interpretation_name(const ursa_interpretation *interp, int64_t class);
/* How many decisions of one class an item has: 1, or the pixels of a mask; 0
 * where an item is of no one class. */
int64_t ursa_interpretation_decisions(const ursa_interpretation *interp);

/* ursa_show_results() of what is known already. */
bool ursa_show_results_of(ursa_interpretation *interp, const char *path, const ursa_show_options *options);

#endif
