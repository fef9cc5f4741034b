/* model.c — networks for transfer: the body of an architecture, pretrained, and a
 * new head on it, as fastai's create_vision_model makes them. */
#include "nets.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

/* ---- the head ------------------------------------------------------------------- */

enum { MOST_HIDDEN = 4, MOST_OPTIONAL = 8 };

/* Squeezes between two numbers. */
struct range {
    double low, high;
};

static ursa_tensor *range_forward(ursa_module *module, void *state, ursa_tensor *x)
{
    (void)module;
    const struct range *range = state;
    return ursa_add_scalar(ursa_mul_scalar(ursa_sigmoid(x), range->high - range->low), range->low);
}

static const ursa_module_class range_class = {
    .kind = "sigmoid_range",
    .size = sizeof(struct range),
    .forward = range_forward,
};

static ursa_module *sigmoid_range(const double limits[2])
{
    ursa_module *module = ursa_module_new(&range_class);
    if (module)
        *(struct range *)ursa_module_state(module) = (struct range){limits[0], limits[1]};
    return module;
}

/* fastai's shifts start a little above zero. */
static ursa_module *batch_norm(int features, double momentum)
{
    ursa_module *norm = ursa_nn_batch_norm(features, .momentum = momentum);
    if (norm && ursa_net_fill(norm, "bias", 1e-3))
        return norm;
    ursa_module_free(norm);
    return NULL;
}

static ursa_module *linear(int in, int out, bool bias)
{
    ursa_module *layer = ursa_nn_linear(in, out, .no_bias = !bias);
    bool started = ursa_init_module(layer, URSA_INIT_KAIMING_NORMAL, 0) && (!bias || ursa_net_fill(layer, "bias", 0));
    if (started)
        return layer;
    ursa_module_free(layer);
    return NULL;
}

/* Batch norm, dropout, linear, and ReLU where a layer follows. */
static bool add_layer(ursa_module *head, int in, int out, bool norm, double dropout, bool last)
{
    return (!norm || ursa_nn_append(head, batch_norm(in, 0))) &&
           (dropout <= 0 || ursa_nn_append(head, ursa_nn_dropout(dropout))) &&
           ursa_nn_append(head, linear(in, out, !norm)) && (last || ursa_nn_append(head, ursa_nn_activation("relu")));
}

static bool add_layers(ursa_module *head, int features, int classes, const ursa_head_options *options)
{
    double dropout = options->dropout != 0 ? options->dropout : 0.5;
    const int standard[MOST_HIDDEN] = {512}, *hidden = options->hidden[0] ? options->hidden : standard;
    int in = features;
    bool norm = !options->no_first_norm;
    for (int i = 0; i < MOST_HIDDEN && hidden[i] > 0; i++) {
        if (!add_layer(head, in, hidden[i], norm, dropout / 2, false))
            return false;
        in = hidden[i];
        norm = true;
    }
    return add_layer(head, in, classes, norm, dropout, true) &&
           (!options->final_norm || ursa_nn_append(head, batch_norm(classes, 0.01))) &&
           (options->y_range[0] == options->y_range[1] || ursa_nn_append(head, sigmoid_range(options->y_range)));
}

ursa_module *ursa_create_head_opt(int features, int classes, const ursa_head_options *options)
{
    ursa_module *pool =
        options->no_concat_pool ? ursa_nn_adaptive_avg_pool2d(1, 1) : ursa_nn_adaptive_concat_pool2d(1, 1);
    ursa_module *head = ursa_nn_sequential(pool, ursa_nn_flatten());
    if (head && add_layers(head, options->no_concat_pool ? features : 2 * features, classes, options))
        return head;
    ursa_module_free(head);
    return NULL;
}

/* ---- the body ------------------------------------------------------------------- */

/* The names of a body within a model of ours. */
static const char *name_in_model(const char *name, char *text, size_t size)
{
    snprintf(text, size, "body.%s", name);
    return text;
}

static bool is_model_of_ours(const ursa_checkpoint *file)
{
    const char *format = ursa_checkpoint_metadata(file, "format");
    return format && strcmp(format, "ursa-model") == 0;
}

static bool load_body(ursa_module *body, const ursa_checkpoint *file)
{
    return ursa_load_checkpoint(body, file, .adapt_channels = true,
                                .other_name = is_model_of_ours(file) ? name_in_model : ursa_net_old_name);
}

ursa_module *ursa_arch_body(const ursa_arch *arch, int channels, const ursa_checkpoint *pretrained)
{
    if (!arch)
        return NULL;
    if (!arch->cut) {
        ursa_fail(URSA_ERROR_ARGUMENT, "arch: %s is not cut: it is used whole", arch->name);
        return NULL;
    }
    ursa_module *body = arch->make(channels, 0);
    return ursa_net_checked(body, body && (!pretrained || load_body(body, pretrained)));
}

bool ursa_arch_load(const ursa_arch *arch, ursa_module *network, const ursa_checkpoint *file)
{
    if (!arch || !network || !file)
        return false;
    const char *behind[MOST_OPTIONAL];
    int count = 0;
    /* Of a network that is not cut, the last layer. */
    int cut = arch->cut ? arch->cut : ursa_children(network) - 1;
    for (int i = cut; i < ursa_children(network) && count < MOST_OPTIONAL; i++)
        behind[count++] = ursa_module_name(ursa_child(network, i));
    bool whole = false;
    if (!ursa_load_checkpoint(network, file, .optional = behind, .optional_count = count, .optional_loaded = &whole,
                              .adapt_channels = true, .other_name = ursa_net_old_name))
        return false;
    if (!whole)
        ursa_log_line(URSA_LOG_WARN, "%s: the body is loaded; the layers behind it do not fit and stay as they are",
                      ursa_checkpoint_path(file));
    return true;
}

/* ---- both ------------------------------------------------------------------------- */

ursa_module *ursa_vision_model_opt(const ursa_arch *arch, int channels, int classes,
                                   const ursa_vision_model_options *options)
{
    if (!arch)
        return NULL;
    if (arch->cut) {
        ursa_module *body = ursa_arch_body(arch, channels, options->pretrained);
        ursa_module *head = body ? ursa_create_head_opt(arch->features, classes, &options->head) : NULL;
        return ursa_nn_sequential(ursa_named("body", body), ursa_named("head", head));
    }
    ursa_module *network = arch->make(channels, classes);
    if (!options->pretrained || ursa_arch_load(arch, network, options->pretrained))
        return network;
    ursa_module_free(network);
    return NULL;
}
