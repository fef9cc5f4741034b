/* module.h — the inside of a module, for the layers of this room. */
#ifndef URSA_NN_MODULE_H
#define URSA_NN_MODULE_H

#include <ursa/nn.h>

/* Makes a module of a class and, when that fails or `state` is not wanted,
 * says so by NULL. */
ursa_module *ursa_module_make(const ursa_module_class *class, void **state);

/* A new parameter [shape] of uninitialised numbers on the default device, owned
 * by the module. NULL with an error, and the module stays as it was. */
ursa_tensor *ursa_module_new_parameter(ursa_module *module, const char *name, ursa_dims shape);
/* The same filled with a number. */
ursa_tensor *ursa_module_filled_parameter(ursa_module *module, const char *name, ursa_dims shape, double value);
ursa_tensor *ursa_module_filled_buffer(ursa_module *module, const char *name, ursa_dims shape, double value);

/* Whether ursa_named() gave it a name, be it "". */
bool ursa_module_is_named(const ursa_module *module);

/* Frees the children from number `keep` on. */
void ursa_module_drop_children(ursa_module *module, int keep);

/* Marks the parameters of a module that weight decay leaves out. */
void ursa_module_mark_norm(ursa_module *module);

/* Overwrites a weight and bias as PyTorch does for linear and convolution
 * layers: Kaiming uniform with a = √5, and 1 / √(fan in) for the bias. */
bool ursa_init_layer(ursa_tensor *weight, ursa_tensor *bias);

/* The children of a module from `first` up to, not including, `end`, one after
 * the other. Neighbours that give the same numbers when they are computed
 * together are (see chain.c), and what lies between goes when it has been used,
 * unless ursa_watch_forward() looks on. */
ursa_tensor *ursa_forward_chain(ursa_module *module, int first, int end, ursa_tensor *x);
bool ursa_forward_is_watched(void);

/* What a module made of a function calls; else NULL. */
ursa_activation_fn *ursa_function_of(ursa_module *module);
bool ursa_is_batch_norm(const ursa_module *module);
struct ursa_channel_moments; /* see tensor/tensor.h */
/* activation(module(x) + residual) of a batch norm; both may be NULL, and so may the moments of x. */
ursa_tensor *ursa_forward_norm_then(ursa_module *norm, ursa_tensor *x, const struct ursa_channel_moments *known,
                                    ursa_tensor *residual, ursa_activation_fn *activation);

/* Whether a convolution can find the moments that the batch norm behind it needs: in training. */
bool ursa_gives_moments(const ursa_module *conv, const ursa_module *norm);
ursa_tensor *ursa_forward_conv_moments(ursa_module *conv, ursa_tensor *x, struct ursa_channel_moments *moments);

/* activation(norm(conv(x))) where they are computed together: in training by the moments that the convolution finds, in
 * inference without gradients as one convolution. Sets *done when it was tried. */
ursa_tensor *ursa_forward_conv_norm(ursa_module *conv, ursa_module *norm, ursa_tensor *x,
                                    ursa_activation_fn *activation, bool *done);
struct norm_parts;
/* The parts of a batch norm in inference; false for any other module. */
bool ursa_norm_parts(ursa_module *module, struct norm_parts *parts);

/* Number of input connections of a weight [O, …, I], and of output ones. */
int64_t ursa_fan_in(const ursa_tensor *weight);
int64_t ursa_fan_out(const ursa_tensor *weight);

static inline int ursa_or(int value, int standard)
{
    return value ? value : standard;
}

#endif
