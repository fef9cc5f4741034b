/* tta.c — test-time augmentation: predictions for several random views of the same items. */
#include "base/memory.h"
#include "learner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The mean, or the largest, of the predictions of n random views, in `sum`; NULL after an error. */
static float *augmented(ursa_learner *learner, ursa_dataloader *views, const ursa_outputs *plain,
                        const ursa_tta_options *options, int n)
{
    int64_t count = plain->count * plain->size;
    float *all = ursa_alloc_array((size_t)count + 1, sizeof *all);
    for (int view = 0; all && view < n; view++) {
        /* The number of the epoch decides what is drawn: every view has its own, the plain run had 0. */
        ursa_outputs *outputs = ursa_predict_epoch(learner, views, view + 1);
        bool same = outputs && outputs->count == plain->count && outputs->size == plain->size;
        if (outputs && !same)
            ursa_fail(URSA_ERROR_STATE, "tta: view %d has %lld items, expected %lld", view + 1,
                      (long long)outputs->count, (long long)plain->count);
        for (int64_t i = 0; same && i < count; i++)
            all[i] = options->use_max ? fmaxf(view ? all[i] : -INFINITY, outputs->predictions[i])
                                      : all[i] + outputs->predictions[i] / (float)n;
        ursa_outputs_free(outputs);
        if (!same) {
            free(all);
            return NULL;
        }
    }
    return all;
}

static void blend(ursa_outputs *plain, const float *augmented, const ursa_tta_options *options)
{
    float beta = (float)(options->beta == 0 ? 0.25 : options->beta < 0 ? 0 : options->beta);
    for (int64_t i = 0; i < plain->count * plain->size; i++)
        plain->predictions[i] = options->use_max ? fmaxf(plain->predictions[i], augmented[i])
                                                 : augmented[i] + beta * (plain->predictions[i] - augmented[i]);
}

/* Decides anew by the blended predictions. */
static bool decide(ursa_learner *learner, ursa_outputs *outputs)
{
    if (!outputs->decoded && !outputs->decoded_values)
        return true;
    ursa_dims shape = {.ndim = outputs->shape.ndim + 1, .dim = {outputs->count}};
    memcpy(shape.dim + 1, outputs->shape.dim, (size_t)outputs->shape.ndim * sizeof *shape.dim);
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *decided = ursa_loss_decode(&learner->options.loss, ursa_from(outputs->predictions, shape));
    bool read = outputs->decoded ? ursa_read(decided, URSA_I64, outputs->decoded, ursa_count(decided))
                                 : ursa_read(decided, URSA_F32, outputs->decoded_values, ursa_count(decided));
    ursa_scope_end(scope);
    return read;
}

ursa_outputs *ursa_tta_opt(ursa_learner *learner, ursa_dataloader *loader, const ursa_tta_options *options)
{
    if (!learner)
        return NULL;
    loader = loader ? loader : learner->data->valid;
    if (!loader) {
        ursa_fail(URSA_ERROR_ARGUMENT, "tta: the learner has no validation data; name a loader");
        return NULL;
    }
    ursa_dataloader *sure = ursa_dataloader_in_order(loader, false);
    ursa_outputs *plain = sure ? ursa_get_preds(learner, sure) : NULL;
    ursa_dataloader *views = plain ? ursa_dataloader_in_order(loader, true) : NULL;
    float *all = views ? augmented(learner, views, plain, options, options->n > 0 ? options->n : 4) : NULL;
    ursa_dataloader_free(views);
    ursa_dataloader_free(sure);
    if (all)
        blend(plain, all, options);
    bool done = all && decide(learner, plain);
    free(all);
    if (done)
        return plain;
    ursa_outputs_free(plain);
    return NULL;
}
