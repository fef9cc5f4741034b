/* learner.c — putting a learner together, and its callbacks. */
#include "learner.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

ursa_tensor *ursa_cross_entropy_loss(ursa_tensor *prediction, ursa_tensor *target)
{
    return ursa_cross_entropy(prediction, target);
}

ursa_learner *ursa_learner_new_opt(ursa_dataloaders *data, ursa_module *model, const ursa_learner_options *options)
{
    ursa_learner *learner = data && model ? ursa_alloc(sizeof *learner) : NULL;
    if (!learner) {
        ursa_module_free(model);
        return NULL;
    }
    *learner = (ursa_learner){.data = data, .model = model, .options = *options};
    if (!learner->options.loss)
        learner->options.loss = ursa_cross_entropy_loss;
    while (learner->metric_count < METRICS && options->metrics[learner->metric_count].name)
        learner->metric_count++;
    ursa_optimizer_kind kind = options->optimizer_set ? options->optimizer : URSA_ADAMW;
    learner->optimizer = ursa_optimizer_new(kind, model, &options->hyper);
    if (!learner->optimizer) {
        ursa_learner_free(learner);
        return NULL;
    }
    return learner;
}

void ursa_learner_free(ursa_learner *learner)
{
    if (!learner)
        return;
    while (learner->callback_count)
        ursa_remove_callback(learner, learner->callbacks[learner->callback_count - 1]);
    ursa_optimizer_free(learner->optimizer);
    ursa_module_free(learner->model);
    ursa_free(learner->losses);
    free(learner->callbacks);
    free(learner->rates);
    free(learner->counts);
    free(learner->epochs);
    free(learner->steps);
    free(learner);
}

ursa_module *ursa_learner_model(ursa_learner *learner)
{
    return learner ? learner->model : NULL;
}

ursa_dataloaders *ursa_learner_data(ursa_learner *learner)
{
    return learner ? learner->data : NULL;
}

ursa_optimizer *ursa_learner_optimizer(ursa_learner *learner)
{
    return learner ? learner->optimizer : NULL;
}

ursa_training *ursa_learner_training(ursa_learner *learner)
{
    return learner ? &learner->training : NULL;
}

ursa_tensor *ursa_learner_prepare(ursa_learner *learner, ursa_tensor *x)
{
    return learner->options.prepare ? learner->options.prepare(learner->options.prepare_context, x) : x;
}

/* ---- callbacks --------------------------------------------------------------- */

ursa_callback *ursa_callback_make(size_t size, const char *name, int order,
                                  ursa_verdict (*on)(ursa_callback *, ursa_learner *, ursa_event),
                                  void (*release)(ursa_callback *))
{
    ursa_callback *callback = ursa_alloc(size);
    if (callback)
        *callback = (ursa_callback){name, order, on, release};
    return callback;
}

static void release(ursa_callback *callback)
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
        release(callback);
        return false;
    }
    learner->callbacks = grown;
    int place = learner->callback_count++;
    for (; place > 0 && grown[place - 1]->order > callback->order; place--)
        grown[place] = grown[place - 1];
    grown[place] = callback;
    return true;
}

void ursa_remove_callback(ursa_learner *learner, ursa_callback *callback)
{
    for (int i = 0; i < learner->callback_count; i++) {
        if (learner->callbacks[i] != callback)
            continue;
        learner->callback_count--;
        memmove(learner->callbacks + i, learner->callbacks + i + 1,
                (size_t)(learner->callback_count - i) * sizeof *learner->callbacks);
        release(callback);
        return;
    }
}

ursa_verdict ursa_learner_notify(ursa_learner *learner, ursa_event event)
{
    for (int i = 0; i < learner->callback_count; i++) {
        ursa_verdict verdict = learner->callbacks[i]->on(learner->callbacks[i], learner, event);
        if (verdict != URSA_CONTINUE)
            return verdict;
    }
    return URSA_CONTINUE;
}
