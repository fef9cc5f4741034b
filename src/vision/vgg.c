/* vgg.c — networks of 3×3 convolutions (Simonyan, Zisserman, "Very deep
 * convolutional networks for large-scale image recognition", ICLR 2015) with
 * batch norm, and torchvision's names.
 */
#include "nets.h"

enum { STAGES = 5, POOLED = 7, WIDE = 4096 };

/* Layers of the stages of widths 64, 128, 256, 512, 512, each ended by a pooling. */
static ursa_module *features(const int layers[STAGES], int channels)
{
    static const int widths[STAGES] = {64, 128, 256, 512, 512};
    ursa_module *body = ursa_nn_sequential_of(NULL, 0);
    int in = channels, index = 0;
    bool whole = body;
    for (int stage = 0; whole && stage < STAGES; stage++) {
        for (int layer = 0; whole && layer < layers[stage]; layer++) {
            int out = widths[stage];
            whole = ursa_net_add(body, "features.%d", index, ursa_nn_conv2d(in, out, 3, .padding = {1, 1})) &&
                    ursa_net_add(body, "features.%d", index + 1, ursa_nn_batch_norm(out)) &&
                    ursa_net_add(body, "features.%d", index + 2, ursa_nn_activation("relu"));
            in = out;
            index += 3;
        }
        whole = whole && ursa_net_add(body, "features.%d", index++, ursa_nn_max_pool2d(2));
    }
    return ursa_net_checked(body, whole && ursa_net_start(body, URSA_INIT_KAIMING_NORMAL_FAN_OUT));
}

static ursa_module *linear(int in, int out)
{
    return ursa_net_normal(ursa_nn_linear(in, out), 0.01);
}

/* The first linear layer's columns are PyTorch's, so the channels come first. */
static bool add_classifier(ursa_module *network, int classes)
{
    return ursa_nn_append(network, ursa_nn_adaptive_avg_pool2d(POOLED, POOLED)) &&
           ursa_nn_append(network, ursa_nn_flatten_channels_first()) &&
           ursa_net_add(network, "classifier.%d", 0, linear(512 * POOLED * POOLED, WIDE)) &&
           ursa_net_add(network, "classifier.%d", 1, ursa_nn_activation("relu")) &&
           ursa_net_add(network, "classifier.%d", 2, ursa_nn_dropout(0.5)) &&
           ursa_net_add(network, "classifier.%d", 3, linear(WIDE, WIDE)) &&
           ursa_net_add(network, "classifier.%d", 4, ursa_nn_activation("relu")) &&
           ursa_net_add(network, "classifier.%d", 5, ursa_nn_dropout(0.5)) &&
           ursa_net_add(network, "classifier.%d", 6, linear(WIDE, classes));
}

static ursa_module *vgg(const int layers[STAGES], int channels, int classes)
{
    ursa_module *network = features(layers, channels);
    return classes ? ursa_net_checked(network, add_classifier(network, classes)) : network;
}

ursa_module *ursa_vgg11_bn(int channels, int classes)
{
    return vgg((int[]){1, 1, 2, 2, 2}, channels, classes);
}

ursa_module *ursa_vgg13_bn(int channels, int classes)
{
    return vgg((int[]){2, 2, 2, 2, 2}, channels, classes);
}

ursa_module *ursa_vgg16_bn(int channels, int classes)
{
    return vgg((int[]){2, 2, 3, 3, 3}, channels, classes);
}

ursa_module *ursa_vgg19_bn(int channels, int classes)
{
    return vgg((int[]){2, 2, 4, 4, 4}, channels, classes);
}
