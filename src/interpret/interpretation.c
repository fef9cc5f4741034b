/* interpretation.c — what a learner makes of a set: confusion, and the items it is
 * most wrong about. */
#include "interpretation.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- making one ------------------------------------------------------------------- */

static void release(void *object)
{
    ursa_interpretation_free(object);
}

ursa_interpretation *ursa_interpret_opt(ursa_learner *learner, const ursa_interpret_options *options)
{
    ursa_dataloaders *data = ursa_learner_data(learner);
    if (!data)
        return NULL;
    ursa_dataloader *loader = options->loader ? options->loader : data->valid;
    if (!loader) {
        ursa_fail(URSA_ERROR_ARGUMENT, "interpret: the learner has no validation set");
        return NULL;
    }
    ursa_interpretation *interp = ursa_alloc(sizeof *interp);
    if (!interp)
        return NULL;
    interp->learner = learner;
    interp->loader = loader;
    interp->outputs = ursa_get_preds(learner, loader);
    interp->classes = ursa_dataloaders_vocab(data, &interp->names);
    ursa_own(&interp->owned, interp, release);
    if (interp->outputs && interp->outputs->count > 0)
        return interp;
    if (interp->outputs)
        ursa_fail(URSA_ERROR_ARGUMENT, "interpret: the set has no items");
    ursa_interpretation_free(interp);
    return NULL;
}

void ursa_interpretation_free(ursa_interpretation *interp)
{
    if (!interp)
        return;
    ursa_disown(&interp->owned);
    ursa_outputs_free(interp->outputs);
    free(interp->confusion);
    free(interp->confused);
    free(interp->top);
    free(interp);
}

const ursa_outputs *ursa_interpretation_outputs(const ursa_interpretation *interp)
{
    return interp ? interp->outputs : NULL;
}

int ursa_interpretation_classes(const ursa_interpretation *interp, const char *const **names)
{
    if (names)
        *names = interp ? interp->names : NULL;
    return interp ? interp->classes : 0;
}

const char *ursa_interpretation_name(const ursa_interpretation *interp, int64_t class)
{
    return class >= 0 && class < interp->classes ? interp->names[class] : "?";
}

int64_t ursa_interpretation_decisions(const ursa_interpretation *interp)
{
    const ursa_outputs *outputs = interp->outputs;
    return outputs->classes && outputs->decoded && interp->classes > 0 ? outputs->target_size : 0;
}

/* ---- confusion ------------------------------------------------------------------------- */

const int64_t *ursa_confusion_matrix(ursa_interpretation *interp)
{
    if (!interp)
        return NULL;
    if (interp->confusion)
        return interp->confusion;
    int64_t classes = interp->classes, decisions = ursa_interpretation_decisions(interp);
    if (decisions == 0) {
        ursa_fail(URSA_ERROR_STATE, "confusion_matrix: the items are not of one class each");
        return NULL;
    }
    int64_t *counts = ursa_alloc_array((size_t)(classes * classes), sizeof *counts);
    for (int64_t i = 0; counts && i < interp->outputs->count * decisions; i++) {
        int64_t actual = interp->outputs->classes[i], predicted = interp->outputs->decoded[i];
        /* Masks may hold pixels to be ignored. */
        if (actual >= 0 && actual < classes && predicted >= 0 && predicted < classes)
            counts[actual * classes + predicted]++;
    }
    interp->confusion = counts;
    return counts;
}

static int by_count(const void *a, const void *b)
{
    const ursa_confusion *x = a, *y = b;
    if (x->count != y->count)
        return (x->count < y->count) - (x->count > y->count);
    return x->actual != y->actual ? x->actual - y->actual : x->predicted - y->predicted;
}

int ursa_most_confused(ursa_interpretation *interp, int64_t least, const ursa_confusion **list)
{
    const int64_t *counts = ursa_confusion_matrix(interp);
    if (!counts)
        return -1;
    int classes = interp->classes, found = 0;
    ursa_confusion *confused = ursa_alloc_array((size_t)classes * (size_t)classes + 1, sizeof *confused);
    if (!confused)
        return -1;
    for (int a = 0; a < classes; a++)
        for (int p = 0; p < classes; p++) {
            int64_t count = counts[(int64_t)a * classes + p];
            if (a != p && count > 0 && count >= least)
                confused[found++] = (ursa_confusion){a, p, interp->names[a], interp->names[p], count};
        }
    qsort(confused, (size_t)found, sizeof *confused, by_count);
    free(interp->confused);
    interp->confused = confused;
    *list = confused;
    return found;
}

/* ---- top losses ----------------------------------------------------------------------------- */

static double key_of(const ursa_top_loss *top)
{
    return isnan(top->loss) ? INFINITY : top->loss;
}

static int largest_first(const void *a, const void *b)
{
    double x = key_of(a), y = key_of(b);
    if (x != y)
        return (x < y) - (x > y);
    int64_t i = ((const ursa_top_loss *)a)->item, j = ((const ursa_top_loss *)b)->item;
    return (i > j) - (i < j);
}

static int smallest_first(const void *a, const void *b)
{
    double x = key_of(a), y = key_of(b);
    if (x != y)
        return (x > y) - (x < y);
    int64_t i = ((const ursa_top_loss *)a)->item, j = ((const ursa_top_loss *)b)->item;
    return (i > j) - (i < j);
}

static ursa_top_loss describe(const ursa_interpretation *interp, int64_t item)
{
    const ursa_outputs *outputs = interp->outputs;
    ursa_top_loss top = {
        .item = item,
        .index = outputs->indices ? outputs->indices[item] : item,
        .loss = (double)outputs->losses[item],
        .probability = NAN,
        .predicted = -1,
        .actual = -1,
    };
    top.path = ursa_dataset_path(ursa_dataloader_dataset(interp->loader), top.index);
    if (ursa_interpretation_decisions(interp) == 1) {
        top.predicted = (int)outputs->decoded[item];
        top.actual = (int)outputs->classes[item];
        if (top.predicted >= 0 && top.predicted < outputs->size)
            top.probability = (double)outputs->predictions[item * outputs->size + top.predicted];
    }
    return top;
}

int ursa_top_losses(ursa_interpretation *interp, int64_t k, bool largest, const ursa_top_loss **list)
{
    if (!interp)
        return -1;
    if (!interp->outputs->losses) {
        ursa_fail(URSA_ERROR_STATE, "top_losses: the items have no targets, so there are no losses");
        return -1;
    }
    int64_t count = interp->outputs->count;
    ursa_top_loss *top = ursa_alloc_array((size_t)count, sizeof *top);
    if (!top)
        return -1;
    for (int64_t i = 0; i < count; i++)
        top[i] = describe(interp, i);
    qsort(top, (size_t)count, sizeof *top, largest ? largest_first : smallest_first);
    free(interp->top);
    interp->top = top;
    *list = top;
    return (int)(k > 0 && k < count ? k : count);
}
