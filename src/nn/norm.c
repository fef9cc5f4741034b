/* norm.c — normalisation layers. */
#include "folded.h"
#include "tensor/tensor.h"

#include <stdio.h>
#include <string.h>

enum norm_kind { BATCH, LAYER, GROUP };

struct norm {
    enum norm_kind kind;
    ursa_tensor *scale, *shift, *running_mean, *running_var;
    int channels, groups;
    double eps, momentum;
};

static bool check_input(ursa_module *module, const struct norm *norm, const ursa_tensor *x)
{
    return ursa_dim(x, -1) == norm->channels ||
           ursa_fail(URSA_ERROR_SHAPE, "%s: x has %lld channels, expected %d", ursa_module_kind(module),
                     (long long)ursa_dim(x, -1), norm->channels);
}

ursa_tensor *ursa_forward_norm_then(ursa_module *module, ursa_tensor *x, const ursa_channel_moments *known,
                                    ursa_tensor *residual, ursa_activation_fn *activation)
{
    const struct norm *norm = ursa_module_state(module);
    if (!x || !check_input(module, norm, x))
        return NULL;
    return ursa_batch_norm_known(x, known, norm->scale, norm->shift, norm->running_mean, norm->running_var, residual,
                                 activation, ursa_is_training(module), norm->momentum, norm->eps);
}

static ursa_tensor *norm_forward(ursa_module *module, void *state, ursa_tensor *x)
{
    const struct norm *norm = state;
    if (!check_input(module, norm, x))
        return NULL;
    switch (norm->kind) {
    case BATCH:
        return ursa_forward_norm_then(module, x, NULL, NULL, NULL);
    case LAYER:
        return ursa_layer_norm(x, norm->scale, norm->shift, norm->eps);
    case GROUP:
        return ursa_group_norm(x, norm->groups, norm->scale, norm->shift, norm->eps);
    }
    return NULL;
}

static void norm_describe(ursa_module *module, void *state, char *text, size_t size)
{
    const struct norm *norm = state;
    if (norm->kind == GROUP)
        snprintf(text, size, "group_norm(%d groups, %d)", norm->groups, norm->channels);
    else
        snprintf(text, size, "%s(%d)", ursa_module_kind(module), norm->channels);
}

static const ursa_module_class classes[] = {
    [BATCH] = {"batch_norm", sizeof(struct norm), norm_forward, norm_describe, NULL},
    [LAYER] = {"layer_norm", sizeof(struct norm), norm_forward, norm_describe, NULL},
    [GROUP] = {"group_norm", sizeof(struct norm), norm_forward, norm_describe, NULL},
};

bool ursa_is_batch_norm(const ursa_module *module)
{
    return strcmp(ursa_module_kind(module), classes[BATCH].kind) == 0;
}

bool ursa_norm_parts(ursa_module *module, struct norm_parts *parts)
{
    if (!ursa_is_batch_norm(module) || ursa_is_training(module))
        return false;
    const struct norm *norm = ursa_module_state(module);
    *parts = (struct norm_parts){norm->scale, norm->shift, norm->running_mean, norm->running_var, norm->eps};
    return true;
}

static bool add_tensors(ursa_module *module, struct norm *norm, bool affine)
{
    ursa_dims shape = ursa_shape(norm->channels);
    if (affine) {
        norm->scale = ursa_module_filled_parameter(module, "weight", shape, 1);
        norm->shift = ursa_module_filled_parameter(module, "bias", shape, 0);
        if (!norm->scale || !norm->shift)
            return false;
    }
    if (norm->kind == BATCH) {
        norm->running_mean = ursa_module_filled_buffer(module, "running_mean", shape, 0);
        norm->running_var = ursa_module_filled_buffer(module, "running_var", shape, 1);
        return norm->running_mean && norm->running_var;
    }
    return true;
}

static ursa_module *make(enum norm_kind kind, int channels, int groups, const ursa_layer_options *options)
{
    if (channels < 1 || groups < 1 || channels % groups) {
        ursa_fail(URSA_ERROR_ARGUMENT, "%s: %d groups do not divide %d channels", classes[kind].kind, groups, channels);
        return NULL;
    }
    void *state;
    ursa_module *module = ursa_module_make(&classes[kind], &state);
    struct norm *norm = state;
    if (!module)
        return NULL;
    *norm = (struct norm){
        .kind = kind,
        .channels = channels,
        .groups = groups,
        .eps = options->eps > 0 ? options->eps : 1e-5,
        .momentum = options->momentum > 0 ? options->momentum : 0.1,
    };
    ursa_module_mark_norm(module);
    if (!add_tensors(module, norm, !options->no_affine)) {
        ursa_module_free(module);
        return NULL;
    }
    return module;
}

ursa_module *ursa_nn_batch_norm_opt(int channels, const ursa_layer_options *options)
{
    return make(BATCH, channels, 1, options);
}

ursa_module *ursa_nn_layer_norm_opt(int features, const ursa_layer_options *options)
{
    return make(LAYER, features, 1, options);
}

ursa_module *ursa_nn_group_norm_opt(int groups, int channels, const ursa_layer_options *options)
{
    return make(GROUP, channels, groups, options);
}
