/* xresnet.c — residual networks with the tricks of He, Zhang, Zhang, Zhang, Xie, Li
 * ("Bag of tricks for image classification with convolutional neural
 * networks", CVPR 2019): a stem of three 3×3 convolutions, pooling before the
 * shortcut's convolution, and blocks that start as the identity. Names are
 * fastai's.
 */
#include "nets.h"

enum { STAGES = 4 };

static ursa_module *conv_norm(int in, int out, int kernel, int stride)
{
    return ursa_nn_sequential(ursa_nn_conv2d(in, out, kernel, .stride = {stride, stride},
                                             .padding = {kernel / 2, kernel / 2}, .no_bias = true),
                              ursa_nn_batch_norm(out));
}

static ursa_module *conv_norm_relu(int in, int out, int kernel, int stride)
{
    ursa_module *layer = conv_norm(in, out, kernel, stride);
    return ursa_net_checked(layer, layer && ursa_nn_append(layer, ursa_nn_activation("relu")));
}

/* With a scale of zero, so that the block starts as its shortcut. */
static ursa_module *conv_zero_norm(int in, int out, int kernel)
{
    ursa_module *layer = conv_norm(in, out, kernel, 1);
    return ursa_net_checked(layer, layer && ursa_net_fill(layer, "1.weight", 0));
}

static ursa_module *shortcut(int in, int out, int stride)
{
    if (in == out && stride == 1)
        return NULL;
    ursa_module *path = ursa_nn_sequential_of(NULL, 0);
    bool whole = path && (stride == 1 || ursa_nn_append(path, ursa_nn_avg_pool2d(stride, .ceil = true))) &&
                 (in == out || ursa_nn_append(path, conv_norm(in, out, 1, 1)));
    return ursa_named("idpath", ursa_net_checked(path, whole));
}

static ursa_module *basic_block(int in, int out, int stride)
{
    ursa_module *path = ursa_nn_sequential(conv_norm_relu(in, out, 3, stride), conv_zero_norm(out, out, 3));
    return ursa_nn_residual(ursa_named("convpath", path), shortcut(in, out, stride), "relu");
}

static ursa_module *bottleneck(int in, int out, int stride)
{
    int middle = out / 4;
    ursa_module *path = ursa_nn_sequential(conv_norm_relu(in, middle, 1, 1), conv_norm_relu(middle, middle, 3, stride),
                                           conv_zero_norm(middle, out, 1));
    return ursa_nn_residual(ursa_named("convpath", path), shortcut(in, out, stride), "relu");
}

typedef ursa_module *block_maker(int in, int out, int stride);

static ursa_module *stage(block_maker *block, int in, int out, int stride, int blocks)
{
    ursa_module *stage = ursa_nn_sequential(block(in, out, stride));
    bool whole = stage;
    for (int i = 1; whole && i < blocks; i++)
        whole = ursa_nn_append(stage, block(out, out, 1));
    return ursa_net_checked(stage, whole);
}

static bool add_classifier(ursa_module *network, int features, int classes)
{
    return ursa_nn_append(network, ursa_nn_adaptive_avg_pool2d(1, 1)) && ursa_nn_append(network, ursa_nn_flatten()) &&
           ursa_nn_append(network, ursa_nn_dropout(0)) && ursa_nn_append(network, ursa_nn_linear(features, classes));
}

static ursa_module *xresnet(block_maker *block, int widen, const int blocks[STAGES], int channels, int classes)
{
    ursa_module *network =
        ursa_nn_sequential(conv_norm_relu(channels, 32, 3, 2), conv_norm_relu(32, 32, 3, 1),
                           conv_norm_relu(32, 64, 3, 1), ursa_nn_max_pool2d(3, .stride = {2, 2}, .padding = {1, 1}));
    bool whole = network;
    int in = 64;
    for (int i = 0; whole && i < STAGES; i++) {
        int out = (64 << i) * widen;
        whole = ursa_nn_append(network, stage(block, in, out, i ? 2 : 1, blocks[i]));
        in = out;
    }
    whole = whole && (!classes || add_classifier(network, in, classes)) &&
            ursa_net_start(network, URSA_INIT_KAIMING_NORMAL);
    return ursa_net_checked(network, whole);
}

ursa_module *ursa_xresnet18(int channels, int classes)
{
    return xresnet(basic_block, 1, (int[]){2, 2, 2, 2}, channels, classes);
}

ursa_module *ursa_xresnet34(int channels, int classes)
{
    return xresnet(basic_block, 1, (int[]){3, 4, 6, 3}, channels, classes);
}

ursa_module *ursa_xresnet50(int channels, int classes)
{
    return xresnet(bottleneck, 4, (int[]){3, 4, 6, 3}, channels, classes);
}
