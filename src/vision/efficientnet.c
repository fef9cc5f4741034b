/* efficientnet.c — EfficientNet-Lite0: EfficientNet-B0 (Tan, Le, "EfficientNet:
 * rethinking model scaling for convolutional neural networks", ICML 2019)
 * without squeeze-and-excitation and with ReLU6, as TensorFlow's
 * efficientnet/lite has it. Names are those of the Python package
 * efficientnet_lite_pytorch, which has the pretrained weights.
 */
#include "nets.h"

#include <stdio.h>

enum { STEM = 32, LAST = 1280, BLOCKS = 16 };
static const double drop_rate = 0.2; /* of the classifier's dropout and the last block's path */

/* ---- padding as TensorFlow's "SAME" --------------------------------------------- *
 *
 * As many zeros as give ceil(extent / stride) positions, the odd one at the
 * end: with a stride of 2 and an even extent that is not what a symmetrical
 * padding does. */
struct same_pad {
    int kernel, stride;
};

static int64_t padding(const struct same_pad *pad, int64_t extent)
{
    int64_t out = (extent + pad->stride - 1) / pad->stride, needed = (out - 1) * pad->stride + pad->kernel - extent;
    return needed > 0 ? needed : 0;
}

static ursa_tensor *same_pad_forward(ursa_module *module, void *state, ursa_tensor *x)
{
    (void)module;
    int64_t rows = padding(state, ursa_dim(x, 1)), columns = padding(state, ursa_dim(x, 2));
    return ursa_pad(x, ursa_shape(0, rows / 2, columns / 2, 0),
                    ursa_shape(0, rows - rows / 2, columns - columns / 2, 0), URSA_PAD_MODE_CONSTANT, 0);
}

static void same_pad_describe(ursa_module *module, void *state, char *text, size_t size)
{
    (void)module;
    const struct same_pad *pad = state;
    snprintf(text, size, "same_pad(%d×%d, stride %d)", pad->kernel, pad->kernel, pad->stride);
}

static const ursa_module_class same_pad_class = {
    .kind = "same_pad",
    .size = sizeof(struct same_pad),
    .forward = same_pad_forward,
    .describe = same_pad_describe,
};

static ursa_module *same_pad(int kernel, int stride)
{
    ursa_module *module = ursa_module_new(&same_pad_class);
    if (module)
        *(struct same_pad *)ursa_module_state(module) = (struct same_pad){kernel, stride};
    return module;
}

/* ---- layers ------------------------------------------------------------------------ */

/* Padding symmetrically does the same with a stride of 1, and copies nothing. */
static bool add_conv(ursa_module *to, const char *name, int in, int out, int kernel, int stride, int groups)
{
    int sides = stride == 1 ? kernel / 2 : 0;
    return (stride == 1 || ursa_nn_append(to, same_pad(kernel, stride))) &&
           ursa_nn_append(
               to, ursa_named(name, ursa_nn_conv2d(in, out, kernel, .stride = {stride, stride},
                                                   .padding = {sides, sides}, .groups = groups, .no_bias = true)));
}

static bool add_norm(ursa_module *to, const char *name, int channels)
{
    return ursa_nn_append(to, ursa_named(name, ursa_nn_batch_norm(channels, .eps = 1e-3, .momentum = 0.01)));
}

static bool add_relu6(ursa_module *to)
{
    return ursa_nn_append(to, ursa_net_relu6());
}

/* `drop` is the chance to leave the block out in training. */
static ursa_module *block(int in, int out, int kernel, int stride, int expand, double drop)
{
    int wide = in * expand;
    bool shortcut = stride == 1 && in == out;
    ursa_module *layers = ursa_nn_sequential_of(NULL, 0);
    bool whole = layers &&
                 (expand == 1 || (add_conv(layers, "_expand_conv", in, wide, 1, 1, 1) &&
                                  add_norm(layers, "_bn0", wide) && add_relu6(layers))) &&
                 add_conv(layers, "_depthwise_conv", wide, wide, kernel, stride, wide) &&
                 add_norm(layers, "_bn1", wide) && add_relu6(layers) &&
                 add_conv(layers, "_project_conv", wide, out, 1, 1, 1) && add_norm(layers, "_bn2", out) &&
                 (!shortcut || ursa_nn_append(layers, ursa_nn_drop_path(drop)));
    layers = ursa_net_checked(layers, whole);
    return shortcut ? ursa_nn_residual(layers, NULL, NULL) : layers;
}

static bool add_blocks(ursa_module *network)
{
    static const struct {
        int expand, out, blocks, stride, kernel;
    } stages[] = {{1, 16, 1, 1, 3},  {6, 24, 2, 2, 3},  {6, 40, 2, 2, 5}, {6, 80, 3, 2, 3},
                  {6, 112, 3, 1, 5}, {6, 192, 4, 2, 5}, {6, 320, 1, 1, 3}};
    int in = STEM, index = 0;
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        for (int b = 0; b < stages[i].blocks; b++, index++) {
            ursa_module *made = block(in, stages[i].out, stages[i].kernel, b ? 1 : stages[i].stride, stages[i].expand,
                                      drop_rate * index / BLOCKS);
            if (!ursa_net_add(network, "_blocks.%d", index, made))
                return false;
            in = stages[i].out;
        }
    return add_conv(network, "_conv_head", in, LAST, 1, 1, 1) && add_norm(network, "_bn1", LAST) && add_relu6(network);
}

static bool add_classifier(ursa_module *network, int classes)
{
    return ursa_nn_append(network, ursa_nn_adaptive_avg_pool2d(1, 1)) && ursa_nn_append(network, ursa_nn_flatten()) &&
           ursa_nn_append(network, ursa_nn_dropout(drop_rate)) &&
           ursa_nn_append(network, ursa_named("_fc", ursa_nn_linear(LAST, classes)));
}

ursa_module *ursa_efficientnet_lite0(int channels, int classes)
{
    ursa_module *network = ursa_nn_sequential_of(NULL, 0);
    bool whole = network && add_conv(network, "_conv_stem", channels, STEM, 3, 2, 1) &&
                 add_norm(network, "_bn0", STEM) && add_relu6(network) && add_blocks(network) &&
                 ursa_net_start(network, URSA_INIT_KAIMING_NORMAL_FAN_OUT) &&
                 (!classes || add_classifier(network, classes));
    return ursa_net_checked(network, whole);
}
