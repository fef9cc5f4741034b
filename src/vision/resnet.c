/* resnet.c — residual networks (He, Zhang, Ren, Sun, "Deep residual learning for
 * image recognition", CVPR 2016), with torchvision's names of parameters.
 */
#include "nets.h"

static ursa_module *conv(int in, int out, int kernel, int stride)
{
    return ursa_nn_conv2d(in, out, kernel, .stride = {stride, stride}, .padding = {kernel / 2, kernel / 2},
                          .no_bias = true);
}

/* x itself, or a 1×1 convolution where the shape changes. */
static ursa_module *shortcut(int in, int out, int stride)
{
    if (in == out && stride == 1)
        return NULL;
    return ursa_nn_sequential(conv(in, out, 1, stride), ursa_nn_batch_norm(out));
}

static ursa_module *basic_block(int in, int out, int stride)
{
    ursa_module *body =
        ursa_nn_sequential(ursa_named("conv1", conv(in, out, 3, stride)), ursa_named("bn1", ursa_nn_batch_norm(out)),
                           ursa_nn_activation("relu"), ursa_named("conv2", conv(out, out, 3, 1)),
                           ursa_named("bn2", ursa_nn_batch_norm(out)));
    return ursa_nn_residual(body, shortcut(in, out, stride), "relu");
}

/* With the stride on the 3×3 convolution, as torchvision has it. */
static ursa_module *bottleneck(int in, int out, int stride)
{
    int middle = out / 4;
    ursa_module *body =
        ursa_nn_sequential(ursa_named("conv1", conv(in, middle, 1, 1)), ursa_named("bn1", ursa_nn_batch_norm(middle)),
                           ursa_nn_activation("relu"), ursa_named("conv2", conv(middle, middle, 3, stride)),
                           ursa_named("bn2", ursa_nn_batch_norm(middle)), ursa_nn_activation("relu"),
                           ursa_named("conv3", conv(middle, out, 1, 1)), ursa_named("bn3", ursa_nn_batch_norm(out)));
    return ursa_nn_residual(body, shortcut(in, out, stride), "relu");
}

typedef ursa_module *block_maker(int in, int out, int stride);

static ursa_module *stage(const char *name, block_maker *block, int in, int out, int stride, int blocks)
{
    ursa_module *stage = ursa_named(name, ursa_nn_sequential(block(in, out, stride)));
    bool whole = stage;
    for (int i = 1; whole && i < blocks; i++)
        whole = ursa_nn_append(stage, block(out, out, 1));
    return ursa_net_checked(stage, whole);
}

/* The body as torchvision starts it, and the last layers unless there are no classes. */
static ursa_module *with_classifier(ursa_module *body, int features, int classes)
{
    bool whole = body && ursa_net_start(body, URSA_INIT_KAIMING_NORMAL_FAN_OUT);
    if (whole && classes)
        whole = ursa_nn_append(body, ursa_nn_adaptive_avg_pool2d(1, 1)) && ursa_nn_append(body, ursa_nn_flatten()) &&
                ursa_nn_append(body, ursa_named("fc", ursa_nn_linear(features, classes)));
    return ursa_net_checked(body, whole);
}

/* Four stages of blocks, the first with `in` channels, which the stem has too. */
static ursa_module *resnet_of(int in, block_maker *block, int widen, const int blocks[4], int channels, int classes)
{
    int out = in * widen;
    ursa_module *body = ursa_nn_sequential(
        ursa_named("conv1", conv(channels, in, 7, 2)), ursa_named("bn1", ursa_nn_batch_norm(in)),
        ursa_nn_activation("relu"), ursa_nn_max_pool2d(3, .stride = {2, 2}, .padding = {1, 1}),
        stage("layer1", block, in, out, 1, blocks[0]), stage("layer2", block, out, 2 * out, 2, blocks[1]),
        stage("layer3", block, 2 * out, 4 * out, 2, blocks[2]), stage("layer4", block, 4 * out, 8 * out, 2, blocks[3]));
    return with_classifier(body, 8 * out, classes);
}

static ursa_module *resnet(block_maker *block, int widen, const int blocks[4], int channels, int classes)
{
    return resnet_of(64, block, widen, blocks, channels, classes);
}

ursa_module *ursa_net_resnet18(int width, int channels, int classes)
{
    return resnet_of(width, basic_block, 1, (int[]){2, 2, 2, 2}, channels, classes);
}

ursa_module *ursa_resnet18(int channels, int classes)
{
    return ursa_net_resnet18(64, channels, classes);
}

ursa_module *ursa_resnet34(int channels, int classes)
{
    return resnet(basic_block, 1, (int[]){3, 4, 6, 3}, channels, classes);
}

ursa_module *ursa_resnet50(int channels, int classes)
{
    return resnet(bottleneck, 4, (int[]){3, 4, 6, 3}, channels, classes);
}

ursa_module *ursa_resnet101(int channels, int classes)
{
    return resnet(bottleneck, 4, (int[]){3, 4, 23, 3}, channels, classes);
}

ursa_module *ursa_resnet152(int channels, int classes)
{
    return resnet(bottleneck, 4, (int[]){3, 8, 36, 3}, channels, classes);
}

/* Stem and three stages of one block. */
ursa_module *ursa_small_resnet(int channels, int classes)
{
    ursa_module *body =
        ursa_nn_sequential(ursa_named("conv1", conv(channels, 16, 3, 1)), ursa_named("bn1", ursa_nn_batch_norm(16)),
                           ursa_nn_activation("relu"), ursa_named("layer1", basic_block(16, 32, 2)),
                           ursa_named("layer2", basic_block(32, 64, 2)), ursa_named("layer3", basic_block(64, 128, 2)));
    return with_classifier(body, 128, classes);
}
