/* learner.c — learners of networks for images: architecture, weights,
 * normalisation and head put together. */
#include "recipe.h"
#include <ursa/callbacks.h>
#include "base/log.h"

#include <stdio.h>
#include <string.h>

/* ---- weights ---------------------------------------------------------------------- */

/* The weights to start from; NULL, without an error, for none. */
static ursa_checkpoint *open_weights(const ursa_arch *arch, const ursa_vision_options *options)
{
    if (options->no_pretrained || (!options->pretrained && !arch->weights))
        return NULL;
    return ursa_pretrained(arch, options->pretrained);
}

/* ---- normalisation ------------------------------------------------------------------ */

/* Of training images, when their statistics are asked for. */
enum { STATS_BATCHES = 16 };

static bool is_normalized(const ursa_dataloader *loader)
{
    const ursa_transform *list = ursa_dataloader_options_of(loader)->batch_tfms;
    for (int i = 0; i < URSA_TRANSFORMS && list[i].class; i++)
        if (strcmp(list[i].class->name, "normalize") == 0)
            return true;
    return false;
}

/* As the weights expect it; without weights from the data. */
static bool normalize(ursa_dataloaders *data, const ursa_vision_recipe *recipe, bool pretrained)
{
    ursa_dataloader *loader = data->train ? data->train : data->valid;
    if (!loader || is_normalized(loader))
        return true;
    ursa_image_stats stats;
    if (pretrained && recipe->arch->weights && recipe->channels == 3)
        return ursa_dataloaders_append_batch_tfm(data, ursa_normalize(ursa_weights_find(recipe->arch->weights)->stats));
    return ursa_image_stats_of(loader, STATS_BATCHES, &stats) &&
           ursa_dataloaders_append_batch_tfm(data, ursa_normalize(stats));
}

/* ---- the learner ----------------------------------------------------------------------- */

/* What the data say about the network. */
static bool fill_recipe(const ursa_dataloaders *data, const ursa_vision_options *options, ursa_vision_recipe *recipe)
{
    const ursa_item_layout *layout = ursa_dataloaders_layout(data);
    int64_t outputs = ursa_dataloaders_outputs(data);
    if (!layout || outputs < 0)
        return false;
    if (layout->x_kind != URSA_KIND_IMAGE || layout->x_shape.ndim != 3)
        return ursa_fail(URSA_ERROR_ARGUMENT, "vision_learner: the data's inputs are no images");
    recipe->channels = (int)layout->x_shape.dim[2];
    recipe->outputs = (int)outputs;
    recipe->head = options->head;
    return true;
}

static void fill_options(const ursa_vision_options *options, const ursa_arch *arch, char *split, size_t size,
                         ursa_learner_options *out)
{
    *out = (ursa_learner_options){
        .loss = options->loss,
        .optimizer = options->optimizer,
        .optimizer_set = options->optimizer_set,
        .hyper = options->hyper,
        .lr = options->lr,
    };
    memcpy(out->metrics, options->metrics, sizeof out->metrics);
    int groups = 0;
    if (arch->cut && arch->split) {
        snprintf(split, size, "body.%s", arch->split);
        out->split[groups++] = split;
    }
    if (arch->cut)
        out->split[groups] = "head";
}

static ursa_learner *make_learner(ursa_dataloaders *data, const ursa_vision_recipe *recipe,
                                  const ursa_vision_options *options, const ursa_checkpoint *weights)
{
    char split[80];
    ursa_learner_options filled;
    fill_options(options, recipe->arch, split, sizeof split, &filled);
    ursa_module *network = ursa_vision_build(recipe, weights);
    if (!network || !normalize(data, recipe, weights)) {
        ursa_module_free(network);
        return NULL;
    }
    ursa_learner *learner = ursa_learner_new_opt(data, network, &filled);
    bool whole = ursa_vision_remember(learner, recipe) && (!weights || !recipe->arch->cut || ursa_freeze(learner)) &&
                 (options->silent || ursa_add_callback(learner, ursa_progress_callback()));
    if (whole)
        return learner;
    ursa_learner_free(learner);
    return NULL;
}

ursa_learner *ursa_vision_learner_opt(ursa_dataloaders *data, ursa_arch_maker *arch, const ursa_vision_options *options)
{
    ursa_vision_recipe recipe = {.arch = data ? ursa_arch_of(arch) : NULL};
    if (!recipe.arch || !fill_recipe(data, options, &recipe))
        return NULL;
    ursa_checkpoint *weights = open_weights(recipe.arch, options);
    ursa_learner *learner = ursa_error() ? NULL : make_learner(data, &recipe, options, weights);
    ursa_checkpoint_close(weights);
    return learner;
}
