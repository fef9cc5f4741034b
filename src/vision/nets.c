/* nets.c — what the makers of networks share. */
#include "nets.h"

#include <stdio.h>
#include <string.h>

bool ursa_net_add(ursa_module *network, const char *format, int number, ursa_module *child)
{
    char name[64];
    snprintf(name, sizeof name, format, number);
    return ursa_nn_append(network, ursa_named(name, child));
}

bool ursa_net_fill(ursa_module *module, const char *name, double value)
{
    ursa_no_grad_begin();
    bool filled = ursa_fill_(ursa_find_parameter(module, name), value);
    ursa_no_grad_end();
    return filled;
}

bool ursa_net_start(ursa_module *network, ursa_init how)
{
    const ursa_parameter *list;
    int count = ursa_init_module(network, how, 0) ? ursa_parameters(network, &list) : -1;
    bool started = count >= 0;
    ursa_no_grad_begin();
    for (int i = 0; started && i < count; i++)
        if (list[i].is_norm_or_bias && strcmp(ursa_module_kind(list[i].owner), "batch_norm") != 0)
            started = ursa_fill_(list[i].tensor, 0);
    ursa_no_grad_end();
    return started;
}

ursa_module *ursa_net_normal(ursa_module *layer, double std)
{
    ursa_tensor *weight = ursa_find_parameter(layer, "weight");
    ursa_scope *scope = ursa_scope_begin();
    ursa_no_grad_begin();
    bool filled = weight && ursa_copy_(weight, ursa_normal(ursa_dims_of(weight), .std = std,
                                                           .rng = ursa_stream(URSA_PURPOSE_INIT)));
    ursa_no_grad_end();
    ursa_scope_end(scope);
    return ursa_net_checked(layer, filled && ursa_net_fill(layer, "bias", 0));
}

ursa_module *ursa_net_relu6(void)
{
    return ursa_nn_activation("relu6");
}

ursa_module *ursa_net_checked(ursa_module *network, bool whole)
{
    if (whole)
        return network;
    ursa_module_free(network);
    return NULL;
}
