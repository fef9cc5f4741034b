/* squeezenet.c — few parameters by squeezing channels before each 3×3 convolution
 * (Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer
 * parameters", 2016), with torchvision's names.
 */
#include "nets.h"

/* The layers behind the stem: fire modules, and poolings between them. */
struct layer {
    int squeeze, expand; /* 0: pooling */
};
enum { LAYERS = 10, FIRST = 3 };

/* Squeezes, and puts 1×1 and 3×3 convolutions of that side by side. */
static ursa_module *fire(int in, int squeeze, int expand)
{
    return ursa_nn_sequential(
        ursa_named("squeeze", ursa_nn_conv2d(in, squeeze, 1)), ursa_nn_activation("relu"),
        ursa_named("", ursa_nn_concat(ursa_named("expand1x1", ursa_nn_conv2d(squeeze, expand, 1)),
                                      ursa_named("expand3x3", ursa_nn_conv2d(squeeze, expand, 3, .padding = {1, 1})))),
        ursa_nn_activation("relu"));
}

static ursa_module *pool(void)
{
    return ursa_nn_max_pool2d(3, .stride = {2, 2}, .ceil = true);
}

static ursa_module *features(int channels, int stem, int kernel, const struct layer layers[LAYERS])
{
    ursa_module *body =
        ursa_nn_sequential(ursa_named("features.0", ursa_nn_conv2d(channels, stem, kernel, .stride = {2, 2})),
                           ursa_named("features.1", ursa_nn_activation("relu")), ursa_named("features.2", pool()));
    bool whole = body;
    int in = stem;
    for (int i = 0; whole && i < LAYERS; i++) {
        bool pooling = !layers[i].expand;
        whole = ursa_net_add(body, "features.%d", FIRST + i,
                             pooling ? pool() : fire(in, layers[i].squeeze, layers[i].expand));
        in = pooling ? in : 2 * layers[i].expand;
    }
    return ursa_net_checked(body, whole && ursa_net_start(body, URSA_INIT_KAIMING_UNIFORM));
}

static bool add_classifier(ursa_module *network, int classes)
{
    return ursa_net_add(network, "classifier.%d", 0, ursa_nn_dropout(0.5)) &&
           ursa_net_add(network, "classifier.%d", 1, ursa_net_normal(ursa_nn_conv2d(512, classes, 1), 0.01)) &&
           ursa_net_add(network, "classifier.%d", 2, ursa_nn_activation("relu")) &&
           ursa_net_add(network, "classifier.%d", 3, ursa_nn_adaptive_avg_pool2d(1, 1)) &&
           ursa_nn_append(network, ursa_nn_flatten());
}

static ursa_module *squeezenet(ursa_module *body, int classes)
{
    return classes ? ursa_net_checked(body, add_classifier(body, classes)) : body;
}

ursa_module *ursa_squeezenet1_0(int channels, int classes)
{
    static const struct layer layers[LAYERS] = {{16, 64},  {16, 64},  {32, 128}, {0}, {32, 128},
                                                {48, 192}, {48, 192}, {64, 256}, {0}, {64, 256}};
    return squeezenet(features(channels, 96, 7, layers), classes);
}

ursa_module *ursa_squeezenet1_1(int channels, int classes)
{
    static const struct layer layers[LAYERS] = {{16, 64}, {16, 64},  {0},       {32, 128}, {32, 128},
                                                {0},      {48, 192}, {48, 192}, {64, 256}, {64, 256}};
    return squeezenet(features(channels, 64, 3, layers), classes);
}
