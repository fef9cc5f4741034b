/* mobilenet.c — inverted residuals: wide in the middle, where each channel is
 * convolved alone, narrow at the ends (Sandler et al., "MobileNetV2: inverted
 * residuals and linear bottlenecks", CVPR 2018), with torchvision's names.
 */
#include "nets.h"

enum { STEM = 32, LAST = 1280 };

static ursa_module *conv(int in, int out, int kernel, int stride, int groups)
{
    return ursa_nn_conv2d(in, out, kernel, .stride = {stride, stride}, .padding = {kernel / 2, kernel / 2},
                          .groups = groups, .no_bias = true);
}

static ursa_module *conv_norm_relu6(int in, int out, int kernel, int stride, int groups)
{
    return ursa_nn_sequential(conv(in, out, kernel, stride, groups), ursa_nn_batch_norm(out), ursa_net_relu6());
}

static ursa_module *inverted_residual(int in, int out, int stride, int expand)
{
    int wide = in * expand;
    ursa_module *layers =
        expand == 1 ? ursa_nn_sequential_of(NULL, 0) : ursa_nn_sequential(conv_norm_relu6(in, wide, 1, 1, 1));
    bool whole = layers && ursa_nn_append(layers, conv_norm_relu6(wide, wide, 3, stride, wide)) &&
                 ursa_nn_append(layers, conv(wide, out, 1, 1, 1)) && ursa_nn_append(layers, ursa_nn_batch_norm(out));
    layers = ursa_named("conv", ursa_net_checked(layers, whole));
    return stride == 1 && in == out ? ursa_nn_residual(layers, NULL, NULL) : ursa_nn_sequential(layers);
}

static bool add_blocks(ursa_module *network)
{
    static const struct {
        int expand, out, blocks, stride;
    } stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                  {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    int in = STEM, index = 1;
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        for (int block = 0; block < stages[i].blocks; block++) {
            int stride = block ? 1 : stages[i].stride;
            if (!ursa_net_add(network, "features.%d", index++,
                              inverted_residual(in, stages[i].out, stride, stages[i].expand)))
                return false;
            in = stages[i].out;
        }
    return ursa_net_add(network, "features.%d", index, conv_norm_relu6(in, LAST, 1, 1, 1));
}

static bool add_classifier(ursa_module *network, int classes)
{
    return ursa_nn_append(network, ursa_nn_adaptive_avg_pool2d(1, 1)) && ursa_nn_append(network, ursa_nn_flatten()) &&
           ursa_net_add(network, "classifier.%d", 0, ursa_nn_dropout(0.2)) &&
           ursa_net_add(network, "classifier.%d", 1, ursa_net_normal(ursa_nn_linear(LAST, classes), 0.01));
}

ursa_module *ursa_mobilenet_v2(int channels, int classes)
{
    ursa_module *network = ursa_nn_sequential(ursa_named("features.0", conv_norm_relu6(channels, STEM, 3, 2, 1)));
    bool whole = network && add_blocks(network) && ursa_net_start(network, URSA_INIT_KAIMING_NORMAL_FAN_OUT) &&
                 (!classes || add_classifier(network, classes));
    return ursa_net_checked(network, whole);
}
