/* conv.c — convolution layers, plain and transposed. */
#include "folded.h"
#include "tensor/tensor.h"

#include <stdio.h>
#include <string.h>

struct conv {
    ursa_tensor *weight;
    ursa_conv_options options;
    int in, out, kernel[2];
    bool transposed;
    struct folded_conv *folded; /* with the batch norm behind it, for inference */
};

/* Weights that are being trained are not worth folding, nor the memory. */
static void drop_folded(struct conv *conv)
{
    ursa_folded_free(conv->folded);
    conv->folded = NULL;
}

static void conv_free(void *state)
{
    drop_folded(state);
}

static ursa_tensor *conv_forward(ursa_module *module, void *state, ursa_tensor *x)
{
    struct conv *conv = state;
    if (ursa_is_training(module))
        drop_folded(conv);
    return conv->transposed ? ursa_conv_transpose2d_opt(x, conv->weight, &conv->options)
                            : ursa_conv2d_opt(x, conv->weight, &conv->options);
}

static void describe(ursa_module *module, void *state, char *text, size_t size)
{
    const struct conv *conv = state;
    const ursa_conv_options *options = &conv->options;
    int used = snprintf(text, size, "%s(%d → %d, %d×%d", ursa_module_kind(module), conv->in, conv->out, conv->kernel[0],
                        conv->kernel[1]);
#define ADD(...)                                                                                                       \
    do {                                                                                                               \
        if (used > 0 && (size_t)used < size)                                                                           \
            used += snprintf(text + used, size - (size_t)used, __VA_ARGS__);                                           \
    } while (0)
    if (options->stride[0] > 1 || options->stride[1] > 1)
        ADD(", stride %d", options->stride[0]);
    if (options->padding[0] || options->padding[1])
        ADD(", padding %d", options->padding[0]);
    if (options->dilation[0] > 1 || options->dilation[1] > 1)
        ADD(", dilation %d", options->dilation[0]);
    if (options->groups > 1)
        ADD(", %d groups", options->groups);
    if (!options->bias)
        ADD(", no bias");
    ADD(")");
#undef ADD
}

static const ursa_module_class conv_class = {
    .kind = "conv2d",
    .size = sizeof(struct conv),
    .forward = conv_forward,
    .describe = describe,
    .free = conv_free,
};

static const ursa_module_class conv_transpose_class = {
    .kind = "conv_transpose2d",
    .size = sizeof(struct conv),
    .forward = conv_forward,
    .describe = describe,
    .free = conv_free,
};

static bool is_conv(const ursa_module *module)
{
    return strcmp(ursa_module_kind(module), conv_class.kind) == 0;
}

bool ursa_gives_moments(const ursa_module *conv, const ursa_module *norm)
{
    return is_conv(conv) && ursa_is_batch_norm(norm) && ursa_is_training(conv) && ursa_is_training(norm);
}

ursa_tensor *ursa_forward_conv_moments(ursa_module *module, ursa_tensor *x, ursa_channel_moments *moments)
{
    struct conv *conv = ursa_module_state(module);
    drop_folded(conv);
    return ursa_conv2d_moments(x, conv->weight, &conv->options, moments);
}

ursa_tensor *ursa_forward_conv_norm(ursa_module *module, ursa_module *norm_module, ursa_tensor *x,
                                    ursa_activation_fn *activation, bool *done)
{
    struct norm_parts norm;
    struct conv *conv = ursa_module_state(module);
    *done = ursa_gives_moments(module, norm_module);
    if (*done) {
        ursa_channel_moments moments;
        ursa_tensor *y = ursa_forward_conv_moments(module, x, &moments);
        return ursa_forward_norm_then(norm_module, y, &moments, NULL, activation);
    }
    *done = is_conv(module) && ursa_norm_parts(norm_module, &norm);
    if (!*done)
        return NULL;
    struct conv_parts parts = {conv->weight, &conv->options};
    *done = ursa_folds(&parts, &norm, x);
    return *done ? ursa_forward_folded(&conv->folded, &parts, &norm, x, activation) : NULL;
}

static bool check(const char *kind, int in, int out, const int kernel[2], const ursa_layer_options *options)
{
    int groups = ursa_or(options->groups, 1);
    if (in < 1 || out < 1)
        return ursa_fail(URSA_ERROR_ARGUMENT, "%s: %d channels in and %d out; both must be 1 or more", kind, in, out);
    if (kernel[0] < 1 || kernel[1] < 1)
        return ursa_fail(URSA_ERROR_ARGUMENT, "%s: a kernel of %d×%d; both must be 1 or more", kind, kernel[0],
                         kernel[1]);
    if (groups < 1 || in % groups || out % groups)
        return ursa_fail(URSA_ERROR_ARGUMENT, "%s: %d groups do not divide %d channels in and %d out", kind, groups, in,
                         out);
    for (int i = 0; i < 2; i++)
        if (options->stride[i] < 0 || options->padding[i] < 0 || options->dilation[i] < 0)
            return ursa_fail(URSA_ERROR_ARGUMENT, "%s: stride %d, padding %d, dilation %d; none may be negative", kind,
                             options->stride[i], options->padding[i], options->dilation[i]);
    return true;
}

static ursa_module *make(const ursa_module_class *class, bool transposed, int in, int out, int kernel,
                         const ursa_layer_options *options)
{
    int size[2] = {ursa_or(options->kernel[0], kernel), ursa_or(options->kernel[1], kernel)};
    if (!check(class->kind, in, out, size, options))
        return NULL;
    void *state;
    ursa_module *module = ursa_module_make(class, &state);
    struct conv *conv = state;
    if (!module)
        return NULL;
    int groups = ursa_or(options->groups, 1);
    *conv = (struct conv){.in = in, .out = out, .kernel = {size[0], size[1]}, .transposed = transposed};
    conv->options.groups = groups;
    for (int i = 0; i < 2; i++) {
        conv->options.stride[i] = ursa_or(options->stride[i], 1);
        conv->options.padding[i] = options->padding[i];
        conv->options.dilation[i] = ursa_or(options->dilation[i], 1);
        conv->options.output_padding[i] = options->output_padding[i];
    }
    ursa_dims shape =
        transposed ? ursa_shape(in, size[0], size[1], out / groups) : ursa_shape(out, size[0], size[1], in / groups);
    conv->weight = ursa_module_new_parameter(module, "weight", shape);
    if (conv->weight && !options->no_bias)
        conv->options.bias = ursa_module_new_parameter(module, "bias", ursa_shape(out));
    if (!ursa_init_layer(conv->weight, conv->options.bias) || (!options->no_bias && !conv->options.bias)) {
        ursa_module_free(module);
        return NULL;
    }
    return module;
}

ursa_module *ursa_nn_conv2d_opt(int in, int out, int kernel, const ursa_layer_options *options)
{
    return make(&conv_class, false, in, out, kernel, options);
}

ursa_module *ursa_nn_conv_transpose2d_opt(int in, int out, int kernel, const ursa_layer_options *options)
{
    return make(&conv_transpose_class, true, in, out, kernel, options);
}
