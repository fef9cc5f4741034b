/* learner.c — putting a learner together. */
#include "learner.h"
#include "base/memory.h"

#include <stdlib.h>

static void free_learner(void *learner)
{
    ursa_learner_free(learner);
}

/* fastai's Adam: decoupled decay of weights, a shorter memory of squares. */
static ursa_optimizer *make_optimizer(ursa_module *model, const ursa_learner_options *options)
{
    ursa_optimizer_options hyper = options->hyper;
    if (!options->optimizer_set) {
        hyper.beta2 = hyper.beta2 != 0 ? hyper.beta2 : 0.99;
        hyper.eps = hyper.eps != 0 ? hyper.eps : 1e-5;
    }
    return ursa_optimizer_new(options->optimizer_set ? options->optimizer : URSA_ADAMW, model, &hyper);
}

static ursa_loss loss_for(ursa_dataloader *loader)
{
    const ursa_item_layout *layout = loader ? ursa_dataset_layout(ursa_dataloader_dataset(loader)) : NULL;
    return layout ? ursa_loss_for(layout->y_kind, layout->y_dtype) : ursa_cross_entropy_loss();
}

static void fill_options(ursa_learner *learner)
{
    static const double standard_momentum[3] = {0.95, 0.85, 0.95};
    ursa_learner_options *options = &learner->options;
    if (!options->loss.class)
        options->loss = loss_for(learner->data->train ? learner->data->train : learner->data->valid);
    if (options->loss.options.weight)
        ursa_keep(options->loss.options.weight);
    if (options->lr <= 0)
        options->lr = 1e-3;
    for (int i = 0; i < 3; i++)
        if (options->momentum[i] == 0)
            options->momentum[i] = standard_momentum[i];
    while (learner->metric_count < URSA_METRICS && options->metrics[learner->metric_count].name)
        learner->metric_count++;
}

ursa_learner *ursa_learner_new_opt(ursa_dataloaders *data, ursa_module *model, const ursa_learner_options *options)
{
    ursa_learner *learner = data && model ? ursa_alloc(sizeof *learner) : NULL;
    if (!learner) {
        ursa_module_free(model);
        return NULL;
    }
    *learner = (ursa_learner){.data = data, .model = model, .options = *options};
    fill_options(learner);
    ursa_own(&learner->owned, learner, free_learner);
    learner->optimizer = make_optimizer(model, &learner->options);
    if (learner->optimizer && ursa_learner_split(learner))
        return learner;
    ursa_learner_free(learner);
    return NULL;
}

void ursa_learner_free(ursa_learner *learner)
{
    if (!learner)
        return;
    ursa_disown(&learner->owned);
    while (learner->callback_count)
        ursa_remove_callback(learner, learner->callbacks[learner->callback_count - 1]);
    ursa_learner_detach_all(learner);
    ursa_optimizer_free(learner->optimizer);
    ursa_module_free(learner->model);
    ursa_free(learner->losses);
    ursa_free(learner->options.loss.options.weight);
    free(learner->callbacks);
    free(learner->rates);
    free(learner->counts);
    free(learner->epochs);
    free(learner->steps);
    free(learner);
}

/* ---- other data ----------------------------------------------------------------------- */

static const ursa_transform *batch_tfms(const ursa_dataloaders *data)
{
    const ursa_dataloader *loader = data->train ? data->train : data->valid;
    return loader ? ursa_dataloader_options_of(loader)->batch_tfms : NULL;
}

static bool has_class(const ursa_transform *list, const ursa_transform_class *class)
{
    for (int i = 0; list && i < URSA_TRANSFORMS && list[i].class; i++)
        if (list[i].class == class)
            return true;
    return false;
}

/* What the network has come to expect of its inputs, normalisation above all, is done to the new data, too. */
static bool carry_over(const ursa_dataloaders *from, ursa_dataloaders *to)
{
    const ursa_transform *list = batch_tfms(from);
    bool carried = true;
    for (int i = 0; carried && list && i < URSA_TRANSFORMS && list[i].class; i++)
        if (list[i].class->decode && !list[i].class->training_only && !has_class(batch_tfms(to), list[i].class))
            carried = ursa_dataloaders_append_batch_tfm(to, list[i]);
    return carried;
}

bool ursa_learner_set_data(ursa_learner *learner, ursa_dataloaders *data)
{
    if (!learner || !data || (data != learner->data && !carry_over(learner->data, data)))
        return false;
    learner->data = data;
    return true;
}

/* ---- asking ------------------------------------------------------------------------ */

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

const ursa_loss *ursa_learner_loss(const ursa_learner *learner)
{
    return learner ? &learner->options.loss : NULL;
}

int ursa_learner_metrics(const ursa_learner *learner, const ursa_metric **metrics)
{
    *metrics = learner ? learner->options.metrics : NULL;
    return learner ? learner->metric_count : 0;
}

ursa_training *ursa_learner_training(ursa_learner *learner)
{
    return learner ? &learner->training : NULL;
}
