/* densenet.c — every layer sees the outputs of all before it (Huang, Liu, van der
 * Maaten, Weinberger, "Densely connected convolutional networks", CVPR 2017),
 * with torchvision's names.
 */
#include "nets.h"

#include <stdio.h>
#include <string.h>

enum { GROWTH = 32, BOTTLENECK = 4 * GROWTH, BLOCKS = 4 };

static ursa_module *conv(int in, int out, int kernel)
{
    return ursa_nn_conv2d(in, out, kernel, .padding = {kernel / 2, kernel / 2}, .no_bias = true);
}

/* x, and beside it what is new. */
static ursa_module *dense_layer(int in)
{
    ursa_module *added = ursa_nn_sequential(
        ursa_named("norm1", ursa_nn_batch_norm(in)), ursa_named("relu1", ursa_nn_activation("relu")),
        ursa_named("conv1", conv(in, BOTTLENECK, 1)), ursa_named("norm2", ursa_nn_batch_norm(BOTTLENECK)),
        ursa_named("relu2", ursa_nn_activation("relu")), ursa_named("conv2", conv(BOTTLENECK, GROWTH, 3)));
    return ursa_nn_concat(ursa_nn_identity(), ursa_named("", added));
}

static ursa_module *dense_block(int in, int layers)
{
    ursa_module *block = ursa_nn_sequential_of(NULL, 0);
    bool whole = block;
    for (int i = 0; whole && i < layers; i++)
        whole = ursa_net_add(block, "denselayer%d", i + 1, dense_layer(in + i * GROWTH));
    return ursa_net_checked(block, whole);
}

static ursa_module *transition(int in)
{
    return ursa_nn_sequential(ursa_named("norm", ursa_nn_batch_norm(in)),
                              ursa_named("relu", ursa_nn_activation("relu")), ursa_named("conv", conv(in, in / 2, 1)),
                              ursa_named("pool", ursa_nn_avg_pool2d(2)));
}

/* The channels that come out are put in `features`. */
static bool add_blocks(ursa_module *body, const int layers[BLOCKS], int *features)
{
    for (int i = 0; i < BLOCKS; i++) {
        if (!ursa_net_add(body, "features.denseblock%d", i + 1, dense_block(*features, layers[i])))
            return false;
        *features += layers[i] * GROWTH;
        if (i + 1 == BLOCKS)
            break;
        if (!ursa_net_add(body, "features.transition%d", i + 1, transition(*features)))
            return false;
        *features /= 2;
    }
    return ursa_nn_append(body, ursa_named("features.norm5", ursa_nn_batch_norm(*features)));
}

static ursa_module *stem(int channels, int out)
{
    return ursa_nn_sequential(ursa_named("features.conv0", ursa_nn_conv2d(channels, out, 7, .stride = {2, 2},
                                                                          .padding = {3, 3}, .no_bias = true)),
                              ursa_named("features.norm0", ursa_nn_batch_norm(out)),
                              ursa_named("features.relu0", ursa_nn_activation("relu")),
                              ursa_named("features.pool0", ursa_nn_max_pool2d(3, .stride = {2, 2}, .padding = {1, 1})));
}

static bool add_classifier(ursa_module *network, int features, int classes)
{
    ursa_module *linear = ursa_nn_linear(features, classes);
    linear = ursa_net_checked(linear, linear && ursa_net_fill(linear, "bias", 0));
    return ursa_nn_append(network, ursa_nn_activation("relu")) &&
           ursa_nn_append(network, ursa_nn_adaptive_avg_pool2d(1, 1)) && ursa_nn_append(network, ursa_nn_flatten()) &&
           ursa_nn_append(network, ursa_named("classifier", linear));
}

ursa_module *ursa_densenet121(int channels, int classes)
{
    int features = 64;
    ursa_module *network = stem(channels, features);
    bool whole = network && add_blocks(network, (int[]){6, 12, 24, 16}, &features) &&
                 ursa_net_start(network, URSA_INIT_KAIMING_NORMAL) &&
                 (!classes || add_classifier(network, features, classes));
    return ursa_net_checked(network, whole);
}

const char *ursa_net_old_name(const char *name, char *text, size_t size)
{
    const char *layer = strstr(name, ".denselayer"), *part = layer ? strchr(layer + 1, '.') : NULL;
    if (!part || (strncmp(part, ".norm", 5) != 0 && strncmp(part, ".conv", 5) != 0))
        return NULL;
    snprintf(text, size, "%.*s.%s", (int)(part + 5 - name), name, part + 5);
    return text;
}
