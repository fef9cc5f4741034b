/* small_cnn.c — the network to begin with: convolution, batch norm, ReLU, pooling,
 * three times. */
#include "nets.h"

enum { BLOCKS = 3, WIDTH = 32 };

static ursa_module *block(int in, int out)
{
    return ursa_nn_sequential(ursa_nn_conv2d(in, out, 3, .padding = {1, 1}, .no_bias = true), ursa_nn_batch_norm(out),
                              ursa_nn_activation("relu"), ursa_nn_max_pool2d(2));
}

static bool add_classifier(ursa_module *network, int features, int classes)
{
    return ursa_nn_append(network, ursa_nn_adaptive_avg_pool2d(1, 1)) && ursa_nn_append(network, ursa_nn_flatten()) &&
           ursa_nn_append(network, ursa_named("fc", ursa_nn_linear(features, classes)));
}

ursa_module *ursa_small_cnn(int channels, int classes)
{
    ursa_module *network = ursa_nn_sequential_of(NULL, 0);
    bool whole = network;
    int in = channels;
    for (int i = 0; whole && i < BLOCKS; i++) {
        whole = ursa_net_add(network, "block%d", i + 1, block(in, WIDTH << i));
        in = WIDTH << i;
    }
    whole = whole && ursa_net_start(network, URSA_INIT_KAIMING_NORMAL) &&
            (!classes || add_classifier(network, in, classes));
    return ursa_net_checked(network, whole);
}
